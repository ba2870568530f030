"""From the layers of a base map to vector tiles (Mapbox Vector Tile 2.1), as many zooms as the map is honest for.

What is too small to be seen at a zoom is left out of it, and what differs in nothing that is said there becomes one feature, so
that a tile stays small. Named lakes and parks have their names in a layer ``labels`` of points, since the renderer would
write a polygon's name once for each tile that it lies in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from yiwang.core.space.crs import to_wgs84
from yiwang.packs.basemap import Layer
from yiwang.server.common.vector_tiles import EXTENT, encode

FIRST_ZOOM = 6
LAST_ZOOM = 14  # closer than this the renderer enlarges the tiles, whose unit is then 0.6 m at the equator
BUFFER = 96  # units beyond a tile's edge, so that lines and labels go on across it
TOLERANCE = 2.0  # units by which lines are simplified; a pixel is 8
LEAST_AREA = 128.0  # square units below which a polygon is left out: two pixels
LABEL_RADIUS = 160.0  # units that the largest circle inside a polygon must have to bear its name: 20 pixels

LINES = ("waterways", "roads", "railways")
POLYGONS = ("water", "green")
TILE_LAYERS = ("water", "green", "waterways", "railways", "roads", "labels", "places")
# From which zoom a feature is in the tiles, by its rank.
_FROM_RANK: Mapping[str, Mapping[int, int]] = {
    "roads": {1: 6, 2: 7, 3: 9, 4: 11, 5: 12, 6: 13},
    "railways": {1: 8, 2: 10, 3: 12},
    "waterways": {1: 8, 2: 10, 3: 12, 4: 13},
    "places": {1: 6, 2: 8, 3: 10, 4: 11, 5: 12, 6: 12, 7: 13, 8: 14},
}
_OTHERWISE = {"places": 99}  # of other ranks: places are left out, anything else is in the nearest zoom
_NAMED_FROM = {"roads": 11, "railways": 11, "waterways": 11}  # before that no name is written along a line

Shapes = NDArray[np.object_]
Tile = tuple[int, int, int]  # zoom, column, row


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A layer on the square map, whose side is 1."""

    shapes: Shapes
    properties: Sequence[Mapping[str, Any]]
    first: NDArray[np.int64]  # from which zoom each is shown


def last_zoom(max_zoom: int) -> int:
    """The nearest zoom that has tiles of its own."""
    return min(LAST_ZOOM, max_zoom)


def bounds_of(layers: Mapping[str, Layer], *, crs: str) -> tuple[float, float, float, float]:
    """West, south, east and north of all layers in degrees; NaN where there is nothing."""
    shapes = np.concatenate([layer.shapes for layer in layers.values()]) if layers else np.array([], dtype=object)
    west, south, east, north = shapely.total_bounds(in_wgs84(shapes, crs))
    return float(west), float(south), float(east), float(north)


def tiles(layers: Mapping[str, Layer], *, crs: str, max_zoom: int) -> Iterator[tuple[Tile, bytes]]:
    """Every tile that has something on it, from the farthest zoom to the nearest.

    Args:
        layers: Layers by their name in the pack.
        crs: Their coordinate system.
        max_zoom: How close the map is honest.
    """
    nearest = last_zoom(max_zoom)
    drawn = {name: _draw(name, layer, crs, nearest) for name, layer in layers.items() if len(layer.shapes)}
    drawn["labels"] = _label(drawn, nearest)
    for zoom in range(FIRST_ZOOM, nearest + 1):
        yield from _tiles_of(zoom, drawn)


def in_wgs84(shapes: Shapes, crs: str) -> Shapes:
    """Geometries of another coordinate system in WGS 84 degrees."""
    if crs == "wgs84" or not len(shapes):
        return shapes
    return np.asarray(
        shapely.transform(shapes, lambda points: np.column_stack(to_wgs84(points[:, 0], points[:, 1], crs=crs)))
    )


def _onto_map(points: NDArray[np.float64]) -> NDArray[np.float64]:
    x = points[:, 0] / 360 + 0.5
    y = 0.5 - np.arctanh(np.sin(np.radians(points[:, 1]))) / (2 * np.pi)
    return np.column_stack([x, y])


def _draw(name: str, layer: Layer, crs: str, nearest: int) -> _Drawn:
    shapes = np.asarray(shapely.transform(in_wgs84(layer.shapes, crs), _onto_map))
    ranks = _FROM_RANK.get(name, {})
    otherwise = _OTHERWISE.get(name, nearest if ranks else FIRST_ZOOM)
    first = [ranks.get(said.get("rank", 0), otherwise) for said in layer.properties]
    return _Drawn(shapes, layer.properties, np.array([zoom if zoom > 90 else min(zoom, nearest) for zoom in first]))


def _label(drawn: Mapping[str, _Drawn], nearest: int) -> _Drawn:
    """Names of lakes and parks: each at the middle of its largest inner circle, from where that is wide enough."""
    points, properties, first = [], [], []
    for name in POLYGONS:
        layer = drawn.get(name)
        for shape, said in zip(layer.shapes, layer.properties, strict=True) if layer else ():
            if (
                not said.get("name") or said.get("kind") == "ocean"
            ):  # of an ocean the map shows a piece; its middle is nowhere
                continue
            radius = shapely.maximum_inscribed_circle(shape, tolerance=np.sqrt(shapely.area(shape)) / 50)
            width = shapely.length(radius)
            zoom = int(np.ceil(np.log2(LABEL_RADIUS / EXTENT / width))) if width > 0 else nearest + 1
            if zoom <= nearest:
                points.append(shapely.get_point(radius, 0))
                properties.append({"name": said["name"], "class": name, **_taken(said, "name_en", "kind")})
                first.append(max(zoom, FIRST_ZOOM))
    return _Drawn(np.array(points, dtype=object), properties, np.array(first, dtype=np.int64))


def _taken(said: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: said[key] for key in keys if key in said}


def _tiles_of(zoom: int, drawn: Mapping[str, _Drawn]) -> Iterator[tuple[Tile, bytes]]:
    """The tiles of one zoom, by column and row. Coordinates are tile units counted from the map's corner."""
    side = EXTENT * 2**zoom
    scaled: dict[str, tuple[Shapes, Sequence[Mapping[str, Any]], shapely.STRtree]] = {}
    for name, layer in drawn.items():
        seen = np.flatnonzero(layer.first <= zoom)
        shapes = np.asarray(shapely.transform(layer.shapes[seen], lambda points: points * side), dtype=object)
        if name in LINES or name in POLYGONS:
            shapes = np.asarray(shapely.simplify(shapes, TOLERANCE, preserve_topology=name in POLYGONS), dtype=object)
        if name in POLYGONS:
            large = shapely.area(shapes) >= LEAST_AREA
            shapes, seen = shapes[large], seen[large]
        if len(shapes):
            properties = [_said(name, layer.properties[at], zoom) for at in seen.tolist()]
            scaled[name] = (shapes, properties, shapely.STRtree(shapes))
    if not scaled:
        return
    west, south, east, north = shapely.total_bounds(np.concatenate([shapes for shapes, _, _ in scaled.values()]))
    for column in range(int(west // EXTENT), int(east // EXTENT) + 1):
        for row in range(int(south // EXTENT), int(north // EXTENT) + 1):
            data = encode({name: _features(name, *scaled[name], column, row) for name in TILE_LAYERS if name in scaled})
            if data:
                yield (zoom, column, row), data


def _said(name: str, properties: Mapping[str, Any], zoom: int) -> dict[str, Any]:
    if name in POLYGONS:
        return _taken(properties, "kind")
    if zoom < _NAMED_FROM.get(name, 0):
        return _taken(properties, "kind", "rank")
    return dict(properties)


def _features(
    name: str,
    shapes: Shapes,
    properties: Sequence[Mapping[str, Any]],
    tree: shapely.STRtree,
    column: int,
    row: int,
) -> list[dict[str, Any]]:
    left, top = column * EXTENT, row * EXTENT
    # a point belongs to one tile only, or its label would be written twice
    edge = BUFFER if name in LINES or name in POLYGONS else 0
    box = (left - edge, top - edge, left + EXTENT + edge, top + EXTENT + edge)
    found = np.sort(tree.query(shapely.box(*box)))
    if not len(found):
        return []
    if edge == 0:
        cut = shapes[found]
        corner = shapely.get_coordinates(cut) - (left, top)
        kept = (corner >= 0).all(axis=1) & (corner < EXTENT).all(axis=1)
        found, cut = found[kept], cut[kept]
    else:
        cut = np.asarray(shapely.clip_by_rect(shapes[found], *box), dtype=object)
    cut = np.asarray(shapely.transform(cut, lambda points: points - (left, top)), dtype=object)
    mode = "valid_output" if name in POLYGONS else "pointwise"
    whole = np.asarray(shapely.set_precision(cut, 1.0, mode=mode), dtype=object)
    if name in POLYGONS:  # joining them would cost more than it saves
        pairs = zip(found, whole, strict=True)
        return [{"geometry": shape, "properties": properties[at]} for at, shape in pairs if not shapely.is_empty(shape)]
    parts: dict[tuple[tuple[str, Any], ...], list[Any]] = defaultdict(list)
    for at, shape in zip(found, whole, strict=True):
        if not shapely.is_empty(shape):
            parts[tuple(sorted(properties[at].items()))].append(shape)
    return [{"geometry": _joined(name, together), "properties": dict(said)} for said, together in parts.items()]


def _joined(name: str, shapes: list[Any]) -> Any:
    """Shapes that say the same as one."""
    if len(shapes) == 1:
        return shapes[0]
    return (
        shapely.line_merge(shapely.multilinestrings(_parts(shapes))) if name in LINES else shapely.multipoints(shapes)
    )


def _parts(shapes: list[Any]) -> list[Any]:
    return [part for part in shapely.get_parts(shapes) if shapely.length(part) > 0]
