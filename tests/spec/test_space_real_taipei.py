"""Taipei: real boundaries, nested twice, one ring broken: another tree than Wuxi's, with no change in the code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from tests.narrowing import present

from yiwang.core.space import GridRules, Level, Locator, RegionTree, generate_unit_grids, read_shapes

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "taiwan_nested_regions"
pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"needs the real data in {DATA}"),
]
LEVELS = [Level(id="city", width=5), Level(id="town", width=8), Level(id="village", width=11)]
FILES = {
    "city": ("taipei_counties.geojson", "COUNTYCODE", "COUNTYNAME", "COUNTYENG"),
    "town": ("taipei_towns.geojson", "TOWNCODE", "TOWNNAME", "TOWNENG"),
    "village": ("taipei_villages.geojson", "VILLCODE", "VILLNAME", "VILLENG"),
}


@pytest.fixture(scope="module")
def tree() -> RegionTree:
    rows: list[dict[str, str]] = []
    features: list[dict[str, Any]] = []
    for level, (name, code, native, english) in FILES.items():
        for feature in json.loads((DATA / name).read_text(encoding="utf-8"))["features"]:
            properties = feature["properties"]
            own = properties[code]
            parent = {"city": "", "town": own[:5], "village": own[:8]}[level]
            rows.append(
                {
                    "code": own,
                    "name": properties[native],
                    "name_en": properties[english],
                    "level": level,
                    "parent": parent,
                }
            )
            features.append({"properties": {"code": own}, "geometry": feature["geometry"]})
    shapes, problems = read_shapes(collection={"features": features})
    assert problems == []
    return RegionTree.from_rows(rows=rows, levels=LEVELS, shapes=shapes)


def test_numbers_and_repair(tree: RegionTree) -> None:
    assert [len(tree.at_level(level)) for level in ("city", "town", "village")] == [1, 12, 456]
    assert all(present(region.geometry).is_valid for region in tree)


def test_villages_fill_their_town(tree: RegionTree) -> None:
    for town in tree.at_level("town"):
        union = shapely.union_all([village.geometry for village in tree.children(town.code)])
        # Both files are rounded to six decimals on their own: a strip of 0.1 m along the border may differ.
        assert shapely.symmetric_difference(union, town.geometry).area < 2e-6 * present(town.geometry).length


def test_every_point_lies_in_a_village_of_its_town(tree: RegionTree) -> None:
    locator = Locator(tree=tree)
    generator = np.random.default_rng(4)
    west, south, east, north = tree["63000"].bounds or (0, 0, 0, 0)
    lon, lat = generator.uniform(west, east, 100_000), generator.uniform(south, north, 100_000)
    found = locator.locate_many(lon, lat).region_codes()
    towns = tree.at_level("town")
    points, hits = shapely.STRtree([town.geometry for town in towns]).query(
        shapely.points(lon, lat), predicate="intersects"
    )
    expected = np.full(len(lon), "", dtype="U8")
    expected[points] = np.array([town.code for town in towns])[hits]
    differing = np.flatnonzero(found.astype("U8") != expected)
    # Only points in the strip of 0.1 m where the two files disagree may differ.
    borders = shapely.union_all([present(town.geometry).boundary for town in towns])
    assert len(differing) < 20
    assert (shapely.distance(borders, shapely.points(lon[differing], lat[differing])) < 5e-6).all()
    assert (np.char.str_len(found[expected != ""]) == 11).mean() > 0.9999


def test_chain_and_levels_by_the_packs_own_widths(tree: RegionTree) -> None:
    village = tree.at_level("village")[0]
    assert [region.level for region in tree.chain(village.code)] == ["city", "town", "village"]
    assert tree.codes_by_level(village.code)["town"] == village.code[:8]


def test_unit_grids_on_real_boundaries(tree: RegionTree) -> None:
    grids = generate_unit_grids(tree=tree, rules=GridRules(size_m=100, code_width=14))
    # One mountain village has more cells than numbers, so its cells are larger.
    assert set(grids.scale.tolist()) <= {1, 2}
    area = shapely.area([village.geometry for village in tree.at_level("village")]).sum()
    step_lon, step_lat = grids.lattice.step
    assert grids.area_m2.sum() == pytest.approx(area / (step_lon * step_lat) * 10_000, rel=2e-3)
    for code in ("63000080031", "63000120003"):
        if code in tree:
            shapes = list(grids.polygons(code).values())
            assert all(geometry.geom_type == "Polygon" for geometry in shapes)
            difference = shapely.symmetric_difference(shapely.union_all(shapes), tree[code].geometry)
            assert difference.area < 1e-12
    sizes = [len(grids.polygons(region.code)) for region in tree.at_level("village")[:40]]
    assert min(sizes) >= 1


def test_single_and_bulk_agree_on_grids(tree: RegionTree) -> None:
    grids = generate_unit_grids(tree=tree, rules=GridRules(size_m=50, code_width=14))
    locator = Locator(tree=tree, grids=grids)
    generator = np.random.default_rng(6)
    corners = shapely.get_coordinates([region.geometry for region in tree.at_level("village")])
    points = corners[generator.choice(len(corners), 1500)] + generator.choice([0, 0, 2e-5, -2e-5], (1500, 2))
    found = locator.locate_many(points[:, 0], points[:, 1])
    regions, codes, flags = found.region_codes(), found.grid_codes(), found.flags()
    for number, (lon, lat) in enumerate(points.tolist()):
        location = locator.locate(lon, lat)
        assert (location.code, location.grid, location.flag) == (regions[number], codes[number], flags[number])
        assert location.grid.startswith(location.code) or len(location.code) < 11
