"""A plan, and the times of a route whose order of stops is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from yiwang.core.planning.routes.problem import Problem, Vehicle
from yiwang.core.planning.standing import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A stop on a route. Who arrives before ``begins`` waits; the service ends at ``begins`` plus the stop's service time."""

    stop: str
    arrives: float
    begins: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One vehicle's tour from its depot and back.

    Attributes:
        vehicle: Name of the vehicle type.
        leaves, returns: At the depot.
    """

    vehicle: str
    leaves: float
    visits: tuple[Visit, ...]
    returns: float
    distance: float
    cost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Routes for all that must be served.

    Attributes:
        skipped: Optional stops that are left out; their prices are part of the cost.
        standing: What the plan costs and what no plan can cost less than.
        least_vehicles: No plan that serves every mandatory stop has fewer vehicles.
        iterations: Of the search.
        by_the_clock: Whether the search was ended by a time limit, so that another machine may give another plan.
    """

    routes: tuple[Route, ...]
    skipped: tuple[str, ...]
    standing: Standing
    least_vehicles: int = 0
    iterations: int = 0
    by_the_clock: bool = False


def route_of(problem: Problem, vehicle: Vehicle, order: Sequence[int]) -> Route:
    """The times of a route, as short as they can be.

    Forward every service begins as early as possible, which gives the earliest return; backward from that return everything begins as
    late as possible. No other times of the same order bring any sample back sooner after it was taken, or need less time in all: to return
    an hour later lets each service begin at most an hour later. (The two passes are those of M. W. P. Savelsbergh, The vehicle routing
    problem with time windows: minimizing route duration, *ORSA Journal on Computing* 4, 1992.)

    Limits may be broken, as the order does not say that they can be kept: the verifier finds what is.

    Args:
        order: Positions among the stops.
    """
    home = problem.depot_at(vehicle)
    rows = [home, *(problem.row_of(stop) for stop in order), home]
    stops = [problem.stops[stop] for stop in order]
    legs = [float(problem.duration[a, b]) for a, b in pairwise(rows)]
    leaves = max(vehicle.starts, *(stop.release for stop in stops)) if stops else vehicle.starts
    clock, earliest = leaves, []
    for stop, leg in zip(stops, legs, strict=False):
        clock = max(clock + leg, stop.opens)
        earliest.append(clock)
        clock += stop.service
    returns = clock + legs[-1]

    begins: list[float] = []
    clock = returns
    for stop, leg, soonest in zip(reversed(stops), reversed(legs), reversed(earliest), strict=False):
        # never before the earliest, even by a rounding; never after closing unless the earliest is so already
        clock = max(soonest, min(clock - leg - stop.service, stop.closes))
        begins.insert(0, clock)
    leaves = max(leaves, begins[0] - legs[0]) if stops else leaves

    visits, clock = [], leaves
    for stop, leg, begin in zip(stops, legs, begins, strict=False):
        visits.append(Visit(stop=stop.id, arrives=min(begin, clock + leg), begins=begin))
        clock = begin + stop.service
    distance = sum(float(problem.distance[a, b]) for a, b in pairwise(rows))
    cost = vehicle.fixed_cost + vehicle.cost_per_distance * distance + vehicle.cost_per_time * (returns - leaves)
    return Route(vehicle=vehicle.id, leaves=leaves, visits=tuple(visits), returns=returns, distance=distance, cost=cost)


def total_cost(problem: Problem, routes: Sequence[Route]) -> float:
    """What routes cost, with the prices of the optional stops that none of them serves; infinite where a mandatory one is not served."""
    served = {visit.stop for route in routes for visit in route.visits}
    left = [inf if stop.price is None else stop.price for stop in problem.stops if stop.id not in served]
    return sum(route.cost for route in routes) + sum(left)
