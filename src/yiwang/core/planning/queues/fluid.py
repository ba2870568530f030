"""A queue as a fluid: what overload does from one hour to the next, without chance.

In each hour arrivals flow in at a constant rate and leave at most at the rate of the servers (G. F. Newell, *Applications of
Queueing Theory*, second edition, 1982, chapter 2). Cumulative arrivals and departures are then piecewise linear, and everything
here is exact for them. Below capacity nothing waits, so the model says nothing of chance; where an hour's load exceeds its servers
it gives the main part of the queue.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.core.planning.queues.erlang import HOUR

_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class FluidHour:
    """One hour of the fluid.

    Attributes:
        queue_at_start, queue_at_end, longest_queue: How many wait.
        mean_wait, longest_wait: Minutes until served, of those who arrive in this hour; infinite where they never are, 0 where
            none arrives.
    """

    queue_at_start: float
    queue_at_end: float
    longest_queue: float
    mean_wait: float
    longest_wait: float


def fluid_queue(arrivals: Sequence[float], capacities: Sequence[float]) -> list[FluidHour]:
    """The fluid through some hours; it begins empty, and after the last hour its servers go on until nobody waits.

    Args:
        arrivals: In each hour.
        capacities: How many can be served in each hour.

    Raises:
        BadInput: The two are not equally long, or a figure is negative.
    """
    if len(arrivals) != len(capacities) or min([*arrivals, *capacities], default=0) < 0:
        message = Text(
            "每小时应有一个到达数和一个能力，均不得为负。", "Each hour needs arrivals and a capacity, 0 or more."
        )
        raise BadInput(message)
    departures = _departures(arrivals, capacities)
    served_at = _Inverse(departures)
    hours, arrived, queue = [], 0.0, 0.0
    for hour, (coming, capacity) in enumerate(zip(arrivals, capacities, strict=True)):
        after = max(0.0, queue + coming - capacity)
        start = hour * HOUR
        waits = _waits(served_at, arrived, coming, start) if coming else []
        area = sum((b - a) / HOUR * (wait_a + wait_b) / 2 for (a, wait_a), (b, wait_b) in pairwise(waits))
        hours.append(
            FluidHour(
                queue_at_start=queue,
                queue_at_end=after,
                longest_queue=max(queue, after),  # the queue is a straight line until it is empty
                mean_wait=area,
                longest_wait=max((wait for _, wait in waits), default=0.0),
            )
        )
        arrived += coming
        queue = after
    return hours


def _departures(arrivals: Sequence[float], capacities: Sequence[float]) -> list[tuple[float, float]]:
    """The corners of the cumulated departures: minute and how many have been served."""
    corners, served, queue = [(0.0, 0.0)], 0.0, 0.0
    for hour, (coming, capacity) in enumerate(zip(arrivals, capacities, strict=True)):
        start, end = hour * HOUR, (hour + 1) * HOUR
        if queue + coming > capacity:
            served += capacity
        else:
            if queue > _ROUNDING and capacity > coming:  # it becomes empty within the hour
                empty = queue / (capacity - coming) * HOUR
                corners.append((start + empty, served + capacity * empty / HOUR))
            served += queue + coming
        queue = max(0.0, queue + coming - capacity)
        corners.append((end, served))
    if queue > _ROUNDING and capacities[-1]:
        corners.append((corners[-1][0] + queue / capacities[-1] * HOUR, served + queue))
    return corners


class _Inverse:
    """When so many have been served: the cumulated departures read the other way."""

    def __init__(self, corners: list[tuple[float, float]]) -> None:
        self.corners = corners
        self.counts = [count for _, count in corners]

    def __call__(self, count: float) -> float:
        if count > self.counts[-1] + _ROUNDING * max(1.0, count):
            return inf
        after = min(bisect_left(self.counts, count), len(self.corners) - 1)
        if after == 0:
            return self.corners[0][0]
        (minute_a, a), (minute_b, b) = self.corners[after - 1], self.corners[after]
        return minute_a + (minute_b - minute_a) * (min(count, b) - a) / (b - a) if b > a else minute_b


def _waits(served_at: _Inverse, arrived: float, coming: float, start: float) -> list[tuple[float, float]]:
    """Minute of arrival and wait, at the corners of an hour: between two of them the wait is a straight line."""
    inside = [count for count in served_at.counts if arrived < count < arrived + coming]
    found = []
    for count in sorted({arrived, *inside, arrived + coming}):
        minute = start + (count - arrived) / coming * HOUR
        found.append((minute, max(0.0, served_at(count) - minute)))
        # where nobody is served for a while the wait jumps: those who come right after this one wait longer
        resumed = max(
            (at for at, served in served_at.corners if abs(served - count) <= _ROUNDING * max(1.0, count)), default=0.0
        )
        if count < arrived + coming and resumed - minute > found[-1][1] + _ROUNDING:
            found.append((minute, resumed - minute))
    return found
