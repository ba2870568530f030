"""Branch and bound for what a relaxation leaves open, on the same Lagrangian bound.

Each node opens or closes a candidate for good and starts from its parent's prices, so that a few dozen steps suffice; a step walks over the
pairs only that a better plan may use. The node of the lowest bound comes first: whenever the search stops, the lowest bound left is a bound
of the whole problem.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

import numpy as np

from yiwang.core.planning.sites.distances import Floats, Integers
from yiwang.core.planning.sites.lagrange import CLOSED, FREE, OPEN, Pairs, Relaxation, State, settle
from yiwang.core.planning.standing import ROUNDING

_STEPS, _PATIENCE = 80, 5


def branch(
    pairs: Pairs, p: int, state: State, prices: Floats, bound: float, upper: float, *,
    step: float, over: Callable[[], bool], tried: Callable[[Integers], float], nodes: int,
) -> tuple[float, int]:  # fmt: skip
    """Raise the bound until it meets the best plan.

    Args:
        state: What is settled of the candidates: `FREE`, `OPEN`, `CLOSED`.
        prices, bound: Of the relaxation at the root.
        upper: Cost of the best plan known.
        step: By how much the costs of two different plans differ at least: 1 where all costs are whole, otherwise 0.
        over: Whether the time is over.
        tried: Takes a set of sites and counts its cost; gives the cost of the best plan known then.
        nodes: How many to look at, at most.

    Returns:
        The bound, and how many nodes were looked at.
    """
    count, heap = 0, []
    root = Relaxation.begin(pairs, p, prices)
    root.ascend(pairs, p, state, upper, steps=2 * _STEPS, patience=_PATIENCE)
    upper = min(upper, tried(root.chosen))
    if (at := _undecided(root.shares, state)) >= 0:
        heap.append((max(bound, root.bound), 0, state, root.prices, at))
    while heap:
        if over() or count >= nodes:
            return min(heap[0][0], upper), count
        lowest, _, state, prices, at = heapq.heappop(heap)
        if _meets(lowest, upper, step):
            return upper, count
        for choice in (OPEN, CLOSED):
            child = state.copy()
            child[at] = choice
            if not (child == OPEN).sum() <= p <= (child != CLOSED).sum():
                continue
            count += 1
            found = Relaxation.begin(pairs, p, prices)
            found.ascend(pairs, p, child, upper, steps=_STEPS, patience=_PATIENCE)
            upper = min(upper, tried(found.chosen))
            if _meets(max(found.bound, lowest), upper, step):
                continue
            child = settle(found, pairs, p, child, upper - step * (1 - 1e-6))
            after = _undecided(found.shares, child)
            if after >= 0:  # otherwise its only plan was tried just now
                heapq.heappush(heap, (max(found.bound, lowest), count, child, found.prices, after))
    return upper, count


def _meets(bound: float, upper: float, step: float) -> bool:
    return bound >= upper - max(step * (1 - 1e-6), ROUNDING * max(1.0, abs(upper)))


def _undecided(shares: Floats, state: State) -> int:
    """The free candidate that the second half of the steps chose most nearly every other time; −1 where none is free."""
    free = np.flatnonzero(state == FREE)
    return int(free[np.argmin(np.abs(shares[free] - _STEPS / 4))]) if len(free) else -1
