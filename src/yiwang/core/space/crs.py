"""Coordinates as people hand them in, brought to WGS 84.

Chinese maps use three other frames. CGCS2000 differs from WGS 84 by a few centimetres at most (both are realisations of
ITRF on nearly the same ellipsoid), far below the accuracy of a report, so the two are equal here. GCJ-02 is WGS 84
moved by a few hundred metres, BD-09 is GCJ-02 moved once more. The published code of neither gives an inverse; the
formulas below are those in wide public use ("eviltransform", `coordtransform`), and the inverse is found by
fixed-point iteration on them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text

SYSTEMS = ("wgs84", "cgcs2000", "gcj02", "bd09")

# Krasovsky 1940, the ellipsoid that the GCJ-02 formulas are written on.
_SEMI_MAJOR_AXIS = 6378245.0
_ECCENTRICITY_SQUARED = 0.00669342162296594323
_BD_PI = math.pi * 3000.0 / 180.0
# Outside this box GCJ-02 is defined as WGS 84.
_WEST, _EAST, _SOUTH, _NORTH = 72.004, 137.8347, 0.8293, 55.8271

# The shift changes by about 1e-4 of a degree per degree: each round gains four digits or so, until rounding stops it.
_TOLERANCE_DEGREES = 1e-12
_MAX_ROUNDS = 12

Floats = NDArray[np.float64]
_Value = TypeVar("_Value", float, NDArray[np.float64])


@overload
def to_wgs84(lon: float, lat: float, crs: str = "wgs84") -> tuple[float, float]: ...
@overload
def to_wgs84(lon: Floats, lat: Floats, crs: str = "wgs84") -> tuple[Floats, Floats]: ...
def to_wgs84(lon: Any, lat: Any, crs: str = "wgs84") -> tuple[Any, Any]:
    """Turn coordinates of a named system into WGS 84.

    Args:
        lon: Longitude in degrees, a number or an array.
        lat: Latitude in degrees, of the same shape.
        crs: ``wgs84``, ``cgcs2000`` (equal within centimetres), ``gcj02`` or ``bd09``.

    Returns:
        Longitude and latitude. Converting back by :func:`from_wgs84` gives the input within 1e-9 degree (0.1 mm), save
        within a kilometre of the box outside which GCJ-02 does not shift.

    Raises:
        BadInput: the system is unknown.
    """
    lon, lat, lib = _prepare(lon, lat)
    match _system(crs):
        case "gcj02":
            return _invert(lon, lat, _shift_to_gcj02, lib)
        case "bd09":
            return _invert(*_invert(lon, lat, _shift_to_bd09, lib), _shift_to_gcj02, lib)
        case _:
            return lon, lat


@overload
def from_wgs84(lon: float, lat: float, crs: str) -> tuple[float, float]: ...
@overload
def from_wgs84(lon: Floats, lat: Floats, crs: str) -> tuple[Floats, Floats]: ...
def from_wgs84(lon: Any, lat: Any, crs: str) -> tuple[Any, Any]:
    """Turn WGS 84 into a named system: the inverse of :func:`to_wgs84`, same arguments and errors."""
    lon, lat, lib = _prepare(lon, lat)
    system = _system(crs)
    if system in ("gcj02", "bd09"):
        east, north = _shift_to_gcj02(lon, lat, lib)
        lon, lat = lon + east, lat + north
    if system == "bd09":
        east, north = _shift_to_bd09(lon, lat, lib)
        lon, lat = lon + east, lat + north
    return lon, lat


def _system(crs: str) -> str:
    name = crs.lower().replace("-", "").replace("_", "").replace(" ", "")
    if name not in SYSTEMS:
        raise BadInput(
            Problem(
                Text("坐标系「{crs}」不存在。", "Unknown coordinate system {crs!r}.", crs=crs),
                hint=Text("可选 {systems}。", "One of {systems}.", systems=", ".join(SYSTEMS)),
            )
        )
    return name


def _prepare(lon: Any, lat: Any) -> tuple[Any, Any, Any]:
    if isinstance(lon, (int, float)) and isinstance(lat, (int, float)):
        return float(lon), float(lat), math
    return np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64), np


def _invert(lon: Any, lat: Any, shift: Callable[[Any, Any, Any], tuple[Any, Any]], lib: Any) -> tuple[Any, Any]:
    """Solve ``q + shift(q) = p`` for q by ``q := p - shift(q)``, which contracts because the shift varies slowly."""
    east, north = shift(lon, lat, lib)
    for _ in range(_MAX_ROUNDS):
        next_east, next_north = shift(lon - east, lat - north, lib)
        change = np.max(np.abs(next_east - east) + np.abs(next_north - north), initial=0.0)
        east, north = next_east, next_north
        if change < _TOLERANCE_DEGREES:
            break
    return lon - east, lat - north


def _shift_to_gcj02(lon: Any, lat: Any, lib: Any) -> tuple[Any, Any]:
    """Degrees by which GCJ-02 lies east and north of WGS 84 at a WGS 84 position."""
    pi, sin, sqrt = math.pi, lib.sin, lib.sqrt
    x, y = lon - 105.0, lat - 35.0
    root = sqrt(abs(x))
    common = (20.0 * sin(6.0 * x * pi) + 20.0 * sin(2.0 * x * pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + common
    north = north + (20.0 * sin(y * pi) + 40.0 * sin(y / 3.0 * pi)) * 2.0 / 3.0
    north = north + (160.0 * sin(y / 12.0 * pi) + 320.0 * sin(y * pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + common
    east = east + (20.0 * sin(x * pi) + 40.0 * sin(x / 3.0 * pi)) * 2.0 / 3.0
    east = east + (150.0 * sin(x / 12.0 * pi) + 300.0 * sin(x / 30.0 * pi)) * 2.0 / 3.0
    radians = lat / 180.0 * pi
    magic = 1.0 - _ECCENTRICITY_SQUARED * sin(radians) ** 2
    meridian = _SEMI_MAJOR_AXIS * (1.0 - _ECCENTRICITY_SQUARED) / (magic * sqrt(magic))
    parallel = _SEMI_MAJOR_AXIS / sqrt(magic) * lib.cos(radians)
    # A product with the truth value keeps one formula for numbers and arrays.
    inside = (lon >= _WEST) & (lon <= _EAST) & (lat >= _SOUTH) & (lat <= _NORTH)
    return east * 180.0 / (parallel * pi) * inside, north * 180.0 / (meridian * pi) * inside


def _shift_to_bd09(lon: Any, lat: Any, lib: Any) -> tuple[Any, Any]:
    """Degrees by which BD-09 lies east and north of GCJ-02 at a GCJ-02 position."""
    angle_of = math.atan2 if lib is math else np.arctan2
    radius = lib.sqrt(lon * lon + lat * lat) + 0.00002 * lib.sin(lat * _BD_PI)
    angle = angle_of(lat, lon) + 0.000003 * lib.cos(lon * _BD_PI)
    return radius * lib.cos(angle) + 0.0065 - lon, radius * lib.sin(angle) + 0.006 - lat
