# ruff: noqa: S608 - names of columns come from the catalogue, paths are our own
"""Tables of facts as Parquet files, by city and table."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import orjson
from django.conf import settings

from yiwang.core.facts.table import MOMENT, FactTable, Row
from yiwang.engines import sql
from yiwang.engines.duckdb import connect

KEEP_SECONDS = 3600  # files that no longer hold, for those who are still reading them


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the files of one table of facts of one city are.

    Attributes:
        city: City.
        table: The table.
    """

    city: str
    table: FactTable

    @property
    def folder(self) -> Path:
        return Path(settings.YIWANG_HOME, "facts", self.city, self.table.name)

    def paths(self, names: Iterable[str]) -> list[str]:
        return [str(self.folder / name) for name in names]

    def all_there(self, base: Mapping[str, Sequence[str]], delta: Sequence[str]) -> bool:
        """Whether every file that should hold is there."""
        names = [*(name for month in base.values() for name in month), *delta]
        return all((self.folder / name).is_file() for name in names)

    def facts(self, *, base: Mapping[str, Sequence[str]], delta: Sequence[str]) -> str:
        """The facts that hold, as a query in brackets."""
        names = [name for month in sorted(base) for name in base[month]]
        return "(" + sql.facts_text(base=self.paths(names), delta=self.paths(delta), key=self.table.key) + ")"


@contextmanager
def workshop(shelf: Shelf) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory that may spill into the table's folder."""
    shelf.folder.mkdir(parents=True, exist_ok=True)
    connection = connect(spill=shelf.folder / "spill")
    try:
        yield connection
    finally:
        connection.close()


def new_name(kind: str) -> str:
    """A file name that nobody has used."""
    return f"{kind}-{time.time_ns():x}-{secrets.token_hex(3)}.parquet"


def write_rows(connection: duckdb.DuckDBPyConnection, rows: Sequence[Row], *, table: FactTable, path: Path) -> None:
    """Rows as one Parquet file. They go by way of lines of JSON, which DuckDB reads many at once."""
    lines = path.with_suffix(".jsonl")
    with lines.open("wb") as file:
        file.writelines(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
    columns = ", ".join(f"'{name}': '{sql.SQL_TYPES[kind]}'" for name, kind in table.kinds.items())
    connection.execute(
        f"copy (select * from read_json('{lines}', format='newline_delimited', columns={{{columns}}}))"
        f" to '{path}' (format parquet, compression zstd)"
    )
    lines.unlink()


def split_by_month(connection: duckdb.DuckDBPyConnection, relation: str, *, shelf: Shelf) -> dict[str, list[str]]:
    """Write a relation as one file for each month of the table's ``month``."""
    month_of, key = f"strftime({sql.quote(shelf.table.month)}, '%Y-%m')", sql.quote(shelf.table.key)
    months = connection.execute(f"select distinct {month_of} from {relation}").fetchall()
    base: dict[str, list[str]] = {}
    for (month,) in sorted(months):
        name = new_name(f"base-{month}")
        connection.execute(
            f"copy (select * from {relation} where {month_of} = '{month}' order by {key})"
            f" to '{shelf.folder / name}' (format parquet, compression zstd)"
        )
        base[month] = [name]
    return base


def sweep(shelf: Shelf, *, keep: Iterable[str], at: float | None = None) -> int:
    """Remove files that have not held for an hour; how many."""
    held, now, gone = set(keep), at or time.time(), 0
    for path in shelf.folder.glob("*.*"):
        if path.is_file() and path.name not in held and now - path.stat().st_mtime > KEEP_SECONDS:
            path.unlink(missing_ok=True)
            gone += 1
    return gone


def rows_of(connection: duckdb.DuckDBPyConnection, relation: str, *, table: FactTable) -> list[Row]:
    """Rows as Python values: aware times in UTC. Needs memory for all of them."""
    names = list(table.kinds)
    quoted = [(sql.quote(name), kind) for name, kind in table.kinds.items()]
    asked = ", ".join(f"epoch_us({name}) as {name}" if kind == MOMENT else name for name, kind in quoted)
    moments = [index for index, kind in enumerate(table.kinds.values()) if kind == MOMENT]
    start = datetime(1970, 1, 1, tzinfo=UTC)
    found = []
    for values in connection.execute(f"select {asked} from {relation}").fetchall():
        row: list[Any] = list(values)
        for index in moments:
            row[index] = None if row[index] is None else start + timedelta(microseconds=row[index])
        found.append(dict(zip(names, row, strict=True)))
    return found
