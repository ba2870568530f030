"""The sea as an area, out of OpenStreetMap's coastlines: they are directed lines with the land on their left, the water on their right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from yiwang.core.kernel.text import Text

SAME = 1e-7  # degrees, a centimetre: what is shorter comes from rounding where lines cross
NO_SEA = Text(
    "海岸线（natural=coastline）在图幅内有缺口或方向相反，未绘制海面。请换用完整覆盖该城市及其周边的数据摘录。",
    "The coastline (natural=coastline) has a gap or runs both ways within the map, so no sea is drawn. "
    "Take an extract that covers the city and its surroundings completely.",
)


@dataclass(frozen=True, slots=True)
class Sea:
    """What the coastlines say of an area.

    Attributes:
        shape: Polygon or MultiPolygon of the sea; None where there is none, or where it cannot be told from the land.
        faulty: Whether there are coastlines that do not tell it: they have a gap in the area, or contradict each other.
    """

    shape: Any
    faulty: bool = False


def sea_of(coastlines: Sequence[Any], area: Any) -> Sea:
    """The sea in an area, islands left out.

    Args:
        coastlines: LineStrings and MultiLineStrings in the direction of their ways, land on the left.
        area: Polygon or MultiPolygon of the map, in the coordinates of the lines.
    """
    lines = shapely.get_parts(np.array(coastlines, dtype=object))
    lines = lines[shapely.intersects(area, lines)]
    if not len(lines):
        return Sea(None)
    # Nothing is clipped before: coasts end outside the area wherever the extract does, and only the ends inside count.
    noded = shapely.get_parts(shapely.union_all([*lines, area.boundary]))
    faces, *unused = shapely.polygonize_full(noded)  # what is no face's edge: cuts, dangles, invalid rings
    loose = shapely.get_parts(np.array(unused, dtype=object))
    if (shapely.length(shapely.intersection(loose, area)) > SAME).any():
        return Sea(None, faulty=True)
    parts = shapely.get_parts(faces)
    parts = parts[shapely.contains(area, shapely.point_on_surface(parts))]
    coasts = _Segments(lines)
    sides = [coasts.coast_by_side(face, area) for face in parts]
    if any(land > SAME and sea > SAME for land, sea in sides):
        return Sea(None, faulty=True)
    wet = [face for face, (land, sea) in zip(parts, sides, strict=True) if sea > land]
    return Sea(shapely.union_all(wet) if wet else None)


class _Segments:
    """The straight pieces of coastlines, to be found by place."""

    def __init__(self, lines: Any) -> None:
        points, owner = shapely.get_coordinates(lines, return_index=True)
        following = owner[1:] == owner[:-1]
        self.starts, ends = points[:-1][following], points[1:][following]
        self.directions = ends - self.starts
        self.tree = shapely.STRtree(shapely.linestrings(np.stack([self.starts, ends], axis=1)))

    def coast_by_side(self, face: Any, area: Any) -> tuple[float, float]:
        """How long the coast is that has a face on its left (land), and on its right (sea), in degrees."""
        rings = shapely.get_rings(shapely.orient_polygons(face))  # the face is on the left of all its rings
        points, owner = shapely.get_coordinates(rings, return_index=True)
        following = owner[1:] == owner[:-1]
        starts, ends = points[:-1][following], points[1:][following]
        middles = shapely.points((starts + ends) / 2)
        (asked, found), away = self.tree.query_nearest(middles, return_distance=True, all_matches=False)
        coastal = (away < SAME) & (shapely.distance(area.boundary, middles[asked]) > SAME)
        asked, found = asked[coastal], found[coastal]
        along = ends[asked] - starts[asked]
        same_way = (along * self.directions[found]).sum(axis=1) > 0
        lengths = np.hypot(*along.T)
        return float(lengths[same_way].sum()), float(lengths[~same_way].sum())
