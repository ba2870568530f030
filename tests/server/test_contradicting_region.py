"""A region in a report that contradicts its point is said, not dropped in silence."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.toy_city import MINI

from yiwang.server.cases.models import Case
from yiwang.server.cases.reading import nearby
from yiwang.server.cities.queries import runtime
from yiwang.server.people.operations import create_person
from yiwang.server.provision.operations import install_pack

pytestmark = pytest.mark.django_db


def test_the_answer_says_that_the_point_was_taken(report: Any) -> None:
    said = report(region="900202")
    assert Case.objects.get(number=said["case"]).region == "900101"
    assert "900202" in said["notice"]
    assert "900202" in said["notice_zh"]
    assert "已按坐标登记" in said["notice_zh"]
    for agreeing in ("900101", "9001", ""):
        assert report(region=agreeing)["notice"] == ""


def test_the_clerk_reads_it_on_the_page(mini: str, client: Any) -> None:
    create_person(
        username="i",
        password="long-enough-1",
        name="i",
        name_en="i",
        city="mini",
        roles={"intake": ("CTR-90", "")},
        demo=False,
    )
    assert client.login(username="i", password="long-enough-1")
    said = {
        "text": "垃圾",
        "category": "02001",
        "lon": "120.003",
        "lat": "31.003",
        "region": "900202",
        "source": "hotline",
    }
    answer = client.post("/mini/desk/intake/new", said)
    assert answer.status_code == 201, answer.content.decode()[:500]
    assert "已按坐标登记" in answer.content.decode()


REPORT = {"text": "垃圾", "category": "02001", "lon": "120.003", "lat": "31.003", "seen": "1"}


@pytest.mark.parametrize("path", ["/mini/report", "/mini/portal/report"])
def test_who_reports_reads_it_on_the_receipt(mini: str, client: Any, path: str) -> None:
    for language, words in (("zh-hans", "已按坐标登记"), ("en", "not in the region that was named")):
        for region, said in (("900202", True), ("900101", False)):
            answer = client.post(path, {**REPORT, "region": region}, headers={"accept-language": language})
            assert answer.status_code == 201, answer.content.decode()[:500]
            assert (words in answer.content.decode()) is said, (language, region)


@pytest.mark.parametrize("path", ["/mini/report", "/mini/portal/report", "/mini/desk/intake/new"])
def test_a_point_of_the_map_stays_where_it_is_in_a_city_of_another_system(
    mini: str, client: Any, tmp_path: Path, path: str
) -> None:
    """The city's records are in GCJ-02, some hundred metres off; maps and phones give WGS 84 all the same."""
    folder = tmp_path / "mini"
    shutil.copytree(MINI, folder)
    pack = folder / "pack.toml"
    text = pack.read_text(encoding="utf-8")
    assert 'crs = "wgs84"' in text
    pack.write_text(text.replace('crs = "wgs84"', 'crs = "gcj02"'), encoding="utf-8")
    install_pack(folder)
    place = runtime("mini")
    assert place.info.crs == "gcj02"
    if "desk" in path:
        create_person(
            username="i", password="long-enough-1", name="i", name_en="i", city="mini",
            roles={"intake": ("CTR-90", "")}, demo=False,
        )  # fmt: skip
        assert client.login(username="i", password="long-enough-1")
    answer = client.post(path, {**REPORT, "source": "hotline"})
    assert answer.status_code == 201, answer.content.decode()[:500]
    case = Case.objects.get()
    assert (case.lon, case.lat) == (120.003, 31.003)
    assert case.region == "900101"
    near = nearby.open_near(place=place, lon=120.003, lat=31.003)
    assert [(row["number"], row["distance_m"]) for row in near] == [(case.number, 0)]
