"""Reserves and rosters: transport at least cost, and a roster of sixty people for four weeks.

    python -m bench reserves

Transport: 500 warehouses, 5,000 places at random points of a square of 100 km, each place linked to the twenty nearest warehouses; stock is
1.15 times the need. The peers see the same arcs: a greedy that serves each place in turn from its nearest stock, and scipy's `linprog`
(HiGHS's interior point and simplex behind another door) on the matrices. The roster: sixty people with one or two of three skills, three
shifts a day, leave and wishes drawn at random.
"""

from __future__ import annotations

import time
from datetime import date, timedelta
from typing import Any

import numpy as np

from yiwang.core.planning.reserves.flow import Link, Lot, Need, Network, plan_flow
from yiwang.core.planning.reserves.flow_check import flow_faults
from yiwang.core.planning.rosters.check import roster_faults
from yiwang.core.planning.rosters.plan import plan_roster
from yiwang.core.planning.rosters.problem import Person, RosterProblem, Rules, Shift

WAREHOUSES, PLACES, NEAREST = 500, 5_000, 20
SECONDS = 60.0


def network(warehouses: int = WAREHOUSES, places: int = PLACES, nearest: int = NEAREST, seed: int = 1) -> Network:
    """A network of one good, with whole kilometres as costs."""
    draw = np.random.default_rng(seed)
    sources, sinks = draw.uniform(0, 100, (warehouses, 2)), draw.uniform(0, 100, (places, 2))
    needs = draw.integers(1, 50, places)
    stock = np.ceil(1.15 * needs.sum() / warehouses * draw.uniform(0.6, 1.4, warehouses))
    links = []
    for place in range(places):
        far = np.hypot(*(sources - sinks[place]).T)
        for warehouse in np.argsort(far, kind="stable")[:nearest]:
            cost = float(np.ceil(far[warehouse]))
            links.append(Link(start=f"w{warehouse}", end=f"p{place}", cost=cost))
    return Network(
        lots=tuple(Lot(id=f"L{i}", place=f"w{i}", good="g", amount=float(stock[i])) for i in range(warehouses)),
        needs=tuple(Need(place=f"p{j}", good="g", amount=float(needs[j])) for j in range(places)),
        links=tuple(links),
    )


def greedy(given: Network) -> tuple[float, float]:
    """Each place in turn from the nearest stock that is left: the cost, and what goes short."""
    left = {lot.place: lot.amount for lot in given.lots}
    ways: dict[str, list[Link]] = {}
    for link in sorted(given.links, key=lambda one: one.cost):
        ways.setdefault(link.end, []).append(link)
    cost = short = 0.0
    for need in given.needs:
        amount = need.amount
        for link in ways[need.place]:
            taken = min(amount, left[link.start])
            left[link.start] -= taken
            amount -= taken
            cost += taken * link.cost
        short += amount
    return cost, short


def by_linprog(given: Network) -> float:
    """The cost that scipy finds."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_array

    lots = {lot.place: number for number, lot in enumerate(given.lots)}
    needs = {need.place: number for number, need in enumerate(given.needs)}
    arcs, ones = np.arange(len(given.links)), np.ones(len(given.links))
    out = csr_array((ones, ([lots[link.start] for link in given.links], arcs)), shape=(len(lots), len(arcs)))
    into = csr_array((ones, ([needs[link.end] for link in given.links], arcs)), shape=(len(needs), len(arcs)))
    found = linprog(
        [link.cost for link in given.links],
        A_ub=out,
        b_ub=[lot.amount for lot in given.lots],
        A_eq=into,
        b_eq=[need.amount for need in given.needs],
        method="highs",
    )
    return float(found.fun)


def roster_problem(people: int = 60, days: int = 28, seed: int = 1) -> RosterProblem:
    """A ward: nurses, doctors and drivers, on early, late and night shifts."""
    draw = np.random.default_rng(seed)
    first = date(2026, 6, 1)
    dates = [first + timedelta(days=number) for number in range(days)]
    staff = []
    for number in range(people):
        skills = {("nurse", "doctor", "driver")[0 if number % 5 < 3 else number % 5 - 2]}
        if draw.random() < 0.15:
            skills.add("driver")
        leave, wishes = draw.choice(days, 2, replace=False), draw.choice(days, 3, replace=False)
        staff.append(
            Person(
                id=f"p{number:02}",
                skills=frozenset(skills),
                hours=float(draw.choice([24, 32, 40, 40, 40])),
                unavailable=frozenset(dates[day] for day in leave),
                wishes=frozenset(dates[day] for day in wishes),
            )
        )
    shifts = (
        Shift(id="early", start=6 * 60, hours=8, need={"nurse": 7, "doctor": 2, "driver": 2}),
        Shift(id="late", start=14 * 60, hours=8, need={"nurse": 5, "doctor": 2, "driver": 2}),
        Shift(id="night", start=22 * 60, hours=8, need={"nurse": 3, "doctor": 1, "driver": 1}, night=True),
    )
    return RosterProblem(first=first, days=days, people=tuple(staff), shifts=shifts, rules=Rules())


def run() -> list[dict[str, Any]]:
    """Times and costs in the same run; a ratio above one is in our favour."""
    given = network()
    began = time.perf_counter()
    plan = plan_flow(given)
    ours = time.perf_counter() - began
    assert not flow_faults(given, plan)
    checked = time.perf_counter() - began - ours
    began = time.perf_counter()
    greedy_cost, greedy_short = greedy(given)
    greedy_seconds = time.perf_counter() - began
    began = time.perf_counter()
    other = by_linprog(given)
    other_seconds = time.perf_counter() - began
    name = f"transport, {WAREHOUSES} × {PLACES:,}, {len(given.links):,} links"
    cost = plan.standing.objective
    problem = roster_problem()
    began = time.perf_counter()
    made = plan_roster(problem, seconds=SECONDS)
    seconds = time.perf_counter() - began
    assert not roster_faults(problem, made.duties)
    stages = ", ".join(
        f"{what} {standing.objective:.4g} (bound {standing.bound:.4g}, gap {standing.gap:.1%})"
        for what, standing in (
            ("lacking", made.uncovered),
            ("highest load", made.load),
            ("wishes refused", made.wishes),
        )
    )
    unserved = f", {greedy_short:,.0f} short" if greedy_short else ""
    return [
        {
            "name": f"{name}: seconds", "value": ours, "unit": "s",
            "peer": f"linprog {other_seconds:.2f} s; our check of the proof {checked:.2f} s", "ratio": other_seconds / ours,
        },
        {
            "name": f"{name}: cost", "value": cost, "unit": "unit-km",
            "peer": f"linprog {other:,.0f}", "ratio": other / cost,
        },
        {
            "name": f"{name}: cost", "value": cost, "unit": "unit-km",
            "peer": f"greedy {greedy_cost:,.0f}{unserved}, {greedy_seconds:.2f} s", "ratio": greedy_cost / cost,
        },
        {
            "name": f"roster, {len(problem.people)} people × {problem.days} days, {problem.needed:,} duties", "value": seconds,
            "unit": "s", "peer": stages, "ratio": None,
        },
    ]  # fmt: skip
