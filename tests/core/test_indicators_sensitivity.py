"""Whether an order would stand with other weights: against linear programming, and against scores counted again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from yiwang.core.indicators.sensitivity import Bounds, sensitivity, worst_weights

PARTS = st.lists(st.floats(0, 100), min_size=4, max_size=4)
UNITS = st.dictionaries(st.sampled_from("abcdefgh"), PARTS, min_size=1, max_size=8)
WEIGHTS = st.lists(st.floats(0.05, 1), min_size=4, max_size=4)
SHARES = st.sampled_from([0.0, 0.1, 0.3, 1.0])


def bounded(weights: list[float], share: float) -> Bounds:
    return Bounds.around(weights, share=share)


@settings(deadline=None)
@given(st.lists(st.floats(-100, 100), min_size=4, max_size=4), WEIGHTS, SHARES)
def test_the_worst_weights_are_those_of_linear_programming(
    differences: list[float], weights: list[float], share: float
) -> None:
    bounds = bounded(weights, share)
    ours = worst_weights(np.array(differences), bounds)
    best = linprog(differences, A_eq=[[1] * 4], b_eq=[1], bounds=list(zip(bounds.lows, bounds.highs, strict=True)))
    assert best.success
    assert float(ours @ np.array(differences)) == pytest.approx(best.fun, abs=1e-6)
    assert ours.sum() == pytest.approx(1)
    assert np.all(ours >= np.array(bounds.lows) - 1e-12)
    assert np.all(ours <= np.array(bounds.highs) + 1e-12)


@settings(deadline=None)
@given(UNITS, WEIGHTS, SHARES, st.lists(st.lists(st.floats(0, 1), min_size=4, max_size=4), min_size=20, max_size=20))
def test_no_weights_within_the_bounds_leave_the_places_that_are_told(
    units: dict[str, list[float]], weights: list[float], share: float, drawn: list[list[float]]
) -> None:
    bounds = bounded(weights, share)
    found = sensitivity(units, bounds)
    lows, highs = np.array(bounds.lows), np.array(bounds.highs)
    for one in drawn:
        tried = worst_weights(np.array(one), bounds) * 0.7 + np.array(bounds.weights) * 0.3
        assert np.all((tried >= lows - 1e-9) & (tried <= highs + 1e-9))
        scores = {unit: float(np.array(parts) @ tried) for unit, parts in units.items()}
        for unit, place in found.places.items():
            ahead = sum(other > scores[unit] + 1e-6 for other in scores.values())
            assert place.best <= ahead + 1 <= place.worst
        for pair in found.neighbours:
            assert scores[pair.ahead] - scores[pair.behind] >= pair.least - 1e-6
            if pair.stands:
                assert scores[pair.ahead] > scores[pair.behind] - 1e-6


@settings(deadline=None)
@given(UNITS, WEIGHTS, st.integers(0, 3))
def test_units_are_equal_where_they_cross_and_exchanged_behind_it(
    units: dict[str, list[float]], weights: list[float], part: int
) -> None:
    bounds = bounded(weights, 0.5)
    found = sensitivity(units, bounds)

    def scored(at: float) -> dict[str, float]:
        held = np.array(bounds.weights)
        others = held * (1 - at) / (1 - held[part])
        others[part] = at
        return {unit: float(np.array(parts) @ others) for unit, parts in units.items()}

    for crossing in found.crossings[part]:
        assert bounds.lows[part] < crossing.at < bounds.highs[part]
        at = scored(crossing.at)
        assert at[crossing.one] == pytest.approx(at[crossing.other], abs=1e-6)
        below, above = scored(crossing.at - 0.01), scored(crossing.at + 0.01)
        assert below[crossing.one] >= below[crossing.other] - 1e-9
        assert above[crossing.one] <= above[crossing.other] + 1e-9


def test_a_case_worked_by_hand() -> None:
    units = {"clean": [90.0, 50.0], "orderly": [60.0, 78.0]}
    found = sensitivity(units, Bounds.around([1, 1], share=0.2))
    assert (found.order, found.scores) == (("clean", "orderly"), (70.0, 69.0))
    (pair,) = found.neighbours
    assert (pair.margin, pair.weights, pair.stands) == (1.0, (0.4, 0.6), False)
    assert pair.least == pytest.approx(0.4 * 30 - 0.6 * 28)
    assert found.places["clean"].worst == 2
    (crossing,) = found.crossings[0]
    assert crossing.at == pytest.approx(28 / 58)
    assert (crossing.one, crossing.other) == ("orderly", "clean")


def test_what_cannot_be_asked() -> None:
    bounds = Bounds.around([1, 1], share=0.1)
    with pytest.raises(ValueError, match="2 parts"):
        sensitivity({"a": [1.0]}, bounds)
    for weights, share in (([0, 0], 0.1), ([-1, 2], 0.1), ([1, 1], 2)):
        with pytest.raises(ValueError, match="cannot be had"):
            Bounds.around(weights, share=share)
    assert sensitivity({}, bounds).order == ()
    assert sensitivity({"a": [1.0]}, Bounds.around([3], share=0.5)).crossings == ((),)
