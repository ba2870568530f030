"""Transport of several goods at least cost, over periods, from lots that expire.

A linear program of flows (R. K. Ahuja, T. L. Magnanti and J. B. Orlin, *Network Flows*, 1993, chapters 9 and 17). In each period a good
leaves its lots, moves over links within the period and is used up where it is needed::

    minimise    Σ cost[link] · flow[link, good, period]
    subject to  inflow − outflow + drawn[place, good, period] = need[place, good, period]
                Σ over goods of flow[link, good, period]  ≤  capacity[link]
                Σ over periods of drawn[lot, period]      ≤  amount[lot]

Its dual gives every place a price for each good and period, and every full link and exhausted lot a rent. They prove the plan: see
`flow_check`. Where the needs exceed what can be brought, first as little as possible goes short and then the cost is least; each of the two
has its own prices. Stock waits in its lot only; what has been sent is used in the same period.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isclose
from typing import TypeVar

from yiwang.core.planning.program import Answer, Program
from yiwang.core.planning.standing import Standing

NEVER = 10**9  # the last period of what does not expire
TINY = 1e-9  # less than this share of all that is needed is nothing
Spot = tuple[str, str, int]  # place, good, period
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """Stock of one good at one place, to be had from a period up to the last before it expires, both inclusive."""

    id: str
    place: str
    good: str
    amount: float
    since: int = 1
    until: int = NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a place uses up of a good in a period."""

    place: str
    good: str
    amount: float
    period: int = 1

    @property
    def spot(self) -> Spot:
        return self.place, self.good, self.period


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A way from one place to another.

    Attributes:
        good: The only good that it takes; empty where it takes all.
        cost: Of one unit, 0 or more.
        capacity: Units a period, of all goods together.
    """

    start: str
    end: str
    good: str = ""
    cost: float = 0.0
    capacity: float = inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """All that a transport plan has to obey. Places are named by lots, needs and links."""

    lots: tuple[Lot, ...]
    needs: tuple[Need, ...]
    links: tuple[Link, ...]

    @property
    def needed(self) -> dict[Spot, float]:
        """What is needed where and when, all rows of a place, good and period together."""
        found: dict[Spot, float] = defaultdict(float)
        for need in self.needs:
            found[need.spot] += need.amount
        return dict(found)

    @property
    def in_whole_units(self) -> bool:
        """Whether every amount and capacity is a whole number: then flows are too."""
        figures = [lot.amount for lot in self.lots] + [need.amount for need in self.needs]
        figures += [link.capacity for link in self.links if link.capacity < inf]
        return all(float(figure).is_integer() for figure in figures)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """A solution of the dual program, by which anybody can check a figure without solving anything.

    Attributes:
        places: What one more unit is worth at a place, by place, good and period; 0 where none is named.
        links: Rent of a full link, by its index and period.
        lots: Rent of an exhausted lot, by its index.
        short: By how much the cost would fall for each further unit that may go short.
    """

    places: Mapping[Spot, float] = field(default_factory=dict)
    links: Mapping[tuple[int, int], float] = field(default_factory=dict)
    lots: Mapping[int, float] = field(default_factory=dict)
    short: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowPlan:
    """A transport plan.

    Attributes:
        standing: Of the cost.
        flows: By index of the link, good and period.
        drawn: By index of the lot and period; within a place what expires first leaves first.
        short: What is needed and not brought; empty where all is.
        prices: Prove the bound of the cost.
        short_prices: Prove that no plan leaves less short; None where nothing is short.
    """

    standing: Standing
    flows: Mapping[tuple[int, str, int], float]
    drawn: Mapping[tuple[int, int], float]
    short: Mapping[Spot, float]
    prices: Prices
    short_prices: Prices | None = None


@dataclass(slots=True)
class _Model:
    """The program, with what its columns and rows stand for."""

    program: Program
    flows: dict[tuple[int, str, int], int] = field(default_factory=dict)
    drawn: dict[tuple[int, int], int] = field(default_factory=dict)
    short: dict[Spot, int] = field(default_factory=dict)
    balances: dict[Spot, int] = field(default_factory=dict)
    links: dict[tuple[int, int], int] = field(default_factory=dict)
    lots: dict[int, int] = field(default_factory=dict)
    limit: int | None = None


def plan_flow(network: Network, *, seconds: float = inf, seed: int = 1) -> FlowPlan:
    """Bring what is needed at least cost.

    Where every amount is a whole number, flows are too: at once where no link with a capacity takes several goods, as then the program is
    one of a network (Ahuja, Magnanti and Orlin, chapter 9: integrality); else by branch and bound, whose bound is kept.

    Args:
        seconds: Limit for branch and bound. When it has found nothing by then, the plan has fractions and the linear program's bound.
        seed: Of the solver.
    """
    began = time.perf_counter()
    needed = network.needed
    model = _model(network, needed, cost=True)
    answer = model.program.solve(seed=seed)
    short_prices = None
    if not answer.feasible:
        least = _model(network, needed, cost=False)
        scarce = least.program.solve(seed=seed)
        short_prices = _prices(least, scarce)
        model = _model(network, needed, cost=True, short=scarce.objective)
        answer = model.program.solve(seed=seed)
    prices, bound = _prices(model, answer), answer.objective
    if network.in_whole_units and not _whole(answer.values):
        model.program.whole = [True] * len(model.program.costs)
        better = model.program.solve(seconds=seconds, seed=seed)
        if better.feasible:
            answer, bound = better, max(bound, better.bound)
    exact = network.in_whole_units and _whole(answer.values)
    values = [round(value) for value in answer.values] if exact else answer.values
    floor = TINY * max(1.0, sum(needed.values()))
    drawn = _kept(model.drawn, values, floor)
    return FlowPlan(
        standing=Standing(
            objective=sum(cost * value for cost, value in zip(model.program.costs, values, strict=True)),
            bound=bound,
            seconds=time.perf_counter() - began,
        ),
        flows=_kept(model.flows, values, floor),
        drawn=first_expired_first_out(network.lots, drawn),
        short=_kept(model.short, values, floor),
        prices=prices,
        short_prices=short_prices,
    )


def first_expired_first_out(
    lots: Sequence[Lot], drawn: Mapping[tuple[int, int], float]
) -> dict[tuple[int, int], float]:
    """The same amounts from the same places in the same periods, from the lots that expire first.

    It never fails where the given draws are possible: to serve the periods in order, each from what expires first, finds a largest matching
    of intervals (F. Glover, *Naval Research Logistics Quarterly* 14, 1967). Lots of a place cost the same, so the plan's cost stays.
    """
    left = {index: lot.amount for index, lot in enumerate(lots)}
    wanted: dict[tuple[int, str, str], float] = defaultdict(float)
    for (index, period), amount in drawn.items():
        wanted[period, lots[index].place, lots[index].good] += amount
    by_shelf: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index in sorted(left, key=lambda one: (lots[one].until, lots[one].since, one)):
        by_shelf[lots[index].place, lots[index].good].append(index)
    found: dict[tuple[int, int], float] = {}
    for (period, place, good), amount in sorted(wanted.items()):
        for index in by_shelf[place, good]:
            taken = min(amount, left[index]) if lots[index].since <= period <= lots[index].until else 0.0
            if taken > 0:
                found[index, period] = taken
                left[index] -= taken
                amount -= taken
    return found


def _model(network: Network, needed: Mapping[Spot, float], *, cost: bool, short: float | None = None) -> _Model:
    """The program: with its costs, or with the amount that goes short as its cost; ``short`` limits that amount."""
    model = _Model(program=Program())
    goods = {good: {period for _, one, period in needed if one == good} for _, good, _ in needed}
    balance: dict[Spot, list[tuple[int, float]]] = {spot: [] for spot in needed}
    room: dict[tuple[int, int], list[tuple[int, float]]] = defaultdict(list)
    program = model.program
    for index, link in enumerate(network.links):
        if link.start == link.end:
            continue  # moves nothing
        for good in (link.good,) if link.good else sorted(goods):
            for period in sorted(goods.get(good, ())):
                column = program.column(cost=link.cost if cost else 0.0)
                model.flows[index, good, period] = column
                balance.setdefault((link.start, good, period), []).append((column, -1.0))
                balance.setdefault((link.end, good, period), []).append((column, 1.0))
                if link.capacity < inf:
                    room[index, period].append((column, 1.0))
    for index, lot in enumerate(network.lots):
        drawn = []
        for period in sorted(goods.get(lot.good, ())):
            if lot.since <= period <= lot.until:
                column = model.drawn[index, period] = program.column()
                balance.setdefault((lot.place, lot.good, period), []).append((column, 1.0))
                drawn.append((column, 1.0))
        model.lots[index] = program.row(drawn, high=lot.amount)
    if not cost or short is not None:
        for spot, amount in needed.items():
            column = model.short[spot] = program.column(cost=0.0 if cost else 1.0, high=amount)
            balance[spot].append((column, 1.0))
        if short is not None:
            # a hair more than the least, or rounding could make it impossible
            limit = short + TINY * max(1.0, short) * (not float(short).is_integer())
            model.limit = program.row([(column, 1.0) for column in model.short.values()], high=limit)
    for spot, terms in balance.items():
        amount = needed.get(spot, 0.0)
        model.balances[spot] = program.row(terms, low=amount, high=amount)
    for key, terms in room.items():
        model.links[key] = program.row(terms, high=network.links[key[0]].capacity)
    return model


def _prices(model: _Model, answer: Answer) -> Prices:
    duals = answer.duals
    return Prices(
        places={spot: duals[row] for spot, row in model.balances.items() if duals[row]},
        links={key: -duals[row] for key, row in model.links.items() if duals[row] < 0},
        lots={index: -duals[row] for index, row in model.lots.items() if duals[row] < 0},
        short=max(0.0, -duals[model.limit]) if model.limit is not None else 0.0,
    )


def _kept(columns: Mapping[Key, int], values: Sequence[float], floor: float) -> dict[Key, float]:
    return {key: values[column] for key, column in columns.items() if values[column] > floor}


def _whole(values: Sequence[float]) -> bool:
    return all(isclose(value, round(value), abs_tol=1e-6) for value in values)
