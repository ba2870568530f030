"""The quality of a reading against its stream: what is wrong with it, whether it is kept, and whether rules judge it.

| flag | when | kept | judged |
|---|---|---|---|
| `LATE` | received more than `late_after` seconds after its time | yes | yes |
| `OUT_OF_ORDER` | its time is before that of the newest reading | yes | no: rules only go forward |
| `DUPLICATE` | the same time and value as one of the newest readings | no | no |
| `CORRECTED` | the same time as one of the newest readings, another value | yes, as the later version | no |
| `FUTURE` | its time is more than `ahead` seconds after it was received | yes | no, and it is not the newest |
| `OUT_OF_RANGE` | outside what the instrument can measure | yes | no |
| `NO_VALUE` | not a number, or infinite | yes | no |
| `STUCK` | the value has not changed for `flat_for` seconds and `flat_count` readings, and it is not at rest | yes | yes |

A late reading is judged because a gateway that was offline sends its readings late but in order. One that looks stuck is judged
because standing water is flat too, and an alarm lost costs more than one too many. What is not judged in passing
counts in a dry run on the past, where readings are in order and a correction has replaced what it corrects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag
from math import inf, isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
REMEMBERED = 32  # readings of which a stream remembers time and value, to tell a repeated one from one out of order


class Quality(IntFlag):
    """What is wrong with a reading; 0 when nothing is. The table above defines each."""

    LATE = 1
    OUT_OF_ORDER = 2
    DUPLICATE = 4
    CORRECTED = 8
    FUTURE = 16
    OUT_OF_RANGE = 32
    NO_VALUE = 64
    STUCK = 128

    @property
    def kept(self) -> bool:
        """Whether the reading is stored."""
        return not self & Quality.DUPLICATE

    @property
    def judged(self) -> bool:
        """Whether rules see the reading."""
        return not self & NOT_JUDGED


GOOD = Quality(0)
NOT_JUDGED = (
    Quality.OUT_OF_ORDER
    | Quality.DUPLICATE
    | Quality.CORRECTED
    | Quality.FUTURE
    | Quality.OUT_OF_RANGE
    | Quality.NO_VALUE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """What is known of the instrument behind a stream.

    Attributes:
        low, high: The least and greatest value that it can measure, in the stream's unit.
        late_after: Seconds between a reading's time and its arrival that are usual.
        ahead: Seconds by which its clock may be ahead.
        flat_for: Seconds without any change after which it looks stuck; infinite where the quantity may rest anywhere.
        flat_count: Readings that must agree as well, so that one repeated after a long silence is not called stuck.
        rest_low, rest_high: Values at which the quantity may rest for ever, e.g. 0 to 0 for the depth of a flood.
    """

    low: float = -inf
    high: float = inf
    late_after: float = 3600.0
    ahead: float = 120.0
    flat_for: float = inf
    flat_count: int = 10
    rest_low: float = inf
    rest_high: float = -inf

    def rests(self, value: float) -> bool:
        """Whether the quantity may stay at a value."""
        return self.rest_low <= value <= self.rest_high


class QualityCheck:
    """Flags the readings of one stream in the order of their arrival; its state is the newest readings and one flat run."""

    __slots__ = ("_flat_count", "_flat_since", "_flat_value", "_instrument", "_newest", "_recent")

    def __init__(self, instrument: Instrument, state: Mapping[str, Any] | None = None) -> None:
        """Args: instrument; state: What `state` gave, to go on from there."""
        self._instrument = instrument
        given = state or {}
        self._newest: float = given.get("newest", -inf) if given.get("newest") is not None else -inf
        self._recent: dict[float, float | None] = dict(given.get("recent", ()))
        self._flat_value: float | None = given.get("flat_value")
        self._flat_since: float = given.get("flat_since", 0.0)
        self._flat_count: int = given.get("flat_count", 0)

    def check(self, time: float, value: float, received: float) -> Quality:
        """The flags of a reading.

        Args:
            time: When it was measured, in POSIX seconds.
            value: In the stream's unit; may be no number.
            received: When it arrived, in POSIX seconds.
        """
        known = self._instrument
        flags = GOOD
        number = value if isfinite(value) else None
        if number is None:
            flags |= Quality.NO_VALUE
        elif not known.low <= value <= known.high:
            flags |= Quality.OUT_OF_RANGE
        if received - time > known.late_after:
            flags |= Quality.LATE
        if time - received > known.ahead:
            return flags | Quality.FUTURE
        if time in self._recent:
            if self._recent[time] == number:
                return flags | Quality.DUPLICATE
            self._recent[time] = number
            return flags | Quality.CORRECTED
        if time < self._newest:
            flags |= Quality.OUT_OF_ORDER
        else:
            self._newest = time
        self._remember(time, number)
        if flags.judged and self._is_stuck(time, value):
            flags |= Quality.STUCK
        return flags

    def _remember(self, time: float, number: float | None) -> None:
        self._recent[time] = number
        if len(self._recent) > REMEMBERED:
            del self._recent[min(self._recent)]

    def _is_stuck(self, time: float, value: float) -> bool:
        if value != self._flat_value:
            self._flat_value, self._flat_since, self._flat_count = value, time, 1
            return False
        self._flat_count += 1
        known = self._instrument
        return (
            time - self._flat_since >= known.flat_for
            and self._flat_count >= known.flat_count
            and not known.rests(value)
        )

    def state(self) -> dict[str, Any]:
        """All that is to be remembered, as JSON can hold it."""
        return {
            "newest": self._newest if isfinite(self._newest) else None,
            "recent": [[time, value] for time, value in self._recent.items()],
            "flat_value": self._flat_value,
            "flat_since": self._flat_since,
            "flat_count": self._flat_count,
        }


def quality_of_series(instrument: Instrument, times: Floats, values: Floats) -> NDArray[np.uint8]:
    """The flags of a stored series, whose times ascend without repeating: range, value and stuck, as `QualityCheck` has them."""
    flags = np.zeros(times.size, np.uint8)
    number = np.isfinite(values)
    flags[~number] |= np.uint8(Quality.NO_VALUE)
    with np.errstate(invalid="ignore"):
        flags[number & ~((values >= instrument.low) & (values <= instrument.high))] |= np.uint8(Quality.OUT_OF_RANGE)
    good = np.flatnonzero(flags == 0)
    if good.size:
        time, value = times[good], values[good]
        changes = np.concatenate(([True], value[1:] != value[:-1]))
        begin = np.maximum.accumulate(np.where(changes, np.arange(good.size), 0))
        flat = (time - time[begin] >= instrument.flat_for) & (np.arange(good.size) - begin + 1 >= instrument.flat_count)
        rests = (value >= instrument.rest_low) & (value <= instrument.rest_high)
        flags[good[flat & ~changes & ~rests]] |= np.uint8(Quality.STUCK)
    return flags
