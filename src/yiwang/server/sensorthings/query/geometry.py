"""Geometries: read from GeoJSON and WKT, and compared by Shapely, since neither database need know any."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import shapely
from django.db import connection, models
from django.db.models import Expression, Field, Q
from django.db.models.sql.compiler import SQLCompiler
from numpy.typing import NDArray

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.server.sensorthings.query.grammar import bad_query

MOST = 200_000  # geometries that one function looks at
RELATIONS: dict[str, Callable[..., Any]] = {
    "st_equals": shapely.equals,
    "st_disjoint": shapely.disjoint,
    "st_touches": shapely.touches,
    "st_within": shapely.within,
    "st_overlaps": shapely.overlaps,
    "st_crosses": shapely.crosses,
    "st_intersects": shapely.intersects,
    "st_contains": shapely.contains,
    "geo.intersects": shapely.intersects,
}
_TYPES = {
    "Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection",
}  # fmt: skip


def read_geojson(value: Any, *, column: str) -> shapely.Geometry:
    """The geometry of a GeoJSON geometry or feature.

    Raises:
        BadInput: It is none, or lies outside the earth.
    """
    found = value.get("geometry") if isinstance(value, dict) and value.get("type") == "Feature" else value
    try:
        if not isinstance(found, dict) or found.get("type") not in _TYPES:
            raise ValueError("no geometry")
        shape = shapely.from_geojson(json.dumps(found))
        west, south, east, north = shapely.bounds(shape)
        if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
            raise ValueError("outside")
    except (shapely.errors.GEOSException, ValueError, TypeError):
        message = Text(
            "不是 WGS 84 的 GeoJSON 几何：{value}。", "No GeoJSON geometry in WGS 84: {value}.", value=str(value)[:80]
        )
        hint = Text(
            '应如 {{"type": "Point", "coordinates": [120.3, 31.5]}}。',
            'It should look like {{"type": "Point", "coordinates": [120.3, 31.5]}}.',
        )
        raise BadInput(Problem(message, hint, column=column)) from None
    return shape


def read_wkt(text: str) -> shapely.Geometry:
    """The geometry of ``geography'…'`` in a filter.

    Raises:
        BadInput: It is no WKT.
    """
    try:
        return shapely.from_wkt(text)
    except shapely.errors.GEOSException:
        raise bad_query(
            "$filter",
            "“{value}”不是 WKT 几何。",
            "{value!r} is no geometry in WKT.",
            value=text[:60],
            hint=Text("应如 geography'POINT (120.3 31.5)'。", "It should look like geography'POINT (120.3 31.5)'."),
        ) from None


def measure(name: str, other: shapely.Geometry | None) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Distance from a geometry, or length, of many geometries at once; in degrees, the unit of WGS 84, as OData has it."""
    if name == "geo.length":
        return lambda shapes: shapely.length(shapes)
    return lambda shapes: shapely.distance(shapes, other)


def ids_where(
    rows: models.QuerySet[Any],
    column: str,
    test: Callable[[NDArray[Any]], NDArray[Any]],
    *,
    near: shapely.Geometry | None,
) -> list[int]:
    """Ids of the rows whose geometry passes a test.

    Args:
        rows: Of a model that has ``column``, and ``lon`` and ``lat`` where ``near`` is given.
        near: Only what meets its bounding box can pass: points outside are not read.

    Raises:
        BadInput: There are too many to look at.
    """
    if near is not None and not shapely.is_empty(near):
        west, south, east, north = shapely.bounds(near).tolist()
        inside = Q(lon__gte=west, lon__lte=east, lat__gte=south, lat__lte=north)
        rows = rows.filter(inside | ~Q(**{f"{column}__type": "Point"}))
    found = list(rows.exclude(**{f"{column}__isnull": True}).order_by().values_list("id", column)[: MOST + 1])
    if len(found) > MOST:
        raise bad_query(
            "$filter",
            "空间条件最多比较 {most} 个几何，请先缩小范围。",
            "A spatial condition looks at {most} geometries at most; ask for a smaller area.",
            most=MOST,
        )
    ids, shapes = [], []
    for pk, value in found:
        try:
            shapes.append(read_geojson(value, column=column))
        except BadInput:
            continue  # of another encoding: it has no geometry that could pass
        ids.append(pk)
    if not ids:
        return []
    passed = test(np.array(shapes, dtype=object))
    return [pk for pk, one in zip(ids, passed.tolist(), strict=True) if one]


class Among(Expression):
    """Whether an id is among many, which are sent as one value: an ``IN`` of a hundred thousand marks is no statement."""

    output_field: Field[Any, Any] = models.BooleanField()
    conditional = True

    def __init__(self, of: Any, ids: Sequence[int]) -> None:
        super().__init__()
        self.of, self.ids = of, ids

    def get_source_expressions(self) -> list[Any]:
        return [self.of]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        (self.of,) = exprs

    def as_sql(self, compiler: SQLCompiler, connection_: Any) -> tuple[str, list[Any]]:
        sql, params = compiler.compile(self.of)
        if connection.vendor == "postgresql":
            return f"({sql} = ANY(%s))", [*params, list(self.ids)]
        among = "(SELECT value FROM json_each(%s))"
        return f"({sql} IN {among})", [*params, json.dumps(list(self.ids))]
