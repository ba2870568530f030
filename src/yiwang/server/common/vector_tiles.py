"""Vector tiles of points (Mapbox Vector Tile 2.1): each for itself where there are few, counted by cells where there are many.

Whatever has points – cases, components – gives columns; what comes out is at most `MOST_POINTS`
points or the counts of at most 4 ** depth cells, so a tile is small at every zoom however many points there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import mapbox_vector_tile
import numpy as np
import shapely
from numpy.typing import NDArray

from yiwang.core.space.tiles import UInts, cells_of, within_tile

EXTENT = 4096
MOST_POINTS = 800
CLUSTER_DEPTH = 4  # 256 cells, each 32 pixels wide on a tile of 512
HEAT_DEPTH = 5
MEDIA_TYPE = "application/vnd.mapbox-vector-tile"


def points(
    x: UInts, y: UInts, *, zoom: int, column: int, row: int, properties: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """One feature per point.

    Args:
        x, y: Map units, see `yiwang.core.space.tiles`, all inside the tile.
        zoom, column, row: The tile.
        properties: One mapping per point.
    """
    across, down = within_tile(x, y, zoom=zoom, column=column, row=row, extent=EXTENT)
    shapes = shapely.points(across, down)
    return [{"geometry": shape, "properties": dict(said)} for shape, said in zip(shapes, properties, strict=True)]


def counts(
    x: UInts,
    y: UInts,
    codes: UInts,
    *,
    zoom: int,
    column: int,
    row: int,
    depth: int,
    parts: Mapping[str, NDArray[np.int64]],
) -> list[dict[str, Any]]:
    """One feature per cell that has points, at their mean place.

    Args:
        x, y, codes: Map units and Morton codes of points, all inside the tile, in any order.
        zoom, column, row: The tile.
        depth: The tile is cut into 4 ** depth cells.
        parts: Further counts: the indexes of the points that belong to each.

    Returns:
        Features with ``n`` and one number per part; a part that is 0 is left out.
    """
    cells = cells_of(codes, zoom=zoom, depth=depth)
    first = cells_of(codes[:1], zoom=zoom, depth=0)[:1] << np.uint64(2 * min(depth, 32 - zoom)) if len(codes) else 0
    local = (cells - first).astype(np.int64)
    sizes = np.bincount(local)
    used = np.flatnonzero(sizes)
    n = sizes[used]
    middle_x, middle_y = (np.bincount(local, weights=part)[used] / n for part in (x, y))
    columns = {name: np.bincount(local[chosen], minlength=len(sizes))[used] for name, chosen in parts.items()}
    said = [
        {"n": int(count), **{name: int(value[at]) for name, value in columns.items() if value[at]}}
        for at, count in enumerate(n)
    ]
    return points(
        middle_x.astype(np.uint64), middle_y.astype(np.uint64), zoom=zoom, column=column, row=row, properties=said
    )


def encode(layers: Mapping[str, list[dict[str, Any]]]) -> bytes:
    """A tile of the layers that have features; no bytes when none has."""
    given = [{"name": name, "features": features} for name, features in layers.items() if features]
    if not given:
        return b""
    tile: bytes = mapbox_vector_tile.encode(given, default_options={"y_coord_down": True, "extents": EXTENT})
    return tile
