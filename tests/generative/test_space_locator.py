"""The raster index against a plain search over the polygons, on random tilings and on their borders."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from yiwang.core.kernel.text import Text
from yiwang.core.space import GridRules, Level, Locator, Region, RegionTree, generate_unit_grids

ORIGIN = np.array([120.0, 31.0])
LEVELS = [Level(id="city", width=2), Level(id="community", width=5)]


def search(
    geometries: list[shapely.Geometry], points: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The obvious way: ask every polygon about every point; the first that holds it, and if it lies on its edge."""
    shapes, asked = np.array(geometries), shapely.points(points)
    holds = shapely.intersects(shapes[:, None], asked[None, :])
    first = np.where(holds.any(axis=0), holds.argmax(axis=0), -1)
    return first, (first >= 0) & shapely.touches(shapes[first], asked)


def tree_of(geometries: list[shapely.Geometry]) -> RegionTree:
    regions = [Region(code="10", name=Text("市", "City"), level="city")]
    for number, geometry in enumerate(geometries):
        code = f"10{number:03d}"
        regions.append(Region(code=code, name=Text(code, code), level="community", parent="10", geometry=geometry))
    return RegionTree(regions=regions, levels=LEVELS)


@st.composite
def tilings(draw: st.DrawFn) -> tuple[list[shapely.Geometry], int]:
    """Voronoi cells in a box, on coordinates rounded to so many places; some dropped, so that there are gaps."""
    seed = draw(st.integers(0, 2**32 - 1))
    generator = np.random.default_rng(seed)
    count, places = draw(st.integers(2, 40)), draw(st.sampled_from([3, 4, 5, 6, 9, 15]))
    width = draw(st.sampled_from([0.005, 0.02, 0.1]))
    frame = shapely.box(120, 31, 120 + width, 31 + width)
    sites = shapely.multipoints(generator.uniform(0, width, (count, 2)) + ORIGIN)
    cells = shapely.get_parts(shapely.voronoi_polygons(sites, extend_to=frame))
    cells = shapely.intersection(cells, frame)
    rounded = shapely.transform(cells, lambda points: np.round(points, places))
    kept = [cell for cell in rounded if cell.geom_type == "Polygon" and cell.is_valid and cell.area > 0]
    dropped = draw(st.integers(0, 3))
    return kept[dropped:] or [frame], seed


def points_for(geometries: list[shapely.Geometry], seed: int) -> NDArray[np.float64]:
    generator = np.random.default_rng(seed)
    west, south, east, north = shapely.total_bounds(np.array(geometries))
    margin = (east - west) * 0.05
    anywhere = np.column_stack(
        [generator.uniform(west - margin, east + margin, 400), generator.uniform(south - margin, north + margin, 400)]
    )
    corners = shapely.get_coordinates(geometries)
    pick = generator.integers(0, len(corners) - 1, 200)
    share = generator.random((200, 1))
    on_edges = corners[pick] + share * (corners[pick + 1] - corners[pick])
    level = np.column_stack([anywhere[:200, 0], corners[pick, 1]])
    upright = np.column_stack([corners[pick, 0], anywhere[:200, 1]])
    nudged = corners[pick] + generator.choice([-1e-14, 0, 1e-14], (200, 2))
    return np.concatenate([anywhere, corners, on_edges, level, upright, nudged, np.round(anywhere, 3)])


@given(tilings())
@settings(max_examples=80, deadline=None)
def test_same_answers_as_a_plain_search(tiling: tuple[list[shapely.Geometry], int]) -> None:
    geometries, seed = tiling
    points = points_for(geometries, seed)
    expected, border = search(geometries, points)
    locator = Locator(tree=tree_of(geometries))
    found = locator.locate_many(points[:, 0], points[:, 1])
    assert np.array_equal(found.region, expected)
    assert np.array_equal(found.flags() == "border", border)
    for number in range(0, len(points), 7):
        single = locator.locate(float(points[number, 0]), float(points[number, 1]))
        assert single.code == found.region_codes()[number]
        assert single.flag == found.flags()[number]


@given(tilings(), st.sampled_from([30.0, 100.0, 700.0]))
@settings(max_examples=60, deadline=None)
def test_grids_change_nothing_about_regions(tiling: tuple[list[shapely.Geometry], int], size_m: float) -> None:
    geometries, seed = tiling
    points = points_for(geometries, seed)
    expected, _ = search(geometries, points)
    tree = tree_of(geometries)
    locator = Locator(tree=tree, grids=generate_unit_grids(tree=tree, rules=GridRules(size_m=size_m, code_width=8)))
    found = locator.locate_many(points[:, 0], points[:, 1])
    assert np.array_equal(found.region, expected)
    assert np.array_equal(found.grid >= 0, expected >= 0)
    regions, grids = found.region_codes(), found.grid_codes()
    assert all(grid.startswith(region) for grid, region in zip(grids.tolist(), regions.tolist(), strict=True))
    for number in range(0, len(points), 7):
        single = locator.locate(float(points[number, 0]), float(points[number, 1]))
        assert (single.code, single.grid) == (regions[number], grids[number])


@given(st.integers(0, 2**32 - 1), st.integers(2, 12))
@settings(max_examples=60, deadline=None)
def test_overlaps_give_the_lowest_code(seed: int, count: int) -> None:
    generator = np.random.default_rng(seed)
    centres = generator.uniform(0, 0.03, (count, 2)) + ORIGIN
    geometries = [
        shapely.Point(centre).buffer(radius, 4)
        for centre, radius in zip(centres, generator.uniform(0.001, 0.02, count), strict=True)
    ]
    points = points_for(geometries, seed)
    expected, border = search(geometries, points)
    found = Locator(tree=tree_of(geometries)).locate_many(points[:, 0], points[:, 1])
    assert np.array_equal(found.region, expected)
    assert np.array_equal(found.flags() == "border", border)
