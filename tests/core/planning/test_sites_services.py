"""Sites with capacities and several services against every set of sites, each with its transport solved by scipy."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest
from scipy.optimize import linprog

from yiwang.core.kernel.errors import BadInput
from yiwang.core.planning.sites import services
from yiwang.core.planning.sites.distances import Matrix
from yiwang.core.planning.sites.services import Service, ServiceProblem, plan_services
from yiwang.core.planning.sites.verify import verify_services


def problem(seed: int) -> ServiceProblem:
    random = np.random.default_rng(seed)
    n, m = int(random.integers(3, 6)), int(random.integers(3, 6))
    p = int(random.integers(1, m))
    kinds = []
    for name in ("sampling", "vaccination")[: 1 + seed % 2]:
        demand = np.round(random.random(n) * 10, 1)
        room = np.round(random.random(m) * 2 * demand.sum() / max(1, p), 1)
        if seed % 4 == 3:
            room[random.integers(m)] = 0.0
        kinds.append(Service(id=name, demand=demand, capacity=room, p=p if seed % 3 else None))
    far = np.round(random.random((n, m)) * 10, 1)
    radius = 5.0 if seed % 5 == 0 else None
    return _made(Matrix(far), tuple(kinds), p, radius, fixed=(0,) if seed % 7 == 0 else (), undivided=seed % 6 == 1)


def _made(
    far: Matrix, kinds: tuple[Service, ...], p: int, radius: float | None, *, fixed: tuple[int, ...], undivided: bool
) -> ServiceProblem:
    while True:
        try:
            return ServiceProblem(distances=far, services=kinds, p=p, fixed=fixed, radius=radius, undivided=undivided)
        except BadInput:  # too little room for all: ten per cent more of it
            kinds = tuple(replace(one, capacity=one.capacity * 1.1 + 0.1) for one in kinds)


def cheapest(given: ServiceProblem) -> float:
    """The least cost over all sets of sites; the most demand within the radius, negative, where there is one."""
    best, far = np.inf, given.distances.columns(np.arange(given.distances.candidates))
    for sites in combinations(range(given.distances.candidates), given.p):
        if set(given.fixed) <= set(sites):
            best = min(best, sum(_shared(given, one, far, sites) for one in given.services))
    return best


def _shared(given: ServiceProblem, service: Service, far: np.ndarray, sites: tuple[int, ...]) -> float:
    demand, room, ways = service.demand, service.capacity[list(sites)], far[:, sites]
    near = np.isfinite(ways) if given.radius is None else ways <= given.radius
    cost = ways * demand[:, None] if given.radius is None else -np.broadcast_to(demand[:, None], ways.shape)
    n, k = ways.shape
    if given.undivided:
        found = np.inf
        for to in product(range(-1 if given.radius is not None else 0, k), repeat=n):
            load = [sum(demand[i] for i in range(n) if to[i] == j) for j in range(k)]
            allowed = all(demand[i] == 0 or to[i] < 0 or near[i, to[i]] for i in range(n))
            if allowed and all(load[j] <= room[j] + 1e-9 for j in range(k)):
                found = min(found, sum(cost[i, to[i]] for i in range(n) if to[i] >= 0))
        return found
    rows = np.kron(np.eye(n), np.ones(k))
    loads = np.kron(demand, np.eye(k))
    limits = [(0, 1 if near[i, j] else 0) for i in range(n) for j in range(k)]
    if given.radius is None:
        answer = linprog(cost.ravel(), A_ub=loads, b_ub=room, A_eq=rows, b_eq=np.ones(n), bounds=limits)
    else:
        answer = linprog(
            cost.ravel(), A_ub=np.vstack([loads, rows]), b_ub=np.concatenate([room, np.ones(n)]), bounds=limits
        )
    return float(answer.fun) if answer.success else np.inf


@pytest.mark.parametrize("seed", range(60))
def test_services_are_the_best_of_all_sets(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    given = problem(seed)
    if seed % 2:
        monkeypatch.setattr(services, "_FIRST_LIST", 1)
    best = cheapest(given)
    if np.isinf(best):
        with pytest.raises(BadInput):
            plan_services(given)
        return
    plan = plan_services(given)
    assert plan.standing.objective == pytest.approx(abs(best), rel=1e-5, abs=1e-5)
    assert plan.standing.proven
    assert verify_services(given, plan) == []


def test_what_goes_short_is_said_by_service_and_amount() -> None:
    far = np.array([[1.0, np.inf], [np.inf, 1.0]])
    service = Service(id="sampling", demand=np.array([5.0, 5.0]), capacity=np.array([10.0, 10.0]))
    with pytest.raises(
        BadInput, match=r"sampling: at least 5 of the demand has nowhere to go, as at demand point [12]"
    ):
        plan_services(ServiceProblem(distances=Matrix(far), services=(service,), p=1))
    with pytest.raises(BadInput, match=r"demand is 10, and the 1 largest sites have room for 6"):
        ServiceProblem(distances=Matrix(far), services=(replace(service, capacity=np.array([6.0, 4.0])),), p=1)
