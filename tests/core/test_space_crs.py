"""Coordinate systems: known pairs, exact inverses, one formula for numbers and arrays."""

from __future__ import annotations

import numpy as np
import pytest

from yiwang.core.kernel.errors import BadInput
from yiwang.core.space import from_wgs84, to_wgs84


@pytest.mark.parametrize("crs", ["gcj02", "bd09", "wgs84", "cgcs2000", "GCJ-02", "BD09", "WGS 84"])
def test_there_and_back_is_exact(crs: str) -> None:
    generator = np.random.default_rng(1)
    lon, lat = generator.uniform(73, 135, 20_000), generator.uniform(4, 53, 20_000)
    back = to_wgs84(*from_wgs84(lon, lat, crs), crs)
    assert np.abs(back[0] - lon).max() < 1e-10
    assert np.abs(back[1] - lat).max() < 1e-10


@pytest.mark.parametrize("crs", ["gcj02", "bd09"])
def test_numbers_and_arrays_agree(crs: str) -> None:
    single = to_wgs84(120.3, 31.57, crs)
    many = to_wgs84(np.array([120.3, 121.0]), np.array([31.57, 30.0]), crs)
    assert isinstance(single[0], float)
    assert single == pytest.approx((many[0][0], many[1][0]), abs=1e-12)


def test_known_pairs() -> None:
    # Published example of the coordtransform package: 116.404, 39.915 in each role.
    assert from_wgs84(116.404, 39.915, "gcj02") == pytest.approx((116.41024449916938, 39.91640428150164), abs=1e-9)
    gcj = from_wgs84(*to_wgs84(116.404, 39.915, "bd09"), "gcj02")
    # Its inverse of BD-09 is only approximate, to about a metre.
    assert gcj == pytest.approx((116.39762729119315, 39.90865673957631), abs=1e-5)


def test_nothing_is_shifted_outside_the_box() -> None:
    assert to_wgs84(-71.06, 42.36, "gcj02") == (-71.06, 42.36)


def test_unknown_system() -> None:
    with pytest.raises(BadInput, match="Unknown coordinate system 'epsg:3857'"):
        to_wgs84(1.0, 2.0, "epsg:3857")


def test_empty_columns() -> None:
    lon, lat = to_wgs84(np.array([]), np.array([]), "bd09")
    assert len(lon) == len(lat) == 0
