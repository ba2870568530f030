"""Which counted point is which known one: the assignment of least cost within some metres.

Nearest-first goes wrong where a whole row of lamps was surveyed a few metres off: it gives the second lamp the place of the
first, and the last one looks new. Here the pairs are those that minimise

    sum over pairs of d² + r² for every point of either side that stays alone,

where d is the distance of a pair and r the greatest distance of one. A pair is thus always cheaper than two lone points
(d² ≤ r² < 2 r²), and pairs do not cross, since squares prefer several small shifts to one large shift. This is the global
nearest neighbour of target tracking (Blackman and Popoli, Design and Analysis of Modern Tracking Systems, 1999, ch. 6).
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from yiwang.core.space.frame import metres_per_degree

Indexes = NDArray[np.int64]
Metres = NDArray[np.float64]
_BATCH = 4000  # points whose assignment is solved in one call: its time grows faster than their number
_UNIT = 2**30  # the cost of staying alone: costs are whole numbers of its parts


def match_points(known: ArrayLike, counted: ArrayLike, *, within: float) -> tuple[Indexes, Indexes, Metres]:
    """Pairs of known and counted points.

    Args:
        known, counted: Arrays of shape (n, 2) and (m, 2): longitude and latitude in degrees.
        within: Metres that a point may have moved, at most.

    Returns:
        Index of the known point, index of the counted one and their distance in metres, for each pair, in the order of the
        known points. No point is in two pairs.
    """
    if within <= 0:
        raise ValueError(f"within is {within}, not a positive number of metres")
    before, after = _in_metres(np.asarray(known, dtype=float), np.asarray(counted, dtype=float))
    left, right = _candidates(before, after, within)
    distance = np.hypot(*(before[left] - after[right]).T)
    taken = _assignment(left, right, distance / within, sizes=(len(before), len(after)))
    order = np.argsort(left[taken], kind="stable")
    taken = taken[order]
    return left[taken], right[taken], distance[taken]


def _in_metres(known: Metres, counted: Metres) -> tuple[Metres, Metres]:
    known, counted = known.reshape(-1, 2), counted.reshape(-1, 2)
    both = np.concatenate([known, counted])
    scale = np.array(metres_per_degree(float(both[:, 1].mean()) if len(both) else 0.0))
    origin = both.mean(axis=0) if len(both) else np.zeros(2)
    return (known - origin) * scale, (counted - origin) * scale


def _candidates(before: Metres, after: Metres, within: float) -> tuple[Indexes, Indexes]:
    """Every pair that lies near enough."""
    if not len(before) or not len(after):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    tree = shapely.STRtree(shapely.points(before))
    right, left = tree.query(shapely.points(after), predicate="dwithin", distance=within)
    return left.astype(np.int64), right.astype(np.int64)


def _assignment(left: Indexes, right: Indexes, share: Metres, *, sizes: tuple[int, int]) -> Indexes:
    """Which candidate pairs are taken. ``share`` is their distance as a share of the greatest one."""
    from scipy.sparse import coo_array  # here and below: a start does not wait for it
    from scipy.sparse.csgraph import connected_components

    n, m = sizes
    graph = coo_array((np.ones(len(left), bool), (left, right + n)), shape=(n + m, n + m))
    _, group = connected_components(graph, directed=False)
    edges = np.bincount(group[left], minlength=group.max() + 1 if len(group) else 0)
    alone = edges[group[left]] == 1  # nothing else is near: the pair is certain
    taken = [np.flatnonzero(alone)]
    rest = np.flatnonzero(~alone)
    rest = rest[np.argsort(group[left[rest]], kind="stable")]
    chunks = [rest[part] for part in _batches(group[left[rest]])]
    taken += [chunk[_solve(left[chunk], right[chunk], share[chunk])] for chunk in chunks]
    return np.sort(np.concatenate(taken))


def _batches(groups: Indexes) -> list[slice]:
    """Slices of edges sorted by group: whole groups, together about `_BATCH` edges or one group that is larger."""
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    ends = np.append(starts[1:], len(groups))
    found, first = [], 0
    for end in ends:
        if end - first >= _BATCH:
            found.append(slice(first, int(end)))
            first = int(end)
    if first < len(groups):
        found.append(slice(first, len(groups)))
    return found


def _solve(left: Indexes, right: Indexes, share: Metres) -> Indexes:
    """The candidates of the cheapest assignment in which every point has a partner or stays alone at the cost of 1.

    Points become rows and columns, and each has one of its own to stay alone with; those are paired among themselves for
    nothing where the points are, so that a full assignment exists.

    Costs are whole numbers, in floats that hold them exactly. The solver (Jonker and Volgenant's for sparse matrices) compares
    sums of costs; where rounding makes two equal sums differ it goes round for ever. One is added to each cost, since a sparse
    matrix drops zeros; every full assignment has the same number of pairs, so none is preferred by it.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    rows, i = np.unique(left, return_inverse=True)
    columns, j = np.unique(right, return_inverse=True)
    n, m = len(rows), len(columns)
    cost = np.rint(np.concatenate([share**2, np.ones(n), np.ones(m), np.zeros(len(i))]) * _UNIT) + 1
    row = np.concatenate([i, np.arange(n), n + np.arange(m), n + j])
    column = np.concatenate([j, m + np.arange(n), np.arange(m), m + i])
    matrix = csr_array((cost, (row, column)), shape=(n + m, n + m))
    found_rows, found_columns = min_weight_full_bipartite_matching(matrix)
    partner = np.full(n, -1)
    real = (found_rows < n) & (found_columns < m)
    partner[found_rows[real]] = found_columns[real]
    taken: Indexes = np.flatnonzero(partner[i] == j)
    return taken
