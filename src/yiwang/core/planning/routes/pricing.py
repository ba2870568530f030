"""The cheapest walks from the depot and back without 2-cycles, by dynamic programming over the cells of one resource.

For each cell and stop two labels are kept: the cheapest way to have begun there by that cell, and the cheapest whose stop before is another
one. The second is what a walk takes that must not go straight back (D. J. Houck, J. C. Picard, M. Queyranne and R. R. Vemuganti, 1980).
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numba import njit  # type: ignore[import-untyped,unused-ignore]
from numpy.typing import NDArray

Ints = NDArray[np.int64]
NOWHERE = -1


def cheapest_walks(
    reduced: NDArray[np.float64], spend: Ints, first: Ints, last: Ints
) -> tuple[float, list[tuple[int, ...]]]:
    """The cost of the cheapest walk, and for each stop the cheapest one that ends there.

    Args:
        reduced: Cost of each leg less the dual value of the stop that it leads to; row and column 0 are the depot, infinite is forbidden.
        spend: Cells that a leg uses, at least one where it leads to a stop.
        first, last: Between which cells each stop is entered; who is early waits. ``last[0]`` is the last cell.

    Returns:
        Infinite, and no walk, where no stop can be reached.
    """
    cost, before = _fill(reduced, spend, first, last)
    ends = _ends(cost, reduced, spend, last)
    walks = []
    for stop in range(1, len(first)):
        if ends[stop] < np.inf:
            walk = _walk(cost, before, spend, int(last[0] - spend[stop, 0]), stop)
            walks.append(tuple(int(one) for one in walk))
    return float(ends.min()), walks


@njit(cache=True)  # type: ignore[untyped-decorator,unused-ignore]
def _fill(reduced: Any, spend: Any, first: Any, last: Any) -> Any:  # pragma: no cover - compiled
    size, cells = len(first), last[0] + 1
    cost = np.full((2, cells, size), np.inf)
    before = np.full((2, cells, size), NOWHERE, np.int16)
    for cell in range(cells):
        for stop in range(1, size):
            best, best_from, second, second_from = np.inf, NOWHERE, np.inf, NOWHERE
            if cell > 0:  # who could begin earlier may begin now
                best, best_from = cost[0, cell - 1, stop], before[0, cell - 1, stop]
                second, second_from = cost[1, cell - 1, stop], before[1, cell - 1, stop]
            if first[stop] <= cell <= last[stop]:
                for came in range(size):
                    at = cell - spend[came, stop]
                    leg = reduced[came, stop]
                    if at < 0 or leg == np.inf:
                        continue
                    if came == 0:
                        price = leg
                    elif before[0, at, came] != stop:
                        price = cost[0, at, came] + leg
                    else:
                        price = cost[1, at, came] + leg
                    if price < best:
                        if best_from != came:
                            second, second_from = best, best_from
                        best, best_from = price, came
                    elif price < second and came != best_from:
                        second, second_from = price, came
            cost[0, cell, stop], before[0, cell, stop] = best, best_from
            cost[1, cell, stop], before[1, cell, stop] = second, second_from
    return cost, before


@njit(cache=True)  # type: ignore[untyped-decorator,unused-ignore]
def _ends(cost: Any, reduced: Any, spend: Any, last: Any) -> Any:  # pragma: no cover - compiled
    size = len(last)
    ends = np.full(size, np.inf)
    for stop in range(1, size):
        cell = last[0] - spend[stop, 0]
        if cell >= 0 and reduced[stop, 0] < np.inf:
            ends[stop] = cost[0, cell, stop] + reduced[stop, 0]
    return ends


def _walk(cost: Any, before: Any, spend: Ints, cell: int, stop: int) -> list[int]:
    """The stops of a label's walk, from the depot on."""
    walk, after = [stop], NOWHERE
    while True:
        label = 0 if before[0, cell, stop] != after else 1
        # the label has been carried on from the cell in which the stop was first begun so cheaply
        while (
            cell > 0
            and cost[label, cell - 1, stop] == cost[label, cell, stop]
            and before[label, cell - 1, stop] == before[label, cell, stop]
        ):
            cell -= 1
        came = int(before[label, cell, stop])
        if came <= 0:
            walk.reverse()
            return walk
        cell -= int(cast(int, spend[came, stop]))
        after, stop = stop, came
        walk.append(stop)
