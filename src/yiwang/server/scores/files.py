# ruff: noqa: S608 - names of columns come from the catalogue, paths are our own
"""Facts as Parquet files, and the one column that depends on other cases: how often the trouble came back."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from math import cos, radians
from pathlib import Path
from typing import Any

import duckdb
import orjson
from django.conf import settings

from yiwang.core.facts.cases import FactContext
from yiwang.core.facts.table import MOMENT
from yiwang.core.facts.table import Row
from yiwang.engines import sql
from yiwang.engines.duckdb import connect

KEEP_SECONDS = 3600  # files that no longer hold, for those who are still reading them
NEAR_M, NEAR_DAYS = 50, 30
_DM_PER_DEGREE = 1_113_194.9  # decimetres on a great circle of radius 6,378,137 m
_CELL_DM = NEAR_M * 10


def folder(city: str) -> Path:
    """Where a city's facts are."""
    return Path(settings.YIWANG_HOME, "scores", city)


@contextmanager
def workshop(city: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory that may spill into the city's folder."""
    folder(city).mkdir(parents=True, exist_ok=True)
    connection = connect(spill=folder(city) / "spill")
    try:
        yield connection
    finally:
        connection.close()


def new_name(kind: str) -> str:
    """A file name that nobody has used."""
    return f"{kind}-{time.time_ns():x}-{secrets.token_hex(3)}.parquet"


def paths(city: str, names: Iterable[str]) -> list[str]:
    return [str(folder(city) / name) for name in names]


def all_there(city: str, base: Mapping[str, Sequence[str]], delta: Sequence[str]) -> bool:
    """Whether every file that should hold is there."""
    names = [*(name for month in base.values() for name in month), *delta]
    return all((folder(city) / name).is_file() for name in names)


def facts(city: str, *, base: Mapping[str, Sequence[str]], delta: Sequence[str]) -> str:
    """The facts that hold, as a query in brackets."""
    names = [name for month in sorted(base) for name in base[month]]
    return "(" + sql.facts_text(base=paths(city, names), delta=paths(city, delta)) + ")"


def write_rows(connection: duckdb.DuckDBPyConnection, rows: Sequence[Row], *, context: FactContext, path: Path) -> None:
    """Rows as one Parquet file. They go by way of lines of JSON, which DuckDB reads many at once."""
    lines = path.with_suffix(".jsonl")
    with lines.open("wb") as file:
        file.writelines(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
    columns = ", ".join(f"'{name}': '{sql.SQL_TYPES[kind]}'" for name, kind in context.columns.items())
    connection.execute(
        f"copy (select * from read_json('{lines}', format='newline_delimited', columns={{{columns}}}))"
        f" to '{path}' (format parquet, compression zstd)"
    )
    lines.unlink()


def split_by_month(connection: duckdb.DuckDBPyConnection, relation: str, *, city: str) -> dict[str, list[str]]:
    """Write a relation as one file or more for each month of opening."""
    months = connection.execute(f"select distinct strftime(opened_day, '%Y-%m') from {relation}").fetchall()
    base: dict[str, list[str]] = {}
    for (month,) in sorted(months):
        name = new_name(f"base-{month}")
        connection.execute(
            f"copy (select * from {relation} where strftime(opened_day, '%Y-%m') = '{month}' order by number)"
            f" to '{folder(city) / name}' (format parquet, compression zstd)"
        )
        base[month] = [name]
    return base


def sweep(city: str, *, keep: Iterable[str], at: float | None = None) -> int:
    """Remove files that have not held for an hour; how many."""
    held, now, gone = set(keep), at or time.time(), 0
    for path in folder(city).glob("*.*"):
        if path.is_file() and path.name not in held and now - path.stat().st_mtime > KEEP_SECONDS:
            path.unlink(missing_ok=True)
            gone += 1
    return gone


def rows_of(connection: duckdb.DuckDBPyConnection, relation: str, *, context: FactContext) -> list[Row]:
    """Rows as Python values: aware times in UTC. Needs memory for all of them."""
    names = list(context.columns)
    asked = ", ".join(
        f"epoch_us({name}) as {name}" if kind == MOMENT else name for name, kind in context.columns.items()
    )
    moments = [place for place, kind in enumerate(context.columns.values()) if kind == MOMENT]
    start = datetime(1970, 1, 1, tzinfo=UTC)
    found = []
    for values in connection.execute(f"select {asked} from {relation}").fetchall():
        row: list[Any] = list(values)
        for place in moments:
            row[place] = None if row[place] is None else start + timedelta(microseconds=row[place])
        found.append(dict(zip(names, row, strict=True)))
    return found


# --- what came back ---------------------------------------------------------------------------------------------------


_PLACING = "number, category, opened_at, closed_at, end_kind, lon, lat, located, recurrences"


def placed(relation: str, latitude: float) -> str:
    """Located cases with their place in decimetres and their cell of 50 m, in whole numbers, so that every count is exact."""
    east = _DM_PER_DEGREE * cos(radians(latitude))
    return (
        "select number, category, opened_at, closed_at, end_kind, recurrences, x, y,"
        f" cast(floor(x / {_CELL_DM}.0) as bigint) as cx, cast(floor(y / {_CELL_DM}.0) as bigint) as cy"
        f" from (select {_PLACING},"
        f" cast(round(lon * {east!r}) as bigint) as x, cast(round(lat * {_DM_PER_DEGREE!r}) as bigint) as y"
        f" from {relation} where located) as located_cases"
    )


_AROUND = "(values (-1), (0), (1)) as i(d), (values (-1), (0), (1)) as j(d)"


def recurrences(placed_cases: str, *, ended: str = "") -> str:
    """A query that counts, for each closed case, the cases of its category that were opened within 30 days after it was
    closed and within 50 m: ``number, n``, only where there are any.

    Args:
        placed_cases: Relation of `placed`, for those that come again.
        ended: Relation of `placed`, for those that are counted for; the same by default.
    """
    return (
        f"with around as (select e.*, e.cx + i.d as nx, e.cy + j.d as ny from {ended or placed_cases} as e, {_AROUND}"
        " where e.end_kind = 'closed')"
        f" select around.number, count(*) as n from around join {placed_cases} as again"
        " on again.category = around.category and again.cx = around.nx and again.cy = around.ny"
        " where again.number <> around.number and again.end_kind not in ('rejected', 'void', 'merged')"
        f" and again.opened_at > around.closed_at and again.opened_at <= around.closed_at + interval {NEAR_DAYS} day"
        " and (again.x - around.x) * (again.x - around.x) + (again.y - around.y) * (again.y - around.y)"
        f" <= {_CELL_DM * _CELL_DM} group by around.number"
    )


def count_all(connection: duckdb.DuckDBPyConnection, relation: str, *, latitude: float) -> None:
    """Make the table ``counted`` (``number, n``) over all cases."""
    connection.execute(f"create or replace temp table placed_cases as {placed(relation, latitude)}")
    connection.execute(f"create or replace temp table counted as {recurrences('placed_cases')}")


def recount(connection: duckdb.DuckDBPyConnection, *, there: str, fresh: str, latitude: float) -> int:
    """Make the tables ``counted`` (``number, n``: for every fresh row, and for the others whose count has changed) and
    ``recounted`` (numbers of those others); how many others.

    Only the cells that a fresh row lies or lay in can have changed counts, and those around them; what comes again for
    those lies one cell further. So the rows that are there are looked through twice, a few columns each time.
    """
    connection.execute(f"create or replace temp table fresh_rows as select number, located from {fresh}")
    connection.execute(
        f"create or replace temp table old_rows as select {_PLACING} from {there} as old"
        " where number in (select number from fresh_rows)"
    )
    connection.execute(f"create or replace temp table now_placed as {placed(fresh, latitude)}")
    connection.execute(
        "create or replace temp table touched as select distinct category, cx + i.d as cx, cy + j.d as cy from"
        f" (select category, cx, cy from now_placed union select category, cx, cy from ({placed('old_rows', latitude)}) as o)"
        f" as t, {_AROUND}"
    )
    connection.execute(
        f"create or replace temp table wider as select distinct category, cx + i.d as cx, cy + j.d as cy from touched, {_AROUND}"
    )
    connection.execute(
        f"create or replace temp table near as select * from ({placed(there + ' as old', latitude)}) as p"
        " where (category, cx, cy) in (select category, cx, cy from wider)"
        " and number not in (select number from fresh_rows)"
    )
    connection.execute("insert into near select * from now_placed")
    connection.execute(
        "create or replace temp table concerned as select * from near"
        " where (category, cx, cy) in (select category, cx, cy from touched)"
    )
    connection.execute(f"create or replace temp table found as {recurrences('near', ended='concerned')}")
    connection.execute(
        "create or replace temp table recounted as select c.number, coalesce(f.n, 0) as n from concerned as c"
        " left join found as f using (number)"
        " where c.number not in (select number from fresh_rows) and c.recurrences <> coalesce(f.n, 0)"
    )
    connection.execute(
        "create or replace temp table counted as select * from recounted union all"
        " select number, coalesce(f.n, 0) as n from fresh_rows left join found as f using (number)"
    )
    row = connection.execute("select count(*) from recounted").fetchone()
    return int(row[0]) if row else 0


def known(connection: duckdb.DuckDBPyConnection) -> int:
    """How many of the rows that `recount` last took as fresh were there before."""
    row = connection.execute("select count(*) from old_rows").fetchone()
    return int(row[0]) if row else 0
