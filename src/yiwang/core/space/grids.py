"""Unit grids: the smallest cells of the city, made for every community that has a geometry, and numbered.

A unit grid is one cell of the city's lattice, clipped to its community, together with the small pieces that joined it.
Which grid a point lies in follows from its community and its lattice cell, never from a clipped polygon, so grids
leave no gap and never overlap; the polygons are drawn from the same cells.

What the standard asks (GB/T 30428.1, DB11 as reported in the reference): inside one community, closed, seamless; code =
community code and a sequence number, from west to east, then north to south; a changed grid gets a new number and the
old one is never used again.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Geometry

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.space.frame import Lattice
from yiwang.core.space.pieces import CellKeys, Pieces, cell_boxes
from yiwang.core.space.raster import NOTHING, ON_LINE, Floats, Ints, sums
from yiwang.core.space.tree import RegionTree

DIGITS = "0123456789"
BASE_36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

# Two cuts of an unchanged boundary agree to rounding: 1e-7 of a cell is 10 cm2.
_SAME_AREA = 1e-7

# Grid, in degrees, on which clipped pieces are joined where rounding keeps them apart: 0.1 mm.
_HAIR = 1e-9

_FORMAT = 1
_ANEW = Text("请重新生成。", "Make them anew.")
_WHOLE_COLUMNS = ("scale", "owner", "i", "j", "grid_of_piece", "grid_owner", "grid_number")


@dataclass(frozen=True, slots=True, kw_only=True)
class GridRules:
    """How a city's grids are made: the pack's `[grid]` table.

    Attributes:
        size_m: Nominal side in metres. A community with more cells than its numbers reach gets a whole multiple of it.
        code_width: Length of a grid's code: the community's and the sequence number.
        smallest_share: Pieces below this share of a nominal cell join a neighbour.
        alphabet: Characters of the sequence number: decimal digits, or 0-9A-Z for 46,655 grids on three places.
        origin: Longitude and latitude of the lattice's origin; None puts it at the middle of the city.
    """

    size_m: float = 100.0
    code_width: int = 15
    smallest_share: float = 0.25
    alphabet: str = DIGITS
    origin: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GridChanges:
    """What a new division did to the codes of the one before."""

    kept: tuple[str, ...]
    added: tuple[str, ...]
    retired: tuple[str, ...]


class UnitGrids:
    """The unit grids of a city. Made by :func:`generate_unit_grids`, stored and read as bytes.

    Grids are numbered 0..n-1 in the order of their codes; `area_m2` holds their areas on the ellipsoid in that order.
    """

    def __init__(
        self,
        *,
        rules: GridRules,
        lattice: Lattice,
        region_codes: Sequence[str],
        geometries: Sequence[Geometry],
        scale: Ints,
        pieces: Pieces,
        grid_of_piece: Ints,
        grid_owner: Ints,
        grid_number: Ints,
        highest: Mapping[str, int],
    ) -> None:
        self.rules = rules
        self.lattice = lattice
        self.region_codes = tuple(region_codes)
        self.scale = scale
        self.grid_owner = grid_owner
        self.grid_number = grid_number
        self.highest = dict(highest)
        self._geometries = np.array(geometries, dtype=object)
        self._pieces = pieces
        self._grid_of_piece = grid_of_piece
        self._keys = CellKeys(pieces.owner, pieces.i, pieces.j)
        self._owner_of_code = {code: owner for owner, code in enumerate(self.region_codes)}
        self._has_parts = np.zeros(len(pieces), dtype=bool)
        self._has_parts[list(pieces.parts)] = True
        side = scale[pieces.owner]
        middle = (pieces.j + 0.5) * side
        piece_area: Floats = pieces.area * (side * side) * lattice.cell_area_m2(middle.astype(np.float64))
        self.area_m2 = sums(grid_of_piece, piece_area, len(grid_owner))

    def __len__(self) -> int:
        return len(self.grid_owner)

    def __contains__(self, code: object) -> bool:
        return isinstance(code, str) and self._find(code) >= 0

    def code(self, grid: int) -> str:
        """Code of a grid by its index."""
        return self.region_codes[int(self.grid_owner[grid])] + self._number_texts[int(self.grid_number[grid])]

    @cached_property
    def codes(self) -> NDArray[np.str_]:
        """Every code, sorted."""
        if len(self) == 0:
            return np.array([], dtype=f"U{self.rules.code_width}")
        regions, numbers = np.array(self.region_codes), np.array(self._number_texts)
        return np.char.add(regions[self.grid_owner], numbers[self.grid_number])

    def region_code(self, grid: int) -> str:
        """Code of the community that a grid lies in."""
        return self.region_codes[int(self.grid_owner[grid])]

    def index(self, code: str) -> int:
        """Index of a code.

        Raises:
            BadInput: no grid has it.
        """
        grid = self._find(code)
        if grid < 0:
            raise BadInput(Text("单元网格「{code}」不存在。", "Unknown unit grid {code!r}.", code=code))
        return grid

    def in_region(self, region_code: str) -> range:
        """Indexes of the grids of one community."""
        owner = self._owner_of_code.get(region_code, -1)
        return range(*np.searchsorted(self.grid_owner, [owner, owner + 1]).tolist())

    def polygon(self, code: str) -> Geometry:
        """Outline of a grid in degrees.

        It tiles with its neighbours up to rounding: 1e-14 degree as a rule, 1e-9 (0.1 mm) where pieces had to be
        pulled together.

        Raises:
            BadInput: no grid has this code.
        """
        grid = self.index(code)
        owner = int(self.grid_owner[grid])
        start, end = np.searchsorted(self._pieces.owner, [owner, owner + 1])
        pieces = start + np.flatnonzero(self._grid_of_piece[start:end] == grid)
        return _join(self._piece_shapes(pieces))

    def polygons(self, region_code: str) -> dict[str, Geometry]:
        """Outlines of all grids of one community by code, in degrees."""
        owner = self._owner_of_code.get(region_code, -1)
        start, end = np.searchsorted(self._pieces.owner, [owner, owner + 1])
        pieces = np.arange(start, end)
        shapes = self._piece_shapes(pieces)
        grids = self._grid_of_piece[pieces]
        order = np.argsort(grids, kind="stable")
        stretches = np.split(order, np.flatnonzero(np.diff(grids[order])) + 1) if len(order) else []
        return {self.code(int(grids[stretch[0]])): _join(shapes[stretch]) for stretch in stretches}

    def _piece_shapes(self, pieces: Ints) -> NDArray[np.object_]:
        """Clipped pieces; whole squares and the parts of cells that fall apart need no clipping."""
        table = self._pieces
        owner = table.owner[pieces]
        shapes = cell_boxes(table.i[pieces], table.j[pieces], lattice=self.lattice, scale=self.scale[owner])
        if any(geometry is None for geometry in self._geometries[np.unique(owner)]):
            raise BadInput(
                Problem(
                    Text("读取这些单元网格时没有带上社区。", "These unit grids were read without their communities."),
                    hint=Text("请连同区域树一起读取。", "Read them with a tree."),
                )
            )
        clipped = (table.area[pieces] < 1.0) & ~self._has_parts[pieces]
        shapes[clipped] = _polygons_only(
            shapely.intersection(self._geometries[owner[clipped]], shapes[clipped]),
            speck=NOTHING * math.prod(self.lattice.step),
        )
        for place in np.flatnonzero(self._has_parts[pieces]):
            shapes[place] = table.parts[int(pieces[place])]
        return shapes

    def owner(self, region_code: str) -> int:
        """Index of a community among `region_codes`, or -1."""
        return self._owner_of_code.get(region_code, -1)

    def of_cells(self, owner: Ints, i: Ints, j: Ints) -> Ints:
        """Grid of base lattice cells, given the community: -1 for none, -2 where parts must be told apart."""
        side = self.scale[owner]
        piece = self._keys.find(owner, i // side, j // side)
        found = np.where(piece < 0, -1, self._grid_of_piece[piece])
        return np.where((piece >= 0) & self._has_parts[piece], -2, found)

    def of_point(self, owner: int, lon: float, lat: float) -> tuple[int, bool]:
        """Grid of a point known to lie in a community, and whether it lies on a line between grids.

        On a line the lowest code wins. A point whose own cell holds no piece (one of nothing but rounding) goes to the
        nearest.
        """
        side = int(self.scale[owner])
        u, v = (value / side for value in self.lattice.to_cells(lon, lat))
        columns = np.unique(np.floor([u - ON_LINE, u + ON_LINE])).astype(np.int64)
        rows = np.unique(np.floor([v - ON_LINE, v + ON_LINE])).astype(np.int64)
        pieces = self._pieces_of_cells(owner, columns, rows)
        if not pieces:
            around = np.arange(-1, 2)
            pieces = self._nearest(self._pieces_of_cells(owner, columns[0] + around, rows[0] + around), lon, lat)
        elif len(pieces) > 1:
            on_line = len(columns) + len(rows) > 2
            pieces = self._touching(pieces, lon, lat) if on_line else self._nearest(pieces, lon, lat)
        grids = {int(self._grid_of_piece[piece]) for piece in pieces}
        return (min(grids), len(grids) > 1) if grids else (-1, False)

    def _pieces_of_cells(self, owner: int, columns: Ints, rows: Ints) -> list[int]:
        i, j = (part.ravel() for part in np.meshgrid(columns, rows))
        found = self._keys.find(np.full(len(i), owner), i, j)
        pieces: list[int] = []
        for piece in found[found >= 0].tolist():
            last = piece + 1
            while self._has_parts[piece] and last < len(self._pieces) and self._same_cell(piece, last):
                last += 1
            pieces += range(piece, last)
        return pieces

    def _same_cell(self, one: int, other: int) -> bool:
        table = self._pieces
        return bool(
            table.owner[one] == table.owner[other] and table.i[one] == table.i[other] and table.j[one] == table.j[other]
        )

    def _touching(self, pieces: list[int], lon: float, lat: float) -> list[int]:
        """The pieces that a point on a lattice line touches; the nearest if rounding leaves none."""
        reach = 2 * ON_LINE * max(self.lattice.step) * int(self.scale.max())
        distance = shapely.distance(self._piece_shapes(np.array(pieces)), shapely.Point(lon, lat))
        near = [piece for piece, away in zip(pieces, distance, strict=True) if away <= reach]
        return near or self._nearest(pieces, lon, lat)

    def _nearest(self, pieces: list[int], lon: float, lat: float) -> list[int]:
        if not pieces:
            return []
        distance = shapely.distance(self._piece_shapes(np.array(pieces)), shapely.Point(lon, lat))
        return [pieces[int(np.argmin(distance))]]

    def pieces_like(self, pieces: Pieces, region_codes: Sequence[str], scale: Ints) -> tuple[Ints, Ints]:
        """For pieces of a newer division: the grid that an identical piece belongs to here (-1 none), and its piece
        count.

        Identical: same community, same cell at the same scale, same place among the cell's parts, same area.
        """
        owner = np.array([self.owner(code) for code in region_codes], dtype=np.int64)[pieces.owner]
        owner[(owner >= 0) & (self.scale[owner] != scale[pieces.owner])] = -1
        own = CellKeys(pieces.owner, pieces.i, pieces.j).find(pieces.owner, pieces.i, pieces.j)
        place = np.arange(len(pieces)) - own
        here = self._keys.find(owner, pieces.i, pieces.j)
        there = np.clip(here + place, 0, max(0, len(self._pieces) - 1))
        table = self._pieces
        same = (here >= 0) & (table.owner[there] == owner) & (table.i[there] == pieces.i) & (table.j[there] == pieces.j)
        same &= np.abs(table.area[there] - pieces.area) < _SAME_AREA
        grid = np.where(same, self._grid_of_piece[there], -1)
        count = np.bincount(self._grid_of_piece, minlength=len(self))
        return grid, np.where(same, count[grid], 0)

    def changes_from(self, previous: UnitGrids) -> GridChanges:
        """Codes that a new division keeps, adds and retires."""
        now, before = set(self.codes.tolist()), set(previous.codes.tolist())
        return GridChanges(
            kept=tuple(sorted(now & before)), added=tuple(sorted(now - before)), retired=tuple(sorted(before - now))
        )

    def to_bytes(self) -> bytes:
        """Everything but the communities' own geometry, as a compressed NumPy archive."""
        table = self._pieces
        header = {
            "version": _FORMAT,
            "rules": asdict(self.rules),
            "lattice": asdict(self.lattice),
            "region_codes": self.region_codes,
            "highest": self.highest,
            "fingerprint": _fingerprint(self._geometries),
            "parts": {str(piece): shapely.to_wkb(part, hex=True) for piece, part in table.parts.items()},
        }
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            header=np.frombuffer(json.dumps(header).encode(), dtype=np.uint8),
            scale=self.scale,
            owner=table.owner.astype(np.int32),
            i=table.i.astype(np.int32),
            j=table.j.astype(np.int32),
            area=table.area,
            grid_of_piece=self._grid_of_piece.astype(np.int32),
            grid_owner=self.grid_owner.astype(np.int32),
            grid_number=self.grid_number.astype(np.int32),
        )
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes, *, tree: RegionTree | None = None) -> UnitGrids:
        """Grids from :meth:`to_bytes`, with the tree whose communities they divide.

        Without a tree they can be the `previous` of a new division, for which codes and areas are enough, but can
        neither place points nor be drawn.

        Raises:
            BadInput: the bytes are no grids of this version, or the communities are not those that they were made from.
        """
        try:
            archive = np.load(io.BytesIO(data), allow_pickle=False)
            header = json.loads(archive["header"].tobytes())
            arrays = {name: archive[name].astype(np.int64) for name in _WHOLE_COLUMNS}
            area = archive["area"]
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
            message = Text(
                "存储的单元网格无法读取：{error}。", "Stored unit grids cannot be read: {error}.", error=error
            )
            raise BadInput(Problem(message, hint=_ANEW)) from error
        if header.get("version") != _FORMAT:
            raise BadInput(
                Problem(
                    Text(
                        "存储的单元网格版本是 {version}。",
                        "Stored unit grids are of version {version}.",
                        version=header.get("version"),
                    ),
                    hint=_ANEW,
                )
            )
        regions = [tree.get(code) if tree else None for code in header["region_codes"]]
        geometries = [region.geometry if region else None for region in regions]
        if tree and _fingerprint(geometries) != header["fingerprint"]:
            message = Text(
                "社区与存储的单元网格所用的已不相同。",
                "The communities are no longer those of the stored unit grids.",
            )
            hint = Text("请用生成它们时的区域树读取。", "Read them with the tree that they were made from.")
            raise BadInput(Problem(message, hint=hint))
        parts = {int(piece): shapely.from_wkb(text) for piece, text in header["parts"].items()}
        rules = header["rules"] | {"origin": tuple(header["rules"]["origin"]) if header["rules"]["origin"] else None}
        return cls(
            rules=GridRules(**rules),
            lattice=Lattice(**header["lattice"]),
            region_codes=header["region_codes"],
            geometries=geometries,
            scale=arrays["scale"],
            pieces=Pieces(
                owner=arrays["owner"],
                i=arrays["i"],
                j=arrays["j"],
                area=area,
                sides=np.empty((0, 4)),
                parts=parts,
            ),
            grid_of_piece=arrays["grid_of_piece"],
            grid_owner=arrays["grid_owner"],
            grid_number=arrays["grid_number"],
            highest=header["highest"],
        )

    def _find(self, code: str) -> int:
        width = self.rules.code_width - self._places
        owner = self._owner_of_code.get(code[:width], -1)
        if owner < 0 or len(code) != self.rules.code_width:
            return -1
        start, end = np.searchsorted(self.grid_owner, [owner, owner + 1])
        number = _number(code[width:], self.rules.alphabet)
        place = start + int(np.searchsorted(self.grid_number[start:end], number))
        return int(place) if place < end and self.grid_number[place] == number else -1

    @cached_property
    def _places(self) -> int:
        return self.rules.code_width - (len(self.region_codes[0]) if self.region_codes else 0)

    @cached_property
    def _number_texts(self) -> list[str]:
        highest = int(self.grid_number.max(initial=0))
        return [number_text(number, self.rules.alphabet, self._places) for number in range(highest + 1)]


def number_text(number: int, alphabet: str, places: int) -> str:
    """A sequence number written with the characters of an alphabet, filled up with its zero."""
    text = ""
    while number:
        number, digit = divmod(number, len(alphabet))
        text = alphabet[digit] + text
    return text.rjust(places, alphabet[0])


def _number(text: str, alphabet: str) -> int:
    number = 0
    for character in text:
        digit = alphabet.find(character)
        if digit < 0:
            return -1
        number = number * len(alphabet) + digit
    return number


def _polygons_only(shapes: NDArray[np.object_], *, speck: float) -> NDArray[np.object_]:
    """Drop what a cut along a border leaves beside the polygon itself: lines, points and specks."""
    for place in np.flatnonzero(shapely.get_type_id(shapes) != shapely.GeometryType.POLYGON):
        parts = shapely.get_parts(shapely.get_parts(shapes[place]))
        area = shapely.area(parts)
        shapes[place] = shapely.union_all(parts[area > min(speck, area.max(initial=0.0) / 2)])
    return shapes


def _join(shapes: NDArray[np.object_]) -> Geometry:
    """Union of adjacent pieces; their sides meet on a lattice line, where rounding may leave a hair between them."""
    if len(shapes) == 1:
        return shapes[0]
    joined = shapely.union_all(shapes)
    if joined.geom_type != "Polygon":
        joined = shapely.union_all(shapes, grid_size=_HAIR)
    parts = shapely.get_parts(joined)
    return parts[0] if len(parts) == 1 else joined


def _fingerprint(geometries: Iterable[Geometry]) -> str:
    digest = hashlib.sha256()
    for geometry in geometries:
        digest.update(shapely.to_wkb(geometry, byte_order=1) or b"none")
    return digest.hexdigest()
