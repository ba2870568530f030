"""The JSON of a client as columns of a row: what is missing, unknown or of the wrong kind is named."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import shapely
from django.db.models import CharField

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.instants import from_micros
from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.server.cities.queries import runtime
from yiwang.server.sensing import api as sensing
from yiwang.server.sensorthings.entities import EntityType, Kind, own_columns
from yiwang.server.sensorthings.query.geometry import read_geojson
from yiwang.server.sensorthings.times import read_instant, read_time

Body = Mapping[str, Any]
GEOJSON = ("application/geo+json", "application/vnd.geo+json")
_MORE = ("validTime", "resultQuality", "parameters")
_LARGEST = 2**53


def wrong(column: str, zh: str, en: str, *, hint: Text = NO_TEXT, **values: Any) -> BadInput:
    """A property that cannot be taken."""
    return BadInput(Problem(Text(zh, en, **values), hint, column=column))


def as_object(value: Any, column: str = "") -> Body:
    """A JSON object.

    Raises:
        BadInput: It is none.
    """
    if not isinstance(value, dict):
        raise wrong(column, "这里要一个 JSON 对象。", "A JSON object is needed here.")
    return value


def check_names(kind: EntityType, body: Body) -> None:
    """Refuse names that the type does not have; what a service answers beside its properties is let pass.

    Raises:
        BadInput: Names them.
    """
    problems = [
        Problem(
            Text("{entity} 没有这个属性。", "{entity} has no such property.", entity=kind.name),
            Text("有：{names}。", "It has: {names}.", names=", ".join([*kind.properties, *kind.links])),
            column=str(name)[:60],
        )
        for name in body
        if name not in kind.properties and name not in kind.links and "@iot." not in str(name)
    ]
    if problems:
        raise BadInput(problems)


def check_required(kind: EntityType, body: Body) -> None:
    """Refuse an entity that lacks what it must have.

    Raises:
        BadInput: Names all that is missing.
    """
    missing = [
        name
        for name, one in kind.properties.items()
        if one.required and (name not in body or (body[name] is None and name != "result"))
    ]
    if missing:
        what = Text("{entity} 缺少这个属性。", "{entity} needs this property.", entity=kind.name)
        raise BadInput([Problem(what, column=name) for name in missing])


def columns_of(kind: EntityType, body: Body, *, city: str) -> dict[str, Any]:
    """Columns of a row → values, of the properties that are given; not of observations.

    Raises:
        BadInput: One is of the wrong kind or too long.
    """
    found: dict[str, Any] = {}
    for name, one in kind.properties.items():
        if name not in body or name == "id" or one.column.startswith("state__"):
            continue
        value = body[name]
        if one.kind is Kind.TEXT:
            found[one.column] = _text(kind, one.column, name, value)
        elif one.kind is Kind.MOMENT:
            found[one.column] = from_micros(read_instant(value, column=name))
        elif name in ("properties", "unitOfMeasurement"):
            found[one.column] = dict(as_object(value if value is not None else {}, name))
        elif one.kind is Kind.GEOMETRY and name == "observedArea":
            if value is not None:
                read_geojson(value, column=name)
            found[one.column] = value
        else:
            found[one.column] = value
    if "properties" in found:
        found.update(_own(kind, found["properties"]))
    if "unit" in found:
        found["unit"] = {key: str(found["unit"].get(key) or "") for key in ("name", "symbol", "definition")}
    return found


def place_columns(kind: EntityType, columns: Mapping[str, Any], encoding: str, *, city: str) -> dict[str, Any]:
    """Longitude and latitude of the middle of a geometry, and the region where it lies.

    Raises:
        BadInput: The geometry cannot be read.
    """
    name = "location" if kind.model is sensing.Location else "feature"
    if name not in columns:
        return {}
    middle: dict[str, Any] = {"lon": None, "lat": None}
    if encoding in GEOJSON:
        shape = read_geojson(columns[name], column=name)
        if not shapely.is_empty(shape):
            point = shapely.centroid(shape)
            middle = {"lon": shapely.get_x(point).item(), "lat": shapely.get_y(point).item()}
    if name == "location":
        inside = middle["lon"] is not None
        middle["region"] = runtime(city).locator.locate(middle["lon"], middle["lat"]).code if inside else ""
    return middle


def _own(kind: EntityType, properties: dict[str, Any]) -> dict[str, Any]:
    """What stands among the properties and has a column of its own; the city is settled elsewhere."""
    own = {}
    for name in own_columns(kind):
        value = properties.pop(name, "")
        if name != "city":
            own[name] = _text(kind, name, f"properties.{name}", value)
    return own


def _text(kind: EntityType, column: str, name: str, value: Any) -> str:
    field = kind.model._meta.get_field(column)
    if not isinstance(value, str):
        raise wrong(name, "这里要文字。", "A text is needed here.")
    if isinstance(field, CharField) and field.max_length and len(value) > field.max_length:
        raise wrong(
            name,
            "有 {length} 个字符，最多 {most} 个。",
            "It has {length} characters; at most {most} can be kept.",
            length=len(value),
            most=field.max_length,
        )
    return value


def result_of(value: Any) -> tuple[float | None, Any]:
    """A result as a number and none, or as none and the JSON value.

    Raises:
        BadInput: It is a number that is none of ours.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None, value
    if not math.isfinite(value) or abs(value) > 1e300:
        raise wrong("result", "结果要一个有限的数。", "The result must be a finite number.")
    return float(value), None


def observation_of(body: Body, *, now: int) -> dict[str, Any]:
    """Columns of an observation → values, of the properties that are given; ``phenomenonTime`` is now where it is null.

    Raises:
        BadInput: A property cannot be read.
    """
    found: dict[str, Any] = {}
    if "phenomenonTime" in body:
        given = body["phenomenonTime"]
        start, end = (now, None) if given is None else read_time(given, column="phenomenonTime")
        found.update(phenomenon_time=start, phenomenon_end=end)
    if "result" in body:
        found["value"], found["result"] = result_of(body["result"])
    if "resultTime" in body:
        given = body["resultTime"]
        found["result_time"] = None if given is None else read_instant(given, column="resultTime")
    if body.get("validTime") is not None:
        read_time(body["validTime"], column="validTime")
    if body.get("parameters") is not None:
        as_object(body["parameters"], "parameters")
    if any(name in body for name in _MORE):
        found["more"] = {name: body[name] for name in _MORE if body.get(name) is not None} or None
    return found
