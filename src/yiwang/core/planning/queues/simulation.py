"""A day simulated many times: M(t)/G/c(t), first come first served, with several kinds of customers and several queues.

Customers of a kind arrive as a Poisson process whose rate is constant within each hour. Service times are gamma distributed with
the mean and squared coefficient of variation of the kind: exponential at 1, constant at 0. Each queue has a number of servers in
each hour: nobody begins while so many are being served. Where the number falls, services go on to their end, and the first that
ends closes its server. After the last hour its servers go on until nobody waits.

A day is then one pass over the customers in the order of their arrival, without a list of events: the recursion of J. Kiefer and
J. Wolfowitz (On the Theory of Queues with Many Servers, 1955), with servers that open and close. When customers come and how long
they take is drawn before anything is known of servers, so two plans meet the very same days. With one server more, in any hour,
nobody begins later: if nobody before ended later, no more are being served at any time, and the next can begin no later either.

Everything follows from the seed. Rates are per hour, times in minutes from the start of the first hour.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import isfinite, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.planning.queues.erlang import HOUR

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
MOST_CUSTOMERS = 30_000_000  # of all repetitions together; they are held in memory
CONFIDENCE_Z = 1.959963984540054  # of a two-sided 95 % interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Customers of one kind.

    Attributes:
        id: Its name.
        queue: In which queue they wait, from 0.
        mean: Mean service in minutes.
        scv: Squared coefficient of variation of the service.
        arrivals: Expected arrivals in each hour.
    """

    id: str
    queue: int
    mean: float
    scv: float
    arrivals: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """What the customers of many days bring, drawn before anything is known of servers.

    Attributes:
        hours, queues, replications: How many.
        at: Minutes of arrival, rising within each day; all days one after another.
        queue: The queue of each customer.
        service: Its service in minutes.
        cell: Its queue times the number of hours, plus the hour in which it arrives.
        first: Where each day begins in these, and at last their length.
    """

    hours: int
    queues: int
    replications: int
    at: Floats
    queue: Ints
    service: Floats
    cell: Ints
    first: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure from independent days, and a 95 % interval for what it is in the long run."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HourFigures:
    """What those met who arrived in one hour, or in all hours.

    Attributes:
        arrivals: Mean number of them a day.
        mean_wait: Minutes until service begins.
        quantile: The minutes within which the wanted share began to be served.
        within: The share that waited no longer than the limit; 1 where nobody came.
        longest_queue: Mean over the days of the greatest number that waited at a moment of this hour.
        spill: The share of the days on which more waited at some moment of this hour than there are places.
    """

    arrivals: float
    mean_wait: Estimate
    quantile: float
    within: Estimate
    longest_queue: Estimate
    spill: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of the days with some servers.

    Attributes:
        by_hour: Of each queue, each hour: ``by_hour[queue][hour]``. Queue lengths and spill-back are those of all queues together.
        whole: Of each queue, over all hours.
    """

    by_hour: tuple[tuple[HourFigures, ...], ...]
    whole: tuple[HourFigures, ...]


def draw_days(kinds: Sequence[Kind], *, seed: int, replications: int) -> Days:
    """Draw the customers.

    Raises:
        BadInput: With every fault: hours of different number, figures out of range, too many customers.
    """
    _check_kinds(kinds, replications)
    hours = len(kinds[0].arrivals)
    columns = []
    for number, kind in enumerate(kinds):
        # one stream a kind, so that another kind's figures do not change what this one brings
        random = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, number])))
        counts = random.poisson(np.array(kind.arrivals), size=(replications, hours))
        total = int(counts.sum())
        cell = np.repeat(np.arange(replications * hours), counts.ravel())
        minutes = (cell % hours + random.random(total)) * HOUR
        service = random.gamma(1 / kind.scv, kind.mean * kind.scv, total) if kind.scv else np.full(total, kind.mean)
        columns.append((cell // hours, minutes, np.full(total, kind.queue), service))
    day, at, queue, taken = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    order = np.lexsort((at, day))
    at, queue = at[order], queue[order].astype(np.int64)
    return Days(
        hours=hours,
        queues=max(kind.queue for kind in kinds) + 1,
        replications=replications,
        at=at,
        queue=queue,
        service=taken[order],
        cell=queue * hours + hours_of(at, hours),
        first=np.searchsorted(day[order], np.arange(replications + 1)).astype(np.int64),
    )


def starts_of(days: Days, servers: Ints) -> Floats:
    """When each customer begins to be served, in minutes; infinite where nobody ever serves it.

    Args:
        days: The customers.
        servers: How many serve, by queue and hour; shape (queues, hours).
    """
    starts: Floats = _compiled()["serve"](days.at, days.queue, days.service, days.first, servers)
    return starts


def run(days: Days, servers: Ints, *, limit: float, share: float, places: int | None = None) -> Outcome:
    """Serve the days and sum up.

    Args:
        days: The customers.
        servers: How many serve, by queue and hour; shape (queues, hours).
        limit: A wait of so many minutes is still within.
        share: Of which share the quantile is.
        places: So many can wait, in all queues together; None where there is no end.
    """
    starts = starts_of(days, servers)
    waits = starts - days.at
    peaks = queue_peaks(days, starts)
    hour = days.cell % days.hours
    day = np.repeat(np.arange(days.replications), np.diff(days.first))
    by_hour, whole = [], []
    for queue in range(days.queues):
        own = days.queue == queue
        # by hour, and within the hour by day: one sorting serves all hours
        order = np.flatnonzero(own)
        order = order[np.argsort(hour[order], kind="stable")]
        ends = np.searchsorted(hour[order], np.arange(days.hours + 1))

        def figures(which: Ints, peak: Ints) -> HourFigures:
            return _figures(waits[which], day[which], peak, days.replications, limit=limit, share=share, places=places)

        by_hour.append(tuple(figures(order[ends[h] : ends[h + 1]], peaks[:, h]) for h in range(days.hours)))
        whole.append(figures(order, peaks.max(axis=1)))
    return Outcome(by_hour=tuple(by_hour), whole=tuple(whole))


def hours_of(at: Floats, hours: int) -> Ints:
    """The hour in which each minute lies; what comes later counts to the last."""
    found: Ints = np.minimum((at / HOUR).astype(np.int64), hours - 1)
    return found


def queue_peaks(days: Days, starts: Floats) -> Ints:
    """The greatest number that waited, in all queues together, by day and hour; shape (replications, hours).

    What waits after the last hour counts to that.
    """
    ordered = starts.copy()
    for begin, end in pairwise(days.first) if days.queues > 1 else ():
        ordered[begin:end].sort()  # in place; only customers of one queue begin in the order in which they arrive
    peaks: Ints = _compiled()["peaks"](days.at, ordered, days.first, days.hours)
    return peaks


def proportion(count: int, of: int) -> Estimate:
    """A share of independent trials with E. B. Wilson's score interval (JASA 22, 1927)."""
    share, spread = count / of, CONFIDENCE_Z**2 / of
    middle = (share + spread / 2) / (1 + spread)
    half = CONFIDENCE_Z / (1 + spread) * sqrt(share * (1 - share) / of + spread / (4 * of))
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    # at the ends rounding must not cut off what was observed
    return Estimate(value=share, low=low if count else 0.0, high=high if count < of else 1.0)


def _figures(
    waits: Floats, day: Ints, peaks: Ints, replications: int, *, limit: float, share: float, places: int | None
) -> HourFigures:
    n = _sums(day, np.ones(len(day)), replications)
    waited = _sums(day, waits, replications)
    within = _sums(day, (waits <= limit).astype(np.float64), replications)
    spilt = int((peaks > places).sum()) if places is not None else 0
    return HourFigures(
        arrivals=float(n.mean()),
        mean_wait=_ratio(waited, n),
        # the smallest wait that is not exceeded by the share; no average with an infinite one
        quantile=float(np.quantile(waits, share, method="inverted_cdf")) if len(waits) else 0.0,
        within=_ratio(within, n, empty=1.0),
        longest_queue=_ratio(peaks.astype(np.float64), np.ones(replications)),
        spill=proportion(spilt, replications),
    )


def _sums(day: Ints, figures: Floats, replications: int) -> Floats:
    found: Floats = np.bincount(day, weights=figures, minlength=replications).astype(np.float64)
    return found


def _ratio(above: Floats, below: Floats, empty: float = 0.0) -> Estimate:
    """A ratio of sums over independent days, with the linearised standard error (W. G. Cochran, *Sampling Techniques*, 1977, section 6.4)
    and Student's t."""
    from scipy.special import stdtrit

    n, total = len(above), float(below.sum())
    if not total:
        return Estimate(value=empty, low=empty, high=empty)
    value = float(above.sum()) / total
    if n < 2 or not isfinite(value):
        return Estimate(value=value, low=-np.inf, high=np.inf)
    rest = above - value * below
    half = float(stdtrit(n - 1, 0.975)) * sqrt(float((rest**2).sum()) * n / (n - 1)) / total
    return Estimate(value=value, low=value - half, high=value + half)


def _check_kinds(kinds: Sequence[Kind], replications: int) -> None:
    problems = []

    def fault(message: Text, hint: Text) -> None:
        problems.append(Problem(message, hint))

    if not kinds or len({len(kind.arrivals) for kind in kinds}) != 1 or not kinds[0].arrivals:
        fault(
            Text("各类到达数的小时数不一致，或没有到达数。", "The kinds have different numbers of hours, or none."),
            Text("每类每小时一个数。", "Give one figure for each kind and hour."),
        )
    for kind in kinds:
        if not (isfinite(kind.mean) and kind.mean > 0 and isfinite(kind.scv) and kind.scv >= 0):
            fault(
                Text("「{id}」的服务时间无效。", "The service time of {id!r} cannot be.", id=kind.id),
                Text("平均值应大于 0，变异系数平方不小于 0。", "Its mean must be above 0, its scv 0 or more."),
            )
        if not all(isfinite(one) and one >= 0 for one in kind.arrivals):
            fault(
                Text("「{id}」的到达数有负数。", "{id!r} has negative arrivals.", id=kind.id),
                Text("到达数不得小于 0。", "They must be 0 or more."),
            )
    if replications < 1:
        fault(Text("重复次数小于 1。", "There are no replications."), Text("请写 1 或更大。", "Give 1 or more."))
    expected = sum(sum(kind.arrivals) for kind in kinds) * replications
    if expected > MOST_CUSTOMERS:
        fault(
            Text("模拟的人车数 {n:.0f} 太多。", "{n:,.0f} simulated customers are too many.", n=expected),
            Text(
                "请减少重复次数，使其不超过 {most:,}。",
                "Use fewer replications: {most:,} at most.",
                most=MOST_CUSTOMERS,
            ),
        )
    if problems:
        raise BadInput(problems)


# --- the inner loops, compiled --------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _compiled() -> Mapping[str, Callable[..., Any]]:
    """Compiled at the first use, so that a start does not wait for it; kept on disk where there is a folder that can be written."""
    from numba import njit

    try:
        return {"serve": njit(_serve, cache=True), "peaks": njit(_peaks, cache=True)}
    except RuntimeError:
        return {"serve": njit(_serve), "peaks": njit(_peaks)}


def _serve(at: Floats, queue: Ints, service: Floats, first: Ints, servers: Ints) -> Floats:
    """Starts of service. Of each queue the latest ends of service are kept in falling order: with c servers the next customer can begin
    at the c-th of them."""
    queues, hours = servers.shape
    most = servers.max()
    starts = np.empty(len(at))
    ends = np.empty((queues, most))
    last = np.empty(queues)  # nobody begins before whoever came earlier
    for day in range(len(first) - 1):
        ends[:, :] = 0.0
        last[:] = 0.0
        for one in range(first[day], first[day + 1]):
            q = queue[one]
            begin = max(at[one], last[q])
            if begin == np.inf:  # whoever came earlier is never served
                starts[one] = begin
                continue
            hour = min(int(begin / 60.0), hours - 1)
            while True:
                count = servers[q, hour]
                possible = max(begin, ends[q, count - 1]) if count else np.inf
                if hour == hours - 1 or possible < (hour + 1) * 60.0:
                    begin = possible
                    break
                hour += 1
                begin = hour * 60.0
            starts[one] = last[q] = begin
            end = begin + service[one]
            place = 0
            while place < most and end > begin:  # ends that are over are of no interest any more
                if end > ends[q, place]:
                    end, ends[q, place] = ends[q, place], end
                place += 1
    return starts


def _peaks(at: Floats, ordered: Floats, first: Ints, hours: int) -> Ints:
    """The longest queue in each hour, by walking through arrivals and starts in the order of time."""
    found = np.zeros((len(first) - 1, hours), np.int64)
    for day in range(len(first) - 1):
        begin, end = first[day], first[day + 1]
        gone, last = 0, 0
        for one in range(begin, end):
            hour = min(int(at[one] / 60.0), hours - 1)
            while last < hour:  # who still waits as an hour begins is in that hour's queue
                last += 1
                while gone < one - begin and ordered[begin + gone] < last * 60.0:
                    gone += 1
                found[day, last] = one - begin - gone
            while gone < end - begin and ordered[begin + gone] <= at[one]:
                gone += 1
            # who begins at once has been counted among those gone
            found[day, hour] = max(found[day, hour], one - begin + 1 - gone)
        while last < hours - 1:
            last += 1
            while gone < end - begin and ordered[begin + gone] < last * 60.0:
                gone += 1
            found[day, last] = end - begin - gone
    return found
