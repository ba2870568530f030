"""Routes against the best known of two published sets, and against the savings heuristic in the same run.

    python -m bench routes

CVRP: X-n101 to X-n200 of E. Uchoa and others (2017) in `../shared/data/vrp_pyvrp`, whole-number distances, the least cost. VRPTW: Solomon's
C1 and R1 in `../shared/data/vrptw_solomon`, the fewest vehicles first, then the distance in double precision. Each instance has `SECONDS`
for the search, the bound and the proof of the fleet together, two instances at a time; so figures depend on the machine. Every plan is
checked by the verifier. The peer is the savings heuristic of G. Clarke and J. W. Wright (1964), with windows checked at every merger.

``YIWANG_BENCH_ROUTES`` names the instances to run, separated by commas, instead of all.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from math import inf
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

from yiwang.core.planning.routes import Effort, Plan, Problem, plan_routes, verify
from yiwang.core.planning.routes.benchmarks import read_cost, read_solomon, read_vrplib
from yiwang.core.planning.routes.plan import route_of, total_cost
from yiwang.core.planning.standing import Standing

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 27.0


def folder(*parts: str) -> Path | None:
    """A folder of the shared data, where it is there."""
    places = (ROOT.parent / "shared" / "data", Path("/work/shared/data"))
    return next((place.joinpath(*parts) for place in places if place.joinpath(*parts).is_dir()), None)


CVRP, VRPTW = folder("vrp_pyvrp", "CVRP"), folder("vrptw_solomon")


def best_known_vrptw() -> dict[str, tuple[int, float]]:
    """Vehicles and distance of the best known plan of each instance that has one."""
    if VRPTW is None:
        return {}
    with (VRPTW / "bks_table.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["instance"]: (int(row["vehicles"]), float(row["distance_recomputed"])) for row in csv.DictReader(file)
        }


def savings(problem: Problem) -> Plan | None:
    """Two routes are joined end to start as long as that saves distance and nothing is broken; None where too many routes remain."""
    vehicle, home, distance = problem.vehicles[0], 0, problem.distance
    routes = {at: [at] for at in range(len(problem.stops))}
    of = dict(enumerate(routes))
    pairs = [(a, b) for a in routes for b in routes if a != b]
    row = problem.row_of
    pairs.sort(
        key=lambda ab: distance[row(ab[0]), row(ab[1])] - distance[row(ab[0]), home] - distance[home, row(ab[1])]
    )
    for a, b in pairs:
        left, right = routes[of[a]], routes[of[b]]
        if of[a] == of[b] or left[-1] != a or right[0] != b or not fits(problem, [*left, *right]):
            continue
        gone = of[b]
        left.extend(right)
        for stop in right:
            of[stop] = of[a]
        del routes[gone]
    made = tuple(route_of(problem, vehicle, order) for order in routes.values())
    plan = Plan(routes=made, skipped=(), standing=Standing(objective=total_cost(problem, made), bound=-inf))
    return None if verify(problem, plan) else plan


def fits(problem: Problem, order: Sequence[int]) -> bool:
    """Whether the only vehicle type can drive an order."""
    vehicle, stops = problem.vehicles[0], [problem.stops[at] for at in order]
    if sum(stop.demand[0] for stop in stops) > vehicle.capacity[0]:
        return False
    place, clock = 0, vehicle.starts
    for at, stop in zip(order, stops, strict=True):
        clock = max(clock + problem.duration[place, problem.row_of(at)], stop.opens)
        if clock > stop.closes:
            return False
        place, clock = problem.row_of(at), clock + stop.service
    return bool(clock + problem.duration[place, 0] <= vehicle.ends)


def measure(path: Path) -> dict[str, Any]:
    """One instance: our plan, and that of the savings."""
    timed = path.suffix == ".json"
    problem = (read_solomon if timed else read_vrplib)(path.read_text(encoding="utf-8"), path.name)
    plan = plan_routes(problem, effort=Effort(iterations=10**9, seconds=SECONDS, bound_work=inf), fewest=timed)
    peer = savings(problem)
    return {
        "instance": path.stem,
        "cost": plan.standing.objective,
        "vehicles": len(plan.routes),
        "bound": plan.standing.bound,
        "gap": plan.standing.gap,
        "peer": peer.standing.objective if peer else None,
        "peer_vehicles": len(peer.routes) if peer else None,
    }


def instances() -> list[tuple[Path, int | None, float]]:
    """File, number of vehicles that counts first, and cost of the best known."""
    found: list[tuple[Path, int | None, float]] = []
    if CVRP is not None:
        for path in sorted(CVRP.glob("X-*.vrp")):
            cost = read_cost(path.with_suffix(".sol").read_text(encoding="utf-8"))
            assert cost is not None
            found.append((path, None, cost))
    if VRPTW is not None:
        known = best_known_vrptw()
        paths = sorted((VRPTW / "instances").glob("*.json"))
        found += [(path, *known[path.stem]) for path in paths if path.stem in known]
    chosen = os.environ.get("YIWANG_BENCH_ROUTES")
    return [one for one in found if not chosen or one[0].stem in chosen.split(",")]


def run() -> list[dict[str, Any]]:
    """A row for each instance and the medians of both sets. The ratio is the savings' cost to ours."""
    chosen = instances()
    if not chosen:
        raise SystemExit("This needs ../shared/data/vrp_pyvrp or ../shared/data/vrptw_solomon.")
    with ProcessPoolExecutor(max_workers=2, mp_context=get_context("spawn")) as pool:
        measured = list(pool.map(measure, [path for path, _, _ in chosen]))
    rows, above = [], {"CVRP": [], "VRPTW": []}  # type: tuple[list[dict[str, Any]], dict[str, list[float]]]
    proved: dict[str, list[float]] = {"CVRP": [], "VRPTW": []}
    for one, (_, vehicles, best) in zip(measured, chosen, strict=True):
        kind = "CVRP" if vehicles is None else "VRPTW"
        comparable = vehicles is None or one["vehicles"] == vehicles
        excess = 100 * (one["cost"] / best - 1)
        if comparable:
            above[kind].append(excess)
        proved[kind].append(100 * one["gap"])
        count = "" if vehicles is None else f", {one['vehicles']} vehicles ({vehicles} best known)"
        peer = (
            "savings found no plan" if one["peer"] is None else f"savings {one['peer']:.6g} with {one['peer_vehicles']}"
        )
        rows.append(
            {
                "name": f"{one['instance']}: cost {one['cost']:.6g}{count}, bound {one['bound']:.6g}; above best known {best:.6g}",
                "value": excess, "unit": "%", "peer": peer, "ratio": one["peer"] / one["cost"] if one["peer"] else None,
            }
        )  # fmt: skip
    for kind, figures in above.items():
        if figures:
            total = len(proved[kind])
            name = f"{kind}: median above best known, {len(figures)} of {total} with the same number of vehicles"
            peer = f"largest {max(figures):.2f} %; median gap to our bound {median(proved[kind]):.2f} %"
            rows.append({"name": name, "value": median(figures), "unit": "%", "peer": peer, "ratio": None})
    return rows
