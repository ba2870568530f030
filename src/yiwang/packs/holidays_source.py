"""Statutory holidays and adjusted workdays from the library `holidays`, as the tables the core counts with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import holidays

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.worktime import YearTable
from yiwang.packs.hints import did_you_mean

_SATURDAY = 5
_LOOK_BACK = 15  # years; a country that moves working days to weekends has done so within them


def year_tables(
    *,
    country: str,
    subdivision: str = "",
    years: Iterable[int],
    extra_holidays: Iterable[date] = (),
    extra_workdays: Iterable[date] = (),
    complete_years: Iterable[int] = (),
) -> dict[int, YearTable]:
    """The exceptions of each year that is really known; a year that is not is left out, never guessed.

    In a country that moves working days to weekends by yearly decree (China) the library answers for years without a
    decree too, only without the moved days. Such years are taken as unknown: those after the last year in which any
    day was moved, and those before the first.

    Args:
        country: The library's country code (ISO 3166-1 alpha-2), e.g. ``"CN"``; empty for no holidays at all, when
            every year is known.
        subdivision: The library's subdivision code, e.g. ``"MA"``; empty for none.
        years: The years that are wanted.
        extra_holidays: Days that the city takes off besides.
        extra_workdays: Days that the city works besides; they win over the library's holidays.
        complete_years: Years that the extra days complete, for which the pack answers itself where the library has no
            decree.

    Raises:
        BadInput: When the library does not know the country or subdivision, or a day is both taken off and worked.
    """
    wanted = sorted(set(years))
    free, worked = frozenset(extra_holidays), frozenset(extra_workdays)
    if both := sorted(free & worked):
        raise BadInput(
            Problem(
                Text(
                    "{day} 同时写在 extra_holidays 和 extra_workdays 中。",
                    "{day} is both in extra_holidays and in extra_workdays.",
                    day=both[0].isoformat(),
                ),
                hint=Text("请只保留一处。", "Keep it in one of them."),
                column="extra_workdays",
            )
        )
    if not wanted:
        return {}
    if not country:
        return {year: _table(year, None, free, worked) for year in wanted}
    source = _source(country, subdivision, range(wanted[0] - _LOOK_BACK, wanted[-1] + 2))
    decreed = {day.year for day in source.weekend_workdays}
    vouched = set(complete_years)
    return {
        year: _table(year, source, free, worked)
        for year in wanted
        if not decreed or min(decreed) <= year <= max(decreed) or year in vouched
    }


def expected_tables(
    *,
    country: str,
    subdivision: str = "",
    years: Iterable[int],
    extra_holidays: Iterable[date] = (),
    extra_workdays: Iterable[date] = (),
) -> dict[int, YearTable]:
    """What can be told of years whose order is not out: the days that the law fixes, and those that the pack lists.

    The same library answers by its general rules (in China 1 January, Spring Festival, 1 May, 1 October and so on), only
    without the days that an order will move. So these are estimates, for years that `year_tables` leaves out.

    Args:
        country, subdivision: As in `year_tables`.
        years: The unknown years that are wanted.
        extra_holidays, extra_workdays: Days that the pack lists.
    """
    wanted = sorted(set(years))
    if not country or not wanted:
        return {}
    free, worked = frozenset(extra_holidays), frozenset(extra_workdays)
    source = _source(country, subdivision, range(wanted[0], wanted[-1] + 2))
    return {year: _table(year, source, free, worked) for year in wanted}


def _source(country: str, subdivision: str, years: range) -> holidays.HolidayBase:
    supported = holidays.list_supported_countries(include_aliases=True)
    if country not in supported:
        problem = Text(
            "节假日库中没有国家「{country}」。", "The holiday library has no country {country!r}.", country=country
        )
        hint = did_you_mean(country.upper(), supported) or Text(
            "请写两个字母的国家代码，例如 CN 或 US。", "Write a two-letter country code, e.g. CN or US."
        )
        raise BadInput(Problem(problem, hint=hint, column="holidays"))
    if subdivision and subdivision not in supported[country]:
        problem = Text(
            "节假日库中 {country} 没有地区「{subdivision}」。",
            "The holiday library has no subdivision {subdivision!r} in {country}.",
            country=country,
            subdivision=subdivision,
        )
        hint = Text("没有地区可填，请留空。", "It has none; leave it empty.")
        if supported[country]:
            hint = Text("可填：{known}。", "It has {known}.", known=", ".join(supported[country]))
        raise BadInput(Problem(problem, hint=hint, column="subdivision"))
    return holidays.country_holidays(country, subdiv=subdivision or None, years=years)


def _table(year: int, source: holidays.HolidayBase | None, free: frozenset[date], worked: frozenset[date]) -> YearTable:
    free_weekdays, worked_weekends = set[date](), set[date]()
    day = date(year, 1, 1)
    while day.year == year:
        weekday = day.weekday() < _SATURDAY
        works = day in worked or (day not in free and (weekday if source is None else source.is_working_day(day)))
        if weekday and not works:
            free_weekdays.add(day)
        elif works and not weekday:
            worked_weekends.add(day)
        day += timedelta(days=1)
    return YearTable(free_weekdays=frozenset(free_weekdays), worked_weekends=frozenset(worked_weekends))
