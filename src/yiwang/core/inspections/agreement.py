"""How far two people who looked at the same places agree, beyond what chance would give: Cohen's kappa."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from yiwang.core.indicators.intervals import CONFIDENCE, Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How two raters agree.

    Attributes:
        pairs: How many things both rated.
        share: Share of them that both rated alike.
        kappa: (share − chance) / (1 − chance); 1 for full agreement, 0 for what chance gives; None where both gave one and the
            same rating throughout, so that chance alone would agree fully.
        interval: Where kappa lies, with the confidence asked for, cut at −1 and 1; None without a kappa.
    """

    pairs: int
    share: float
    kappa: float | None
    interval: Interval | None


def agreement(
    first: Sequence[Hashable], second: Sequence[Hashable], *, confidence: float = CONFIDENCE
) -> Agreement | None:
    """Agreement of two raters on the same things; None without any.

    Kappa by J. Cohen (Educational and Psychological Measurement 20, 1960), its standard error for large samples by J. L.
    Fleiss, J. Cohen and B. S. Everitt (Psychological Bulletin 72, 1969).

    Args:
        first, second: The ratings of each, in the same order.
        confidence: Of the interval.

    Raises:
        ValueError: When the columns differ in length.
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} and {len(second)} ratings: one of each for everything that both rated.")
    if not first:
        return None
    count = len(first)
    together = {pair: number / count for pair, number in Counter(zip(first, second, strict=True)).items()}
    rows = {rating: number / count for rating, number in Counter(first).items()}
    columns = {rating: number / count for rating, number in Counter(second).items()}
    share = sum(part for (one, other), part in together.items() if one == other)
    chance = sum(part * columns.get(rating, 0.0) for rating, part in rows.items())
    if chance == 1:
        return Agreement(pairs=count, share=share, kappa=None, interval=None)
    kappa = (share - chance) / (1 - chance)
    alike = sum(
        part * (1 - (rows.get(one, 0.0) + columns.get(one, 0.0)) * (1 - kappa)) ** 2
        for (one, other), part in together.items()
        if one == other
    )
    apart = (1 - kappa) ** 2 * sum(
        part * (columns.get(one, 0.0) + rows.get(other, 0.0)) ** 2
        for (one, other), part in together.items()
        if one != other
    )
    variance = (alike + apart - (kappa - chance * (1 - kappa)) ** 2) / ((1 - chance) ** 2 * count)
    half = NormalDist().inv_cdf((1 + confidence) / 2) * sqrt(max(0.0, variance))
    interval = Interval(max(-1.0, kappa - half), min(1.0, kappa + half))
    return Agreement(pairs=count, share=share, kappa=kappa, interval=interval)
