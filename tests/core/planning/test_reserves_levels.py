"""Levels of stock against every alternative, and contracts day by day."""

from __future__ import annotations

from itertools import product
from math import inf

import numpy as np
import pytest

from yiwang.core.kernel.errors import BadInput
from yiwang.core.planning.reserves.contracts import Contract, bridge, bridge_with_chance
from yiwang.core.planning.reserves.demand import Demand
from yiwang.core.planning.reserves.levels import (
    PeriodCosts,
    base_stock,
    cycle_service,
    days_of_supply,
    fill_rate,
    newsvendor,
    normal_newsvendor,
    order_up_to,
    single_period_cost,
)

DEMANDS = (
    Demand.poisson(3.0),
    Demand.poisson(9.5),
    Demand.empirical([0, 0, 0, 5, 1, 0, 12, 0, 2]),
    Demand(chances=(0.6, 0.0, 0.4)),
    Demand.normal(12.0, 3.0),
)


def long_run_cost(demand: Demand, costs: PeriodCosts, *, lead: int, reorder: int, up_to: int) -> float:
    """The mean cost of (s, S) from the stationary distribution of the position: nothing of it is in the module that is tested."""
    states = list(range(reorder + 1, up_to + 1))
    step = np.zeros((len(states), len(states)))
    for row, position in enumerate(states):
        for units, chance in enumerate(demand.chances):
            left = position - units
            step[row, states.index(up_to if left <= reorder else left)] += chance
    system = np.vstack([step.T - np.eye(len(states)), np.ones(len(states))])
    stationary = np.linalg.lstsq(system, np.array([0.0] * len(states) + [1.0]), rcond=None)[0]
    over_lead = demand.times(lead + 1)
    cost = 0.0
    for share, position in zip(stationary, states, strict=True):
        orders = sum(chance for units, chance in enumerate(demand.chances) if position - units <= reorder)
        cost += share * costs.order * orders
        for units, chance in enumerate(over_lead.chances):
            at_end = position - units
            cost += share * chance * (costs.holding * max(at_end, 0) + costs.waiting * max(-at_end, 0))
    return float(cost)


@pytest.mark.parametrize("demand", DEMANDS)
@pytest.mark.parametrize(("short", "left"), [(9.0, 1.0), (1.0, 4.0), (2.0, 2.0)])
def test_no_other_quantity_costs_less_for_one_period(demand: Demand, short: float, left: float) -> None:
    found = newsvendor(demand, short=short, left=left)
    others = [single_period_cost(demand, units, short=short, left=left) for units in range(60)]
    assert found.cost == pytest.approx(min(others))
    assert others[found.units] == found.cost


def test_normal_demand_has_the_textbooks_figure() -> None:
    assert normal_newsvendor(100, 20, short=9, left=1) == pytest.approx(100 + 20 * 1.2815515655)
    assert abs(newsvendor(Demand.normal(100, 20), short=9, left=1).units - 125.6) <= 1
    assert Demand.normal(100, 20).mean == pytest.approx(100, abs=0.01)
    assert Demand.poisson(4).deviation == pytest.approx(2)


@pytest.mark.parametrize("demand", DEMANDS[:4])
@pytest.mark.parametrize(("order", "waiting", "lead"), [(5.0, 9.0, 0), (40.0, 4.0, 2)])
def test_no_other_order_up_to_policy_costs_less(demand: Demand, order: float, waiting: float, lead: int) -> None:
    costs = PeriodCosts(order=order, holding=1.0, waiting=waiting)
    found = order_up_to(demand, costs=costs, lead=lead)
    own = long_run_cost(demand, costs, lead=lead, reorder=found.reorder, up_to=found.up_to)
    assert found.cost == pytest.approx(own)
    near = product(range(found.reorder - 6, found.reorder + 7), range(found.up_to - 6, found.up_to + 7))
    others = [long_run_cost(demand, costs, lead=lead, reorder=s, up_to=b) for s, b in near if s < b]
    assert own <= min(others) + 1e-9


def test_order_up_to_has_the_best_of_a_whole_grid() -> None:
    costs = PeriodCosts(order=8.0, holding=1.0, waiting=5.0)
    demand = Demand.poisson(2.0)
    found = order_up_to(demand, costs=costs, lead=1)
    grid = [(s, b) for s, b in product(range(-5, 20), repeat=2) if s < b]
    least = min(long_run_cost(demand, costs, lead=1, reorder=s, up_to=b) for s, b in grid)
    assert found.cost == pytest.approx(least)


@pytest.mark.parametrize("demand", DEMANDS)
@pytest.mark.parametrize("service", [0.5, 0.9, 0.99])
def test_base_stock_is_the_least_that_serves(demand: Demand, service: float) -> None:
    level = base_stock(demand, service=service, lead=2, review=3)
    assert cycle_service(demand, level, lead=2, review=3) >= service - 1e-9
    assert cycle_service(demand, level - 1, lead=2, review=3) < service
    level = base_stock(demand, service=service, lead=2, review=3, by_fill_rate=True)
    assert fill_rate(demand, level, lead=2, review=3) >= service
    assert level == 0 or fill_rate(demand, level - 1, lead=2, review=3) < service


def test_the_fill_rate_is_what_a_simulation_finds() -> None:
    draw = np.random.default_rng(11)
    level, lead, review, periods = 14, 2, 2, 60_000
    wanted = draw.poisson(3.0, size=periods)
    orders: dict[int, float] = {}
    on_hand, served, position = float(level), 0.0, float(level)
    for period in range(periods):
        on_hand += orders.pop(period, 0.0)
        if period % review == 0 and position < level:
            ordered, position = level - position, float(level)
            orders[period + lead] = orders.get(period + lead, 0.0) + ordered
            on_hand += orders.pop(period, 0.0)
        served += min(max(on_hand, 0.0), wanted[period])
        on_hand -= wanted[period]
        position -= wanted[period]
    said = fill_rate(Demand.poisson(3.0), level, lead=lead, review=review)
    assert served / wanted.sum() == pytest.approx(said, abs=0.01)


def test_a_contract_needs_a_bridge_until_it_delivers() -> None:
    shelf = Contract(id="shelf", item="tents", lead=2, a_day=300, total=300)
    works = Contract(id="works", item="tents", lead=5, a_day=120)
    found = bridge([shelf, works], a_day=100, days=20)
    # 200 are used up before the shelf comes; with it 500 by day 5: just 200 more than 300
    assert (found.units, found.lasts) == (200.0, True)
    assert bridge([shelf], a_day=100, days=20).units == 1700
    assert not bridge([shelf], a_day=100, days=20).lasts
    assert bridge([], a_day=0, days=5).tightest == 0
    unsure = bridge_with_chance([shelf, works], demand=Demand.poisson(100), days=20, service=0.95)
    assert 200 < unsure.units < 260


def test_wrong_figures_are_told() -> None:
    with pytest.raises(BadInput, match="between 0 and 1"):
        base_stock(Demand.poisson(1), service=1.0, lead=1)
    with pytest.raises(BadInput, match="above 0"):
        newsvendor(Demand.poisson(1), short=0, left=1)
    with pytest.raises(BadInput, match="no demand"):
        order_up_to(Demand.poisson(0), costs=PeriodCosts(order=1, holding=1, waiting=1), lead=1)
    with pytest.raises(BadInput, match="history"):
        Demand.empirical([])
    assert days_of_supply(10, 0) == inf
    assert days_of_supply(10, 4) == 2.5
