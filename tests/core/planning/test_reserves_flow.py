"""Transport plans: optimal by their prices, checked by somebody else, and short in words."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import inf

import numpy as np
import pytest
from scipy.optimize import linprog

from yiwang.core.kernel.errors import BadInput
from yiwang.core.planning.reserves.flow import Link, Lot, Need, Network, first_expired_first_out, plan_flow
from yiwang.core.planning.reserves.flow_check import flow_faults, proven_least, why_short
from yiwang.core.planning.reserves.flow_file import read_network

HEADER = "kind,place,to,good,amount,cost,period,until,id\n"


def random_network(seed: int, *, shared: bool = False, scarce: float = 1.0) -> Network:
    """Three warehouses, four places, a hub between them, two goods, two periods."""
    draw = np.random.default_rng(seed)
    goods = ("water", "tents")
    lots = [
        Lot(
            id=f"L{number}",
            place=f"w{number % 3}",
            good=goods[number % 2],
            amount=float(draw.integers(4, int(40 * scarce) + 5)),
            since=1,
            until=int(draw.integers(1, 4)),
        )
        for number in range(9)
    ]
    needs = [
        Need(place=f"p{place}", good=good, amount=float(draw.integers(1, 8)), period=period)
        for place, good, period in product(range(4), goods, (1, 2))
    ]
    links = []
    for place in range(4):
        for source in ("w0", "w1", "w2", "hub"):
            if draw.random() < 0.7:
                capacity = float(draw.integers(3, 15)) if draw.random() < 0.5 else inf
                good = "" if shared or capacity == inf else goods[int(draw.integers(2))]
                cost = float(draw.integers(1, 20))
                links.append(Link(start=source, end=f"p{place}", cost=cost, capacity=capacity, good=good))
    links += [Link(start=f"w{number}", end="hub", cost=2.0, capacity=12.0, good="water") for number in range(3)]
    links += [Link(start=f"w{number}", end="hub", cost=3.0, capacity=9.0, good="tents") for number in range(3)]
    return Network(lots=tuple(lots), needs=tuple(needs), links=tuple(links))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("scarce", [0.1, 1.0])
def test_plans_pass_the_check_and_are_proven(seed: int, scarce: float) -> None:
    network = random_network(seed, scarce=scarce)
    plan = plan_flow(network)
    assert flow_faults(network, plan) == []
    assert plan.standing.proven
    assert all(float(amount).is_integer() for amount in plan.flows.values())
    assert bool(plan.short) == bool(why_short(network, plan))


@pytest.mark.parametrize("seed", range(6))
def test_goods_that_share_links_still_travel_in_whole_units(seed: int) -> None:
    network = random_network(seed, shared=True, scarce=0.3)
    plan = plan_flow(network)
    assert flow_faults(network, plan) == []
    assert plan.standing.proven
    assert all(float(amount).is_integer() for amount in (*plan.flows.values(), *plan.short.values()))


def test_the_cost_is_that_of_another_solver() -> None:
    draw = np.random.default_rng(5)
    costs = draw.integers(1, 50, size=(6, 9)).astype(float)
    stock, need = draw.integers(10, 30, size=6).astype(float), draw.integers(1, 7, size=9).astype(float)
    network = Network(
        lots=tuple(Lot(id=f"L{i}", place=f"w{i}", good="g", amount=stock[i]) for i in range(6)),
        needs=tuple(Need(place=f"p{j}", good="g", amount=need[j]) for j in range(9)),
        links=tuple(Link(start=f"w{i}", end=f"p{j}", cost=costs[i, j]) for i in range(6) for j in range(9)),
    )
    rows = np.kron(np.eye(6), np.ones(9))
    columns = np.kron(np.ones(6), np.eye(9))
    other = linprog(costs.ravel(), A_ub=rows, b_ub=stock, A_eq=columns, b_eq=need)
    assert plan_flow(network).standing.objective == pytest.approx(other.fun)


def test_prices_that_gain_prove_nothing_and_tampering_is_found() -> None:
    network = random_network(3)
    plan = plan_flow(network)
    dearer = replace(plan.prices, places={spot: price + 50 for spot, price in plan.prices.places.items()})
    assert proven_least(network, dearer) < plan.standing.bound
    key = next(iter(plan.flows))
    assert flow_faults(network, replace(plan, flows={**plan.flows, key: plan.flows[key] + 1}))
    assert flow_faults(network, replace(plan, standing=replace(plan.standing, bound=plan.standing.bound + 1)))
    assert flow_faults(network, replace(plan, drawn={}))


def test_what_expires_first_leaves_first() -> None:
    lots = (
        Lot(id="late", place="w", good="g", amount=5, until=9),
        Lot(id="soon", place="w", good="g", amount=3, until=2),
        Lot(id="new", place="w", good="g", amount=4, since=2, until=2),
    )
    # in period 2 the two short-lived lots come before the long-lived one
    assert first_expired_first_out(lots, {(0, 1): 3.0, (2, 2): 4.0, (0, 2): 1.0}) == {
        (1, 1): 3.0,
        (2, 2): 4.0,
        (0, 2): 1.0,
    }


def test_a_shortage_is_put_into_words() -> None:
    text = HEADER + (
        "lot,north,,rice,10,,,,N1\nlot,south,,rice,50,,,,S1\nneed,mill,,rice,20\nneed,dock,,rice,5\n"
        "link,north,mill,,,1\nlink,south,mill,rice,4,9\nlink,south,dock,,,2\n"
    )
    network = read_network(text)
    plan = plan_flow(network)
    assert plan.short == {("mill", "rice", 1): 6}
    assert flow_faults(network, plan) == []
    assert plan.standing.objective == 10 * 1 + 4 * 9 + 5 * 2
    said = " ".join(str(sentence) for sentence in why_short(network, plan))
    assert "mill is short of 6 of rice in period 1" in said
    assert "N1 (north, rice: 10)" in said
    assert "south → mill (4, 1)" in said
    assert "S1" not in said
    assert "短缺" in why_short(network, plan)[0].zh


def test_an_expired_lot_is_of_no_use() -> None:
    network = Network(
        lots=(Lot(id="old", place="p", good="milk", amount=9, until=1),),
        needs=(Need(place="p", good="milk", amount=4, period=2),),
        links=(),
    )
    plan = plan_flow(network)
    assert plan.short == {("p", "milk", 2): 4}
    assert flow_faults(network, plan) == []
    assert "No lot can be brought to them." in [str(sentence) for sentence in why_short(network, plan)]


def test_every_fault_of_a_file_is_told() -> None:
    with pytest.raises(BadInput) as caught:
        read_network(HEADER + "lot,w,,rice,-1\nneeed,p,,rice,3\nlink,w,,,x\nlot,w,,rice,3,,4,2\n", file="n.csv")
    places = [(problem.row, problem.column) for problem in caught.value.problems]
    assert places == [(2, "amount"), (3, "kind"), (4, "amount"), (4, "to"), (5, "until")]
    with pytest.raises(BadInput, match="no column kind"):
        read_network("place,to,good,amount\n")
    with pytest.raises(BadInput, match="No link leads to x"):
        read_network(HEADER + "need,x,,rice,3\n")
    with pytest.raises(BadInput, match="Nothing is needed"):
        read_network(HEADER + "lot,x,,rice,3\n")


def test_the_same_input_gives_the_same_plan() -> None:
    network = random_network(7)
    first, second = plan_flow(network), plan_flow(network)
    assert (first.flows, first.drawn, first.prices) == (second.flows, second.drawn, second.prices)
