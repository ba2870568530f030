"""Deadline arithmetic against a counter that goes minute by minute, and the laws that clocks obey.

The counter knows no segments, sums or tables of clock changes: it asks of every minute what the clock on the wall
showed and whether that day and that time are worked.
"""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from yiwang.core.worktime import Clock, Limit, TimeUnit, WorkCalendar, YearTable, explain, start_clock
from yiwang.core.worktime.timeline import Ranks

MINUTE = timedelta(minutes=1)
WORKING = st.sampled_from([TimeUnit.WORK_HOURS, TimeUnit.WORK_DAYS])
# Lord Howe changes its clocks by half an hour, Cairo on Fridays; Kathmandu is a quarter off; Shanghai never changes.
ZONES = ["Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kathmandu"]
# days on and around which one of these zones changes its clocks
CHANGES = [
    date(2025, 3, 9),
    date(2025, 4, 6),
    date(2025, 4, 25),
    date(2025, 10, 5),
    date(2025, 10, 31),
    date(2025, 11, 2),
]
DAYS = st.dates(date(2024, 1, 2), date(2026, 9, 30)) | st.builds(
    lambda day, shift: day + timedelta(days=shift), st.sampled_from(CHANGES), st.integers(-2, 1)
)


@st.composite
def calendars(draw: st.DrawFn, fallback: str = "error") -> WorkCalendar:
    edges = draw(st.lists(st.integers(0, 1440), min_size=2, max_size=6, unique=True).map(sorted))
    edges = edges[: len(edges) // 2 * 2]
    pairs = list(zip(edges[::2], edges[1::2], strict=True))
    assume(sum(end - start for start, end in pairs) >= 60)
    exceptions = draw(st.sets(DAYS, max_size=12)) | set(CHANGES)  # all worked or free, whatever day of the week
    worked = draw(st.booleans())
    years = {
        year: YearTable(
            free_weekdays=frozenset(d for d in exceptions if d.year == year and d.weekday() < 5 and not worked),
            worked_weekends=frozenset(d for d in exceptions if d.year == year and d.weekday() >= 5 and worked),
        )
        for year in (2024, 2025, 2026)
    }
    return WorkCalendar(
        timezone=draw(st.sampled_from(ZONES)),
        periods=[(clock_time(start), clock_time(end)) for start, end in pairs],
        years=years,
        fallback=fallback,
    )


def clock_time(minutes: int) -> time:
    return time(minutes // 60 % 24, minutes % 60)


@st.composite
def moments(draw: st.DrawFn) -> datetime:
    return datetime.combine(draw(DAYS), time(), tzinfo=UTC) + timedelta(minutes=draw(st.integers(0, 1439)))


def counts(calendar: WorkCalendar, zone: ZoneInfo, minute: datetime) -> bool:
    """Whether the minute that begins now is worked, by the clock on the wall."""
    wall = minute.astimezone(zone)
    now = wall.hour * 60 + wall.minute
    table = calendar.years[wall.year]
    worked = wall.date() in table.worked_weekends if wall.weekday() >= 5 else wall.date() not in table.free_weekdays
    return worked and any(
        start.hour * 60 + start.minute <= now < (end.hour * 60 + end.minute or 1440) for start, end in calendar.periods
    )


@settings(max_examples=150, deadline=None)
@given(calendars(), moments(), st.integers(0, 9 * 60), WORKING)
def test_deadlines_are_where_the_minute_by_minute_counter_ends(
    calendar: WorkCalendar, start: datetime, minutes: int, unit: TimeUnit
) -> None:
    zone, moment, left = ZoneInfo(calendar.timezone), start, minutes
    while left:
        left -= counts(calendar, zone, moment)
        moment += MINUTE
    assert calendar.add_seconds(start=start, seconds=minutes * 60, unit=unit) == moment


@settings(max_examples=100, deadline=None)
@given(calendars(), moments(), st.integers(0, 4 * 1440), WORKING)
def test_elapsed_time_is_what_the_minute_by_minute_counter_counts(
    calendar: WorkCalendar, start: datetime, minutes: int, unit: TimeUnit
) -> None:
    zone = ZoneInfo(calendar.timezone)
    counted = sum(counts(calendar, zone, start + MINUTE * i) for i in range(minutes))
    assert calendar.elapsed_seconds(start=start, end=start + MINUTE * minutes, unit=unit) == counted * 60


@settings(deadline=None)
@given(calendars(), moments(), st.integers(0, 40))
def test_calendar_days_end_at_the_same_time_of_day(calendar: WorkCalendar, start: datetime, days: int) -> None:
    local = start.astimezone(calendar.zone)
    assume(not local.fold)
    wall = local.replace(tzinfo=None) + timedelta(days=days)
    due = calendar.add(start=start, limit=Limit(days, TimeUnit.CALENDAR_DAYS))
    real = wall.replace(tzinfo=calendar.zone).astimezone(UTC).astimezone(calendar.zone).replace(tzinfo=None) == wall
    if real:
        assert due == wall.replace(tzinfo=calendar.zone)
        assert calendar.elapsed_seconds(start=start, end=due, unit=TimeUnit.CALENDAR_DAYS) == days * 86_400
    else:  # a time that the clocks skip: when they jump
        before = (due - timedelta(microseconds=1)).astimezone(calendar.zone).replace(tzinfo=None)
        assert before < wall < due.astimezone(calendar.zone).replace(tzinfo=None)


@settings(deadline=None)
@given(
    st.data(),
    st.sampled_from(["error", "weekdays"]).flatmap(calendars),
    st.sampled_from(TimeUnit),
    st.lists(st.tuples(moments(), st.integers(-5, 400_000) | st.just(0)), min_size=1, max_size=30),
)
def test_bulk_deadlines_equal_those_of_one_at_a_time(
    data: st.DataObject, calendar: WorkCalendar, unit: TimeUnit, cases: list[tuple[datetime, int]]
) -> None:
    shift = data.draw(st.integers(0, 59))
    cases = [(start + timedelta(seconds=shift), seconds) for start, seconds in cases]
    if calendar.fallback == "weekdays":  # also beyond the years that are known, on both sides
        years = timedelta(days=data.draw(st.sampled_from([-3000, 0, 3000])))
        cases = [(start + years, seconds) for start, seconds in cases]
    starts = np.array([int(start.timestamp()) for start, _ in cases], dtype=np.int64)
    seconds = np.array([amount for _, amount in cases], dtype=np.int64)
    if calendar.fallback == "error" and unit in {TimeUnit.WORK_HOURS, TimeUnit.WORK_DAYS}:
        seconds = np.minimum(seconds, calendar.seconds_per_day * 20)  # stays before 2027
    due = calendar.deadlines(starts=starts, seconds=seconds, unit=unit)
    one = [
        calendar.add_seconds(start=start, seconds=int(amount), unit=unit).timestamp()
        for (start, _), amount in zip(cases, seconds, strict=True)
    ]
    assert due.tolist() == one


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 5000) | st.integers(0, 10**6), min_size=1, max_size=30, unique=True).map(sorted),
    st.lists(st.integers(-5000, 10**6 + 5000), max_size=30),
)
def test_ranks_are_those_of_a_search(edges: list[int], values: list[int]) -> None:
    edge, value = np.array(edges, dtype=np.int64), np.array([*values, *edges], dtype=np.int64)
    searched = np.maximum(np.searchsorted(edge, value, side="right") - 1, 0)
    assert Ranks(edge)(value).tolist() == searched.tolist()


@settings(deadline=None)
@given(calendars(), moments(), st.integers(1, 200_000), WORKING, st.integers(0, 999_999))
def test_adding_and_counting_undo_each_other(
    calendar: WorkCalendar, start: datetime, seconds: int, unit: TimeUnit, micro: int
) -> None:
    seconds = min(seconds, calendar.seconds_per_day * 20)
    start += timedelta(microseconds=micro)
    due = calendar.add_seconds(start=start, seconds=seconds, unit=unit)
    assert calendar.elapsed_seconds(start=start, end=due, unit=unit) == seconds
    # and it is the first such moment
    assert calendar.elapsed_seconds(start=start, end=due - timedelta(microseconds=1), unit=unit) < seconds


@settings(deadline=None)
@given(calendars(), moments(), st.lists(st.integers(0, 5 * 86_400), min_size=2, max_size=2), st.sampled_from(TimeUnit))
def test_elapsed_time_adds_up(calendar: WorkCalendar, start: datetime, parts: list[int], unit: TimeUnit) -> None:
    middle = start + timedelta(seconds=parts[0])
    end = middle + timedelta(seconds=parts[1])
    whole = calendar.elapsed_seconds(start=start, end=end, unit=unit)
    assert whole == calendar.elapsed_seconds(start=start, end=middle, unit=unit) + calendar.elapsed_seconds(
        start=middle, end=end, unit=unit
    )


# --- clocks -----------------------------------------------------------------------------------------------------------

LIMITS = st.builds(Limit, st.sampled_from([0.5, 1, 2, 4, 7.25]), st.sampled_from(TimeUnit))


def skips(calendar: WorkCalendar, moment: datetime) -> bool:
    """Whether the clocks jump over the time that this moment stands for, or show it again."""
    before, after = (moment + timedelta(hours=hours) for hours in (-4, 4))
    return before.astimezone(calendar.zone).utcoffset() != after.astimezone(calendar.zone).utcoffset()


@settings(deadline=None)
@given(calendars(), moments(), LIMITS, st.integers(0, 3 * 86_400))
def test_a_pause_of_no_length_changes_nothing(
    calendar: WorkCalendar, start: datetime, limit: Limit, after: int
) -> None:
    clock = start_clock(limit=limit, calendar=calendar, at=start)
    now = start + timedelta(seconds=after)
    paused = clock.pause(calendar=calendar, at=now)
    assert paused.deadline(calendar=calendar) is None
    assert paused.remaining_seconds(calendar=calendar, at=now + timedelta(days=9)) == clock.remaining_seconds(
        calendar=calendar, at=now
    )
    resumed = Clock.from_dict(paused.to_dict()).resume(at=now)
    due = clock.deadline(calendar=calendar)
    assert due is not None
    if clock.remaining_seconds(calendar=calendar, at=now) > 0 and not skips(calendar, due) and not skips(calendar, now):
        assert resumed.deadline(calendar=calendar) == due
    later = now + timedelta(hours=30)
    assert resumed.elapsed_seconds(calendar=calendar, at=later) == clock.elapsed_seconds(calendar=calendar, at=later)


@settings(deadline=None)
@given(calendars(), moments(), LIMITS, st.integers(0, 86_400), st.integers(0, 5 * 86_400))
def test_what_runs_during_a_pause_is_not_counted(
    calendar: WorkCalendar, start: datetime, limit: Limit, run: int, pause: int
) -> None:
    clock = start_clock(limit=limit, calendar=calendar, at=start)
    paused_at = start + timedelta(seconds=run)
    resumed_at = paused_at + timedelta(seconds=pause)
    again = clock.pause(calendar=calendar, at=paused_at).resume(at=resumed_at)
    left = clock.remaining_seconds(calendar=calendar, at=paused_at)
    expected = calendar.add_seconds(start=resumed_at, seconds=left, unit=limit.unit)
    assert again.deadline(calendar=calendar) == expected


@settings(deadline=None)
@given(calendars(), moments(), LIMITS, st.integers(0, 20_000), st.integers(0, 20_000))
def test_extensions_add_up(calendar: WorkCalendar, start: datetime, limit: Limit, first: int, second: int) -> None:
    clock = start_clock(limit=limit, calendar=calendar, at=start)
    twice = clock.extend(calendar=calendar, seconds=first).extend(calendar=calendar, seconds=second)
    once = clock.extend(calendar=calendar, seconds=first + second)
    due = clock.deadline(calendar=calendar)
    assert due is not None
    assert twice.deadline(calendar=calendar) == once.deadline(calendar=calendar)
    if not skips(calendar, due):
        onward = calendar.add_seconds(start=due, seconds=first + second, unit=limit.unit)
        assert once.deadline(calendar=calendar) == onward


@settings(deadline=None)
@given(calendars(), moments(), LIMITS, st.integers(-1000, 9 * 86_400), st.integers(2, 50))
def test_an_explanation_accounts_for_every_second(
    calendar: WorkCalendar, start: datetime, limit: Limit, after: int, most: int
) -> None:
    clock = start_clock(limit=limit, calendar=calendar, at=start)
    now = start + timedelta(seconds=after)
    spans = explain(clock=clock, calendar=calendar, at=now, most=most)
    assert len(spans) <= most
    assert sum(span.counted_seconds for span in spans) == clock.elapsed_seconds(calendar=calendar, at=now)
    if after > 0:
        assert (spans[0].start, spans[-1].end) == (start, now)
    for left, right in itertools.pairwise(spans):
        assert left.end == right.start
        assert left.why != right.why
