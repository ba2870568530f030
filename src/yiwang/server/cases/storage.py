"""Puts rows into the database: the same few statements for one report and for a million replayed ones.

Rows are written by plain SQL, since building a statement of thirty columns through the ORM costs more than running it
(`docs/decisions/0094`). Names of tables and columns come from the models, never from data.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db import connection, models

from yiwang.server.common import sql
from yiwang.server.common.sql import Row, adapted, insert_many

__all__ = ["NEW_CASE", "Row", "Statement", "change", "insert_many", "insertion", "reserve_ids", "run"]

# The id of the case that this transaction inserted last, for the rows that belong to it.
_NEWEST_CASE = {
    "postgresql": "currval('cases_case_id_seq')",
    "sqlite": '(SELECT max("id") FROM "cases_case")',  # the transaction has the only pen, and ids only grow
}
NEW_CASE = object()
Statement = tuple[str, list[Any]]


@lru_cache(maxsize=64)
def _update(table: str, columns: tuple[str, ...]) -> str:
    pairs = ", ".join(f'"{name}" = %s' for name in columns)
    return f'UPDATE "{table}" SET {pairs} WHERE "id" = %s'  # noqa: S608 - names of our own models


def insertion(model: type[models.Model], columns: tuple[str, ...], rows: Sequence[Row]) -> Statement:
    """The statement that inserts rows. A ``case_id`` of `NEW_CASE` is the case inserted last before it."""
    values = [value for row in rows for value in adapted(columns, row) if value is not NEW_CASE]
    of_new_case = len(values) < len(rows) * len(columns)
    newest = (("case_id", _NEWEST_CASE[connection.vendor]),) if of_new_case else ()
    return sql.insertion(model._meta.db_table, columns, len(rows), newest), values


def change(model: type[models.Model], columns: tuple[str, ...], row: Row, *, pk: int) -> Statement:
    """The statement that changes a row."""
    return _update(model._meta.db_table, columns), [*adapted(columns, row), pk]


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
