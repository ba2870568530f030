"""Holidays from the library, against a second one, and what happens to years that it does not really know."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import chinese_calendar
import numpy as np
import pytest

from yiwang.core.kernel.errors import BadInput
from yiwang.core.worktime import Limit, TimeUnit, WorkCalendar
from yiwang.core.worktime.calendar import UnknownYear
from yiwang.packs.holidays_source import expected_tables, year_tables

PERIODS = [(time(8), time(12)), (time(14), time(18))]


def test_every_day_agrees_with_the_second_library() -> None:
    tables = year_tables(country="CN", years=range(2022, 2027))
    calendar = WorkCalendar(timezone="Asia/Shanghai", periods=PERIODS, years=tables)
    days = [date(2022, 1, 1) + timedelta(days=i) for i in range((date(2027, 1, 1) - date(2022, 1, 1)).days)]
    assert [day for day in days if calendar.is_workday(day) != chinese_calendar.is_workday(day)] == []


def test_a_year_without_a_decree_is_left_out() -> None:
    assert sorted(year_tables(country="CN", years=[2000, 2025, 2026, 2027, 2040])) == [2025, 2026]
    assert sorted(year_tables(country="US", years=[2011, 2027, 2040])) == [2011, 2027, 2040]


def test_a_pack_can_answer_for_such_a_year_itself() -> None:
    table = year_tables(
        country="CN",
        years=[2027],
        extra_holidays=[date(2027, 2, 12)],
        extra_workdays=[date(2027, 2, 14)],
        complete_years=[2027],
    )[2027]
    assert date(2027, 2, 12) in table.free_weekdays
    assert table.worked_weekends == {date(2027, 2, 14)}


def test_massachusetts_has_a_day_of_its_own() -> None:
    state, nation = (year_tables(country="US", subdivision=code, years=[2011])[2011] for code in ("MA", ""))
    assert state.free_weekdays - nation.free_weekdays == {date(2011, 4, 18)}
    assert not state.worked_weekends
    # a holiday kept on the last day of the year before
    assert date(2010, 12, 31) in year_tables(country="US", years=[2010])[2010].free_weekdays


def test_days_of_the_city_itself() -> None:
    holidays, workdays = [date(2026, 11, 19), date(2026, 11, 21)], [date(2026, 1, 1)]
    table = year_tables(country="CN", years=[2026], extra_holidays=holidays, extra_workdays=workdays)[2026]
    assert date(2026, 11, 19) in table.free_weekdays
    assert date(2026, 11, 21) not in table.free_weekdays | table.worked_weekends  # a free Saturday is no exception
    assert date(2026, 1, 1) not in table.free_weekdays
    with pytest.raises(BadInput, match="2026-11-19 is both"):
        year_tables(
            country="CN", years=[2026], extra_holidays=[date(2026, 11, 19)], extra_workdays=[date(2026, 11, 19)]
        )


def test_without_a_country_there_are_no_holidays() -> None:
    tables = year_tables(country="", years=[2026, 2027], extra_holidays=[date(2026, 1, 1)])
    assert tables[2026].free_weekdays == {date(2026, 1, 1)}
    assert sorted(tables) == [2026, 2027]
    assert year_tables(country="CN", years=[]) == {}


def test_weekends_on_other_days_become_exceptions() -> None:
    table = year_tables(country="EG", years=[2026])[2026]  # Friday and Saturday
    assert date(2026, 11, 20) in table.free_weekdays
    assert date(2026, 11, 22) in table.worked_weekends


def test_what_the_library_does_not_know() -> None:
    with pytest.raises(BadInput, match=r"no country 'cn'.*'CN'"):
        year_tables(country="cn", years=[2026])
    with pytest.raises(BadInput, match="no subdivision 'Mass' in US"):
        year_tables(country="US", subdivision="Mass", years=[2026])


def test_days_fixed_by_law_are_free_before_the_years_order_is_out() -> None:
    """Nobody knows yet which days of 2027 will be moved; that 1 January is free stands in the law."""
    years = year_tables(country="CN", years=[2025, 2026, 2027])
    expected = expected_tables(country="CN", years=[2027], extra_holidays=[date(2027, 3, 8)])
    calendar = WorkCalendar(
        timezone="Asia/Shanghai", periods=PERIODS, years=years, fallback="weekdays", expected=expected
    )
    fixed = [date(2027, 1, 1), date(2027, 5, 3), date(2027, 10, 1), date(2027, 3, 8)]
    assert [day for day in fixed if calendar.is_workday(day)] == []
    assert calendar.is_workday(date(2027, 1, 4))
    assert calendar.is_estimated(date(2027, 1, 1))
    thursday = datetime(2026, 12, 31, 10, tzinfo=calendar.zone)
    due = calendar.add(start=thursday, limit=Limit.parse("1 work_days"))
    assert due == datetime(2027, 1, 4, 10, tzinfo=calendar.zone)  # over New Year's Day and the weekend
    many = calendar.deadlines(
        starts=np.array([int(thursday.timestamp())]), seconds=np.array([8 * 3600]), unit=TimeUnit.WORK_DAYS
    )
    assert list(many) == [int(due.timestamp())]
    assert calendar.is_estimate(start=thursday, end=due)
    assert not calendar.is_estimate(start=thursday, end=thursday)
    strict = WorkCalendar(timezone="Asia/Shanghai", periods=PERIODS, years=years, expected=expected)
    with pytest.raises(UnknownYear):
        strict.is_workday(date(2027, 1, 1))  # without a fallback an unknown year is not answered for at all
