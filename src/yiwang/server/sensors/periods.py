"""The stretch of time that a stream's page shows, and the points of its chart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from yiwang.core.kernel.instants import from_micros, to_micros
from yiwang.core.kernel.text import Text

# name: length of the stretch, length of a point
LENGTHS: Mapping[str, tuple[timedelta, timedelta]] = {
    "hour": (timedelta(hours=1), timedelta(minutes=1)),
    "hours": (timedelta(hours=6), timedelta(minutes=5)),
    "day": (timedelta(days=1), timedelta(minutes=15)),
    "week": (timedelta(days=7), timedelta(hours=2)),
    "month": (timedelta(days=30), timedelta(hours=8)),
    "year": (timedelta(days=365), timedelta(days=4)),
}
NAMES: Mapping[str, Text] = {
    "hour": Text("1 小时", "1 hour"),
    "hours": Text("6 小时", "6 hours"),
    "day": Text("1 天", "1 day"),
    "week": Text("7 天", "7 days"),
    "month": Text("30 天", "30 days"),
    "year": Text("1 年", "1 year"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """From a moment on and before another, in points of one length. Times are microseconds."""

    name: str
    start: int
    end: int
    width: int

    @property
    def points(self) -> int:
        """How many points it has."""
        return -(-(self.end - self.start) // self.width)

    def label(self, point: int, zone: ZoneInfo) -> str:
        """When a point begins, on the city's clocks: the time of a day, with the date where the stretch is longer."""
        at = from_micros(self.start + point * self.width).astimezone(zone)
        return (
            f"{at:%H:%M}"
            if self.name in ("hour", "hours", "day")
            else f"{at:%m-%d %H:%M}"
            if self.name != "year"
            else f"{at:%Y-%m-%d}"
        )


def stretch_to(last: datetime, *, name: str) -> Stretch:
    """The stretch that ends with the point in which a moment lies; a day for a name that there is not."""
    name = name if name in LENGTHS else "day"
    length, point = LENGTHS[name]
    width = point // timedelta(microseconds=1)
    end = (to_micros(last) // width + 1) * width
    return Stretch(name=name, start=end - length // timedelta(microseconds=1), end=end, width=width)


def stretch_over(first: datetime, last: datetime) -> Stretch:
    """The shortest stretch that ends with a moment and reaches back beyond another by a third of its own length."""
    for name, (length, _) in LENGTHS.items():
        if last - first <= length * 2 / 3:
            return stretch_to(last, name=name)
    return stretch_to(last, name="year")
