"""The embedded engine: DuckDB over Parquet, in this process, with bounded memory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb

from yiwang.core.indicators.scorecard import Question, Sums
from yiwang.engines import sql

MEMORY = "2GB"


def connect(*, memory: str = MEMORY, threads: int = 0, spill: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A database in memory that reads files; it downloads no extension.

    Args:
        memory: What it may hold before it spills to disk.
        threads: 0 for as many as there are cores.
        spill: Folder for what does not fit.
    """
    settings: dict[str, Any] = {
        "memory_limit": memory,
        "threads": threads or os.cpu_count() or 1,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "preserve_insertion_order": False,
    }
    if spill is not None:
        settings["temp_directory"] = str(spill)
    connection = duckdb.connect(config=settings)
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set enable_progress_bar = false")  # it would be written among the data
    return connection


class DuckDBEngine:
    """Sums over Parquet files.

    Args:
        base: Files with one row a key.
        key: Column that names a row.
        delta: Files whose rows replace those of the base.
        connection: Where to run; a new one in memory by default.
    """

    name = "duckdb"

    def __init__(
        self,
        *,
        base: Sequence[str | Path],
        key: str,
        delta: Sequence[str | Path] = (),
        connection: duckdb.DuckDBPyConnection | None = None,
    ) -> None:
        self.connection = connection or connect()
        older, newer = [str(path) for path in base], [str(path) for path in delta]
        self.facts = "(" + sql.facts_text(base=older, delta=newer, key=key) + ")"

    def answer(self, question: Question) -> Iterable[Sums]:
        text = sql.query(question, facts=self.facts + " as facts")
        return list(sql.sums_of(question, self.connection.execute(text).fetchall()))
