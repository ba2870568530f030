"""The region tree: what it finds, and every fault that it names."""

from __future__ import annotations

from datetime import date

import pytest
import shapely

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.core.space import Level, RegionTree, Shape, from_wkb, read_regions, read_shapes, to_geojson, to_wkb

LEVELS = [
    Level(id="city", name=Text("市", "City"), width=2),
    Level(id="district", name=Text("区", "District"), width=4),
    Level(id="street", name=Text("街道", "Subdistrict"), width=6),
]


def row(code: str, level: str, parent: str = "", **more: str) -> dict[str, str]:
    return {"code": code, "name": f"名{code}", "name_en": f"Name {code}", "level": level, "parent": parent} | more


ROWS = [
    row("10", "city"),
    row("1001", "district", "10", valid_to="2024-01-01"),
    row("100101", "street", "1001", valid_to="2024-01-01"),
    row("1002", "district", "10"),
    row("100201", "street", "1002", official_code="100201000000"),
    row("1003", "district", "10", valid_from="2024-01-01", predecessors="1001"),
    row("100301", "street", "1003", valid_from="2024-01-01", predecessors="100101"),
    row("100302", "street", "1003", valid_from="2024-01-01", predecessors="100101"),
]


@pytest.fixture
def tree() -> RegionTree:
    return RegionTree.from_rows(rows=ROWS, levels=LEVELS)


def test_reads_rows_and_keeps_codes_in_order(tree: RegionTree) -> None:
    assert len(tree) == 8
    assert tree.codes[:3] == ("10", "1001", "100101")
    assert [region.code for region in tree.roots] == ["10"]
    assert tree["100201"].official_code == "100201000000"
    assert tree.depth("100201") == 2
    assert "1001" in tree
    assert "zz" not in tree
    assert tree.get("zz") is None
    with pytest.raises(BadInput, match="Unknown region 'zz'"):
        tree["zz"]


def test_chain_and_prefix(tree: RegionTree) -> None:
    assert [region.code for region in tree.chain("100201")] == ["10", "1002", "100201"]
    assert [region.code for region in tree.children("1003")] == ["100301", "100302"]
    assert [region.code for region in tree.descendants("10")] == [code for code in tree.codes if code != "10"]
    assert tree.descendants("100201") == ()
    assert [region.code for region in tree.at_level("district")] == ["1001", "1002", "1003"]


def test_a_grid_code_stands_for_the_region_around_it(tree: RegionTree) -> None:
    assert [region.code for region in tree.chain("100201007")] == ["10", "1002", "100201"]
    assert tree.codes_by_level("100201007") == {"city": "10", "district": "1002", "street": "100201"}
    assert tree.codes_by_level("1002") == {"city": "10", "district": "1002"}
    assert tree.ancestor("100201", "district") == "1002"
    assert tree.ancestor("1002", "street") is None
    with pytest.raises(BadInput):
        tree.chain("99")


def test_tree_of_a_day(tree: RegionTree) -> None:
    before, after = tree.on(date(2023, 12, 31)), tree.on(date(2024, 1, 1))
    assert before.codes == ("10", "1001", "100101", "1002", "100201")
    assert after.codes == ("10", "1002", "100201", "1003", "100301", "100302")


def test_split_rename_and_end(tree: RegionTree) -> None:
    assert tree.successors("100101", date(2023, 1, 1)) == ("100101",)
    assert tree.successors("100101", date(2024, 1, 1)) == ("100301", "100302")
    assert tree.successors("1001", date(2024, 1, 1)) == ("1003",)
    ended = [row("10", "city"), row("1001", "district", "10", valid_to="2020-01-01")]
    assert RegionTree.from_rows(rows=ended, levels=LEVELS).successors("1001", date(2021, 1, 1)) == ()


def test_merger_in_two_steps_and_into_an_older_region() -> None:
    tree = RegionTree.from_rows(
        rows=[
            row("10", "city"),
            row("1001", "district", "10", valid_to="2010-01-01"),
            row("1002", "district", "10", valid_to="2010-01-01"),
            row("1003", "district", "10", valid_from="2010-01-01", valid_to="2020-01-01", predecessors="1001 1002"),
            row("1004", "district", "10", predecessors="1003"),
        ],
        levels=LEVELS,
    )
    for code in ("1001", "1002", "1003"):
        assert tree.successors(code, date(2020, 1, 1)) == ("1004",)


@pytest.mark.parametrize(
    ("rows", "message", "column", "number"),
    [
        ([row("10", "city"), row("10", "city")], "already used in row 2", "code", 3),
        ([row("", "city")], "has no code", "code", 2),
        ([row("1 ", "city")], "has 1 characters", "code", 2),
        ([row("1%", "city")], "characters that no path may", "code", 2),
        ([row("10", "planet")], "Unknown level 'planet'", "level", 2),
        ([row("10", "city"), row("100", "district", "10")], "has 3 characters", "code", 3),
        ([row("10", "city"), row("1001", "district", "77")], "Unknown parent '77'", "parent", 3),
        ([row("10", "city"), row("1001", "district")], "has no parent", "parent", 3),
        ([row("10", "city"), row("2001", "district", "10")], "does not begin with its parent's", "code", 3),
        ([row("10", "city"), row("100101", "street", "10")], "is of level 'city'", "parent", 3),
        ([row("10", "city", name="")], "has no name", "name", 2),
        ([row("10", "city", valid_from="1 May")], "is no date", "valid_from", 2),
        ([row("10", "city", valid_from="2024-01-01", valid_to="2023-01-01")], "before it begins", "valid_to", 2),
        (
            [row("10", "city", valid_to="2024-01-01"), row("1001", "district", "10")],
            "outside its parent's",
            "valid_from",
            3,
        ),
        ([row("10", "city", predecessors="09")], "Unknown predecessor '09'", "predecessors", 2),
        ([row("10", "city", predecessors="10")], "names itself", "predecessors", 2),
        (
            [row("10", "city", valid_from="2024-01-01"), row("09", "city", valid_to="2020-01-01", predecessors="10")],
            "began after",
            "predecessors",
            3,
        ),
    ],
)
def test_every_fault_says_where(rows: list[dict[str, str]], message: str, column: str, number: int) -> None:
    _, problems = read_regions(rows=rows, levels=LEVELS)
    assert len(problems) == 1
    assert message in str(problems[0].message)
    assert (problems[0].file, problems[0].column, problems[0].row) == ("regions.csv", column, number)
    assert problems[0].hint


def test_all_faults_at_once_and_none_that_only_follow() -> None:
    rows = [
        row("10", "city"),
        row("100", "district", "10"),
        row("100001", "street", "100"),
        row("1002", "district", "7"),
    ]
    with pytest.raises(BadInput) as caught:
        RegionTree.from_rows(rows=rows, levels=LEVELS)
    # The street's parent is a faulty row, not an unknown one.
    assert [problem.row for problem in caught.value.problems] == [3, 5]


def test_levels_must_widen() -> None:
    _, problems = read_regions(rows=[], levels=[LEVELS[1], LEVELS[0]])
    assert problems[0].file == "pack.toml"


def test_names_are_no_keys() -> None:
    rows = [row("10", "city"), row("1001", "district", "10", name="湖㳇"), row("1002", "district", "10", name="湖㳇")]
    tree = RegionTree.from_rows(rows=rows, levels=LEVELS)
    assert [region.name.zh for region in tree.children("10")] == ["湖㳇", "湖㳇"]


def square(west: float, south: float, size: float = 1.0) -> shapely.Polygon:
    return shapely.box(west, south, west + size, south + size)


def test_shapes_are_read_repaired_and_refused() -> None:
    bow_tie = {"type": "Polygon", "coordinates": [[[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]]}
    line = {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}

    def feature(code: str | None, geometry: object) -> dict[str, object]:
        return {
            "type": "Feature",
            "properties": {"code": code, "approximate": True, "source": "s"},
            "geometry": geometry,
        }

    shapes, problems = read_shapes(
        collection={
            "features": [
                feature("10", to_geojson(square(0, 0))),
                feature("11", bow_tie),
                feature("10", to_geojson(square(0, 0))),
                feature("12", line),
                feature("13", None),
                feature("14", {"type": "Polygon", "coordinates": [[[0, 0]]]}),
                {"properties": {}, "geometry": bow_tie},
            ]
        }
    )
    assert set(shapes) == {"10", "11"}
    assert shapes["11"].geometry.is_valid
    assert shapes["11"].geometry.area == pytest.approx(2.0)
    assert shapes["10"].approximate
    assert [str(problem.message).split()[0] for problem in problems] == [
        "Feature",
        "Region",
        "Region",
        "Region",
        "Feature",
    ]


def test_geometry_reaches_the_region_and_survives_wkb() -> None:
    shapes = {"10": Shape(geometry=square(1, 2), approximate=True), "77": Shape(geometry=square(0, 0))}
    regions, problems = read_regions(rows=[row("10", "city")], levels=LEVELS, shapes=shapes)
    assert [str(problem.message) for problem in problems] == ["There is a geometry for '77' but no region."]
    assert regions[0].bounds == (1, 2, 2, 3)
    assert regions[0].approximate
    assert from_wkb(to_wkb(regions[0].geometry)) == regions[0].geometry
