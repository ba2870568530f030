"""One component, and what a report about it begins with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from yiwang.core.kernel.refusals import NotAllowed, Unknown
from yiwang.core.kernel.text import Text
from yiwang.server.assets.models import Component
from yiwang.server.cities.queries import CityRuntime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedComponent:
    """What a report about a component knows from the beginning.

    Attributes:
        code: Of the component.
        name: Its class, and its own name where it has one.
        lon, lat: Degrees, WGS 84.
        category: The category of its troubles; empty where none is in force today.
    """

    code: str
    name: Text
    lon: float
    lat: float
    category: str


def component_of(*, city: str, code: str) -> Component:
    """The component with this code.

    Raises:
        Unknown: When the city's inventory has none.
    """
    found = Component.objects.filter(city=city, code=code).first()
    if found is None:
        raise Unknown(
            Text("台账中没有部件「{code}」。", "The inventory has no component {code!r}.", code=code[:40]),
            field="component",
        )
    return found


def component_to_change(*, city: str, code: str, allowed: Callable[[str], bool]) -> Component:
    """The component with this code, for somebody who may change what lies where it does.

    Raises:
        NotAllowed: When it lies elsewhere.
        Unknown: When the city's inventory has none.
    """
    found = component_of(city=city, code=code)
    if not allowed(found.region):
        raise NotAllowed(Text("您的岗位不能修改这个部件。", "Your post does not let you change this component."))
    return found


def reported_component(*, place: CityRuntime, code: str) -> ReportedComponent:
    """What a report begins with whose component is known, e.g. because its label was scanned.

    Raises:
        Unknown: When the city's inventory has none.
    """
    found = component_of(city=place.info.id, code=code)
    kind, category = place.pack.components.get(found.kind), place.categories.get(found.kind)
    today = datetime.now(UTC).astimezone(place.info.zone).date()
    names = [kind.name if kind else Text(found.kind, found.kind)]
    if found.name:
        names.append(Text(found.name, found.name))
    return ReportedComponent(
        code=found.code,
        name=Text.join({"zh": " · ", "en": " · "}, names),
        lon=found.lon,
        lat=found.lat,
        category=found.kind if category is not None and category.validity.contains(today) else "",
    )
