"""`calendar.toml`: when the city works."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainValidator, Strict

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.worktime import Arrivals, WorkCalendar, YearTable
from yiwang.packs.files import PackFiles
from yiwang.packs.holidays_source import expected_tables, year_tables
from yiwang.packs.toml_tables import Day, Expected, Line, TomlTable, read_table, wrong

FILE = "calendar.toml"
LOOKED_AHEAD = 6  # years after the last named one whose fixed holidays are counted as such; no limit reaches further
_TIME_HINT = Text('例如 "08:30"。', 'For example "08:30".')
_PERIODS = Expected(
    Text('例如 [["08:00", "12:00"], ["14:00", "18:00"]]。', 'For example [["08:00", "12:00"], ["14:00", "18:00"]].'),
    Text("没有写工作时段。", "The working periods are missing."),
    otherwise=(),
)
_YEARS = Expected(
    Text("例如 [2025, 2026]。", "For example [2025, 2026]."),
    Text("「{value}」不是年份列表。", "{value!r} is no list of years."),
)


def _read_time(value: object) -> time:
    try:
        return time(0) if value == "24:00" else time.fromisoformat(str(value))
    except ValueError:
        message = Text("「{value}」不是时间。", "{value!r} is no time.", value=value)
        raise wrong(message, _TIME_HINT) from None


def _read_period(value: object) -> tuple[time, time]:
    try:
        start, end = map(_read_time, value if isinstance(value, list) else ())
    except ValueError:
        raise wrong(Text("「{pair}」不是一对时间。", "{pair!r} are no times.", pair=value)) from None
    return start, end


def _read_years(value: object) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(type(year) is int and 1900 < year < 2200 for year in value):
        raise wrong(_YEARS.message.with_values(value=value))
    return tuple(sorted(set(value)))


Time = Annotated[time, PlainValidator(_read_time), Expected(_TIME_HINT)]
Years = Annotated[tuple[int, ...], PlainValidator(_read_years), _YEARS]
Days = Annotated[
    frozenset[Day], BeforeValidator(lambda value: value if isinstance(value, list) else [value]), Strict(False)
]
Period = Annotated[tuple[time, time], PlainValidator(_read_period)]


class ArrivalsTable(TomlTable):
    """`[arrivals]`: see `Arrivals`."""

    opening: Time
    closing: Time
    free_day: Line = "same_time"


class CalendarTable(TomlTable):
    """What `calendar.toml` says.

    Attributes:
        periods: When a working day is worked.
        years: Those whose holidays the calendar needs.
        holidays, subdivision: Country and part of it whose holidays they are.
        extra_holidays, extra_workdays: Where the city differs from them.
        complete_years: Years whose holidays all stand in the file.
        fallback: What holds in years that nobody knows.
        arrivals: What counts as arrived when; None for the moment itself.
    """

    periods: Annotated[list[Period], Field(min_length=1), _PERIODS]
    years: Years = ()
    holidays: Line = ""
    subdivision: Line = ""
    extra_holidays: Days = frozenset()
    extra_workdays: Days = frozenset()
    complete_years: Years = ()
    fallback: Line = "error"
    arrivals: ArrivalsTable | None = None


def read_calendar(files: PackFiles, *, timezone: str) -> WorkCalendar | None:
    """Read `calendar.toml`; None when it is so wrong that no calendar can be made. Problems go to ``files``."""
    data = files.toml(FILE)
    if data is None:
        return None
    before = len(files.problems)
    table = read_table(CalendarTable, data, files, FILE)
    arrivals = _arrivals(table.arrivals, files)
    years, fallback = table.years, table.fallback
    if table.holidays and not years:
        files.fault(
            Text("没有列出年份。", "No years are named."),
            Text(
                "请列出日历需要其节假日的年份，例如 [2025, 2026]。",
                "List the years whose holidays the calendar needs, e.g. [2025, 2026].",
            ),
            file=FILE,
            column="years",
        )
    if len(files.problems) > before:
        return None
    source: dict[str, Any] = {
        "country": table.holidays,
        "subdivision": table.subdivision,
        "extra_holidays": table.extra_holidays,
        "extra_workdays": table.extra_workdays,
    }
    try:
        tables = year_tables(years=years, complete_years=table.complete_years, **source)
        _warn_of_unknown_years(files, years, tables, fallback)
        unknown = [
            year for year in range(min(years, default=1), max(years, default=0) + LOOKED_AHEAD) if year not in tables
        ]
        return WorkCalendar(
            timezone=timezone,
            periods=table.periods,
            years=tables,
            fallback=fallback,
            expected=expected_tables(years=unknown, **source) if fallback == "weekdays" else None,
            arrivals=arrivals,
        )
    except BadInput as error:
        files.problems.extend(Problem(p.message, p.hint, p.file or FILE, p.row, p.column) for p in error.problems)
        return None


def _warn_of_unknown_years(
    files: PackFiles, years: tuple[int, ...], tables: Mapping[int, YearTable], fallback: str
) -> None:
    unknown = [str(year) for year in years if year not in tables]
    if unknown:
        message = Text(
            "节假日库中还没有 {years} 的数据。",
            "The holiday library does not know {years} yet.",
            years=", ".join(unknown),
        )
        if fallback == "error":
            hint = Text(
                "按 fallback = 「{fallback}」，落在未知年份的截止时间将不予计算。",
                "Deadlines in unknown years are refused, as fallback = {fallback!r} says.",
                fallback=fallback,
            )
        else:
            hint = Text(
                "按 fallback = 「{fallback}」，落在未知年份的截止时间是估计值：周一至周五，除去法定固定节假日。",
                "Deadlines in unknown years are estimates: Monday to Friday without the holidays fixed by law, "
                "as fallback = {fallback!r} says.",
                fallback=fallback,
            )
        files.warn(message, hint, file=FILE, column="years")


def _arrivals(table: ArrivalsTable | None, files: PackFiles) -> Arrivals | None:
    if table is None or not (table.opening and table.closing):
        return None
    try:
        return Arrivals(opening=table.opening, closing=table.closing, free_day=table.free_day)
    except BadInput as error:
        files.take(error, file=FILE, column="arrivals.")
        return None
