"""`calendar.toml`: when the city works."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Any

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.worktime import Arrivals, WorkCalendar, YearTable
from yiwang.packs.fields import Fields
from yiwang.packs.files import PackFiles
from yiwang.packs.holidays_source import expected_tables, year_tables

FILE = "calendar.toml"
LOOKED_AHEAD = 6  # years after the last named one whose fixed holidays are counted as such; no limit reaches further


def read_calendar(files: PackFiles, *, timezone: str) -> WorkCalendar | None:
    """Read `calendar.toml`; None when it is so wrong that no calendar can be made. Problems go to ``files``."""
    data = files.toml(FILE)
    if data is None:
        return None
    before = len(files.problems)
    fields = Fields(files, FILE, data)
    periods = _periods(fields)
    years = _years(fields, "years")
    source: dict[str, Any] = {
        "country": fields.text("holidays", default=""),
        "subdivision": fields.text("subdivision", default=""),
        "extra_holidays": fields.days("extra_holidays"),
        "extra_workdays": fields.days("extra_workdays"),
        "complete_years": _years(fields, "complete_years"),
    }
    fallback = fields.text("fallback", default="error")
    arrivals = _arrivals(fields)
    fields.done()
    if source["country"] and not years:
        fields.fault(
            "years", "No years are named.", "List the years whose holidays the calendar needs, e.g. [2025, 2026]."
        )
    if len(files.problems) > before:
        return None
    try:
        tables = year_tables(years=years, **source)
        _warn_of_unknown_years(files, years, tables, fallback)
        del source["complete_years"]
        unknown = [
            year for year in range(min(years, default=1), max(years, default=0) + LOOKED_AHEAD) if year not in tables
        ]
        return WorkCalendar(
            timezone=timezone,
            periods=periods,
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
        message = f"The holiday library does not know {', '.join(unknown)} yet."
        then = (
            "are refused"
            if fallback == "error"
            else "are estimates: Monday to Friday without the holidays fixed by law"
        )
        hint = f"Deadlines in unknown years {then}, as fallback = {fallback!r} says."
        files.warn(message, hint, file=FILE, column="years")


def _periods(fields: Fields) -> list[tuple[time, time]]:
    raw = fields.raw("periods")
    hint = 'For example [["08:00", "12:00"], ["14:00", "18:00"]].'
    if not isinstance(raw, list) or not raw:
        fields.fault("periods", "The working periods are missing.", hint)
        return []
    periods = []
    for number, pair in enumerate(raw, start=1):
        if not isinstance(pair, list) or len(pair) != 2:
            fields.fault("periods", f"Period {number} is no pair of times.", hint)
            continue
        start, end = (_time(moment) for moment in pair)
        if start is None or end is None:
            fields.fault("periods", f"Period {number} holds {pair!r}, which are no times.", hint)
            continue
        periods.append((start, end))
    return periods


def _time(text: Any) -> time | None:
    if text == "24:00":
        return time(0)
    try:
        return time.fromisoformat(text)
    except (TypeError, ValueError):
        return None


def _years(fields: Fields, key: str) -> tuple[int, ...]:
    raw = fields.raw(key)
    if raw is None:
        return ()
    if not isinstance(raw, list) or not all(isinstance(year, int) and 1900 < year < 2200 for year in raw):
        fields.fault(key, f"{raw!r} is no list of years.", "For example [2025, 2026].")
        return ()
    return tuple(sorted(set(raw)))


def _arrivals(fields: Fields) -> Arrivals | None:
    table = fields.mapping("arrivals")
    if not table:
        return None
    item = Fields(fields.files, FILE, table, where="arrivals.")
    moments = {}
    for key in ("opening", "closing"):
        text = item.text(key, hint='For example "08:30".')
        moments[key] = _time(text)
        if text and moments[key] is None:
            item.fault(key, f"{text!r} is no time.", 'For example "08:30".')
    free_day = item.text("free_day", default="same_time")
    item.done()
    opening, closing = moments["opening"], moments["closing"]
    if opening is None or closing is None:
        return None
    try:
        return Arrivals(opening=opening, closing=closing, free_day=free_day)
    except BadInput as error:
        item.fault("", str(error))
        return None
