"""A raster over polygons: most points are placed by one look into an array, the others by the few edges in their cell.

Each lattice cell holds one of three things: the only region that covers it whole, nothing, or a pointer to the list of
what meets in it. For a cell of the third kind a reference point's regions are known, and a point's own follow by
walking from the reference to the point, first along the row and then along the column, and switching a region at every
edge of it that is crossed. Whatever comes nearer to an edge, a vertex or a lattice line than rounding could tell is
left to exact predicates (GEOS), so the answers are exactly those of a search over the polygons.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Geometry

from yiwang.core.space.frame import Lattice
from yiwang.core.space.grids import UnitGrids
from yiwang.core.space.raster import (
    ON_LINE,
    Edges,
    Flags,
    Floats,
    Ints,
    Segments,
    changes,
    cover,
    cut,
    edges_of,
    groups,
)

Indexes = NDArray[np.int32]

OUTSIDE = -1
# Stands for a grid that must be found from the point itself.
BY_POINT = -2
# Left to the exact search.
UNKNOWN = -3

# Degrees within which the walk does not trust itself: a micrometre, ten thousand times what rounding can do to it.
_DOUBT = 1e-11
# Where in its cell a reference point lies: any place that data on round coordinates does not hit.
_REFERENCE = (0.5137, 0.4871)
# Regions that meet in one cell are bits of a mask; a cell with more is left to the exact search.
_MOST_REGIONS = 62


class RegionIndex:
    """Finds the region, and its unit grid, of points: for polygons of one level, in any position to each other.

    Args:
        geometries: Valid polygons or multipolygons in degrees. Where several hold a point the first does.
        lattice: Cells of the raster; that of the grids if there are any.
        grids: Unit grids, with `owners`: for each geometry its index among the grids' communities, or -1.
    """

    def __init__(
        self,
        *,
        geometries: Sequence[Geometry],
        lattice: Lattice,
        grids: UnitGrids | None = None,
        owners: Ints | None = None,
    ) -> None:
        self.lattice = lattice
        self._geometries = np.array(geometries, dtype=object)
        self._tree = shapely.STRtree(self._geometries)
        self._grids = grids
        self._owners = np.full(len(geometries), -1, dtype=np.int64) if owners is None else owners
        edges = edges_of(geometries)
        segments = cut(edges, lattice)
        self._frame_cells(segments)
        self._fill_whole(edges, segments)
        self._list_meetings(edges, segments)
        self._step = lattice.step
        self._views()

    def _frame_cells(self, segments: Segments) -> None:
        """Lay out the raster: the box of all edges with one more cell all around, which stays outside."""
        self._left = int(segments.i.min()) - 1
        self._low = int(segments.j.min()) - 1
        self._columns = int(segments.i.max()) - self._left + 2
        self._rows = int(segments.j.max()) - self._low + 2
        self._cells = np.full(self._columns * self._rows, OUTSIDE, dtype=np.int32)
        self._cell_grids = np.full(self._columns * self._rows, -1, dtype=np.int32)

    def _place(self, i: Ints, j: Ints) -> Ints:
        return (j - self._low) * self._columns + (i - self._left)

    def _fill_whole(self, edges: Edges, segments: Segments) -> None:
        """Write the cells that a region covers whole; on overlap the first region wins, so it is written last."""
        coverage = cover(edges, segments)
        order = np.argsort(-coverage.run_owner, kind="stable")
        lengths = (coverage.run_last - coverage.run_first + 1)[order]
        run = np.repeat(order, lengths)
        offset = np.arange(len(run)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        i, j, owner = coverage.run_first[run] + offset, coverage.run_j[run], coverage.run_owner[run]
        place = self._place(i, j)
        self._cells[place] = owner
        if self._grids:
            self._cell_grids[place] = self._grids_of(owner, i, j)

    def _grids_of(self, region: Ints, i: Ints, j: Ints) -> Ints:
        assert self._grids is not None
        owner = self._owners[region]
        grid = self._grids.of_cells(owner, i, j)
        # A region may touch a cell with less than any piece is made of.
        grid[grid < 0] = BY_POINT
        return np.where(owner < 0, -1, grid)

    def _list_meetings(self, edges: Edges, segments: Segments) -> None:
        """For each cell with edges: its regions, which of them hold the reference point, what each edge switches."""
        place = self._place(segments.i, segments.j)
        meeting, sample = groups(place)
        count = len(sample)
        cells, i, j = place[sample], segments.i[sample], segments.j[sample]
        self._cells[cells] = UNKNOWN - np.arange(count)
        lon, lat = self.lattice.to_degrees(i + _REFERENCE[0], j + _REFERENCE[1])
        holds_meeting, holder = self._tree.query(shapely.points(lon, lat), predicate="intersects")
        region = edges.owner[segments.edge]
        # One row for each region of each meeting: those with an edge there and those that hold the reference point.
        all_meetings = np.concatenate([meeting, holds_meeting])
        all_regions = np.concatenate([region, holder])
        row, first = groups(all_meetings, all_regions)
        row_meeting, row_region = all_meetings[first], all_regions[first]
        starts = np.flatnonzero(changes(row_meeting))
        self._first_row = starts.astype(np.int32)
        self._row_region = row_region.astype(np.int32)
        self._row_grid = np.full(len(row_region), -1, dtype=np.int32)
        if self._grids:
            self._row_grid[:] = self._grids_of(row_region, i[row_meeting], j[row_meeting])
        slot = np.arange(len(row_meeting)) - starts[row_meeting]
        crowded = np.bincount(row_meeting, minlength=count) > _MOST_REGIONS
        bit = np.left_shift(1, np.minimum(slot, _MOST_REGIONS)).astype(np.int64)
        holds = np.zeros(len(row_meeting), dtype=bool)
        holds[row[len(meeting) :]] = True
        self._reference = _xor(row_meeting, np.where(holds, bit, 0), count)
        self._reference[crowded] = -1
        self._reference_lon, self._reference_lat = lon, lat
        self._list_edges(edges, segments, meeting, bit[row[: len(meeting)]])

    def _list_edges(self, edges: Edges, segments: Segments, meeting: Ints, bit: Ints) -> None:
        """Edges by meeting, each border once with the bits of the regions on both of its sides."""
        border, example = _number_borders(edges)
        row, first = groups(meeting, border[segments.edge])
        self._edge_bits = _xor(row, bit, len(first))
        edge_meeting = meeting[first]
        edge = example[border[segments.edge[first]]]
        self._first_edge = np.searchsorted(edge_meeting, np.arange(len(self._reference) + 1)).astype(np.int32)
        self._lon_0, self._lat_0 = edges.lon_0[edge], edges.lat_0[edge]
        self._lon_1, self._lat_1 = edges.lon_1[edge], edges.lat_1[edge]
        run, rise = self._lon_1 - self._lon_0, self._lat_1 - self._lat_0
        with np.errstate(divide="ignore", invalid="ignore"):
            self._slope = rise / run
            row_lat = self._reference_lat[edge_meeting]
            # Where the edge crosses the reference point's row; not a number where it does not.
            meets_row = (self._lat_0 <= row_lat) != (self._lat_1 <= row_lat)
            self._row_lon = np.where(meets_row, self._lon_0 + (row_lat - self._lat_0) / rise * run, np.nan)

    def _views(self) -> None:
        """Plain views for single look-ups: indexing them costs a third of indexing an array."""
        self._cell_view, self._cell_grid_view = self._cells.data, self._cell_grids.data
        self._first_row_view, self._first_edge_view = self._first_row.data, self._first_edge.data
        self._row_region_view, self._row_grid_view = self._row_region.data, self._row_grid.data
        self._reference_view, self._bits_view = self._reference.data, self._edge_bits.data
        self._edge_views = tuple(
            column.data for column in (self._lon_0, self._lat_0, self._lon_1, self._slope, self._row_lon)
        )
        self._reference_lon_view = self._reference_lon.data
        self._reference_lat_view = self._reference_lat.data

    def find(self, lon: float, lat: float) -> tuple[int, int, bool]:
        """Region and grid of one point, -1 for none, and whether it lies on a border of either."""
        lattice = self.lattice
        u, v = (lon - lattice.lon) / self._step[0], (lat - lattice.lat) / self._step[1]
        if not (self._left < u < self._left + self._columns and self._low < v < self._low + self._rows):
            return OUTSIDE, -1, False
        i, j = math.floor(u), math.floor(v)
        if not (ON_LINE < u - i < 1.0 - ON_LINE and ON_LINE < v - j < 1.0 - ON_LINE):
            return self._find_exactly(lon, lat)
        place = (j - self._low) * self._columns + i - self._left
        region = self._cell_view[place]
        if region >= OUTSIDE:
            grid = self._cell_grid_view[place]
        else:
            region, grid = self._find_in_meeting(UNKNOWN - region, lon, lat)
            if region == UNKNOWN:
                return self._find_exactly(lon, lat)
        if grid == BY_POINT and self._grids:
            grid, on_line = self._grids.of_point(int(self._owners[region]), lon, lat)
            return region, grid, on_line
        return region, grid, False

    def _find_in_meeting(self, meeting: int, lon: float, lat: float) -> tuple[int, int]:
        mask = self._reference_view[meeting]
        if mask < 0:
            return UNKNOWN, -1
        lon_0, lat_0, lon_1, slope, row_lon = self._edge_views
        from_lon, from_lat = self._reference_lon_view[meeting], self._reference_lat_view[meeting]
        for edge in range(self._first_edge_view[meeting], self._first_edge_view[meeting + 1]):
            start, end, on_row = lon_0[edge], lon_1[edge], row_lon[edge]
            if abs(start - lon) < _DOUBT or abs(end - lon) < _DOUBT or abs(on_row - lon) < _DOUBT:
                return UNKNOWN, -1
            crossed = (on_row < lon) != (on_row < from_lon)
            if (start <= lon) != (end <= lon):
                crossing = lat_0[edge] + (lon - start) * slope[edge]
                if abs(crossing - lat) < _DOUBT or abs(crossing - from_lat) < _DOUBT:
                    return UNKNOWN, -1
                crossed ^= (crossing < lat) != (crossing < from_lat)
            if crossed:
                mask ^= self._bits_view[edge]
        if mask == 0:
            return OUTSIDE, -1
        row = self._first_row_view[meeting] + (mask & -mask).bit_length() - 1
        return self._row_region_view[row], self._row_grid_view[row]

    def _find_exactly(self, lon: float, lat: float) -> tuple[int, int, bool]:
        region, grid, border = self._search(np.array([lon]), np.array([lat]))
        return int(region[0]), int(grid[0]), bool(border[0])

    def find_many(self, lon: Floats, lat: Floats) -> tuple[Indexes, Indexes, Flags]:
        """Region, grid and border flag of many points. Points that are no numbers are outside."""
        lattice = self.lattice
        u, v = (lon - lattice.lon) / self._step[0], (lat - lattice.lat) / self._step[1]
        # What lies beyond the raster goes to the middle of its outermost cells, which are empty; fmax drops NaN.
        u = np.fmin(np.fmax(u, self._left + 0.5), self._left + self._columns - 0.5)
        v = np.fmin(np.fmax(v, self._low + 0.5), self._low + self._rows - 0.5)
        column, row = np.floor(u), np.floor(v)
        du, dv = u - column, v - row
        on_line = (np.minimum(du, dv) <= ON_LINE) | (np.maximum(du, dv) >= 1.0 - ON_LINE)
        place = ((row - self._low) * self._columns + (column - self._left)).astype(np.int64)
        region = self._cells[place]
        grid = self._cell_grids[place]
        border = np.zeros(len(lon), dtype=bool)
        region[on_line] = OUTSIDE
        meeting = np.flatnonzero(region < OUTSIDE)
        region[meeting], grid[meeting] = self._find_in_meetings(UNKNOWN - region[meeting], lon[meeting], lat[meeting])
        region[on_line] = UNKNOWN
        unknown = np.flatnonzero(region == UNKNOWN)
        if len(unknown):
            region[unknown], grid[unknown], border[unknown] = self._search(lon[unknown], lat[unknown])
        if self._grids:
            self._grids_by_point(region, grid, border, lon, lat)
        return region, grid, border

    def _find_in_meetings(self, meeting: Indexes, lon: Floats, lat: Floats) -> tuple[Indexes, Indexes]:
        """The walk of :meth:`_find_in_meeting` for many points: one row for each point and edge of its cell."""
        mask = self._reference[meeting]
        first = self._first_edge[meeting]
        counts = self._first_edge[meeting + 1] - first
        point = np.repeat(np.arange(len(meeting)), counts)
        ends = np.cumsum(counts)
        edge = np.arange(len(point)) + np.repeat(first - (ends - counts), counts)
        x, y = lon[point], lat[point]
        from_lon, from_lat = self._reference_lon[meeting][point], self._reference_lat[meeting][point]
        start, end, on_row = self._lon_0[edge], self._lon_1[edge], self._row_lon[edge]
        spans = (start <= x) != (end <= x)
        with np.errstate(invalid="ignore"):
            crossing = np.where(spans, self._lat_0[edge] + (x - start) * self._slope[edge], np.inf)
        crossed = ((on_row < x) != (on_row < from_lon)) ^ ((crossing < y) != (crossing < from_lat))
        doubt = (np.abs(start - x) < _DOUBT) | (np.abs(end - x) < _DOUBT) | (np.abs(on_row - x) < _DOUBT)
        doubt |= (np.abs(crossing - y) < _DOUBT) | (np.abs(crossing - from_lat) < _DOUBT)
        if len(point):
            switched = np.where(crossed, self._edge_bits[edge], 0)
            mask ^= np.bitwise_xor.reduceat(switched, ends - counts)
        lowest = mask & -mask
        slot = np.frexp(lowest.astype(np.float64))[1] - 1
        row = np.maximum(self._first_row[meeting] + slot, 0)
        found = mask > 0
        region = np.where(found, self._row_region[row], np.int32(OUTSIDE))
        grid = np.where(found, self._row_grid[row], np.int32(-1))
        region[self._reference[meeting] < 0] = UNKNOWN
        region[point[doubt]] = UNKNOWN
        return region, grid

    def _search(self, lon: Floats, lat: Floats) -> tuple[Indexes, Indexes, Flags]:
        """Exact answers, polygon by polygon."""
        points = shapely.points(lon, lat)
        which, region = self._tree.query(points, predicate="intersects")
        found = np.full(len(lon), len(self._geometries), dtype=np.int32)
        np.minimum.at(found, which, region.astype(np.int32))
        found[found == len(self._geometries)] = OUTSIDE
        border = np.zeros(len(lon), dtype=bool)
        inside = np.flatnonzero(found >= 0)
        border[inside] = shapely.touches(self._geometries[found[inside]], points[inside])
        grid = np.where((found >= 0) & (self._owners[found] >= 0), np.int32(BY_POINT), np.int32(-1))
        if self._grids:
            self._grids_by_point(found, grid, border, lon, lat)
        return found, grid, border

    def _grids_by_point(self, region: Indexes, grid: Indexes, border: Flags, lon: Floats, lat: Floats) -> None:
        assert self._grids is not None
        for point in np.flatnonzero(grid == BY_POINT).tolist():
            owner = int(self._owners[region[point]])
            grid[point], on_line = self._grids.of_point(owner, float(lon[point]), float(lat[point]))
            border[point] |= on_line


def _xor(group: Ints, bits: Ints, count: int) -> Ints:
    """Exclusive or of the bits of each group 0..count-1."""
    result = np.zeros(count, dtype=np.int64)
    np.bitwise_xor.at(result, group, bits)
    return result


def _number_borders(edges: Edges) -> tuple[Ints, Ints]:
    """Number the borders: edges with the same two ends are one. Number of each edge, and an edge of each number."""
    count = len(edges.owner)
    ends = np.concatenate([edges.lon_0, edges.lon_1]), np.concatenate([edges.lat_0, edges.lat_1])
    vertex, _ = groups(*ends)
    low, high = np.minimum(vertex[:count], vertex[count:]), np.maximum(vertex[:count], vertex[count:])
    return groups(low, high)
