"""How far each demand point lies from each candidate: from a matrix, or from coordinates without ever holding the matrix.

A solver asks for three things only: the nearest candidates of every point, whole columns, and pairs within a radius. So a hundred
thousand points and two thousand candidates need some hundred megabytes, where their matrix would take 1.6 GB.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

EARTH = 6_371_008.8  # mean radius R₁ of WGS 84, metres

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
_BLOCK = 4096  # points that are looked up in one go


class Distances(Protocol):
    """Distances from ``points`` demand points to ``candidates`` candidates, in any one unit; infinite where a pair is forbidden."""

    @property
    def points(self) -> int: ...

    @property
    def candidates(self) -> int: ...

    def nearest(self, k: int) -> tuple[Integers, Floats]:
        """The k nearest candidates of each point, nearest first (by number where equally far): indices and distances, both n × k."""
        ...

    def columns(self, sites: Integers) -> Floats:
        """The distances to some candidates: n × len(sites)."""
        ...

    def within(self, radius: float) -> tuple[Integers, Integers]:
        """The pairs at most ``radius`` apart: points and candidates, ordered by point, then candidate."""
        ...


@dataclass(frozen=True, slots=True)
class Matrix:
    """Distances as they are given: by a road network, a table of travel times, a graph.

    Attributes:
        values: n × m, float64. Infinite or not a number: the pair is forbidden, or there is no way.
    """

    values: Floats

    def __post_init__(self) -> None:
        values = np.ascontiguousarray(self.values, dtype=np.float64)
        object.__setattr__(self, "values", np.where(np.isnan(values), np.inf, values))

    @property
    def points(self) -> int:
        return int(self.values.shape[0])

    @property
    def candidates(self) -> int:
        return int(self.values.shape[1])

    def nearest(self, k: int) -> tuple[Integers, Floats]:
        order = np.argsort(self.values, axis=1, kind="stable")[:, :k]
        return order, np.take_along_axis(self.values, order, axis=1)

    def columns(self, sites: Integers) -> Floats:
        return np.ascontiguousarray(self.values[:, sites])

    def within(self, radius: float) -> tuple[Integers, Integers]:
        points, candidates = np.nonzero(self.values <= radius)
        return points, candidates


@dataclass(frozen=True, slots=True)
class GreatCircle:
    """Great-circle distances on a sphere, in the unit of ``radius``.

    Attributes:
        demand, sites: n × 2 and m × 2 degrees (longitude, latitude), WGS 84.
        radius: Of the sphere; metres.
    """

    demand: Floats
    sites: Floats
    radius: float = EARTH
    _vectors: tuple[Floats, Floats] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_vectors", (unit_vectors(self.demand), unit_vectors(self.sites)))

    @property
    def points(self) -> int:
        return len(self.demand)

    @property
    def candidates(self) -> int:
        return len(self.sites)

    def nearest(self, k: int) -> tuple[Integers, Floats]:
        from scipy.spatial import cKDTree

        points, sites = self._vectors
        chords, order = cKDTree(sites).query(points, k=range(1, k + 1))
        # The tree leaves open which of two equally far candidates comes first.
        settled = np.lexsort((order, chords), axis=1)
        return (
            np.take_along_axis(order, settled, axis=1).astype(np.int64),
            self._arcs(np.take_along_axis(chords, settled, axis=1)),
        )

    def columns(self, sites: Integers) -> Floats:
        points, places = self._vectors
        found = np.empty((len(points), len(sites)))
        for start in range(0, len(points), _BLOCK):
            block = points[start : start + _BLOCK]
            squares = np.zeros((len(block), len(sites)))
            for axis in range(3):
                squares += (block[:, axis, None] - places[None, sites, axis]) ** 2
            found[start : start + _BLOCK] = self._arcs(np.sqrt(squares))
        return found

    def within(self, radius: float) -> tuple[Integers, Integers]:
        from scipy.spatial import cKDTree

        points, sites = self._vectors
        reach = 2 * np.sin(min(radius / self.radius, np.pi) / 2)
        lists = cKDTree(sites).query_ball_point(points, reach * (1 + 1e-9), return_sorted=True)
        found = np.repeat(np.arange(len(points)), [len(one) for one in lists])
        candidates = np.fromiter((j for one in lists for j in one), dtype=np.int64, count=len(found))
        chords = np.sqrt(((points[found] - sites[candidates]) ** 2).sum(axis=1))
        near = self._arcs(chords) <= radius
        return found[near], candidates[near]

    def _arcs(self, chords: Floats) -> Floats:
        """From chords of the unit sphere: d = 2R·asin(c ∕ 2)."""
        return np.asarray(2 * self.radius * np.arcsin(np.minimum(chords / 2, 1.0)))


@dataclass(frozen=True, slots=True)
class Without:
    """Other distances with some pairs forbidden.

    Attributes:
        points_of, candidates_of: The forbidden pairs, two arrays of the same length.
    """

    distances: Distances
    points_of: Integers
    candidates_of: Integers

    @property
    def points(self) -> int:
        return self.distances.points

    @property
    def candidates(self) -> int:
        return self.distances.candidates

    def nearest(self, k: int) -> tuple[Integers, Floats]:
        # A point with f forbidden pairs needs f more neighbours to have k that are allowed.
        most = int(np.bincount(self.points_of, minlength=1).max())
        order, far = self.distances.nearest(min(k + most, self.candidates))
        far = np.where(self._forbidden(order), np.inf, far)
        settled = np.argsort(far, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(order, settled, axis=1), np.take_along_axis(far, settled, axis=1)

    def columns(self, sites: Integers) -> Floats:
        wanted = np.broadcast_to(sites, (self.points, len(sites)))
        return np.where(self._forbidden(wanted), np.inf, self.distances.columns(sites))

    def within(self, radius: float) -> tuple[Integers, Integers]:
        points, candidates = self.distances.within(radius)
        keep = ~np.isin(points * self.candidates + candidates, self._keys())
        return points[keep], candidates[keep]

    def _keys(self) -> Integers:
        return self.points_of * self.candidates + self.candidates_of

    def _forbidden(self, candidates: Integers) -> NDArray[np.bool_]:
        return np.isin(np.arange(self.points)[:, None] * self.candidates + candidates, self._keys())


def unit_vectors(degrees: Floats) -> Floats:
    """Longitude and latitude as points of the unit sphere, n × 3."""
    longitude, latitude = np.radians(np.asarray(degrees, dtype=np.float64)).T
    return np.column_stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)]
    )
