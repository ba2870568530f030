"""What no plan can cost less than, proved by column generation over relaxed routes.

The routes of a plan are columns of a set covering problem. Its linear relaxation is solved over a larger set, in which a column is easy to
find by dynamic programming: walks from the depot and back that may come to a stop again, though not straight after leaving it for another
one, the q-routes without 2-cycles of N. Christofides, A. Mingozzi and P. Toth (Exact algorithms for the vehicle routing problem, based on
spanning tree and shortest path relaxations, *Mathematical Programming* 20, 1981). A walk is limited either by the vehicle's capacity or by
time windows; the larger of the two bounds counts.

Whatever the dual values are, they prove a bound (Lagrange; J. Desrosiers and M. E. Lübbecke, A primer in column generation, 2005): with
π ≥ 0 for each stop and μ ≥ 0 for the least number of vehicles L,

    Σ π + μ·L + Σ_k min(0, N_k · (cheapest walk of kind k − μ)) + Σ_optional min(0, price − π)

is below the cost of every plan, where N_k is the number of vehicles of kind k and a walk costs its legs less the π of its stops. So the
bound is valid at every round, however early it ends, and does not rest on the linear program having been solved exactly.

With many vehicles and duals far from the best, the sum over k is large. The same formula then serves with a share θ of the duals, so small
that no walk is below nothing: one that costs c has at least (1 − θ)·c + θ·(cheapest walk − μ) left (after A. A. Farley, 1990).

What is left out makes the bound weaker and never wrong: release times, limits for samples beyond each stop alone, the longest duration,
further dimensions of load.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, inf
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from yiwang.core.planning.program import quiet_solver
from yiwang.core.planning.routes.plan import Route
from yiwang.core.planning.routes.problem import Matrix, Problem, Vehicle
from yiwang.core.planning.routes.unserved import least_vehicles

CELLS = 2000  # of the time or load axis at most, where figures are not small whole numbers
KEEP = 0.7  # share of the best duals so far in those that are priced next (P. Wentges, 1997): fewer rounds
CLOSE = 1e-4  # a further round could raise the bound by less than this share
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axis:
    """What limits a walk of one kind of vehicle: load or time, in whole cells.

    Attributes:
        spend: What a leg uses up; row and column 0 are the depot.
        first, last: Between which cells a stop can be entered; those of the depot are the beginning and the end.
    """

    spend: Ints
    first: Ints
    last: Ints


def lower_bound(problem: Problem, routes: Sequence[Route] = (), *, work: float, until: float = inf) -> float:
    """A figure that no plan costs less than; 0 where nothing better is proved in time.

    Args:
        routes: Of a good plan: the first columns. They make it quicker and change nothing of its validity.
        work: Steps of the dynamic programs for each of the two relaxations.
        until: The clock's limit, by `time.monotonic`.
    """
    kinds: list[Vehicle] = []
    numbers: list[int] = []
    for (
        vehicle
    ) in problem.vehicles:  # those that differ in nothing that counts here are one kind, with all their vehicles
        alike = [at for at, kind in enumerate(kinds) if _same_kind(problem, vehicle, kind)]
        if alike:
            numbers[alike[0]] += vehicle.number
        elif vehicle.number:
            kinds.append(vehicle)
            numbers.append(vehicle.number)
    if not kinds:
        return sum(stop.price or 0.0 for stop in problem.stops)
    best = 0.0
    choices = [[_by_load(problem, kind) for kind in kinds]]
    if any(stop.closes < inf or stop.result_by < inf for stop in problem.stops) or any(k.ends < inf for k in kinds):
        choices.append([_by_time(problem, kind) for kind in kinds])
    for at, axes in enumerate(choices):
        share = until if at == len(choices) - 1 else monotonic() + (until - monotonic()) / 2
        best = max(best, _generate(problem, kinds, numbers, axes, routes, work=work, until=share))
    # a relative 1e-10 covers the rounding of sums in double precision; costs that are whole numbers let the bound be rounded up
    best -= 1e-10 * max(1.0, abs(best))
    return float(ceil(best - 1e-6)) if problem.whole else float(best)


def _same_kind(problem: Problem, one: Vehicle, other: Vehicle) -> bool:
    alike = all(
        getattr(one, name) == getattr(other, name)
        for name in ("depot", "capacity", "starts", "ends", "cost_per_distance", "cost_per_time", "fixed_cost")
    )
    return alike and all(problem.may_serve(one, stop) == problem.may_serve(other, stop) for stop in problem.stops)


def _by_load(problem: Problem, kind: Vehicle) -> _Axis:
    """The dimension of load that is scarcest. Demands are rounded down to cells."""
    mandatory = [stop for stop in problem.stops if stop.price is None] or list(problem.stops)
    scarce = max(
        range(len(kind.capacity)),
        key=lambda at: sum(stop.demand[at] for stop in mandatory) / kind.capacity[at] if kind.capacity[at] else 0.0,
    )
    capacity = min(kind.capacity[scarce], sum(stop.demand[scarce] for stop in problem.stops))
    demand = [stop.demand[scarce] for stop in problem.stops]
    cell = _cell(capacity, demand)
    down = np.array([0, *(floor(figure / cell + 1e-9) for figure in demand)], dtype=np.int64)
    size, room = len(demand) + 1, floor(capacity / cell + 1e-9)
    spend = np.tile(down, (size, 1))
    return _without_free_legs(_Axis(spend=spend, first=np.zeros(size, np.int64), last=np.full(size, room)))


def _by_time(problem: Problem, kind: Vehicle) -> _Axis:
    """The shift in cells. Each leg with the service before it is rounded down, and so are all limits: who is in time stays so."""
    rows = [problem.depot_at(kind), *(problem.row_of(at) for at in range(len(problem.stops)))]
    service = np.array([0.0, *(stop.service for stop in problem.stops)])
    legs = problem.duration[np.ix_(rows, rows)] + service[:, None]
    latest = [min(stop.closes, stop.result_by - leg) for stop, leg in zip(problem.stops, legs[1:, 0], strict=True)]
    ends = kind.ends
    if ends == inf:  # nobody needs longer than to wait for the last closing, and serve
        finite = [figure for figure in latest if figure < inf] or [0.0]
        ends = max(finite) + float(legs.sum())
    opens = [max(kind.starts, stop.opens) - kind.starts for stop in problem.stops]
    closes = [min(figure, ends) - kind.starts for figure in latest]
    cell = _cell(ends - kind.starts, [*legs.ravel(), *opens, *closes])
    spend = np.floor(legs / cell + 1e-9).astype(np.int64)
    first = np.array([0, *(floor(figure / cell + 1e-9) for figure in opens)], dtype=np.int64)
    last = np.array([floor((ends - kind.starts) / cell + 1e-9), *(floor(one / cell + 1e-9) for one in closes)])
    return _without_free_legs(_Axis(spend=spend, first=first, last=last.astype(np.int64)))


def _cell(extent: float, figures: list[float]) -> float:
    """The width of a cell: one where all is whole and small, else so that there are not too many."""
    whole = all(float(figure).is_integer() for figure in [extent, *figures] if figure < inf)
    return 1.0 if whole and extent <= CELLS else max(extent, 1e-9) / CELLS


def _without_free_legs(axis: _Axis) -> _Axis:
    """Every leg spends at least one cell, as the dynamic program needs; where one did not, all spend one more and have room for it."""
    size = len(axis.first)
    legs = axis.spend[:, 1:][~np.eye(size, dtype=bool)[:, 1:]]
    if legs.size == 0 or legs.min() > 0:
        return axis
    spend = axis.spend.copy()
    spend[:, 1:] += 1
    return _Axis(spend=spend, first=axis.first, last=axis.last + size - 1)


def _costs(problem: Problem, kind: Vehicle) -> Matrix:
    """What each leg costs with the service before it; a leg that the kind must not drive is infinite."""
    rows = [problem.depot_at(kind), *(problem.row_of(at) for at in range(len(problem.stops)))]
    service = np.array([0.0, *(stop.service for stop in problem.stops)])
    cost = kind.cost_per_distance * problem.distance[np.ix_(rows, rows)]
    cost = cost + kind.cost_per_time * (problem.duration[np.ix_(rows, rows)] + service[:, None])
    cost[0, 1:] += kind.fixed_cost
    for at, stop in enumerate(problem.stops, start=1):
        if not problem.may_serve(kind, stop):
            cost[:, at] = inf
    np.fill_diagonal(cost, inf)
    return np.asarray(cost)


def _generate(
    problem: Problem, kinds: list[Vehicle], numbers: list[int], axes: list[_Axis], routes: Sequence[Route], *, work: float, until: float
) -> float:  # fmt: skip
    """Column generation on one relaxation; the best bound of all rounds."""
    from yiwang.core.planning.routes.pricing import cheapest_walks

    size = len(problem.stops)
    prices = np.array([inf if stop.price is None else stop.price for stop in problem.stops])
    least = least_vehicles(problem)
    costs = [_costs(problem, kind) for kind in kinds]
    floors = [float(cost[0].min() + cost[:, 0].min()) for cost in costs]  # every walk leaves and comes back
    steps = sum(float(np.maximum(0, axis.last - axis.first + 1)[1:].sum()) * size for axis in axes)
    master = _Master(
        numbers, prices, least, dearest=4 * float(max(np.max(c[np.isfinite(c)], initial=1) for c in costs))
    )
    seen: set[tuple[int, ...]] = set()

    def add(kind: int, walk: tuple[int, ...]) -> bool:
        """Take a walk into the program, where it is new and could improve its solution."""
        price = float(sum(costs[kind][a, b] for a, b in zip((0, *walk), (*walk, 0), strict=True)))
        count = np.bincount(np.array(walk) - 1, minlength=size)
        worth = price - float(count @ duals) - mu + master.rent[kind] < -1e-7 * max(1.0, price)
        if (kind, *walk) in seen or not worth:
            return False
        seen.add((kind, *walk))
        master.add(kind, price, count)
        return True

    duals, mu = np.full(size, 1e15), 0.0  # at first any walk is welcome
    position = {stop.id: at for at, stop in enumerate(problem.stops, start=1)}
    types = {vehicle.id: vehicle for vehicle in problem.vehicles}
    shared = np.zeros(size)
    for route in routes:
        kind = next(at for at, one in enumerate(kinds) if _same_kind(problem, types[route.vehicle], one))
        walk = [position[visit.stop] for visit in route.visits]
        add(kind, tuple(walk))
        # the first duals: what a route costs, shared by its stops in proportion to their distance from the depot
        away = costs[kind][0, walk] + costs[kind][walk, 0] + 1e-9
        shared[np.array(walk) - 1] = route.cost * away / away.sum()
    centre: tuple[NDArray[np.float64], float] | None = (shared, 0.0) if routes else None
    best, spent = 0.0, 0.0
    while spent + steps <= max(work, steps) and monotonic() < until:
        value, duals, mu = master.solve()
        # the best duals so far draw the next ones towards them; where that finds nothing new, the program's own are priced
        for keep in (KEEP, 0.0) if centre is not None else (0.0,):
            pi = duals if centre is None else keep * centre[0] + (1 - keep) * duals
            used = mu if centre is None else keep * centre[1] + (1 - keep) * mu
            proved, new, share = float(pi.sum()) + used * least + float(np.minimum(0, prices - pi).sum()), 0, 1.0
            for at, (cost, axis) in enumerate(zip(costs, axes, strict=True)):
                reduced = cost.copy()
                reduced[:, 1:] -= pi
                lowest, walks = cheapest_walks(reduced, axis.spend, axis.first, axis.last)
                if lowest < used:
                    proved += numbers[at] * (lowest - used)
                    # with this share of the duals, no walk that costs at least `floors` is below nothing
                    share = min(share, floors[at] / (floors[at] - lowest + used))
                new += sum(add(at, walk) for walk in walks)
            smaller = share * (float(pi.sum()) + used * least) + float(np.minimum(0, prices - share * pi).sum())
            proved = max(proved, smaller)
            spent += steps
            if proved > best or centre is None:
                best, centre = max(best, proved), (pi, used)
            if new:
                break
        if not new or (master.real and value - best <= CLOSE * max(1.0, abs(value))):
            break
    return best


class _Master:
    """The linear program over the walks found so far, in HiGHS: cover each stop, with no more vehicles than there are."""

    def __init__(self, numbers: list[int], prices: NDArray[np.float64], least: int, *, dearest: float) -> None:
        self._size, self._kinds = len(prices), len(numbers)
        self._highs = quiet_solver()
        self._highs.setOptionValue("threads", 1)
        for _ in prices:
            self._highs.addRow(1.0, inf, 0, np.array([], np.int32), np.array([]))
        for number in numbers:
            self._highs.addRow(-inf, float(number), 0, np.array([], np.int32), np.array([]))
        self._highs.addRow(float(least), inf, 0, np.array([], np.int32), np.array([]))
        self.rent = np.zeros(self._kinds)  # what a further vehicle of a kind would save
        self.real = False  # whether the solution consists of walks alone
        self._stand_ins = []
        for at, price in enumerate(prices):
            # until there are walks enough, a stop is covered at a price above any walk's
            self._highs.addCol(float(min(price, dearest)), 0.0, inf, 1, np.array([at], np.int32), np.array([1.0]))
            if price > dearest:
                self._stand_ins.append(at)
        last = self._size + self._kinds
        self._highs.addCol(dearest, 0.0, inf, 1, np.array([last], np.int32), np.array([1.0]))
        self._stand_ins.append(self._size)

    def add(self, kind: int, price: float, count: NDArray[np.int64]) -> None:
        """A walk of a kind, with how often it comes to each stop."""
        rows = np.flatnonzero(count)
        index = np.array([*rows, self._size + kind, self._size + self._kinds], np.int32)
        self._highs.addCol(price, 0.0, inf, len(index), index, np.array([*count[rows], 1.0, 1.0], np.float64))

    def solve(self) -> tuple[float, NDArray[np.float64], float]:
        """Its value, the duals of the stops and that of the least number of vehicles."""
        self._highs.run()
        solution = self._highs.getSolution()
        duals, columns = np.array(solution.row_dual), np.array(solution.col_value)
        self.rent = np.maximum(0.0, -duals[self._size : self._size + self._kinds])
        self.real = bool(columns[self._stand_ins].max(initial=0.0) < 1e-9)
        return self._highs.getInfo().objective_function_value, np.maximum(0.0, duals[: self._size]), max(0.0, duals[-1])
