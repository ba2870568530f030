"""Unit grids: numbers, order, areas, what happens when numbers run out, and codes that outlast changes."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.core.space import BASE_36, GridRules, Level, Region, RegionTree, UnitGrids, generate_unit_grids
from yiwang.core.space.frame import Lattice, metres_per_degree

LEVELS = [Level(id="city", width=2), Level(id="community", width=4)]
ORIGIN = (120.0, 31.0)
RULES = GridRules(size_m=100.0, code_width=7, origin=ORIGIN)
LATTICE = Lattice(lon=ORIGIN[0], lat=ORIGIN[1], size_m=100.0)


def in_cells(geometry: shapely.Geometry) -> shapely.Geometry:
    """A geometry drawn in cells of 100 m, brought to degrees."""
    return shapely.transform(geometry, lambda points: np.column_stack(LATTICE.to_degrees(points[:, 0], points[:, 1])))


def tree_of(*geometries: shapely.Geometry) -> RegionTree:
    regions = [Region(code="10", name=Text("市", "City"), level="city")]
    for number, geometry in enumerate(geometries, start=1):
        code = f"10{number:02d}"
        regions.append(
            Region(code=code, name=Text(code, code), level="community", parent="10", geometry=in_cells(geometry))
        )
    return RegionTree(regions=regions, levels=LEVELS)


def test_numbers_run_west_to_east_then_north_to_south() -> None:
    grids = generate_unit_grids(tree=tree_of(shapely.box(0, 0, 3, 2)), rules=RULES)
    assert grids.codes.tolist() == [f"1001{number:03d}" for number in range(1, 7)]
    centres = {code: LATTICE.to_cells(*grids.polygon(code).centroid.coords[0]) for code in grids.codes.tolist()}
    cells = [(int(u), int(v)) for u, v in centres.values()]
    assert cells == [(0, 1), (1, 1), (2, 1), (0, 0), (1, 0), (2, 0)]


def test_area_is_that_of_the_ellipsoid() -> None:
    grids = generate_unit_grids(tree=tree_of(shapely.box(0, 0, 3, 2)), rules=RULES)
    assert grids.area_m2 == pytest.approx(np.full(6, 10_000.0), rel=1e-4)
    # Half a degree farther north the same lattice cell is narrower by tan(31°) * 0.5° = 0.52 %.
    far = LATTICE.cell_area_m2(np.array([0.5 * metres_per_degree(31.0)[1] / 100]))
    assert far[0] == pytest.approx(10_000 * (1 - 0.0053), rel=2e-4)


def test_slivers_join_the_neighbour_with_the_longest_side() -> None:
    grids = generate_unit_grids(tree=tree_of(shapely.box(0, 0, 2.1, 1.2)), rules=RULES)
    assert len(grids) == 2
    assert sorted(grids.area_m2 / 10_000) == pytest.approx([1.2, 1.32], rel=1e-4)
    assert all(shape.geom_type == "Polygon" for shape in grids.polygons("1001").values())


def test_a_tiny_community_is_one_grid() -> None:
    grids = generate_unit_grids(tree=tree_of(shapely.box(0.9, 0.9, 1.1, 1.1)), rules=RULES)
    assert grids.codes.tolist() == ["1001001"]
    assert grids.area_m2[0] == pytest.approx(400, rel=1e-3)


def test_cells_that_fall_apart_give_separate_grids() -> None:
    # A comb: in the row of its teeth each cell holds two teeth that only meet in the row below.
    teeth = [shapely.box(x, 1, x + 0.35, 2) for x in np.arange(0.1, 3, 0.5)]
    comb = shapely.union_all([shapely.box(0, 0, 3, 1), *teeth])
    grids = generate_unit_grids(tree=tree_of(comb), rules=RULES)
    shapes = grids.polygons("1001")
    assert len(grids) == 9
    assert all(shape.geom_type == "Polygon" for shape in shapes.values())
    assert sum(shape.area for shape in shapes.values()) == pytest.approx(in_cells(comb).area, rel=1e-9)


def test_thin_teeth_join_the_grid_below() -> None:
    teeth = [shapely.box(x, 1, x + 0.2, 2) for x in np.arange(0.1, 3, 0.5)]
    grids = generate_unit_grids(tree=tree_of(shapely.union_all([shapely.box(0, 0, 3, 1), *teeth])), rules=RULES)
    assert len(grids) == 3
    assert grids.area_m2 / 10_000 == pytest.approx([1.4, 1.4, 1.4], rel=1e-4)


def test_too_many_cells_give_larger_ones() -> None:
    grids = generate_unit_grids(tree=tree_of(shapely.box(0, 0, 40, 40), shapely.box(40, 0, 60, 40)), rules=RULES)
    assert len(grids.in_region("1001")) == 400  # 200 m
    assert len(grids.in_region("1002")) == 800  # 100 m
    assert grids.area_m2[0] == pytest.approx(40_000, rel=1e-3)


def test_letters_give_more_numbers() -> None:
    rules = GridRules(size_m=100.0, code_width=7, origin=ORIGIN, alphabet=BASE_36)
    grids = generate_unit_grids(tree=tree_of(shapely.box(0, 0, 40, 40)), rules=rules)
    assert len(grids) == 1600
    assert grids.codes[35] == "1001010"
    assert grids.codes[9] == "100100A"
    assert grids.index("100100A") == 9


def test_codes_are_found_and_refused() -> None:
    grids = generate_unit_grids(tree=tree_of(shapely.box(0, 0, 3, 2)), rules=RULES)
    assert "1001003" in grids
    assert grids.code(2) == "1001003"
    assert grids.region_code(2) == "1001"
    for code in ("1001007", "1001000", "1002001", "100100", "100100x", ""):
        assert code not in grids
    with pytest.raises(BadInput, match="Unknown unit grid '1001007'"):
        grids.polygon("1001007")
    assert grids.polygons("9999") == {}
    assert list(grids.in_region("9999")) == []


def test_a_width_without_room_is_refused() -> None:
    with pytest.raises(BadInput, match="leaves no place"):
        generate_unit_grids(tree=tree_of(shapely.box(0, 0, 1, 1)), rules=GridRules(code_width=4))
    without = RegionTree(regions=[Region(code="10", name=Text("市", "City"), level="city")], levels=LEVELS)
    with pytest.raises(BadInput, match="has a geometry"):
        generate_unit_grids(tree=without, rules=RULES)


def test_an_unchanged_grid_keeps_its_code_and_an_old_number_never_returns() -> None:
    first = generate_unit_grids(tree=tree_of(shapely.box(0, 0, 4, 1)), rules=RULES)
    smaller = generate_unit_grids(tree=tree_of(shapely.box(0, 0, 3.5, 1)), previous=first)
    assert smaller.codes.tolist() == ["1001001", "1001002", "1001003", "1001005"]
    changes = smaller.changes_from(first)
    assert (changes.added, changes.retired) == (("1001005",), ("1001004",))
    again = generate_unit_grids(tree=tree_of(shapely.box(0, 0, 4, 1)), previous=smaller)
    assert again.codes.tolist() == ["1001001", "1001002", "1001003", "1001006"]
    gone = generate_unit_grids(tree=tree_of(shapely.box(0, 0, 2, 1)), previous=again)
    assert gone.codes.tolist() == ["1001001", "1001002"]
    back = generate_unit_grids(tree=tree_of(shapely.box(0, 0, 3, 1)), previous=gone)
    assert back.codes.tolist() == ["1001001", "1001002", "1001007"]


def test_used_up_numbers_are_refused() -> None:
    rules = GridRules(size_m=100.0, code_width=5, origin=ORIGIN)
    grids = generate_unit_grids(tree=tree_of(shapely.box(0, 0, 9, 1)), rules=rules)
    with pytest.raises(BadInput, match="'1001' are used up"):
        generate_unit_grids(tree=tree_of(shapely.box(0, 0, 9, 1.5)), previous=grids)


def test_another_size_makes_every_grid_new() -> None:
    first = generate_unit_grids(tree=tree_of(shapely.box(0, 0, 4, 2)), rules=RULES)
    rules = GridRules(size_m=200.0, code_width=7, origin=ORIGIN)
    second = generate_unit_grids(tree=tree_of(shapely.box(0, 0, 4, 2)), rules=rules, previous=first)
    assert second.codes.tolist() == ["1001009", "1001010"]


def test_bytes_there_and_back() -> None:
    comb = shapely.union_all(
        [shapely.box(0, 0, 3, 1), *(shapely.box(x, 1, x + 0.3, 2) for x in np.arange(0.1, 3, 0.5))]
    )
    tree = tree_of(comb, shapely.box(10, 0, 60, 40))
    grids = generate_unit_grids(tree=tree, rules=RULES)
    data = grids.to_bytes()
    copy = UnitGrids.from_bytes(data, tree=tree)
    assert copy.codes.tolist() == grids.codes.tolist()
    assert np.array_equal(copy.area_m2, grids.area_m2)
    assert copy.polygons("1001") == grids.polygons("1001")
    assert copy.rules == grids.rules
    assert copy.to_bytes() == data
    assert generate_unit_grids(tree=tree, previous=copy).changes_from(grids).added == ()


def test_bytes_of_other_communities_are_refused() -> None:
    data = generate_unit_grids(tree=tree_of(shapely.box(0, 0, 3, 2)), rules=RULES).to_bytes()
    with pytest.raises(BadInput, match="no longer those"):
        UnitGrids.from_bytes(data, tree=tree_of(shapely.box(0, 0, 3, 3)))
    for broken in (b"", b"nonsense", data[:100]):
        with pytest.raises(BadInput, match="cannot be read"):
            UnitGrids.from_bytes(broken)


def test_bytes_without_the_old_tree_still_pass_numbers_on() -> None:
    first = generate_unit_grids(tree=tree_of(shapely.box(0, 0, 4, 1)), rules=RULES)
    previous = UnitGrids.from_bytes(first.to_bytes())
    smaller = generate_unit_grids(tree=tree_of(shapely.box(0, 0, 3.5, 1)), previous=previous)
    assert smaller.codes.tolist() == ["1001001", "1001002", "1001003", "1001005"]
    with pytest.raises(BadInput, match="without their communities"):
        previous.polygon("1001001")
