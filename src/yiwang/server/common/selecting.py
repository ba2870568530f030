"""Reads rows by plain SQL where a call is made hundreds of times a second.

Building a SELECT through the ORM takes five times as long as SQLite takes to answer it (`docs/decisions/0094`). These
are the few reads that every command makes: the token, the roles, the case. Names come from the models, never from data.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.db import connection, models


@lru_cache(maxsize=64)
def _columns(model: type[models.Model], names: tuple[str, ...]) -> tuple[str, tuple[int, ...]]:
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    table = connection.ops.quote_name(model._meta.db_table)
    listed = ", ".join(f"{table}.{connection.ops.quote_name(str(field.column))}" for field in fields)
    times = tuple(index for index, field in enumerate(fields) if isinstance(field, models.DateTimeField))
    return listed, times


def columns(model: type[models.Model], names: tuple[str, ...]) -> str:
    """Quoted columns of a model, for a SELECT."""
    return _columns(model, names)[0]


def select(
    model: type[models.Model], names: tuple[str, ...], tail: str, values: Sequence[Any]
) -> list[tuple[Any, ...]]:
    """Rows of a model as tuples of ``names``, times aware; ``tail`` is what follows FROM and the table."""
    listed, times = _columns(model, names)
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT {listed} FROM "{model._meta.db_table}" {tail}', values)  # noqa: S608 - our own names
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    if connection.vendor != "sqlite" or not times:
        return rows
    return [_aware(row, times) for row in rows]


def _aware(row: tuple[Any, ...], times: tuple[int, ...]) -> tuple[Any, ...]:
    """SQLite holds times in UTC without saying so."""
    values = list(row)
    for index in times:
        value: datetime | None = values[index]
        if value is not None:
            values[index] = value.replace(tzinfo=UTC)
    return tuple(values)
