"""The forecast of consumption, on made series and on requests of Boston, as `python -m bench consumption` measures it."""

from __future__ import annotations

import numpy as np
import pytest
from bench.consumption import METHODS, REQUESTS, STORM, losses, pinball, series_of

from yiwang.core.planning.reserves.consumption import naive, outlook, past_errors, seasonal_naive, smoothed


def test_each_method_says_what_its_name_says() -> None:
    week = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    assert naive([3.0, 5.0], 3) == 15.0
    assert seasonal_naive([9.0, *week], 9) == 28.0 + 1.0 + 2.0
    assert smoothed(week * 4, 2) == pytest.approx(3.0)
    assert smoothed([0.0] * 30, 4) == 0.0
    assert naive([], 1) is seasonal_naive(week[:5], 1) is smoothed(week * 2, 1) is None
    assert past_errors([1.0, 2.0, 4.0], 1, naive) == [1.0, 2.0]


def test_the_interval_holds_as_often_as_it_says_where_days_are_alike() -> None:
    draw = np.random.default_rng(2)
    held = 0
    for _ in range(150):
        days = [float(value) for value in draw.poisson(20, size=90)]
        said = outlook(days[:-3], 3)
        assert said is not None
        assert 0 <= said.low <= said.value <= said.high
        held += said.low <= sum(days[-3:]) <= said.high
    assert 0.72 < held / 150 < 0.9


def test_nothing_is_said_of_too_little() -> None:
    assert outlook([4.0] * 30, 3) is None
    assert outlook([4.0] * 60, 3) is not None


def test_pinball_loss() -> None:
    assert pinball(0.9, 10, 12) == pytest.approx(1.8)
    assert pinball(0.9, 12, 10) == pytest.approx(0.2)


@pytest.mark.real_data
@pytest.mark.skipif(REQUESTS is None, reason="needs ../shared/data/boston311")
def test_the_forecast_is_better_than_plainer_ones_on_requests_of_a_city() -> None:
    assert REQUESTS is not None
    series = series_of(REQUESTS)
    assert len(series["all"]) == 123
    del series[STORM]
    for ahead in (1, 7):
        found = {name: losses(series, method, ahead) for name, method in METHODS.items()}
        ours = found["smoothed"][0]
        assert all(ours <= loss for loss, _, _ in found.values())
