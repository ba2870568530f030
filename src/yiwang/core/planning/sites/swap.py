"""Local search for the p-median: exchange an open site for a closed one as long as that helps.

What each exchange would gain comes from each point's nearest and second-nearest open site, for all sites that could close at once: the
fast interchange of R. A. Whitaker (*INFOR* 21, 1983), in the order of E. Schubert and P. J. Rousseeuw ("Fast and eager k-medoids
clustering", *Information Systems* 101, 2021): the first exchange that helps is made at once. To leave a plan that no exchange helps,
some sites in one neighbourhood are exchanged at random and the search begins again: iterated local search (H. R. Lourenço, O. C. Martin
and T. Stützle, *Handbook of Metaheuristics*, 2003).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from yiwang.core.planning.sites.costs import Costs
from yiwang.core.planning.sites.distances import Integers

_HOPS, _NEAR = 4, 60  # a shake draws from the lists of so many points one after the other, and from so much of each


class OpenSites:
    """The open sites of a plan, with each point's nearest and second-nearest of them, kept true over exchanges."""

    def __init__(self, costs: Costs, sites: Sequence[int], *, fixed: Sequence[int] | Integers = ()) -> None:
        self._of, self._unserved = costs, costs.unserved
        self.sites = np.array(sorted(sites), dtype=np.int64)
        self.is_open = np.zeros(len(costs.lists.start) - 1, dtype=np.bool_)
        self.is_open[self.sites] = True
        self.stays = np.isin(self.sites, np.array(fixed, dtype=np.int64))
        self._costs = costs.columns(self.sites)
        n = len(costs.unserved)
        self.first, self.second = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
        self.cost, self.next_cost = np.empty(n), np.empty(n)
        _two_nearest(self._costs, self._unserved, self.first, self.second, self.cost, self.next_cost)

    @property
    def total(self) -> float:
        return float(self.cost.sum())

    def exchange(self, position: int, candidate: int) -> None:
        """Close the site at ``position`` of the list and open ``candidate`` in its place."""
        self.is_open[self.sites[position]] = False
        self.is_open[candidate] = True
        self.sites[position] = candidate
        self._costs[:, position] = self._of.columns(np.array([candidate]))[:, 0]
        _renew(self._costs, self._unserved, position, self.first, self.second, self.cost, self.next_cost)

    def improve(self, hopeless: NDArray[np.bool_] | None = None, tolerance: float = 1e-12) -> None:
        """Exchange until no exchange within the lists helps by more than this share of the total; ``hopeless`` candidates stay closed."""
        lists, candidate = self._of.lists, 0
        while True:
            least = tolerance * max(1.0, self.total)
            barred = self.is_open if hopeless is None else self.is_open | hopeless
            found, position = _first_exchange(
                candidate,
                lists.start,
                lists.points,
                lists.costs,
                barred,
                self.stays,
                self.first,
                self.cost,
                self.next_cost,
                least,
            )
            if found < 0:
                return
            before, closed = self.total, int(self.sites[position])
            self.exchange(position, found)
            if self.total >= before:  # the gain was rounding only
                self.exchange(position, closed)
                return
            candidate = (found + 1) % len(self.is_open)

    def shake(self, hopeless: NDArray[np.bool_], random: np.random.Generator) -> None:
        """Exchange one to four sites around a point that is drawn, whatever that costs."""
        lists, pairs = self._of.lists, self._of.lists.pairs
        pool: list[Integers] = []
        at = int(random.integers(len(pairs.start) - 1))
        for _ in range(_HOPS):
            near = pairs.sites[pairs.start[at] : pairs.start[at + 1]]
            if not len(near):
                break
            near = random.choice(near, size=min(_NEAR, len(near)), replace=False)
            pool.append(near)
            site = int(random.choice(near))
            at = int(random.choice(lists.points[lists.start[site] : lists.start[site + 1]]))
        candidates = np.unique(np.concatenate(pool)) if pool else np.zeros(0, dtype=np.int64)
        free = np.flatnonzero(~self.stays)
        positions = free[np.isin(self.sites[free], candidates)]
        candidates = candidates[~(hopeless | self.is_open)[candidates]]
        if not len(free) or not len(candidates):
            return
        if not len(positions):
            positions = random.choice(free, size=1)
        for position in random.permutation(positions)[: int(random.integers(1, 5))]:
            candidate = int(random.choice(candidates))
            if not self.is_open[candidate]:
                self.exchange(int(position), candidate)

    def state(self) -> tuple[NDArray[Any], ...]:
        """A copy of all that an exchange changes, for `restore`."""
        return tuple(
            one.copy()
            for one in (self.sites, self.is_open, self._costs, self.first, self.second, self.cost, self.next_cost)
        )

    def restore(self, state: tuple[NDArray[Any], ...]) -> None:
        self.sites, self.is_open, self._costs, self.first, self.second, self.cost, self.next_cost = (
            one.copy() for one in state
        )


@njit(cache=True)
def _two_nearest(costs, unserved, first, second, cost, next_cost):  # type: ignore[no-untyped-def]
    for i in range(costs.shape[0]):
        _scan(costs, i, unserved, first, second, cost, next_cost)


@njit(cache=True)
def _scan(costs, i, unserved, first, second, cost, next_cost):  # type: ignore[no-untyped-def]
    a, b = unserved[i], unserved[i]
    at_a, at_b = -1, -1
    for r in range(costs.shape[1]):
        c = costs[i, r]
        if c < a:
            b, at_b = a, at_a
            a, at_a = c, r
        elif c < b:
            b, at_b = c, r
    first[i], second[i], cost[i], next_cost[i] = at_a, at_b, a, b


@njit(cache=True)
def _renew(costs, unserved, position, first, second, cost, next_cost):  # type: ignore[no-untyped-def]
    """After the site at ``position`` was replaced: points that it served look again, others compare."""
    for i in range(costs.shape[0]):
        if first[i] == position or second[i] == position:
            _scan(costs, i, unserved, first, second, cost, next_cost)
            continue
        c = costs[i, position]
        if c < cost[i]:
            second[i], next_cost[i] = first[i], cost[i]
            first[i], cost[i] = position, c
        elif c < next_cost[i]:
            second[i], next_cost[i] = position, c


@njit(cache=True)
def _first_exchange(begin, start, points, point_costs, barred, stays, first, cost, next_cost, least):  # type: ignore[no-untyped-def]
    """The first candidate from ``begin`` on whose opening, with the best closing, gains more than ``least``.

    Closing site r costs Σ (second − first) over the points that r serves. A candidate j that is opened saves Σ max(0, first − c_ij), and
    spares a point of r that would move to its second site whatever j is nearer than that.
    """
    m, p = barred.shape[0], stays.shape[0]
    closing = np.zeros(p)
    for i in range(first.shape[0]):
        if first[i] >= 0:
            closing[first[i]] += next_cost[i] - cost[i]
    change = np.empty(p)
    for step in range(m):
        j = (begin + step) % m
        if barred[j]:
            continue
        change[:] = closing
        saved = 0.0
        for t in range(start[j], start[j + 1]):
            i, c = points[t], point_costs[t]
            r = first[i]
            if c < cost[i]:
                saved += cost[i] - c
                if r >= 0:
                    change[r] -= next_cost[i] - cost[i]
            elif c < next_cost[i] and r >= 0:
                change[r] -= next_cost[i] - c
        best, at = np.inf, -1
        for r in range(p):
            if not stays[r] and change[r] < best:
                best, at = change[r], r
        if at >= 0 and saved - best > least:
            return j, at
    return -1, -1
