"""`yiwang locate`: coordinates → regions and unit grids, by the thousand."""

from __future__ import annotations

import csv
import io
import math
import operator
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TextIO

import click
import numpy as np

from yiwang.cli.city import city_folder
from yiwang.cli.output import Failed, emit_line, json_option, progress, say, wants_json
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.space import SYSTEMS, Locator, UnitGrids, to_wgs84
from yiwang.packs import Pack, read_pack
from yiwang.packs.files import decode

_LON = ("lon", "lng", "longitude", "x", "经度")
_LAT = ("lat", "latitude", "y", "纬度")
_CHUNK = 50_000
_SHOWN = 10


@click.command()
@click.argument("city")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path), default="-")
@click.option("--crs", type=click.Choice(SYSTEMS), help="Coordinate system of the rows (default: the pack's).")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="Use the regions in force on this day (default: today).")
@click.option("--no-grids", is_flag=True, help="Leave unit grids out; starts faster.")
@json_option
def locate(city: str, file: Path, crs: str | None, on: datetime | None, no_grids: bool) -> None:
    """Tell where coordinates lie: region path, codes and names, one row for each row given.

    CITY is an installed city, or a pack by folder or id; no database is needed. FILE holds lon,lat rows as CSV, with or without
    a header; without FILE they are read from stdin. Columns besides lon and lat are passed on.

    The column flag says: outside (in no region), border (on an edge; the lowest code was taken), default_point (a known stand-in
    for "no place given"), unreadable (no coordinates in the row; then the exit code is 1).

    \b
    Example: echo 120.3119,31.4912 | yiwang locate wuxi
    Example: yiwang locate wuxi points.csv --crs gcj02 > located.csv
    """
    pack = read_pack(city_folder(city))
    day = on.date() if on else datetime.now(pack.info.zone).date()
    locator = pack.locator(on=day, grids=None if no_grids else _grids(pack, locator_day=on))
    with _row_stream(file) as lines:
        rows = _Rows(lines, name="stdin" if str(file) == "-" else file.name)
        _write(rows, pack, locator, crs or pack.info.crs)
    if rows.unreadable:
        shown = [
            Problem(
                Text("「{text}」中没有坐标。", "{text!r} holds no coordinates.", text=text), file=rows.name, row=row
            )
            for row, text in rows.unreadable[:_SHOWN]
        ]
        raise Failed(f"{len(rows.unreadable)} of {rows.count} rows could not be read; they are flagged.", shown)


def _grids(pack: Pack, *, locator_day: datetime | None) -> UnitGrids | None:
    """The installed city's own grids, whose codes outlast upgrades; else grids made from the pack."""
    stored = pack.root.parent / "grids.bin"
    if locator_day is None and pack.root.name == "pack" and stored.is_file():
        try:
            return UnitGrids.from_bytes(stored.read_bytes(), tree=pack.regions)
        except BadInput as error:
            say(f"The stored unit grids are not used: {error}", style="yellow")
    return pack.grids(on=locator_day.date() if locator_day else datetime.now(pack.info.zone).date())


@contextmanager
def _row_stream(file: Path) -> Iterator[TextIO]:
    if str(file) != "-":
        yield io.StringIO(_text(file.read_bytes(), file.name), newline="")
        return
    if sys.stdin.isatty():
        say("Reading lon,lat rows from the keyboard; end with Ctrl-D.")
    stream = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig", newline="")
    try:
        yield stream
    finally:
        stream.detach()  # or it would close stdin with itself


def _text(content: bytes, name: str) -> str:
    try:
        return decode(content)
    except BadInput as error:
        raise BadInput(Problem(p.message, p.hint, name, p.row) for p in error.problems) from None


@dataclass(slots=True)
class _Chunk:
    """Some rows: their cells and their coordinates (not a number where unreadable)."""

    cells: list[list[str]]
    lons: list[float]
    lats: list[float]


class _Rows:
    """The rows of a CSV file with a pair of coordinates each."""

    def __init__(self, lines: TextIO, *, name: str) -> None:
        self.name = name
        self.count = 0
        self.unreadable: list[tuple[int, str]] = []
        self._reader = csv.reader(lines)
        self._first: list[str] | None = next(self._records(), None)
        self.header, self._lon, self._lat = self._columns()

    def _columns(self) -> tuple[list[str], int, int]:
        first = self._first or []
        if not first or _number(first[0]) is not None:
            return ["lon", "lat", *(f"column_{place}" for place in range(3, len(first) + 1))], 0, 1
        self._first = None
        names = [cell.strip().lower() for cell in first]
        places = [next((names.index(name) for name in known if name in names), None) for known in (_LON, _LAT)]
        if places[0] is None or places[1] is None:
            message = Text(
                "表头「{header}」中没有坐标列。", "The header {header!r} names no coordinates.", header=",".join(first)
            )
            hint = Text(
                "请把坐标列命名为 lon 和 lat，或去掉表头并把经度放在第一列。",
                "Name them lon and lat, or leave the header out and put longitude first.",
            )
            raise BadInput(Problem(message, hint, self.name, 1))
        return [cell.strip() for cell in first], places[0], places[1]

    def chunks(self) -> Iterator[_Chunk]:
        chunk = _Chunk([], [], [])
        for cells in self._all():
            self.count += 1
            self._add(chunk, cells)
            if len(chunk.cells) == _CHUNK:
                yield chunk
                chunk = _Chunk([], [], [])
        if chunk.cells:
            yield chunk

    def _all(self) -> Iterator[list[str]]:
        if self._first:
            yield self._first
        yield from self._records()

    def _records(self) -> Iterator[list[str]]:
        try:
            yield from (row for row in self._reader if row)
        except (csv.Error, UnicodeDecodeError) as error:
            message = Text("输入无法继续读取：{why}。", "The input cannot be read on: {why}.", why=str(error))
            hint = Text("此处应为 UTF-8 编码的 CSV 文件。", "A CSV file in UTF-8 is expected.")
            raise BadInput(Problem(message, hint, self.name, self.count + 1)) from error

    def _add(self, chunk: _Chunk, cells: list[str]) -> None:
        lon = _number(cells[self._lon]) if len(cells) > self._lon else None
        lat = _number(cells[self._lat]) if len(cells) > self._lat else None
        if lon is None or lat is None:
            self.unreadable.append((self._reader.line_num, ",".join(cells)))
        width = len(self.header)
        chunk.cells.append(cells[:width] + [""] * (width - len(cells)))
        chunk.lons.append(float("nan") if lon is None or lat is None else lon)
        chunk.lats.append(float("nan") if lon is None or lat is None else lat)


def _number(text: str) -> float | None:
    try:
        value = float(text.lstrip("﻿"))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _write(rows: _Rows, pack: Pack, locator: Locator, crs: str) -> None:
    levels = [level.id for level in pack.info.levels]
    header = [
        "region",
        "grid",
        "flag",
        *levels,
        *(f"{level}_name" for level in levels),
        *(f"{level}_name_en" for level in levels),
    ]
    named = _RegionNames(pack, levels)
    if not wants_json():
        click.echo(_line([*rows.header, *header]), nl=False)
    with progress("Locating") as step:
        for chunk in rows.chunks():
            lons, lats = to_wgs84(np.array(chunk.lons), np.array(chunk.lats), crs)
            found = locator.locate_many(lons, lats)
            flags = np.where(np.isnan(lons), "unreadable", found.flags())
            answers = zip(found.region_codes().tolist(), found.grid_codes().tolist(), flags.tolist(), strict=True)
            if wants_json():
                for cells, (region, grid, flag) in zip(chunk.cells, answers, strict=True):
                    values = [region, grid, flag, *named[region]]
                    emit_line(dict(zip(rows.header, cells, strict=True)) | dict(zip(header, values, strict=True)))
            else:
                text = io.StringIO()
                tails = ([region, grid, flag, *named[region]] for region, grid, flag in answers)
                csv.writer(text, lineterminator="\n").writerows(map(operator.add, chunk.cells, tails))
                click.echo(text.getvalue(), nl=False)
            step(rows.count)


class _RegionNames(dict[str, list[str]]):
    """Codes and names of every level above a region, remembered."""

    def __init__(self, pack: Pack, levels: Sequence[str]) -> None:
        self._pack = pack
        self._levels = levels

    def __missing__(self, region: str) -> list[str]:
        above = {each.level: each for each in self._pack.regions.chain(region)} if region else {}
        chain = [above.get(level) for level in self._levels]
        values = [each.code if each else "" for each in chain]
        values += [each.name.zh if each else "" for each in chain]
        values += [each.name.en if each else "" for each in chain]
        self[region] = values
        return values


def _line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()
