"""`calendar.toml`: when the city works."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Any

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
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
    fields.check_keys()
    if source["country"] and not years:
        fields.fault(
            "years",
            Text("没有列出年份。", "No years are named."),
            Text(
                "请列出日历需要其节假日的年份，例如 [2025, 2026]。",
                "List the years whose holidays the calendar needs, e.g. [2025, 2026].",
            ),
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


def _periods(fields: Fields) -> list[tuple[time, time]]:
    raw = fields.raw("periods")
    hint = Text(
        '例如 [["08:00", "12:00"], ["14:00", "18:00"]]。', 'For example [["08:00", "12:00"], ["14:00", "18:00"]].'
    )
    if not isinstance(raw, list) or not raw:
        fields.fault("periods", Text("没有写工作时段。", "The working periods are missing."), hint)
        return []
    periods = []
    for number, pair in enumerate(raw, start=1):
        if not isinstance(pair, list) or len(pair) != 2:
            message = Text("第 {number} 个时段不是一对时间。", "Period {number} is no pair of times.", number=number)
            fields.fault("periods", message, hint)
            continue
        start, end = (_time(moment) for moment in pair)
        if start is None or end is None:
            message = Text(
                "第 {number} 个时段写的是「{pair}」，不是时间。",
                "Period {number} holds {pair!r}, which are no times.",
                number=number,
                pair=pair,
            )
            fields.fault("periods", message, hint)
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
        fields.fault(
            key,
            Text("「{raw}」不是年份列表。", "{raw!r} is no list of years.", raw=raw),
            Text("例如 [2025, 2026]。", "For example [2025, 2026]."),
        )
        return ()
    return tuple(sorted(set(raw)))


def _arrivals(fields: Fields) -> Arrivals | None:
    table = fields.mapping("arrivals")
    if not table:
        return None
    item = Fields(fields.files, FILE, table, where="arrivals.")
    moments = {}
    hint = Text('例如 "08:30"。', 'For example "08:30".')
    for key in ("opening", "closing"):
        text = item.text(key, hint=hint)
        moments[key] = _time(text)
        if text and moments[key] is None:
            item.fault(key, Text("「{text}」不是时间。", "{text!r} is no time.", text=text), hint)
    free_day = item.text("free_day", default="same_time")
    item.check_keys()
    opening, closing = moments["opening"], moments["closing"]
    if opening is None or closing is None:
        return None
    try:
        return Arrivals(opening=opening, closing=closing, free_day=free_day)
    except BadInput as error:
        item.take("", error)
        return None
