"""Why a clock stands where it stands: the spans it has seen, which of them counted, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

from yiwang.core.worktime.calendar import WorkCalendar
from yiwang.core.worktime.clock import Clock
from yiwang.core.worktime.limits import TimeUnit


class Why(StrEnum):
    """Why a span counted, or did not."""

    WORKING = "working"  # a working period
    ADJUSTED = "adjusted"  # a working period of a Saturday or Sunday that is worked (调休)
    BREAK = "break"  # between two periods of one day
    NIGHT = "night"  # outside the periods, around a working day
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    LATE = "late"  # it came after closing or on a free day, and counts as arrived later
    CONTINUOUS = "continuous"  # urgent hours and calendar days count always
    EARLIER = "earlier"  # before the last pause; only the sum is kept
    SUMMARY = "summary"  # several older spans in one line


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedSpan:
    """One stretch of a clock's life: ``[start, end)`` in UTC, the seconds of it that counted, and why."""

    start: datetime
    end: datetime
    counted_seconds: float
    why: Why


def explain(*, clock: Clock, calendar: WorkCalendar, at: datetime, most: int = 40) -> list[CountedSpan]:
    """The spans from the clock's start to ``at``, neighbours of one kind merged, oldest first.

    Their counted seconds add up to ``clock.elapsed_seconds(at)``. When there are more than ``most``, the oldest are put
    together in one line (``summary``).

    Raises:
        UnknownYear: As `WorkCalendar.elapsed_seconds` does.
    """
    spans: list[CountedSpan] = []
    until = at if clock.resumed_at is None else clock.resumed_at
    if clock.used_seconds or clock.started_at < until:
        spans.append(_span(clock.started_at, max(until, clock.started_at), clock.used_seconds, Why.EARLIER))
    if clock.resumed_at is not None and clock.resumed_at < at:
        if clock.unit in {TimeUnit.URGENT_HOURS, TimeUnit.CALENDAR_DAYS}:
            counted = calendar.elapsed_seconds(start=clock.resumed_at, end=at, unit=clock.unit)
            spans.append(_span(clock.resumed_at, at, counted, Why.CONTINUOUS))
        else:
            spans.extend(_merge(_working_spans(calendar, clock.resumed_at.astimezone(UTC), at.astimezone(UTC))))
    if len(spans) > most:
        old = spans[: len(spans) - most + 1]
        counted = round(sum(span.counted_seconds for span in old), 6)
        spans[: len(old)] = [_span(old[0].start, old[-1].end, counted, Why.SUMMARY)]
    return spans


def _span(start: datetime, end: datetime, counted: float, why: Why) -> CountedSpan:
    return CountedSpan(start=start.astimezone(UTC), end=end.astimezone(UTC), counted_seconds=counted, why=why)


def _working_spans(calendar: WorkCalendar, start: datetime, end: datetime) -> Iterator[CountedSpan]:
    """Every working period between two moments and what lies between them, cut at midnights."""
    arrived = min(calendar.effective_arrival(start), end)
    if arrived > start:
        yield _span(start, arrived, 0.0, Why.LATE)
        start = arrived
    moment = start
    for low, high in calendar.working_spans(start=start, end=end):
        yield from _idle_spans(calendar, moment, low)
        adjusted = low.astimezone(calendar.zone).weekday() >= 5
        counted = (high - low).total_seconds()
        yield _span(low, high, counted, Why.ADJUSTED if adjusted else Why.WORKING)
        moment = high
    yield from _idle_spans(calendar, moment, end)


def _idle_spans(calendar: WorkCalendar, start: datetime, end: datetime) -> Iterator[CountedSpan]:
    opening, closing = calendar.periods[0][0], calendar.periods[-1][1]
    while start < end:
        day = start.astimezone(calendar.zone).date()
        midnight = datetime.combine(day + timedelta(days=1), time(), tzinfo=calendar.zone).astimezone(UTC)
        until = min(end, midnight)
        if not calendar.is_workday(day):
            why = Why.WEEKEND if day.weekday() >= 5 else Why.HOLIDAY
        else:
            now = start.astimezone(calendar.zone).time()
            why = Why.NIGHT if now < opening or (closing != time() and now >= closing) else Why.BREAK
        yield _span(start, until, 0.0, why)
        start = until


def _merge(spans: Iterator[CountedSpan]) -> Iterator[CountedSpan]:
    last: CountedSpan | None = None
    for span in spans:
        if last is None:
            last = span
        elif last.why == span.why:
            last = replace(last, end=span.end, counted_seconds=round(last.counted_seconds + span.counted_seconds, 6))
        else:
            yield last
            last = span
    if last is not None:
        yield last
