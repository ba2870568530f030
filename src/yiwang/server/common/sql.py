"""Puts rows into the database by plain SQL: the same few statements for one row and for a million.

Building a statement of thirty columns through the ORM costs more than running it (`docs/decisions/0094`). Names of tables
and columns come from the models, never from data.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.db import connection, models

Row = Sequence[Any]
COPY_FROM = 50  # rows from which PostgreSQL's COPY is quicker than an INSERT


@lru_cache(maxsize=1)
def _time_columns() -> frozenset[str]:
    """The columns of the models that hold a moment. One name means one thing in all tables."""
    fields = (field for model in apps.get_models() for field in model._meta.concrete_fields)
    return frozenset(field.column for field in fields if isinstance(field, models.DateTimeField))


@lru_cache(maxsize=64)
def _times(columns: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(index for index, name in enumerate(columns) if name in _time_columns())


def adapted(columns: tuple[str, ...], row: Row) -> Row:
    """The values as the database's driver takes them: SQLite holds times as text in UTC, written as Django writes them."""
    if connection.vendor != "sqlite":
        return row
    values = list(row)
    for index in _times(columns):
        if values[index] is not None:
            values[index] = values[index].astimezone(UTC).replace(tzinfo=None).isoformat(" ")
    return values


@lru_cache(maxsize=64)
def insertion(table: str, columns: tuple[str, ...], rows: int, values: tuple[tuple[str, str], ...] = ()) -> str:
    """The statement that inserts rows.

    Args:
        table, columns: Names of our own models.
        rows: How many.
        values: SQL that stands for the value of a column in each row, by the column's name.
    """
    names = ", ".join(f'"{name}"' for name in columns)
    given = dict(values)
    one = f"({', '.join(given.get(name, '%s') for name in columns)})"
    return f'INSERT INTO "{table}" ({names}) VALUES {", ".join([one] * rows)}'  # noqa: S608 - names of our own models


def insert_many(model: type[models.Model], columns: tuple[str, ...], rows: Sequence[Row]) -> None:
    """Insert rows."""
    if not rows:
        return
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql" and len(rows) >= COPY_FROM:
            _copy(cursor, table, columns, rows)
        elif len(rows) >= COPY_FROM:
            cursor.executemany(insertion(table, columns, 1), [adapted(columns, row) for row in rows])
        else:
            values = [value for row in rows for value in adapted(columns, row)]
            cursor.execute(insertion(table, columns, len(rows)), values)


def _copy(cursor: Any, table: str, columns: tuple[str, ...], rows: Iterable[Row]) -> None:
    names = ", ".join(f'"{name}"' for name in columns)
    # Django does not see a COPY: without this, a row that is there already would not be an IntegrityError
    with connection.wrap_database_errors, cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row(row)
