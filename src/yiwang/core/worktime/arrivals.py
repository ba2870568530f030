"""When work counts as arrived: after closing on the next working day, on a free day on the next working day too.

Some cities promise "the same time of the clock, two working days later", and take what comes in the evening or at the
weekend as having come on the next working day. Such a city counts whole working days (periods from 00:00 to 24:00) and
states here how a late arrival is moved; only the start of working time is moved, never its end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import time

import numpy as np
from numpy.typing import NDArray

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.core.worktime.wallclock import DAY, MICRO, WallClock

Seconds = NDArray[np.int64]
FREE_DAYS = ("same_time", "opening")
_LONGEST_REST = 366  # days; a calendar without a working day in a year is a mistake


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """How a late arrival is moved.

    Attributes:
        closing: What arrives at this time of a working day or later counts as arrived on the next working day.
        opening: At this time of it.
        free_day: What arrives on a day without work counts as arrived on the next working day, at the ``same_time`` of
            the clock (which may be after closing, and is then moved on once more) or at its ``opening``.

    Raises:
        BadInput: When closing does not come after opening, or ``free_day`` is no known word.
    """

    closing: time
    opening: time
    free_day: str = "same_time"

    def __post_init__(self) -> None:
        if self.free_day not in FREE_DAYS:
            raise BadInput(
                Text(
                    "「{word}」没有说明休息日如何处理；请写 {known} 之一。",
                    "{word!r} says nothing about free days; write one of {known}.",
                    word=self.free_day,
                    known=", ".join(FREE_DAYS),
                )
            )
        if not self.opening < self.closing:
            raise BadInput(
                Text(
                    "下班时间 {closing} 不晚于上班时间 {opening}。",
                    "Closing at {closing} does not come after opening at {opening}.",
                    closing=self.closing,
                    opening=self.opening,
                )
            )

    def shift(self, *, day: int, second: float, is_workday: Callable[[int], bool]) -> tuple[int, float]:
        """The day and second of the day as which an arrival counts.

        Args:
            day: Days since 1970-01-01.
            second: Wall-clock seconds since midnight.
            is_workday: Whether a day is worked.
        """
        if not is_workday(day):
            day = _next_workday(day, is_workday)
            if self.free_day == "opening":
                return day, _seconds(self.opening)
        if second >= _seconds(self.closing):
            return _next_workday(day, is_workday), _seconds(self.opening)
        return day, second


def effective_arrival(moment: int, *, rule: Arrivals, clock: WallClock, is_workday: Callable[[int], bool]) -> int:
    """The moment (epoch microseconds) as which an arrival counts; the moment itself where nothing moves it."""
    wall = clock.wall(moment)
    day, within = divmod(wall, DAY * MICRO)
    moved_day, second = rule.shift(day=day, second=within / MICRO, is_workday=is_workday)
    if (moved_day, second) == (day, within / MICRO):
        return moment
    micros = within if second == within / MICRO else round(second * MICRO)
    return clock.moment(moved_day * DAY * MICRO + micros)


def effective_arrivals(
    moments: Seconds, *, rule: Arrivals, clock: WallClock, is_workday: Callable[[int], bool]
) -> Seconds:
    """`effective_arrival` for many whole epoch seconds, shape (n,); each day is asked about once."""
    wall = clock.wall_many(moments)
    days, seconds = wall // DAY, wall % DAY
    late = seconds >= _seconds(rule.closing)
    known, index = np.unique(days, return_inverse=True)
    moved = np.empty((2, len(known), 2), dtype=np.int64)  # [late or not, day, (new day, new second or -1)]
    for row, second in enumerate((0, DAY - 1)):
        for column, day in enumerate(known.tolist()):
            new_day, new_second = rule.shift(day=day, second=second, is_workday=is_workday)
            moved[row, column] = new_day, (-1 if new_second == second else new_second)
    new_day, new_second = moved[late.astype(np.int64), index].T
    new_wall = new_day * DAY + np.where(new_second < 0, seconds, new_second)
    shifted = clock.add_many(starts=moments, seconds=new_wall - wall)
    return np.where(new_wall == wall, moments, shifted)


def _next_workday(day: int, is_workday: Callable[[int], bool]) -> int:
    for later in range(day + 1, day + _LONGEST_REST):
        if is_workday(later):
            return later
    raise BadInput(Text("日历中整整一年没有工作日。", "The calendar has no working day for a whole year."))


def _seconds(moment: time) -> int:
    return moment.hour * 3600 + moment.minute * 60 + moment.second
