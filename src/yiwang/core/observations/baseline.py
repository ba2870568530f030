"""What is usual for a stream at an hour of the week: median and median absolute deviation (MAD) of past readings.

A value v departs from the usual by ``(v − median) ÷ max(1.4826 · MAD, min_spread, min_share · |median|)``. For readings that
are normally distributed 1.4826 · MAD is the standard deviation (Rousseeuw and Croux, Alternatives to the Median Absolute
Deviation, 1993), and up to half of them may be wrong before either figure is. The hour is that of the city's clock, since
people keep to it when it changes. A day off may count as a Sunday and a working Sunday as a Monday (`days`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from math import isfinite, log1p, nan
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from yiwang.core.observations.conditions import Pattern

Floats = NDArray[np.float64]
HOURS = 168  # of a week, from Monday 00:00
NORMAL = 1.4826  # standard deviation ÷ MAD of a normal distribution
_WEEK = 7 * 86400.0
_QUARTER = 900  # every zone's offset, and every change of one since 1972, is at a multiple of a quarter of an hour


@dataclass(frozen=True, slots=True)
class Baseline:
    """The usual by hour of the week.

    Attributes:
        zone: The city's.
        medians, spreads: 168 figures each on the condition's scale; no number where there were too few readings.
        logarithmic: The scale is ln(1 + v).
        days: Days that count as another day of the week, 0 for Monday: public holidays, working weekends 调休.
    """

    zone: ZoneInfo
    medians: tuple[float, ...]
    spreads: tuple[float, ...]
    logarithmic: bool = False
    days: Mapping[date, int] = field(default_factory=dict)

    def departure(self, time: float, value: float) -> float:
        """How far a value is from the usual, in standard deviations; no number where the usual is not known."""
        hour = _hour_of_week(time // _QUARTER, self.zone, self.days)
        spread = self.spreads[hour]
        return (_scaled(value, self.logarithmic) - self.medians[hour]) / spread if spread > 0 else nan

    def departures(self, times: Floats, values: Floats) -> Floats:
        """The same of a series."""
        hours = hours_of_week(times, self.zone, self.days)
        spread = np.array(self.spreads)[hours]
        spread[~(spread > 0)] = nan
        result: Floats = (_scaled_all(values, self.logarithmic) - np.array(self.medians)[hours]) / spread
        return result

    def state(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "zone": self.zone.key,
            "medians": [one if isfinite(one) else None for one in self.medians],
            "spreads": [one if isfinite(one) else None for one in self.spreads],
            "logarithmic": self.logarithmic,
            "days": {day.isoformat(): weekday for day, weekday in self.days.items()},
        }

    @property
    def hours_known(self) -> int:
        """Hours of the week that can be judged."""
        return sum(one > 0 for one in self.spreads)

    @classmethod
    def unknown(cls, zone: ZoneInfo) -> Baseline:
        """Nothing is known to be usual: nothing is judged, and silence still ends an alarm."""
        return cls(zone, (nan,) * HOURS, (nan,) * HOURS)

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Baseline:
        """From what `state` gave."""
        medians, spreads = (
            tuple(nan if one is None else float(one) for one in state[name]) for name in ("medians", "spreads")
        )
        days = {date.fromisoformat(day): weekday for day, weekday in state["days"].items()}
        return cls(ZoneInfo(state["zone"]), medians, spreads, bool(state["logarithmic"]), days)


def learn(
    condition: Pattern,
    times: Floats,
    values: Floats,
    zone: ZoneInfo,
    now: float,
    days: Mapping[date, int] | None = None,
) -> Baseline:
    """The usual at a moment, from the readings of the condition's weeks before it; one at the moment itself is not among them.

    Args:
        condition: How long and on which scale.
        times, values: Readings, in any order.
        zone: The city's.
        now: The moment.
        days: Days that count as another day of the week, past and to come; see `Baseline`.
    """
    days = days or {}
    wanted = (times < now) & (times >= now - condition.weeks * _WEEK) & np.isfinite(values)
    scaled = _scaled_all(values[wanted], condition.logarithmic)
    hours = hours_of_week(times[wanted], zone, days)
    order = np.argsort(hours, kind="stable")
    parts = np.split(scaled[order], np.searchsorted(hours[order], np.arange(1, HOURS)))
    medians, spreads = [], []
    for part in parts:
        if part.size < max(1, condition.least):
            medians.append(nan)
            spreads.append(nan)
            continue
        median = float(np.median(part))
        spread = NORMAL * float(np.median(np.abs(part - median)))
        medians.append(median)
        spreads.append(max(spread, condition.min_spread, condition.min_share * abs(median)))
    return Baseline(zone, tuple(medians), tuple(spreads), condition.logarithmic, days)


def hours_of_week(times: Floats, zone: ZoneInfo, days: Mapping[date, int]) -> NDArray[np.int64]:
    """The hour of the week of each time by a zone's clock: 0 for Monday from 00:00 to 01:00."""
    quarters, places = np.unique(times // _QUARTER, return_inverse=True)
    known = np.fromiter((_hour_of_week(one, zone, days) for one in quarters.tolist()), np.int64, quarters.size)
    result: NDArray[np.int64] = known[places.reshape(-1)]
    return result


def _hour_of_week(quarter: float, zone: ZoneInfo, days: Mapping[date, int]) -> int:
    day, hour = _local(quarter, zone)
    return days.get(day, day.weekday()) * 24 + hour


@lru_cache(maxsize=65536)
def _local(quarter: float, zone: ZoneInfo) -> tuple[date, int]:
    local = datetime.fromtimestamp(quarter * _QUARTER, zone)
    return local.date(), local.hour


def _scaled(value: float, logarithmic: bool) -> float:
    return log1p(max(value, 0.0)) if logarithmic else value


def _scaled_all(values: Floats, logarithmic: bool) -> Floats:
    # NumPy's own logarithm may differ from the C library's in the last digit, and both ways of judging must agree
    return (
        np.fromiter((log1p(max(one, 0.0)) for one in values.tolist()), np.float64, values.size)
        if logarithmic
        else values
    )
