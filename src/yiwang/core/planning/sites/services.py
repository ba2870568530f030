"""Sites with capacities and several services, as a mixed-integer program.

Site j is open or not (yⱼ), offers service s or not (yⱼₛ ≤ yⱼ), and takes a share of each point's demand for it:

    minimise Σ wᵢₛ dᵢⱼ xᵢⱼₛ   with  Σⱼ xᵢⱼₛ = 1,  xᵢⱼₛ ≤ yⱼₛ,  Σᵢ wᵢₛ xᵢⱼₛ ≤ Cⱼₛ yⱼₛ,  Σⱼ yⱼ ≤ p,  Σⱼ yⱼₛ ≤ pₛ

(the capacitated p-median of H. Pirkul, "Efficient algorithms for the capacitated concentrator location problem", *Computers & Operations
Research* 14, 1987, with shares; H. Pirkul and D. A. Schilling, "The maximal covering location problem with capacities on total workload",
*Management Science* 37, 1991). With a radius the demand served within it is maximised instead, and what is left over costs its weight.

Without a radius each point begins with the nearest candidates only and a substitute at the distance of the next one. A substitute costs
no more than the truth, so the program's bound holds for the problem; points that used theirs get longer lists, until none does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.planning.program import Program
from yiwang.core.planning.sites.distances import Distances, Floats, Integers
from yiwang.core.planning.sites.problem import Deadline
from yiwang.core.planning.standing import Standing

_FIRST_LIST = 12
_MUCH = 1e-7  # a share of a point's demand that counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One kind of work that sites do, such as sampling or vaccination.

    Attributes:
        id: Its name.
        demand: One weight per point, at least 0.
        capacity: How much each candidate can take; infinite where there is no limit, 0 where it cannot offer the service.
        p: At how many sites at most; None for no limit of its own.
    """

    id: str
    demand: Floats
    capacity: Floats
    p: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceProblem:
    """Open at most ``p`` candidates and share the demand among them.

    Attributes:
        distances: From each point to each candidate.
        fixed: Candidates that are open already and stay so; they count towards p.
        radius: Serve as much demand as possible within this; None: serve all of it with the least weighted distance.
        undivided: Each point's demand for a service goes to one site.
    """

    distances: Distances
    services: tuple[Service, ...]
    p: int
    fixed: tuple[int, ...] = ()
    radius: float | None = None
    undivided: bool = False

    def __post_init__(self) -> None:
        if faults := list(self._faults()):
            raise BadInput(faults)

    def _faults(self) -> Iterator[Problem]:
        n, m = self.distances.points, self.distances.candidates
        if not 1 <= self.p <= m or len(set(self.fixed)) > self.p or any(not 0 <= j < m for j in self.fixed):
            yield Problem(
                Text("{p} 个点、{fixed} 个已有点、{m} 个候选点不相容。",
                     "{p} sites, {fixed} that exist and {m} candidates do not go together.",
                     p=self.p, fixed=len(set(self.fixed)), m=m)
            )  # fmt: skip
        for service in self.services:
            if (
                len(service.demand) != n
                or len(service.capacity) != m
                or (service.demand < 0).any()
                or (service.capacity < 0).any()
            ):
                yield Problem(
                    Text(
                        "服务 {id} 的需求或容量有误。",
                        "The demand or the capacities of service {id} are wrong.",
                        id=service.id,
                    ),
                    hint=Text(
                        "需求 {n} 个、容量 {m} 个，均不小于 0。",
                        "{n} demands and {m} capacities, none below 0.",
                        n=n,
                        m=m,
                    ),
                )
                return
            most = self.p if service.p is None else min(self.p, service.p)
            room = float(np.sort(service.capacity)[::-1][:most].sum())
            total = float(service.demand.sum())
            if self.radius is None and room < total:
                yield Problem(
                    Text("服务 {id}：需求 {total:g}，最大的 {p} 个点合计容量只有 {room:g}。",
                         "Service {id}: the demand is {total:g}, and the {p} largest sites have room for {room:g}.",
                         id=service.id, total=total, p=most, room=room),
                    hint=Text("请增加点数或容量。", "Allow more sites, or larger ones."),
                )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePlan:
    """Which sites are open, what they offer, and who goes where.

    Attributes:
        sites: The open candidates, ascending.
        offered: For each service the sites that offer it.
        shares: For each service the point, candidate and share of the point's demand, ordered; shares are above 0.
        standing: Weighted distance, or the demand served where there is a radius.
    """

    sites: tuple[int, ...]
    offered: tuple[tuple[int, ...], ...]
    shares: tuple[tuple[tuple[int, int, float], ...], ...]
    standing: Standing


def plan_services(problem: ServiceProblem, *, seconds: float | None = None) -> ServicePlan:
    """The best plan found, with its bound.

    Raises:
        BadInput: When no plan serves everybody, or none was found in the time: says how much of each service goes short.
    """
    deadline = Deadline(seconds)
    lengths = np.full(problem.distances.points, min(_FIRST_LIST, problem.distances.candidates))
    bound, best = -np.inf, _Shared((), inf, ())
    while True:
        model = _Model(problem, _lists(problem, lengths))
        answer = model.program.solve(seconds=deadline.left)
        bound = max(bound, answer.bound)
        if not answer.feasible:
            break
        shared = _share(problem, model.opened(answer.values))
        best = min(best, shared, key=lambda one: one.cost)
        short = model.substituted(answer.values)
        lengths[short] = np.minimum(2 * lengths[short], problem.distances.candidates)
        if _met(best.cost, bound) or deadline.over or not len(short):
            break
    if best.cost == inf:
        raise BadInput(_conflict(problem))
    demand = sum(float(one.demand.sum()) for one in problem.services)
    bound = best.cost if _met(best.cost, bound) else min(bound, best.cost)
    served = problem.radius is not None
    return ServicePlan(
        sites=best.sites,
        offered=tuple(tuple(sorted({j for _, j, _ in one})) for one in best.shares),
        shares=best.shares,
        standing=Standing(
            objective=demand - best.cost if served else best.cost, bound=demand - bound if served else bound,
            maximise=served, seconds=deadline.spent,
        ),
    )  # fmt: skip


def _met(cost: float, bound: float) -> bool:
    """Whether a cost is as low as the bound, to HiGHS's own tolerance."""
    return cost < inf and cost - bound <= 1e-6 * max(1.0, abs(cost))


Share = tuple[int, int, float]


@dataclass(frozen=True, slots=True)
class _Shared:
    """The demand shared among some sites at the least cost."""

    sites: tuple[int, ...]
    cost: float
    shares: tuple[tuple[Share, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arcs:
    """Pairs of points and candidates with their costs for one unit of demand; ``beyond`` is what a unit costs without any of them."""

    points: Integers
    sites: Integers
    costs: Floats
    beyond: Floats


def _lists(problem: ServiceProblem, lengths: Integers) -> _Arcs:
    """So many of each point's nearest candidates; with a radius, those within it."""
    if problem.radius is not None:
        points, sites = problem.distances.within(problem.radius)
        return _Arcs(points=points, sites=sites, costs=np.zeros(len(points)), beyond=np.ones(len(lengths)))
    sites, far = problem.distances.nearest(min(int(lengths.max()) + 1, problem.distances.candidates))
    keep = (np.arange(sites.shape[1]) < lengths[:, None]) & np.isfinite(far)
    padded = np.column_stack([far, np.full(len(far), np.inf)])
    beyond = padded[np.arange(len(far)), np.minimum(lengths, far.shape[1])]
    return _Arcs(points=np.nonzero(keep)[0], sites=sites[keep], costs=far[keep], beyond=beyond)


def _share(problem: ServiceProblem, sites: tuple[int, ...]) -> _Shared:
    """What these sites cost when everything about them is known: a transport problem."""
    far = problem.distances.columns(np.array(sites, dtype=np.int64))
    near = np.isfinite(far) if problem.radius is None else far <= problem.radius
    points, which = np.nonzero(near)
    arcs = _Arcs(
        points=points, sites=np.array(sites)[which], costs=far[near] if problem.radius is None else np.zeros(len(points)),
        beyond=np.full(len(far), np.inf if problem.radius is None else 1.0),
    )  # fmt: skip
    model = _Model(problem, arcs, only=sites)
    answer = model.program.solve()
    if not answer.feasible:
        return _Shared(sites, inf, ())
    return _Shared(sites, answer.objective, model.shares(answer.values))


class _Model:
    """The program over some arcs; with ``only``, for these sites and no others."""

    def __init__(
        self, problem: ServiceProblem, arcs: _Arcs, *, only: tuple[int, ...] | None = None, elastic: bool = False
    ) -> None:
        self.program, self._arcs, self._undivided = Program(), arcs, problem.undivided
        self._substitutes = problem.radius is None and not elastic
        must, may = set(problem.fixed), set(range(problem.distances.candidates))
        if only is not None:
            must, may = set(only), set(only)
        self._open = [
            self.program.column(low=float(j in must), high=float(j in may), whole=True)
            for j in range(problem.distances.candidates)
        ]
        self.program.row([(column, 1.0) for column in self._open], high=problem.p)
        self._served: list[list[tuple[int, int, int]]] = []  # of each service: point, candidate, column
        self._spare: list[list[tuple[int, int]]] = []  # of each service: point, column
        for service in problem.services:
            self._add(service)

    def _add(self, service: Service) -> None:
        program, own, arcs = self.program, self._open, self._arcs
        if service.p is not None:
            own = [program.column(high=1.0, whole=True) for _ in self._open]
            program.row([(column, 1.0) for column in own], high=service.p)
            for column, opened in zip(own, self._open, strict=True):
                program.row([(column, 1.0), (opened, -1.0)], high=0.0)
        use = (service.demand[arcs.points] > 0) & (service.capacity[arcs.sites] > 0)
        by_point: dict[int, list[tuple[int, float]]] = {int(i): [] for i in np.flatnonzero(service.demand > 0)}
        by_site: dict[int, list[tuple[int, float]]] = {}
        served, spare = [], []
        for i, j, cost in zip(
            arcs.points[use].tolist(), arcs.sites[use].tolist(), arcs.costs[use].tolist(), strict=True
        ):
            weight = float(service.demand[i])
            column = program.column(cost=weight * cost, high=1.0, whole=self._undivided)
            program.row([(column, 1.0), (own[j], -1.0)], high=0.0)
            by_point[i].append((column, 1.0))
            by_site.setdefault(j, []).append((column, weight))
            served.append((i, j, column))
        for j, terms in by_site.items():
            if np.isfinite(service.capacity[j]):
                program.row([*terms, (own[j], -float(service.capacity[j]))], high=0.0)
        for i, terms in by_point.items():
            if np.isfinite(arcs.beyond[i]):
                spare.append((i, program.column(cost=float(service.demand[i] * arcs.beyond[i]), high=1.0)))
                terms.append((spare[-1][1], 1.0))
            program.row(terms, low=1.0, high=1.0)
        self._served.append(served)
        self._spare.append(spare)

    def opened(self, values: Sequence[float]) -> tuple[int, ...]:
        return tuple(j for j, column in enumerate(self._open) if values[column] > 0.5)

    def shares(self, values: Sequence[float]) -> tuple[tuple[Share, ...], ...]:
        return tuple(
            tuple(sorted((i, j, values[column]) for i, j, column in one if values[column] > _MUCH))
            for one in self._served
        )

    def substituted(self, values: Sequence[float]) -> Integers:
        """Points that used a substitute for candidates beyond their list."""
        used = {i for one in self._spare for i, column in one if values[column] > _MUCH} if self._substitutes else set()
        return np.array(sorted(used), dtype=np.int64)

    def left_over(self, values: Sequence[float]) -> list[dict[int, float]]:
        """Of each service the shares of points that nobody serves."""
        return [{i: values[column] for i, column in one if values[column] > _MUCH} for one in self._spare]


def _conflict(problem: ServiceProblem) -> list[Problem]:
    """What goes short when as little as possible does: the program again, in which leaving demand over is allowed and is all that costs."""
    far = problem.distances.columns(np.arange(problem.distances.candidates))
    points, sites = np.nonzero(np.isfinite(far))
    arcs = _Arcs(points=points, sites=sites, costs=np.zeros(len(points)), beyond=np.ones(len(far)))
    model = _Model(problem, arcs, elastic=True)
    answer = model.program.solve(seconds=30.0)
    found = []
    for service, short in zip(
        problem.services, model.left_over(answer.values) if answer.feasible else [], strict=False
    ):
        if short:
            worst = ", ".join(str(i + 1) for i in list(short)[:10])
            found.append(
                Problem(
                    Text("服务 {id}：至少有 {much:g} 的需求无点可去，如第 {worst} 个需求点。",
                         "Service {id}: at least {much:g} of the demand has nowhere to go, as at demand point {worst}.",
                         id=service.id, much=sum(share * float(service.demand[i]) for i, share in short.items()), worst=worst),
                    hint=Text("请增加点数、容量，或取消禁止的组合。", "Allow more sites, more capacity, or forbidden pairs."),
                )
            )  # fmt: skip
    return found or [Problem(Text("在规定时间内没有找到方案。", "No plan was found in the time."))]
