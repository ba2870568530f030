"""What the columns in memory do not hold: who had a case at a past moment, who handled it, what it is called."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from yiwang.server.cases.api import Case
from yiwang.server.cities.queries import CityRuntime


def holders_at(cases: Collection[int], *, at: datetime, now: Mapping[int, str]) -> dict[int, str]:
    """Who held each case at a moment: whoever the first event after it took it from, else who holds it now."""
    if not cases:
        return {}
    moment = at.astimezone(UTC)
    rows = _rows(
        "SELECT case_id, seq, from_holder FROM cases_event WHERE {} AND at > %s ORDER BY case_id, seq DESC",
        cases,
        moment.replace(tzinfo=None).isoformat(" ") if connection.vendor == "sqlite" else moment,
    )
    return {case: now[case] for case in cases} | {case: holder for case, _, holder in rows}


def handlers(cases: Collection[int], *, place: CityRuntime, at: datetime) -> dict[int, str]:
    """Who handled each closed case: the last unit that had it by a moment and is no centre; left out where none had."""
    if not cases:
        return {}
    moment = at.astimezone(UTC)
    rows = _rows(
        "SELECT case_id, seq, holder FROM cases_event WHERE {} AND (holder <> from_holder OR seq = 1) AND at <= %s"
        " ORDER BY case_id, seq",
        cases,
        moment.replace(tzinfo=None).isoformat(" ") if connection.vendor == "sqlite" else moment,
    )
    units = place.rules.units
    centres = {unit.code for unit in units if unit.kind == "centre"}
    return {case: holder for case, _, holder in rows if holder and holder not in centres}


def rows_of(cases: Sequence[int]) -> list[dict[str, Any]]:
    """Cases in this order, as a line of the bulletin needs them."""
    columns = ("id", "number", "category", "region", "opened_at")
    found = {row["id"]: dict(row) for row in Case.objects.filter(id__in=cases).values(*columns)}
    return [found[case] for case in cases if case in found]


def _rows(statement: str, cases: Collection[int], moment: Any) -> list[tuple[Any, ...]]:
    """Rows of the events of many cases by one statement, however many they are."""
    asked, given = "case_id = ANY(%s)", list[int](sorted(cases))
    values: list[Any] = [given, moment]
    if connection.vendor == "sqlite":
        asked, values = "case_id IN (SELECT value FROM json_each(%s))", [json.dumps(given), moment]
    with connection.cursor() as cursor:
        cursor.execute(statement.format(asked), values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
