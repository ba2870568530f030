"""Reads a city's log, a chunk of cases at a time: whatever the size of the log, memory holds one chunk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from yiwang.core.mining.log import LogCase, LogEvent, LogReport
from yiwang.server.cases.models import Case, Event, Report
from yiwang.server.common.selecting import select

CHUNK = 2000  # cases
CASE = (
    "id", "number", "category", "condition", "region", "source", "priority", "step", "level", "opened_at", "closed_at",
    "overdue", "merged_into", "rest",
)  # fmt: skip
EVENT = ("case_id", "seq", "at", "verb", "actor", "role", "actor_unit", "from_step", "to_step", "from_holder", "holder")
REPORT = ("case_id", "number", "at", "region", "source")
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
        rows = select(
            Case, CASE, "WHERE city = %s AND id > %s AND id <= %s ORDER BY id LIMIT %s", [city, last, end, chunk]
        )
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
