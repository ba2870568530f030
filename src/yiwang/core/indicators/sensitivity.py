"""Whether an order of composite scores would stand with other weights, within bounds that are stated.

A composite score is a sum of parts by weights that somebody has chosen. How far an order is the work of that choice is told
exactly, in two ways, and nothing is drawn at random:

- *of two units*, whether any weights within the bounds would exchange them. The difference of two scores is linear in the weights,
  and over weights between bounds that sum to one a linear function is least where the weight that is free goes to the smallest
  differences first (the fractional knapsack of G. B. Dantzig, Discrete-variable extremum problems, Operations Research 5, 1957).
- *of one weight*, at which of its values units change places, the others keeping their proportions. Each score is then a straight
  line, and the places are exchanged where two lines cross (one-way sensitivity; A. Saltelli and others, Global Sensitivity
  Analysis, 2008, chapter 1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from yiwang.core.indicators.ranking import Place

Floats = NDArray[np.float64]
MOST_UNITS = 2_000
_EQUAL = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Weights with what each may be; all sum to one.

    Attributes:
        weights: As they are.
        lows, highs: The least and the most that each may be.
    """

    weights: tuple[float, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]

    @classmethod
    def around(cls, weights: Sequence[float], *, share: float) -> Bounds:
        """Bounds of so large a share of each weight to both sides, e.g. 0.2: a weight of 0.3 lies between 0.24 and 0.36.

        Raises:
            ValueError: When a weight is negative, all are 0, or the share is not between 0 and 1.
        """
        total = sum(weights)
        if total <= 0 or min(weights) < 0 or not 0 <= share <= 1:
            raise ValueError(f"Weights {list(weights)} within {share} of themselves cannot be had.")
        held = [weight / total for weight in weights]
        return cls(
            weights=tuple(held),
            lows=tuple(weight * (1 - share) for weight in held),
            highs=tuple(min(1.0, weight * (1 + share)) for weight in held),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """Two units that follow one another.

    Attributes:
        ahead, behind: Ids.
        margin: By how much the first is ahead with the weights as they are.
        least: The same with those weights within the bounds that are worst for it; below 0 it would be behind.
        weights: Those weights.
    """

    ahead: str
    behind: str
    margin: float
    least: float
    weights: tuple[float, ...]

    @property
    def stands(self) -> bool:
        """Whether no weights within the bounds exchange the two."""
        return self.least > _EQUAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A value of one weight at which two units exchange their places.

    Attributes:
        at: The weight; the others keep their proportions.
        one, other: Ids; ``one`` is ahead below it.
    """

    at: float
    one: str
    other: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """How far an order depends on the weights.

    Attributes:
        order: Ids, the best first.
        scores: In that order.
        neighbours: Each two that follow one another.
        places: Of each unit the best and the worst place that pairs alone allow; weights for all of them at once may not exist,
            so the truth lies within.
        crossings: For each part, in the order of its weight, those within the bounds.
    """

    order: tuple[str, ...]
    scores: tuple[float, ...]
    neighbours: tuple[Neighbours, ...]
    places: Mapping[str, Place]
    crossings: tuple[tuple[Crossing, ...], ...]


def sensitivity(units: Mapping[str, Sequence[float]], bounds: Bounds) -> Sensitivity:
    """How far the order of some units depends on the weights; see the module.

    Args:
        units: Id → its parts, 0 to 100, more is better; each has a value for every weight.
        bounds: Of the weights.

    Raises:
        ValueError: When a unit has more or fewer parts than there are weights, or there are over `MOST_UNITS`.
    """
    if any(len(parts) != len(bounds.weights) for parts in units.values()):
        raise ValueError(f"Every unit needs {len(bounds.weights)} parts.")
    if len(units) > MOST_UNITS:
        raise ValueError(f"{len(units)} units are more than {MOST_UNITS}.")
    ids = sorted(units)
    values = np.array([units[one] for one in ids], dtype=np.float64).reshape(len(ids), len(bounds.weights))
    scores = values @ np.array(bounds.weights)
    ranked = sorted(range(len(ids)), key=lambda at: (-scores[at], ids[at]))
    neighbours = []
    for first, second in pairwise(ranked):
        weights = worst_weights(values[first] - values[second], bounds)
        neighbours.append(
            Neighbours(
                ahead=ids[first],
                behind=ids[second],
                margin=float(scores[first] - scores[second]),
                least=float((values[first] - values[second]) @ weights),
                weights=tuple(float(one) for one in weights),
            )
        )
    return Sensitivity(
        order=tuple(ids[at] for at in ranked),
        scores=tuple(float(scores[at]) for at in ranked),
        neighbours=tuple(neighbours),
        places=_places(ids, values, bounds),
        crossings=tuple(_crossings(part, ids, values, bounds) for part in range(len(bounds.weights))),
    )


def worst_weights(differences: Floats, bounds: Bounds) -> Floats:
    """The weights within the bounds for which the weighted sum of some differences is least."""
    weights = np.array(bounds.lows)
    left = 1.0 - weights.sum()
    for at in np.argsort(differences, kind="stable"):
        more = min(left, bounds.highs[at] - bounds.lows[at])
        weights[at] += more
        left -= more
    return weights


def _least_margins(values: Floats, row: int, bounds: Bounds) -> Floats:
    """For one unit by how much it is ahead of each unit at the least, over all weights within the bounds."""
    differences = values[row] - values
    lows, room = np.array(bounds.lows), np.array(bounds.highs) - np.array(bounds.lows)
    order = np.argsort(differences, axis=1, kind="stable")
    given = np.take_along_axis(np.broadcast_to(room, differences.shape), order, axis=1)
    before = np.cumsum(given, axis=1) - given
    taken = np.clip(1.0 - lows.sum() - before, 0.0, given)
    found: Floats = differences @ lows + (np.take_along_axis(differences, order, axis=1) * taken).sum(axis=1)
    return found


def _places(ids: Sequence[str], values: Floats, bounds: Bounds) -> dict[str, Place]:
    count = len(ids)
    ahead = np.zeros(count, dtype=np.int64)  # how many are ahead of it with any weights
    behind = np.zeros(count, dtype=np.int64)
    for row in range(count):
        always = _least_margins(values, row, bounds) > _EQUAL
        behind[row] = always.sum()
        ahead += always
    return {one: Place(int(ahead[at]) + 1, count - int(behind[at])) for at, one in enumerate(ids)}


def _crossings(part: int, ids: Sequence[str], values: Floats, bounds: Bounds) -> tuple[Crossing, ...]:
    weight = bounds.weights[part]
    if weight >= 1 - _EQUAL:
        return ()
    others = np.array(bounds.weights)
    others[part] = 0.0
    rest, own = values @ (others / (1 - weight)), values[:, part]
    # each score is rest + at · (own − rest): where two of these lines meet their units are equal
    slope = own - rest
    found = []
    for row in range(len(ids) - 1):
        steeper = slope[row + 1 :] - slope[row]
        lower = rest[row] - rest[row + 1 :]
        with np.errstate(divide="ignore", invalid="ignore"):
            at = np.where(np.abs(steeper) > _EQUAL, lower / steeper, np.nan)
        for near in np.flatnonzero((at > bounds.lows[part]) & (at < bounds.highs[part])):
            other = row + 1 + int(near)
            # below the crossing the unit with the smaller slope is ahead
            one, two = (ids[row], ids[other]) if steeper[near] > 0 else (ids[other], ids[row])
            found.append(Crossing(at=float(at[near]), one=one, other=two))
    return tuple(sorted(found, key=lambda one: (one.at, one.one, one.other)))
