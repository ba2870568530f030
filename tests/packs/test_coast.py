"""The sea out of coastlines: the land is on their left, the water on their right."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from tests.osm_files import write_coast

from yiwang.packs.coast import NO_SEA, sea_of
from yiwang.packs.osm import read_extract

AREA = shapely.box(0.0, 0.0, 10.0, 10.0)
NORTHWARD = [(4, -1), (4, 5), (4, 11)]  # land in the west, sea in the east
ISLAND = [(6, 6), (8, 6), (8, 8), (6, 8), (6, 6)]  # against the clock: land inside


def line(points: Sequence[tuple[float, float]]) -> shapely.LineString:
    return shapely.LineString(points)


def test_the_sea_is_on_the_right_of_a_coast_that_crosses_the_map() -> None:
    assert sea_of([line(NORTHWARD)], AREA).shape.equals(shapely.box(4, 0, 10, 10))
    assert sea_of([line(NORTHWARD[::-1])], AREA).shape.equals(shapely.box(0, 0, 4, 10))


def test_ways_are_joined_and_what_lies_outside_may_end_anywhere() -> None:
    pieces = [line([(4, 5), (4, 7)]), line([(4, -3), (4, 5)]), line([(4, 7), (4, 10.5)]), line([(20, 1), (21, 1)])]
    found = sea_of(pieces, AREA)
    assert found.shape.equals(shapely.box(4, 0, 10, 10))
    assert not found.faulty


def test_an_island_stays_land_and_a_lake_of_the_sea_is_water() -> None:
    found = sea_of([line(NORTHWARD), line(ISLAND)], AREA).shape
    assert found.equals(shapely.box(4, 0, 10, 10) - shapely.box(6, 6, 8, 8))
    lagoon = [(x - 5, y) for x, y in ISLAND[::-1]]  # with the clock: water inside
    assert sea_of([line(NORTHWARD), line(lagoon)], AREA).shape.equals(
        shapely.union(shapely.box(4, 0, 10, 10), shapely.box(1, 6, 3, 8))
    )


def test_a_ring_alone_is_an_island_in_the_sea() -> None:
    assert sea_of([line(ISLAND)], AREA).shape.equals(AREA - shapely.box(6, 6, 8, 8))


def test_an_island_at_the_edge_and_a_coast_that_only_touches() -> None:
    assert sea_of([line([(9, 4), (11, 4), (11, 6), (9, 6), (9, 4)])], AREA).shape.equals(
        AREA - shapely.box(9, 4, 11, 6)
    )
    along = sea_of([line([(10, -1), (10, 11)])], AREA)
    assert along.shape is None


def test_without_a_coast_there_is_no_sea_and_nothing_to_warn_of() -> None:
    for coastlines in ([], [line([(20, 0), (20, 9)])]):
        found = sea_of(coastlines, AREA)
        assert found.shape is None
        assert not found.faulty


@pytest.mark.parametrize(
    "coastlines",
    [
        [line([(4, -1), (4, 5)])],  # ends inside
        [line([(4, -1), (4, 4)]), line([(4, 5), (4, 11)])],  # a gap
        [line([(4, -1), (4, 5)]), line([(4, 11), (4, 5)])],  # turned around halfway
        [line(NORTHWARD), line([(2, -1), (2, 11)])],  # what lies between would be land and sea
        [line(ISLAND[:-1])],  # not closed
    ],
)
def test_a_coast_that_does_not_tell_gives_no_sea_and_says_so(coastlines: list[shapely.LineString]) -> None:
    found = sea_of(coastlines, AREA)
    assert found.shape is None
    assert found.faulty


@given(
    st.lists(st.integers(1, 9), min_size=2, max_size=8),
    st.sets(st.sampled_from([(x, y) for x in (11, 13, 18) for y in (1, 4, 8)])),
    st.integers(0, 1000),
)
def test_any_coast_and_islands_in_pieces_give_the_sea_that_they_were_made_from(
    west: list[int], islands: set[tuple[int, int]], seed: int
) -> None:
    area = shapely.box(0, 0, 20, 10)
    heights = [-1 + 12 * at / (len(west) - 1) for at in range(len(west))]
    coast = [*zip(map(float, west), heights, strict=True)]
    land = shapely.Polygon([*coast, (-5.0, 11.0), (-5.0, -1.0)])
    squares = [shapely.box(x + 0.2, y + 0.2, x + 0.8, y + 0.8) for x, y in sorted(islands)]
    ways = [line([*pair]) for pair in itertools.pairwise(coast)]
    ways += [line([*shapely.orient_polygons(square).exterior.coords]) for square in squares]
    random.Random(seed).shuffle(ways)
    wanted = shapely.difference(area, shapely.union_all([land, *squares]))
    assert shapely.symmetric_difference(sea_of(ways, area).shape, wanted).area < 1e-9


CITY = shapely.box(120.0, 31.0, 120.02, 31.02)


def test_an_extract_gives_the_sea_as_water_with_its_islands(tmp_path: Path) -> None:
    found = read_extract(write_coast(tmp_path / "coast.osm.pbf"), CITY, margin=0.0)
    [sea] = found.layers["water"]
    assert sea["properties"] == {"kind": "sea", "rank": 1}
    shape = shapely.geometry.shape(sea["geometry"])
    assert shape.equals(shapely.box(120.01, 31.0, 120.02, 31.02) - shapely.box(120.014, 31.004, 120.016, 31.006))
    assert found.warnings == ()


def test_an_extract_with_a_gap_in_its_coast_has_no_sea_and_a_warning_in_both_languages(tmp_path: Path) -> None:
    found = read_extract(write_coast(tmp_path / "coast.osm.pbf", gap=True), CITY, margin=0.0)
    assert "water" not in found.layers
    assert found.warnings == (NO_SEA,)
    assert "海岸线" in NO_SEA.zh
    assert "coastline" in NO_SEA.en
