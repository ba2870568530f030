"""Pieces: what is left of each lattice cell inside one region, and how small pieces join a neighbour.

A piece is one connected part of (region ∩ cell). Most are whole squares, and most others need no geometric operation,
for the exact-coverage sums of :mod:`yiwang.core.space.raster` give their areas and shared sides. Only where a boundary
enters a cell more than once is the cut made, to see whether it falls apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Geometry

from yiwang.core.space.frame import Lattice
from yiwang.core.space.raster import NOTHING, Coverage, Floats, Ints, changes, cover, cut, edges_of, groups, sums

# Sides in the order west, east, south, north: (columns, rows) to the neighbour, and the neighbour's side that faces it.
_SIDES = ((-1, 0, 1), (1, 0, 0), (0, -1, 3), (0, 1, 2))

# Degrees (0.01 mm): parts of a cell that hang together by less than this count as apart.
_NECK = 1e-10
# Parts are rounded to that, so their sides lie off the cell's by as much, at most 1e-6 of a cell of 10 m.
_ON_SIDE = 2e-6

# Areas and lengths are compared in steps of this share of a cell; an odd number, for round ones would lie between two
# steps.
_QUANTUM = 1.0137e-6

_Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """Pieces sorted by owner, row, column. Arrays of equal length.

    Attributes:
        owner: Index of the geometry.
        i, j: Cell, counted in cells of `scale` lattice steps.
        area: Share of a whole cell.
        sides: Shape (n, 4): shared length to west, east, south, north as shares of a side.
        parts: Geometry in degrees of the pieces of cells that fall apart, by piece.
    """

    owner: Ints
    i: Ints
    j: Ints
    area: Floats
    sides: Floats
    parts: dict[int, Geometry]

    def __len__(self) -> int:
        return len(self.owner)


@dataclass(frozen=True, slots=True)
class _Part:
    geometry: Geometry
    area: float
    intervals: tuple[tuple[_Interval, ...], ...]

    def side(self, number: int) -> float:
        return sum(high - low for low, high in self.intervals[number])


def pieces_of(geometries: Sequence[Geometry], *, lattice: Lattice, scale: int = 1) -> Pieces:
    """Cut regions into pieces along every `scale`-th line of a lattice.

    Args:
        geometries: Valid polygons or multipolygons in degrees.
        lattice: The city's lattice.
        scale: Side of a cell in lattice steps.
    """
    edges = edges_of(geometries)
    coverage = cover(edges, cut(edges, lattice, scale))
    apart = _cells_that_fall_apart(geometries, coverage, lattice, scale)
    single = (coverage.area > NOTHING) & ~np.isin(np.arange(len(coverage.area)), list(apart))
    run_owner, run_i, run_j = _expand_runs(coverage)
    whole = len(run_owner)
    part_cell = np.repeat(np.array(list(apart), dtype=np.int64), [len(parts) for parts in apart.values()])
    parts = [part for found in apart.values() for part in found]
    sides = np.stack([coverage.west, coverage.east, coverage.south, coverage.north], axis=1)
    part_sides = np.array([[part.side(side) for side in range(4)] for part in parts]).reshape(-1, 4)
    owner = np.concatenate([coverage.owner[single], run_owner, coverage.owner[part_cell]])
    i = np.concatenate([coverage.i[single], run_i, coverage.i[part_cell]])
    j = np.concatenate([coverage.j[single], run_j, coverage.j[part_cell]])
    area = np.concatenate([coverage.area[single], np.ones(whole), [part.area for part in parts]])
    sides = np.concatenate([sides[single], np.ones((whole, 4)), part_sides])
    order = np.lexsort((i, j, owner))  # stable, so the parts of a cell keep their order
    position = np.empty(len(order), dtype=np.int64)
    position[order] = np.arange(len(order))
    first_part = len(order) - len(parts)
    geometry_of = {int(position[first_part + number]): part.geometry for number, part in enumerate(parts)}
    return Pieces(owner=owner[order], i=i[order], j=j[order], area=area[order], sides=sides[order], parts=geometry_of)


def _expand_runs(coverage: Coverage) -> tuple[Ints, Ints, Ints]:
    lengths = coverage.run_last - coverage.run_first + 1
    run = np.repeat(np.arange(len(lengths)), lengths)
    offset = np.arange(len(run)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return coverage.run_owner[run], coverage.run_first[run] + offset, coverage.run_j[run]


def _cells_that_fall_apart(
    geometries: Sequence[Geometry], coverage: Coverage, lattice: Lattice, scale: int
) -> dict[int, list[_Part]]:
    """Parts by number of the covered cell, west to east, for the cells with more than one part worth the name."""
    suspects = np.flatnonzero((coverage.chains > 1) & (coverage.area > NOTHING))
    if len(suspects) == 0:
        return {}
    i, j = coverage.i[suspects], coverage.j[suspects]
    owners = np.array(geometries, dtype=object)[coverage.owner[suspects]]
    boxes = cell_boxes(i, j, lattice=lattice, scale=scale)
    found: dict[int, list[_Part]] = {}
    for suspect, owner, box in zip(suspects.tolist(), owners, boxes, strict=True):
        # Coordinates that are a hair off a lattice line may leave a neck, which only rounding cuts.
        for rounding in (None, _NECK):
            cut_out = shapely.get_parts(shapely.intersection(owner, box, grid_size=rounding))
            parts = [
                _part(polygon, int(coverage.i[suspect]), int(coverage.j[suspect]), lattice, scale)
                for polygon in cut_out
                if polygon.geom_type == "Polygon"
            ]
            parts = [part for part in parts if part.area > NOTHING]
            if len(parts) > 1:
                found[suspect] = sorted(parts, key=lambda part: part.geometry.bounds)
                break
    return found


def cell_boxes(i: Ints, j: Ints, *, lattice: Lattice, scale: int | Ints = 1) -> NDArray[np.object_]:
    """The cells as rectangles in degrees."""
    west, south = lattice.to_degrees(i * scale, j * scale)
    east, north = lattice.to_degrees((i + 1) * scale, (j + 1) * scale)
    boxes: NDArray[np.object_] = shapely.box(west, south, east, north)
    return boxes


def _part(polygon: Geometry, i: int, j: int, lattice: Lattice, scale: int) -> _Part:
    """Area of a clipped polygon in cells, and the stretches of its edges that lie on each side of the cell."""
    lines: tuple[list[_Interval], ...] = ([], [], [], [])
    for ring in shapely.get_rings(shapely.get_parts(polygon)):
        points = shapely.get_coordinates(ring)
        u, v = lattice.to_cells(points[:, 0], points[:, 1])
        u, v = u / scale - i, v / scale - j
        for side, (across, along, line) in enumerate(((u, v, 0.0), (u, v, 1.0), (v, u, 0.0), (v, u, 1.0))):
            on_line = np.abs(across - line) < _ON_SIDE
            for start in np.flatnonzero(on_line[:-1] & on_line[1:]):
                low, high = sorted((float(along[start]), float(along[start + 1])))
                lines[side].append((low, high))
    step_lon, step_lat = lattice.step
    area = float(shapely.area(polygon)) / (step_lon * step_lat * scale**2)
    return _Part(geometry=polygon, area=area, intervals=tuple(tuple(side) for side in lines))


def join_small(
    pieces: Pieces, geometries: Sequence[Geometry], *, smallest_share: float, lattice: Lattice, scale: int = 1
) -> Ints:
    """Give each piece the piece that it joins: itself, or, for one below the smallest share, a neighbour of its region.

    A small piece joins the larger neighbour with which it shares the longest border, and goes with it if that one joins
    another. Joining only what is larger cannot run in circles. Rounds follow, with what has joined counted as one,
    until every piece that is still small has no neighbour at all.

    Returns:
        For each piece the index of the largest piece of those that it is joined with.
    """
    first, second, length = _neighbours(pieces, geometries, lattice, scale)
    root = np.arange(len(pieces))
    while True:
        # Equal but for rounding is equal, so that a boundary moved elsewhere cannot tip the scales here.
        area = np.rint(sums(root, pieces.area, len(pieces)) / _QUANTUM)
        small_ones = area < np.rint(smallest_share / _QUANTUM)
        touching = (length > NOTHING) & (root[first] != root[second]) & small_ones[root[first]]
        first, second, length = first[touching], second[touching], length[touching]
        joined = root.copy()
        small, chosen = _best_neighbours(root[first], root[second], length, area)
        if len(small) == 0:
            return root
        joined[small] = chosen
        while not np.array_equal(joined[joined], joined):
            joined = joined[joined]
        root = joined[root]


def _best_neighbours(first: Ints, second: Ints, length: Floats, area: Floats) -> tuple[Ints, Ints]:
    """For each first the best second: larger (or as large and before it), longest border, largest, lowest."""
    group, pair = groups(first, second)
    border = sums(group, length, len(pair))
    border = np.rint(border / _QUANTUM)
    first, second = first[pair], second[pair]
    larger = (area[second] > area[first]) | ((area[second] == area[first]) & (second < first))
    first, second, border = first[larger], second[larger], border[larger]
    order = np.lexsort((second, -area[second], -border, first))
    first, second = first[order], second[order]
    best = changes(first)
    return first[best], second[best]


def _neighbours(
    pieces: Pieces, geometries: Sequence[Geometry], lattice: Lattice, scale: int
) -> tuple[Ints, Ints, Floats]:
    """Pairs (small or not) of adjacent pieces, each in both directions, with the length of the side that they share."""
    keys = CellKeys(pieces.owner, pieces.i, pieces.j)
    in_parts = np.zeros(len(pieces), dtype=bool)
    in_parts[list(pieces.parts)] = True
    firsts, seconds, lengths = [], [], []
    for side, (columns, rows, _) in enumerate(_SIDES):
        beyond = keys.find(pieces.owner, pieces.i + columns, pieces.j + rows)
        pair = np.flatnonzero((beyond >= 0) & ~in_parts & ~in_parts[beyond])
        firsts.append(pair)
        seconds.append(beyond[pair])
        lengths.append(pieces.sides[pair, side])
    extra = _neighbours_of_parts(pieces, geometries, lattice, scale)
    firsts.append(np.array([pair[0] for pair in extra], dtype=np.int64))
    seconds.append(np.array([pair[1] for pair in extra], dtype=np.int64))
    lengths.append(np.array([pair[2] for pair in extra], dtype=np.float64))
    return np.concatenate(firsts), np.concatenate(seconds), np.concatenate(lengths)


def _neighbours_of_parts(
    pieces: Pieces, geometries: Sequence[Geometry], lattice: Lattice, scale: int
) -> list[tuple[int, int, float]]:
    """Pairs with a part of a cell that falls apart, compared stretch by stretch, in both directions."""
    described: dict[int, _Part] = {}

    def describe(piece: int) -> _Part:
        if piece not in described:
            owner, i, j = int(pieces.owner[piece]), int(pieces.i[piece]), int(pieces.j[piece])
            geometry = pieces.parts.get(piece)
            if geometry is None:
                cell = cell_boxes(np.array([i]), np.array([j]), lattice=lattice, scale=scale)[0]
                geometry = shapely.intersection(geometries[owner], cell)
            described[piece] = _part(geometry, i, j, lattice, scale)
        return described[piece]

    cells: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for piece in pieces.parts:
        cells[int(pieces.owner[piece]), int(pieces.i[piece]), int(pieces.j[piece])].append(piece)
    keys = CellKeys(pieces.owner, pieces.i, pieces.j)
    pairs: list[tuple[int, int, float]] = []
    for (owner, i, j), parts in cells.items():
        for side, (columns, rows, facing) in enumerate(_SIDES):
            beyond = (owner, i + columns, j + rows)
            single = int(keys.find(*(np.array([value]) for value in beyond))[0])
            others = cells.get(beyond) or ([single] if single >= 0 else [])
            for piece in parts:
                for other in others:
                    length = _overlap(describe(piece).intervals[side], describe(other).intervals[facing])
                    pairs += [(piece, other, length), (other, piece, length)]
    return pairs


def _overlap(ours: Sequence[_Interval], theirs: Sequence[_Interval]) -> float:
    return sum(max(0.0, min(a[1], b[1]) - max(a[0], b[0])) for a in ours for b in theirs)


class CellKeys:
    """Finds rows of a table sorted by owner, row and column."""

    def __init__(self, owner: Ints, i: Ints, j: Ints) -> None:
        self._i_low = int(i.min(initial=0)) - 1
        self._j_low = int(j.min(initial=0)) - 1
        self._columns = int(i.max(initial=0)) - self._i_low + 2
        self._rows = int(j.max(initial=0)) - self._j_low + 2
        self._keys = self._key(owner, i, j)

    def _key(self, owner: Ints, i: Ints, j: Ints) -> Ints:
        return (owner * self._rows + (j - self._j_low)) * self._columns + (i - self._i_low)

    def find(self, owner: Ints, i: Ints, j: Ints) -> Ints:
        """The first row of each cell, or -1. An owner of -1 is found nowhere."""
        in_box = (i >= self._i_low) & (i < self._i_low + self._columns)
        in_box &= (j >= self._j_low) & (j < self._j_low + self._rows) & (owner >= 0)
        if len(self._keys) == 0:
            return np.full(len(i), -1, dtype=np.int64)
        key = self._key(owner, i, j)
        row = np.minimum(np.searchsorted(self._keys, key), len(self._keys) - 1)
        return np.where(in_box & (self._keys[row] == key), row, -1)
