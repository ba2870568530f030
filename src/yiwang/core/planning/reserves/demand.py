"""Demand as a distribution over whole units, which every level of stock is worked out from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, fsum, lgamma, log, sqrt
from typing import Any

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text

NEGLIGIBLE = 1e-15  # the chance that is cut off from a tail
FFT_FROM = 2_000  # so long distributions are convolved by fast Fourier transforms, right to about 1e-15 of the whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """A distribution over 0, 1, 2, … units.

    Attributes:
        chances: Of each number of units, from 0; they sum to 1.
    """

    chances: tuple[float, ...]

    @classmethod
    def poisson(cls, mean: float) -> Demand:
        """Independent requests of one unit each, ``mean`` of them on average; the upper tail of `NEGLIGIBLE` is cut off."""
        if mean <= 0:
            return cls(chances=(1.0,))
        last = int(mean + 8 * sqrt(mean) + 30)
        found = [exp(units * log(mean) - mean - lgamma(units + 1)) for units in range(last + 1)]
        return cls(chances=_trimmed(found))

    @classmethod
    def empirical(cls, history: Sequence[float]) -> Demand:
        """As often as it was: each figure of a history, rounded to whole units, has the same chance.

        Raises:
            BadInput: For no figures, or a negative one.
        """
        if not history or min(history) < 0:
            raise BadInput(Text("需要不小于 0 的历史用量。", "A history of figures of 0 or more is needed."))
        found = [0.0] * (round(max(history)) + 1)
        for units in history:
            found[round(units)] += 1 / len(history)
        return cls(chances=tuple(found))

    @classmethod
    def normal(cls, mean: float, deviation: float) -> Demand:
        """The normal distribution, each unit with the chance of the interval of width 1 around it, and all below ½ at 0.

        For large figures; where the deviation exceeds about a third of the mean, what would lie below 0 is no longer negligible.
        """
        from scipy.special import ndtr

        if deviation <= 0:
            return cls(chances=(*(0.0,) * round(mean), 1.0))
        last = int(mean + 8 * deviation) + 1
        edges = [0.0, *(float(ndtr((units + 0.5 - mean) / deviation)) for units in range(last + 1))]
        return cls(chances=_trimmed([after - before for before, after in pairwise(edges)]))

    @property
    def mean(self) -> float:
        return fsum(units * chance for units, chance in enumerate(self.chances))

    @property
    def deviation(self) -> float:
        mean = self.mean
        return sqrt(fsum(chance * (units - mean) ** 2 for units, chance in enumerate(self.chances)))

    def times(self, periods: int) -> Demand:
        """The demand of several periods that are independent of each other: the convolution. None is 0 units."""
        import numpy as np
        from scipy.signal import fftconvolve

        def sum_of(one: Any, other: Any) -> Any:
            exact = min(len(one), len(other)) < FFT_FROM
            return np.convolve(one, other) if exact else np.maximum(fftconvolve(one, other), 0.0)

        found, factor = np.array([1.0]), np.array(self.chances)
        while periods:  # by squares, so that a year takes nine convolutions
            if periods % 2:
                found = sum_of(found, factor)
            factor, periods = sum_of(factor, factor) if periods > 1 else factor, periods // 2
        return Demand(chances=_trimmed([float(chance) for chance in found]))

    def at_most(self, units: float) -> float:
        """The chance of that many units or fewer."""
        return min(1.0, fsum(self.chances[: max(0, int(units) + 1)])) if units >= 0 else 0.0

    def quantile(self, share: float) -> int:
        """The least number of units that demand does not exceed with the chance ``share``."""
        total = 0.0
        for units, chance in enumerate(self.chances):
            total += chance
            if total >= share - 1e-12:
                return units
        return len(self.chances) - 1

    def excess(self, stock: float) -> float:
        """The expected units above a stock: E max(D − stock, 0), the loss function."""
        return fsum(chance * (units - stock) for units, chance in enumerate(self.chances) if units > stock)


def _trimmed(chances: Sequence[float]) -> tuple[float, ...]:
    """Without the upper tail of `NEGLIGIBLE`, and summing to 1."""
    found, tail = list(chances), 0.0
    while len(found) > 1 and tail + found[-1] < NEGLIGIBLE:
        tail += found.pop()
    total = fsum(found)
    return tuple(chance / total for chance in found)
