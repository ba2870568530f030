"""Public figures, computed by the worker month by month and stored with their time, so that no page counts a million cases.

A month's figures are about the cases reported in it. Open cases beyond their deadline count as not on time, and open
cases count as longer than any in the median: nobody looks better for leaving cases open.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db.models import Max, Min

from yiwang.server.cases.models import Case, Report
from yiwang.server.common import publishing
from yiwang.server.places.queries import Runtime, cities, runtime
from yiwang.server.portal import operations
from yiwang.server.portal.models import Gathering, ScoreCell, ScoreMonth

MOST_MONTHS = 36
FRESH_NOW, FRESH_RECENT, FRESH_PAST = timedelta(minutes=10), timedelta(hours=2), timedelta(hours=24)
BUDGET_SECONDS = 2.0
NO_CASE = frozenset({"reject", "void", "merge"})  # effects that end what was no case of its own
GATHERED, OVERLAP = 1000, 200


@dataclass(slots=True)
class _Cell:
    reported: int = 0
    due: int = 0
    on_time: int = 0
    days: list[float] = field(default_factory=list)


def month_of(moment: datetime, place: Runtime) -> str:
    return f"{moment.astimezone(place.info.zone):%Y-%m}"


def bounds(month: str, place: Runtime) -> tuple[datetime, datetime]:
    """First moment of a month and of the next, on the city's clocks."""
    year, number = int(month[:4]), int(month[5:])
    start = datetime(year, number, 1, tzinfo=place.info.zone)
    return start, datetime(year + number // 12, number % 12 + 1, 1, tzinfo=place.info.zone)


def months(*, place: Runtime, at: datetime) -> list[str]:
    """The months with cases, the newest first: two look-ups in the index."""
    rows = Case.objects.filter(city=place.info.id)
    first = rows.aggregate(first=Min("opened_at"))["first"]
    last = rows.aggregate(last=Max("opened_at"))["last"]
    if first is None or last is None:
        return []
    found: list[str] = []
    month = month_of(min(last, at), place)
    while month >= month_of(first, place) and len(found) < MOST_MONTHS:
        found.append(month)
        month = month_of(bounds(month, place)[0] - timedelta(days=1), place)
    return found


def compute(*, place: Runtime, month: str, at: datetime) -> list[ScoreCell]:
    """A month's figures for the city, its districts and the categories: one pass over that month's cases."""
    workflow = place.rules.workflow
    dropped = {verb.to for verb in workflow.verbs.values() if verb.effect in NO_CASE and verb.to != "="}
    width = place.info.levels[1].width if len(place.info.levels) > 1 else 0
    start, end = bounds(month, place)
    rows = (
        Case.objects.filter(city=place.info.id, opened_at__gte=start, opened_at__lt=end)
        .values_list("region", "category", "step", "opened_at", "closed_at", "deadline", "overdue")
        .iterator(chunk_size=5000)
    )
    cells: defaultdict[tuple[str, str], _Cell] = defaultdict(_Cell)
    for region, category, step, opened, closed, deadline, overdue in rows:
        if step in dropped:
            continue
        district = region[:width] if width and len(region) >= width else ""
        late = overdue or (closed is None and deadline is not None and deadline < at)
        keys = {("", ""), (district, ""), ("", category), (district, category)}
        for key in keys:
            cell = cells[key]
            cell.reported += 1
            cell.due += closed is not None or late
            cell.on_time += closed is not None and not late
            if closed is not None:
                cell.days.append((closed - opened).total_seconds() / 86400)
    return [
        ScoreCell(
            city=place.info.id, month=month, region=region, category=category, reported=cell.reported,
            closed=len(cell.days), due=cell.due, on_time=cell.on_time, median_days=median(cell.days, of=cell.reported),
        )
        for (region, category), cell in cells.items()
    ]  # fmt: skip


def median(ended: Iterable[float], *, of: int) -> float | None:
    """The middle of ``of`` durations of which only those that have ended are known; None while the middle has not."""
    days = sorted(ended)
    low, high = (of - 1) // 2, of // 2
    return (days[low] + days[high]) / 2 if of and high < len(days) else None


def refresh(*, at: datetime | None = None, budget_seconds: float = BUDGET_SECONDS) -> int:
    """Compute the months whose figures are stale, the newest first, until the time is used up; how many."""
    at, until, done = at or datetime.now(UTC), time.monotonic() + budget_seconds, 0
    for info in cities():
        place = runtime(info.id)
        known = dict(ScoreMonth.objects.filter(city=info.id).values_list("month", "computed_at"))
        for index, month in enumerate(months(place=place, at=at)):
            fresh = FRESH_NOW if index == 0 else FRESH_RECENT if index < 3 else FRESH_PAST
            if month in known and at - known[month] < fresh:
                continue
            if done and time.monotonic() > until:
                return done
            operations.store_month(city=info.id, month=month, cells=compute(place=place, month=month, at=at), at=at)
            done += 1
    return done


def gather() -> int:
    """Put what citizens wrote by other ways (telephone, programs) before the moderators where something was masked."""
    offered = 0
    for info in cities():
        place = runtime(info.id)
        seen = Gathering.objects.filter(city=info.id).values_list("seen", flat=True).first()
        newest = Report.objects.filter(city=info.id).aggregate(last=Max("id"))["last"] or 0
        if seen is None:  # what lies in the past is shown masked; a moderator can find any of it by its number
            operations.gathered(city=info.id, seen=newest)
            continue
        # ids of transactions that are still open come late: look a little back
        rows = list(
            Report.objects.filter(city=info.id, id__gt=max(0, seen - OVERLAP), id__lte=newest, source__in=("public", "hotline"))
            .exclude(reporter__startswith="sim:")
            .order_by("id")
            .values_list("id", "case__number", "text")[:GATHERED]
        )  # fmt: skip
        if rows:
            offered += operations.offer(
                place=place, kind=publishing.CASE, texts={number: text for _, number, text in rows}
            )
        upto = rows[-1][0] if len(rows) == GATHERED else newest
        if upto != seen:
            operations.gathered(city=info.id, seen=upto)
    return offered
