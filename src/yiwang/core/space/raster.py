"""Polygons on a lattice: which cells each one covers, how much of each, and which edges run through them.

Everything works on plain arrays, for all regions at once, without one geometric operation per cell. The method is that
of exact-coverage font rasterisers: an edge adds to its own cell the area between itself and the cell's right side, and
to every cell right of it in the row its height. Sums along a row then give each cell's covered area, and along the way
the covered length of every side between two cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Geometry

from yiwang.core.space.frame import Lattice

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# Rounding leaves sums of a row off by about 1e-12 of a cell; a real sliver this small is 1 cm2.
NOTHING = 1e-9
# What is this near to a lattice line, in cells, counts as on it: 0.1 micrometre where cells are 100 m.
ON_LINE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """Directed edges in degrees, the interior on their left; `owner` is the geometry's index. All of one length."""

    owner: Ints
    ring: Ints
    lon_0: Floats
    lat_0: Floats
    lon_1: Floats
    lat_1: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """Edges cut at the lattice lines: each lies in one cell. Positions are in cells from the lattice's origin."""

    edge: Ints
    i: Ints
    j: Ints
    u_0: Floats
    v_0: Floats
    u_1: Floats
    v_1: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What geometries cover of the cells that their edges run through, and the runs of whole cells between these.

    Cells are sorted by owner, row, column. Areas are shares of a cell, side lengths shares of a side.

    Attributes:
        owner, i, j: The geometry and the cell.
        area: Covered share of the cell.
        west, east, south, north: Covered share of each side: what the piece shares with the piece beyond it.
        chains: How often a boundary enters the cell or touches its rim, and whole rings inside it. At most 1 means one
        connected piece.
        run_owner, run_j, run_first, run_last: Runs of wholly covered cells in a row, last column included.
    """

    owner: Ints
    i: Ints
    j: Ints
    area: Floats
    west: Floats
    east: Floats
    south: Floats
    north: Floats
    chains: Ints
    run_owner: Ints
    run_j: Ints
    run_first: Ints
    run_last: Ints


def edges_of(geometries: Sequence[Geometry]) -> Edges:
    """All edges of polygons and multipolygons, outer rings turned counter-clockwise and holes clockwise."""
    oriented = shapely.orient_polygons(np.array(geometries, dtype=object), exterior_cw=False)
    parts, part_owner = shapely.get_parts(oriented, return_index=True)
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    same = (ring[1:] == ring[:-1]) & np.any(points[1:] != points[:-1], axis=1)
    start, end = points[:-1][same], points[1:][same]
    edge_ring = ring[:-1][same].astype(np.int64)
    return Edges(
        owner=part_owner[ring_part][edge_ring].astype(np.int64),
        ring=edge_ring,
        lon_0=start[:, 0],
        lat_0=start[:, 1],
        lon_1=end[:, 0],
        lat_1=end[:, 1],
    )


def cut(edges: Edges, lattice: Lattice, scale: int = 1) -> Segments:
    """Cut edges at the lines of a lattice, or of every `scale`-th line.

    Ends within rounding of a line are put on it, and an edge along a line belongs to the cell on its inner side.
    Otherwise a border drawn along the lattice would reach into the next cell by a hair and tie it to what lies beyond.
    """
    u_0, v_0 = (_snap(part / scale) for part in lattice.to_cells(edges.lon_0, edges.lat_0))
    u_1, v_1 = (_snap(part / scale) for part in lattice.to_cells(edges.lon_1, edges.lat_1))
    count = len(u_0)
    own = np.arange(count)
    edge_u, share_u = _crossings(u_0, u_1)
    edge_v, share_v = _crossings(v_0, v_1)
    edge = np.concatenate([own, own, edge_u, edge_v])
    share = np.concatenate([np.zeros(count), np.ones(count), share_u, share_v])
    order = np.lexsort((share, edge))
    edge, share = edge[order], share[order]
    keep = (edge[1:] == edge[:-1]) & (share[1:] > share[:-1])
    edge, start, end = edge[:-1][keep], share[:-1][keep], share[1:][keep]
    du, dv = (u_1 - u_0)[edge], (v_1 - v_0)[edge]
    from_u, from_v = u_0[edge] + start * du, v_0[edge] + start * dv
    to_u = np.where(end == 1.0, u_1[edge], u_0[edge] + end * du)
    to_v = np.where(end == 1.0, v_1[edge], v_0[edge] + end * dv)
    column, row = np.floor((from_u + to_u) / 2), np.floor((from_v + to_v) / 2)
    column -= (from_u == column) & (to_u == column) & (to_v > from_v)
    row -= (from_v == row) & (to_v == row) & (to_u < from_u)
    return Segments(
        edge=edge,
        i=column.astype(np.int64),
        j=row.astype(np.int64),
        u_0=from_u,
        v_0=from_v,
        u_1=to_u,
        v_1=to_v,
    )


def _snap(values: Floats) -> Floats:
    nearest = np.rint(values)
    return np.where(np.abs(values - nearest) < ON_LINE, nearest, values)


def _crossings(start: Floats, end: Floats) -> tuple[Ints, Floats]:
    """For each edge and whole number strictly between its ends: the edge, and the share of its length up to it."""
    low, high = np.minimum(start, end), np.maximum(start, end)
    first = np.floor(low).astype(np.int64) + 1
    counts = np.maximum(np.ceil(high).astype(np.int64) - first, 0)
    edge = np.repeat(np.arange(len(start)), counts)
    line = first[edge] + (np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts))
    return edge, (line - start[edge]) / (end - start)[edge]


def cover(edges: Edges, segments: Segments) -> Coverage:
    """Covered areas, covered sides and runs of whole cells, from the cut edges of valid polygons."""
    owner = edges.owner[segments.edge]
    cells, group = groups(owner, segments.j, segments.i)
    count = len(group)
    rise = segments.v_0 - segments.v_1
    # An edge going down has the interior to its east: it adds what lies between it and the right side of its cell.
    right_of = segments.i + 1 - (segments.u_0 + segments.u_1) / 2
    area = sums(cells, rise * right_of, count)
    height = sums(cells, rise, count)
    width = sums(cells, segments.u_1 - segments.u_0, count)
    cell_owner, j, i = owner[group], segments.j[group], segments.i[group]
    new_row = changes(cell_owner, j)
    west = _sum_before(height, new_row)
    east = west + height
    by_column = np.lexsort((j, i, cell_owner))
    south = np.empty(count)
    south[by_column] = _sum_before(width[by_column], changes(cell_owner[by_column], i[by_column]))
    last_in_row = np.append(new_row[1:], True)
    followed = np.flatnonzero(~last_in_row)
    followed = followed[(i[followed + 1] > i[followed] + 1) & (east[followed] > 0.5)]
    return Coverage(
        owner=cell_owner,
        i=i,
        j=j,
        area=np.clip(area + west, 0.0, 1.0),
        west=np.clip(west, 0.0, 1.0),
        east=np.clip(east, 0.0, 1.0),
        south=np.clip(south, 0.0, 1.0),
        north=np.clip(south + width, 0.0, 1.0),
        chains=_chains(edges, segments, cells, count),
        run_owner=cell_owner[followed],
        run_j=j[followed],
        run_first=i[followed] + 1,
        run_last=i[followed + 1] - 1,
    )


def groups(*keys: Ints) -> tuple[Ints, Ints]:
    """Number equal key tuples in sorted order (first key first): the number of each row, and a row of each number."""
    order = np.lexsort(tuple(reversed(keys)))
    changed = changes(*(key[order] for key in keys))
    numbers = np.empty(len(order), dtype=np.int64)
    numbers[order] = np.cumsum(changed) - 1
    return numbers, order[changed]


def changes(*keys: Ints) -> Flags:
    """True at the first row of every stretch of equal keys."""
    changed = np.zeros(len(keys[0]), dtype=bool)
    changed[:1] = True
    for key in keys:
        changed[1:] |= key[1:] != key[:-1]
    return changed


def sums(group: Ints, values: Floats, count: int) -> Floats:
    """Sum of the values of each group 0..count-1."""
    return np.bincount(group, weights=values, minlength=count).astype(np.float64)


def _sum_before(values: Floats, starts: Flags) -> Floats:
    """Running sums that begin anew at each start and leave the row's own value out."""
    total: Floats = np.cumsum(values) - values
    stretch = np.cumsum(starts) - 1
    before: Floats = total - total[starts][stretch]
    return before


def _chains(edges: Edges, segments: Segments, cells: Ints, count: int) -> Ints:
    """How often a boundary enters each cell or starts anew from its rim, and rings that never leave it."""
    ring = edges.ring[segments.edge]
    starts = changes(ring)
    first = np.flatnonzero(starts)
    last = np.append(first[1:], len(ring)) - 1
    before = np.empty_like(cells)
    before[1:] = cells[:-1]
    before[first] = cells[last]
    # A vertex on the rim may pinch the cell in two, even if the boundary comes from this cell and stays in it.
    on_rim = (segments.u_0 == np.floor(segments.u_0)) | (segments.v_0 == np.floor(segments.v_0))
    enters = (before != cells) | on_rim
    entering = np.bincount(cells[enters], minlength=count)
    entered = np.bincount(np.cumsum(starts)[enters] - 1, minlength=len(first))
    whole = np.bincount(cells[first[entered == 0]], minlength=count)
    return entering + whole
