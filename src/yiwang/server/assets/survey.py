"""A surveyor's file of components, read in blocks: CSV, workbook, GeoJSON, GeoPackage, Shapefile.

Tables are read as a stream by `yiwang.packs.records.file`, geographic files by pyogrio (GDAL). What the columns mean is
given, or read off their headings, which are known in the words of both standards. A row that cannot be used is named with its
number and column and left out.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.core.space.crs import SYSTEMS, to_wgs84
from yiwang.packs.hints import did_you_mean
from yiwang.packs.records.file import Row, open_rows
from yiwang.packs.records.places import HINT, is_known_system
from yiwang.server.common.spreadsheets import is_formula

BLOCK = 20_000
# Headings by field: those of GB/T 47678.5 (table 2), of GB/T 30428.2 as city systems use them, and plain words.
HEADINGS: Mapping[str, tuple[str, ...]] = {
    "code": ("code", "标识码", "部件标识码", "管理部件标识码", "部件编码", "glbjbsm", "objid"),
    "source_id": ("source_id", "id", "编号", "原编号", "objectid", "fid"),
    "name": ("name", "名称", "部件名称", "管理部件名称", "glbjmc", "objname"),
    "lon": ("lon", "lng", "longitude", "x", "经度", "pointx"),
    "lat": ("lat", "latitude", "y", "纬度", "pointy"),
    "state": ("state", "status", "状态", "部件状态", "glbjzt", "objstate"),
    "authority": ("authority", "主管部门", "主管部门名称", "zgbmmc", "deptname1"),
    "owner": ("owner", "权属单位", "权属单位名称", "qsdwmc", "deptname2"),
    "maintainer": ("maintainer", "养护单位", "养护单位名称", "yhdwmc", "deptname3"),
    "first_on": ("first_on", "since", "初始日期", "csrq", "ordate"),
    "source": ("source", "数据来源", "sjly", "datasource"),
    "note": ("note", "remarks", "备注", "bz"),
}
FIELDS = tuple(HEADINGS)
# Columns of our own exports that follow from the others: neither read nor kept.
_FOLLOWS = ("kind", "region", "grid", "changed_on")
_BY_HEADING = {heading: name for name, headings in HEADINGS.items() for heading in headings}
_GEOGRAPHIC = (".geojson", ".json", ".gpkg", ".shp", ".zip", ".fgb")


def _plain(heading: str) -> str:
    return unicodedata.normalize("NFKC", heading).strip().lower()


@dataclass(slots=True)
class Block:
    """Some rows of the file.

    Attributes:
        rows: Their numbers, as a spreadsheet shows them; features of a geographic file count from 1.
        fields: Field → its text in each row, for the fields that the file has.
        places: Longitude and latitude in degrees (WGS 84), NaN where a row has none.
        attributes: The other columns of each row that are kept, empty cells left out.
        faults: Why a row has no place or could not be read, by its index in the block.
    """

    rows: list[int]
    fields: dict[str, list[str]]
    places: NDArray[np.float64]
    attributes: list[dict[str, str]]
    faults: dict[int, Problem] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """A file and how it is read.

    Attributes:
        path: The file.
        columns: Field → heading.
        kept: Headings of the columns that are kept as attributes.
        crs: Coordinate system of its coordinates.
    """

    path: Path
    columns: Mapping[str, str]
    kept: tuple[str, ...]
    crs: str

    def blocks(self) -> Iterator[Block]:
        """The rows, `BLOCK` at a time."""
        if is_geographic(self.path):
            yield from self._feature_blocks()
            return
        with open_rows(self.path, score=_score) as rows:
            heads = [cell.strip() for cell in next(rows).cells]
            where = {name: heads.index(heading) for name, heading in self.columns.items()}
            kept = [(heading, heads.index(heading)) for heading in self.kept]
            while taken := list(islice(rows, BLOCK)):
                yield self._table_block(taken, width=len(heads), where=where, kept=kept)

    def _table_block(
        self, taken: Sequence[Row], *, width: int, where: Mapping[str, int], kept: Sequence[tuple[str, int]]
    ) -> Block:
        faults: dict[int, Problem] = {}
        cells: list[list[str]] = []
        for index, row in enumerate(taken):
            if row.fault or len(row.cells) != width:
                faults[index] = self._uneven(row, width)
                cells.append([""] * width)
            else:
                cells.append(row.cells)
        fields = {name: [_said(row[at]) for row in cells] for name, at in where.items()}
        places = self._placed(fields.pop("lon"), fields.pop("lat"), [row.number for row in taken], faults)
        attributes = [{heading: said for heading, at in kept if (said := _said(row[at]))} for row in cells]
        return Block([row.number for row in taken], fields, places, attributes, faults)

    def _uneven(self, row: Row, width: int) -> Problem:
        message = row.fault or Text(
            "此行有 {given} 格，表头有 {width} 格。",
            "The row has {given} cells, the header {width}.",
            given=len(row.cells),
            width=width,
        )
        return Problem(message, file=self.path.name, row=row.number)

    def _placed(
        self, lons: Sequence[str], lats: Sequence[str], rows: Sequence[int], faults: dict[int, Problem]
    ) -> NDArray[np.float64]:
        places = np.full((len(rows), 2), np.nan)
        for column, cells in ((0, lons), (1, lats)):
            try:
                places[:, column] = np.array(cells, dtype=float)
                continue
            except ValueError:
                pass  # some cell is no number: find it
            for index, cell in enumerate(cells):
                try:
                    places[index, column] = float(cell)
                except ValueError:
                    if index not in faults:
                        message = (
                            Text("「{cell}」不是坐标。", "{cell!r} is no coordinate.", cell=cell[:40])
                            if cell
                            else Text("没有坐标。", "There is no coordinate.")
                        )
                        heading = self.columns["lon" if column == 0 else "lat"]
                        faults[index] = Problem(message, NO_TEXT, self.path.name, rows[index], heading)
        return in_wgs84(places, self.crs)

    def _feature_blocks(self) -> Iterator[Block]:
        _, names, shapes, values = read_features(self.path)
        columns = {str(name): column for name, column in zip(names, values, strict=True)}
        for start in range(0, len(shapes), BLOCK):
            part = slice(start, start + BLOCK)
            rows = list(range(start + 1, start + 1 + len(shapes[part])))
            fields = {name: _texts(columns[heading][part]) for name, heading in self.columns.items()}
            texts = [(heading, _texts(columns[heading][part])) for heading in self.kept]
            attributes = [{heading: cells[at] for heading, cells in texts if cells[at]} for at in range(len(rows))]
            places, faults = self._points(shapes[part], rows)
            yield Block(rows, fields, in_wgs84(places, self.crs), attributes, faults)

    def _points(self, wkb: NDArray[Any], rows: Sequence[int]) -> tuple[NDArray[np.float64], dict[int, Problem]]:
        """A point of each feature: itself, or one that lies in its area or on its line."""
        shapes = shapely.from_wkb(wkb, on_invalid="ignore")
        empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
        other = ~empty & (shapely.get_type_id(shapes) != 0)
        shapes[other] = shapely.point_on_surface(shapes[other])
        places = np.full((len(rows), 2), np.nan)
        whole = ~empty
        places[whole, 0], places[whole, 1] = shapely.get_x(shapes[whole]), shapely.get_y(shapes[whole])
        return places, {
            at: Problem(Text("没有位置。", "It has no place."), NO_TEXT, self.path.name, rows[at])
            for at in np.flatnonzero(empty).tolist()
        }


def open_survey(
    path: Path, *, columns: Mapping[str, str] | None = None, crs: str = "", kept: Sequence[str] | None = None
) -> Survey:
    """Look at a file's header and decide how it is read.

    Args:
        path: The file.
        columns: Field of `FIELDS` → heading, for columns whose headings do not say it; an empty heading: the column is not read.
        crs: Coordinate system, e.g. ``EPSG:4549`` or ``gcj02``; by default the file's own, or WGS 84.
        kept: Headings of columns kept as attributes; by default all that are no field.

    Raises:
        BadInput: When it cannot be opened, has no coordinates, or has not the columns that are named.
    """
    own, heads = _heads(path)
    system = _system(crs, own)
    found = _columns(path, heads, columns or {})
    if is_geographic(path):
        found.pop("lon", None)
        found.pop("lat", None)
    else:
        _check_place(path, heads, found)
    taken = set(found.values())
    if kept is None:
        kept = [head for head in heads if head and head not in taken and head not in _FOLLOWS]
    for head in kept:
        if head not in heads:
            raise BadInput(_no_column(path, head, heads))
    return Survey(path=path, columns=found, kept=tuple(kept), crs=system)


@dataclass(frozen=True, slots=True, kw_only=True)
class Headings:
    """What stands in the head of a file.

    Attributes:
        heads: The headings of its columns.
        columns: Field → heading, as far as the headings say it.
        crs: Coordinate system that the file names; empty for none.
        geographic: Whether it brings its own geometry, and so needs no columns of coordinates.
    """

    heads: tuple[str, ...]
    columns: Mapping[str, str]
    crs: str
    geographic: bool


def read_headings(path: Path) -> Headings:
    """Look at a file's head before it is decided how it is read.

    Raises:
        BadInput: When it cannot be opened.
    """
    own, heads = _heads(path)
    return Headings(heads=heads, columns=_columns(path, heads, {}), crs=own, geographic=is_geographic(path))


def _heads(path: Path) -> tuple[str, tuple[str, ...]]:
    if is_geographic(path):
        return _look_at_features(path)
    with open_rows(path, score=_score) as rows:
        return "", tuple(cell.strip() for cell in next(rows).cells)


def is_geographic(path: Path) -> bool:
    """Whether a file is read by GDAL and brings its own geometry."""
    return path.suffix.lower() in _GEOGRAPHIC


def read_features(path: Path, *, most: int | None = None) -> tuple[str, NDArray[Any], NDArray[Any], list[NDArray[Any]]]:
    """Coordinate system, names of the columns, shapes as WKB and the columns of the first layer of a geographic file."""
    import pyogrio  # GDAL: a start does not wait for it
    from pyogrio.errors import DataLayerError, DataSourceError

    try:
        meta, _, shapes, values = pyogrio.raw.read(path, max_features=most)
    except FileNotFoundError:
        raise BadInput(Text("没有文件「{path}」。", "There is no file {path!r}.", path=str(path))) from None
    except (DataSourceError, DataLayerError, ValueError) as error:
        message = Text("无法读取此文件：{why}。", "The file cannot be read: {why}.", why=str(error)[:200])
        hint = Text("支持 GeoJSON、GeoPackage、Shapefile。", "GeoJSON, GeoPackage and Shapefile are read.")
        raise BadInput(Problem(message, hint, path.name)) from None
    if shapes is None:
        raise BadInput(Problem(Text("文件中没有图形。", "The file holds no geometry."), NO_TEXT, path.name))
    return str(meta["crs"] or ""), meta["fields"], shapes, values


def in_wgs84(places: NDArray[np.float64], crs: str) -> NDArray[np.float64]:
    """Coordinates (east, north) of a system as longitude and latitude; NaN where they lie outside what it is made for."""
    if crs in SYSTEMS:
        lon, lat = to_wgs84(places[:, 0], places[:, 1], crs=crs)
    else:
        turn = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
        lon, lat = turn.transform(places[:, 0], places[:, 1])
    found = np.column_stack([lon, lat]).astype(float)
    with np.errstate(invalid="ignore"):
        wrong = ~(np.abs(found[:, 0]) <= 180) | ~(np.abs(found[:, 1]) <= 90)
    found[wrong] = np.nan
    return found


def _look_at_features(path: Path) -> tuple[str, tuple[str, ...]]:
    own, names, _, _ = read_features(path, most=1)
    return own, tuple(str(name) for name in names)


def _system(given: str, own: str) -> str:
    chosen = given or own or "wgs84"
    if chosen.lower() in SYSTEMS:
        return chosen.lower()
    if chosen.upper() == "EPSG:4326":
        return "wgs84"
    if given and not is_known_system(given):
        raise BadInput(
            Problem(Text("未知的坐标系：「{crs}」。", "Unknown coordinate system {crs!r}.", crs=given), HINT)
        )
    return chosen


def _columns(path: Path, heads: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    for name, heading in given.items():
        if name not in FIELDS:
            message = Text("没有「{name}」这个字段。", "There is no field {name!r}.", name=name)
            raise BadInput(Problem(message, did_you_mean(name, FIELDS), path.name))
        if heading and heading not in heads:
            raise BadInput(_no_column(path, heading, heads))
    found: dict[str, str] = {}
    for head in heads:
        name = _BY_HEADING.get(_plain(head), "")
        if name and name not in given and name not in found and head not in given.values():
            found[name] = head
    found.update({name: heading for name, heading in given.items() if heading})
    return found


def _check_place(path: Path, heads: Sequence[str], found: Mapping[str, str]) -> None:
    missing = [name for name in ("lon", "lat") if name not in found]
    if missing:
        raise BadInput(
            Problem(
                Text("没有经度或纬度列。", "There is no column of longitudes or of latitudes."),
                Text(
                    "请指定，例如 --column lon={head}；文件的列：{heads}。",
                    "Name them, e.g. --column lon={head}; the file's columns: {heads}.",
                    head=heads[0] if heads else "X",
                    heads=", ".join(heads)[:300],
                ),
                path.name,
                1,
            )
        )


def _no_column(path: Path, heading: str, heads: Sequence[str]) -> Problem:
    message = Text("文件没有「{heading}」列。", "The file has no column {heading!r}.", heading=heading)
    return Problem(message, did_you_mean(heading, heads), path.name, 1)


def _said(cell: str) -> str:
    """What a cell says, without the apostrophe that kept a spreadsheet from taking it for a formula."""
    cell = cell.strip()
    return cell[1:] if cell[:1] == "'" and is_formula(cell[1:]) else cell


def _score(heads: list[str]) -> int:
    return sum(_plain(head) in _BY_HEADING for head in heads) * 100 + len(heads)


def _texts(column: NDArray[Any]) -> list[str]:
    """Values of a column of a geographic file as texts; what is missing is empty."""
    if column.dtype.kind == "f":
        return ["" if value != value else _number(value) for value in column.tolist()]
    return ["" if value is None else str(value).strip() for value in column.tolist()]


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
