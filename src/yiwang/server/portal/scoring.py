"""Public figures, computed by the worker month by month and stored with their time, so that no page counts a million cases.

What was reported, closed and closed on time are the pack's indicators, counted from the same facts as the score page; the
median of the time to end is of the cases reported in the month, and open ones count as longer than any: nobody looks better
for leaving cases open. While records are imported nothing is published: half a month is no month.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.db.models import Max, Min

from yiwang.core.indicators.scorecard import Cell
from yiwang.server.cases.models import Case, Report
from yiwang.server.cases.recorded import judged_at
from yiwang.server.common import publishing
from yiwang.server.common import queries as jobs
from yiwang.server.places.queries import Runtime, cities, runtime
from yiwang.server.portal import operations
from yiwang.server.portal.models import Gathering, ScoreCell, ScoreMonth
from yiwang.server.scores import headline
from yiwang.server.scores import queries as scores
from yiwang.server.scores.queries import current_store

MOST_MONTHS = 36
FRESH_NOW, FRESH_RECENT, FRESH_PAST = timedelta(minutes=10), timedelta(hours=2), timedelta(hours=24)
BUDGET_SECONDS = 2.0
NO_CASE = frozenset({"reject", "void", "merge"})  # effects that end what was no case of its own
GATHERED, OVERLAP = 1000, 200
_NONE = Cell(0, None, None)


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


def compute(*, place: Runtime, month: str) -> list[ScoreCell]:
    """A month's figures for the city, its districts and the categories: the pack's own indicators, as the score page has them.

    Raises:
        NoFacts: When nothing has been counted yet.
    """
    level = place.info.levels[1].id if len(place.info.levels) > 1 else place.info.levels[0].id
    first, after = (moment.date() for moment in bounds(month, place))
    sets: tuple[tuple[str, ...], ...] = ((), (level,), ("category",), (level, "category"))
    ids = tuple(headline.measured(place, at=judged_at(city=place.info.id)))
    if not ids:
        return []
    card = scores.scorecard(place=place, by=(), indicators=ids, since=first, until=after, groupings=sets)
    days = _days(place=place, month=month)
    found: dict[tuple[str, str], ScoreCell] = {}
    for row in card.rows:
        region, category = row.keys.get(level, ""), row.keys.get("category", "")
        if not all(row.keys.values()):
            continue  # what lies in no district, or is nothing yet, counts for the city only
        reported, closed, on_time = (row.cells.get(name, _NONE) for name in headline.PUBLISHED)
        ended, of = days.get((region, category), ([], 0))
        found[region, category] = ScoreCell(
            city=place.info.id, month=month, region=region, category=category, reported=reported.numerator,
            closed=closed.numerator, due=on_time.denominator or 0, on_time=on_time.numerator, median_days=median(ended, of=of),
        )  # fmt: skip
    return list(found.values())


def _days(*, place: Runtime, month: str) -> dict[tuple[str, str], tuple[list[float], int]]:
    """By district and category: how many days the cases took that were reported in a month and have ended, and of how many
    cases those are. What was merged, void or no case leaves no time to be waited for."""
    workflow = place.rules.workflow
    dropped = {verb.to for verb in workflow.verbs.values() if verb.effect in NO_CASE and verb.to != "="}
    width = place.info.levels[1].width if len(place.info.levels) > 1 else 0
    start, end = bounds(month, place)
    at = judged_at(city=place.info.id)
    rows = (
        Case.objects.filter(city=place.info.id, opened_at__gte=start, opened_at__lt=end)
        .exclude(step__in=dropped)
        .values_list("region", "category", "opened_at", "closed_at")
        .iterator(chunk_size=5000)
    )
    ended: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    of: Counter[tuple[str, str]] = Counter()
    for region, category, opened, closed in rows:
        district = region[:width] if width and len(region) >= width else ""
        for key in {("", ""), (district, ""), ("", category), (district, category)}:
            of[key] += 1
            if closed is not None and closed <= at:
                ended[key].append((closed - opened).total_seconds() / 86400)
    return {key: (ended[key], count) for key, count in of.items()}


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
        store = current_store(place)
        imported = jobs.imported_at(city=info.id)
        if store is None or jobs.importing(city=info.id) or (imported and store.refreshed_at < imported):
            continue
        known = dict(ScoreMonth.objects.filter(city=info.id).values_list("month", "computed_at"))
        for index, month in enumerate(months(place=place, at=at)):
            fresh = FRESH_NOW if index == 0 else FRESH_RECENT if index < 3 else FRESH_PAST
            if month in known and at - known[month] < fresh and not (imported and known[month] < imported):
                continue
            if done and time.monotonic() > until:
                return done
            operations.store_month(city=info.id, month=month, cells=compute(place=place, month=month), at=at)
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
