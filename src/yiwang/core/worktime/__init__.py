"""Working time: calendars with statutory holidays and adjusted workdays, limits, clocks, deadlines, explanations."""

from yiwang.core.worktime.arrivals import Arrivals
from yiwang.core.worktime.calendar import UnknownYear, WorkCalendar, YearTable
from yiwang.core.worktime.clock import Clock, ClockStatus, start_clock
from yiwang.core.worktime.explain import CountedSpan, Why, explain
from yiwang.core.worktime.limits import Limit, TimeUnit
from yiwang.core.worktime.wallclock import FIRST_YEAR, LAST_YEAR

__all__ = [
    "FIRST_YEAR",
    "LAST_YEAR",
    "Arrivals",
    "Clock",
    "ClockStatus",
    "CountedSpan",
    "Limit",
    "TimeUnit",
    "UnknownYear",
    "Why",
    "WorkCalendar",
    "YearTable",
    "explain",
    "start_clock",
]
