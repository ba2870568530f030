"""Reads a city's log, a chunk of cases at a time: whatever the size of the log, memory holds one chunk."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import orjson
from django.db import connection

from yiwang.core.cases.events import SYSTEM
from yiwang.core.cases.fields import DECIDING
from yiwang.core.mining.flow import Columns, Ints
from yiwang.core.mining.log import LogCase, LogEvent, LogReport
from yiwang.server.cases.api import Case, Event, Report, within
from yiwang.server.cities.queries import runtime
from yiwang.server.common.selecting import select

CHUNK = 2000  # cases
CASE = (
    "id", "number", *DECIDING.values(), "step", "level", "opened_at", "closed_at",
    "overdue", "merged_into", "rest",
)  # fmt: skip
EVENT = ("case_id", "seq", "at", "verb", "actor", "role", "actor_unit", "from_step", "to_step", "from_holder", "holder")
REPORT = ("case_id", "number", "at", "region", "source")
# the sign keeps both databases from taking an index on the city and sorting the whole of it for every chunk
BY_ID = "WHERE id > %s AND id <= %s AND city || '' = %s ORDER BY id LIMIT %s"
Progress = Callable[[int, int], None]


def last_case(city: str) -> int:
    """Id of the newest case: what comes after it is left for another time. 0 when there is none."""
    return int(Case.objects.filter(city=city).order_by("-id").values_list("id", flat=True).first() or 0)


def count_cases(city: str) -> int:
    return Case.objects.filter(city=city).count()


def log_cases(
    *, city: str, pseudonym: Callable[[str], str], progress: Progress | None = None, chunk: int = CHUNK
) -> Iterator[LogCase]:
    """Every case of a city with its events and reports, in the order in which they were written.

    Args:
        city: Which city.
        pseudonym: Word for an actor.
        progress: Told how many cases are done, of how many.
        chunk: Cases held at a time; each costs three queries along an index.
    """
    total, done, last, end = count_cases(city) if progress else 0, 0, 0, last_case(city)
    while True:
        rows = select(Case, CASE, BY_ID, [last, end, city, chunk])
        if not rows:
            return
        span = [rows[0][0], rows[-1][0]]
        events, reports = _events(span, pseudonym), _reports(span)
        for row in rows:
            yield _case(row, events.pop(row[0], []), reports.pop(row[0], []))
        last, done = span[1], done + len(rows)
        if progress:
            progress(done, total)


def _case(row: tuple[Any, ...], events: list[LogEvent], reports: list[LogReport]) -> LogCase:
    values = dict(zip(CASE[1:-1], row[1:-1], strict=True))
    return LogCase(**values, part_of=orjson.loads(row[-1]).get("part_of") or "", events=events, reports=reports)


def _events(span: list[int], pseudonym: Callable[[str], str]) -> dict[int, list[LogEvent]]:
    # by case alone: its city is the case's, and the one index on events leads along case and place in it
    found: defaultdict[int, list[LogEvent]] = defaultdict(list)
    tail = "WHERE case_id BETWEEN %s AND %s ORDER BY case_id, seq"
    for case, seq, at, verb, actor, role, unit, from_step, to_step, from_holder, holder in select(
        Event, EVENT, tail, span
    ):
        found[case].append(
            LogEvent(seq, at, verb, pseudonym(actor), role, unit, from_step, to_step, from_holder, holder)
        )
    return found


def _reports(span: list[int]) -> dict[int, list[LogReport]]:
    found: defaultdict[int, list[LogReport]] = defaultdict(list)
    for case, number, at, region, source in select(
        Report, REPORT, "WHERE case_id BETWEEN %s AND %s ORDER BY case_id, id", span
    ):
        found[case].append(LogReport(number, at, region, source, not found[case]))
    return found


# --- columns ----------------------------------------------------------------------------------------------------------

IDS_AT_ONCE = 500
SECONDS = {
    "sqlite": '(julianday("at") - 2440587.5) * 86400.0',
    "postgresql": 'extract(epoch FROM "at")::float8',
}


def case_ids(*, city: str, start: datetime | None, end: datetime | None, region: str = "") -> list[int]:
    """Ids of the cases opened from ``start`` up to ``end`` in a region, all below it and what it has replaced, growing."""
    query = Case.objects.filter(city=city)
    if start is not None:
        query = query.filter(opened_at__gte=start)
    if end is not None:
        query = query.filter(opened_at__lt=end)
    if region:
        query = within(query, region, place=runtime(city))
    return sorted(query.order_by().values_list("id", flat=True).iterator(chunk_size=10_000))


def newest_event(city: str) -> datetime | None:
    """When the city's newest case last changed: up to then its log speaks, be it live or a record of years ago."""
    found = Event.objects.filter(case_id=last_case(city)).order_by("-seq").values_list("at", flat=True).first()
    return found


def flow_columns(cases: Sequence[int], *, in_hand: frozenset[tuple[str, str]]) -> Columns:
    """Events of cases as columns: 34 bytes an event, whatever the events carry.

    Args:
        cases: Ids, growing.
        in_hand: Steps and roles, see `in_hand_roles`.
    """
    steps: dict[str, int] = {}
    holders: dict[str, int] = {}
    case, at, step, holder, person = array("q"), array("d"), array("q"), array("q"), bytearray()
    kept = bytearray()
    table = Event._meta.db_table
    with connection.cursor() as cursor:
        for begin in range(0, len(cases), IDS_AT_ONCE):
            ids = cases[begin : begin + IDS_AT_ONCE]
            cursor.execute(
                f'SELECT case_id, {SECONDS[connection.vendor]}, to_step, holder, role, from_holder FROM "{table}" '  # noqa: S608 - our own names
                f"WHERE case_id IN ({', '.join(['%s'] * len(ids))}) ORDER BY case_id, seq",
                ids,
            )
            rows = cursor.fetchall()
            if not rows:
                continue
            of, moments, to_steps, units, roles, before = zip(*rows, strict=True)
            case.extend(of)
            at.extend(moments)
            step.extend([steps.setdefault(name, len(steps)) for name in to_steps])
            holder.extend([holders.setdefault(name, len(holders)) for name in units])
            person.extend([role != SYSTEM for role in roles])
            kept.extend(
                [
                    old == new and (name, role) in in_hand
                    for name, role, old, new in zip(to_steps, roles, before, units, strict=True)
                ]
            )
    return Columns(
        case=_ints(case),
        at=np.round(np.array(at), 3),  # SQLite's days are exact to a twentieth of a millisecond
        step=_ints(step),
        holder=_ints(holder),
        person=np.array(person, dtype=np.bool_),
        in_hand=np.array(kept, dtype=np.bool_),
        steps=list(steps),
        holders=list(holders),
    )


def _ints(values: array[int]) -> Ints:
    return np.array(values, dtype=np.int64)
