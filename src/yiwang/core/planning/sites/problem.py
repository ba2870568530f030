"""What is asked of a plan of sites, and what it answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic

import numpy as np

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.planning.sites.distances import Distances, Floats, Integers
from yiwang.core.planning.standing import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteProblem:
    """Open ``p`` of the candidates for the demand.

    Attributes:
        demand: One weight per demand point, such as people; at least 0.
        distances: From each point to each candidate.
        p: How many sites are open in all, those that exist included.
        fixed: Candidates that are open already and stay so.
    """

    demand: Floats
    distances: Distances
    p: int
    fixed: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if faults := list(self._faults()):
            raise BadInput(faults)

    def _faults(self) -> Iterator[Problem]:
        n, m = self.distances.points, self.distances.candidates
        if len(self.demand) != n:
            yield Problem(
                Text(
                    "权重有 {have} 个，需求点有 {want} 个。",
                    "There are {have} weights for {want} demand points.",
                    have=len(self.demand),
                    want=n,
                )
            )
        elif not np.isfinite(self.demand).all() or (self.demand < 0).any():
            yield Problem(Text("权重须为不小于 0 的数。", "Every weight must be a number of at least 0."))
        if not 1 <= self.p <= m:
            yield Problem(
                Text(
                    "要设 {p} 个点，候选点有 {m} 个。",
                    "{p} sites are asked for, and there are {m} candidates.",
                    p=self.p,
                    m=m,
                ),
                hint=Text("点数须在 1 与候选点数之间。", "Ask for at least 1 and at most as many as there are."),
            )
        if wrong := [j for j in self.fixed if not 0 <= j < m]:
            yield Problem(
                Text("没有候选点 {which}。", "There is no candidate {which}.", which=", ".join(map(str, wrong)))
            )
        if len(set(self.fixed)) > self.p:
            yield Problem(
                Text("已有 {fixed} 个点，总数却只允许 {p} 个。", "{fixed} sites exist already, and only {p} are allowed in all.",
                     fixed=len(set(self.fixed)), p=self.p)
            )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePlan:
    """Which candidates are open.

    Attributes:
        sites: Indices of the open candidates, ascending.
        assigned: For each demand point the index of the candidate that serves it, the nearest open one; −1 where none does.
        standing: The plan's figure and its bound.
        nodes: How many nodes of branch and bound the proof took; 0 where the relaxation was enough.
    """

    sites: tuple[int, ...]
    assigned: Integers
    standing: Standing
    nodes: int


class Deadline:
    """When to stop looking. ``None`` for no limit."""

    def __init__(self, seconds: float | None) -> None:
        self.started = monotonic()
        self._end = None if seconds is None else self.started + seconds

    @property
    def left(self) -> float:
        """Seconds; infinite where there is no limit, 0 when it is over."""
        return np.inf if self._end is None else max(0.0, self._end - monotonic())

    @property
    def over(self) -> bool:
        return self.left <= 0

    @property
    def spent(self) -> float:
        return monotonic() - self.started


def nearest_open(distances: Distances, sites: tuple[int, ...]) -> tuple[Integers, Floats]:
    """For each point the nearest of the open sites (the lowest index where equal; −1 where none can be reached) and its distance."""
    open_sites = np.asarray(sites, dtype=np.int64)
    far = distances.columns(open_sites)
    which = np.argmin(far, axis=1)
    least = far[np.arange(len(far)), which]
    return np.where(np.isinf(least), -1, open_sites[which]), least
