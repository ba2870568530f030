"""Published problems: what the verifier and the bound say of their best known plans."""

from __future__ import annotations

import re
from math import inf

import pytest
from bench.routes import CVRP, VRPTW, savings

from yiwang.core.planning.routes import Effort, Plan, plan_routes, verify
from yiwang.core.planning.routes.benchmarks import read_cost, read_solomon, read_vrplib
from yiwang.core.planning.routes.bound import lower_bound
from yiwang.core.planning.routes.plan import route_of, total_cost
from yiwang.core.planning.standing import Standing

pytestmark = pytest.mark.real_data


@pytest.mark.skipif(CVRP is None, reason="needs ../shared/data/vrp_pyvrp")
@pytest.mark.parametrize("name", ["X-n101-k25", "X-n153-k22", "X-n200-k36"])
def test_a_published_plan_is_right_and_costs_what_it_says(name: str) -> None:
    assert CVRP is not None
    problem = read_vrplib((CVRP / f"{name}.vrp").read_text(encoding="utf-8"), name)
    solution = (CVRP / f"{name}.sol").read_text(encoding="utf-8")
    orders = [[int(stop) - 1 for stop in line.split()] for line in re.findall(r"Route #\d+: (.*)", solution)]
    routes = tuple(route_of(problem, problem.vehicles[0], order) for order in orders)
    cost = total_cost(problem, routes)
    assert cost == read_cost(solution)
    assert verify(problem, Plan(routes=routes, skipped=(), standing=Standing(objective=cost, bound=-inf))) == []
    if name == "X-n101-k25":
        assert 0.97 * cost <= lower_bound(problem, routes, work=1e9) <= cost


@pytest.mark.skipif(VRPTW is None, reason="needs ../shared/data/vrptw_solomon")
def test_clustered_customers_are_planned_and_proved() -> None:
    assert VRPTW is not None
    problem = read_solomon((VRPTW / "instances" / "c101.json").read_text(encoding="utf-8"), "c101.json")
    plan = plan_routes(problem, effort=Effort(iterations=100), fewest=True)
    assert (len(plan.routes), plan.least_vehicles) == (10, 10)
    assert plan.standing.objective == pytest.approx(828.94, abs=0.005)
    assert plan.standing.proven
    peer = savings(problem)
    assert peer is None or peer.standing.objective >= plan.standing.bound
