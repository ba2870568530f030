"""The fewest server-hours that keep the requirements, with a bound that no schedule beats, on one set of simulated days.

One server more, in any hour, makes nobody begin later (`simulation` says why), so a requirement that is kept stays kept. Two things follow:

- With the most servers everywhere every requirement is kept, or no schedule keeps it.
- The fewest that an hour, or an hour and the next together, need while all other hours have the most is a bound for them in every
  schedule. The best sum over hours taken alone or in pairs is the bound of the plan; where the plan attains it, it is proven to be the
  best for these days.

The schedule itself starts from the formulas, is raised until it keeps everything, and then lowered hour by hour until one server less fails
in each. Its figures are then taken from other days, drawn anew: those that chose the schedule would flatter it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.planning.queues.simulation import (
    Days,
    Floats,
    Ints,
    Kind,
    Outcome,
    draw_days,
    queue_peaks,
    run,
    starts_of,
)
from yiwang.core.planning.queues.verifying import differences
from yiwang.core.planning.standing import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """What must hold in each hour.

    Attributes:
        wait, probability: Of those who arrive in the hour, this share waits at most so many minutes.
        places: So many can wait, of all queues together; None where there is room for any number.
        spill: The probability that more wait at some moment of the hour is at most this.

    Raises:
        BadInput: With every figure that is out of its range.
    """

    wait: float
    probability: float = 0.9
    places: int | None = None
    spill: float = 0.05

    def __post_init__(self) -> None:
        problems = []
        if not self.wait >= 0:
            message = Text("等候时限 {n} 分钟无效。", "A wait of {n} minutes cannot be.", n=self.wait)
            problems.append(Problem(message, Text("不得小于 0。", "It must be 0 or more.")))
        for share in (self.probability, self.spill):
            if not 0 < share < 1:
                message = Text("概率 {share} 无效。", "A probability of {share} cannot be kept.", share=share)
                problems.append(Problem(message, Text("应在 0 与 1 之间。", "It must be between 0 and 1.")))
        if self.places is not None and self.places < 0:
            message = Text("车位数 {n} 小于 0。", "There are {n} places.", n=self.places)
            problems.append(Problem(message, Text("不得小于 0。", "It must be 0 or more.")))
        if problems:
            raise BadInput(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """What the requirements are about, on simulated days: by queue and hour, and by hour."""

    within: Floats
    spill: Floats

    def keeps(self, requirements: Requirements) -> bool:
        return bool((self.within >= requirements.probability).all() and (self.spill <= requirements.spill).all())

    def failing(self, requirements: Requirements) -> list[int]:
        """The hours in which something is not kept."""
        wrong = (self.within < requirements.probability).any(axis=0) | (self.spill > requirements.spill)
        return [int(hour) for hour in np.flatnonzero(wrong)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How many servers each queue has in each hour.

    Attributes:
        servers: ``servers[queue][hour]``.
        least: No schedule that keeps the requirements has fewer in this hour; as ``servers``. Where queues are given, what is given.
        one_less: Why one server less fails there, in words; None where a queue is given or has none.
        standing: In server-hours of all queues; None where all are given and nothing was minimised.
        outcome: On days that the schedule has not been chosen by.
        checked: How many of those customers were played again by the list of events, with the same result.
    """

    servers: tuple[tuple[int, ...], ...]
    least: tuple[tuple[int, ...], ...]
    one_less: tuple[tuple[Text | None, ...], ...]
    standing: Standing | None
    outcome: Outcome
    checked: int


def shares_of(days: Days, servers: Ints, requirements: Requirements) -> Shares:
    """Serve the days and look at what is required."""
    starts = starts_of(days, servers)
    cells = days.queues * days.hours
    n = np.bincount(days.cell, minlength=cells)
    good = np.bincount(days.cell[starts - days.at <= requirements.wait], minlength=cells)
    within: Floats = np.where(n > 0, good / np.maximum(n, 1), 1.0).reshape(days.queues, days.hours)
    if requirements.places is None:
        return Shares(within=within, spill=np.zeros(days.hours))
    spilt = queue_peaks(days, starts) > requirements.places
    return Shares(within=within, spill=spilt.mean(axis=0))


def find_schedule(
    kinds: Sequence[Kind],
    *,
    first: Ints,
    given: Iterable[int] = (),
    requirements: Requirements,
    most: int,
    seed: int,
    replications: int,
) -> Schedule:
    """The schedule, its bound, and its figures on other days.

    Args:
        kinds: The customers.
        first: Where to start from, by queue and hour; the servers themselves in the queues that are given.
        given: Queues whose servers are not to be changed.
        requirements: What must hold.
        most: A queue has at most so many servers in an hour.
        seed: From which all days follow.
        replications: How many days are simulated, once to choose and once to report.

    Raises:
        BadInput: No schedule keeps the requirements (which, where and by how much), or a figure is out of range.
    """
    began = time.monotonic()
    days = draw_days(kinds, seed=2 * seed, replications=replications)
    fixed = frozenset(given)
    free = [queue for queue in range(days.queues) if queue not in fixed]
    ample = first.copy()
    ample[free] = most

    def shares(servers: Ints) -> Shares:
        return shares_of(days, servers, requirements)

    servers, least, standing = first, first, None
    one_less: list[list[Text | None]] = [[None] * days.hours for _ in range(days.queues)]
    if free:
        _refuse_impossible(shares(ample), requirements, most)
        search = _Search(keeps=lambda tried: shares(tried).keeps(requirements), queues=free, hours=days.hours)
        risen = _raised(np.minimum(first, most), free, shares, requirements, most)
        servers = search.lowered(risen, backward=False)
        least = search.bounds(servers, ample)
        bound = int(least[free].sum())
        if bound < servers[free].sum():
            # where a queue is carried over, it makes a difference which hour is lowered first
            other = search.lowered(risen, backward=True)
            servers = min(servers, other, key=lambda one: int(one.sum()))
            bound = search.total_bound(least, ample)
        standing = Standing(objective=float(servers[free].sum()), bound=float(bound), seconds=time.monotonic() - began)
        one_less = _one_less(servers, free, shares, requirements)
    fresh = draw_days(kinds, seed=2 * seed + 1, replications=replications)
    outcome = run(fresh, servers, limit=requirements.wait, share=requirements.probability, places=requirements.places)
    return Schedule(
        servers=_rows(servers),
        least=_rows(least),
        one_less=tuple(map(tuple, one_less)),
        standing=standing,
        outcome=outcome,
        checked=_checked(fresh, servers),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """Lowering servers, one cell at a time: what `keeps` says can only turn from yes to no on the way down."""

    keeps: Callable[[Ints], bool]
    queues: Sequence[int]
    hours: int

    def lowered(self, servers: Ints, backward: bool) -> Ints:
        """A schedule in which one server less fails in each cell."""
        found = servers.copy()
        hours = range(self.hours)
        for hour in reversed(hours) if backward else hours:
            for queue in self.queues:
                found[queue, hour] = self._fewest(found, queue, hour)
        # a cell that could not be lowered then cannot be lowered now: the others have fewer since
        return found

    def bounds(self, servers: Ints, ample: Ints) -> Ints:
        """The fewest in each cell while all others have the most."""
        found = servers.copy()
        for queue in self.queues:
            for hour in range(self.hours):
                tried = ample.copy()
                tried[queue, hour] = servers[queue, hour]
                found[queue, hour] = self._fewest(tried, queue, hour)
        return found

    def total_bound(self, least: Ints, ample: Ints) -> int:
        """The best sum of bounds over hours taken alone or in pairs of neighbours: what one leaves to the next, the pair has to do."""
        total = 0
        for queue in self.queues:
            best = [0, int(least[queue, 0])]
            for hour in range(1, self.hours):
                alone = best[-1] + int(least[queue, hour])
                paired = best[-2] + self._fewest_of_two(least, ample, queue, hour - 1)
                best.append(max(alone, paired))
            total += best[-1]
        return total

    def _fewest_of_two(self, least: Ints, ample: Ints, queue: int, hour: int) -> int:
        """The fewest in an hour and the next together while all others have the most."""
        tried = ample.copy()
        least_next, best = int(least[queue, hour + 1]), int(2 * ample[queue, hour])
        now, after = int(least[queue, hour]), int(ample[queue, hour])
        while now + least_next < best:
            tried[queue, hour], tried[queue, hour + 1] = now, after
            after = self._fewest(tried, queue, hour + 1, from_below=least_next)
            best = min(best, now + after)
            now += 1
        return best

    def _fewest(self, servers: Ints, queue: int, hour: int, from_below: int = 0) -> int:
        """The fewest in one cell, the others as they are, where what stands there is enough and below ``from_below`` nothing is."""
        tried = servers.copy()

        def enough(count: int) -> bool:
            tried[queue, hour] = count
            return self.keeps(tried)

        high = int(servers[queue, hour])
        if not high or not enough(high - 1):
            return high  # so it is for most cells, and one look is enough
        low, high = from_below - 1, high - 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if enough(middle) else (middle, high)
        return high


def _raised(
    servers: Ints, free: Sequence[int], shares: Callable[[Ints], Shares], requirements: Requirements, most: int
) -> Ints:
    """Servers added until everything is kept: in the first hour that fails, where that has the most in the nearest hour before it that
    has not, and then after it, where its last customers may be waiting still."""
    found = servers.copy()
    while not (now := shares(found)).keeps(requirements):
        fails = now.failing(requirements)[0]
        order = [*range(fails, -1, -1), *range(fails + 1, found.shape[1])]
        hour = next(one for one in order if (found[free, one] < most).any())
        room = [queue for queue in free if found[queue, hour] < most]
        queue = min(room, key=lambda one: float(now.within[one, hour]))
        found[queue, hour] += 1
    return found


def _refuse_impossible(shares: Shares, requirements: Requirements, most: int) -> None:
    problems = []
    for queue, hour in np.argwhere(shares.within < requirements.probability):
        message = Text(
            "第 {hour} 小时第 {queue} 队：即使每小时开满 {most} 个，也只有 {share:.1%} 的等候不超过 {wait:g} 分钟，要求 {least:.1%}。",
            "Hour {hour}, queue {queue}: even with {most} servers in every hour only {share:.1%} wait at most {wait:g} minutes; "
            "{least:.1%} are required.",
            hour=int(hour), queue=int(queue) + 1, most=most, share=float(shares.within[queue, hour]),
            wait=requirements.wait, least=requirements.probability,
        )  # fmt: skip
        problems.append(Problem(message, Text("请放宽时限，或增加上限。", "Allow a longer wait, or more servers.")))
    for hour in np.flatnonzero(shares.spill > requirements.spill):
        message = Text(
            "第 {hour} 小时：即使每小时开满 {most} 个，排队超过 {places} 个车位的概率仍为 {share:.1%}，要求不超过 {spill:.1%}。",
            "Hour {hour}: even with {most} servers in every hour more than {places} wait with probability {share:.1%}; "
            "at most {spill:.1%} is allowed.",
            hour=int(hour), most=most, places=requirements.places, share=float(shares.spill[hour]),
            spill=requirements.spill,
        )  # fmt: skip
        problems.append(
            Problem(message, Text("请扩大缓冲区，或增加上限。", "Make the buffer larger, or allow more servers."))
        )
    if problems:
        raise BadInput(problems)


def _one_less(
    servers: Ints, free: Sequence[int], shares: Callable[[Ints], Shares], requirements: Requirements
) -> list[list[Text | None]]:
    """For each cell what one server less does, as it came out on the days that chose the schedule."""
    found: list[list[Text | None]] = [[None] * servers.shape[1] for _ in range(servers.shape[0])]
    for queue in free:
        for hour in np.flatnonzero(servers[queue]):
            tried = servers.copy()
            tried[queue, hour] -= 1
            now = shares(tried)
            found[queue][hour] = _why(now, now.failing(requirements)[0], requirements)
    return found


def _why(shares: Shares, hour: int, requirements: Requirements) -> Text:
    worst = float(shares.within[:, hour].min())
    if worst < requirements.probability:
        return Text(
            "第 {hour} 小时只有 {share:.1%} 的等候不超过 {wait:g} 分钟",
            "in hour {hour} only {share:.1%} wait at most {wait:g} minutes",
            hour=hour, share=worst, wait=requirements.wait,
        )  # fmt: skip
    return Text(
        "第 {hour} 小时以 {share:.1%} 的概率排到缓冲区之外",
        "in hour {hour} the queue spills back with probability {share:.1%}",
        hour=hour, share=float(shares.spill[hour]),
    )  # fmt: skip


def _checked(days: Days, servers: Ints) -> int:
    check = min(3, days.replications)
    wrong = differences(days, servers, starts_of(days, servers), check=check)
    if wrong:
        raise AssertionError(f"{wrong} customers begin at another time by the list of events")
    return int(days.first[check])


def _rows(servers: Ints) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(int(one) for one in row) for row in servers)
