"""The eight entity types of the standard: their properties, how they are linked, and where all of it lies in our tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.db.models import Model

from yiwang.core.kernel.instants import to_micros
from yiwang.server.sensing import api as sensing
from yiwang.server.sensorthings.times import show_instant, show_time

Row = tuple[Any, ...]


class Kind(Enum):
    """What a property or a part of a filter is."""

    NUMBER = "number"
    TEXT = "text"
    TRUTH = "truth value"
    MICROS = "time"  # microseconds in a column of whole numbers
    MOMENT = "moment"  # a column of times
    DATE = "date"
    CLOCK = "time of day"
    DURATION = "duration"
    JSON = "JSON"
    RESULT = "result"  # a number in one column or JSON in another
    GEOMETRY = "geometry"
    NULL = "null"


@dataclass(frozen=True, slots=True)
class Property:
    """A property.

    Attributes:
        column: Path from the model to its column.
        end: Path to the column of its end, where it is an interval.
        nullable: Whether the column may be empty.
        required: Whether who makes an entity must give it.
    """

    name: str
    kind: Kind
    column: str
    end: str = ""
    nullable: bool = False
    required: bool = True


@dataclass(frozen=True, slots=True)
class Link:
    """A navigation property.

    Attributes:
        target: Name of the entity type at its other end.
        field: Path from the model to the other end; ``back`` the way back.
        many: Whether there may be several.
    """

    name: str
    target: str
    field: str
    back: str
    many: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityType:
    """An entity type.

    Attributes:
        name, plural: As the standard calls one, and the set.
        city: Path from the model to the id of the city.
        columns: What is read of a row, the id first; ``show`` makes the properties of it.
        ends: Link that leads to one entity → index of its id in ``columns``.
    """

    name: str
    plural: str
    model: type[Model]
    city: str
    properties: dict[str, Property]
    links: dict[str, Link]
    columns: tuple[str, ...]
    show: Callable[[Row], dict[str, Any]]
    ends: dict[str, int]


def _properties(*them: Property) -> dict[str, Property]:
    return {one.name: one for one in them}


def _links(*them: Link) -> dict[str, Link]:
    return {one.name: one for one in them}


_ID = Property("id", Kind.NUMBER, "id", required=False)
_NAME = Property("name", Kind.TEXT, "name")
_DESCRIPTION = Property("description", Kind.TEXT, "description")
_ENCODING = Property("encodingType", Kind.TEXT, "encoding")
_PROPERTIES = Property("properties", Kind.JSON, "properties", required=False)
_OWN = ("city", "key", "component")  # what our tables have columns for stands among the properties


def own_columns(kind: EntityType) -> tuple[str, ...]:
    """Names among ``properties`` that are columns of our own."""
    names = {field.name for field in kind.model._meta.concrete_fields}
    return tuple(name for name in _OWN if name in names)


def _more(properties: dict[str, Any] | None, **own: str) -> dict[str, Any]:
    return {**(properties or {}), **{name: value for name, value in own.items() if value}}


def _thing(row: Row) -> dict[str, Any]:
    _, name, description, properties, city, key, component = row[:7]
    return {
        "name": name,
        "description": description,
        "properties": _more(properties, city=city, key=key, component=component),
    }


def _location(row: Row) -> dict[str, Any]:
    _, name, description, encoding, location, properties, city = row[:7]
    return {
        "name": name,
        "description": description,
        "encodingType": encoding,
        "location": location,
        "properties": _more(properties, city=city),
    }


def _historical_location(row: Row) -> dict[str, Any]:
    return {"time": show_instant(to_micros(row[1]))}


def _datastream(row: Row) -> dict[str, Any]:
    _, name, description, unit, kind, area, properties, city, key, first, last, result_first, result_last = row[:13]
    return {
        "name": name,
        "description": description,
        "unitOfMeasurement": unit,
        "observationType": kind,
        "observedArea": area,
        "phenomenonTime": show_time(first, last),
        "resultTime": show_time(result_first, result_last),
        "properties": _more(properties, city=city, key=key),
    }


def _sensor(row: Row) -> dict[str, Any]:
    _, name, description, encoding, metadata, properties, city = row[:7]
    return {
        "name": name,
        "description": description,
        "encodingType": encoding,
        "metadata": metadata,
        "properties": _more(properties, city=city),
    }


def _observed_property(row: Row) -> dict[str, Any]:
    _, name, definition, description, properties, city = row[:6]
    return {
        "name": name,
        "definition": definition,
        "description": description,
        "properties": _more(properties, city=city),
    }


def _observation(row: Row) -> dict[str, Any]:
    _, start, end, value, result, result_time, more = row[:7]
    shown = {
        "phenomenonTime": show_instant(start) if end is None else show_time(start, end),
        "resultTime": None if result_time is None else show_instant(result_time),
        "result": result if value is None else value,
    }
    return {**shown, **more} if more else shown


def _feature(row: Row) -> dict[str, Any]:
    _, name, description, encoding, feature, properties, city = row[:7]
    return {
        "name": name,
        "description": description,
        "encodingType": encoding,
        "feature": feature,
        "properties": _more(properties, city=city),
    }


THING = EntityType(
    name="Thing",
    plural="Things",
    model=sensing.Thing,
    city="city",
    properties=_properties(_ID, _NAME, _DESCRIPTION, _PROPERTIES),
    links=_links(
        Link("Locations", "Location", "locations", "things", True),
        Link("HistoricalLocations", "HistoricalLocation", "historical_locations", "thing", True),
        Link("Datastreams", "Datastream", "datastreams", "thing", True),
    ),
    columns=("id", "name", "description", "properties", "city", "key", "component"),
    show=_thing,
    ends={},
)
LOCATION = EntityType(
    name="Location",
    plural="Locations",
    model=sensing.Location,
    city="city",
    properties=_properties(
        _ID, _NAME, _DESCRIPTION, _ENCODING, Property("location", Kind.GEOMETRY, "location"), _PROPERTIES
    ),
    links=_links(
        Link("Things", "Thing", "things", "locations", True),
        Link("HistoricalLocations", "HistoricalLocation", "historical_locations", "locations", True),
    ),
    columns=("id", "name", "description", "encoding", "location", "properties", "city"),
    show=_location,
    ends={},
)
HISTORICAL_LOCATION = EntityType(
    name="HistoricalLocation",
    plural="HistoricalLocations",
    model=sensing.HistoricalLocation,
    city="thing__city",
    properties=_properties(_ID, Property("time", Kind.MOMENT, "time")),
    links=_links(
        Link("Thing", "Thing", "thing", "historical_locations"),
        Link("Locations", "Location", "locations", "historical_locations", True),
    ),
    columns=("id", "time", "thing_id"),
    show=_historical_location,
    ends={"Thing": 2},
)
DATASTREAM = EntityType(
    name="Datastream",
    plural="Datastreams",
    model=sensing.Datastream,
    city="city",
    properties=_properties(
        _ID,
        _NAME,
        _DESCRIPTION,
        Property("unitOfMeasurement", Kind.JSON, "unit"),
        Property("observationType", Kind.TEXT, "observation_type"),
        Property("observedArea", Kind.GEOMETRY, "observed_area", nullable=True, required=False),
        Property("phenomenonTime", Kind.MICROS, "state__first_time", "state__last_time", nullable=True, required=False),
        Property(
            "resultTime",
            Kind.MICROS,
            "state__first_result_time",
            "state__last_result_time",
            nullable=True,
            required=False,
        ),
        _PROPERTIES,
    ),
    links=_links(
        Link("Thing", "Thing", "thing", "datastreams"),
        Link("Sensor", "Sensor", "sensor", "datastreams"),
        Link("ObservedProperty", "ObservedProperty", "observed_property", "datastreams"),
        Link("Observations", "Observation", "observations", "datastream", True),
    ),
    columns=(
        "id", "name", "description", "unit", "observation_type", "observed_area", "properties", "city", "key",
        "state__first_time", "state__last_time", "state__first_result_time", "state__last_result_time",
        "thing_id", "sensor_id", "observed_property_id",
    ),
    show=_datastream,
    ends={"Thing": 13, "Sensor": 14, "ObservedProperty": 15},
)  # fmt: skip
SENSOR = EntityType(
    name="Sensor",
    plural="Sensors",
    model=sensing.Sensor,
    city="city",
    properties=_properties(
        _ID, _NAME, _DESCRIPTION, _ENCODING, Property("metadata", Kind.JSON, "metadata"), _PROPERTIES
    ),
    links=_links(Link("Datastreams", "Datastream", "datastreams", "sensor", True)),
    columns=("id", "name", "description", "encoding", "metadata", "properties", "city"),
    show=_sensor,
    ends={},
)
OBSERVED_PROPERTY = EntityType(
    name="ObservedProperty",
    plural="ObservedProperties",
    model=sensing.ObservedProperty,
    city="city",
    properties=_properties(_ID, _NAME, Property("definition", Kind.TEXT, "definition"), _DESCRIPTION, _PROPERTIES),
    links=_links(Link("Datastreams", "Datastream", "datastreams", "observed_property", True)),
    columns=("id", "name", "definition", "description", "properties", "city"),
    show=_observed_property,
    ends={},
)
OBSERVATION = EntityType(
    name="Observation",
    plural="Observations",
    model=sensing.Observation,
    city="datastream__city",
    properties=_properties(
        _ID,
        Property("phenomenonTime", Kind.MICROS, "phenomenon_time", "phenomenon_end", required=False),
        Property("result", Kind.RESULT, "value", nullable=True),
        Property("resultTime", Kind.MICROS, "result_time", nullable=True, required=False),
        Property("resultQuality", Kind.JSON, "more", nullable=True, required=False),
        Property("validTime", Kind.JSON, "more", nullable=True, required=False),
        Property("parameters", Kind.JSON, "more", nullable=True, required=False),
    ),
    links=_links(
        Link("Datastream", "Datastream", "datastream", "observations"),
        Link("FeatureOfInterest", "FeatureOfInterest", "feature", "observations"),
    ),
    columns=(
        "id", "phenomenon_time", "phenomenon_end", "value", "result", "result_time", "more", "datastream_id", "feature_id",
    ),
    show=_observation,
    ends={"Datastream": 7, "FeatureOfInterest": 8},
)  # fmt: skip
FEATURE = EntityType(
    name="FeatureOfInterest",
    plural="FeaturesOfInterest",
    model=sensing.FeatureOfInterest,
    city="city",
    properties=_properties(
        _ID, _NAME, _DESCRIPTION, _ENCODING, Property("feature", Kind.GEOMETRY, "feature"), _PROPERTIES
    ),
    links=_links(Link("Observations", "Observation", "observations", "feature", True)),
    columns=("id", "name", "description", "encoding", "feature", "properties", "city"),
    show=_feature,
    ends={},
)
TYPES = {
    one.name: one
    for one in (
        THING,
        LOCATION,
        HISTORICAL_LOCATION,
        DATASTREAM,
        SENSOR,
        OBSERVED_PROPERTY,
        OBSERVATION,
        FEATURE,
    )
}
SETS = {one.plural: one for one in TYPES.values()}
