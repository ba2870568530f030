"""Things and datastreams by the names that their owners gave them: found, or made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import transaction

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Unknown
from yiwang.core.kernel.text import Text
from yiwang.core.observations.units import ucum
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.sensing import following
from yiwang.server.sensing.models import (
    Datastream,
    DatastreamState,
    HistoricalLocation,
    Location,
    ObservedProperty,
    Sensor,
    Thing,
)

_BLOCK = 500
_Entity = TypeVar("_Entity", Sensor, ObservedProperty)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSaid:
    """A datastream as its owner describes it.

    Attributes:
        key: What its owner calls it, unique in the city.
        thing: Key of the thing; the stream's own where it is the only one there.
        name: In words.
        observed: The quantity, in words.
        unit: Its symbol.
        lon, lat: Degrees in WGS 84; None for a thing without a place.
        component: Code of the component that the thing is.
        least, greatest: The instrument's range.
    """

    key: str
    name: str
    observed: str
    unit: str
    thing: str = ""
    lon: float | None = None
    lat: float | None = None
    component: str = ""
    least: float | None = None
    greatest: float | None = None
    definition: str = ""
    properties: dict[str, Any] = field(default_factory=dict)


@transaction.atomic
def find_or_make(place: CityRuntime, said: StreamSaid) -> tuple[Datastream, bool]:
    """The datastream of a key, made as it is described where there is none; and whether it was made.

    One that is there stays as it is: who changes a datastream does so on its page or through the API.
    """
    city = place.info.id
    there = Datastream.objects.filter(city=city, key=said.key).first()
    if there is not None:
        return there, False
    thing, new = Thing.objects.get_or_create(
        city=city, key=said.thing or said.key, defaults={"name": said.name, "component": said.component}
    )
    if new:
        following.note(following.THING, [thing.pk])
    if said.lon is not None and said.lat is not None and not thing.locations.exists():
        move_thing(place, thing, lon=said.lon, lat=said.lat)
    made, fresh = _make(thing.pk, city, said)
    return made, fresh


@transaction.atomic
def make_at_things(city: str, said: Sequence[tuple[int, StreamSaid]]) -> None:
    """Make datastreams at things, given by their ids; those that are there stay as they are.

    It takes a few statements however many they are. They have no state yet.
    """
    names = sorted({one.observed for _, one in said})
    sensors, quantities = _all_named(Sensor, city, names), _all_named(ObservedProperty, city, names)
    Datastream.objects.bulk_create(
        [
            Datastream(
                city=city,
                key=one.key,
                name=one.name,
                description=one.observed,
                thing_id=thing,
                sensor_id=sensors[one.observed],
                observed_property_id=quantities[one.observed],
                unit=unit_of(one.unit),
            )
            for thing, one in sorted(said, key=lambda pair: pair[1].key)
        ],
        ignore_conflicts=True,
        batch_size=_BLOCK,
    )


def _all_named(model: type[_Entity], city: str, names: Sequence[str]) -> dict[str, int]:
    """Id of the first entity of each name, made where there is none."""
    found: dict[str, int] = {}
    for start in range(0, len(names), _BLOCK):
        rows = model._default_manager.filter(city=city, name__in=names[start : start + _BLOCK]).order_by("-id")
        found.update(rows.values_list("name", "id"))
    lacking = [model(city=city, name=name, description=name) for name in names if name not in found]
    for made in model._default_manager.bulk_create(lacking, batch_size=_BLOCK):
        found[made.name] = made.pk
    return found


def _make(thing: int, city: str, said: StreamSaid) -> tuple[Datastream, bool]:
    words = {"description": said.observed}
    made, fresh = Datastream.objects.get_or_create(
        city=city,
        key=said.key,
        defaults={
            "name": said.name,
            "description": said.observed,
            "thing_id": thing,
            "sensor": _named(Sensor, city, said.observed, words),
            "observed_property": _named(
                ObservedProperty, city, said.observed, {"definition": said.definition, **words}
            ),
            "unit": unit_of(said.unit),
            "least": said.least,
            "greatest": said.greatest,
            "properties": said.properties,
        },
    )
    DatastreamState.objects.get_or_create(datastream=made)
    if fresh:
        following.note(following.DATASTREAM, [made.pk])
    return made, fresh


def _named(model: type[_Entity], city: str, name: str, defaults: dict[str, Any]) -> _Entity:
    """The first entity of a name, made where there is none: through the API several may have one name."""
    found = model._default_manager.filter(city=city, name=name).order_by("id").first()
    return found or model._default_manager.create(city=city, name=name, **defaults)


def unit_of(symbol: str) -> dict[str, str]:
    """Name, symbol and definition of a unit as the standard has them. One that UCUM does not know converts to itself only."""
    try:
        definition = f"ucum:{ucum(symbol)}" if symbol else ""
    except BadInput:
        definition = ""
    return {"name": symbol, "symbol": symbol, "definition": definition}


def move_thing(place: CityRuntime, thing: Thing, *, lon: float, lat: float, name: str = "") -> Location:
    """The thing stands at a point from now on, which its history keeps."""
    location = Location.objects.create(
        city=thing.city,
        name=name or thing.name,
        location={"type": "Point", "coordinates": [lon, lat]},
        lon=lon,
        lat=lat,
        region=place.locator.locate(lon, lat).code,
    )
    thing.locations.set([location])
    HistoricalLocation.objects.create(thing=thing).locations.set([location])
    following.note(following.LOCATION, [location.pk])
    following.note(following.THING, [thing.pk])
    return location


def stream_ids(city: str) -> dict[str, int]:
    """Id of each datastream of the city, by its key."""
    return dict(Datastream.objects.filter(city=city).exclude(key="").values_list("key", "id"))


def datastream_of(*, city: str, key: str) -> Datastream:
    """The datastream of a key.

    Raises:
        Unknown: There is none.
    """
    found = Datastream.objects.filter(city=city, key=key).select_related("state", "thing").first()
    if found is None:
        raise Unknown(Text("没有监测流 {key}。", "There is no datastream {key}.", key=key), field="stream")
    return found


def streams_of(city: str, region: str = "") -> list[int]:
    """Ids of a city's datastreams in ascending order, or of those whose thing stands in a region, given by its code."""
    asked = Datastream.objects.filter(city=city)
    if region:
        asked = asked.filter(thing__locations__region__startswith=region)
    return sorted(set(asked.values_list("id", flat=True)))
