"""The locator: borders, holes, overlaps, gaps between levels, points that stand for no place."""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.core.space import DefaultPoint, GridRules, Level, Locator, Region, RegionTree, generate_unit_grids
from yiwang.core.space.locator import default_points_from

Degrees = TypeVar("Degrees", float, NDArray[np.float64])
LEVELS = [Level(id="city", width=2), Level(id="district", width=4), Level(id="community", width=6)]


def region(code: str, geometry: shapely.Geometry | None) -> Region:
    level = {2: "city", 4: "district", 6: "community"}[len(code)]
    return Region(code=code, name=Text(code, code), level=level, parent=code[:-2], geometry=geometry)


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    """A box in thousandths of a degree from 120 E, 31 N."""
    return shapely.box(120 + west / 1000, 31 + south / 1000, 120 + east / 1000, 31 + north / 1000)


def at(x: Degrees, y: Degrees) -> tuple[Degrees, Degrees]:
    return 120 + x / 1000, 31 + y / 1000


@pytest.fixture(params=["regions", "grids"])
def locator(request: pytest.FixtureRequest) -> Locator:
    """A city with two districts: one divided in two communities with a hole, one only half divided."""
    hole = box(4, 4, 6, 6)
    tree = RegionTree(
        regions=[
            region("10", box(0, 0, 40, 20)),
            region("1001", box(0, 0, 20, 20)),
            region("100101", box(0, 0, 10, 20) - hole),
            region("100102", box(10, 0, 20, 20)),
            region("1002", box(20, 0, 40, 20)),
            region("100201", box(20, 0, 30, 20)),
            region("1003", None),
        ],
        levels=LEVELS,
    )
    grids = (
        generate_unit_grids(tree=tree, rules=GridRules(size_m=100, code_width=9)) if request.param == "grids" else None
    )
    return Locator(tree=tree, grids=grids, default_points=[DefaultPoint(lon=120.015, lat=31.01, radius_m=30)])


def test_inside(locator: Locator) -> None:
    location = locator.locate(*at(2, 2))
    assert (location.code, location.flag) == ("100101", "")
    assert [member.code for member in location.chain] == ["10", "1001", "100101"]
    assert bool(location.grid) == (locator.grids is not None)
    assert location.grid.startswith("100101") or not locator.grids


def test_where_the_lower_level_has_a_gap_the_upper_one_answers(locator: Locator) -> None:
    assert locator.locate(*at(5, 5)).code == "1001"  # in the hole
    assert locator.locate(*at(35, 5)).code == "1002"
    assert locator.locate(*at(35, 5)).grid == ""


def test_outside(locator: Locator) -> None:
    for point in (at(-1, 5), at(41, 5), at(5, 21), (0.0, 0.0), (-120.0, -31.0)):
        location = locator.locate(*point)
        assert (location.code, location.grid, location.chain, location.flag) == ("", "", (), "outside")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300])
def test_what_is_no_place_is_outside(locator: Locator, value: float) -> None:
    assert locator.locate(value, 31.0).flag == "outside"
    assert locator.locate(120.0, value).flag == "outside"
    assert locator.locate_many([value, 120.002], [31.002, 31.002]).flags().tolist() == ["outside", ""]


def test_on_borders_the_lowest_code_wins(locator: Locator) -> None:
    for x, y, code in ((10, 5, "100101"), (20, 5, "100102"), (0, 0, "100101"), (10, 20, "100101"), (4, 5, "100101")):
        location = locator.locate(*at(x, y))
        assert (location.code, location.flag) == (code, "border"), (x, y)
    assert locator.locate(*at(40, 10)).code == "1002"


def test_default_point_keeps_its_region_and_says_so(locator: Locator) -> None:
    location = locator.locate(120.0152, 31.0101)
    assert (location.code, location.flag) == ("100102", "default_point")
    assert locator.locate(120.016, 31.0101).flag == ""
    assert locator.locate_many([120.0152], [31.0101]).flags().tolist() == ["default_point"]


def test_many_as_one(locator: Locator) -> None:
    generator = np.random.default_rng(3)
    x, y = generator.uniform(-2, 42, 3000), generator.uniform(-2, 22, 3000)
    x[:500], y[:500] = np.round(x[:500]), np.round(y[:500])
    lon, lat = at(x, y)
    found = locator.locate_many(lon, lat)
    single = [locator.locate(*point) for point in zip(lon.tolist(), lat.tolist(), strict=True)]
    assert found.region_codes().tolist() == [location.code for location in single]
    assert found.grid_codes().tolist() == [location.grid for location in single]
    assert found.flags().tolist() == [location.flag for location in single]
    assert len(found) == 3000
    assert set(found.flags().tolist()) == {"", "outside", "border"} or "default_point" in found.flags()


def test_on_a_line_between_grids_the_lowest_code_wins() -> None:
    tree = RegionTree(
        regions=[region("10", None), region("1001", None), region("100101", box(0, 0, 5, 5))], levels=LEVELS
    )
    grids = generate_unit_grids(tree=tree, rules=GridRules(size_m=100, code_width=9, origin=(120.0, 31.0)))
    locator = Locator(tree=tree, grids=grids)
    lon, lat = grids.lattice.to_degrees(2, 3)
    location = locator.locate(lon, lat)
    around = [
        code for code, shape in grids.polygons("100101").items() if shape.distance(shapely.Point(lon, lat)) < 1e-9
    ]
    assert len(around) == 4
    assert (location.grid, location.flag) == (min(around), "border")


def test_overlapping_regions_give_the_lowest_code_everywhere() -> None:
    tree = RegionTree(
        regions=[region("10", None), region("1001", box(0, 0, 12, 12)), region("1002", box(8, 8, 20, 20))],
        levels=LEVELS,
    )
    locator = Locator(tree=tree)
    assert locator.locate(*at(10, 10)).code == "1001"
    assert locator.locate(*at(12, 12)).code == "1001"
    assert locator.locate(*at(13, 13)).code == "1002"
    # On an edge of the other region but well inside its own: no border.
    assert locator.locate(*at(8, 10)).flag == ""


def test_many_regions_in_one_cell() -> None:
    """More regions than a mask has bits, all meeting in a point."""
    centre, count = shapely.Point(at(10, 10)), 80
    angles = np.linspace(0, 2 * np.pi, count + 1)
    rim = [(centre.x + 0.009 * math.cos(angle), centre.y + 0.009 * math.sin(angle)) for angle in angles]
    slices = [shapely.Polygon([centre.coords[0], rim[k], rim[k + 1]]) for k in range(count)]
    regions = [region("10", None), *(region(f"10{k:02d}", piece) for k, piece in enumerate(slices))]
    locator = Locator(tree=RegionTree(regions=regions, levels=LEVELS))
    generator = np.random.default_rng(5)
    angle, away = generator.uniform(0, 2 * np.pi, 2000), generator.uniform(0, 0.0088, 2000) * generator.random(2000)
    lon, lat = centre.x + away * np.cos(angle), centre.y + away * np.sin(angle)
    inside = shapely.contains_xy(np.array(slices)[:, None], lon[None, :], lat[None, :])
    expected = [f"10{k:02d}" for k in inside.argmax(axis=0)]
    assert locator.locate_many(lon, lat).region_codes().tolist() == expected


def test_a_tree_without_geometry_places_nothing() -> None:
    locator = Locator(tree=RegionTree(regions=[region("10", None)], levels=LEVELS))
    assert locator.locate(120.0, 31.0).flag == "outside"
    assert locator.locate_many([120.0], [31.0]).region_codes().tolist() == [""]


def test_columns_of_different_length_are_refused(locator: Locator) -> None:
    with pytest.raises(BadInput, match="2 longitudes, 1 latitudes"):
        locator.locate_many([1.0, 2.0], [1.0])
    assert len(locator.locate_many([], [])) == 0


def test_default_points_from_a_pack() -> None:
    points = default_points_from([{"lon": 1.0, "lat": 2.0}, {"lon": 1.0, "lat": 2.0, "radius_m": 5.0}])
    assert [point.radius_m for point in points] == [25.0, 5.0]
    with pytest.raises(BadInput, match="is not one"):
        default_points_from([{"lon": 1.0}])
    with pytest.raises(BadInput, match="No such default point"):
        DefaultPoint(lon=42.0, lat=-171.0)
