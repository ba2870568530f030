"""Observations from a file: CSV, a workbook or Parquet with columns time, stream, value and unit.

Taken up in blocks, each in a transaction of its own. What is there already is left alone, so a load that was stopped is begun
again with the same command. Rows that cannot be used are named and left out. Nothing here opens a case: a file tells the past.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.instants import to_micros
from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.core.observations.units import convert
from yiwang.packs.hints import did_you_mean
from yiwang.packs.records.columns import Taken, check_heads, named_rows
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.moments import YEARS
from yiwang.server.sensing.models import Datastream
from yiwang.server.sensing.streams import StreamSaid, find_or_make
from yiwang.server.sensing.writing import Reading, write_observations

BLOCK = 20_000
_READINGS = ("time", "stream", "value", "unit")
_STREAMS = ("stream", "name", "lon", "lat", "what", "unit", "thing", "component", "least", "greatest")
Cells = Sequence[str]


@dataclass(slots=True)
class Loaded(Taken):
    """What became of a file.

    Attributes:
        new, duplicates, corrected: What became of the rows that were not refused.
    """

    new: int = 0
    duplicates: int = 0
    corrected: int = 0


def load_streams(place: CityRuntime, path: Path) -> Loaded:
    """Make the datastreams that a file describes and that are not there yet: a row each, with at least a ``stream``.

    Raises:
        BadInput: The file cannot be read, or lacks a column.
    """
    loaded = Loaded()
    seen: dict[str, int] = {}
    for number, cells in _rows(path, wanted=_STREAMS, needed=("stream",), loaded=loaded):
        key = cells["stream"]
        try:
            if not key:
                raise _Fault("stream", Text("没有监测流的名称。", "The name of the stream is missing."))
            if key in seen:
                there = seen[key]
                raise _Fault(
                    "stream", Text("{key} 在第 {row} 行已有。", "{key} is in row {row} already.", key=key, row=there)
                )
            seen[key] = number
            said = StreamSaid(
                key=_short(cells, "stream", 100),
                name=_short(cells, "name", 255) or key,
                observed=_short(cells, "what", 255) or key,
                unit=cells.get("unit", ""),
                thing=_short(cells, "thing", 100),
                component=_short(cells, "component", 40),
                lon=_number(cells, "lon", within=180.0),
                lat=_number(cells, "lat", within=90.0),
                least=_number(cells, "least"),
                greatest=_number(cells, "greatest"),
            )
            _, made = find_or_make(place, said)
        except _Fault as fault:
            loaded.refuse(path, number, [fault.problem])
            continue
        loaded.new += made
        loaded.duplicates += not made
    return loaded


def load_readings(
    place: CityRuntime, path: Path, *, now: datetime, progress: Callable[[int, int], None] = lambda _, __: None
) -> Loaded:
    """Take up the observations of a file.

    Args:
        place: The city, which has the file's datastreams.
        now: When they arrive.
        progress: Takes the rows that are done, and 0 for their unknown total.

    Raises:
        BadInput: The file cannot be read, or lacks a column.
    """
    loaded, received = Loaded(), to_micros(now)
    streams = {
        key: (pk, unit.get("symbol", ""))
        for key, pk, unit in Datastream.objects.filter(city=place.info.id)
        .exclude(key="")
        .values_list("key", "id", "unit")
    }
    rows = _rows(path, wanted=_READINGS, needed=_READINGS[:3], loaded=loaded)
    while taken := list(islice(rows, BLOCK)):
        readings = []
        for number, cells in taken:
            try:
                readings.append(_reading(cells, streams))
            except _Fault as fault:
                loaded.refuse(path, number, [fault.problem])
        written = write_observations(readings, received=received, judge=False)
        loaded.new += written.new
        loaded.duplicates += written.duplicates
        loaded.corrected += written.corrected
        progress(loaded.rows, 0)
    loaded.problems.sort(key=lambda problem: problem.row or 0)
    return loaded


class _Fault(Exception):
    """What is wrong with a cell."""

    def __init__(self, column: str, message: Text, hint: Text = NO_TEXT) -> None:
        super().__init__(column)
        self.problem = Problem(message, hint, column=column)


def _reading(cells: Mapping[str, str], streams: Mapping[str, tuple[int, str]]) -> Reading:
    key = cells["stream"]
    if (known := streams.get(key)) is None:
        message = Text("没有监测流 {key}。", "There is no datastream {key}.", key=key)
        raise _Fault("stream", message, did_you_mean(key, streams))
    pk, unit = known
    said = cells.get("unit") or unit
    value = _number(cells, "value")
    if value is None:
        raise _Fault("value", Text("没有数值。", "The value is missing."))
    if said != unit:
        try:
            value = convert(value, said, unit)
        except BadInput as error:
            raise _Fault("unit", error.text) from None
    return Reading(pk, _moment(cells["time"]), value)


def _moment(cell: str) -> int:
    try:
        moment = datetime.fromisoformat(cell)
        if moment.year in YEARS:
            return to_micros(moment)
    except ValueError:
        pass
    raise _Fault(
        "time",
        Text("{cell} 不是带时区的时间。", "{cell} is no time with an offset.", cell=cell or "—"),
        Text("例如 2026-11-30T08:15:00+08:00。", "For example 2026-11-30T08:15:00+08:00."),
    )


def _number(cells: Mapping[str, str], column: str, *, within: float = math.inf) -> float | None:
    cell = cells.get(column, "")
    if not cell:
        return None
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if math.isfinite(value) and abs(value) <= within:
        return value
    raise _Fault(column, Text("{cell} 不是可用的数。", "{cell} is no number that can be used.", cell=cell))


def _short(cells: Mapping[str, str], column: str, longest: int) -> str:
    cell = cells.get(column, "")
    if len(cell) > longest:
        message = Text(
            "最多 {most} 个字，这里有 {given} 个。",
            "At most {most} characters; here are {given}.",
            most=longest,
            given=len(cell),
        )
        raise _Fault(column, message)
    return cell


# --- rows of each kind of file ----------------------------------------------------------------------------------------


def _rows(
    path: Path, *, wanted: Sequence[str], needed: Sequence[str], loaded: Loaded
) -> Iterator[tuple[int, dict[str, str]]]:
    """Number and cells of each row, by column."""
    if path.suffix.lower() == ".parquet":
        yield from _parquet_rows(path, wanted=wanted, needed=needed, loaded=loaded)
        return
    yield from named_rows(path, columns=wanted, needed=needed, taken=loaded, others=True)


def _parquet_rows(
    path: Path, *, wanted: Sequence[str], needed: Sequence[str], loaded: Loaded
) -> Iterator[tuple[int, dict[str, str]]]:
    import duckdb

    with duckdb.connect() as base:
        base.execute("SET TimeZone = 'UTC'")
        try:
            found = base.execute("SELECT * FROM read_parquet(?)", [str(path)])
        except duckdb.Error as error:
            message = Text("文件无法读取：{why}。", "The file cannot be read: {why}.", why=str(error).strip())
            raise BadInput(Problem(message, file=str(path))) from None
        heads = [column[0].lower() for column in found.description or ()]
        where = {name: heads.index(name) for name in wanted if name in heads}
        check_heads(path, heads, columns=wanted, needed=needed, others=True)
        while block := found.fetchmany(BLOCK):
            for row in block:
                loaded.rows += 1
                yield loaded.rows, {name: _cell(row[at]) for name, at in where.items()}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, datetime) else str(value)
