"""Working time by worked examples: each row is a case that a dispatcher could check with a calendar on the wall."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from yiwang.core.kernel.errors import BadInput
from yiwang.core.worktime import Limit, TimeUnit, UnknownYear, WorkCalendar, YearTable
from yiwang.packs.holidays_source import year_tables

PERIODS = [(time(8), time(12)), (time(14), time(18))]
NO_EXCEPTIONS = YearTable(free_weekdays=frozenset(), worked_weekends=frozenset())


@pytest.fixture(scope="module")
def wuxi() -> WorkCalendar:
    tables = year_tables(country="CN", years=range(2022, 2028))
    return WorkCalendar(timezone="Asia/Shanghai", periods=PERIODS, years=tables)


@pytest.fixture(scope="module")
def boston() -> WorkCalendar:
    tables = year_tables(country="US", subdivision="MA", years=range(2010, 2027))
    return WorkCalendar(timezone="America/New_York", periods=PERIODS, years=tables)


def every_day(timezone: str = "America/New_York", periods: list[tuple[time, time]] = PERIODS) -> WorkCalendar:
    """A calendar that works on every day of 2026, Sundays with a change of clocks included."""
    days = [date(2026, 1, 1) + timedelta(days=i) for i in range(365)]
    table = YearTable(free_weekdays=frozenset(), worked_weekends=frozenset(d for d in days if d.weekday() >= 5))
    return WorkCalendar(timezone=timezone, periods=periods, years={2026: table})


def local(calendar: WorkCalendar, text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=calendar.zone)


def check(calendar: WorkCalendar, start: str, limit: str, due: str) -> None:
    """Deadline, its bulk twin, and the way back."""
    parsed, begin = Limit.parse(limit), local(calendar, start)
    got = calendar.add(start=begin, limit=parsed)
    assert got.tzinfo is UTC
    assert got.astimezone(calendar.zone).isoformat(sep=" ")[:16] == due
    seconds = calendar.seconds(parsed)
    bulk = calendar.deadlines(
        starts=np.array([begin.timestamp()], dtype=np.int64), seconds=np.array([seconds]), unit=parsed.unit
    )
    assert bulk.tolist() == [got.timestamp()]
    assert calendar.elapsed_seconds(start=begin, end=got, unit=parsed.unit) == seconds


@pytest.mark.parametrize(
    ("start", "limit", "due"),
    [
        # urgent hours run day and night, over weekends and holidays
        ("2026-11-20 22:36", "2 urgent_hours", "2026-11-21 00:36"),
        ("2026-09-30 23:00", "24 urgent_hours", "2026-10-01 23:00"),
        # working hours count inside the periods only
        ("2026-11-18 09:00", "2 work_hours", "2026-11-18 11:00"),
        ("2026-11-18 11:00", "2 work_hours", "2026-11-18 15:00"),
        ("2026-11-18 17:30", "2 work_hours", "2026-11-19 09:30"),
        ("2026-11-18 10:15", "0.5 work_hours", "2026-11-18 10:45"),
        # begun outside working time: from the next opening
        ("2026-11-18 06:00", "1 work_hours", "2026-11-18 09:00"),
        ("2026-11-18 12:30", "1 work_hours", "2026-11-18 15:00"),
        ("2026-11-18 23:59", "1 work_hours", "2026-11-19 09:00"),
        ("2026-11-21 10:00", "1 work_hours", "2026-11-23 09:00"),
        # used up exactly when a period ends: due at that end, not at the next opening
        ("2026-11-18 14:00", "4 work_hours", "2026-11-18 18:00"),
        ("2026-11-18 08:00", "4 work_hours", "2026-11-18 12:00"),
        ("2026-11-20 08:00", "1 work_days", "2026-11-20 18:00"),
        ("2026-11-20 18:00", "1 work_days", "2026-11-23 18:00"),
        # a working day is a day's working periods
        ("2026-11-20 16:00", "1 work_days", "2026-11-23 16:00"),
        ("2026-11-20 16:00", "0.5 work_days", "2026-11-23 10:00"),
        ("2026-11-18 09:00", "3 work_days", "2026-11-23 09:00"),
        # statutory holidays, and the weekend days worked for them
        ("2026-09-30 16:00", "1 work_days", "2026-10-08 16:00"),
        ("2026-10-09 16:00", "1 work_days", "2026-10-10 16:00"),
        ("2026-10-09 16:00", "2 work_days", "2026-10-12 16:00"),
        ("2025-12-31 17:00", "2 work_hours", "2026-01-04 09:00"),
        # calendar days end at the same time of day
        ("2026-11-20 22:36", "3 calendar_days", "2026-11-23 22:36"),
        ("2026-02-27 10:00", "1.5 calendar_days", "2026-02-28 22:00"),
    ],
)
def test_wuxi(wuxi: WorkCalendar, start: str, limit: str, due: str) -> None:
    check(wuxi, start, limit, due)


@pytest.mark.parametrize(
    ("start", "limit", "due"),
    [
        ("2011-04-15 16:00", "1 work_days", "2011-04-19 16:00"),  # Patriots' Day, Massachusetts only
        ("2011-07-01 17:00", "2 work_hours", "2011-07-05 09:00"),  # Independence Day
        ("2010-12-30 16:00", "1 work_days", "2010-12-31 16:00"),  # New Year's Day on a Saturday: no Friday for it
        ("2011-12-23 16:00", "1 work_days", "2011-12-27 16:00"),  # Christmas on a Sunday: Monday is free
        ("2026-03-06 16:00", "1 work_days", "2026-03-09 16:00"),  # over the weekend on which clocks change
        ("2026-03-07 12:00", "1 calendar_days", "2026-03-08 12:00"),  # 23 hours later
        ("2026-10-31 12:00", "1 calendar_days", "2026-11-01 12:00"),  # 25 hours later
        ("2026-10-31 01:30", "1 calendar_days", "2026-11-01 01:30"),  # shown twice: the first
        ("2026-03-07 12:00", "24 urgent_hours", "2026-03-08 13:00"),
    ],
)
def test_boston(boston: WorkCalendar, start: str, limit: str, due: str) -> None:
    check(boston, start, limit, due)


def test_a_time_of_day_that_the_clocks_skip_is_due_when_they_jump(boston: WorkCalendar) -> None:
    start = local(boston, "2026-03-07 02:30")
    due = boston.add(start=start, limit=Limit.parse("1 calendar_days"))
    assert due == datetime(2026, 3, 8, 7, tzinfo=UTC)  # 03:00 summer time, the second after 01:59:59
    starts, day = np.array([int(start.timestamp())]), np.array([86_400])
    assert boston.deadlines(starts=starts, seconds=day, unit=TimeUnit.CALENDAR_DAYS).tolist() == [due.timestamp()]


def test_the_first_of_two_equal_times_of_day_is_due(boston: WorkCalendar) -> None:
    due = boston.add(start=local(boston, "2026-10-31 01:30"), limit=Limit.parse("1 calendar_days"))
    assert due == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    later = [
        boston.elapsed_seconds(start=due, end=due + timedelta(minutes=m), unit=TimeUnit.CALENDAR_DAYS)
        for m in (30, 60, 91)
    ]
    assert later == [1800, 1800, 1860]  # the hour that is shown again counts once


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        # periods 01:00–05:00, clocks from 02:00 to 03:00: the day has three working hours
        ("2026-03-08T00:30-05:00", 2, "2026-03-08T04:00-04:00"),
        ("2026-03-08T00:30-05:00", 3, "2026-03-08T05:00-04:00"),
        ("2026-03-08T00:30-05:00", 4, "2026-03-09T02:00-04:00"),
        # clocks from 02:00 back to 01:00: it has five
        ("2026-11-01T00:30-04:00", 1, "2026-11-01T01:00-05:00"),
        ("2026-11-01T00:30-04:00", 5, "2026-11-01T05:00-05:00"),
        ("2026-11-01T01:30-05:00", 1, "2026-11-01T02:30-05:00"),
    ],
)
def test_working_hours_are_as_long_as_they_really_were_where_clocks_change(start: str, hours: int, due: str) -> None:
    calendar = every_day(periods=[(time(1), time(5))])
    begin = datetime.fromisoformat(start)
    got = calendar.add(start=begin, limit=Limit(hours, TimeUnit.WORK_HOURS))
    assert got == datetime.fromisoformat(due)
    assert calendar.elapsed_seconds(start=begin, end=got, unit=TimeUnit.WORK_HOURS) == hours * 3600


def test_two_times_of_one_zone_are_compared_as_moments() -> None:
    """Python subtracts wall clocks when both times have the same zone object; elapsed time must not."""
    zone = ZoneInfo("America/New_York")
    start, end = datetime(2026, 3, 8, 0, tzinfo=zone), datetime(2026, 3, 8, 12, tzinfo=zone)
    assert every_day().elapsed_seconds(start=start, end=end, unit=TimeUnit.URGENT_HOURS) == 11 * 3600
    assert every_day().elapsed_seconds(start=start, end=end, unit=TimeUnit.CALENDAR_DAYS) == 12 * 3600


def test_microseconds_are_kept(wuxi: WorkCalendar) -> None:
    start = local(wuxi, "2026-11-18 17:59:59.750000")
    due = wuxi.add(start=start, limit=Limit.parse("1 work_hours"))
    assert due.astimezone(wuxi.zone).isoformat() == "2026-11-19T08:59:59.750000+08:00"
    assert wuxi.elapsed_seconds(start=start, end=due, unit=TimeUnit.WORK_HOURS) == 3600


def test_the_edges_of_what_is_known(wuxi: WorkCalendar) -> None:
    check(wuxi, "2022-01-01 00:00", "1 work_hours", "2022-01-04 09:00")  # before the first working day
    check(wuxi, "2026-12-31 14:00", "4 work_hours", "2026-12-31 18:00")  # to the end of the last
    single = WorkCalendar(timezone="Asia/Shanghai", periods=[(time(0), time(0))], years={2026: NO_EXCEPTIONS})
    check(single, "2026-12-31 00:00", "24 work_hours", "2027-01-01 00:00")
    years = {2026: NO_EXCEPTIONS, 2028: NO_EXCEPTIONS}
    split = WorkCalendar(timezone="Asia/Shanghai", periods=[(time(0), time(0))], years=years)
    check(split, "2026-12-31 00:00", "24 work_hours", "2027-01-01 00:00")


def test_a_limit_of_nothing_is_due_at_once(wuxi: WorkCalendar) -> None:
    night = local(wuxi, "2026-11-18 23:00")
    for unit in TimeUnit:
        assert wuxi.add(start=night, limit=Limit(0, unit)) == night
        assert wuxi.elapsed_seconds(start=night, end=night - timedelta(days=3), unit=unit) == 0


def test_limits_become_whole_seconds(wuxi: WorkCalendar) -> None:
    assert wuxi.seconds(Limit.parse("1.5 work_days")) == 12 * 3600
    assert wuxi.seconds(Limit.parse("0.1 urgent_hours")) == 360
    assert wuxi.seconds(Limit.parse("2 calendar_days")) == 2 * 86_400
    assert str(Limit.parse(" 2.50  work_hours ")) == "2.5 work_hours"


@pytest.mark.parametrize(
    "text",
    ["", "2", "work_hours", "two work_hours", "2 fortnights", "-1 work_hours", "nan work_hours", "1e9 work_days"],
)
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        Limit.parse(text)


# --- years that are not known -----------------------------------------------------------------------------------------


def test_an_unknown_year_is_an_error_that_names_it(wuxi: WorkCalendar) -> None:
    december = local(wuxi, "2026-12-31 10:00")
    limit = Limit.parse("3 work_days")
    for ask in (
        lambda: wuxi.is_workday(date(2027, 1, 4)),
        lambda: wuxi.add(start=december, limit=limit),
        lambda: wuxi.elapsed_seconds(start=december, end=december + timedelta(days=9), unit=TimeUnit.WORK_HOURS),
        lambda: wuxi.deadlines(
            starts=np.array([0, december.timestamp()], dtype=np.int64)[1:], seconds=np.array([86_400]), unit=limit.unit
        ),
    ):
        with pytest.raises(UnknownYear, match=r"2027 .* known: 2022–2026.*fallback") as caught:
            ask()
        assert caught.value.year == 2027
    with pytest.raises(UnknownYear, match="2021"):
        wuxi.add(start=local(wuxi, "2021-12-31 10:00"), limit=limit)
    # what does not reach into it, or does not ask about working days, has its answer
    check(wuxi, "2026-12-31 10:00", "6 work_hours", "2026-12-31 18:00")
    check(wuxi, "2026-12-31 10:00", "3 calendar_days", "2027-01-03 10:00")
    check(wuxi, "2026-12-31 23:00", "2 urgent_hours", "2027-01-01 01:00")


def test_the_stated_fallback_says_that_it_is_one(wuxi: WorkCalendar) -> None:
    calendar = WorkCalendar(timezone="Asia/Shanghai", periods=PERIODS, years=wuxi.years, fallback="weekdays")
    due = calendar.add(start=local(calendar, "2026-12-31 10:00"), limit=Limit.parse("1 work_days"))
    assert due == local(calendar, "2027-01-01 10:00")  # a Friday; nobody has said yet that it is free
    assert calendar.is_workday(due)
    assert calendar.is_estimated(due)
    assert calendar.is_estimated(due.date())
    assert not calendar.is_estimated(date(2026, 12, 31))
    far = calendar.add(start=local(calendar, "2026-12-31 10:00"), limit=Limit.parse("3000 work_days"))
    assert far.year == 2038
    before = calendar.add(start=local(calendar, "1999-12-31 10:00"), limit=Limit.parse("1 work_days"))
    assert before == local(calendar, "2000-01-03 10:00")
    with pytest.raises(BadInput, match="1970 to 2199"):
        calendar.add(start=due, limit=Limit.parse("900000 work_days"))


def test_a_gap_between_known_years_is_not_stepped_over(wuxi: WorkCalendar) -> None:
    years = {year: wuxi.years[year] for year in (2023, 2025)}
    calendar = WorkCalendar(timezone="Asia/Shanghai", periods=PERIODS, years=years)
    check(calendar, "2023-12-29 16:00", "2 work_hours", "2023-12-29 18:00")
    check(calendar, "2025-01-02 16:00", "1 work_days", "2025-01-03 16:00")
    with pytest.raises(UnknownYear, match=r"2024 .* known: 2023, 2025"):
        calendar.add(start=local(calendar, "2023-12-29 16:00"), limit=Limit.parse("3 work_hours"))
    start = np.array([local(calendar, "2023-12-29 16:00").timestamp()], dtype=np.int64)
    with pytest.raises(UnknownYear, match="2024"):
        calendar.deadlines(starts=start, seconds=np.array([3 * 3600]), unit=TimeUnit.WORK_HOURS)


def test_with_no_year_at_all_only_working_time_is_unknown() -> None:
    calendar = WorkCalendar(timezone="Asia/Shanghai", periods=PERIODS, years={})
    check(calendar, "2026-11-20 22:36", "2 urgent_hours", "2026-11-21 00:36")
    with pytest.raises(UnknownYear, match="known: none"):
        calendar.add(start=local(calendar, "2026-11-20 22:36"), limit=Limit.parse("1 work_hours"))


# --- what a calendar can be made of -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "periods",
    [
        [],
        [(time(12), time(8))],
        [(time(8), time(8))],
        [(time(8), time(12)), (time(11), time(18))],
        [(time(14), time(18)), (time(8), time(12))],
        [(time(22), time(6))],
    ],
)
def test_periods_that_make_no_sense(periods: list[tuple[time, time]]) -> None:
    with pytest.raises(BadInput, match="in order"):
        WorkCalendar(timezone="Asia/Shanghai", periods=periods, years={})


def test_a_night_shift_is_written_as_two_periods() -> None:
    calendar = every_day(timezone="Asia/Shanghai", periods=[(time(0), time(6)), (time(22), time(0))])
    assert calendar.seconds_per_day == 8 * 3600
    check(calendar, "2026-11-20 21:00", "8 work_hours", "2026-11-21 06:00")
    check(calendar, "2026-11-20 23:00", "1 work_hours", "2026-11-21 00:00")


def test_other_faults_of_a_calendar() -> None:
    with pytest.raises(BadInput, match="Atlantis"):
        WorkCalendar(timezone="Europe/Atlantis", periods=PERIODS, years={})
    with pytest.raises(BadInput, match="guess"):
        WorkCalendar(timezone="Asia/Shanghai", periods=PERIODS, years={}, fallback="guess")
    with pytest.raises(BadInput, match="no time zone"):
        every_day().add(start=datetime(2026, 1, 1), limit=Limit.parse("1 work_hours"))
    with pytest.raises(BadInput, match="shape"):
        every_day().deadlines(starts=np.zeros(2, np.int64), seconds=np.zeros(3, np.int64), unit=TimeUnit.WORK_HOURS)


def test_no_cases_have_no_deadlines() -> None:
    none = np.zeros(0, dtype=np.int64)
    for unit in TimeUnit:
        assert every_day().deadlines(starts=none, seconds=none, unit=unit).tolist() == []


def test_a_moment_counts_as_its_day_in_the_city(wuxi: WorkCalendar) -> None:
    friday_in_london = datetime(2026, 11, 20, 17, tzinfo=UTC)  # Saturday, 01:00, in Wuxi
    assert not wuxi.is_workday(friday_in_london)
    assert wuxi.is_workday(friday_in_london.date())
