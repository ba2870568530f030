"""Statutory holidays and adjusted workdays from the library `holidays`, as the tables the core counts with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import holidays

from yiwang.core.kernel.errors import BadInput, Problem
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
                f"{both[0].isoformat()} is both in extra_holidays and in extra_workdays.",
                hint="Keep it in one of them.",
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
        hint = did_you_mean(country.upper(), supported) or "Write a two-letter country code, e.g. CN or US."
        raise BadInput(Problem(f"The holiday library has no country {country!r}.", hint=hint, column="holidays"))
    if subdivision and subdivision not in supported[country]:
        hint = f"It has {', '.join(supported[country])}." if supported[country] else "It has none; leave it empty."
        problem = f"The holiday library has no subdivision {subdivision!r} in {country}."
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
