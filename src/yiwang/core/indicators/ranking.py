"""Places in a ranking, as far as the figures can tell them apart.

Of thirty streets with about as many cases each, chance alone makes a first and a last. So a place is given as a set: the
best and the worst place that the unit may truly have. Units whose sets meet are not told apart by these figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from yiwang.core.indicators.intervals import CONFIDENCE, normal_quantile

DRAWS = 2000
SEED = 20260101
MOST_DRAWN = 60
_MOST_NUMBERS = 4_000_000  # held at a time while drawing


@dataclass(frozen=True, slots=True)
class Place:
    """The places that a unit may have: 1 is the best; ``best`` equals ``worst`` where there is no doubt."""

    best: int
    worst: int


def places(
    *,
    values: Sequence[float],
    errors: Sequence[float],
    more_is_better: bool,
    confidence: float = CONFIDENCE,
    draws: int = DRAWS,
    seed: int = SEED,
) -> list[Place]:
    """For each unit the set of its places; all sets together hold the truth with the stated confidence.

    Every pair is compared; a unit stands behind another when their difference is larger than ``c`` standard errors of it,
    where ``c`` is the ``confidence`` quantile of the largest of all such differences that chance makes (M. Mogstad,
    J. P. Romano, A. Shaikh and D. Wilhelm, Inference for Ranks, Review of Economic Studies 91, 2024, section 3, with
    normal draws for the bootstrap). Units are taken to be independent. Above `MOST_DRAWN` units ``c`` is Bonferroni's bound
    over all pairs instead, which is a little larger: sets are then wider than they need to be, never narrower.

    Args:
        values: The figures.
        errors: Their standard errors, all above 0, in the same order.
        more_is_better: Whether the largest figure is the first place.
        confidence: Share of repetitions in which every set holds its unit's true place.
        draws, seed: Repetitions for ``c``, and what makes them the same each time.

    Returns:
        One `Place` a unit, in the order given. Equal figures have equal sets.

    Raises:
        ValueError: When the columns differ in length or an error is not above 0.
    """
    value = np.asarray(values, dtype=np.float64)
    error = np.asarray(errors, dtype=np.float64)
    if value.shape != error.shape:
        raise ValueError(f"{len(value)} figures and {len(error)} errors do not belong together.")
    if not np.isfinite(value).all() or not (np.isfinite(error) & (error > 0)).all():
        raise ValueError("Every figure needs a standard error above 0.")
    if len(value) < 2:
        return [Place(1, 1)] * len(value)
    apart = np.sqrt(error[:, None] ** 2 + error[None, :] ** 2)
    if len(value) > MOST_DRAWN:
        pairs = len(value) * (len(value) - 1) / 2
        bound = normal_quantile(1 - (1 - confidence) / pairs)
    else:
        bound = _largest_by_chance(error, apart, confidence=confidence, draws=draws, seed=seed)
    better = (value[None, :] - value[:, None]) * (1 if more_is_better else -1) / apart  # how far column is before row
    ahead, behind = (better > bound).sum(axis=1), (-better > bound).sum(axis=1)
    return [Place(int(one) + 1, len(value) - int(other)) for one, other in zip(ahead, behind, strict=True)]


def _largest_by_chance(
    error: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    apart: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    *,
    confidence: float,
    draws: int,
    seed: int,
) -> float:
    rng = np.random.default_rng(seed)
    first, second = np.triu_indices(len(error), k=1)
    scale = apart[first, second]
    at_a_time = max(1, _MOST_NUMBERS // len(first))
    largest = []
    for start in range(0, draws, at_a_time):
        drawn = rng.standard_normal((min(at_a_time, draws - start), len(error))) * error
        largest.append(np.max(np.abs(drawn[:, first] - drawn[:, second]) / scale, axis=1))
    return float(np.quantile(np.concatenate(largest), confidence, method="higher"))
