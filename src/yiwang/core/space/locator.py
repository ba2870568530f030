"""Point to region: exact, and quick enough to place a city's whole history."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.space.frame import Lattice, metres_per_degree
from yiwang.core.space.grids import UnitGrids
from yiwang.core.space.index import OUTSIDE, Indexes, RegionIndex
from yiwang.core.space.raster import Floats
from yiwang.core.space.regions import Region
from yiwang.core.space.tree import RegionTree

FLAGS = ("", "outside", "border", "default_point")

# Without unit grids the raster's cells are chosen so that about this many cover the city, within the sizes in metres.
_CELLS = 500_000
_CELL_SIZES_M = (20.0, 2_000.0)
# Points handled at a time in bulk: their columns stay in the processor's cache.
_CHUNK = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultPoint:
    """A position where records without a place land, with the radius in metres around it that counts as it."""

    lon: float
    lat: float
    radius_m: float = 25.0

    def __post_init__(self) -> None:
        if not (-180 <= self.lon <= 180 and -90 <= self.lat <= 90 and self.radius_m >= 0):
            message = Text("默认点无效：{point}。", "No such default point: {point}.", point=self)
            raise BadInput(Problem(message, file="pack.toml", column="default_points"))

    def covers(self, lon: Any, lat: Any) -> Any:
        """Whether a point, or which of an array of points, lies within the radius."""
        east, north = metres_per_degree(self.lat)
        return np.hypot((lon - self.lon) * east, (lat - self.lat) * north) <= self.radius_m


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where a point lies.

    Attributes:
        code: The finest region that holds it, empty if none does.
        grid: Its unit grid, empty if there is none.
        chain: Regions from the city down to the finest one.
        flag: Empty, or `outside` (no region holds it), `border` (it lies on an edge of its region or grid: of all that
        it
            touches the lowest code was taken), `default_point` (a known stand-in for "no place given": the region is
            where the stand-in lies, so place the record by its text instead).
    """

    code: str
    grid: str
    chain: tuple[Region, ...]
    flag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Locations:
    """Where many points lie, as columns of their number.

    Attributes:
        region: Index into `regions` of the finest region, -1 outside. int32.
        grid: Index into the unit grids, -1 for none. int32.
        flag: Index into `FLAGS`. uint8.
        regions: Every region that has a geometry.
        grids: The unit grids, if the locator has any.
    """

    region: Indexes
    grid: Indexes
    flag: NDArray[np.uint8]
    regions: tuple[Region, ...]
    grids: UnitGrids | None

    def __len__(self) -> int:
        return len(self.region)

    def region_codes(self) -> NDArray[np.str_]:
        """Code of each point's finest region, empty outside."""
        return np.array([*(region.code for region in self.regions), ""])[self.region]

    def grid_codes(self) -> NDArray[np.str_]:
        """Code of each point's unit grid, empty without one."""
        codes = self.grids.codes if self.grids else np.array([], dtype="U1")
        return np.append(codes, "")[self.grid]

    def flags(self) -> NDArray[np.str_]:
        """Flag of each point as text."""
        return np.array(FLAGS)[self.flag]


class Locator:
    """Places points in a region tree and in its unit grids.

    Give it the tree of one day (`tree.on(day)`). Of the regions that hold a point one of the lowest level wins, and of
    these the one with the lowest code. Coordinates are WGS 84; see :func:`yiwang.core.space.crs.to_wgs84`.

    Args:
        tree: Regions; those without a geometry are found only as parents.
        grids: Unit grids made from the same tree.
        default_points: Known stand-ins for "no place given".
    """

    def __init__(
        self, *, tree: RegionTree, grids: UnitGrids | None = None, default_points: Sequence[DefaultPoint] = ()
    ) -> None:
        self.tree = tree
        self.grids = grids
        self.default_points = tuple(default_points)
        self.regions = tuple(region for region in tree if region.geometry is not None)
        self._chains = tuple(tree.chain(region.code) for region in self.regions)
        self._levels = [
            members
            for level in reversed(tree.levels)
            if (members := [number for number, region in enumerate(self.regions) if region.level == level.id])
        ]
        self._layers: dict[int, tuple[RegionIndex, Indexes]] = {}
        if self._levels:
            self._layer(0)

    def _layer(self, number: int) -> tuple[RegionIndex, Indexes]:
        """The index of one level, the lowest first; upper ones are made when a point is in no lower region."""
        layer = self._layers.get(number)
        if layer is None:
            members = self._levels[number]
            geometries = [self.regions[member].geometry for member in members]
            owners = None
            if self.grids and number == 0:
                owners = np.array([self.grids.owner(self.regions[member].code) for member in members], dtype=np.int64)
            grids = self.grids if owners is not None and np.any(owners >= 0) else None
            lattice = grids.lattice if grids else self._raster()
            index = RegionIndex(geometries=geometries, lattice=lattice, grids=grids, owners=owners)
            # The entry behind the last answers -1.
            layer = (index, np.array([*members, OUTSIDE], dtype=np.int32))
            self._layers[number] = layer
        return layer

    def _raster(self) -> Lattice:
        bounds = np.array([region.bounds for region in self.regions])
        west, south = bounds[:, :2].min(axis=0).tolist()
        east, north = bounds[:, 2:].max(axis=0).tolist()
        east_m, north_m = metres_per_degree((south + north) / 2)
        size_m = math.sqrt((east - west) * east_m * (north - south) * north_m / _CELLS)
        size_m = min(max(size_m, _CELL_SIZES_M[0]), _CELL_SIZES_M[1])
        return Lattice.around((west, south, east, north), size_m=size_m)

    def locate(self, lon: float, lat: float) -> Location:
        """Place one point, in a few microseconds. What is no finite number lies outside."""
        region, grid, border = OUTSIDE, -1, False
        for number in range(len(self._levels)):
            index, members = self._layer(number)
            found, grid, border = index.find(lon, lat)
            if found >= 0:
                region = int(members[found])
                break
        flag = "outside" if region < 0 else ("border" if border else "")
        if self.default_points and self._is_default(lon, lat):
            flag = "default_point"
        return Location(
            code=self.regions[region].code if region >= 0 else "",
            grid=self.grids.code(grid) if grid >= 0 and self.grids else "",
            chain=self._chains[region] if region >= 0 else (),
            flag=flag,
        )

    def _is_default(self, lon: float, lat: float) -> bool:
        return any(point.covers(lon, lat) for point in self.default_points)

    def locate_many(self, lons: ArrayLike, lats: ArrayLike) -> Locations:
        """Place many points at once; the answers are those of :meth:`locate`.

        Args:
            lons, lats: Two columns of degrees, of one length.

        Raises:
            BadInput: the columns differ in length.
        """
        lon, lat = np.asarray(lons, dtype=np.float64).ravel(), np.asarray(lats, dtype=np.float64).ravel()
        if len(lon) != len(lat):
            raise BadInput(
                Problem(
                    Text(
                        "经度 {lons} 个，纬度 {lats} 个。",
                        "{lons} longitudes, {lats} latitudes.",
                        lons=len(lon),
                        lats=len(lat),
                    ),
                    hint=Text("每个点各给一个。", "Give one of each per point."),
                )
            )
        region = np.full(len(lon), OUTSIDE, dtype=np.int32)
        grid = np.full(len(lon), -1, dtype=np.int32)
        flag = np.zeros(len(lon), dtype=np.uint8)
        for start in range(0, len(lon), _CHUNK):
            part = slice(start, start + _CHUNK)
            self._locate_chunk(lon[part], lat[part], region[part], grid[part], flag[part])
        return Locations(region=region, grid=grid, flag=flag, regions=self.regions, grids=self.grids)

    def _locate_chunk(self, lon: Floats, lat: Floats, region: Indexes, grid: Indexes, flag: NDArray[np.uint8]) -> None:
        waiting = np.arange(len(lon))
        for number in range(len(self._levels)):
            index, members = self._layer(number)
            found, found_grid, border = index.find_many(lon[waiting], lat[waiting])
            region[waiting] = members[found]
            grid[waiting] = found_grid
            flag[waiting[border]] = FLAGS.index("border")
            waiting = waiting[found < 0]
            if len(waiting) == 0:
                break
        flag[waiting] = FLAGS.index("outside")
        for point in self.default_points:
            flag[point.covers(lon, lat)] = FLAGS.index("default_point")


def default_points_from(rows: Sequence[Mapping[str, float]]) -> tuple[DefaultPoint, ...]:
    """Default points from the pack's `default_points` tables.

    Raises:
        BadInput: a table lacks `lon` or `lat`, or has a key that is none of lon, lat, radius_m.
    """
    problems = []
    for row in rows:
        if not {"lon", "lat"} <= set(row) <= {"lon", "lat", "radius_m"}:
            message = Text("{point} 不是默认点。", "Default point {point} is not one.", point=dict(row))
            hint = Text(
                "请写以度为单位的 lon 和 lat；半径不是 25 米时再写 radius_m。",
                "lon and lat in degrees, and radius_m if it is not 25.",
            )
            problems.append(Problem(message, hint, "pack.toml", None, "default_points"))
    if problems:
        raise BadInput(problems)
    return tuple(DefaultPoint(**row) for row in rows)
