"""Intervals and places: worked figures from the literature, and the stated share of repetitions that hold the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yiwang.core.indicators.definitions import Composite, Evaluation, Indicator, Part, composite
from yiwang.core.indicators.expressions import Measure
from yiwang.core.indicators.intervals import Interval, count_interval, normal_quantile, rate_error, rate_interval
from yiwang.core.indicators.ranking import MOST_DRAWN, Place, places
from yiwang.core.indicators.scorecard import Cell, ScoreRow
from yiwang.core.indicators.standing import composite_error, interval_of, standings
from yiwang.core.kernel.text import Text


@pytest.mark.parametrize(
    ("numerator", "denominator", "low", "high"),
    [
        # R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3 (score, no continuity correction)
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_as_published(numerator: int, denominator: int, low: float, high: float) -> None:
    found = rate_interval(numerator=numerator, denominator=denominator)
    assert found is not None
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_nothing_to_divide_by_has_no_interval() -> None:
    assert rate_interval(numerator=0, denominator=0) is None
    with pytest.raises(ValueError, match="no error"):
        rate_error(numerator=0, denominator=0)
    with pytest.raises(ValueError, match="3 of 2"):
        rate_interval(numerator=3, denominator=2)
    with pytest.raises(ValueError, match="cannot be had"):
        normal_quantile(1.0)


@given(st.integers(1, 5000), st.data(), st.floats(0.5, 0.999))
def test_an_interval_holds_what_was_observed_and_stays_a_share(
    denominator: int, data: st.DataObject, confidence: float
) -> None:
    numerator = data.draw(st.integers(0, denominator))
    found = rate_interval(numerator=numerator, denominator=denominator, confidence=confidence)
    assert found is not None
    assert numerator / denominator in found
    assert 0 <= found.low < found.high <= 1
    # the roots of Wilson's equation: the bound lies z standard errors, of itself, from what was observed
    z = normal_quantile(confidence)
    for bound in (found.low, found.high):
        if 0 < bound < 1:
            distance = abs(numerator / denominator - bound) / math.sqrt(bound * (1 - bound) / denominator)
            assert distance == pytest.approx(z, rel=1e-6)
    assert rate_error(numerator=numerator, denominator=denominator, confidence=confidence) > 0


@pytest.mark.parametrize(("share", "size"), [(0.9, 30), (0.5, 12), (0.99, 200), (0.2, 80)])
def test_wilson_holds_the_truth_about_as_often_as_it_says(share: float, size: int) -> None:
    """Exactly, by summing the binomial distribution: on average over shares nearby, at least 94 % for 95 %."""
    held = []
    for truth in np.linspace(max(0.02, share - 0.05), min(0.98, share + 0.05), 21):
        chance = 0.0
        for numerator in range(size + 1):
            found = rate_interval(numerator=numerator, denominator=size)
            assert found is not None
            if truth in found:
                chance += math.comb(size, numerator) * truth**numerator * (1 - truth) ** (size - numerator)
        held.append(chance)
    assert np.mean(held) >= 0.94
    assert np.mean(held) <= 0.985


@pytest.mark.parametrize(
    # the exact interval, from the chi-square table (Garwood 1936)
    ("count", "low", "high"),
    [(0, 0.0, 3.689), (1, 0.0253, 5.572), (5, 1.623, 11.668), (10, 4.795, 18.390), (100, 81.364, 121.627)],
)
def test_byar_is_near_the_exact_poisson_interval(count: int, low: float, high: float) -> None:
    found = count_interval(count=count)
    assert found.low == pytest.approx(low, abs=0.02)
    assert found.high == pytest.approx(high, abs=0.06)
    with pytest.raises(ValueError, match="-1"):
        count_interval(count=-1)


def test_one_unit_is_first_and_none_is_nothing() -> None:
    assert places(values=[], errors=[], more_is_better=True) == []
    assert places(values=[0.3], errors=[0.1], more_is_better=True) == [Place(1, 1)]


def test_far_apart_is_told_apart_and_close_together_is_not() -> None:
    found = places(values=[0.95, 0.80, 0.79, 0.20], errors=[0.01] * 4, more_is_better=True)
    assert found == [Place(1, 1), Place(2, 3), Place(2, 3), Place(4, 4)]
    assert places(values=[0.95, 0.80, 0.79, 0.20], errors=[0.01] * 4, more_is_better=False) == [
        Place(4, 4),
        Place(2, 3),
        Place(2, 3),
        Place(1, 1),
    ]
    assert places(values=[0.5, 0.6, 0.7], errors=[1.0] * 3, more_is_better=True) == [Place(1, 3)] * 3


def test_what_does_not_belong_together_is_refused() -> None:
    with pytest.raises(ValueError, match="2 figures and 1 errors"):
        places(values=[1, 2], errors=[1], more_is_better=True)
    for errors in ([0.0, 1.0], [float("nan"), 1.0]):
        with pytest.raises(ValueError, match="above 0"):
            places(values=[1, 2], errors=errors, more_is_better=True)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.01, 0.3)), min_size=2, max_size=12), st.randoms())
def test_places_do_not_depend_on_the_order_of_the_units(units: list[tuple[float, float]], chance: object) -> None:
    """The bound is drawn unit by unit, so another order draws other numbers: with clear gaps nothing changes."""
    values = [round(value, 1) for value, _ in units]
    found = places(values=values, errors=[0.001] * len(units), more_is_better=True)
    for value, place in zip(values, found, strict=True):
        better = sum(other > value for other in values)
        equal = sum(other == value for other in values)
        assert place == Place(better + 1, better + equal)


def test_the_sets_hold_the_truth_as_often_as_they_say() -> None:
    """Thirty units, many of them equal, two thousand repetitions: all thirty sets hold in at least 95 % less three errors."""
    rng = np.random.default_rng(4)
    truth = np.repeat([0.70, 0.75, 0.80, 0.80, 0.85, 0.90], 5)
    sizes = rng.integers(60, 400, len(truth))
    error = np.sqrt(truth * (1 - truth) / sizes)
    best = np.array([(truth > value).sum() + 1 for value in truth])
    worst = np.array([(truth >= value).sum() for value in truth])
    held, repetitions = 0, 400
    for _ in range(repetitions):
        counts = rng.binomial(sizes, truth)
        errors = [
            rate_error(numerator=int(count), denominator=int(size)) for count, size in zip(counts, sizes, strict=True)
        ]
        found = places(values=(counts / sizes).tolist(), errors=errors, more_is_better=True, draws=500)
        # among equals every order is true: the set must hold all the places that they share
        held += all(
            place.best <= first and place.worst >= last for place, first, last in zip(found, best, worst, strict=True)
        )
    assert held / repetitions >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / repetitions)
    assert error.min() > 0


def test_an_interval_knows_what_is_in_it() -> None:
    assert 0.5 in Interval(0.4, 0.6)
    assert 0.7 not in Interval(0.4, 0.6)
    assert "0.5" not in Interval(0.4, 0.6)


def _indicator(id: str, *, unit: str = "percent", direction: str = "up") -> Indicator:
    measure = Measure()
    return Indicator(
        id=id, name=Text(id, id), meaning=Text("", ""), numerator=measure, denominator=None if unit == "cases" else measure,
        unit=unit, direction=direction, basis="closed", source="", confidence="",
    )  # fmt: skip


INDICATORS = {
    "on_time": _indicator("on_time"),
    "rework": _indicator("rework", direction="down"),
    "intake": _indicator("intake", unit="cases", direction="none"),
    "hours": _indicator("hours", unit="hours", direction="down"),
}
EVALUATION = Evaluation(
    id="all", name=Text("", ""), object="region", source="", confidence="",
    parts=(Part(indicator="on_time", weight=0.75), Part(indicator="rework", weight=0.25)),
)  # fmt: skip


def _row(name: str, on_time: tuple[int, int], rework: tuple[int, int], intake: int = 50) -> ScoreRow:
    over = {"on_time": on_time, "rework": rework, "intake": (intake, None), "hours": (36_000, 5)}
    cells = {key: Cell(*pair, INDICATORS[key].value(*pair)) for key, pair in over.items()}
    values = {key: cell.value for key, cell in cells.items()}
    found = composite(EVALUATION, indicators=INDICATORS, values=values, grading=None)
    return ScoreRow({"district": name}, cells, {"all": found})


def test_rows_get_intervals_and_places_among_their_peers() -> None:
    rows = [_row("a", (950, 1000), (20, 1000)), _row("b", (700, 1000), (20, 1000)), _row("c", (698, 1000), (300, 1000))]
    first, second, third = standings(rows, indicators=INDICATORS, evaluations={"all": EVALUATION})
    assert (first["on_time"].place, second["on_time"].place, third["on_time"].place) == (
        Place(1, 1),
        Place(2, 3),
        Place(2, 3),
    )
    assert (first["rework"].place, second["rework"].place, third["rework"].place) == (
        Place(1, 2),
        Place(1, 2),
        Place(3, 3),
    )
    assert (first["all"].place, second["all"].place, third["all"].place) == (Place(1, 1), Place(2, 2), Place(3, 3))
    assert first["intake"].place is None, "neither more nor less is better"
    assert first["intake"].interval is not None
    assert first["hours"].interval is None, "the sums do not hold how hours spread"
    assert first["on_time"].interval == interval_of(rows[0].cells["on_time"], INDICATORS["on_time"])


def test_the_error_of_a_composite_is_that_of_its_parts() -> None:
    row = _row("a", (80, 100), (10, 100))
    error = composite_error(row.composites["all"], evaluation=EVALUATION, cells=row.cells, indicators=INDICATORS)
    parts = [100 * rate_error(numerator=80, denominator=100), 100 * rate_error(numerator=10, denominator=100)]
    assert error == pytest.approx(math.hypot(0.75 * parts[0], 0.25 * parts[1]))
    # by simulation: the score of drawn cases scatters about as much
    rng = np.random.default_rng(2)
    drawn = 0.75 * rng.binomial(100, 0.8, 20_000) + 0.25 * (100 - rng.binomial(100, 0.1, 20_000))
    assert error == pytest.approx(drawn.std(), rel=0.05)


def test_what_has_no_data_has_no_standing() -> None:
    rows = [_row("a", (0, 0), (0, 0)), _row("b", (5, 10), (0, 10)), _row("c", (6, 10), (1, 10))]
    none, second, _ = standings(rows, indicators=INDICATORS, evaluations={"all": EVALUATION})
    assert none["on_time"].interval is None
    assert none["on_time"].place is None
    assert "all" not in none
    assert second["on_time"].place == Place(1, 2), "one of two, not of three"
    assert (
        composite_error(
            Composite(evaluation="all", score=None, grade="", known_share=0.0, parts={}),
            evaluation=EVALUATION,
            cells={},
            indicators=INDICATORS,
        )
        is None
    )


def test_many_units_are_compared_by_a_bound_that_is_never_narrower() -> None:
    rng = np.random.default_rng(6)
    values = rng.uniform(0.5, 0.95, MOST_DRAWN).tolist()
    few = places(values=values, errors=[0.03] * len(values), more_is_better=True)
    more = places(values=[*values, 0.1], errors=[0.03] * (len(values) + 1), more_is_better=True)
    assert more[-1] == Place(len(values) + 1, len(values) + 1), "far behind everybody"
    for drawn, bounded in zip(few, more, strict=False):
        assert bounded.best <= drawn.best
        assert bounded.worst >= drawn.worst
