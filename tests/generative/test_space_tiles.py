"""Tiles: every fast way to a tile's points against asking each point."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yiwang.core.kernel.errors import BadInput
from yiwang.core.space import tiles

PLACES = st.lists(st.tuples(st.floats(-180, 179.999999), st.floats(-85, 85)), min_size=1, max_size=60)


def plainly(lon: float, lat: float, zoom: int) -> tuple[int, int]:
    """The tile of a point by the formula of OGC 17-083r4, annex D."""
    size = 1 << zoom
    x = (lon + 180) / 360 * size
    y = (1 - math.log(math.tan(math.radians(lat)) + 1 / math.cos(math.radians(lat))) / math.pi) / 2 * size
    return min(size - 1, int(x)), min(size - 1, int(y))


@given(PLACES, st.integers(0, 20))
def test_points_fall_into_the_tiles_of_the_formula(places: list[tuple[float, float]], zoom: int) -> None:
    x, y = tiles.to_map([lon for lon, _ in places], [lat for _, lat in places])
    for (lon, lat), east, south in zip(places, x.tolist(), y.tolist(), strict=True):
        column, row = plainly(lon, lat, zoom)
        # floating point may put what lies on an edge on its other side
        assert abs((east >> (32 - zoom)) - column) <= 1
        assert abs((south >> (32 - zoom)) - row) <= 1
        back_lon, back_lat = tiles.to_degrees(east, south)
        assert back_lon == pytest.approx(lon, abs=2e-7)
        assert back_lat == pytest.approx(lat, abs=2e-7)


@given(
    st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)), min_size=1, max_size=80),
    st.integers(0, 22),
    st.data(),
)
def test_a_tile_is_one_run_of_the_order(places: list[tuple[int, int]], zoom: int, data: st.DataObject) -> None:
    x, y = (np.array(values, dtype=np.uint64) for values in zip(*places, strict=True))
    codes = np.sort(tiles.morton(x, y))
    chosen = data.draw(st.sampled_from(places))
    column, row = chosen[0] >> (32 - zoom), chosen[1] >> (32 - zoom)
    inside = [
        place for place in places if place[0] >> (32 - zoom) == column and place[1] >> (32 - zoom) == row
    ]  # what a walk over all of them finds
    run = tiles.run_of(codes, zoom=zoom, column=column, row=row)
    assert run.stop - run.start == len(inside)
    expected = sorted(
        int(code) for code in tiles.morton(*(np.array(v, dtype=np.uint64) for v in zip(*inside, strict=True)))
    )
    assert codes[run].tolist() == expected
    across, down = tiles.within_tile(
        *(np.array(v, dtype=np.uint64) for v in zip(*inside, strict=True)),
        zoom=zoom,
        column=column,
        row=row,
        extent=4096,
    )
    assert across.min() >= 0
    assert across.max() < 4096
    assert down.min() >= 0
    assert down.max() < 4096


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)), min_size=1, max_size=80))
def test_every_point_is_in_exactly_one_tile_of_a_zoom(places: list[tuple[int, int]]) -> None:
    x, y = (np.array(values, dtype=np.uint64) for values in zip(*places, strict=True))
    codes = np.sort(tiles.morton(x, y))
    runs = [tiles.run_of(codes, zoom=2, column=column, row=row) for column in range(4) for row in range(4)]
    assert sorted(index for run in runs for index in range(run.start, run.stop)) == list(range(len(places)))


def test_the_last_tile_of_a_zoom_holds_the_last_point() -> None:
    code = tiles.morton(np.array([2**32 - 1], dtype=np.uint64), np.array([2**32 - 1], dtype=np.uint64))
    assert tiles.run_of(code, zoom=5, column=31, row=31) == slice(0, 1)
    assert tiles.run_of(code, zoom=0, column=0, row=0) == slice(0, 1)


def test_a_tile_of_a_known_place() -> None:
    # worked example: Wuxi's railway station, 120.3 E 31.59 N, lies in tile 13/6833/3330 (checked with the formula by hand)
    west, south, east, north = tiles.tile_box(zoom=13, column=6833, row=plainly(120.3, 31.59, 13)[1])
    assert west <= 120.3 <= east
    assert south <= 31.59 <= north
    assert east - west == pytest.approx(360 / 2**13)


@pytest.mark.parametrize(("zoom", "column", "row"), [(-1, 0, 0), (23, 0, 0), (3, 8, 0), (3, 0, -1)])
def test_what_is_no_tile_is_refused_with_what_would_be_one(zoom: int, column: int, row: int) -> None:
    with pytest.raises(BadInput, match=r"(?i)from 0 to"):
        tiles.run_of(np.empty(0, np.uint64), zoom=zoom, column=column, row=row)
