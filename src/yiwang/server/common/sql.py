"""Puts rows into the database by plain SQL: the same few statements for one report and for a million replayed ones.

Building a statement of thirty columns through the ORM costs more than running it (`docs/decisions/0094`). Names of tables
and columns come from the models, never from data.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.db import connection, models

Row = Sequence[Any]
Statement = tuple[str, list[Any]]
COPY_FROM = 50  # rows from which PostgreSQL's COPY is quicker than an INSERT


@dataclass(frozen=True, slots=True)
class Newest:
    """In a row of values: the id of the row that this transaction inserted last into a table of our own."""

    table: str

    @property
    def sql(self) -> str:
        if connection.vendor == "postgresql":
            return f"currval('{self.table}_id_seq')"
        return f'(SELECT max("id") FROM "{self.table}")'  # noqa: S608 - the transaction has the only pen, ids only grow


@lru_cache(maxsize=1)
def _time_columns() -> frozenset[str]:
    """The columns of the models that hold a moment. One name means one thing in all tables."""
    fields = (field for model in apps.get_models() for field in model._meta.concrete_fields)
    return frozenset(field.column for field in fields if isinstance(field, models.DateTimeField))


@lru_cache(maxsize=64)
def _times(columns: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(index for index, name in enumerate(columns) if name in _time_columns())


def adapt(columns: tuple[str, ...], row: Row) -> Row:
    """The values as the database's driver takes them: SQLite holds times as text in UTC, written as Django writes them."""
    if connection.vendor != "sqlite":
        return row
    values = list(row)
    for index in _times(columns):
        if values[index] is not None:
            values[index] = values[index].astimezone(UTC).replace(tzinfo=None).isoformat(" ")
    return values


@lru_cache(maxsize=64)
def _insert(table: str, columns: tuple[str, ...], rows: int, values: tuple[tuple[str, str], ...] = ()) -> str:
    """The statement that inserts rows; ``values`` is SQL that stands for the value of a column in each row."""
    names = ", ".join(f'"{name}"' for name in columns)
    given = dict(values)
    one = f"({', '.join(given.get(name, '%s') for name in columns)})"
    return f'INSERT INTO "{table}" ({names}) VALUES {", ".join([one] * rows)}'  # noqa: S608 - names of our own models


@lru_cache(maxsize=64)
def _update(table: str, columns: tuple[str, ...]) -> str:
    pairs = ", ".join(f'"{name}" = %s' for name in columns)
    return f'UPDATE "{table}" SET {pairs} WHERE "id" = %s'  # noqa: S608 - names of our own models


def insertion(model: type[models.Model], columns: tuple[str, ...], rows: Sequence[Row]) -> Statement:
    """The statement that inserts rows. A `Newest` is the id of the row that was inserted last before it."""
    values = [value for row in rows for value in adapt(columns, row) if type(value) is not Newest]
    newest: tuple[tuple[str, str], ...] = ()
    if len(values) < len(rows) * len(columns):
        row = rows[0]  # a column stands for the newest id in every row or in none
        newest = tuple((name, value.sql) for name, value in zip(columns, row, strict=True) if type(value) is Newest)
    return _insert(model._meta.db_table, columns, len(rows), newest), values


def change(model: type[models.Model], columns: tuple[str, ...], row: Row, *, pk: int) -> Statement:
    """The statement that changes a row."""
    return _update(model._meta.db_table, columns), [*adapt(columns, row), pk]


def run(statements: Sequence[Statement]) -> None:
    """Run statements one after another, in one trip to a database that is elsewhere.

    PostgreSQL takes several statements in one message and, unless a transaction is open, makes them one transaction:
    what would be nine trips to write a report is one. On SQLite the caller has a transaction open.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # bound one by one: psycopg keeps the plan of binding a statement, but not of five in a row
            cursor.execute("; ".join(cursor.mogrify(text, values) for text, values in statements))
        else:
            for text, values in statements:
                cursor.execute(text, values)


def insert_many(model: type[models.Model], columns: tuple[str, ...], rows: Sequence[Row]) -> None:
    """Insert rows."""
    if not rows:
        return
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql" and len(rows) >= COPY_FROM:
            _copy(cursor, table, columns, rows)
        elif len(rows) >= COPY_FROM:
            cursor.executemany(_insert(table, columns, 1), [adapt(columns, row) for row in rows])
        else:
            values = [value for row in rows for value in adapt(columns, row)]
            cursor.execute(_insert(table, columns, len(rows)), values)


def change_many(model: type[models.Model], key: str, columns: tuple[str, ...], rows: Sequence[Row]) -> None:
    """Change rows, each by its key: the values of the columns, and the key after them.

    PostgreSQL takes them as arrays in one statement. One statement a row costs it five times as much, most of it the messages
    that tell of each.
    """
    if not rows:
        return
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            pairs = ", ".join(f'"{name}" = %s' for name in columns)
            statement = f'UPDATE "{table}" SET {pairs} WHERE "{key}" = %s'  # noqa: S608 - names of our own models
            cursor.executemany(statement, [[*adapt(columns, row[:-1]), row[-1]] for row in rows])
            return
        pairs = ", ".join(f'"{name}" = given."{name}"' for name in columns)
        statement = f'UPDATE "{table}" SET {pairs} FROM {_given(model, (*columns, key))} WHERE "{table}"."{key}" = given."{key}"'  # noqa: S608
        cursor.execute(statement, _arrays(rows))


def put_many(model: type[models.Model], key: tuple[str, ...], columns: tuple[str, ...], rows: Sequence[Row]) -> None:
    """Insert rows, or change those that are there already.

    Args:
        key: Columns of which a constraint says that they are unique; the first values of each row.
        columns: The others.
    """
    if not rows:
        return
    table, all_of = model._meta.db_table, (*key, *columns)
    names = ", ".join(f'"{name}"' for name in all_of)
    pairs = ", ".join(f'"{name}" = excluded."{name}"' for name in columns)
    otherwise = f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {pairs}"
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            cursor.executemany(f"{_insert(table, all_of, 1)} {otherwise}", [adapt(all_of, row) for row in rows])
            return
        asked = f'INSERT INTO "{table}" ({names}) SELECT {names} FROM {_given(model, all_of)} {otherwise}'  # noqa: S608
        cursor.execute(asked, _arrays(rows))


def _arrays(rows: Sequence[Row]) -> list[str]:
    """Each column as PostgreSQL writes an array; the driver's own lists of texts are quoted letter by letter in Python."""
    return [f"{{{','.join(map(_element, column))}}}" for column in zip(*rows, strict=True)]


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, int | float):
        return str(value)
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@lru_cache(maxsize=64)
def _given(model: type[models.Model], columns: tuple[str, ...]) -> str:
    """Rows that come as one array a column, named ``given``."""
    types = {field.column: str(field.db_type(connection)) for field in model._meta.concrete_fields}
    arrays = ", ".join(f"%s::{types[name]}[]" for name in columns)
    return f"unnest({arrays}) AS given({', '.join(columns)})"


def _copy(cursor: Any, table: str, columns: tuple[str, ...], rows: Iterable[Row]) -> None:
    names = ", ".join(f'"{name}"' for name in columns)
    # Django does not see a COPY: without this, a row that is there already would not be an IntegrityError
    with connection.wrap_database_errors, cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row(row)


def reserve_ids(model: type[models.Model], count: int) -> list[int]:
    """Ids that nobody else will use, for rows that refer to each other before they are written.

    On SQLite the caller must be inside a transaction that writes, as all of ours are (BEGIN IMMEDIATE).
    """
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count]
            )
            return [int(row[0]) for row in cursor.fetchall()]
        cursor.execute(f'SELECT coalesce(max("id"), 0) FROM "{table}"')  # noqa: S608 - name of our own model
        first = int(cursor.fetchone()[0]) + 1
        return list(range(first, first + count))
