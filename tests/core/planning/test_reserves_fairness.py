"""Sharing a shortage, against every other way to share it."""

from __future__ import annotations

from itertools import product
from math import inf

import numpy as np
import pytest

from yiwang.core.kernel.errors import BadInput
from yiwang.core.planning.reserves.fairness import (
    Way,
    equal_amounts,
    equal_shares,
    fairest,
    minimums_first,
    sharing,
    whole_units,
)

NEEDS = {"a": 2.0, "b": 5.0, "c": 9.0}


@pytest.mark.parametrize("supply", range(17))
def test_equal_amounts_are_the_lexicographic_max_min(supply: int) -> None:
    found = whole_units(equal_amounts(supply, NEEDS), needs=NEEDS)
    every = [got for got in product(range(3), range(6), range(10)) if sum(got) == min(supply, 16)]
    assert sorted(found.values()) == max(sorted(got) for got in every)
    assert sum(found.values()) == min(supply, 16)


def test_equal_shares_and_minimums() -> None:
    assert equal_shares(8, NEEDS) == {"a": 1.0, "b": 2.5, "c": 4.5}
    assert equal_shares(99, NEEDS) == NEEDS
    assert minimums_first(8, NEEDS, {"a": 2.0}) == pytest.approx({"a": 2, "b": 6 * 5 / 14, "c": 6 * 9 / 14})
    with pytest.raises(BadInput) as caught:
        minimums_first(8, NEEDS, {"a": 3.0, "c": 7.0})
    assert len(caught.value.problems) == 2
    with pytest.raises(BadInput):
        equal_shares(-1, NEEDS)


def test_largest_remainder() -> None:
    assert whole_units({"a": 1.4, "b": 2.4, "c": 3.2}) == {"a": 2, "b": 2, "c": 3}
    assert whole_units({"a": 1.5, "b": 2.5}) == {"a": 2, "b": 2}
    assert whole_units({"a": 0.5, "b": 0.5}, needs={"a": 0.5, "b": 1.0}) == {"a": 0, "b": 1}


def reachable(supplies: dict[str, float], amounts: dict[str, float], ways: list[Way]) -> bool:
    """Whether amounts can be brought, by Hall's and Gale's condition over every set of places: no solver is asked."""
    places = list(amounts)
    for chosen in product((0, 1), repeat=len(places)):
        inside = {place for place, flag in zip(places, chosen, strict=True) if flag}
        room = sum(
            min(supply, sum(way.capacity for way in ways if way.source == source and way.place in inside))
            for source, supply in supplies.items()
        )
        if sum(amounts[place] for place in inside) > room + 1e-6:
            return False
    return True


@pytest.mark.parametrize("seed", range(12))
def test_no_sharing_on_a_network_is_fairer(seed: int) -> None:
    draw = np.random.default_rng(seed)
    supplies = {"s": float(draw.integers(1, 9)), "t": float(draw.integers(1, 9))}
    needs = dict.fromkeys("abc", 6.0)
    ways = [
        Way(source=source, place=place, capacity=float(draw.integers(1, 6)) if draw.random() < 0.4 else inf)
        for source, place in product(supplies, needs)
        if draw.random() < 0.7
    ]
    found = fairest(supplies, needs, ways)
    fair = found.fair.amounts
    assert reachable(supplies, dict(fair), ways)
    # on a grid of sixths of the need no reachable sharing is above it in the lexicographic order
    best = max(
        sorted(amounts)
        for amounts in product(np.arange(0, 6.5, 0.5), repeat=3)
        if reachable(supplies, dict(zip(needs, amounts, strict=True)), ways)
    )
    assert [round(amount, 6) for amount in sorted(fair.values())] >= [float(amount) for amount in best]
    # and none of them can rise unless one that has no more gives something up
    for place in needs:
        raised = {other: amount if fair[other] <= fair[place] + 1e-9 else 0.0 for other, amount in fair.items()}
        raised[place] = min(6.0, fair[place] + 0.01)
        assert fair[place] >= 6.0 - 1e-6 or not reachable(supplies, raised, ways)
    assert found.fair.total <= found.most.total + 1e-6
    assert list(found.levels) == sorted(found.levels)


def test_fairness_on_a_network_costs_longer_ways() -> None:
    ways = [Way(source="s", place="near", cost=1.0), Way(source="s", place="far", cost=5.0)]
    found = fairest({"s": 6.0}, {"near": 6.0, "far": 6.0}, ways)
    assert found.fair.amounts == pytest.approx({"near": 3.0, "far": 3.0})
    assert found.most.amounts == pytest.approx({"near": 6.0, "far": 0.0})
    assert found.fair.price == pytest.approx(0.0)
    assert (found.fair_cost, found.most_cost) == pytest.approx((18.0, 6.0))
    assert sharing({"a": 1.0}, {"a": 4.0}, largest=2.0).price == 0.5
    assert fairest({}, {"a": 1.0}, []).fair.amounts == {"a": 0.0}
