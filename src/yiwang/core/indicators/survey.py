"""What a sample says of all places, and how surely: design-based estimates with strata, clusters, weights and finite frames.

The estimator is the ratio of two weighted totals, its variance the linearised one between the first-stage units of each
stratum (W. G. Cochran, Sampling Techniques, 3rd ed. 1977, 6.11 and 11; the default of R's `survey`, T. Lumley 2004).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import cos, exp, inf, pi, sin, sqrt
from statistics import NormalDist, fmean

from yiwang.core.indicators.intervals import CONFIDENCE, Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """An estimate with what is known of its error.

    Attributes:
        value: In the unit of the values.
        error: Standard error under the design; 0 when everything was looked at.
        interval: Where the truth lies, with the confidence asked for; None when the sample cannot tell (no degrees of freedom).
        degrees: Degrees of freedom: first-stage units less strata.
        sampled: How many values.
        effect: Variance over that of a simple random sample of as many (design effect, L. Kish 1965); None where that is 0.
        lonely: Strata with one unit only, whose variance is taken around the mean of all: too large rather than too small.
    """

    value: float
    error: float
    interval: Interval | None
    degrees: int
    sampled: int
    effect: float | None
    lonely: tuple[str, ...] = ()


def estimate_mean(
    *,
    values: Sequence[float],
    strata: Sequence[str],
    weights: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
    sizes: Mapping[str, int] | None = None,
    confidence: float = CONFIDENCE,
    bounds: Interval | None = None,
) -> Estimate | None:
    """Mean over all places; None without values.

    Args:
        values: One measured value for each visit.
        strata: The stratum of each.
        weights: How many places each stands for.
        clusters: What was drawn first, where several values come from one drawn unit; by default each value is its own unit.
        sizes: First-stage units in the frame by stratum, for the finite population correction; without it there is none.
        confidence: Of the interval, by Student's t.
        bounds: What the value cannot leave, such as 0 to 100; the interval is cut there.

    Raises:
        ValueError: When the columns differ in length, a weight is not positive, or a stratum has more units than its size.
    """
    columns = [len(strata), len(weights), len(values if clusters is None else clusters)]
    if any(length != len(values) for length in columns):
        raise ValueError(
            f"{len(values)} values, but strata, weights and clusters are {columns}: one of each per visit."
        )
    if not values:
        return None
    if min(weights) <= 0:
        raise ValueError(f"A weight of {min(weights)}: each visit stands for some places.")
    total = sum(weights)
    value = sum(weight * measured for weight, measured in zip(weights, values, strict=True)) / total
    units: dict[str, dict[Hashable, float]] = defaultdict(lambda: defaultdict(float))
    for number, (measured, stratum, weight) in enumerate(zip(values, strata, weights, strict=True)):
        units[stratum][number if clusters is None else clusters[number]] += weight * (measured - value) / total
    variance, lonely = _variance(units, sizes)
    degrees = sum(map(len, units.values())) - len(units)
    error = sqrt(variance)
    interval = None
    if variance == 0 and _is_census(units, sizes):
        interval = Interval(value, value)
    elif degrees > 0:
        half = student_quantile(confidence=confidence, degrees=degrees) * error
        low, high = value - half, value + half
        if bounds is not None:
            low, high = max(low, bounds.low), min(high, bounds.high)
        interval = Interval(low, high)
    simple = _simple_variance(values, weights, value)
    return Estimate(
        value=value,
        error=error,
        interval=interval,
        degrees=degrees,
        sampled=len(values),
        effect=variance / simple if simple else None,
        lonely=lonely,
    )


def estimate_share(
    *,
    met: Sequence[bool],
    strata: Sequence[str],
    weights: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
    sizes: Mapping[str, int] | None = None,
    confidence: float = CONFIDENCE,
) -> Estimate | None:
    """Share of places that meet something; None without visits.

    Wilson's interval at the effective sample size (E. L. Korn and B. I. Graubard, Survey Methodology 24, 1998, with Wilson's
    interval as N. Dean and M. Pagano, Journal of Survey Statistics and Methodology 3, 2015, compare it): it stays within 0
    and 1, and is no point where all of a sample met it.

    Raises:
        ValueError: As :func:`estimate_mean`.
    """
    found = estimate_mean(
        values=[float(one) for one in met],
        strata=strata,
        weights=weights,
        clusters=clusters,
        sizes=sizes,
        confidence=confidence,
    )
    if found is None or found.degrees <= 0 or _is_complete(strata, clusters, sizes):
        return found
    share, variance = found.value, found.error**2
    effective = share * (1 - share) / variance if variance else float(found.sampled)
    quantile = student_quantile(confidence=confidence, degrees=found.degrees)
    spread = quantile**2 / effective
    middle = (share + spread / 2) / (1 + spread)
    half = quantile / (1 + spread) * sqrt(share * (1 - share) / effective + spread / (4 * effective))
    interval = Interval(0.0 if share == 0 else max(0.0, middle - half), 1.0 if share == 1 else min(1.0, middle + half))
    return Estimate(
        value=share,
        error=found.error,
        interval=interval,
        degrees=found.degrees,
        sampled=found.sampled,
        effect=found.effect,
        lonely=found.lonely,
    )


def student_quantile(*, confidence: float, degrees: int) -> float:
    """How many standard errors to each side hold ``confidence`` of Student's t with ``degrees`` degrees of freedom.

    Exact for 1 and 2; else G. W. Hill, Algorithm 396, Communications of the ACM 13, 1970 (six digits and better).

    Raises:
        ValueError: When the confidence is not between 0 and 1, or there are no degrees of freedom.
    """
    if not 0 < confidence < 1 or degrees < 1:
        raise ValueError(f"Confidence {confidence} with {degrees} degrees of freedom cannot be had.")
    tails = 1 - confidence
    if degrees == 1:
        return cos(tails * pi / 2) / sin(tails * pi / 2)
    if degrees == 2:
        return sqrt(2 / (tails * (2 - tails)) - 2)
    a = 1 / (degrees - 0.5)
    b = 48 / a**2
    c = ((20700 * a / b - 98) * a - 16) * a + 96.36
    d = ((94.5 / (b + c) - 3) / b + 1) * sqrt(a * pi / 2) * degrees
    y = (d * tails) ** (2 / degrees)
    if y > 0.05 + a:
        x = NormalDist().inv_cdf(tails / 2)
        y = x * x
        if degrees < 5:
            c += 0.3 * (degrees - 4.5) * (x + 0.6)
        c = (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b + c
        y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x
        y = a * y * y
        y = exp(y) - 1 if y > 0.002 else 0.5 * y * y + y
    else:
        y = (
            (1 / (((degrees + 6) / (degrees * y) - 0.089 * d - 0.822) * (degrees + 2) * 3) + 0.5 / (degrees + 4)) * y
            - 1
        ) * (degrees + 1) / (degrees + 2) + 1 / y
    return sqrt(degrees * y)


def _variance(
    units: Mapping[str, Mapping[Hashable, float]], sizes: Mapping[str, int] | None
) -> tuple[float, tuple[str, ...]]:
    everywhere = fmean(total for stratum in units.values() for total in stratum.values())
    variance, lonely = 0.0, []
    for stratum, totals in units.items():
        count, size = len(totals), inf if sizes is None else sizes[stratum]
        if count > size:
            raise ValueError(f"{count} units were drawn in {stratum!r}, which has {size}.")
        left = 1 - count / size
        if count == 1:
            if left:
                lonely.append(stratum)
            variance += left * (next(iter(totals.values())) - everywhere) ** 2
            continue
        mean = fmean(totals.values())
        variance += left * count / (count - 1) * sum((total - mean) ** 2 for total in totals.values())
    return variance, tuple(sorted(lonely))


def _is_census(units: Mapping[str, Mapping[Hashable, float]], sizes: Mapping[str, int] | None) -> bool:
    return sizes is not None and all(len(totals) == sizes[stratum] for stratum, totals in units.items())


def _is_complete(strata: Sequence[str], clusters: Sequence[Hashable] | None, sizes: Mapping[str, int] | None) -> bool:
    units: dict[str, dict[Hashable, float]] = defaultdict(dict)
    for number, stratum in enumerate(strata):
        units[stratum][number if clusters is None else clusters[number]] = 0.0
    return _is_census(units, sizes)


def _simple_variance(values: Sequence[float], weights: Sequence[float], mean: float) -> float:
    if len(values) < 2:
        return 0.0
    spread = sum(weight * (value - mean) ** 2 for weight, value in zip(weights, values, strict=True)) / sum(weights)
    return spread / (len(values) - 1)
