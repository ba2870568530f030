"""Unit grids of any polygon tile it, come in order, and keep their codes where nothing changed."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.narrowing import present

from yiwang.core.kernel.text import Text
from yiwang.core.space import GridRules, Level, Locator, Region, RegionTree, UnitGrids, generate_unit_grids
from yiwang.core.space.frame import Lattice
from yiwang.core.space.pieces import pieces_of

LEVELS = [Level(id="city", width=2), Level(id="community", width=4)]
LATTICE = Lattice(lon=120.0, lat=31.0, size_m=100.0)
RULES = GridRules(size_m=100.0, code_width=7, origin=(120.0, 31.0))


def in_degrees(geometry: shapely.Geometry) -> shapely.Geometry:
    return shapely.transform(geometry, lambda points: np.column_stack(LATTICE.to_degrees(points[:, 0], points[:, 1])))


def in_cells(geometry: shapely.Geometry) -> shapely.Geometry:
    return shapely.transform(geometry, lambda points: np.column_stack(LATTICE.to_cells(points[:, 0], points[:, 1])))


@st.composite
def polygons(draw: st.DrawFn) -> shapely.Geometry:
    """Star-shaped polygons some cells wide, often with spikes, sometimes with a hole, sometimes on lattice corners."""
    count = draw(st.integers(3, 14))
    radii = draw(st.lists(st.floats(0.3, 7.0), min_size=count, max_size=count))
    centre = draw(st.tuples(st.floats(-3, 3), st.floats(-3, 3)))
    points = [
        (centre[0] + radius * math.cos(2 * math.pi * k / count), centre[1] + radius * math.sin(2 * math.pi * k / count))
        for k, radius in enumerate(radii)
    ]
    if draw(st.booleans()):
        points = [(round(x), round(y)) for x, y in points]
    shape = shapely.make_valid(shapely.Polygon(points))
    if draw(st.booleans()):
        shape = shape - shapely.Point(centre).buffer(draw(st.floats(0.05, 1.5)), 3)
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon" and part.area > 1e-3]
    return shapely.union_all(parts) if parts else shapely.box(0, 0, 1.5, 1.5)


def tree_of(geometries: list[shapely.Geometry]) -> RegionTree:
    regions = [Region(code="10", name=Text("市", "City"), level="city")]
    for number, geometry in enumerate(geometries):
        code = f"10{number:02d}"
        regions.append(
            Region(code=code, name=Text(code, code), level="community", parent="10", geometry=in_degrees(geometry))
        )
    return RegionTree(regions=regions, levels=LEVELS)


@given(polygons())
@settings(max_examples=80, deadline=None)
def test_pieces_have_the_areas_of_clipped_polygons(polygon: shapely.Geometry) -> None:
    """The coverage sums against one geometric intersection per cell."""
    degrees = in_degrees(polygon)
    pieces = pieces_of([degrees], lattice=LATTICE)
    west, south, east, north = (math.floor(value) for value in polygon.bounds)
    i, j = (part.ravel() for part in np.meshgrid(np.arange(west - 1, east + 2), np.arange(south - 1, north + 2)))
    clipped = shapely.intersection(in_cells(degrees), shapely.box(i, j, i + 1, j + 1))
    expected = {
        (int(a), int(b)): float(part.area) for a, b, part in zip(i, j, clipped, strict=True) if part.area > 1e-8
    }
    found: dict[tuple[int, int], float] = {}
    for a, b, area in zip(pieces.i.tolist(), pieces.j.tolist(), pieces.area.tolist(), strict=True):
        found[a, b] = found.get((a, b), 0.0) + area
    found = {cell: area for cell, area in found.items() if area > 1e-8}
    assert found.keys() == expected.keys()
    for cell, area in expected.items():
        assert found[cell] == pytest.approx(area, abs=1e-6)


@given(polygons())
@settings(max_examples=80, deadline=None)
def test_grids_tile_their_community(polygon: shapely.Geometry) -> None:
    grids = generate_unit_grids(tree=tree_of([polygon]), rules=RULES)
    shapes = {code: in_cells(shape) for code, shape in grids.polygons("1000").items()}
    assert list(shapes) == grids.codes.tolist()
    assert all(shape.geom_type == "Polygon" for shape in shapes.values())
    union = shapely.union_all(list(shapes.values()), grid_size=1e-9)
    assert sum(shape.area for shape in shapes.values()) == pytest.approx(polygon.area, rel=1e-6)
    assert shapely.symmetric_difference(union, polygon, grid_size=1e-9).area < 1e-5
    assert grids.area_m2.sum() == pytest.approx(polygon.area * 1e4, rel=1e-3)


@given(polygons())
@settings(max_examples=80, deadline=None)
def test_only_isolated_pieces_stay_small(polygon: shapely.Geometry) -> None:
    grids = generate_unit_grids(tree=tree_of([polygon]), rules=RULES)
    shapes = [in_cells(shape) for shape in grids.polygons("1000").values()]
    for number, shape in enumerate(shapes):
        if shape.area < 0.24:
            touching = [other for k, other in enumerate(shapes) if k != number and other.distance(shape) < 1e-9]
            borders = [shape.buffer(1e-7).intersection(other.boundary).length for other in touching]
            assert all(length < 1e-4 for length in borders)


@given(polygons())
@settings(max_examples=80, deadline=None)
def test_numbers_run_in_rows_from_the_north_west(polygon: shapely.Geometry) -> None:
    grids = generate_unit_grids(tree=tree_of([polygon]), rules=RULES)
    assert grids.grid_number.tolist() == list(range(1, len(grids) + 1))
    whole = [shape for shape in map(in_cells, grids.polygons("1000").values()) if shape.area > 0.999]
    corners = [(-math.floor(shape.bounds[3] - 0.5), math.floor(shape.bounds[0] + 0.5)) for shape in whole]
    squares = [
        corner
        for corner, shape in zip(corners, whole, strict=True)
        if shape.area < 1.001 and len(shape.exterior.coords) == 5
    ]
    assert squares == sorted(squares)


@given(polygons(), st.floats(-0.9, 0.9), st.floats(0, math.pi))
@settings(max_examples=80, deadline=None)
def test_a_split_keeps_the_codes_of_what_it_leaves_alone(
    polygon: shapely.Geometry, offset: float, angle: float
) -> None:
    """Cut a piece off by a straight line: grids away from the line keep code and shape, no old number is used anew."""
    first = generate_unit_grids(tree=tree_of([polygon]), rules=RULES)
    centre = polygon.centroid
    along = np.array([math.cos(angle), math.sin(angle)])
    foot = np.array([centre.x, centre.y]) + offset * np.array([-along[1], along[0]])
    side = np.array([along[1], -along[0]]) * 50
    half = shapely.Polygon([foot + 50 * along, foot - 50 * along, foot - 50 * along + side, foot + 50 * along + side])
    rest, taken = polygon - half, polygon & half
    keep = [part for part in shapely.get_parts(rest) if part.geom_type == "Polygon"]
    if rest.area < 0.05 or taken.area < 0.05 or not keep:
        return
    stored = UnitGrids.from_bytes(first.to_bytes())
    second = generate_unit_grids(tree=tree_of([shapely.union_all(keep)]), previous=stored)
    changes = second.changes_from(first)
    before, after = first.polygons("1000"), second.polygons("1000")
    for code in changes.kept:
        assert before[code].symmetric_difference(after[code]).area < 1e-12
    line = in_degrees(shapely.LineString([foot - 50 * along, foot + 50 * along]))
    for code, shape in before.items():
        untouched = not shape.intersects(in_degrees(half)) and shape.distance(line) > 4 * max(LATTICE.step)
        assert code in changes.kept or not untouched
    highest = max(first.grid_number)
    assert all(int(code[4:]) > highest for code in changes.added)
    third = generate_unit_grids(tree=tree_of([polygon]), previous=second)
    assert not set(third.changes_from(second).added) & {*first.codes.tolist(), *second.codes.tolist()}


@given(polygons(), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_the_locator_agrees_with_the_outlines(polygon: shapely.Geometry, seed: int) -> None:
    tree = tree_of([polygon])
    grids = generate_unit_grids(tree=tree, rules=RULES)
    locator = Locator(tree=tree, grids=grids)
    generator = np.random.default_rng(seed)
    shapes = grids.polygons("1000")
    corners = shapely.get_coordinates(list(shapes.values()))
    west, south, east, north = present(tree["1000"].bounds)
    points = np.column_stack([generator.uniform(west, east, 200), generator.uniform(south, north, 200)])
    points = np.concatenate([points, corners])
    found = locator.locate_many(points[:, 0], points[:, 1])
    codes = np.array(list(shapes))
    distance = shapely.distance(np.array(list(shapes.values()))[:, None], shapely.points(points)[None, :])
    for number in np.flatnonzero(found.region >= 0).tolist():
        code = found.grid_codes()[number]
        assert distance[np.flatnonzero(codes == code)[0], number] < 2e-9
        # Where outlines leave no doubt the answer is that one.
        certain = np.flatnonzero(distance[:, number] < 1e-7)
        assert len(certain) > 1 or codes[certain[0]] == code
