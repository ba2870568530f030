"""The search for routes, by PyVRP.

PyVRP (N. A. Wouda, L. Lan and W. Kool, PyVRP: a high-performance VRP solver package, *INFORMS Journal on Computing* 36, 2024) searches in
whole numbers, by iterated local search in its current version. Times, loads and costs are therefore scaled: by one where all are whole
already, else times and loads so that rounding can only make a limit stricter, and costs to the nearest. The plan itself is made from the
order of stops alone, in double precision.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from math import ceil, floor, inf
from time import monotonic
from typing import Any
from warnings import catch_warnings, simplefilter

import numpy as np

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.errors import Problem as Fault
from yiwang.core.kernel.text import Text
from yiwang.core.planning.routes.bound import lower_bound
from yiwang.core.planning.routes.plan import Plan, Route, route_of, total_cost
from yiwang.core.planning.routes.problem import Problem, Stop, Vehicle
from yiwang.core.planning.routes.unserved import least_vehicles, reason, unserved
from yiwang.core.planning.routes.verify import verify
from yiwang.core.planning.standing import Standing

FINE = 10_000  # parts of one unit of time, load or cost where they are not whole
ENDLESS = 1 << 40
_SLACK = 1e-6  # of a part: 3·FINE computed as 29999.9999999996 is 30000


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How long to search.

    Attributes:
        iterations: The search ends after so many without improvement. Alone it makes the plan the same on every machine.
        seconds: It ends then at the latest, with the best found so far; the plan then depends on the machine.
        bound_work: Steps of the dynamic programs of each of the bound's two relaxations; some hundred million a second.
    """

    iterations: int = 10_000
    seconds: float = inf
    bound_work: float = 3e9


def plan_routes(problem: Problem, *, seed: int = 0, effort: Effort | None = None, fewest: bool = False) -> Plan:
    """The best plan found, with a bound.

    Args:
        fewest: First as few vehicles as a plan is found for, then the least cost with no more of them. The bound is then for that number.

    Raises:
        BadInput: There is no plan, or none was found: what conflicts, in words. Only what is said to be impossible is proved so.
    """
    began, effort = monotonic(), effort or Effort()
    if faults := unserved(problem):
        raise BadInput(faults)
    least = least_vehicles(problem)
    if fewest:
        problem = _fewest(problem, seed, effort, least, until=began + 0.25 * effort.seconds)
    # the bound begins from the routes that were found, and has the last quarter of a time limit at least
    routes, iterations = _search(problem, seed, effort.iterations, began + 0.75 * effort.seconds)
    served = {visit.stop for route in routes for visit in route.visits}
    cost = total_cost(problem, routes)
    plan = Plan(
        routes=tuple(routes),
        skipped=tuple(stop.id for stop in problem.stops if stop.id not in served),
        standing=Standing(objective=cost, bound=-inf),
        least_vehicles=least,
        iterations=iterations,
        by_the_clock=effort.seconds < inf,
    )
    if broken := verify(problem, plan):
        raise BadInput(_not_found(broken))
    bound = lower_bound(problem, routes, work=effort.bound_work, until=began + effort.seconds)
    if bound > cost + 1e-6 * max(1.0, cost):  # by more than rounding: one of the two is wrong, and nothing may be said
        raise AssertionError(f"the bound {bound} is above the cost {cost}")
    standing = Standing(objective=cost, bound=min(bound, cost), seconds=monotonic() - began)
    return replace(plan, standing=standing)


def _not_found(broken: list[Fault]) -> list[Fault]:
    message = Text(
        "没有找到可行方案；最接近的方案仍有 {count} 处不符，如下。这不证明无解。",
        "No plan was found; the nearest one still breaks {count} limit(s), which follow. That does not prove that there is none.",
        count=len(broken),
    )
    hint = Text("请增加车辆、放宽时间或延长搜索。", "Add vehicles, widen times, or search for longer.")
    return [Fault(message, hint), *broken]


def _fewest(problem: Problem, seed: int, effort: Effort, least: int, *, until: float) -> Problem:
    """The problem with as few vehicles as a plan is found for; the type that costs most a vehicle is given up first."""
    found = None
    while True:
        routes, _ = _search(problem, seed, effort.iterations, until, first=True)
        if not _is_plan(problem, routes):
            return found or problem
        used = Counter(route.vehicle for route in routes)
        found = _with_fleet(problem, used)
        if len(routes) <= least or monotonic() >= until:
            return found
        worst = max((one for one in problem.vehicles if used[one.id]), key=lambda one: one.fixed_cost)
        used[worst.id] -= 1
        problem = _with_fleet(problem, used)


def _with_fleet(problem: Problem, numbers: Counter[str]) -> Problem:
    return replace(problem, vehicles=tuple(replace(one, number=numbers[one.id]) for one in problem.vehicles))


def _is_plan(problem: Problem, routes: list[Route]) -> bool:
    served = {visit.stop for route in routes for visit in route.visits}
    skipped = tuple(stop.id for stop in problem.stops if stop.id not in served)
    standing = Standing(objective=total_cost(problem, routes), bound=-inf)
    return not verify(problem, Plan(routes=tuple(routes), skipped=skipped, standing=standing))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """A vehicle type that keeps one pair of limits for samples: back by ``result_by``, and ``time_to_result`` after its first stop.

    Where ``safe`` it may serve only the stops that ask for no stricter ones, so that all of its route keeps theirs.
    """

    vehicle: Vehicle
    number: int
    time_to_result: float
    result_by: float
    safe: bool = True

    def serves(self, problem: Problem, stop: Stop) -> bool:
        kept = self.time_to_result <= stop.time_to_result and self.result_by <= stop.result_by
        return problem.may_serve(self.vehicle, stop) and (kept or not self.safe)


def _search(
    problem: Problem, seed: int, iterations: int, until: float, *, first: bool = False
) -> tuple[list[Route], int]:
    """Routes, which may break limits where no better were found, and how many iterations it took.

    PyVRP knows no limit between a stop and the end of its route. So two models are searched, and the cheaper plan that keeps everything is
    taken: one in which each route keeps the strictest limit of its stops from its first stop on, which is safe but leaves out plans whose
    strict stops come late; and one with the loosest limits, whose plans are right only where the others happen to be kept.
    """
    hours = sorted({stop.time_to_result for stop in problem.stops})
    dates = sorted({stop.result_by for stop in problem.stops})
    usable = [vehicle for vehicle in problem.vehicles if vehicle.number]
    models = [
        [
            _Kind(vehicle=vehicle, number=vehicle.number, time_to_result=hour, result_by=date)
            for vehicle in usable
            for date in dates
            for hour in hours
        ]
    ]
    if min(hours) < inf or len(dates) > 1:
        loose = {"time_to_result": hours[-1] if _first_leg_is_free(problem) else inf, "result_by": dates[-1]}
        models.append([_Kind(vehicle=one, number=one.number, safe=False, **loose) for one in usable])
    found: list[list[Route]] = []
    spent = 0
    for at, kinds in enumerate(models):
        now = monotonic()
        routes, more = _shared(problem, kinds, seed, iterations, now + (until - now) / (len(models) - at), first=first)
        spent += more
        found.append(routes)
    right = [routes for routes in found if _is_plan(problem, routes)]
    return min(right, key=lambda routes: total_cost(problem, routes)) if right else found[0], spent


def _shared(
    problem: Problem, kinds: list[_Kind], seed: int, iterations: int, until: float, *, first: bool
) -> tuple[list[Route], int]:
    """A search in which the kinds of one vehicle type share its vehicles."""
    routes, spent = _run(problem, kinds, seed, iterations, until, first=first)
    used = Counter(kinds[kind].vehicle.id for kind, _ in routes)
    if any(used[vehicle.id] > vehicle.number for vehicle in problem.vehicles):
        # The search does not know of the sharing, so it is told how many each kind may have, strict ones first, since a vehicle that keeps
        # strict limits may serve any stop.
        taken, left = Counter(kind for kind, _ in routes), {one.id: one.number for one in problem.vehicles}
        given = []
        for at, kind in enumerate(kinds):
            number = min(taken[at], left[kind.vehicle.id])
            left[kind.vehicle.id] -= number
            given.append(replace(kind, number=number))
        kinds = [kind for kind in given if kind.number]
        routes, more = _run(problem, kinds, seed, iterations, until, first=first)
        spent += more
    order = {vehicle.id: at for at, vehicle in enumerate(problem.vehicles)}
    made = [route_of(problem, kinds[kind].vehicle, stops) for kind, stops in routes]
    return sorted(made, key=lambda one: (order[one.vehicle], one.leaves, one.visits[0].stop)), spent


def _run(
    problem: Problem, kinds: list[_Kind], seed: int, iterations: int, until: float, *, first: bool
) -> tuple[list[tuple[int, list[int]]], int]:
    """Pairs of a kind's position and the stops of one of its vehicles in order; and the number of iterations."""
    import pyvrp
    from pyvrp.stop import FirstFeasible, MaxRuntime, MultipleCriteria, NoImprovement

    kept = [at for at, stop in enumerate(problem.stops) if stop.price is None or reason(problem, at) is None]
    if not kept or not kinds:
        return [], 0
    data = _data(problem, kinds, kept)
    criteria: list[Any] = [NoImprovement(iterations)]
    if until < inf:
        criteria.append(MaxRuntime(max(0.0, until - monotonic())))
    if first:
        criteria.append(FirstFeasible())
    with catch_warnings():
        # that limits are hard to keep is said by the verifier, in our words
        simplefilter("ignore")
        result = pyvrp.solve(data, MultipleCriteria(criteria), seed=seed, collect_stats=False)
    routes = []
    for route in result.best.routes():
        stops = [kept[activity.idx] for activity in route if activity.is_client()]
        if stops:
            routes.append((route.vehicle_type(), stops))
    return routes, result.num_iterations


def _data(problem: Problem, kinds: list[_Kind], kept: list[int]) -> Any:
    """The problem in PyVRP's whole numbers.

    A stop that a kind must not serve weighs one in a dimension of load of which that kind carries nothing and the others any amount.
    """
    import pyvrp

    stops = [problem.stops[at] for at in kept]
    depots = len(problem.depots)
    rows = np.array([*range(depots), *(problem.row_of(at) for at in kept)])
    durations, distances = problem.duration[np.ix_(rows, rows)], problem.distance[np.ix_(rows, rows)]
    times = [
        *durations.ravel(), *(one.ends for one in problem.vehicles), *(one.starts for one in problem.vehicles),
        *(figure for stop in stops for figure in (stop.service, stop.opens, stop.closes, stop.release)),
        *(figure for kind in kinds for figure in (kind.time_to_result, kind.result_by, kind.vehicle.max_duration)),
    ]  # fmt: skip
    loads = [figure for stop in stops for figure in stop.demand]
    loads += [figure for vehicle in problem.vehicles for figure in vehicle.capacity]
    # Where costs are in fine parts, so are times and loads: the search weighs a broken limit by its parts.
    plain = problem.whole and _all_whole(times) and _all_whole(loads)
    tick = weight = 1 if plain else FINE
    timed = any(one.cost_per_time for one in problem.vehicles)
    money = 1 if plain else FINE if not timed else 100 * FINE
    stranger = 1 if plain else FINE
    strangers = [kind for kind in kinds if not all(kind.serves(problem, stop) for stop in stops)]

    open_at = [_up(max(stop.opens, _reached(problem, at)), tick) for at, stop in zip(kept, stops, strict=True)]
    exact = _first_leg_is_free(problem)
    clients = [
        pyvrp.Client(
            location=depots + at,
            delivery=[
                *(_up(figure, weight) for figure in stop.demand),
                *(0 if kind.serves(problem, stop) else stranger for kind in strangers),
            ],
            service_duration=_up(stop.service, tick),
            tw_early=open_at[at],
            tw_late=max(open_at[at], _down(stop.closes, tick)),
            release_time=_up(stop.release, tick),
            prize=0 if stop.price is None else round(stop.price * money),
            required=stop.price is None,
        )
        for at, stop in enumerate(stops)
    ]
    types, distance_of, duration_of = [], [], []
    for profile, kind in enumerate(kinds):
        vehicle, longest = kind.vehicle, min(kind.vehicle.max_duration, kind.time_to_result)
        matrix = np.ceil(durations * tick - _SLACK).astype(np.int64)
        if kind.time_to_result < inf and exact:
            # What counts is the time since the first sample, not since the depot: the way to it is free, but nobody is there before
            # it is possible (`_reached`).
            matrix[problem.depot_at(vehicle), :] = 0
        duration_of.append(matrix)
        distance_of.append(np.rint(distances * vehicle.cost_per_distance * money).astype(np.int64))
        starts = _up(vehicle.starts, tick)
        types.append(
            pyvrp.VehicleType(
                num_available=kind.number,
                capacity=[
                    *(_down(figure, weight) for figure in vehicle.capacity),
                    *(0 if other is kind else ENDLESS for other in strangers),
                ],
                start_depot=problem.depot_at(vehicle),
                end_depot=problem.depot_at(vehicle),
                fixed_cost=round(vehicle.fixed_cost * money),
                tw_early=starts,
                tw_late=max(starts, _down(min(vehicle.ends, kind.result_by), tick)),
                shift_duration=_down(longest, tick),
                unit_distance_cost=1,
                unit_duration_cost=round(vehicle.cost_per_time * money / tick),
                profile=profile,
                max_reloads=0,
            )
        )
    return pyvrp.ProblemData(
        locations=[pyvrp.Location(0, 0) for _ in rows],
        clients=clients,
        depots=[pyvrp.Depot(location=at) for at in range(depots)],
        vehicle_types=types,
        distance_matrices=distance_of,
        duration_matrices=duration_of,
    )


def _first_leg_is_free(problem: Problem) -> bool:
    """Whether the time since the first stop can be limited exactly. It cannot where the time from the depot counts too: then the whole
    route is held to the limit for samples, which is stricter."""
    origins = {(one.depot, one.starts) for one in problem.vehicles if one.number}
    counted = any(one.cost_per_time or one.max_duration < inf for one in problem.vehicles)
    return len(origins) == 1 and not counted and not any(stop.release for stop in problem.stops)


def _reached(problem: Problem, position: int) -> float:
    """When a stop can be reached at the earliest, by any vehicle straight from its depot."""
    row = problem.row_of(position)
    return min(
        one.starts + float(problem.duration[problem.depot_at(one), row]) for one in problem.vehicles if one.number
    )


def _all_whole(figures: list[float]) -> bool:
    return all(figure == inf or float(figure).is_integer() for figure in figures)


def _up(figure: float, scale: int) -> int:
    return min(ENDLESS, ceil(figure * scale - _SLACK)) if figure < inf else ENDLESS


def _down(figure: float, scale: int) -> int:
    return min(ENDLESS, floor(figure * scale + _SLACK)) if figure < inf else ENDLESS
