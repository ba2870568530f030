"""The forecast of the year's end on two years of crashes in Boston, as `python -m bench targets` measures it."""

from __future__ import annotations

import pytest
from bench.targets import CRASHES, METHODS, losses, series_of

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(CRASHES is None, reason="needs ../shared/data/crashes_boston"),
]


def test_the_forecast_is_better_than_plainer_ones_and_its_interval_holds() -> None:
    assert CRASHES is not None
    series = series_of(CRASHES)
    assert len(series["city"]) == 24
    modes = [series[name] for name in ("mv", "ped", "bike")]
    assert [sum(month) for month in zip(*modes, strict=True)] == series["city"]
    found = {name: losses(series, method) for name, method in METHODS.items()}
    ours, held, n = found["last twelve"]
    assert n == 9 * len(series)
    assert ours < found["seasonal-naive"][0] < found["naive"][0]
    assert 0.75 < held < 0.95
