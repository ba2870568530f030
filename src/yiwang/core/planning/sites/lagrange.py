"""A lower bound of the p-median by Lagrangian relaxation, and what it proves about single sites.

With a price λᵢ for serving point i the problem falls apart into candidates: no plan costs less than

    L(λ) = Σᵢ λᵢ + (the p smallest of ρⱼ),   ρⱼ = Σᵢ min(0, cᵢⱼ − λᵢ)

(G. Cornuéjols, M. L. Fisher and G. L. Nemhauser, "Location of bank accounts to optimize float", *Management Science* 23, 1977). The prices
are improved along the subgradient gᵢ = 1 − (how often i is served), averaged with earlier ones (P. M. Camerini, L. Fratta and F. Maffioli,
*Mathematical Programming Study* 3, 1975). Where λᵢ stays at or below the cost of the first candidate beyond a point's list, candidates
outside the list never count: the bound of the lists is a bound of the whole problem.

When a plan of cost U is known, a candidate whose ρⱼ is so large that L − ρ₍ₚ₎ + ρⱼ > U is in no better plan, and one whose ρⱼ is so small
that L − ρⱼ + ρ₍ₚ₊₁₎ > U is in every better plan (J. E. Beasley, "Lagrangean heuristics for location problems", *EJOR* 65, 1993).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from yiwang.core.planning.sites.distances import Floats, Integers

FREE, OPEN, CLOSED = 0, 1, 2
State = NDArray[np.int8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Points with the candidates that may serve them.

    Attributes:
        start: Where each point's own part of the next two begins; one more than there are points.
        sites, costs: Candidates and weighted distances, nearest first within a point.
        beyond: What each point costs at least with a candidate that no pair names; infinite where that is not to be thought of.
        count: How many candidates there are.
    """

    start: Integers
    sites: Integers
    costs: Floats
    beyond: Floats
    count: int


@dataclass(slots=True, kw_only=True)
class Relaxation:
    """The best bound that an ascent has reached, and where it stands.

    Attributes:
        bound: No plan costs less.
        prices: λ, one per point, of the best bound.
        chosen: The candidates that gave it.
        shares: How often each candidate was chosen in the last steps.
    """

    bound: float
    prices: Floats
    chosen: Integers
    shares: Floats
    _at: Floats
    _direction: Floats
    _step: float = 1.0

    @classmethod
    def begin(cls, pairs: Pairs, p: int, prices: Floats) -> Relaxation:
        """From the given prices, of which none may be above ``pairs.beyond``."""
        return cls(
            bound=-np.inf, prices=prices.copy(), chosen=np.zeros(p, dtype=np.int64), shares=np.zeros(pairs.count),
            _at=prices.copy(), _direction=np.zeros(len(prices)),
        )  # fmt: skip

    def ascend(self, pairs: Pairs, p: int, state: State, upper: float, *, steps: int, patience: int) -> None:
        """Raise the bound by at most so many steps; ``upper`` is the cost of a known plan.

        Args:
            state: What each candidate must be: `FREE`, `OPEN` or `CLOSED`.
            patience: Steps without a better bound before they are halved.
        """
        self.shares[:] = 0
        self.bound, self._step = _ascend(
            pairs.start, pairs.sites, pairs.costs, pairs.beyond, state, p, upper, self.bound, self._step, steps, patience,
            self._at, self._direction, self.prices, self.chosen, self.shares,
        )  # fmt: skip

    @property
    def tired(self) -> bool:
        """Whether the steps have become too small to raise the bound."""
        return self._step < 1e-4


def reduced_costs(pairs: Pairs, prices: Floats) -> Floats:
    """ρ of every candidate."""
    reduced = np.empty(pairs.count)
    _reduced_costs(pairs.start, pairs.sites, pairs.costs, prices, reduced)
    return reduced


def settle(relaxation: Relaxation, pairs: Pairs, p: int, state: State, upper: float) -> State:
    """The state with every free candidate closed that no plan cheaper than ``upper`` opens, and opened that all of them do."""
    reduced, settled = reduced_costs(pairs, relaxation.prices), state.copy()
    free = np.flatnonzero(state == FREE)
    left = p - int((state == OPEN).sum())
    if not 0 < left < len(free):
        settled[free] = OPEN if left else CLOSED
        return settled
    ranked = free[np.argsort(reduced[free], kind="stable")]
    inside, outside = ranked[:left], ranked[left:]
    settled[outside[relaxation.bound - reduced[inside[-1]] + reduced[outside] > upper]] = CLOSED
    settled[inside[relaxation.bound - reduced[inside] + reduced[outside[0]] > upper]] = OPEN
    return settled


def without_hopeless(pairs: Pairs, relaxation: Relaxation, p: int, before: State, state: State, upper: float) -> Pairs:
    """The pairs that a plan cheaper than ``upper`` may use.

    Args:
        before: The state in which the relaxation was found.
        state: What is settled by it.
    """
    points = np.repeat(np.arange(len(pairs.beyond)), np.diff(pairs.start))
    sure = state[pairs.sites] == OPEN
    # Nobody goes further than to the first site that is surely open.
    seen = np.cumsum(sure)
    seen_before = np.concatenate([[0], seen])[pairs.start[:-1]]
    alive = (seen - sure - seen_before[points] == 0) & (state[pairs.sites] != CLOSED)
    # A pair whose use alone lifts the bound over the known plan is in no better one.
    reduced = reduced_costs(pairs, relaxation.prices)
    free = reduced[before == FREE]
    left = p - int((before == OPEN).sum())
    last = np.sort(free, kind="stable")[left - 1] if left else -np.inf
    opening = np.where(before == FREE, np.maximum(0.0, reduced - last), 0.0)
    above = np.maximum(0.0, pairs.costs - relaxation.prices[points])
    alive &= sure | (relaxation.bound + above + opening[pairs.sites] <= upper)
    served = np.concatenate([[0], seen])
    return Pairs(
        start=np.concatenate([[0], np.cumsum(np.bincount(points[alive], minlength=len(pairs.beyond)))]),
        sites=pairs.sites[alive],
        costs=pairs.costs[alive],
        beyond=np.where(served[pairs.start[1:]] > served[pairs.start[:-1]], np.inf, pairs.beyond),
        count=pairs.count,
    )


@njit(cache=True)
def _reduced_costs(start, sites, costs, prices, reduced):  # type: ignore[no-untyped-def]
    reduced[:] = 0.0
    for i in range(prices.shape[0]):
        for t in range(start[i], start[i + 1]):
            difference = costs[t] - prices[i]
            if difference >= 0:
                break  # the rest of the list is further away
            reduced[sites[t]] += difference


@njit(cache=True)
def _ascend(  # type: ignore[no-untyped-def]
    start, sites, costs, beyond, state, p, upper, best, step, steps, patience, at, direction, prices, chosen, shares
):
    m, n = state.shape[0], at.shape[0]
    reduced, gradient = np.empty(m), np.empty(n)
    now, is_chosen = np.empty(p, dtype=np.int64), np.zeros(m, dtype=np.bool_)
    without = 0
    for turn in range(steps):
        _reduced_costs(start, sites, costs, at, reduced)
        bound, count = at.sum(), 0
        for j in range(m):
            is_chosen[j] = state[j] == OPEN
            if is_chosen[j]:
                bound += reduced[j]
                now[count] = j
                count += 1
            elif state[j] == CLOSED:
                reduced[j] = np.inf
        order = np.argsort(reduced, kind="mergesort")
        for s in range(m):
            if count == p:
                break
            j = order[s]
            if not is_chosen[j]:
                is_chosen[j] = True
                bound += reduced[j]
                now[count] = j
                count += 1
        if bound > best:
            if bound > best + 1e-4 * abs(upper - best):
                without = 0
            best = bound
            prices[:] = at
            chosen[:] = now
            if best >= upper:
                break
        else:
            without += 1
            if without >= patience:
                step, without = step / 2, 0
        if 2 * turn >= steps:
            for s in range(p):
                shares[now[s]] += 1
        along, length = 0.0, 0.0
        for i in range(n):
            g = 1.0
            for t in range(start[i], start[i + 1]):
                if costs[t] >= at[i]:
                    break
                if is_chosen[sites[t]]:
                    g -= 1.0
            gradient[i] = g
            along += g * direction[i]
            length += direction[i] * direction[i]
        memory = -1.5 * along / length if along < 0 and length > 0 else 0.0
        length = 0.0
        for i in range(n):
            direction[i] = gradient[i] + memory * direction[i]
            length += direction[i] * direction[i]
        if length == 0.0:
            break
        move = step * (1.01 * upper - bound) / length
        for i in range(n):
            at[i] = min(at[i] + move * direction[i], beyond[i])
    return best, step
