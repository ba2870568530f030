"""Working calendars: which days and hours count, and deadlines by looking them up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.core.worktime.arrivals import Arrivals, effective_arrival, effective_arrivals
from yiwang.core.worktime.limits import Limit, TimeUnit
from yiwang.core.worktime.timeline import BEYOND, Timeline
from yiwang.core.worktime.wallclock import DAY, EPOCH, FIRST_YEAR, LAST_YEAR, MICRO, wall_clock

Seconds = NDArray[np.int64]
_SATURDAY = 5
_MICROSECOND = timedelta(microseconds=1)
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


class UnknownYear(BadInput):
    """A day lies in a year whose holidays and adjusted workdays nobody has given to the calendar.

    Attributes:
        year: That year.
    """

    def __init__(self, *, year: int, known: Iterable[int]) -> None:
        self.year = year
        super().__init__(
            Text(
                "{year} 年的节假日和调休未知；已知的年份：{known}。"
                '请更新节假日库，或在 calendar.toml 中列出日期，或在其中写 fallback = "weekdays"。',
                "The holidays and adjusted workdays of {year} are not known; known: {known}. "
                'Update the holiday library, list the days in calendar.toml, or state fallback = "weekdays" there.',
                year=year,
                known=_spell(known) or Text("无", "none"),
            )
        )


@dataclass(frozen=True, slots=True)
class YearTable:
    """The exceptions of one year.

    Attributes:
        free_weekdays: Days from Monday to Friday that are not worked.
        worked_weekends: Saturdays and Sundays that are worked (调休).
    """

    free_weekdays: frozenset[date]
    worked_weekends: frozenset[date]


_PLAIN = YearTable(free_weekdays=frozenset(), worked_weekends=frozenset())


class WorkCalendar:
    """When a city works. Behaves as a value: the same questions get the same answers for ever.

    Args:
        timezone: IANA name of the city's zone.
        periods: Working periods of a working day as wall-clock times, in order, not overlapping; an end of
            ``time(0)`` is the end of the day. A period over midnight is written as two.
        years: Exceptions by year. A year without a table is unknown.
        fallback: What to do in an unknown year: ``"error"`` raises `UnknownYear`; ``"weekdays"`` takes Monday to
            Friday without the days off that ``expected`` names, and `is_estimated` says so.
        expected: Exceptions of unknown years as far as they can be told before the year's order is out: the days fixed by
            law. They count only with the fallback ``"weekdays"``.
        arrivals: How what arrives after closing or on a free day is moved before working time is counted from it; None
            for not at all.

    Raises:
        BadInput: When the zone is unknown, the periods are empty or out of order, or the fallback is no known word.
    """

    def __init__(
        self,
        *,
        timezone: str,
        periods: Sequence[tuple[time, time]],
        years: Mapping[int, YearTable],
        fallback: str = "error",
        expected: Mapping[int, YearTable] | None = None,
        arrivals: Arrivals | None = None,
    ) -> None:
        if fallback not in {"error", "weekdays"}:
            raise BadInput(
                Text(
                    "「{fallback}」不能作为未知年份的 fallback；请写 'error' 或 'weekdays'。",
                    "{fallback!r} is no fallback for unknown years; write 'error' or 'weekdays'.",
                    fallback=fallback,
                )
            )
        try:
            self.zone = ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise BadInput(
                Text(
                    "「{zone}」不是时区；请写 IANA 名称，例如 'Asia/Shanghai'。",
                    "{zone!r} is no time zone; write an IANA name such as 'Asia/Shanghai'.",
                    zone=timezone,
                )
            ) from error
        self.timezone = timezone
        self.periods = tuple(periods)
        self.years = dict(sorted(years.items()))
        self.fallback = fallback
        self.expected = dict(expected or {}) if fallback == "weekdays" else {}
        self.arrivals = arrivals
        self._wall = wall_clock(timezone)
        self._spans = _spans(periods)
        self.seconds_per_day = sum(end - start for start, end in self._spans)
        first, last = min(years, default=FIRST_YEAR), max(years, default=FIRST_YEAR)
        self._laid_out = (first, last, self._lay_out(first, last))

    # --- days ---------------------------------------------------------------------------------------------------------

    def is_estimated(self, day: date) -> bool:
        """Whether the day's year is unknown, so that an answer about it rests on the stated fallback."""
        return self._local(day).year not in self.years

    def is_estimate(self, *, start: datetime, end: datetime) -> bool:
        """Whether working time between two moments reaches into an unknown year, in any order of the two."""
        first, last = sorted((self._local(start).year, self._local(end).year))
        return any(year not in self.years for year in range(first, last + 1))

    def is_workday(self, day: date) -> bool:
        """Whether a day is worked. A moment counts as its day in the city.

        Raises:
            UnknownYear: In an unknown year, unless the calendar states a fallback.
        """
        day = self._local(day)
        table = self.years.get(day.year)
        if table is None:
            if self.fallback == "error":
                raise UnknownYear(year=day.year, known=self.years)
            table = self.expected.get(day.year, _PLAIN)
        return day in table.worked_weekends if day.weekday() >= _SATURDAY else day not in table.free_weekdays

    def _local(self, day: date) -> date:
        return day.astimezone(self.zone).date() if isinstance(day, datetime) else day

    # --- one at a time ------------------------------------------------------------------------------------------------

    def seconds(self, limit: Limit) -> int:
        """Counted seconds of a limit, rounded to whole ones.

        A working day has the seconds of its working periods, a calendar day 86,400.
        """
        if limit.unit == TimeUnit.WORK_DAYS:
            return round(limit.amount * self.seconds_per_day)
        return round(limit.amount * (DAY if limit.unit == TimeUnit.CALENDAR_DAYS else 3600))

    def add(self, *, start: datetime, limit: Limit) -> datetime:
        """The deadline in UTC: when the limit has been used up, counting from ``start``.

        Work begun outside working time is counted from the next opening. A limit that is used up exactly when a working
        period ends is due then, not at the next opening; a limit of nothing is due at ``start``.

        Raises:
            UnknownYear: When the start or the answer lies in an unknown year, and there is no fallback.
        """
        return self.add_seconds(start=start, seconds=self.seconds(limit), unit=limit.unit)

    def add_seconds(self, *, start: datetime, seconds: float, unit: TimeUnit) -> datetime:
        """Like `add` for counted seconds, exact to the microsecond."""
        first, amount = _micros(start), round(seconds * MICRO)
        if amount <= 0:
            return _moment(first)
        if unit == TimeUnit.URGENT_HOURS:
            return _moment(first + amount)
        if unit == TimeUnit.CALENDAR_DAYS:
            return _moment(self._wall.moment(self._wall.wall(first) + amount))
        first = self._effective_arrival(first)
        timeline = self._timeline_over(first // MICRO, first // MICRO)
        while (due := timeline.due(start=first, amount=amount)) is None:
            timeline = self._timeline_beyond(first // MICRO)
        return _moment(due)

    def elapsed_seconds(self, *, start: datetime, end: datetime, unit: TimeUnit) -> float:
        """Counted seconds between two moments; 0 when ``end`` is not after ``start``.

        Working days count in working seconds too. Calendar days count in seconds of the wall clock, so that the same
        time on the next day is always 86,400 away.

        Raises:
            UnknownYear: When working time between them lies in an unknown year, and there is no fallback.
        """
        first, last = _micros(start), _micros(end)
        if last <= first:
            return 0.0
        if unit == TimeUnit.URGENT_HOURS:
            return (last - first) / MICRO
        if unit == TimeUnit.CALENDAR_DAYS:
            return (self._wall.wall(last) - self._wall.wall(first)) / MICRO
        first = self._effective_arrival(first)
        if last <= first:
            return 0.0
        timeline = self._timeline_over(first // MICRO, -(-last // MICRO))
        return (timeline.working_micros(last) - timeline.working_micros(first)) / MICRO

    def effective_arrival(self, start: datetime) -> datetime:
        """The moment as which an arrival counts for working time: itself, unless the calendar moves late arrivals."""
        return _moment(self._effective_arrival(_micros(start)))

    def _effective_arrival(self, moment: int) -> int:
        if self.arrivals is None:
            return moment
        return effective_arrival(moment, rule=self.arrivals, clock=self._wall, is_workday=self._is_workday)

    def _is_workday(self, day: int) -> bool:
        return self.is_workday(date.fromordinal(day + _EPOCH_ORDINAL))

    def working_spans(self, *, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
        """The working periods, cut to ``[start, end)``, in order, in UTC. Raises `UnknownYear` like `elapsed_seconds`."""
        first, last = _micros(start), _micros(end)
        if last <= first:
            return []
        timeline = self._timeline_over(first // MICRO, -(-last // MICRO))
        return [(_moment(low), _moment(high)) for low, high in timeline.segments(start=first, end=last)]

    # --- in bulk ------------------------------------------------------------------------------------------------------

    def deadlines(self, *, starts: Seconds, seconds: Seconds, unit: TimeUnit) -> Seconds:
        """Deadlines of many cases at once, each equal to `add_seconds`.

        Args:
            starts: Epoch seconds, shape (n,), int64.
            seconds: Counted seconds of each limit, shape (n,), int64.
            unit: The one kind of time of them all.

        Returns:
            Epoch seconds, shape (n,), int64.

        Raises:
            UnknownYear: When any of them meets an unknown year, and there is no fallback.
            BadInput: When the shapes differ.
        """
        starts, seconds = np.asarray(starts, dtype=np.int64), np.asarray(seconds, dtype=np.int64)
        if starts.ndim != 1 or starts.shape != seconds.shape:
            raise BadInput(
                Text(
                    "起始时刻的形状是 {starts}，秒数应为相同的一维形状，而不是 {seconds}。",
                    "Starts of shape {starts} need seconds of the same, flat shape, not {seconds}.",
                    starts=str(starts.shape),
                    seconds=str(seconds.shape),
                )
            )
        if unit == TimeUnit.URGENT_HOURS:
            return starts + np.maximum(seconds, 0)
        if unit == TimeUnit.CALENDAR_DAYS:
            moved = self._wall.add_many(starts=starts, seconds=seconds)
            return np.where(seconds <= 0, starts, moved)
        given = starts
        if self.arrivals is not None:
            starts = effective_arrivals(starts, rule=self.arrivals, clock=self._wall, is_workday=self._is_workday)
            starts = np.where(seconds <= 0, given, starts)
        while True:
            due = self._laid_out[2].due_many(starts=starts, seconds=seconds)
            beyond = np.flatnonzero(due == BEYOND)
            if not len(beyond):
                return due
            # The one that is due last and the one that starts first raise, or widen what is laid out for all.
            for one in (beyond[np.argmax((starts + seconds)[beyond])], beyond[np.argmin(starts[beyond])]):
                self.add_seconds(start=_moment(int(starts[one]) * MICRO), seconds=int(seconds[one]), unit=unit)

    # --- what is laid out ---------------------------------------------------------------------------------------------

    def _lay_out(self, first: int, last: int) -> Timeline:
        """The timeline of whole years, without the unknown ones when there is no fallback."""
        known = [year for year in range(first, last + 1) if self.fallback == "weekdays" or year in self.years]
        stretches: list[tuple[int, int]] = []
        days: list[Seconds] = [np.zeros(0, dtype=np.int64)]
        for year in known:
            begin, end = _day(date(year, 1, 1)), _day(date(year + 1, 1, 1))
            if stretches and stretches[-1][1] == begin:
                stretches[-1] = (stretches[-1][0], end)
            else:
                stretches.append((begin, end))
            days.append(self._workdays(year, begin, end))
        return Timeline(days=np.concatenate(days), spans=self._spans, clock=self._wall, known=stretches)

    def _workdays(self, year: int, begin: int, end: int) -> Seconds:
        days = np.arange(begin, end, dtype=np.int64)
        worked = (days + 3) % 7 < _SATURDAY  # 1970-01-01 was a Thursday
        table = self.years.get(year) or self.expected.get(year)
        if table is not None:
            for day in table.free_weekdays:
                if day.year == year and day.weekday() < _SATURDAY:
                    worked[_day(day) - begin] = False
            for day in table.worked_weekends:
                if day.year == year and day.weekday() >= _SATURDAY:
                    worked[_day(day) - begin] = True
        return days[worked]

    def _timeline_over(self, first: int, last: int) -> Timeline:
        """A timeline on which two moments (epoch seconds) lie in one known stretch."""
        timeline = self._laid_out[2]
        end = timeline.known_end(first)
        if end is not None and last <= end:
            return timeline
        if self.fallback == "error":
            raise UnknownYear(year=self._year(first if end is None else end), known=self.years)
        return self._extend(self._year(first), self._year(last))

    def _timeline_beyond(self, start: int) -> Timeline:
        """A timeline that goes further, for an answer that lies beyond the end of this one."""
        first, last, timeline = self._laid_out
        if self.fallback == "error":
            end = timeline.known_end(start)
            raise UnknownYear(year=self._year(start if end is None else end), known=self.years)
        return self._extend(first, last + 1 if last >= LAST_YEAR else min(2 * last - first + 4, LAST_YEAR))

    def _extend(self, first: int, last: int) -> Timeline:
        if first < FIRST_YEAR or last > LAST_YEAR:
            raise BadInput(
                Text(
                    "工作时间只能计算 {first} 年至 {last} 年。",
                    "Working time is counted from {first} to {last} only.",
                    first=FIRST_YEAR,
                    last=LAST_YEAR,
                )
            )
        built_first, built_last, _ = self._laid_out
        first, last = min(first, built_first), max(last, built_last)
        timeline = self._lay_out(first, last)
        self._laid_out = (first, last, timeline)  # in one step: other threads see the old one or the new one
        return timeline

    def _year(self, moment: int) -> int:
        return _moment(moment * MICRO).astimezone(self.zone).year


def _spans(periods: Sequence[tuple[time, time]]) -> list[tuple[int, int]]:
    spans = [(_since_midnight(start), _since_midnight(end) or DAY) for start, end in periods]
    edges = [edge for span in spans for edge in span]
    if not spans or any(start >= end for start, end in spans) or edges != sorted(edges):
        raise BadInput(
            Text(
                "工作时段须按先后写出，每段的结束晚于开始，且不晚于下一段的开始；"
                "跨零点的一段请写成两段，例如 22:00–00:00 和 00:00–06:00。",
                "Working periods must be given in order, each ending after it starts and not after the next one starts; "
                "write one over midnight as two, e.g. 22:00–00:00 and 00:00–06:00.",
            )
        )
    return spans


def _since_midnight(moment: time) -> int:
    return moment.hour * 3600 + moment.minute * 60 + moment.second


def _day(day: date) -> int:
    return day.toordinal() - _EPOCH_ORDINAL


def _micros(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise BadInput(
            Text(
                "{moment} 没有时区；请给出带时区的时间。",
                "{moment} has no time zone; give an aware time.",
                moment=moment.isoformat(),
            )
        )
    return (moment - EPOCH) // _MICROSECOND


def _moment(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=micros)


def _spell(years: Iterable[int]) -> str:
    """Years as spans: ``2022–2026``; empty for none."""
    spans: list[list[int]] = []
    for year in sorted(years):
        if spans and spans[-1][1] == year - 1:
            spans[-1][1] = year
        else:
            spans.append([year, year])
    return ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in spans)
