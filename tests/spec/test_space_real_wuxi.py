"""Wuxi: the shipped division tree against its source, its cells, its unit grids, and the shift of GCJ-02."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import shapely
from shapely.geometry import shape
from tests.narrowing import present

from yiwang.core.space import (
    GridRules,
    Level,
    Locator,
    RegionTree,
    UnitGrids,
    from_wgs84,
    generate_unit_grids,
    read_shapes,
    to_wgs84,
)
from yiwang.core.space.frame import metres_per_degree

ROOT = Path(__file__).resolve().parents[2]
PACK = ROOT / "packs" / "wuxi"
DATA = ROOT.parent / "shared" / "data"
LEVELS = [
    Level(id="city", width=4),
    Level(id="district", width=6),
    Level(id="street", width=9),
    Level(id="community", width=12),
]
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"needs the real data in {DATA}")


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def tree() -> RegionTree:
    shapes, problems = read_shapes(collection=json.loads(gzip.decompress((PACK / "regions.geojson.gz").read_bytes())))
    assert problems == []
    return RegionTree.from_rows(rows=read(PACK / "regions.csv"), levels=LEVELS, shapes=shapes)


@pytest.fixture(scope="module")
def grids(tree: RegionTree) -> UnitGrids:
    return generate_unit_grids(tree=tree, rules=GridRules(size_m=100, code_width=15))


def test_divisions_in_their_numbers(tree: RegionTree) -> None:
    counts = Counter(region.level for region in tree)
    assert counts == {"city": 1, "district": 7, "street": 88, "community": 1254}
    zones = [region for region in tree.at_level("street") if region.code[6] in "45"]
    assert len(zones) == 16
    names = Counter(region.name.zh for region in tree.at_level("community"))
    assert sum(count > 1 for count in names.values()) == 13


@needs_data
@pytest.mark.real_data
def test_divisions_are_those_of_the_source(tree: RegionTree) -> None:
    source = {row["code"]: row for row in read(DATA / "wuxi_divisions" / "wuxi_divisions.csv")}
    assert {region.official_code for region in tree} == set(source)
    for region in tree:
        row = source[region.official_code]
        assert (region.name.zh, region.level) == (row["name"], row["level"])
        assert region.official_code == region.code.ljust(12, "0")
        assert not region.parent or tree[region.parent].official_code == row["parent"]


def test_rare_characters_and_english_names(tree: RegionTree) -> None:
    assert (tree["320282113"].name.zh, tree["320282113"].name.en) == ("湖\u3cc7镇", "Hufu Town")
    assert tree["320213"].name.en == "Liangxi District"
    assert tree["320213021"].name.en == "Chong'ansi Subdistrict"
    assert tree["320206002"].name.en == "Chang'an Subdistrict"
    assert tree["320282108"].name.en == "Gaocheng Town"
    for region in tree:
        assert region.name.en.replace("ü", "u").isascii(), region


def test_every_level_tiles_the_city(tree: RegionTree) -> None:
    for level in ("district", "street", "community"):
        shapes = [present(region.geometry) for region in tree.at_level(level)]
        assert all(geometry.geom_type == "Polygon" and geometry.is_valid for geometry in shapes)
        assert shapely.coverage_is_valid(shapes)
        assert shapely.symmetric_difference(shapely.coverage_union_all(shapes), tree["3202"].geometry).area == 0
    for region in tree:
        children = [child.geometry for child in tree.children(region.code)]
        assert not children or shapely.equals(shapely.coverage_union_all(children), region.geometry)


def test_what_is_approximate_says_so(tree: RegionTree) -> None:
    assert {region.level for region in tree if region.approximate} == {"street", "community"}
    assert all(region.approximate for region in tree.at_level("street") + tree.at_level("community"))


@needs_data
@pytest.mark.real_data
def test_district_outlines_are_the_open_ones(tree: RegionTree) -> None:
    path = DATA / "wuxi_boundaries" / "wuxi_districts_cgcs2000_simplified.geojson"
    for feature in json.loads(path.read_text(encoding="utf-8"))["features"]:
        ours = tree[feature["properties"]["gb"][3:]].geometry
        # Rounding to six decimals, and the ends of inner borders set on the outline, move it by decimetres.
        assert shapely.hausdorff_distance(ours, shape(feature["geometry"])) < 3e-6


@needs_data
@pytest.mark.real_data
def test_gcj02_of_the_districts_comes_back_as_wgs84() -> None:
    folder = DATA / "wuxi_boundaries"
    shifted = json.loads((folder / "wuxi_districts_datav_gcj02.geojson").read_text(encoding="utf-8"))["features"]
    plain = json.loads((folder / "wuxi_districts_wgs84_from_datav.geojson").read_text(encoding="utf-8"))["features"]
    by_name = {feature["properties"]["name"]: shape(feature["geometry"]) for feature in plain}
    for feature in shifted:
        gcj = shapely.get_coordinates(shape(feature["geometry"]))
        wgs = shapely.get_coordinates(by_name[feature["properties"]["name"]])
        lon, lat = to_wgs84(gcj[:, 0], gcj[:, 1], "gcj02")
        assert np.abs(lon - wgs[:, 0]).max() < 1e-6
        assert np.abs(lat - wgs[:, 1]).max() < 1e-6
        east_m, north_m = metres_per_degree(31.5)
        assert 400 < np.median((gcj[:, 0] - lon) * east_m) < 480
        assert -270 < np.median((gcj[:, 1] - lat) * north_m) < -180


@needs_data
@pytest.mark.real_data
def test_most_points_of_a_detailed_district_lie_in_the_simplified_one(tree: RegionTree) -> None:
    """The open outlines are coarse: away from the lake they agree with the detailed ones for more than nine points in ten."""
    path = DATA / "wuxi_boundaries" / "wuxi_districts_wgs84_from_datav.geojson"
    locator = Locator(tree=tree)
    generator = np.random.default_rng(1)
    for feature in json.loads(path.read_text(encoding="utf-8"))["features"]:
        detailed = shape(feature["geometry"])
        west, south, east, north = detailed.bounds
        lon, lat = generator.uniform(west, east, 20_000), generator.uniform(south, north, 20_000)
        inside = shapely.contains_xy(detailed, lon, lat)
        codes = locator.locate_many(lon[inside], lat[inside]).region_codes()
        share = np.mean([code.startswith(feature["properties"]["code"][:6]) for code in codes.tolist()])
        assert share > 0.9, (feature["properties"]["name"], share)


def test_unit_grids_of_the_whole_city(tree: RegionTree, grids: UnitGrids) -> None:
    assert 470_000 < len(grids) < 490_000
    assert set(grids.scale.tolist()) == {1}
    assert int(grids.grid_number.max()) <= 999
    assert all(len(code) == 15 for code in (grids.codes[0], grids.codes[-1]))
    assert grids.area_m2.sum() / 1e6 == pytest.approx(4600.6, abs=1)
    assert grids.area_m2.min() > 2_400
    assert grids.area_m2.max() < 20_000
    assert np.median(grids.area_m2) == pytest.approx(10_000, rel=0.01)


@pytest.mark.parametrize("code", ["320205001002", "320213021001", "320282113001"])
def test_unit_grids_of_one_community_tile_it(tree: RegionTree, grids: UnitGrids, code: str) -> None:
    shapes = grids.polygons(code)
    assert len(shapes) == len(grids.in_region(code))
    assert all(geometry.geom_type == "Polygon" for geometry in shapes.values())
    union = shapely.union_all(list(shapes.values()))
    assert shapely.symmetric_difference(union, tree[code].geometry).area < 1e-12
    assert sum(geometry.area for geometry in shapes.values()) == pytest.approx(union.area, rel=1e-9)


def test_every_point_of_the_city_has_the_grid_of_its_community(tree: RegionTree, grids: UnitGrids) -> None:
    locator = Locator(tree=tree, grids=grids)
    generator = np.random.default_rng(2)
    west, south, east, north = tree["3202"].bounds or (0, 0, 0, 0)
    lon, lat = generator.uniform(west, east, 200_000), generator.uniform(south, north, 200_000)
    found = locator.locate_many(lon, lat)
    inside = shapely.contains_xy(tree["3202"].geometry, lon, lat)
    assert np.array_equal(found.region >= 0, inside)
    assert np.array_equal(found.grid >= 0, inside)
    communities = [region.geometry for region in tree.at_level("community")]
    points, hits = shapely.STRtree(communities).query(shapely.points(lon, lat), predicate="intersects")
    codes = np.array([region.code for region in tree.at_level("community")])
    assert np.array_equal(found.region_codes()[points], codes[hits])
    assert np.array_equal(found.grid_codes()[points].astype("U12"), codes[hits])
    assert set(found.flags().tolist()) == {"", "outside"}


def test_the_shift_of_gcj02_lands_in_other_grids(tree: RegionTree, grids: UnitGrids) -> None:
    """Why the coordinate system matters: unconverted GCJ-02 puts a report about five grids away."""
    locator = Locator(tree=tree, grids=grids)
    lon, lat = 120.3057, 31.5710
    gcj = from_wgs84(lon, lat, "gcj02")
    assert locator.locate(*gcj).grid != locator.locate(lon, lat).grid
    assert locator.locate(*to_wgs84(*gcj, "gcj02")) == locator.locate(lon, lat)


def test_stored_grids_are_small(tree: RegionTree, grids: UnitGrids) -> None:
    data = grids.to_bytes()
    assert len(data) < 3_000_000
    assert UnitGrids.from_bytes(data, tree=tree).codes[123_456] == grids.codes[123_456]
