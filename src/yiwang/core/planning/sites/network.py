"""Ways along roads: a graph from lines, and the distances over it from points to candidates.

Lines are cut where they meet or cross, so that a road layer without nodes becomes a graph; a bridge over a road therefore joins it, and
one-way streets run both ways. Each place goes straight to the nearest vertex of the largest connected part.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.planning.sites.distances import EARTH, Floats, Integers, Matrix, unit_vectors

_DECIMALS = 6  # of a degree: vertices nearer than a decimetre are one


class RoadGraph:
    """The largest connected part of a road network.

    Attributes:
        vertices: k × 2 degrees.
        edges: Pairs of vertices.
        lengths: Metres.
    """

    def __init__(self, lines: Sequence[Floats]) -> None:
        """From polylines, each an array of longitude and latitude.

        Raises:
            BadInput: When there is no line.
        """
        from scipy.sparse import csr_matrix
        from scipy.sparse.csgraph import connected_components

        starts, ends = _segments(lines)
        if not len(starts):
            raise BadInput(Problem(Text("路网中没有道路。", "There is no road in the network.")))
        places, number = np.unique(np.round(np.vstack([starts, ends]), _DECIMALS), axis=0, return_inverse=True)
        pairs = np.sort(number.reshape(2, -1).T, axis=1)
        pairs = np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)
        graph = csr_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(places), len(places)))
        _, part = connected_components(graph, directed=False)
        kept = part == np.bincount(part).argmax()
        renumbered = np.cumsum(kept) - 1
        self.vertices: Floats = places[kept]
        self.edges: Integers = renumbered[pairs[kept[pairs[:, 0]]]]
        vectors = unit_vectors(self.vertices)
        chords = np.linalg.norm(vectors[self.edges[:, 0]] - vectors[self.edges[:, 1]], axis=1)
        self.lengths: Floats = 2 * EARTH * np.arcsin(np.minimum(chords / 2, 1.0))

    def distances(self, points: Floats, candidates: Floats) -> Matrix:
        """Metres from each of n points to each of m candidates: straight to the road, along it, and straight from it."""
        from scipy.sparse import csr_matrix
        from scipy.sparse.csgraph import dijkstra

        size = len(self.vertices)
        graph = csr_matrix((self.lengths, (self.edges[:, 0], self.edges[:, 1])), shape=(size, size))
        (near, walk), (site, access) = self._nearest(points), self._nearest(candidates)
        different, which = np.unique(site, return_inverse=True)
        ways = dijkstra(graph, directed=False, indices=different)[:, near]
        return Matrix(ways[which].T + walk[:, None] + access[None, :])

    def _nearest(self, places: Floats) -> tuple[Integers, Floats]:
        from scipy.spatial import cKDTree

        chords, at = cKDTree(unit_vectors(self.vertices)).query(unit_vectors(places))
        return np.asarray(at), 2 * EARTH * np.arcsin(np.minimum(chords / 2, 1.0))


def _segments(lines: Sequence[Floats]) -> tuple[Floats, Floats]:
    """The straight pieces of all lines after they are cut at each other."""
    import shapely

    coordinates = [np.asarray(line, dtype=np.float64) for line in lines if len(line) > 1]
    if not coordinates:
        return np.zeros((0, 2)), np.zeros((0, 2))
    made = shapely.node(shapely.multilinestrings([shapely.linestrings(one) for one in coordinates]))
    parts = shapely.get_parts(made)
    points, line = shapely.get_coordinates(parts, return_index=True)
    follows = np.flatnonzero(line[1:] == line[:-1])
    return points[follows], points[follows + 1]
