"""A person changes a component: what is changed, by whom and from what, is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from yiwang.core.kernel.refusals import Conflict, Invalid, NotAllowed, Unknown
from yiwang.core.kernel.text import Text
from yiwang.server.assets.models import Component, ComponentChange, State
from yiwang.server.assets.rows import cell_of
from yiwang.server.assets.versions import write_begins
from yiwang.server.cities.queries import runtime

TEXTS = ("name", "authority", "owner", "maintainer", "note")
_LONGEST = {field.name: int(field.max_length or 0) for field in Component._meta.concrete_fields if field.name in TEXTS}


def change_component(
    *,
    city: str,
    code: str,
    version: int,
    values: Mapping[str, str],
    at: tuple[float, float] | None,
    by: str,
    allowed: Callable[[str], bool],
) -> Component:
    """Change a component.

    Args:
        city, code: Which.
        version: The one that the person saw.
        values: ``state`` and texts of `TEXTS`, those that are to be changed or stay.
        at: Longitude and latitude in degrees (WGS 84); None to leave it where it is.
        by: Who.
        allowed: Whether this person may change what lies in a region: asked for where it is and where it goes.

    Raises:
        Conflict: When somebody else has changed it since.
        Invalid: When a value cannot be taken.
        NotAllowed: When it lies elsewhere.
        Unknown: When there is none.
    """
    place = runtime(city)
    with transaction.atomic():
        write_begins(city)
        held = Component.objects.select_for_update().filter(city=city, code=code).first()
        if held is None:
            raise Unknown(Text("没有标识码为「{code}」的部件。", "There is no component {code!r}.", code=code))
        if not allowed(held.region):
            raise NotAllowed(Text("您的岗位不能修改这个部件。", "Your post does not let you change this component."))
        if held.version != version:
            raise Conflict(
                Text(
                    "您打开之后，此部件已由他人修改。请核对现在的内容，再改一次。",
                    "Somebody else has changed this component since you opened it. Look at it as it is now, then change it again.",
                )
            )
        after = _checked(values)
        if at is not None and at != (held.lon, held.lat):
            location, lon, lat = place.locate(*at, crs="wgs84")
            if not location.code:
                raise Invalid(Text("该位置不在本市。", "The place is not in the city."), field="lon")
            if not allowed(location.code):
                raise NotAllowed(
                    Text("新位置不在您负责的区域内。", "The new place lies outside your region."), field="lon"
                )
            after |= {
                "lon": lon,
                "lat": lat,
                "cell": int(cell_of(lon, lat)),
                "region": location.code,
                "grid": location.grid,
            }
        fields: dict[str, Any] = {}
        for name, value in after.items():
            before = getattr(held, name)
            if before != value:
                setattr(held, name, value)
                if name != "cell":
                    fields[name] = [before, value]
        if fields:
            held.version += 1
            held.changed_on = datetime.now(UTC).astimezone(place.info.zone).date()
            held.save()
            ComponentChange.objects.create(component=held, by=by[:150], fields=fields)
        return held


def _checked(values: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {name: values[name].strip() for name in TEXTS if name in values}
    for name, text in found.items():
        most = _LONGEST[name]
        if len(text) > most:
            raise Invalid(
                Text(
                    "最多 {most} 个字，现有 {given} 个。",
                    "At most {most} characters, not {given}.",
                    most=most,
                    given=len(text),
                ),
                field=name,
            )
    if "state" in values:
        if values["state"] not in State.values:
            raise Invalid(
                Text("没有「{state}」这种状态。", "There is no state {state!r}.", state=values["state"]), field="state"
            )
        found["state"] = values["state"]
    return found
