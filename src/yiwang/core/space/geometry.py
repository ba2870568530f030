"""The little of Shapely that others need: geometry in and out as GeoJSON and WKB, and bounding boxes.

Shapely ships no type stubs, so to the type checker its objects are `Any`; they are given types here, at the border.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import shapely
from shapely import Geometry
from shapely.geometry import mapping, shape

from yiwang.core.kernel.errors import Problem
from yiwang.core.kernel.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A region's geometry as read: a valid (multi)polygon in WGS 84, whether it is only approximate, its source."""

    geometry: Geometry
    approximate: bool = False
    source: str = ""


def to_wkb(geometry: Geometry) -> bytes:
    """Geometry as little-endian WKB, the form in which it is stored."""
    data: bytes = shapely.to_wkb(geometry, byte_order=1)
    return data


def from_wkb(data: bytes) -> Geometry:
    """Geometry from WKB."""
    return shapely.from_wkb(data)


def to_geojson(geometry: Geometry) -> dict[str, Any]:
    """Geometry as a GeoJSON mapping."""
    return dict(mapping(geometry))


def bounding_box(geometry: Geometry) -> tuple[float, float, float, float]:
    """West, south, east, north: the columns that a query narrows by before it looks at WKB."""
    west, south, east, north = geometry.bounds
    return west, south, east, north


def polygonal(geometry: Geometry) -> Geometry | None:
    """A valid polygon or multipolygon of the same area, or None if there is none.

    Rings that cross or touch themselves are repaired (`make_valid`, which keeps the area inside); loose lines are
    dropped.
    """
    if not shapely.is_valid(geometry):
        geometry = shapely.make_valid(geometry)
    if geometry.geom_type in ("Polygon", "MultiPolygon"):
        return None if geometry.is_empty else geometry
    parts = [part for part in shapely.get_parts(geometry) if part.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.union_all(parts) if parts else None


def read_shapes(
    *, collection: Mapping[str, Any], file: str = "regions.geojson.gz"
) -> tuple[dict[str, Shape], list[Problem]]:
    """Geometry by region code from a parsed GeoJSON FeatureCollection.

    Args:
        collection: Features with the properties ``code``, ``approximate`` and ``source``; coordinates WGS 84.
        file: Name used in problems.

    Returns:
        The shapes, and a problem for each feature that has no code, no polygon, or a code seen before.
    """
    shapes: dict[str, Shape] = {}
    problems: list[Problem] = []
    for number, feature in enumerate(collection.get("features", ()), start=1):
        properties = feature.get("properties") or {}
        code = str(properties.get("code", ""))
        if not code:
            message = Text("第 {number} 个要素没有编码。", "Feature {number} has no code.", number=number)
            hint = Text("请填写 properties.code。", "Set properties.code.")
            problems.append(Problem(message, hint=hint, file=file))
        elif code in shapes:
            message = Text(
                "第 {number} 个要素重复了区域「{code}」。",
                "Feature {number} repeats region {code!r}.",
                number=number,
                code=code,
            )
            problems.append(Problem(message, file=file))
        else:
            geometry = _read_geometry(feature.get("geometry"))
            if geometry is None:
                message = Text("区域「{code}」没有多边形。", "Region {code!r} has no polygon.", code=code)
                hint = Text("应为 Polygon 或 MultiPolygon。", "Polygon or MultiPolygon.")
                problems.append(Problem(message, hint=hint, file=file))
            else:
                shapes[code] = Shape(
                    geometry=geometry,
                    approximate=bool(properties.get("approximate", False)),
                    source=str(properties.get("source", "")),
                )
    return shapes, problems


def _read_geometry(raw: Any) -> Geometry | None:
    try:
        return polygonal(shape(raw))
    except (TypeError, ValueError, KeyError, AttributeError, IndexError, shapely.errors.ShapelyError):
        return None
