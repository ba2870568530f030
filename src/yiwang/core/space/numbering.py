"""Making unit grids: cutting communities into grids and giving these numbers that outlast changes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from shapely import Geometry

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.space.frame import Lattice
from yiwang.core.space.grids import GridRules, UnitGrids
from yiwang.core.space.pieces import Pieces, join_small, pieces_of
from yiwang.core.space.raster import Ints
from yiwang.core.space.tree import RegionTree


def generate_unit_grids(
    *, tree: RegionTree, rules: GridRules | None = None, previous: UnitGrids | None = None
) -> UnitGrids:
    """Divide every region of the lowest level that has a geometry into unit grids.

    Args:
        tree: The regions in force on the day of the division.
        rules: Size, code and so on; those of `previous`, else the defaults.
        previous: The division before this one. A grid with the same cells and area keeps its code; others get numbers
            above every number ever used in their community. Its lattice stays in use unless the rules declare another
            size or origin; then every grid is new.

    Returns:
        The new division. With more than 999 cells (on three decimal places) a community gets cells of twice, three
        times … the nominal side, as few as needed.

    Raises:
        BadInput: the code width leaves no place for a number, no region has a geometry, or the numbers of a community
        are
            used up.
    """
    rules = rules or (previous.rules if previous else GridRules())
    places = rules.code_width - tree.levels[-1].width
    if places < 1:
        hint = Text(
            "应大于 {width}，即层级「{level}」的编码长度。",
            "More than {width}, the width of level {level!r}.",
            width=tree.levels[-1].width,
            level=tree.levels[-1].id,
        )
        message = Text(
            "网格编码长度 {width} 没有给序号留位置。",
            "Grid code width {width} leaves no place for a number.",
            width=rules.code_width,
        )
        raise BadInput(Problem(message, hint=hint, file="pack.toml", column="grid.code_width"))
    regions = [region for region in tree.at_level(tree.levels[-1].id) if region.geometry is not None]
    if not regions:
        message = Text(
            "层级「{level}」的区域都没有图形。",
            "No region of level {level!r} has a geometry.",
            level=tree.levels[-1].id,
        )
        raise BadInput(Problem(message, file="regions.geojson.gz"))
    codes, geometries = [region.code for region in regions], [region.geometry for region in regions]
    lattice = _lattice(geometries, rules, previous)
    return _Maker(codes, geometries, rules, lattice, previous, len(rules.alphabet) ** places - 1).make()


def _lattice(geometries: Sequence[Geometry], rules: GridRules, previous: UnitGrids | None) -> Lattice:
    if previous and rules.size_m == previous.lattice.size_m and rules.origin == previous.rules.origin:
        return previous.lattice
    if rules.origin:
        return Lattice(lon=rules.origin[0], lat=rules.origin[1], size_m=rules.size_m)
    bounds = np.array([geometry.bounds for geometry in geometries])
    west, south = bounds[:, :2].min(axis=0).tolist()
    east, north = bounds[:, 2:].max(axis=0).tolist()
    return Lattice.around((west, south, east, north), size_m=rules.size_m)


class _Maker:
    """One division in the making: pieces, the grids that they join into, and the grids' numbers."""

    def __init__(
        self,
        codes: list[str],
        geometries: list[Geometry],
        rules: GridRules,
        lattice: Lattice,
        previous: UnitGrids | None,
        capacity: int,
    ) -> None:
        self.codes = codes
        self.geometries = geometries
        self.rules = rules
        self.lattice = lattice
        self.previous = previous
        self.capacity = capacity
        self.used = np.array([previous.highest.get(code, 0) if previous else 0 for code in codes], dtype=np.int64)
        self.scale = np.array([self.first_scale(owner) for owner in range(len(codes))], dtype=np.int64)
        self.same_lattice = previous is not None and previous.lattice == lattice

    def first_scale(self, owner: int) -> int:
        """The scale of the previous division, which keeps codes; else the least at which the numbers can reach."""
        earlier = self.previous.owner(self.codes[owner]) if self.previous else -1
        if self.previous and earlier >= 0:
            return int(self.previous.scale[earlier])
        step_lon, step_lat = self.lattice.step
        cells = self.geometries[owner].area / (step_lon * step_lat)
        return max(1, math.ceil(math.sqrt(cells / max(1, self.capacity - int(self.used[owner])))))

    def make(self) -> UnitGrids:
        """Cut, number, and cut communities that ran out of numbers again with larger cells."""
        while True:
            pieces, root = _together([self.cut(scale) for scale in np.unique(self.scale).tolist()])
            grid_of_piece, grid_owner, kept = self.grids(pieces, root)
            number, needed = self.number(grid_owner, kept)
            overfull = np.flatnonzero(needed > self.capacity)
            if len(overfull) == 0:
                break
            self.enlarge(overfull, grid_owner)
        order = np.lexsort((number, grid_owner))
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        highest = dict(self.previous.highest) if self.previous else {}
        highest |= dict(zip(self.codes, needed.tolist(), strict=True))
        return UnitGrids(
            rules=self.rules,
            lattice=self.lattice,
            region_codes=self.codes,
            geometries=self.geometries,
            scale=self.scale,
            pieces=pieces,
            grid_of_piece=place[grid_of_piece],
            grid_owner=grid_owner[order],
            grid_number=number[order],
            highest=highest,
        )

    def cut(self, scale: int) -> tuple[Pieces, Ints]:
        """Pieces of the communities of one scale, and the piece that each joins."""
        owners = np.flatnonzero(self.scale == scale)
        geometries = [self.geometries[owner] for owner in owners]
        found = pieces_of(geometries, lattice=self.lattice, scale=scale)
        root = join_small(
            found, geometries, smallest_share=self.rules.smallest_share, lattice=self.lattice, scale=scale
        )
        pieces = Pieces(
            owner=owners[found.owner], i=found.i, j=found.j, area=found.area, sides=found.sides, parts=found.parts
        )
        return pieces, root

    def grids(self, pieces: Pieces, root: Ints) -> tuple[Ints, Ints, Ints]:
        """Grid of each piece, owner of each grid, and the number that each grid keeps from the previous division (0
        none).

        Grids come in the order of numbering: by community, rows from north to south, from west to east in a row.
        """
        roots = np.unique(root)
        order = np.lexsort((roots, pieces.i[roots], -pieces.j[roots], pieces.owner[roots]))
        grid_of_root = np.full(len(pieces), -1, dtype=np.int64)
        grid_of_root[roots[order]] = np.arange(len(roots))
        grid_of_piece = grid_of_root[root]
        grid_owner = pieces.owner[roots[order]]
        kept = np.zeros(len(roots), dtype=np.int64)
        if self.previous and self.same_lattice and len(self.previous):
            earlier, size = self.previous.pieces_like(pieces, self.codes, self.scale)
            count = np.bincount(grid_of_piece, minlength=len(roots))
            lowest = np.full(len(roots), len(self.previous), dtype=np.int64)
            highest = np.full(len(roots), -1, dtype=np.int64)
            np.minimum.at(lowest, grid_of_piece, earlier)
            np.maximum.at(highest, grid_of_piece, earlier)
            matching = np.zeros(len(roots), dtype=np.int64)
            np.maximum.at(matching, grid_of_piece, size)
            same = (lowest == highest) & (lowest >= 0) & (matching == count)
            kept[same] = self.previous.grid_number[lowest[same]]
        return grid_of_piece, grid_owner, kept

    def number(self, grid_owner: Ints, kept: Ints) -> tuple[Ints, Ints]:
        """Number of each grid, and the highest number used so far in each community."""
        new = kept == 0
        rank = np.cumsum(new)
        count = np.bincount(grid_owner, weights=new, minlength=len(self.codes)).astype(np.int64)
        before = np.cumsum(count) - count
        return np.where(new, self.used[grid_owner] + rank - before[grid_owner], kept), self.used + count

    def enlarge(self, overfull: Ints, grid_owner: Ints) -> None:
        """Give communities that ran out of numbers larger cells, about as large as needed."""
        free = self.capacity - self.used[overfull]
        if np.any(free < 1):
            codes = [self.codes[owner] for owner in overfull[free < 1]]
            hint = Text(
                "请在 pack.toml 的 [grid] 中声明字符集 0-9A-Z 或更长的编码；停用的序号不会再用。",
                "Declare alphabet 0-9A-Z or a wider code in pack.toml's [grid]; retired numbers are not used again.",
            )
            raise BadInput(
                Problem(
                    Text(
                        "区域「{code}」的网格序号已用完。",
                        "The grid numbers of region {code!r} are used up.",
                        code=code,
                    ),
                    hint=hint,
                )
                for code in codes
            )
        count = np.bincount(grid_owner, minlength=len(self.codes))[overfull]
        factor = np.sqrt(count / free)
        self.scale[overfull] = np.maximum(
            self.scale[overfull] + 1, np.floor(self.scale[overfull] * factor).astype(np.int64)
        )


def _together(tables: list[tuple[Pieces, Ints]]) -> tuple[Pieces, Ints]:
    """The pieces of all scales as one table, sorted by community."""
    found = [table for table in tables if len(table[0])]
    if len(found) == 1:
        return found[0]
    offsets = np.cumsum([0, *(len(pieces) for pieces, _ in found)])
    owner = np.concatenate([pieces.owner for pieces, _ in found])
    root = np.concatenate([root + offset for (_, root), offset in zip(found, offsets[:-1], strict=True)])
    order = np.argsort(owner, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    parts: dict[int, Geometry] = {}
    for (pieces, _), offset in zip(found, offsets[:-1], strict=True):
        parts |= {int(place[piece + offset]): part for piece, part in pieces.parts.items()}
    together = Pieces(
        owner=owner[order],
        i=np.concatenate([pieces.i for pieces, _ in found])[order],
        j=np.concatenate([pieces.j for pieces, _ in found])[order],
        area=np.concatenate([pieces.area for pieces, _ in found])[order],
        sides=np.concatenate([pieces.sides for pieces, _ in found])[order],
        parts=parts,
    )
    return together, place[root[order]]
