"""A check of plans of sites that shares no code with the solvers: everything is computed again from the distances."""

from __future__ import annotations

from collections.abc import Iterator
from math import isclose, isinf

import numpy as np

from yiwang.core.kernel.errors import Problem
from yiwang.core.kernel.text import Text
from yiwang.core.planning.sites.problem import SitePlan, SiteProblem
from yiwang.core.planning.sites.services import ServicePlan, ServiceProblem

_NEAR = 1e-6  # of a share or a capacity


def verify_sites(problem: SiteProblem, plan: SitePlan, *, model: str, radius: float | None = None) -> list[Problem]:
    """What is wrong with a plan of the model ``pmedian``, ``pcenter`` or ``mclp``; nothing for a right one."""
    found = list(_set_faults(plan.sites, problem.p, problem.fixed, problem.distances.candidates))
    if len(plan.sites) != problem.p:
        found.append(_fault(Text("点数", "the number of sites"), len(plan.sites), problem.p))
    total, longest, covered = 0.0, 0.0, 0.0
    far = problem.distances.columns(np.array(plan.sites, dtype=np.int64))
    for i, weight in enumerate(problem.demand.tolist()):
        ways = far[i].tolist()
        nearest = min(ways)
        reached = not isinf(nearest) and (radius is None or nearest <= radius)
        given = int(plan.assigned[i])
        if (given >= 0) != reached or (reached and ways[plan.sites.index(given)] != nearest):
            found.append(
                _fault(
                    Text("第 {i} 个需求点的去向", "where demand point {i} goes", i=i + 1),
                    given,
                    "the nearest open site",
                )
            )
        if weight > 0:
            total += weight * nearest
            longest = max(longest, nearest)
        covered += weight if reached else 0.0
    objective = {"pmedian": total, "pcenter": longest, "mclp": covered}[model]
    if not isclose(objective, plan.standing.objective, rel_tol=1e-9, abs_tol=1e-9):
        found.append(_fault(Text("目标值", "the objective"), plan.standing.objective, objective))
    return found


def verify_services(problem: ServiceProblem, plan: ServicePlan) -> list[Problem]:
    """What is wrong with a plan of services; nothing for a right one."""
    found = list(_set_faults(plan.sites, problem.p, problem.fixed, problem.distances.candidates))
    far = problem.distances.columns(np.arange(problem.distances.candidates))
    objective = 0.0
    for service, shares, offered in zip(problem.services, plan.shares, plan.offered, strict=True):
        load = [0.0] * problem.distances.candidates
        given = [0.0] * problem.distances.points
        for i, j, share in shares:
            if j not in plan.sites or isinf(far[i, j]) or (problem.radius is not None and far[i, j] > problem.radius):
                found.append(
                    _fault(
                        Text("第 {i} 个需求点的去向", "where demand point {i} goes", i=i + 1),
                        j,
                        "an open site that it may use",
                    )
                )
            if problem.undivided and not isclose(share, 1.0, abs_tol=_NEAR):
                found.append(_fault(Text("第 {i} 个需求点的份额", "the share of demand point {i}", i=i + 1), share, 1))
            given[i] += share
            load[j] += share * float(service.demand[i])
            objective += float(service.demand[i]) * share * (1.0 if problem.radius is not None else float(far[i, j]))
        for j, amount in enumerate(load):
            if amount > float(service.capacity[j]) * (1 + _NEAR) + _NEAR:
                found.append(
                    _fault(
                        Text("第 {j} 个候选点的负荷", "the load of candidate {j}", j=j + 1),
                        amount,
                        float(service.capacity[j]),
                    )
                )
        for i, share in enumerate(given):
            needed = problem.radius is None and service.demand[i] > 0
            if share > 1 + _NEAR or (needed and share < 1 - _NEAR):
                found.append(
                    _fault(Text("第 {i} 个需求点的份额之和", "the shares of demand point {i}", i=i + 1), share, 1)
                )
        if service.p is not None and len(offered) > service.p:
            found.append(
                _fault(Text("服务 {id} 的点数", "the sites of service {id}", id=service.id), len(offered), service.p)
            )
    if not isclose(objective, plan.standing.objective, rel_tol=1e-5, abs_tol=1e-5):
        found.append(_fault(Text("目标值", "the objective"), plan.standing.objective, objective))
    return found


def _set_faults(sites: tuple[int, ...], p: int, fixed: tuple[int, ...], candidates: int) -> Iterator[Problem]:
    if len(set(sites)) != len(sites) or len(sites) > p or any(not 0 <= j < candidates for j in sites):
        yield _fault(Text("所选的点", "the set of sites"), sites, f"at most {p} different candidates")
    if missing := set(fixed) - set(sites):
        yield _fault(Text("已有的点", "sites that exist"), sorted(missing), "open")


def _fault(what: Text, given: object, right: object) -> Problem:
    return Problem(
        Text("{what}不对：方案为 {given}，应为 {right}。", "{what} is wrong: the plan says {given}, and it is {right}.",
             what=what, given=str(given), right=str(right))
    )  # fmt: skip
