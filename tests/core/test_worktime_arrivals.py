"""Late arrivals: what comes after closing or on a free day counts as arrived later."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yiwang.core.kernel.errors import BadInput
from yiwang.core.worktime import Arrivals, Limit, TimeUnit, WorkCalendar, YearTable, explain, start_clock

ZONE = ZoneInfo("America/New_York")
NONE = YearTable(free_weekdays=frozenset(), worked_weekends=frozenset())
LABOR_DAY = YearTable(free_weekdays=frozenset({date(2011, 9, 5)}), worked_weekends=frozenset())
FIVE = Arrivals(closing=time(17), opening=time(8, 30))


def calendar(*, arrivals: Arrivals | None = FIVE, table: YearTable = NONE) -> WorkCalendar:
    years = {year: table if year == 2011 else NONE for year in (2010, 2011, 2012)}
    return WorkCalendar(
        timezone="America/New_York", periods=[(time(0), time(0))], years=years, fallback="weekdays", arrivals=arrivals
    )


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("arrived", "limit", "due"),
    [
        ("2011-07-18 10:00:00", 2, "2011-07-20 10:00:00"),  # a Monday morning
        ("2011-07-18 03:15:00", 2, "2011-07-20 03:15:00"),  # before opening: the same time all the same
        ("2011-07-18 16:59:59", 2, "2011-07-20 16:59:59"),
        ("2011-07-18 17:00:00", 2, "2011-07-21 08:30:00"),  # at closing: the next day
        ("2011-07-22 17:35:15", 1, "2011-07-26 08:30:00"),  # a Friday evening: Monday at half past eight, and a day
        ("2011-08-07 14:46:57", 1, "2011-08-09 14:46:57"),  # a Sunday: Monday at the same time, and a day
        ("2011-07-31 21:42:29", 1, "2011-08-03 08:30:00"),  # a Sunday evening: Monday evening, so Tuesday
        ("2011-11-04 12:00:00", 1, "2011-11-07 12:00:00"),  # over the end of summer time
    ],
)
def test_the_start_is_moved(arrived: str, limit: int, due: str) -> None:
    found = calendar().add(start=local(arrived), limit=Limit(limit, TimeUnit.WORK_DAYS))
    assert found.astimezone(ZONE) == local(due)


def test_a_free_day_may_count_from_its_next_opening() -> None:
    rule = Arrivals(closing=time(17), opening=time(8, 30), free_day="opening")
    found = calendar(arrivals=rule).add(start=local("2011-08-07 21:00:00"), limit=Limit(1, TimeUnit.WORK_DAYS))
    assert found.astimezone(ZONE) == local("2011-08-09 08:30:00")


def test_holidays_are_free_days() -> None:
    found = calendar(table=LABOR_DAY).add(start=local("2011-09-02 20:55:30"), limit=Limit(1, TimeUnit.WORK_DAYS))
    assert found.astimezone(ZONE) == local("2011-09-07 08:30:00")


def test_other_kinds_of_time_are_left_alone() -> None:
    start = local("2011-08-07 21:00:00")
    for unit in (TimeUnit.URGENT_HOURS, TimeUnit.CALENDAR_DAYS):
        limit = Limit(3, unit)
        assert calendar().add(start=start, limit=limit) == calendar(arrivals=None).add(start=start, limit=limit)


def test_nothing_counts_before_the_arrival() -> None:
    start = local("2011-08-07 21:00:00")
    assert calendar().elapsed_seconds(start=start, end=local("2011-08-09 08:30:00"), unit=TimeUnit.WORK_DAYS) == 0
    assert calendar().elapsed_seconds(start=start, end=local("2011-08-09 09:30:00"), unit=TimeUnit.WORK_DAYS) == 3600
    assert calendar().effective_arrival(start).astimezone(ZONE) == local("2011-08-09 08:30:00")


def test_the_explanation_names_the_late_arrival_and_adds_up() -> None:
    start, at = local("2011-08-07 21:00:00"), local("2011-08-10 10:00:00")
    clock = start_clock(limit=Limit(1, TimeUnit.WORK_DAYS), calendar=calendar(), at=start)
    spans = explain(clock=clock, calendar=calendar(), at=at)
    assert spans[0].why == "late"
    assert sum(span.counted_seconds for span in spans) == clock.elapsed_seconds(calendar=calendar(), at=at)


@pytest.mark.parametrize(("closing", "free_day"), [(time(8), "same_time"), (time(17), "never")])
def test_what_makes_no_sense_is_refused(closing: time, free_day: str) -> None:
    with pytest.raises(BadInput):
        Arrivals(closing=closing, opening=time(8, 30), free_day=free_day)


MOMENTS = st.datetimes(datetime(2010, 1, 2), datetime(2012, 11, 1)).map(
    lambda at: at.replace(microsecond=0, tzinfo=UTC)
)


def step_by_step(arrived: datetime, days: int, table: YearTable) -> datetime:
    """The rule as a clerk would work it out, day by day on the local clock."""

    def worked(day: date) -> bool:
        return day.weekday() < 5 and not (day.year == 2011 and day in table.free_weekdays)

    moment = arrived.astimezone(ZONE).replace(tzinfo=None)
    while not worked(moment.date()):
        moment += timedelta(days=1)
    if moment.time() >= time(17):
        moment = datetime.combine(moment.date() + timedelta(days=1), time(8, 30))
        while not worked(moment.date()):
            moment += timedelta(days=1)
    while days:
        moment += timedelta(days=1)
        days -= worked(moment.date())
    return moment


@settings(deadline=None)
@given(start=MOMENTS, days=st.integers(1, 60), holiday=st.booleans())
def test_equals_the_clerk(start: datetime, days: int, holiday: bool) -> None:
    table = LABOR_DAY if holiday else NONE
    found = calendar(table=table).add(start=start, limit=Limit(days, TimeUnit.WORK_DAYS))
    expected = step_by_step(start, days, table)
    got = found.astimezone(ZONE).replace(tzinfo=None)
    # A deadline at midnight is due when the last working day ends, not when the next begins.
    assert got == expected or (expected.time() == time(0) and got <= expected)


@settings(deadline=None)
@given(starts=st.lists(MOMENTS, min_size=1, max_size=30), days=st.integers(0, 40))
def test_bulk_equals_one_by_one(starts: list[datetime], days: int) -> None:
    seconds = days * 86_400
    many = calendar().deadlines(
        starts=np.array([int(start.timestamp()) for start in starts], dtype=np.int64),
        seconds=np.full(len(starts), seconds, dtype=np.int64),
        unit=TimeUnit.WORK_DAYS,
    )
    one = [calendar().add_seconds(start=start, seconds=seconds, unit=TimeUnit.WORK_DAYS) for start in starts]
    assert many.tolist() == [int(moment.timestamp()) for moment in one]


@settings(deadline=None)
@given(start=MOMENTS, days=st.integers(1, 40))
def test_the_deadline_uses_up_the_limit(start: datetime, days: int) -> None:
    due = calendar().add(start=start, limit=Limit(days, TimeUnit.WORK_DAYS))
    assert calendar().elapsed_seconds(start=start, end=due, unit=TimeUnit.WORK_DAYS) == days * 86_400
