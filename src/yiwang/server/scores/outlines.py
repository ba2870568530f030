"""Outlines of regions as paths of one drawing, without a map under them: what a score is coloured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians

import shapely
from shapely.geometry.base import BaseGeometry

from yiwang.core.space import Region

WIDTH = 1000.0
TALLEST = 1400.0
DETAIL = 0.8  # units of the drawing by which a line may be off


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Regions drawn together.

    Attributes:
        width, height: Of the drawing.
        paths: Code → the ``d`` of an SVG path. Regions without an outline are not in it.
    """

    width: float
    height: float
    paths: dict[str, str]

    @property
    def view_box(self) -> str:
        """With room for the lines at the edge."""
        return f"-4 -4 {self.width + 8:.1f} {self.height + 8:.1f}"


def draw(regions: Sequence[Region]) -> Drawing | None:
    """The outlines of some regions side by side, north up; None where none has one.

    Degrees are scaled by the cosine of the middle latitude (equirectangular), which is right to a hundredth within a city.
    """
    outlines = {one.code: one.geometry for one in regions if one.geometry is not None}
    if not outlines:
        return None
    west, south, east, north = shapely.total_bounds(list(outlines.values()))
    squeeze = cos(radians((south + north) / 2))
    wide, tall = max(1e-9, (east - west) * squeeze), max(1e-9, north - south)
    scale = min(WIDTH / wide, TALLEST / tall)

    def placed(geometry: BaseGeometry) -> BaseGeometry:
        moved = shapely.transform(
            geometry, lambda points: (points - (west, north)) * (squeeze * scale, -scale), include_z=False
        )
        return moved.simplify(DETAIL, preserve_topology=True)

    return Drawing(
        width=round(wide * scale, 1),
        height=round(tall * scale, 1),
        paths={code: _path(placed(geometry)) for code, geometry in outlines.items()},
    )


def _path(geometry: BaseGeometry) -> str:
    rings = [
        ring for polygon in shapely.get_parts(geometry).tolist() for ring in (polygon.exterior, *polygon.interiors)
    ]
    return "".join(
        "M" + "L".join(f"{x} {y}" for x, y in (shapely.get_coordinates(ring)[:-1].round(1) + 0.0).tolist()) + "Z"
        for ring in rings
    )
