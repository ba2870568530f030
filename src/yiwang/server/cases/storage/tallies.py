"""Counts of cases by region, step and lateness that stay exact and cost the same at a thousand cases and at a million."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction

from yiwang.core.cases.state import CaseState
from yiwang.server.cases.models import Tally
from yiwang.server.common import sql

COLUMNS = ("city", "region", "step", "late", "count")


def moves(before: Mapping[str, Any] | None, after: CaseState) -> list[tuple[Any, ...]]:
    """The rows by which a command changes the counts; none when it moved nothing that is counted."""
    now = (after.city, after.region, after.step, after.overdue)
    if before is None:
        return [(*now, 1)]
    was = (before["city"], before["region"], before["step"], bool(before["overdue"]))
    return [] if was == now else [(*was, -1), (*now, 1)]


def sum_up(*, city: str) -> int:
    """Replace the rows of a city by their sums; how many rows there were. Rows that others are just adding stay."""
    table = Tally._meta.db_table
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f'DELETE FROM "{table}" WHERE city = %s RETURNING city, region, step, late, count',  # noqa: S608 - our own table
            [city],
        )
        gone = cursor.fetchall()
        sums: Counter[tuple[Any, ...]] = Counter()
        for *key, count in gone:
            sums[tuple(key)] += count
        sql.insert_many(Tally, COLUMNS, [(*key, count) for key, count in sums.items() if count])
    return len(gone)
