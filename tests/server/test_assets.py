"""The component inventory: the first census, a later one, what a person decides about it, and files as they really are."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pyproj
import pytest
import shapely
from tests.narrowing import present
from xlsxwriter import Workbook

from yiwang.core.kernel.errors import BadInput
from yiwang.server.assets import censuses, survey
from yiwang.server.assets.api import (
    Census,
    Component,
    Options,
    decide,
    drop,
    export_components,
    save_columns,
    saved_columns,
    take_census,
)
from yiwang.server.assets.models import CodeSerial, ComponentChange
from yiwang.server.common.sql import insert_many

pytestmark = pytest.mark.django_db
LAMP, COVER = "01002", "01001"
STEP = 0.0001  # degrees between the lamps of a row: about ten metres
LAMPS = [{"id": str(n), "经度": 120.001 + n * STEP, "纬度": 31.002, "名称": f"路灯{n}"} for n in range(1, 6)]
Row = Mapping[str, Any]
Bring = Callable[..., censuses.Taken]


def written(path: Path, rows: Sequence[Row], *, encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as stream:
        out = csv.DictWriter(stream, list(rows[0]))
        out.writeheader()
        out.writerows(rows)
    return path


@pytest.fixture
def bring(mini: str, tmp_path: Path) -> Bring:
    """Takes up rows as a census: ``bring(rows, kind=LAMP, dry_run=True, within=20)``."""

    def take(
        rows: Sequence[Row], *, kind: str = LAMP, dry_run: bool = False, encoding: str = "utf-8", **options: Any
    ) -> censuses.Taken:
        path = written(tmp_path / "census.csv", rows, encoding=encoding)
        return take_census(city=mini, kind=kind, path=path, options=Options(**options), dry_run=dry_run, by="tester")

    return take


def codes() -> list[str]:
    return list(Component.objects.order_by("code").values_list("code", flat=True))


def counted(taken: censuses.Taken) -> dict[str, int]:
    return {name: count for name, count in taken.counts.items() if count}


def census(taken: censuses.Taken) -> Census:
    return Census.objects.get(pk=present(taken.census))


def moved(row: Row, metres: float) -> Row:
    return {**row, "经度": row["经度"] + metres / 95_400}


# --- the first census -------------------------------------------------------------------------------------------------


def test_the_first_census_is_the_inventory(bring: Bring) -> None:
    taken = bring(LAMPS)
    assert (taken.rows, counted(taken), taken.step) == (5, {"new": 5}, "done")
    first = Component.objects.order_by("id")[0]
    assert (first.code, first.name, first.source_id, first.state) == ("01002-000001", "路灯1", "1", "intact")
    assert first.region == "900101"
    assert first.first_on is not None
    assert first.attributes == {}
    assert ComponentChange.objects.count() == 0


def test_a_dry_run_writes_nothing(bring: Bring) -> None:
    assert counted(bring(LAMPS, dry_run=True)) == {"new": 5}
    assert not Component.objects.exists()
    assert not Census.objects.exists()
    bring(LAMPS)
    assert counted(bring([*LAMPS[1:], {**LAMPS[0], "id": "9", "纬度": 31.008}], dry_run=True)) == {
        "same": 4,
        "missing": 1,
        "new": 1,
    }
    assert Census.objects.count() == 1


def test_the_same_file_again_changes_nothing(bring: Bring) -> None:
    bring(LAMPS)
    again = bring(LAMPS)
    assert (counted(again), again.step) == ({"same": 5}, "done")
    assert Component.objects.count() == 5


def test_codes_follow_the_standard_where_the_pack_names_one(pack_copy: Path, db: None, tmp_path: Path) -> None:
    from yiwang.server.cities import queries
    from yiwang.server.provision.operations import install_pack

    toml = pack_copy / "pack.toml"
    toml.write_text(
        toml.read_text(encoding="utf-8").replace('id = "mini"', 'id = "coded"', 1).replace(
            'scheme = "mini-2026"', 'scheme = "mini-2026"\ncomponent_codes = "GB/T 47678.5"', 1
        ),
        encoding="utf-8",
    )  # fmt: skip
    install_pack(pack_copy)
    queries.forget()
    rows = [
        {"标识码": code, "x": 120.002, "y": 31.002}
        for code in ("90010101002000007", "", "90010101001000001", "90010201002000001", "9001010100200001")
    ]
    path = written(tmp_path / "lamps.csv", rows)
    taken = take_census(city="coded", kind=LAMP, path=path, options=Options())
    assert codes() == ["90010101002000007", "90010101002000008"], "numbers go on after the greatest that was brought"
    assert CodeSerial.objects.get(prefix="90010101002").last == 8
    assert [(one.row, one.column) for one in taken.problems] == [(4, "标识码"), (5, "标识码"), (6, "标识码")]


@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        ({"经度": "abc"}, "经度", "不是坐标"),
        ({"纬度": ""}, "纬度", "没有坐标"),
        ({"经度": 31.002, "纬度": 120.001}, "", "坐标系"),
        ({"经度": 121.5}, "", "不在本市"),
        ({"经度": "nan"}, "", "坐标"),
        ({"状态": "奇怪"}, "状态", "未知的状态"),
        ({"初始日期": "2026-13-01"}, "初始日期", "不是日期"),
        ({"id": "1"}, "id", "第 2 行"),
        ({"名称": "长" * 101}, "名称", "101"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_and_the_others_come_in(
    bring: Bring, cells: Row, column: str, words: str
) -> None:
    rows = [{**LAMPS[0], "状态": "完好", "初始日期": "20260301"}, {**LAMPS[1], "状态": "破损", "初始日期": "", **cells}]
    taken = bring(rows)
    assert counted(taken) == {"new": 1, "refused": 1}
    fault = taken.problems[0]
    assert (fault.file, fault.row, fault.column) == ("census.csv", 3, column)
    assert words in fault.text.into("zh")
    assert str(Component.objects.get().first_on) == "2026-03-01"
    assert census(taken).problems[0]["zh"] == fault.text.into("zh")


def test_a_class_or_column_that_is_not_there_is_refused(bring: Bring, mini: str) -> None:
    with pytest.raises(BadInput, match="01002"):
        bring(LAMPS, kind="01003")
    with pytest.raises(BadInput, match="02001"):
        bring(LAMPS, kind="02001")  # litter is no component
    with pytest.raises(BadInput, match="no field 'length'"):
        bring(LAMPS, columns={"length": "id"})
    with pytest.raises(BadInput, match="no column '经"):
        bring(LAMPS, columns={"lon": "经 度"})
    with pytest.raises(BadInput, match="Unknown coordinate system"):
        bring(LAMPS, crs="EPSG:999999")
    with pytest.raises(BadInput, match="longitudes"):
        bring([{"a": 1, "b": 2}])
    assert not Census.objects.exists()


def test_a_code_belongs_to_one_component_of_the_city(bring: Bring) -> None:
    rows = [{"标识码": "L-1", "经度": 120.002, "纬度": 31.002}]
    bring(rows)
    taken = bring([*rows, {**rows[0], "标识码": "C-1"}], kind=COVER)
    assert counted(taken) == {"new": 1, "refused": 1}
    assert "01002" in taken.problems[0].text.into("en")


def test_who_was_killed_goes_on_where_it_stopped(bring: Bring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "BLOCK", 2)
    blocks = []

    def killed(*arguments: Any) -> None:
        blocks.append(arguments)
        if len(blocks) == 2:
            raise KeyboardInterrupt
        insert_many(*arguments)

    monkeypatch.setattr("yiwang.server.assets.censuses.insert_many", killed)
    rows = [*LAMPS, {**LAMPS[0], "纬度": 31.009}]  # the id of a row that was taken up before
    with pytest.raises(KeyboardInterrupt):
        bring(rows)
    assert (Component.objects.count(), Census.objects.get().done) == (2, 2)
    with pytest.raises(BadInput, match="under way"):
        bring(LAMPS[:3])
    taken = bring(rows)
    assert (taken.rows, counted(taken), taken.step) == (6, {"new": 5, "refused": 1}, "done")
    assert Component.objects.count() == 5
    assert Census.objects.count() == 1


# --- a later census ---------------------------------------------------------------------------------------------------


@pytest.fixture
def recounted(bring: Bring) -> Census:
    """A second census: lamp 2 stands 5 m further on, lamp 3 has another name, lamp 5 is gone, and there is one more."""
    bring(LAMPS)
    one, two, three, four, _ = LAMPS
    new = {**LAMPS[4], "id": "77", "纬度": 31.008}
    taken = bring([one, moved(two, 5), {**three, "名称": "新灯"}, four, new])
    assert counted(taken) == {"same": 2, "moved": 1, "changed": 1, "missing": 1, "new": 1}
    assert taken.step == "waiting"
    return census(taken)


def test_what_differs_waits_for_a_person(recounted: Census) -> None:
    assert Component.objects.count() == 5
    assert ComponentChange.objects.count() == 0
    assert list(recounted.findings.order_by("id").values_list("outcome", flat=True)) == [
        "moved",
        "changed",
        "missing",
        "new",
    ]
    moved_one = recounted.findings.get(outcome="moved")
    assert moved_one.metres == pytest.approx(5, abs=0.05)
    assert moved_one.component is not None
    assert moved_one.component.source_id == "2"


def test_what_is_accepted_changes_the_inventory_and_says_from_what_to_what(recounted: Census) -> None:
    assert decide(census=recounted, accept=True, by="super", outcomes=["moved", "changed", "missing"]) == 3
    recounted.refresh_from_db()
    assert recounted.step == "waiting"
    assert decide(census=recounted, accept=True, by="super") == 1
    recounted.refresh_from_db()
    assert (recounted.step, Component.objects.count()) == ("done", 6)
    changes = {one.component.source_id: one.fields for one in ComponentChange.objects.select_related("component")}
    assert set(changes["2"]) == {"lon"}
    assert changes["3"] == {"name": ["路灯3", "新灯"]}
    assert changes["5"] == {"state": ["intact", "lost"]}
    assert Component.objects.get(source_id="3").version == 2
    assert Component.objects.get(source_id="77").code == "01002-000006"


def test_what_is_refused_changes_nothing_and_nothing_is_decided_twice(recounted: Census) -> None:
    before = list(Component.objects.order_by("id").values())
    one = recounted.findings.get(outcome="missing")
    assert decide(census=recounted, accept=False, by="super", findings=[one.pk]) == 1
    assert decide(census=recounted, accept=True, by="other", findings=[one.pk]) == 0
    assert decide(census=recounted, accept=False, by="super") == 3
    assert list(Component.objects.order_by("id").values()) == before
    one.refresh_from_db()
    assert (one.decision, one.decided_by) == ("refused", "super")


def test_one_census_of_a_class_at_a_time_until_it_is_dropped(recounted: Census, bring: Bring) -> None:
    with pytest.raises(BadInput, match="under way"):
        bring(LAMPS)
    assert counted(bring([{**LAMPS[0], "id": "c"}], kind=COVER)) == {"new": 1}, "another class is another matter"
    drop(recounted, by="super")
    recounted.refresh_from_db()
    assert recounted.step == "dropped"
    assert not recounted.findings.filter(decision="open").exists()
    assert counted(bring(LAMPS)) == {"same": 5}
    with pytest.raises(BadInput, match="first census"):
        drop(Census.objects.filter(first=True, kind=LAMP).get(), by="super")


def test_a_lost_component_is_missed_once_and_is_there_again_when_it_is_found(bring: Bring) -> None:
    bring(LAMPS)
    decide(census=census(bring(LAMPS[:4])), accept=True, by="super")
    assert counted(bring(LAMPS[:4])) == {"same": 4}
    found = bring(LAMPS)
    assert counted(found) == {"same": 4, "changed": 1}
    decide(census=census(found), accept=True, by="super")
    assert Component.objects.get(source_id="5").state == "intact"


def test_without_ids_the_place_decides_and_a_shifted_row_stays_itself(bring: Bring) -> None:
    rows = [{name: value for name, value in one.items() if name != "id"} for one in LAMPS]
    bring(rows)
    taken = bring([moved(one, 4) for one in rows])
    assert counted(taken) == {"moved": 5}
    assert all(one.metres == pytest.approx(4, abs=0.05) for one in census(taken).findings.all())


def test_a_column_that_a_census_has_not_is_left_as_it_was(bring: Bring) -> None:
    bring([{**one, "养护单位": "照明所", "功率": "60W"} for one in LAMPS])
    assert counted(bring(LAMPS)) == {"same": 5}
    taken = bring([{**one, "功率": "40W"} for one in LAMPS])
    assert counted(taken) == {"changed": 5}
    decide(census=census(taken), accept=True, by="super")
    one = Component.objects.get(source_id="1")
    assert (one.maintainer, one.attributes) == ("照明所", {"功率": "40W"})


# --- files as they really are -----------------------------------------------------------------------------------------


def test_the_columns_of_an_office_are_saved_for_the_next_file(bring: Bring, mini: str) -> None:
    rows = [{"东": one["经度"], "北": one["纬度"], "灯号": one["id"]} for one in LAMPS]
    columns = {"lon": "东", "lat": "北", "source_id": "灯号"}
    save_columns(city=mini, name="照明所", columns=columns, by="super")
    assert counted(bring(rows, columns=saved_columns(city=mini, name="照明所"), encoding="gb18030")) == {"new": 5}
    assert Component.objects.filter(source_id="3").exists()
    with pytest.raises(BadInput, match="照明所"):
        saved_columns(city=mini, name="照明")


def test_projected_and_shifted_coordinates_come_to_the_same_place(bring: Bring) -> None:
    from yiwang.core.space import from_wgs84

    east, north = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:4549", always_xy=True).transform(120.002, 31.002)
    bring([{"x": east, "y": north, "id": "a"}], crs="EPSG:4549")
    lon, lat = from_wgs84(120.003, 31.003, crs="gcj02")
    bring([{"x": lon, "y": lat, "id": "b"}], crs="gcj02", kind=COVER)
    places = {one.source_id: (one.lon, one.lat) for one in Component.objects.all()}
    assert places["a"] == pytest.approx((120.002, 31.002), abs=1e-7)
    assert places["b"] == pytest.approx((120.003, 31.003), abs=1e-7)


@pytest.mark.parametrize("ending", [".gpkg", ".geojson", ".shp"])
def test_geographic_files_bring_their_own_coordinate_system(mini: str, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"lamps{ending}"
    crs = "EPSG:4326" if ending == ".geojson" else "EPSG:4549"
    turn = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform
    shapes = [shapely.Point(*turn(one["经度"], one["纬度"])) for one in LAMPS[:3]]
    area = shapely.box(*turn(120.004, 31.004), *turn(120.005, 31.005))
    if ending != ".shp":
        shapes.append(area)  # a flower bed: a point inside it stands for it
    names = [f"灯{n}" for n in range(len(shapes))]
    pyogrio.raw.write(
        path, shapely.to_wkb(shapes), [np.array(names, dtype=object)], ["名称"],
        geometry_type="Unknown" if ending != ".shp" else "Point", crs=crs, encoding="UTF-8",
    )  # fmt: skip
    taken = take_census(city=mini, kind=LAMP, path=path, options=Options())
    assert counted(taken) == {"new": len(shapes)}
    first = Component.objects.get(name="灯0")
    assert (first.lon, first.lat) == pytest.approx((LAMPS[0]["经度"], LAMPS[0]["纬度"]), abs=1e-6)
    again = take_census(city=mini, kind=LAMP, path=path, options=Options())
    assert counted(again) == {"same": len(shapes)}


def test_a_workbook(mini: str, tmp_path: Path) -> None:
    path = tmp_path / "lamps.xlsx"
    with Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        for row, cells in enumerate([list(LAMPS[0]), *(one.values() for one in LAMPS)]):
            sheet.write_row(row, 0, list(cells))
    assert counted(take_census(city=mini, kind=LAMP, path=path, options=Options())) == {"new": 5}
    assert Component.objects.filter(source_id="5", name="路灯5").exists()


@pytest.mark.parametrize("ending", [".gpkg", ".geojson"])
def test_what_is_no_geographic_file_is_said(mini: str, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"broken{ending}"
    path.write_bytes(b"not at all")
    with pytest.raises(BadInput, match="cannot be read"):
        take_census(city=mini, kind=LAMP, path=path, options=Options())
    with pytest.raises(BadInput, match=f"broken{ending}"):
        take_census(city=mini, kind=LAMP, path=tmp_path / "gone" / path.name, options=Options())


@pytest.mark.parametrize("ending", [".csv", ".gpkg", ".geojson"])
def test_what_is_written_out_comes_in_as_the_same(bring: Bring, mini: str, tmp_path: Path, ending: str) -> None:
    bring([{**one, "功率": "=60W", "备注": "'引号"} for one in LAMPS])
    path = tmp_path / f"out{ending}"
    assert export_components(city=mini, path=path) == 5
    if ending == ".csv":
        assert "'=60W" in path.read_text(encoding="utf-8-sig"), "a spreadsheet must not take it for a formula"
    taken = take_census(city=mini, kind=LAMP, path=path, options=Options())
    assert counted(taken) == {"same": 5}
    assert not list(tmp_path.glob(".*"))
    with pytest.raises(BadInput, match=r"\.docx"):
        export_components(city=mini, path=tmp_path / "out.docx")
