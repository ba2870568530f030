"""How much will be used in the days to come, from a daily series, with an interval.

Each method predicts the total of the next days as a whole. Its interval comes from its own errors in the past: what the same
method says at each earlier day, against what came (empirical prediction intervals, W. H. Williams and M. L. Goodman, *Journal of the
American Statistical Association* 66, 1971). Nothing is assumed of their distribution. `docs/guide/planning-reserves.md` has how the
methods compare.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, fsum, inf

WEEK = 7
LEAST = 20  # past errors without which there is no interval
LEVEL = 0.8
SMOOTHING = (0.1, 0.2, 0.3, 0.5, 0.7)  # choices; the one with the smallest past errors is taken
Series = Sequence[float]
Method = Callable[[Series, int], "float | None"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """The total of the days to come: ``value`` is its median, and between ``low`` and ``high`` it lies with the chance ``level``."""

    value: float
    low: float
    high: float
    level: float = LEVEL


def naive(days: Series, ahead: int) -> float | None:
    """The last day again and again; None without any."""
    return days[-1] * ahead if days else None


def seasonal_naive(days: Series, ahead: int) -> float | None:
    """The last week again (R. J. Hyndman and G. Athanasopoulos, *Forecasting: Principles and Practice*, third edition, section 5.2)."""
    if len(days) < WEEK:
        return None
    week = days[-WEEK:]
    return fsum(week[day % WEEK] for day in range(ahead))


def smoothed(days: Series, ahead: int) -> float | None:
    """Simple exponential smoothing of what remains when each weekday's usual share is divided out (ibid., sections 3.4 and 8.1).

    A weekday's share is its mean over the mean of all days. The smoothing is the one of `SMOOTHING` with the smallest absolute errors a day
    ahead. None with fewer than three weeks.
    """
    if len(days) < 3 * WEEK:
        return None
    usual = fsum(days) / len(days)
    if usual == 0:
        return 0.0
    shares = [fsum(days[day::WEEK]) / len(days[day::WEEK]) / usual for day in range(WEEK)]
    level, least = usual, inf
    for smoothing in SMOOTHING:
        at, errors = usual, 0.0
        for day, value in enumerate(days):
            share = shares[day % WEEK]
            errors += abs(value - at * share)
            if share > 0:  # a weekday on which nothing is ever used says nothing of the level
                at += smoothing * (value / share - at)
        if errors < least:
            level, least = at, errors
    return level * fsum(shares[(len(days) + day) % WEEK] for day in range(ahead))


def outlook(days: Series, ahead: int, *, method: Method = smoothed, level: float = LEVEL) -> Outlook | None:
    """The total of the next ``ahead`` days, never below 0.

    Args:
        days: One figure a day without gaps, the latest last.
        ahead: How many days, 1 or more.

    Returns:
        None where the method cannot say anything, or there are fewer than `LEAST` past errors.
    """
    said = method(days, ahead)
    errors = past_errors(days, ahead, method)
    if said is None or len(errors) < LEAST:
        return None
    tail = (1 - level) / 2
    low, value, high = (max(0.0, said + _quantile(errors, share)) for share in (tail, 0.5, 1 - tail))
    return Outlook(value=value, low=low, high=high, level=level)


def past_errors(days: Series, ahead: int, method: Method) -> list[float]:
    """By what the method fell short at every earlier day whose days to come are over, from smallest to largest."""
    found = []
    for now in range(1, len(days) - ahead + 1):
        said = method(days[:now], ahead)
        if said is not None:
            found.append(fsum(days[now : now + ahead]) - said)
    return sorted(found)


def _quantile(ordered: Series, share: float) -> float:
    """The k-th smallest of n with k = ⌈share · (n + 1)⌉: as many as the next one lies below with that chance."""
    return ordered[min(len(ordered), max(1, ceil(share * (len(ordered) + 1)))) - 1]
