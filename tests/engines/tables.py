"""Made-up cases of the toy city as facts, and files of them: what the tests of the engines share."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from tests.case_driver import mini

from yiwang.core.facts.cases import BASES, FactContext
from yiwang.engines.duckdb import connect

AS_OF = datetime(2026, 4, 1, tzinfo=UTC)


def context() -> FactContext:
    return mini()[0].fact_context()


def fact(number: str, **values: Any) -> dict[str, Any]:
    """A row with nothing in it but what is given; a day is made of each moment that has one."""
    row: dict[str, Any] = dict(context().blank)
    row |= {"number": number, "city": "mini", "region_city": "90", **values}
    for basis, column in BASES.items():
        moment = row["deadline_at" if basis == "due" else f"{basis}_at"]
        if moment is not None and column not in values:
            row[column] = moment.date()
    assert row.keys() == context().columns.keys()
    return row


def day(text: str) -> datetime:
    return datetime.combine(date.fromisoformat(f"2026-{text}"), datetime.min.time(), tzinfo=UTC)


def parquet(rows: list[dict[str, Any]], path: Path) -> Path:
    from yiwang.server.facts.files import write_rows

    connection = connect()
    write_rows(connection, rows, table=context().table, path=path)
    connection.close()
    return path
