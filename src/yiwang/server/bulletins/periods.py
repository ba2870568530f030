"""Days and weeks on a city's own clocks, as bulletins are made for them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.server.common.language import say

YEARS = range(1901, 8999)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_WEEK = re.compile(r"(\d{4})-W(\d{2})", re.ASCII)
_INSTANT = timedelta(microseconds=1)
WEEKDAYS = (
    Text("星期一", "Monday"),
    Text("星期二", "Tuesday"),
    Text("星期三", "Wednesday"),
    Text("星期四", "Thursday"),
    Text("星期五", "Friday"),
    Text("星期六", "Saturday"),
    Text("星期日", "Sunday"),
)
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A day or a week (Monday to Sunday) on a city's clocks. A day that the clocks change has 23 or 25 hours.

    Attributes:
        first: First day.
        weekly: Whether it is a week.
        zone: The city's.
    """

    first: date
    weekly: bool
    zone: tzinfo

    @property
    def length(self) -> int:
        """Days."""
        return 7 if self.weekly else 1

    @property
    def last(self) -> date:
        return self.first + timedelta(days=self.length - 1)

    @property
    def start(self) -> datetime:
        return datetime.combine(self.first, time(), self.zone)

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return datetime.combine(self.first + timedelta(days=self.length), time(), self.zone)

    def back(self, periods: int = 1) -> Period:
        """The one so many before; after, below zero."""
        return Period(first=self.first - timedelta(days=self.length * periods), weekly=self.weekly, zone=self.zone)

    def weeks_back(self, weeks: int) -> Period:
        """The same weekday, or the week, so many weeks before."""
        return Period(first=self.first - timedelta(weeks=weeks), weekly=self.weekly, zone=self.zone)

    def moment(self, now: datetime) -> datetime:
        """The moment whose state the bulletin shows: the last of the period, or now while it goes on."""
        return min(self.end - _INSTANT, now)

    @property
    def value(self) -> str:
        """As addresses write it."""
        if not self.weekly:
            return self.first.isoformat()
        year, week, _ = self.first.isocalendar()
        return f"{year}-W{week:02}"

    @property
    def name(self) -> str:
        """As people read it."""
        if not self.weekly:
            return say(
                "{day}（{weekday}）", "{weekday} {day}", day=day_words(self.first), weekday=say(WEEKDAYS[self.first.weekday()])
            )  # fmt: skip
        year, week, _ = self.first.isocalendar()
        return say(
            "{year} 年第 {week} 周（{first} 至 {last}）", "Week {week} of {year} ({first} to {last})",
            year=year, week=week, first=day_words(self.first, with_year=False), last=day_words(self.last, with_year=False),
        )  # fmt: skip


def day_words(day: date, *, with_year: bool = True) -> str:
    """A day in words."""
    short = say(
        "{month}月{day}日", "{day} {month_name}", month=day.month, day=day.day, month_name=MONTHS[day.month - 1]
    )
    return say("{year}年{short}", "{short} {year}", year=day.year, short=short) if with_year else short


def read_period(*, day: str, week: str, zone: tzinfo, default: date) -> Period:
    """The period that is asked for: a week where one is given, else a day.

    Args:
        day: E.g. ``2026-11-28``; empty for the default.
        week: E.g. ``2026-W48``; ``last`` for the week before the one of the default day.
        zone: The city's.
        default: The day that is meant when none is given.

    Raises:
        BadInput: When a text names no day or week, or one in no year that is kept.
    """
    if week == "last":
        monday = default - timedelta(days=default.weekday())
        whole = default == monday + timedelta(days=6)
        return Period(first=monday if whole else monday - timedelta(weeks=1), weekly=True, zone=zone)
    try:
        if week:
            if not (found := _WEEK.fullmatch(week)):
                raise ValueError
            first = date.fromisocalendar(int(found[1]), int(found[2]), 1)
        else:
            if day and not _DAY.fullmatch(day):
                raise ValueError
            first = date.fromisoformat(day) if day else default
        if first.year not in YEARS:
            raise ValueError
    except ValueError:
        raise BadInput(
            Problem(
                Text("「{text}」不是有效的日期或周。", "{text!r} is no day and no week.", text=week or day),
                Text("日期写成 2026-11-28，周写成 2026-W48。", "Write a day as 2026-11-28, a week as 2026-W48."),
                column="week" if week else "day",
            )
        ) from None
    return Period(first=first, weekly=bool(week), zone=zone)


def default_day(*, stands: datetime | None, zone: tzinfo, now: datetime | None = None) -> date:
    """Yesterday on the city's clocks; in a city that was replayed from its records, the last day that these have."""
    if stands is not None:
        return stands.astimezone(zone).date()
    return (now or datetime.now(UTC)).astimezone(zone).date() - timedelta(days=1)
