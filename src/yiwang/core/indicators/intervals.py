"""How sure a figure is: intervals for rates and counts.

A city counts all of its cases, not a sample of them. The interval then says how far the figure would move by chance alone
if the same unit met as many cases again under the same conditions: what a comparison of two units must allow for.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """From ``low`` to ``high``, in the unit of the figure."""

    low: float
    high: float

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int | float) and self.low <= value <= self.high


def normal_quantile(confidence: float) -> float:
    """How many standard errors to each side hold ``confidence`` of a normal distribution.

    Raises:
        ValueError: When the confidence is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"A confidence of {confidence} cannot be had; say 0.95.")
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def rate_interval(*, numerator: int, denominator: int, confidence: float = CONFIDENCE) -> Interval | None:
    """Interval of a rate, as shares of one; None where there is nothing to divide by.

    Wilson's score interval (E. B. Wilson, JASA 22, 1927; recommended for small numbers by Brown, Cai and DasGupta,
    Statistical Science 16, 2001): it never leaves 0 to 1 and is not a point where all or none succeeded.

    Raises:
        ValueError: When the numerator is not between 0 and the denominator: then it is no rate of those cases.
    """
    if not denominator:
        return None
    if not 0 <= numerator <= denominator:
        raise ValueError(f"{numerator} of {denominator} is no rate.")
    z = normal_quantile(confidence)
    share, spread = numerator / denominator, z * z / denominator
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * sqrt(share * (1 - share) / denominator + spread / (4 * denominator))
    # at the ends rounding must not cut off what was observed
    return Interval(
        0.0 if numerator == 0 else max(0.0, middle - half), 1.0 if numerator == denominator else min(1.0, middle + half)
    )


def rate_error(*, numerator: int, denominator: int, confidence: float = CONFIDENCE) -> float:
    """Standard error of a rate for comparisons: half of Wilson's interval in standard errors, so never 0.

    Raises:
        ValueError: When there is nothing to divide by.
    """
    interval = rate_interval(numerator=numerator, denominator=denominator, confidence=confidence)
    if interval is None:
        raise ValueError("A rate of nothing has no error.")
    return (interval.high - interval.low) / (2 * normal_quantile(confidence))


def count_interval(*, count: int, confidence: float = CONFIDENCE) -> Interval:
    """Interval of a count of independent events: Byar's approximation to the exact Poisson interval (N. E. Breslow and
    N. E. Day, Statistical Methods in Cancer Research II, IARC 1987, formula 2.13).

    Raises:
        ValueError: When the count is negative.
    """
    if count < 0:
        raise ValueError(f"{count} is no count.")
    z = normal_quantile(confidence)
    low = count * (1 - 1 / (9 * count) - z / (3 * sqrt(count))) ** 3 if count else 0.0
    above = count + 1
    return Interval(max(0.0, low), above * (1 - 1 / (9 * above) + z / (3 * sqrt(above))) ** 3)
