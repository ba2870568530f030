"""A zone's wall clock as a table: moments to wall seconds and back, also where clocks are put forward or back.

*Wall seconds* are the seconds that the clock on the wall has shown since 1970-01-01 00:00 local, read so that they
never run backwards: in the hour that a zone shows twice they stand still the second time, and the hour that it skips
counts as passed when the clock jumps. So days of the wall clock can be counted, added and taken back without a case
for each of the two days of a year on which that matters.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

Seconds = NDArray[np.int64]
MICRO = 1_000_000
DAY = 86_400
FIRST_YEAR, LAST_YEAR = 1970, 2199
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FOREVER = 1 << 52
_SAMPLE = 5 * DAY  # no zone changes its clocks and back within five days


class WallClock:
    """The wall clock of one zone from 1970 to 2199; outside, the nearest offset is kept.

    Attributes:
        pieces: Stretches of one offset in order, as (first second, second after the last, offset in seconds).
    """

    __slots__ = ("_columns", "_instants", "_offsets", "_peaks", "_walls", "pieces")

    def __init__(self, zone: ZoneInfo) -> None:
        self._instants, self._offsets = _transitions(zone)
        ends = [*self._instants[1:], _FOREVER]
        self.pieces = tuple(zip(self._instants, ends, self._offsets, strict=True))
        self._peaks: list[int] = []  # the furthest the wall clock had got before the piece
        peak = -_FOREVER * 2
        for _, end, offset in self.pieces:
            self._peaks.append(peak)
            peak = max(peak, end + offset)
        self._walls = [max(piece[0] + piece[2], peak) for piece, peak in zip(self.pieces, self._peaks, strict=True)]
        self._columns = tuple(
            np.array(column, dtype=np.int64)
            for column in (self._instants, ends, self._offsets, self._peaks, self._walls)
        )

    def wall(self, moment: int) -> int:
        """Wall microseconds of a moment (epoch microseconds)."""
        index = bisect_right(self._instants, moment // MICRO) - 1
        return max(moment + self._offsets[index] * MICRO, self._peaks[index] * MICRO)

    def moment(self, wall: int) -> int:
        """The last moment (epoch microseconds) at which the clock has not gone beyond a wall time (wall microseconds).

        A time that is shown once is that moment, one that is shown twice the first of both, one that is skipped the
        moment of the jump.
        """
        index = bisect_right(self._walls, wall // MICRO) - 1
        return min(wall - self._offsets[index] * MICRO, self.pieces[index][1] * MICRO)

    def wall_many(self, moments: Seconds) -> Seconds:
        """Wall seconds of many moments (whole epoch seconds); shape (n,)."""
        instants, _, offsets, peaks, _ = self._columns
        index = np.searchsorted(instants, moments, side="right") - 1
        walls: Seconds = np.maximum(moments + offsets[index], peaks[index])
        return walls

    def add_many(self, *, starts: Seconds, seconds: Seconds) -> Seconds:
        """``moment(wall(start) + seconds)`` for many whole seconds at once; shape (n,) each."""
        instants, ends, offsets, peaks, walls = self._columns
        index = np.searchsorted(instants, starts, side="right") - 1
        wall = np.maximum(starts + offsets[index], peaks[index]) + seconds
        index = np.searchsorted(walls, wall, side="right") - 1
        moments: Seconds = np.minimum(wall - offsets[index], ends[index])
        return moments


@lru_cache(maxsize=64)
def wall_clock(timezone: str) -> WallClock:
    """The wall clock of an IANA zone. Raises `zoneinfo.ZoneInfoNotFoundError` when there is none of that name."""
    return WallClock(ZoneInfo(timezone))


def _transitions(zone: ZoneInfo) -> tuple[list[int], list[int]]:
    """Seconds at which the zone's offset changes and the offset from then on; the first holds since ever."""
    first = int((datetime(FIRST_YEAR, 1, 1, tzinfo=UTC) - EPOCH).total_seconds())
    last = int((datetime(LAST_YEAR + 1, 1, 2, tzinfo=UTC) - EPOCH).total_seconds())
    instants, offsets = [-_FOREVER], [_offset(zone, first)]
    for moment in range(first, last, _SAMPLE):
        low, high = moment, moment + _SAMPLE
        after = _offset(zone, high)
        if after == offsets[-1]:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if _offset(zone, middle) == after else (middle, high)
        instants.append(high)
        offsets.append(after)
    return instants, offsets


def _offset(zone: ZoneInfo, moment: int) -> int:
    offset = (EPOCH + timedelta(seconds=moment)).astimezone(zone).utcoffset()
    return round(offset.total_seconds()) if offset is not None else 0
