"""Target letters: items, handing down, the forecast and the light."""

from __future__ import annotations

from math import fsum, inf, sqrt
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yiwang.core.kernel.text import Text
from yiwang.core.targets.forecast import (
    Forecast,
    Outlook,
    last_twelve,
    naive,
    pinball_loss,
    seasonal_naive,
    year_end_count,
    year_end_rate,
)
from yiwang.core.targets.handing import check_handed_down, mean_by_caseload, share_out
from yiwang.core.targets.letters import Item, Kind, Letter, check_items
from yiwang.core.targets.light import Light, light_of, worst_of

NAMES = {"load": Text("数量", "Load"), "rate": Text("比率", "Rate"), "a": Text("甲", "A"), "b": Text("乙", "B")}
LOAD = Item(indicator="load", kind=Kind.COUNT, direction="down", target=10)
RATE = Item(indicator="rate", kind=Kind.RATE, direction="up", target=80)
counts = st.floats(0, 1e6)


def letter(unit: str, *items: Item) -> Letter:
    return Letter(unit=unit, year=2026, items=items)


def load(target: float) -> Item:
    return Item(indicator="load", kind=Kind.COUNT, direction="down", target=target)


def rate(target: float) -> Item:
    return Item(indicator="rate", kind=Kind.RATE, direction="up", target=target)


def faults(parent: Letter, *children: Letter, loads: dict[str, float | None] | None = None) -> list[str]:
    found: dict[str, Letter | None] = {one.unit: one for one in children}
    caseloads = {"rate": loads or {}}
    return [str(one) for one in check_handed_down(parent, found, caseloads=caseloads, names=NAMES)]


# --- items ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (Item(indicator="rate", kind=Kind.RATE, direction="up", target=101), "out of range"),
        (Item(indicator="load", kind=Kind.COUNT, direction="up", target=-1), "out of range"),
        (Item(indicator="load", kind=Kind.COUNT, direction="up", target=inf), "out of range"),
        (Item(indicator="load", kind=Kind.COUNT, direction="up", target=9, milestones={3: 5, 6: 4}), "later milestone"),
        (Item(indicator="load", kind=Kind.COUNT, direction="up", target=9, milestones={12: 5}), "no month"),
    ],
)
def test_what_is_wrong_with_an_item_is_said(item: Item, said: str) -> None:
    assert said in str(next(check_items([item], names=NAMES, percents=frozenset({"rate"}))))


def test_a_letter_names_indicators_and_each_once() -> None:
    assert "at least one" in str(next(check_items([], names=NAMES, percents=frozenset())))
    assert "twice" in str(next(check_items([RATE, RATE], names=NAMES, percents=frozenset())))
    assert not list(check_items([RATE, LOAD], names=NAMES, percents=frozenset({"rate"})))


# --- handing down -----------------------------------------------------------------------------------------------------


def test_counts_below_sum_to_the_count_above() -> None:
    above = letter("x", LOAD)
    assert faults(above, letter("a", load(4)), letter("b", load(6))) == []
    assert faults(above, letter("a", load(4)), letter("b", load(7))) == [
        "column load: The targets of “Load” below sum to 11, above it is 10. They must be the same."
    ]
    assert "says nothing of “Load”" in faults(above, letter("a", load(10)), letter("b", RATE))[0]
    (missing,) = check_handed_down(above, {"a": letter("a", load(10)), "b": None}, caseloads={}, names=NAMES)
    assert str(missing) == "B has no letter yet."


def test_rates_below_are_weighed_by_caseload() -> None:
    above, low, high = letter("x", RATE), letter("a", rate(70)), letter("b", rate(90))
    assert faults(above, low, high, loads={"a": 10, "b": 30}) == []
    assert "make 75.00" in faults(above, low, high, loads={"a": 30, "b": 10})[0]
    # without a caseload nothing can be weighed
    assert "caseloads of “Rate” are not known" in faults(above, low, high, loads={"a": 10, "b": None})[0]
    assert faults(above, letter("a", rate(80)), high, loads={}) == []


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(1, 1e6)), min_size=1, max_size=20))
def test_the_weighed_mean_is_what_all_parts_together_have(listed: list[tuple[float, float]]) -> None:
    parts = {f"{number}": part for number, part in enumerate(listed)}
    mean = mean_by_caseload({k: v[0] for k, v in parts.items()}, {k: v[1] for k, v in parts.items()})
    assert mean is not None
    assert mean * fsum(load for _, load in parts.values()) == pytest.approx(fsum(a * b for a, b in parts.values()))


@given(st.integers(0, 10**6), st.lists(st.none() | st.floats(0, 1e6), min_size=1, max_size=20))
def test_what_is_shared_out_sums_to_the_whole(target: int, listed: list[float | None]) -> None:
    shares = {f"{number}": share for number, share in enumerate(listed)}
    given_ = share_out(float(target), shares)
    assert sum(given_.values()) == target
    assert given_.keys() == shares.keys()
    assert all(value >= 0 for value in given_.values())
    whole = fsum(share or 0 for share in shares.values())
    if whole > 0:
        assert all(abs(given_[k] - target * (shares[k] or 0) / whole) < 1 + 1e-6 * target for k in shares)


# --- forecast ---------------------------------------------------------------------------------------------------------


def test_the_mean_of_the_last_twelve_months_with_its_interval() -> None:
    """n = 12, mean 15, s² = 60/11 by hand; two months ahead; the 90 % point of t with 11 degrees of freedom is 1.36343."""
    months = [99.0, *[14.0, 16.0, 13.0, 17.0, 11.0, 19.0, 15.0, 15.0, 14.0, 16.0, 12.0, 18.0]]
    found = last_twelve(months, 2)
    assert found is not None
    s = sqrt(fsum((value - 15) ** 2 for value in months[1:]) / 11)
    assert found.quantile(0.5) == pytest.approx(15)
    assert found.quantile(0.9) == pytest.approx(15 + 1.36343 * s * sqrt(1 / 2 + 1 / 12), rel=1e-5)


def test_naive_and_seasonal_naive_say_the_last_month_and_last_years_months() -> None:
    months = [float(value) for value in range(24)]
    assert naive(months, 3) == Outlook(mean=23, scale=sqrt(4 * 7 / 18), freedom=23)
    assert seasonal_naive(months, 3) == Outlook(mean=13, scale=12 / sqrt(3), freedom=12)
    assert seasonal_naive(months[:14], 3) is None
    assert naive([1.0, None, 2.0, 3.0], 1) is None


def test_a_year_that_is_over_is_its_own_forecast() -> None:
    assert year_end_count([1.0] * 12, done=12) == Forecast(value=12, low=12, high=12)
    assert year_end_rate([3.0] * 12, [4.0] * 12, done=12) == Forecast(value=0.75, low=0.75, high=0.75)


def test_what_is_missing_is_not_nothing() -> None:
    assert year_end_count([5.0, 5.0], done=2) is None
    assert year_end_count([5.0, 6.0, None, 7.0, 5.0], done=5) is None
    assert year_end_rate([None] * 5, [None] * 5, done=5) is None
    assert year_end_rate([0.0] * 12, [0.0] * 12, done=12) is None
    with_gap = year_end_rate([8.0, 8.0, 0.0, 8.0], [10.0, 10.0, 0.0, 10.0], done=4)
    assert with_gap is not None
    assert with_gap.value == pytest.approx(0.8), "a month without cases does not pull the rate down"


def test_a_count_is_never_forecast_below_what_there_is() -> None:
    found = year_end_count([9.0, 0.0, 9.0, 0.0, 1.0, 0.0], done=6, so_far=70)
    assert found is not None
    assert found.low == found.value == 70


def test_a_rate_mixes_the_months_that_are_over_with_those_to_come() -> None:
    """Half the year at 60 of 100 a month; to come the mean rate of 60 and the mean caseload of 100."""
    found = year_end_rate([5000.0, 7000.0] * 3, [100.0] * 6, done=6, highest=100)
    assert found is not None
    assert found.value == pytest.approx(60)
    assert 50 < found.low < 60 < found.high < 70


def test_the_interval_holds_as_often_as_it_says() -> None:
    random, held = Random(5), 0
    for _ in range(1500):
        months = [random.gauss(100, 15) for _ in range(24)]
        found = year_end_count(months[:18], done=6)
        assert found is not None
        held += found.low <= fsum(months[12:]) <= found.high
    assert 0.77 < held / 1500 < 0.83


@given(st.lists(counts, min_size=12, max_size=30), st.integers(0, 11))
def test_an_interval_is_in_order(months: list[float], done: int) -> None:
    found = year_end_count(months, done=done)
    assert found is not None
    assert found.low <= found.value <= found.high
    assert found.low >= fsum(months[len(months) - done :]) - 1e-6


@given(st.lists(st.floats(-1e3, 1e3), min_size=5, max_size=40), st.sampled_from([0.1, 0.5, 0.9]))
def test_the_quantile_has_the_smallest_pinball_loss(values: list[float], share: float) -> None:
    def loss(said: float) -> float:
        return fsum(pinball_loss(share, said, was) for was in values)

    ranked = sorted(values)
    best = min(map(loss, values))
    at = min(len(ranked) - 1, int(share * len(ranked)))
    assert loss(ranked[at]) == pytest.approx(best, abs=1e-6)


# --- light ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "up", "down"),
    [
        (80, 90, Light.GREEN, Light.AMBER),
        (70, 90, Light.AMBER, Light.AMBER),
        (60, 79, Light.RED, Light.GREEN),
        (81, 90, Light.GREEN, Light.RED),
        (80, 80, Light.GREEN, Light.GREEN),
    ],
)
def test_the_light_follows_the_interval(low: float, high: float, up: Light, down: Light) -> None:
    forecast = Forecast(value=(low + high) / 2, low=low, high=high)
    assert light_of(RATE, forecast) == up
    assert light_of(Item(indicator="rate", kind=Kind.RATE, direction="down", target=80), forecast) == down


def test_without_data_it_is_grey() -> None:
    assert light_of(RATE, None) == Light.GREY
    assert worst_of([]) == worst_of([Light.GREEN, Light.GREY]) == Light.GREY
    assert worst_of([Light.GREY, Light.AMBER, Light.GREEN]) == Light.AMBER
    assert worst_of([Light.RED, Light.AMBER]) == Light.RED
    assert worst_of([Light.GREEN]) == Light.GREEN
