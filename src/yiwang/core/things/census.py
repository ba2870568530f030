"""A census 普查 against the inventory: which component is which, and what has become of it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from yiwang.core.space.frame import metres_per_degree
from yiwang.core.things.matching import match_points

Indexes = NDArray[np.int64]
Metres = NDArray[np.float64]


class Outcome(StrEnum):
    """What a census says of a component."""

    SAME = "same"
    MOVED = "moved"
    CHANGED = "changed"
    NEW = "new"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """Components of one class, side by side: those of the inventory, or those that were counted.

    Attributes:
        codes: Their codes; empty where there is none yet.
        sources: The ids that the surveyor's file gives them; empty where it gives none.
        places: Longitude and latitude in degrees, shape (n, 2).
        contents: Everything else that is compared: equal contents are the same description.
    """

    codes: Sequence[str]
    sources: Sequence[str]
    places: NDArray[np.float64]
    contents: Sequence[Hashable]

    def __len__(self) -> int:
        return len(self.codes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One component of the inventory, one counted component, or both.

    Attributes:
        outcome: What has become of it. One that moved may be described otherwise as well: see ``described``.
        known: Its index in the inventory; None for a new one.
        counted: Its index in the census; None for a missing one.
        metres: From the known place to the counted one; None where there are not both.
        described: Whether its description is another now.
    """

    outcome: Outcome
    known: int | None
    counted: int | None
    metres: float | None
    described: bool


def compare(known: Census, counted: Census, *, within: float, tolerance: float) -> list[Finding]:
    """What became of every component.

    Two are the same component when they have the same code; of the others, when the surveyor's file gives them the same id; of
    what is left, when they are a pair of the assignment of least cost (:func:`yiwang.core.things.match_points`).

    Args:
        known: The inventory.
        counted: What was counted. A code or an id may stand there once only.
        within: Metres up to which a component without code and id is still taken for the same.
        tolerance: Metres up to which a place counts as the same: the error of the survey.

    Returns:
        One finding for each known component, in their order, then one for each new one, in theirs.
    """
    partner = np.full(len(known), -1, dtype=np.int64)
    taken = np.zeros(len(counted), dtype=bool)
    for mine, theirs in ((known.codes, counted.codes), (known.sources, counted.sources)):
        _pair_by_name(mine, theirs, partner, taken)
    left, right = np.flatnonzero(partner < 0), np.flatnonzero(~taken)
    before, after, _ = match_points(known.places[left], counted.places[right], within=within)
    partner[left[before]] = right[after]
    taken[right[after]] = True
    metres = _distances(known.places, counted.places, partner)
    found = [
        _finding(index, int(other), float(metres[index]), known, counted, tolerance)
        for index, other in enumerate(partner)
    ]
    found += [
        Finding(outcome=Outcome.NEW, known=None, counted=int(index), metres=None, described=False)
        for index in np.flatnonzero(~taken)
    ]
    return found


def _pair_by_name(mine: Sequence[str], theirs: Sequence[str], partner: Indexes, taken: NDArray[np.bool_]) -> None:
    places = {name: index for index, name in enumerate(theirs) if name and not taken[index]}
    for index in np.flatnonzero(partner < 0).tolist():
        other = places.get(mine[index]) if mine[index] else None
        if other is not None and not taken[other]:
            partner[index] = other
            taken[other] = True


def _distances(known: NDArray[np.float64], counted: NDArray[np.float64], partner: Indexes) -> Metres:
    found = np.full(len(partner), np.nan)
    pairs = np.flatnonzero(partner >= 0)
    if len(pairs):
        scale = np.array(metres_per_degree(float(known[pairs, 1].mean())))
        found[pairs] = np.hypot(*((known[pairs] - counted[partner[pairs]]) * scale).T)
    return found


def _finding(index: int, other: int, metres: float, known: Census, counted: Census, tolerance: float) -> Finding:
    if other < 0:
        return Finding(outcome=Outcome.MISSING, known=index, counted=None, metres=None, described=False)
    described = known.contents[index] != counted.contents[other]
    outcome = Outcome.MOVED if metres > tolerance else Outcome.CHANGED if described else Outcome.SAME
    return Finding(outcome=outcome, known=index, counted=other, metres=metres, described=described)
