"""The models of sites: p-median, maximal covering, p-center.

* p-median: minimise Σᵢ wᵢ · min over open j of dᵢⱼ (S. L. Hakimi, "Optimum locations of switching centers and the absolute centers and
  medians of a graph", *Operations Research* 12, 1964).
* Maximal covering within a radius R: maximise Σ wᵢ over the points with an open site within R (R. Church and C. ReVelle, "The maximal
  covering location problem", *Papers of the Regional Science Association* 32, 1974). It is the p-median of costs 0 within R and wᵢ
  beyond, and the same search solves both (`search.py`).
* p-center: minimise the longest way, max over i of min over open j of dᵢⱼ, among points with people (Hakimi 1964). A radius is possible
  when p sites leave nobody out; the least possible one is found by bisection over the distances that occur (E. Minieka, "The m-center
  problem", *SIAM Review* 12, 1970).
"""

from __future__ import annotations

import numpy as np

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.planning.program import Answer, Program
from yiwang.core.planning.sites.costs import Uncovered, WeightedDistances
from yiwang.core.planning.sites.distances import Distances, Floats, Integers
from yiwang.core.planning.sites.problem import Deadline, SitePlan, SiteProblem, nearest_open
from yiwang.core.planning.sites.search import Found, Search
from yiwang.core.planning.standing import Standing

_ALL_PAIRS = 4_000_000  # up to here every point's list holds every candidate
_LIST_TIMES = 4  # further on it holds this many times what sites spread evenly would need


def p_median(problem: SiteProblem, *, seconds: float | None = None) -> SitePlan:
    """The sites of least weighted distance in sum.

    Args:
        seconds: How long to look, by the clock; without, until the bound meets the plan or the branching grows too large (minutes). When a
            limit is met the plan is the best found and depends on the machine.

    Raises:
        BadInput: When a point with people reaches no candidate, or not with so few sites as were asked for.
    """
    deadline, n, m = Deadline(seconds), problem.distances.points, problem.distances.candidates
    k = m if n * m <= _ALL_PAIRS else min(m, _LIST_TIMES * -(-m // problem.p))
    costs = WeightedDistances(problem.distances, problem.demand, k)
    if (alone := ~costs.reachable & (problem.demand > 0)).any():
        raise BadInput(_cut_off(np.flatnonzero(alone), Text("候选点", "candidates")))
    found = Search(costs, problem.p, problem.fixed, deadline).run()
    assigned, far = nearest_open(problem.distances, found.sites)
    people = problem.demand > 0
    if (lost := people & (assigned < 0)).any():
        raise BadInput(_cut_off(np.flatnonzero(lost), Text("{p} 个点", "{p} sites", p=problem.p)))
    objective = float((far[people] * problem.demand[people]).sum())
    return _plan(
        found, assigned, deadline, objective=objective, bound=objective if found.lower == found.upper else found.lower
    )


def maximal_covering(problem: SiteProblem, radius: float, *, seconds: float | None = None) -> SitePlan:
    """The sites with the most people within ``radius``, in the unit of the distances. ``assigned`` is −1 for who is not covered."""
    deadline = Deadline(seconds)
    found = Search(Uncovered(problem.distances, problem.demand, radius), problem.p, problem.fixed, deadline).run()
    assigned, far = nearest_open(problem.distances, found.sites)
    covered = far <= radius
    total, objective = float(problem.demand.sum()), float(problem.demand[covered].sum())
    bound = objective if found.lower == found.upper else total - found.lower
    return _plan(found, np.where(covered, assigned, -1), deadline, objective=objective, bound=bound, maximise=True)


def p_center(problem: SiteProblem, *, seconds: float | None = None) -> SitePlan:
    """The sites of the least longest way among points with people.

    Where fewer than p sites reach it, the others shorten the weighted distance as well as one after the other can.

    Raises:
        BadInput: When not all points with people can be reached with so many sites.
    """
    deadline, people = Deadline(seconds), np.flatnonzero(problem.demand > 0)
    radii = _radii(problem.distances, people)
    low, high, best = 0, len(radii), None  # the answer is one of the radii numbered low to high
    middle = min(len(radii) - 1, int(np.searchsorted(radii, _farthest_first(problem, people))))
    while low < high:
        found = _cover(problem, people, float(radii[middle]), deadline)
        if found.feasible:
            best = tuple(j for j, value in enumerate(found.values) if value > 0.5)
            high = int(np.searchsorted(radii, _longest(problem.distances, people, best)))
        elif found.impossible:
            low = middle + 1
        else:
            break  # the time is over
        middle = (low + high) // 2
    if best is None and low == len(radii):
        least = int(np.argmax(nearest_open(problem.distances, tuple(range(problem.distances.candidates)))[1][people]))
        raise BadInput(_cut_off(people[[least]], Text("{p} 个点", "{p} sites", p=problem.p)))
    sites = _filled(problem, best or tuple(problem.fixed))
    assigned, _ = nearest_open(problem.distances, sites)
    objective = _longest(problem.distances, people, sites)
    return SitePlan(
        sites=sites, assigned=assigned, nodes=0,
        standing=Standing(objective=objective, bound=float(radii[low]) if low < high else objective, seconds=deadline.spent),
    )  # fmt: skip


def _cover(problem: SiteProblem, people: Integers, radius: float, deadline: Deadline) -> Answer:
    """Whether p sites leave nobody further than ``radius``: a set covering (C. Toregas and others, *Operations Research* 19, 1971)."""
    program, fixed = Program(), set(problem.fixed)
    sites = [
        program.column(cost=1.0, low=float(j in fixed), high=1.0, whole=True)
        for j in range(problem.distances.candidates)
    ]
    program.row([(column, 1.0) for column in sites], high=problem.p)
    points, candidates = problem.distances.within(radius)
    start = np.searchsorted(points, np.append(people, problem.distances.points))
    near = {candidates[start[at] : np.searchsorted(points, i, side="right")].tobytes() for at, i in enumerate(people)}
    for one in sorted(near):
        program.row([(sites[j], 1.0) for j in np.frombuffer(one, dtype=candidates.dtype).tolist()], low=1.0)
    return program.solve(seconds=deadline.left, first=True)


def _farthest_first(problem: SiteProblem, people: Integers) -> float:
    """A way that p sites can do with, at most twice the least where points are candidates (T. F. Gonzalez, *TCS* 38, 1985)."""
    chosen = list(problem.fixed)
    far = nearest_open(problem.distances, tuple(chosen))[1] if chosen else np.full(problem.distances.points, np.inf)
    nearest = problem.distances.nearest(1)[0][:, 0]
    while len(chosen) < problem.p:
        chosen.append(int(nearest[people[np.argmax(far[people])]]))
        far = np.minimum(far, problem.distances.columns(np.array(chosen[-1:]))[:, 0])
    return float(far[people].max())


def _longest(distances: Distances, people: Integers, sites: tuple[int, ...]) -> float:
    return float(nearest_open(distances, sites)[1][people].max())


def _filled(problem: SiteProblem, sites: tuple[int, ...]) -> tuple[int, ...]:
    """p sites: each further one is where the weighted distance becomes shortest."""
    chosen = list(sites)
    far = nearest_open(problem.distances, sites)[1] if sites else np.full(problem.distances.points, np.inf)
    served = problem.demand > 0
    while len(chosen) < problem.p:
        best, at = np.inf, -1
        for j in sorted(set(range(problem.distances.candidates)) - set(chosen)):
            ways = np.minimum(far, problem.distances.columns(np.array([j]))[:, 0])
            if (total := float((ways * problem.demand)[served].sum())) < best or at < 0:
                best, at = total, j
        chosen.append(at)
        far = np.minimum(far, problem.distances.columns(np.array([at]))[:, 0])
    return tuple(sorted(chosen))


def _radii(distances: Distances, people: Integers) -> Floats:
    """All distances that occur between points with people and candidates, ascending."""
    found: list[Floats] = []
    for start in range(0, distances.candidates, 64):
        block = distances.columns(np.arange(start, min(start + 64, distances.candidates)))[people]
        found.append(np.unique(block[np.isfinite(block)]))
    values = np.unique(np.concatenate(found)) if found else np.zeros(0)
    if not len(values):
        raise BadInput(Problem(Text("没有需求点能到达候选点。", "No demand point reaches a candidate.")))
    return values


def _plan(
    found: Found, assigned: Integers, deadline: Deadline, *, objective: float, bound: float, maximise: bool = False,
    nodes: int | None = None,
) -> SitePlan:  # fmt: skip
    bound = max(bound, objective) if maximise else min(bound, objective)
    return SitePlan(
        sites=found.sites, assigned=assigned, nodes=found.nodes if nodes is None else nodes,
        standing=Standing(objective=objective, bound=bound, maximise=maximise, seconds=deadline.spent),
    )  # fmt: skip


def _cut_off(points: Integers, what: Text) -> Problem:
    shown = ", ".join(str(int(i) + 1) for i in points[:10])
    return Problem(
        Text("{count} 个需求点到不了任何{what}：第 {shown} 个{more}。",
             "{count} demand points reach none of the {what}: number {shown}{more}.",
             count=len(points), what=what, shown=shown, more=" …" if len(points) > 10 else ""),
        hint=Text("请检查禁止的组合和路网是否连通。", "Check the forbidden pairs, and whether the roads connect."),
    )  # fmt: skip
