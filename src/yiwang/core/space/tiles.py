"""Points by map tile: Web Mercator, and an order in which every tile of every zoom is one run of neighbours.

A point's place on the square Web Mercator map is two 32-bit numbers, x eastward and y southward (OGC 17-083r4, tile
matrix set WebMercatorQuad). Their bits interleaved give its Morton code (G. M. Morton, 1966). In the order of these codes
the points of any tile lie side by side, so a tile is found by two binary searches, and the cells inside a tile are runs
of its run.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.space.crs import to_wgs84

UInts = NDArray[np.uint64]
Floats = NDArray[np.float64]

BITS = 32
MOST_ZOOM = 22
NORTHMOST = 85.0511287798066  # where the map is as high as it is wide
_WORLD = float(1 << BITS)
_SPREAD = (
    (16, 0x0000FFFF0000FFFF),
    (8, 0x00FF00FF00FF00FF),
    (4, 0x0F0F0F0F0F0F0F0F),
    (2, 0x3333333333333333),
    (1, 0x5555555555555555),
)


def to_map(lon: Any, lat: Any) -> tuple[UInts, UInts]:
    """Longitudes and latitudes in degrees (WGS 84) → x and y on the map, each below 2³².

    Latitudes beyond `NORTHMOST` are put on the map's edge. NaN is not allowed.
    """
    longitude = np.asarray(lon, dtype=np.float64)
    sine = np.sin(np.radians(np.clip(np.asarray(lat, dtype=np.float64), -NORTHMOST, NORTHMOST)))
    x = longitude / 360 + 0.5
    y = 0.5 - np.arctanh(sine) / (2 * np.pi)
    return _units(x), _units(y)


def to_degrees(x: Any, y: Any) -> tuple[Floats, Floats]:
    """The way back: the middle of a unit of the map in degrees."""
    across = (np.asarray(x, dtype=np.float64) + 0.5) / _WORLD
    down = (np.asarray(y, dtype=np.float64) + 0.5) / _WORLD
    return (across - 0.5) * 360, np.degrees(np.arctan(np.sinh((0.5 - down) * 2 * np.pi)))


def morton(x: UInts, y: UInts) -> UInts:
    """Morton codes, x in the even bits."""
    return _spread(x) | (_spread(y) << np.uint64(1))


def from_morton(codes: UInts) -> tuple[UInts, UInts]:
    """The x and y of Morton codes."""
    return _gather(codes), _gather(codes >> np.uint64(1))


def run_of(codes: UInts, *, zoom: int, column: int, row: int) -> slice:
    """Where the points of a tile stand in an ascending array of Morton codes.

    Raises:
        ValueError: When there is no such tile.
    """
    check(zoom=zoom, column=column, row=row)
    shift = 2 * (BITS - zoom)
    first = int(morton(np.array([column], dtype=np.uint64), np.array([row], dtype=np.uint64))[0])
    # the last tile ends at 2⁶⁴, which no 64-bit number can say
    end = len(codes) if first + 1 == 1 << (2 * zoom) else int(np.searchsorted(codes, np.uint64((first + 1) << shift)))
    return slice(int(np.searchsorted(codes, np.uint64(first << shift))), end)


def cells_of(codes: UInts, *, zoom: int, depth: int) -> UInts:
    """The cell of each point, counted within the whole map, when a tile is cut ``depth`` times in four."""
    shift = 2 * (BITS - min(zoom + depth, BITS))
    return codes >> np.uint64(shift)


def within_tile(
    x: UInts, y: UInts, *, zoom: int, column: int, row: int, extent: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Points as whole coordinates of a tile, 0 to ``extent``, y southward."""
    scale = extent / float(1 << (BITS - zoom))
    left, top = column << (BITS - zoom), row << (BITS - zoom)
    return (
        ((np.asarray(x, dtype=np.float64) - left) * scale).astype(np.int64),
        ((np.asarray(y, dtype=np.float64) - top) * scale).astype(np.int64),
    )


def tile_box(*, zoom: int, column: int, row: int) -> tuple[float, float, float, float]:
    """West, south, east and north of a tile in degrees."""
    check(zoom=zoom, column=column, row=row)
    size = _WORLD / (1 << zoom)
    lon, lat = to_degrees(
        np.array([column * size, (column + 1) * size]) - 0.5, np.array([(row + 1) * size, row * size]) - 0.5
    )
    return float(lon[0]), float(lat[0]), float(lon[1]), float(lat[1])


def tiles_below(crs: str, *, zoom: int, column: int, row: int) -> list[dict[str, int]]:
    """The tiles of WGS 84 in which the points of a tile of another system can lie.

    Its corners are brought back. Between them the shift is not that of the corners: by less than 30 m in tiles of 10 km, by
    less than the whole shift of some 700 m anywhere.
    """
    west, south, east, north = tile_box(zoom=zoom, column=column, row=row)
    lon, lat = to_wgs84(np.array([west, west, east, east]), np.array([south, north, south, north]), crs)
    slack = 0.0005 if zoom >= 12 else 0.01
    edges = np.array([lon.min() - slack, lon.max() + slack]), np.array([lat.max() + slack, lat.min() - slack])
    x, y = to_map(np.clip(edges[0], -180, 180), edges[1])
    shift = np.uint64(BITS - zoom)
    (left, right), (top, bottom) = (x >> shift).tolist(), (y >> shift).tolist()
    return [
        {"zoom": zoom, "column": across, "row": down}
        for across in range(left, right + 1)
        for down in range(top, bottom + 1)
    ]


def check(*, zoom: int, column: int, row: int) -> None:
    """Refuse what is no tile.

    Raises:
        BadInput: With what there is.
    """
    if not 0 <= zoom <= MOST_ZOOM:
        message = Text("没有缩放级别 {zoom}。", "There is no zoom {zoom}.", zoom=zoom)
        hint = Text("应在 0 到 {most} 之间。", "From 0 to {most}.", most=MOST_ZOOM)
        raise BadInput(Problem(message, hint, column="z/x/y"))
    if not (0 <= column < 1 << zoom and 0 <= row < 1 << zoom):
        message = Text(
            "缩放级别 {zoom} 没有瓦片 {column}/{row}。",
            "Zoom {zoom} has no tile {column}/{row}.",
            zoom=zoom,
            column=column,
            row=row,
        )
        last = (1 << zoom) - 1
        hint = Text("列和行都从 0 到 {last}。", "Columns and rows go from 0 to {last}.", last=last)
        raise BadInput(Problem(message, hint, column="z/x/y"))


def _units(part: Floats) -> UInts:
    return np.clip(np.floor(part * _WORLD), 0, _WORLD - 1).astype(np.uint64)


def _spread(numbers: UInts) -> UInts:
    """Put a zero bit before each of the lower 32 bits."""
    spread = np.asarray(numbers, dtype=np.uint64)
    for by, mask in _SPREAD:
        spread = (spread | (spread << np.uint64(by))) & np.uint64(mask)
    return spread


def _gather(codes: UInts) -> UInts:
    """Take the even bits of numbers together: the way back of `_spread`."""
    gathered = np.asarray(codes, dtype=np.uint64) & np.uint64(_SPREAD[-1][1])
    wider = (*(mask for _, mask in reversed(_SPREAD[:-1])), (1 << BITS) - 1)
    for (by, _), mask in zip(reversed(_SPREAD), wider, strict=True):
        gathered = (gathered | (gathered >> np.uint64(by))) & np.uint64(mask)
    return gathered
