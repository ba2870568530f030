"""Working time laid out as segments with prefix sums, so that a deadline is a look-up.

A *segment* is one working period of one working day, as seconds since the epoch. ``before[i]`` is the working time of
all segments before the i-th. Counted time at a moment is then one search among the starts, and a deadline one more
among the prefix sums, for one case or for a million.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from yiwang.core.worktime.wallclock import DAY, MICRO, WallClock

Seconds = NDArray[np.int64]
_CHUNK = 1 << 15  # so many cases at a time that the temporaries stay in the processor's cache
BEYOND = int(np.iinfo(np.int64).min)  # stands for "later than anything known"
_NARROWEST = 64  # seconds; bounds the size of a rank table


class Ranks:
    """How many of some sorted edges lie at or before a value, less one (but 0 before the first edge), by a table.

    Equal to ``searchsorted(edges, values, side="right") - 1``; a table of cells about as wide as the narrowest gap
    between edges answers it with one look-up and as many comparisons as a cell holds edges.
    """

    __slots__ = ("_base", "_cells", "_edges", "_most", "_shift")

    def __init__(self, edges: Seconds) -> None:
        gaps = np.diff(edges)
        self._base = int(edges[0])
        self._shift = max(_NARROWEST, int(gaps.min()) if len(gaps) else 0).bit_length() - 1
        cells = np.arange(((int(edges[-1]) - self._base) >> self._shift) + 2, dtype=np.int64) << self._shift
        self._cells = np.searchsorted(edges, cells + self._base, side="right") - 1
        self._most = int(np.diff(self._cells).max()) if len(self._cells) > 1 else 1
        self._edges = np.append(edges, np.iinfo(np.int64).max)

    def __call__(self, values: Seconds) -> NDArray[np.intp]:
        cell = (values - self._base) >> self._shift
        rank = self._cells.take(cell, mode="clip")
        for _ in range(self._most):
            rank += self._edges.take(rank + 1) <= values
        return rank


class Timeline:
    """The working segments of consecutive years.

    Args:
        days: Working days as days since 1970-01-01, ascending, shape (n,).
        spans: Working periods of a day as (start, end) in wall seconds since midnight, ascending, not touching.
        clock: The zone's wall clock.
        known: Stretches of days whose state is known as (first day, day after the last), ascending, not touching.
    """

    __slots__ = ("_before", "_before_array", "_by_counted", "_by_start", "_ends", "_known", "_shift_array", "_starts")

    def __init__(
        self, *, days: Seconds, spans: list[tuple[int, int]], clock: WallClock, known: list[tuple[int, int]]
    ) -> None:
        starts, ends = _segments(days, spans, clock)
        before = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(ends - starts)])
        self._starts: list[int] = starts.tolist()
        self._ends: list[int] = ends.tolist()
        self._before: list[int] = before.tolist()
        self._before_array = before
        self._shift_array = before[:-1] - starts
        self._known = [
            (clock.moment(first * DAY * MICRO) // MICRO, clock.moment(end * DAY * MICRO) // MICRO)
            for first, end in known
        ]
        self._by_start = Ranks(starts) if len(starts) else None
        self._by_counted = Ranks(before[:-1]) if len(starts) else None

    def known_end(self, moment: int) -> int | None:
        """End (epoch seconds) of the known stretch that a moment lies in; None when it lies in none."""
        for first, end in self._known:
            if first <= moment < end:
                return end
        return None

    def working_micros(self, moment: int) -> int:
        """Working microseconds from the first segment to a moment (epoch microseconds)."""
        index = bisect_right(self._starts, moment // MICRO) - 1
        if index < 0:
            return 0
        return self._before[index] * MICRO + min(moment, self._ends[index] * MICRO) - self._starts[index] * MICRO

    def due(self, *, start: int, amount: int) -> int | None:
        """When so much working time after ``start`` will have been used up (microseconds); None beyond what is known.

        Time that is used up exactly when a period ends is due at that end, not at the next opening.
        """
        if amount <= 0:
            return start
        target = self.working_micros(start) + amount
        index = bisect_left(self._before, -(-target // MICRO)) - 1
        if index >= len(self._starts):
            return None
        moment = self._starts[index] * MICRO + target - self._before[index] * MICRO
        end = self.known_end(start // MICRO)
        return moment if end is not None and moment <= end * MICRO else None

    def due_many(self, *, starts: Seconds, seconds: Seconds) -> Seconds:
        """`due` for many in whole seconds, shape (n,) each; `BEYOND` where the answer lies beyond what is known."""
        if self._by_start is None or self._by_counted is None:
            return np.where(seconds <= 0, starts, BEYOND)
        due = np.empty(len(starts), dtype=np.int64)
        for low in range(0, len(starts), _CHUNK):
            part = slice(low, low + _CHUNK)
            due[part] = self._due_part(starts[part], seconds[part], self._by_start, self._by_counted)
        return due

    def _due_part(self, starts: Seconds, seconds: Seconds, by_start: Ranks, by_counted: Ranks) -> Seconds:
        index = by_start(starts)
        target = starts + self._shift_array.take(index)
        np.minimum(target, self._before_array.take(index + 1), out=target)
        np.maximum(target, 0, out=target)
        target += seconds
        due: Seconds = target - self._shift_array.take(by_counted(target - 1))
        beyond = target > self._before_array[-1]
        if len(self._known) == 1:
            beyond |= (starts < self._known[0][0]) | (starts >= self._known[0][1])
        else:
            ends = np.full(len(starts), -1, dtype=np.int64)
            for first, end in self._known:
                ends[(starts >= first) & (starts < end)] = end
            beyond |= due > ends
        due[beyond] = BEYOND
        none = seconds <= 0
        if none.any():
            due[none] = starts[none]
        return due

    def segments(self, *, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The working segments (microseconds), cut to ``[start, end)``, in order."""
        for index in range(max(0, bisect_right(self._starts, start // MICRO) - 1), len(self._starts)):
            first = self._starts[index] * MICRO
            if first >= end:
                return
            low, high = max(start, first), min(end, self._ends[index] * MICRO)
            if low < high:
                yield low, high


def _segments(days: Seconds, spans: list[tuple[int, int]], clock: WallClock) -> tuple[Seconds, Seconds]:
    """Every moment whose wall time lies in a period of a working day, whatever the clocks did that day."""
    opening = (days[:, None] * DAY + np.array([start for start, _ in spans], dtype=np.int64)).ravel()
    closing = (days[:, None] * DAY + np.array([end for _, end in spans], dtype=np.int64)).ravel()
    starts, ends = [opening[:0]], [opening[:0]]
    if len(opening):
        for first, end, offset in clock.pieces:
            low = int(np.searchsorted(closing, first + offset, side="right"))
            high = int(np.searchsorted(opening, end + offset, side="left"))
            starts.append(np.maximum(opening[low:high] - offset, first))
            ends.append(np.minimum(closing[low:high] - offset, end))
    all_starts, all_ends = np.concatenate(starts), np.concatenate(ends)
    real = all_starts < all_ends
    order = np.argsort(all_starts[real], kind="stable")
    return all_starts[real][order], all_ends[real][order]
