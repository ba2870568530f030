"""Coordinates of records in a projected system, brought to WGS 84."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from yiwang.core.kernel.text import Text
from yiwang.core.space import SYSTEMS

_MARGIN = 1.0  # degrees around a system's area that are still believed
Projection = Callable[[float, float], tuple[float, float]]
HINT = Text(
    '请写 EPSG 代码，例如 "EPSG:4549"，或以下之一：{systems}。',
    'Write an EPSG code, e.g. "EPSG:4549", or one of {systems}.',
    systems=", ".join(SYSTEMS),
)


def is_known_system(crs: str) -> bool:
    """Whether a system is one of the platform's own or has an EPSG code."""
    if crs in SYSTEMS:
        return True
    try:
        return crs.upper().startswith("EPSG:") and bool(CRS.from_user_input(crs))
    except CRSError:
        return False


@lru_cache(maxsize=16)
def projection(crs: str) -> Projection | None:
    """What turns x (east) and y (north) of an EPSG system into longitude and latitude of WGS 84 in degrees.

    None for the platform's own systems, which the city's locator turns, and for no system. Far outside the area that
    the system is made for the answer is infinite: such numbers are of another system, or east and north are exchanged.
    """
    if not crs or crs in SYSTEMS:
        return None
    transform = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform
    area = CRS.from_user_input(crs).area_of_use
    west, south, east, north = area.bounds if area is not None else (-180.0, -90.0, 180.0, 90.0)
    if west > east:
        west, east = -180.0, 180.0

    def project(x: float, y: float) -> tuple[float, float]:
        lon, lat = transform(x, y)
        if not (west - _MARGIN <= lon <= east + _MARGIN and south - _MARGIN <= lat <= north + _MARGIN):
            return math.inf, math.inf
        return float(lon), float(lat)

    return project
