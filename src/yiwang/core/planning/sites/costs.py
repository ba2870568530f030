"""What serving each demand point from each candidate costs: the one shape that the search for sites knows.

A p-median has weighted distances; a covering has 0 within the radius and the point's weight beyond it, so that what a plan costs is the
demand that it leaves uncovered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from yiwang.core.planning.sites.distances import Distances, Floats, Integers
from yiwang.core.planning.sites.lagrange import Pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """The pairs worth thinking of, by point and by candidate.

    Attributes:
        pairs: By point, cheapest first.
        start: Where each candidate's own part of ``points`` and ``costs`` begins; one more than there are candidates.
        points, costs: The same pairs by candidate.
    """

    pairs: Pairs
    start: Integers
    points: Integers
    costs: Floats


class Costs(Protocol):
    """Costs of n points at m candidates.

    Attributes:
        lists: The pairs worth thinking of.
        unserved: What a point costs that no open site serves; finite.
    """

    lists: Lists
    unserved: Floats

    def columns(self, sites: Integers) -> Floats:
        """The costs at some candidates, all points: n × len(sites), never more than ``unserved``."""
        ...


class WeightedDistances:
    """Weight × distance; forbidden pairs cost more than any plan."""

    def __init__(self, distances: Distances, demand: Floats, k: int) -> None:
        """With the ``k`` nearest candidates of each point as its list."""
        m = distances.candidates
        kept = min(k, m)
        sites, far = distances.nearest(min(kept + 1, m))
        costs = _weighted(far, demand)
        beyond = costs[:, kept] if kept < m else np.full(len(demand), np.inf)
        allowed = np.isfinite(costs[:, :kept])
        self._distances, self._demand = distances, demand
        self.reachable = allowed.any(axis=1)
        self.lists = _by_candidate(
            Pairs(
                start=np.concatenate([[0], np.cumsum(allowed.sum(axis=1))]), sites=sites[:, :kept][allowed],
                costs=costs[:, :kept][allowed], beyond=beyond, count=m,
            )
        )  # fmt: skip
        most = np.where(np.isfinite(costs), costs, 0.0).max(axis=1)
        self.unserved = np.full(len(demand), 1.0 + 2.0 * float(most.sum()))

    def columns(self, sites: Integers) -> Floats:
        costs: Floats = np.minimum(_weighted(self._distances.columns(sites), self._demand), self.unserved[:, None])
        return costs


class Uncovered:
    """0 within the radius, the point's weight beyond it."""

    def __init__(self, distances: Distances, demand: Floats, radius: float) -> None:
        points, sites = distances.within(radius)
        n = len(demand)
        self.unserved = demand
        self.lists = _by_candidate(
            Pairs(
                start=np.concatenate([[0], np.cumsum(np.bincount(points, minlength=n))]), sites=sites, costs=np.zeros(len(sites)),
                beyond=demand, count=distances.candidates,
            )
        )  # fmt: skip

    def columns(self, sites: Integers) -> Floats:
        found = np.repeat(self.unserved[:, None], len(sites), axis=1)
        for place, j in enumerate(sites):
            found[self.lists.points[self.lists.start[j] : self.lists.start[j + 1]], place] = 0.0
        return found


def _weighted(far: Floats, demand: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        costs = far * demand[:, None]
    return np.where(demand[:, None] == 0, 0.0, costs)  # where nobody is, a forbidden pair costs nothing either


def _by_candidate(pairs: Pairs) -> Lists:
    order = np.argsort(pairs.sites, kind="stable")
    points = np.repeat(np.arange(len(pairs.beyond)), np.diff(pairs.start))
    return Lists(
        pairs=pairs,
        start=np.searchsorted(pairs.sites[order], np.arange(pairs.count + 1)),
        points=points[order],
        costs=pairs.costs[order],
    )
