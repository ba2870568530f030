"""The figure at the year's end, from a unit's own months, with an interval.

The months that are still to come are predicted by the mean of the last twelve. With n figures of mean m and standard deviation s, the mean
of h further ones lies around m with the scale s·√(1/h + 1/n), by Student's t with n − 1 degrees of freedom: the prediction interval for the
mean of h future observations in G. J. Hahn and W. Q. Meeker, *Statistical Intervals* (1991), chapter 4.

Two plainer forecasts stand beside it to compare with: the last month again, and the same months of last year again (R. J. Hyndman and
G. Athanasopoulos, *Forecasting: Principles and Practice*, third edition, sections 5.2 and 5.5). `docs/reference/targets.md` has what came
of the comparison. Months are taken as independent of each other; where they are not, the interval is too narrow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import fsum, sqrt

SEASON = 12
LEAST = 3  # months without which nothing is said
LEVEL = 0.8
Series = Sequence[float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """The mean of the months to come: around ``mean``, with Student's t of ``scale`` and ``freedom`` degrees."""

    mean: float
    scale: float
    freedom: int

    def quantile(self, share: float) -> float:
        """The value below which it lies with the probability ``share``, between 0 and 1."""
        from scipy.special import stdtrit  # here, so that a start does not wait for it

        return self.mean + self.scale * float(stdtrit(self.freedom, share))


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """A figure at the year's end. When the year is over the three are the figure itself.

    Attributes:
        value: The median.
        low, high: Between them it lies with the probability ``level``.
    """

    value: float
    low: float
    high: float
    level: float = LEVEL


Method = Callable[[Series, int], "Outlook | None"]


def last_twelve(months: Series, ahead: int) -> Outlook | None:
    """The mean of the last twelve months: what the platform says.

    Args:
        months: One figure a month, the latest last; None where there was none.
        ahead: How many months are still to come, 1 to 12.

    Returns:
        None with fewer than `LEAST` figures.
    """
    known = [value for value in months[-SEASON:] if value is not None]
    n = len(known)
    if n < LEAST:
        return None
    mean = fsum(known) / n
    spread = sqrt(fsum((value - mean) ** 2 for value in known) / (n - 1))
    return Outlook(mean=mean, scale=spread * sqrt(1 / ahead + 1 / n), freedom=n - 1)


def naive(months: Series, ahead: int) -> Outlook | None:
    """The last month again: a random walk. None with fewer than `LEAST` steps from one month to the next."""
    steps = [b - a for a, b in pairwise(months) if a is not None and b is not None]
    last = months[-1] if months else None
    if last is None or len(steps) < LEAST:
        return None
    # the j-th month ahead is off by j steps; the variance of the mean of the first h is s²·(h+1)(2h+1)/(6h)
    scale = _root_mean_square(steps) * sqrt((ahead + 1) * (2 * ahead + 1) / (6 * ahead))
    return Outlook(mean=last, scale=scale, freedom=len(steps))


def seasonal_naive(months: Series, ahead: int) -> Outlook | None:
    """The same months of last year again. None without them, or with fewer than `LEAST` of the year before to compare with."""
    again, yearly = _last_year(months, ahead), _yearly(months)
    if again is None or len(yearly) < LEAST:
        return None
    return Outlook(mean=again, scale=_root_mean_square(yearly) / sqrt(ahead), freedom=len(yearly))


def year_end_count(
    months: Series, *, done: int, so_far: float | None = None, method: Method = last_twelve
) -> Forecast | None:
    """The count of a whole year.

    Args:
        months: One count a month up to the last that is over.
        done: How many of them are months of the year, 0 to 12.
        so_far: The count of the year up to now, with what the month that is going on has; the forecast is never below it.
        method: How the months to come are predicted.

    Returns:
        None where a month of the year has no count, or nothing can be said of those to come.
    """
    own = list(months[len(months) - done :])
    counted = [value for value in own if value is not None]
    if len(counted) < done:
        return None
    base, ahead = fsum(counted), SEASON - done
    if not ahead:
        return Forecast(value=base, low=base, high=base)
    outlook = method(months, ahead)
    if outlook is None:
        return None
    least = max(base, so_far or 0.0)
    return _forecast(outlook, lambda mean: max(least, base + ahead * mean))


def year_end_rate(
    numerators: Series, denominators: Series, *, done: int, highest: float | None = None, method: Method = last_twelve
) -> Forecast | None:
    """The rate of a whole year: the months that are over as they were, those to come with the predicted rate and the mean caseload
    of the last twelve.

    Args:
        numerators, denominators: A month each, up to the last that is over, so that their quotient is in the indicator's unit. A month
            without a caseload has no rate; it does not count as nothing.
        done: How many of them are months of the year, 0 to 12.
        highest: What a rate cannot exceed, e.g. 100 of a percentage.
        method: How the months to come are predicted.
    """
    pairs = [
        (above, below) if above is not None and below else None
        for above, below in zip(numerators, denominators, strict=True)
    ]
    own = [pair for pair in pairs[len(pairs) - done :] if pair is not None]
    above, below = fsum(pair[0] for pair in own), fsum(pair[1] for pair in own)
    ahead = SEASON - done
    if not ahead:
        return Forecast(value=above / below, low=above / below, high=above / below) if below else None
    recent = [pair[1] for pair in pairs[-SEASON:] if pair is not None]
    outlook = method([pair[0] / pair[1] if pair else None for pair in pairs], ahead)
    if outlook is None or not recent:
        return None
    load = ahead * fsum(recent) / len(recent)

    def year(mean: float) -> float:
        rate = max(0.0, mean if highest is None else min(highest, mean))
        return (above + load * rate) / (below + load)

    return _forecast(outlook, year)


def pinball_loss(share: float, said: float, was: float) -> float:
    """The loss of a forecast of a quantile: ``share`` of what it fell short by, or 1 − ``share`` of what it was too high by.

    R. Koenker and G. Bassett, Regression Quantiles, *Econometrica* 46 (1978). The smaller, the better; the true quantile has the smallest
    expected one.
    """
    return share * (was - said) if was >= said else (1 - share) * (said - was)


def _forecast(outlook: Outlook, year: Callable[[float], float]) -> Forecast:
    tail = (1 - LEVEL) / 2
    low, value, high = (year(outlook.quantile(share)) for share in (tail, 0.5, 1 - tail))
    return Forecast(value=value, low=low, high=high)


def _yearly(months: Series) -> list[float]:
    return [b - a for a, b in zip(months, months[SEASON:], strict=False) if a is not None and b is not None]


def _last_year(months: Series, ahead: int) -> float | None:
    """The mean of the months a year before those to come; None where one of them is missing."""
    if len(months) < SEASON:
        return None
    again = [value for value in months[len(months) - SEASON :][:ahead] if value is not None]
    return fsum(again) / ahead if len(again) == ahead else None


def _root_mean_square(figures: Sequence[float]) -> float:
    return sqrt(fsum(value * value for value in figures) / len(figures))
