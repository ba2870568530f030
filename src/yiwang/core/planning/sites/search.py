"""The search for p sites of least cost: a plan by exchange, a bound by Lagrange, and branch and bound for what they leave open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from yiwang.core.planning.sites.branching import branch
from yiwang.core.planning.sites.costs import Costs, Lists
from yiwang.core.planning.sites.distances import Floats, Integers
from yiwang.core.planning.sites.lagrange import CLOSED, FREE, OPEN, Relaxation, settle, without_hopeless
from yiwang.core.planning.sites.problem import Deadline
from yiwang.core.planning.sites.swap import OpenSites
from yiwang.core.planning.standing import ROUNDING

_ROUNDS, _STEPS, _PATIENCE = 200, 25, 20
_SLOW = 1e-4  # a round that closes less of the gap than this is the last
_FEW, _MANY, _A_SITE = 5, 40, 20  # shakes without a better plan: so many times the number of sites and a bit
_SHAKING = 0.6  # of the time that is left
_FIRST_NODES = 300
_WORK = 3_000_000_000  # pairs × nodes of the branching, without a limit of time: some minutes
_MEMORY = 2_000_000_000  # bytes that its open nodes may take


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A set of sites, its cost, and what no set costs less than.

    Attributes:
        nodes: How many nodes of the branching were looked at; 0 when the relaxation was enough.
    """

    sites: tuple[int, ...]
    upper: float
    lower: float
    nodes: int


class Search:
    """The best sites and the best bound so far."""

    def __init__(self, costs: Costs, p: int, fixed: Sequence[int], deadline: Deadline, *, seed: int = 0) -> None:
        """``seed`` is for the sites that are exchanged at random."""
        self._costs, self._pairs, self._p, self._deadline, self._seed = costs, costs.lists.pairs, p, deadline, seed
        self._fixed = np.array(sorted(set(fixed)), dtype=np.int64)
        self._state = np.full(self._pairs.count, FREE, dtype=np.int8)
        self._state[self._fixed] = OPEN
        self._whole = _whole(self._pairs.costs) and _whole(self._pairs.beyond)
        self._sites: tuple[int, ...] = ()
        self._upper, self._lower, self._nodes = np.inf, -np.inf, 0

    def run(self) -> Found:
        """The plan and its bound when they meet, when the time is over, or when the branching has grown too large."""
        self._improve_from(self._greedy())
        if not self._done:
            root = self._relax()
            # Most problems end within a few hundred nodes; the others need a better plan first.
            for shakes, nodes in ((_FEW, _FIRST_NODES), (_MANY, _WORK)):
                if not self._done and not self._deadline.over:
                    self._shake(root, shakes * (_A_SITE + self._p))
                if not self._done and not self._deadline.over:
                    self._branch(root, nodes)
        lower = self._upper if self._done else self._lower
        return Found(sites=self._sites, upper=self._upper, lower=lower, nodes=self._nodes)

    @property
    def _done(self) -> bool:
        return self._upper - self._lower <= ROUNDING * max(1.0, abs(self._upper))

    def _greedy(self) -> list[int]:
        """Open one after the other whichever saves most."""
        cost = np.minimum(self._pairs.beyond, self._costs.unserved)
        chosen: list[int] = []
        for j in self._fixed.tolist():
            _serve(self._costs.lists, j, cost)
            chosen.append(j)
        while len(chosen) < self._p:
            savings = _savings(self._costs.lists, cost)
            savings[chosen] = -1.0
            best = int(np.argmax(savings))
            _serve(self._costs.lists, best, cost)
            chosen.append(best)
        return chosen

    def _improve_from(self, sites: Sequence[int] | Integers) -> None:
        opened = OpenSites(self._costs, [int(j) for j in sites], fixed=self._fixed)
        opened.improve()
        if opened.total < self._upper:
            self._upper, self._sites = opened.total, tuple(sorted(int(j) for j in opened.sites))

    def _relax(self) -> Relaxation:
        """Raise the bound at the root, and look at the plans that it suggests on the way."""
        opened = OpenSites(self._costs, self._sites, fixed=self._fixed)
        # What being served is worth to a point lies between its cost now and its cost if its own site closed.
        alone = opened.next_cost >= self._costs.unserved
        prices = np.where(alone, opened.cost, (opened.cost + opened.next_cost) / 2)
        found = Relaxation.begin(self._pairs, self._p, np.minimum(prices, self._pairs.beyond))
        before, seen = -np.inf, set()
        for _ in range(_ROUNDS):
            found.ascend(self._pairs, self._p, self._state, self._upper, steps=_STEPS, patience=_PATIENCE)
            self._raise(found.bound)
            if found.chosen.tobytes() not in seen:
                seen.add(found.chosen.tobytes())
                self._improve_from(found.chosen)
            slow = found.bound - before < _SLOW * (self._upper - found.bound)
            if self._done or slow or found.tired or self._deadline.over:
                break
            before = found.bound
        return found

    def _shake(self, root: Relaxation, patience: int) -> None:
        """Look for a better plan among candidates that the bound does not rule out, until so many shakes in a row found none."""
        opened, random = (
            OpenSites(self._costs, self._sites, fixed=self._fixed),
            np.random.default_rng(self._seed + patience),
        )
        best, hopeless, without = opened.state(), self._hopeless(root), 0
        started, left = self._deadline.spent, self._deadline.left
        while without < patience and self._deadline.spent - started < _SHAKING * left:
            opened.shake(hopeless, random)
            opened.improve(hopeless)
            if opened.total > self._upper:
                opened.restore(best)
                without += 1
                continue
            best = opened.state()
            if opened.total < self._upper * (1 - ROUNDING):
                self._upper, self._sites, without = opened.total, tuple(sorted(opened.sites.tolist())), 0
                hopeless = self._hopeless(root)
            else:
                without += 1

    def _hopeless(self, root: Relaxation) -> NDArray[np.bool_]:
        closed: NDArray[np.bool_] = settle(root, self._pairs, self._p, self._state, self._upper) == CLOSED
        return closed

    def _raise(self, bound: float) -> None:
        if self._whole:
            bound = float(np.ceil(bound - 1e-6))
        self._lower = max(self._lower, min(bound, self._upper))

    def _branch(self, root: Relaxation, most: int) -> None:
        """Search what the root leaves open."""
        margin = ROUNDING * max(1.0, abs(self._upper))
        state = settle(root, self._pairs, self._p, self._state, self._upper + margin)
        pairs = without_hopeless(self._pairs, root, self._p, self._state, state, self._upper + margin)
        nodes = min(most, _WORK // max(1, len(pairs.costs)), _MEMORY // (8 * len(pairs.beyond)))

        def tried(sites: Integers) -> float:
            cost = float(self._costs.columns(sites).min(axis=1).sum())
            if cost < self._upper:
                self._improve_from(sites)
                if cost < self._upper:  # by less than rounding
                    self._upper, self._sites = cost, tuple(sites.tolist())
            return self._upper

        bound, self._nodes = branch(
            pairs, self._p, state, np.minimum(root.prices, pairs.beyond), root.bound, self._upper,
            step=1.0 if self._whole else 0.0, over=lambda: self._deadline.over, tried=tried, nodes=nodes,
        )  # fmt: skip
        self._raise(bound)


def _savings(lists: Lists, cost: Floats) -> Floats:
    """What opening each candidate would save at the present costs."""
    gains = np.maximum(0.0, cost[lists.points] - lists.costs)
    return np.asarray(np.add.reduceat(np.append(gains, 0.0), lists.start[:-1])) * (np.diff(lists.start) > 0)


def _serve(lists: Lists, candidate: int, cost: Floats) -> None:
    part = slice(lists.start[candidate], lists.start[candidate + 1])
    cost[lists.points[part]] = np.minimum(cost[lists.points[part]], lists.costs[part])


def _whole(values: Floats) -> bool:
    finite = values[np.isfinite(values)]
    return bool((finite == np.floor(finite)).all())
