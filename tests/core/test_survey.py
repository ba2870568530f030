"""Design-based estimates against a textbook, a census and simulation."""

from __future__ import annotations

import random

import pytest
from tests.narrowing import present

from yiwang.core.indicators.intervals import Interval
from yiwang.core.indicators.survey import estimate_mean, estimate_share, student_quantile

# Scheaffer, Mendenhall and Ott, Elementary Survey Sampling, the stratified example: hours of television in a county
TOWN_A = [35, 43, 36, 39, 28, 28, 29, 25, 38, 27, 26, 32, 29, 40, 35, 41, 37, 31, 45, 34]
TOWN_B = [27, 15, 4, 41, 49, 25, 10, 30]
RURAL = [8, 14, 12, 15, 30, 32, 21, 20, 34, 7, 11, 24]
SIZES = {"A": 155, "B": 62, "C": 93}


def test_the_textbooks_stratified_mean_and_variance() -> None:
    values = [*TOWN_A, *TOWN_B, *RURAL]
    strata = ["A"] * 20 + ["B"] * 8 + ["C"] * 12
    weights = [155 / 20] * 20 + [62 / 8] * 8 + [93 / 12] * 12
    found = present(estimate_mean(values=values, strata=strata, weights=weights, sizes=SIZES))
    assert found.value == pytest.approx(27.675)
    assert found.error**2 == pytest.approx(1.97, abs=0.005)
    assert (found.degrees, found.sampled, found.lonely) == (37, 40, ())


def test_clusters_by_hand() -> None:
    # two of four clusters, means 10 and 20 with two values each: mean 15,
    # variance (1 - 2/4) x s^2 / n = 0.5 x 50 / 2 = 12.5
    found = present(
        estimate_mean(
            values=[9, 11, 18, 22], strata=["x"] * 4, weights=[2] * 4, clusters=["p", "p", "q", "q"], sizes={"x": 4}
        )
    )
    assert found.value == 15
    assert found.error**2 == pytest.approx(12.5)
    assert found.degrees == 1


def test_a_census_has_no_error_and_one_visit_tells_nothing_of_its_error() -> None:
    seen = present(estimate_mean(values=[1, 5], strata=["x", "x"], weights=[1, 1], sizes={"x": 2}))
    assert (seen.error, seen.interval) == (0, Interval(3, 3))
    one = present(estimate_mean(values=[7], strata=["x"], weights=[3], sizes={"x": 3}))
    assert (one.value, one.interval, one.lonely) == (7, None, ("x",))
    assert estimate_mean(values=[], strata=[], weights=[]) is None
    assert estimate_share(met=[], strata=[], weights=[]) is None


def test_all_clean_in_a_sample_is_not_all_clean() -> None:
    found = present(estimate_share(met=[True] * 10, strata=["x"] * 10, weights=[5] * 10, sizes={"x": 50}))
    assert found.value == 1
    assert present(found.interval).high == 1
    assert 0.6 < present(found.interval).low < 0.75  # Wilson with t at 9 degrees: 10 / (10 + 2.262^2) = 0.66
    everything = present(estimate_share(met=[True] * 3, strata=["x"] * 3, weights=[1] * 3, sizes={"x": 3}))
    assert everything.interval == Interval(1, 1)


def test_wrong_columns_are_refused() -> None:
    with pytest.raises(ValueError, match="one of each per visit"):
        estimate_mean(values=[1, 2], strata=["x"], weights=[1, 1])
    with pytest.raises(ValueError, match="weight of 0"):
        estimate_mean(values=[1], strata=["x"], weights=[0])
    with pytest.raises(ValueError, match="2 units were drawn in 'x', which has 1"):
        estimate_mean(values=[1, 2], strata=["x", "x"], weights=[1, 1], sizes={"x": 1})


@pytest.mark.parametrize(
    ("degrees", "expected"),
    [
        (1, 12.7062),
        (2, 4.30265),
        (3, 3.18245),
        (4, 2.77645),
        (5, 2.57058),
        (10, 2.22814),
        (30, 2.04227),
        (1000, 1.96234),
    ],
)
def test_students_t_as_the_tables_have_it(degrees: int, expected: float) -> None:
    assert student_quantile(confidence=0.95, degrees=degrees) == pytest.approx(expected, rel=1e-4)


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    """2,000 stratified samples of a skewed finite city, fixed seed."""
    chance = random.Random(20261124)
    city = {
        "old": [chance.gauss(70, 12) for _ in range(60)],
        "new": [chance.gauss(88, 5) for _ in range(120)],
        "edge": [chance.gauss(60, 18) for _ in range(40)],
    }
    everything = [value for values in city.values() for value in values]
    truth = sum(everything) / len(everything)
    share = sum(value >= 75 for value in everything) / len(everything)
    draws = {"old": 8, "new": 12, "edge": 6}
    rounds, mean_hits, share_hits = 2000, 0, 0
    for _ in range(rounds):
        values: list[float] = []
        strata: list[str] = []
        weights: list[float] = []
        for stratum, number in draws.items():
            values += chance.sample(city[stratum], number)
            strata += [stratum] * number
            weights += [len(city[stratum]) / number] * number
        sizes = {name: len(rows) for name, rows in city.items()}
        mean = present(estimate_mean(values=values, strata=strata, weights=weights, sizes=sizes))
        met = [value >= 75 for value in values]
        tidy = present(estimate_share(met=met, strata=strata, weights=weights, sizes=sizes))
        mean_hits += truth in present(mean.interval)
        share_hits += share in present(tidy.interval)
    assert 0.93 <= mean_hits / rounds <= 0.97
    assert 0.92 <= share_hits / rounds <= 0.98
