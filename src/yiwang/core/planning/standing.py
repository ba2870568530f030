"""How good a plan is: what it costs or gains, and what no plan can beat."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isinf

ROUNDING = 1e-9  # two figures that differ by less than this share are the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A plan's figure beside a bound that every plan obeys.

    Attributes:
        objective: What this plan costs, or gains where ``maximise``; in the unit of its model.
        bound: No plan costs less (gains more). Infinite where nothing is known.
        maximise: Whether more is better.
        seconds: How long it took to find and prove, by the clock.
    """

    objective: float
    bound: float
    maximise: bool = False
    seconds: float = 0.0

    @property
    def gap(self) -> float:
        """What a better plan could gain at most, as a share of this one's objective; 0 where it is optimal."""
        if isinf(self.bound):
            return inf
        distance = self.bound - self.objective if self.maximise else self.objective - self.bound
        if distance <= ROUNDING * max(1.0, abs(self.objective), abs(self.bound)):
            return 0.0
        return distance / abs(self.objective) if self.objective else inf

    @property
    def proven(self) -> bool:
        """Whether no plan is better."""
        return self.gap == 0.0
