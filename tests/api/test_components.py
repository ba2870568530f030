"""Components over HTTP: filters that are the table's, pages that miss nothing, and who reads what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.api.calling import Caller
from tests.narrowing import present

from yiwang.server.assets.api import Census, Component, Options, decide, take_census

pytestmark = pytest.mark.django_db
Callers = Callable[..., Caller]
LAMP, COVER = "01002", "01001"
STAFF_ONLY = ("source_id", "authority", "owner", "maintainer", "attributes", "note", "source")


@pytest.fixture
def stock(mini: str, tmp_path: Any) -> list[str]:
    """Forty lamps and covers in two communities."""
    for kind, heading in ((LAMP, "路灯"), (COVER, "井盖")):
        path = tmp_path / f"{kind}.csv"
        rows = [
            f"{kind}-{turn},{heading}{turn},{120.0005 + turn * 0.0009},31.003,{'' if turn % 4 else '破损'},"
            f"甲局,乙所,丙队,石{turn},内部备注"
            for turn in range(20)
        ]
        path.write_text(
            "\n".join(["id,名称,经度,纬度,状态,主管部门,权属单位,养护单位,材质,备注", *rows]), encoding="utf-8"
        )
        taken = take_census(city=mini, kind=kind, path=path, options=Options(), by="surveyor")
        assert taken.counts["new"] == 20, taken.problems
    return list(Component.objects.order_by("id").values_list("code", flat=True))


def listed(caller: Caller, **asked: Any) -> list[dict[str, Any]]:
    """All pages of a list."""
    rows: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answer = caller.get(f"/cities/mini/components?{urlencode({**asked, 'cursor': cursor})}")
        assert answer.status_code == 200, answer.content
        page = answer.json()
        rows += page["items"]
        if not page["next"]:
            return rows
        cursor = page["next"]


def test_pages_have_each_component_once(anybody: Caller, stock: list[str]) -> None:
    ordered = list(Component.objects.order_by("kind", "region", "id").values_list("code", flat=True))
    assert sorted(ordered) == sorted(stock)
    for limit in (1, 7, 20, 40, 500):
        assert [row["code"] for row in listed(anybody, limit=limit)] == ordered


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({"kind": LAMP}, {"kind": LAMP}),
        ({"kind": "01"}, {"kind__startswith": "01"}),
        ({"kind": "77"}, {"kind": "77"}),
        ({"region": "9001"}, {"region__startswith": "9001"}),
        ({"region": "900201", "kind": COVER}, {"region": "900201", "kind": COVER}),
        ({"state": "damaged"}, {"state": "damaged"}),
        ({"q": "路灯1"}, {"name__contains": "路灯1"}),
        ({"q": "01002-000003"}, {"code": "01002-000003"}),
        ({"q": "01001"}, {"code__startswith": "01001"}),
        ({"bbox": "120.002,31.002,120.008,31.004"}, {"lon__gte": 120.002, "lon__lte": 120.008}),
        ({"bbox": "120.002,31.004,120.008,31.005"}, {"lat__gte": 31.004}),
    ],
)
def test_filters_are_those_of_the_table(
    anybody: Caller, stock: list[str], asked: dict[str, str], wanted: dict[str, Any]
) -> None:
    by_region = set(asked) == {"region"}
    order = ("cell", "id") if "bbox" in asked else ("region", "id") if by_region else ("kind", "region", "id")
    expected = list(Component.objects.filter(**wanted).order_by(*order).values_list("code", flat=True))
    assert [row["code"] for row in listed(anybody, limit=6, **asked)] == expected


@pytest.mark.parametrize("asked", ["state=x", "bbox=1,2,3", "cursor=abc", "limit=0", "kind=a%20b"])
def test_what_is_no_filter_is_refused(anybody: Caller, stock: list[str], asked: str) -> None:
    answer = anybody.get(f"/cities/mini/components?{asked}")
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["errors"]


def test_units_notes_and_attributes_are_for_staff(anybody: Caller, caller: Callers, stock: list[str]) -> None:
    code = stock[0]
    (public,), (full,) = listed(anybody, q=code), listed(caller("leader"), q=code)
    assert not set(STAFF_ONLY) & set(public)
    assert set(full) - set(public) == set(STAFF_ONLY)
    assert (full["authority"], full["attributes"], full["note"]) == ("甲局", {"材质": "石0"}, "内部备注")
    assert (public["kind_name"], public["state"]) == (full["kind_name"], "damaged")
    one = anybody.get(f"/cities/mini/components/{code}").json()
    assert {name: value for name, value in one.items() if name != "changes"} == public
    assert caller("leader").get(f"/cities/mini/components/{code}").json()["owner"] == "乙所"
    assert "甲局" not in anybody.get("/cities/mini/map/components?bbox=120,31,121,32").content.decode()


def test_the_history_says_what_changed(anybody: Caller, caller: Callers, stock: list[str], tmp_path: Any) -> None:
    path = tmp_path / "again.csv"
    path.write_text(
        f"id,经度,纬度,状态,备注\n{LAMP}-0,120.0005,31.003,完好,新备注\n{LAMP}-1,120.0014,31.003,,别的\n",
        encoding="utf-8",
    )
    taken = take_census(city="mini", kind=LAMP, path=path, options=Options(), by="surveyor")
    census = Census.objects.get(pk=present(taken.census))
    decide(census=census, accept=True, by="officer", outcomes=["changed"])
    first, second = stock[0], stock[1]
    public = anybody.get(f"/cities/mini/components/{first}").json()
    assert [one["fields"] for one in public["changes"]] == [{"state": ["damaged", "intact"]}]
    assert "by" not in public["changes"][0]
    assert anybody.get(f"/cities/mini/components/{second}").json()["changes"] == [], "only its note was changed"
    (told,) = caller("leader").get(f"/cities/mini/components/{first}").json()["changes"]
    assert told["by"] == "officer"
    assert told["fields"]["note"] == ["内部备注", "新备注"]


def test_one_component_by_its_code(anybody: Caller, stock: list[str]) -> None:
    found = anybody.get(f"/cities/mini/components/{stock[3]}")
    assert found.status_code == 200
    assert anybody.get(f"/cities/mini/components/{stock[3]}", If_None_Match=found["ETag"]).status_code == 304
    missing = anybody.get("/cities/mini/components/nonesuch", Accept_Language="en")
    assert (missing.status_code, missing.json()["detail"]) == (404, "There is no component 'nonesuch'.")
    missing = anybody.get("/cities/mini/components/nonesuch", Accept_Language="zh-CN")
    assert missing.json()["detail"] == "没有标识码为「nonesuch」的部件。"
    assert anybody.get(f"/cities/nowhere/components/{stock[3]}").status_code == 404


def test_points_of_a_box(anybody: Caller, stock: list[str]) -> None:
    body = anybody.get("/cities/mini/map/components?bbox=120,31,120.02,31.02&kind=01002").json()
    assert len(body["features"]) == 20
    assert body["truncated"] is False
    (feature, *_) = body["features"]
    assert feature["geometry"] == {"type": "Point", "coordinates": [120.0005, 31.003]}
    assert feature["properties"]["code"] == stock[0]
    assert anybody.get("/cities/mini/map/components?bbox=120,31,120.02,31.02&limit=3").json()["truncated"] is True
    assert anybody.get("/cities/mini/map/components").status_code == 422


def test_near_a_point_the_nearest_comes_first(anybody: Caller, stock: list[str]) -> None:
    asked = "/cities/mini/map/components/near?lon=120.0015&lat=31.003&kind=01002&metres=100"
    items = anybody.get(asked).json()["items"]
    assert [one["code"] for one in items] == [stock[1], stock[2], stock[0]]
    assert items[0]["metres"] == pytest.approx(9.5, abs=0.2)
    Component.objects.filter(code=stock[1]).update(state="removed")
    assert [one["code"] for one in anybody.get(asked).json()["items"]] == [stock[2], stock[0]]
    assert len(anybody.get(f"{asked}&limit=1").json()["items"]) == 1
