"""Places by name, what a pin is called, and reports whose address and pin disagree."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from tests.basemaps import mini_with_basemap

from yiwang.core.cases.decide import DISAGREES
from yiwang.server.basemap.gazetteer import gazetteer
from yiwang.server.cases.api import disagreeing_region
from yiwang.server.cases.models import Case
from yiwang.server.cities import queries
from yiwang.server.cities.queries import runtime
from yiwang.server.provision.operations import install_pack

pytestmark = pytest.mark.usefixtures("fresh_cities")


@pytest.fixture
def mapped(db: None, tmp_path: Path) -> str:
    """The toy city with a base map."""
    queries.forget()
    install_pack(mini_with_basemap(tmp_path))
    return "mini"


def test_regions_are_found_without_a_base_map(mini: str, client: Client) -> None:
    region = runtime(mini).regions["900101"]
    html = client.get("/mini/choose/places", {"q": region.name.zh}).content.decode()
    assert 'data-region="900101"' in html
    assert "data-lon" in html


def test_named_features_are_found_with_their_point(mapped: str) -> None:
    known = gazetteer(runtime(mapped))
    kinds = {known.find(name, limit=1)[0].kind for name in _names(mapped)}
    assert len(kinds) > 1
    for name in _names(mapped):
        found = known.find(name, limit=1)[0]
        assert name in found.name.values()
        assert -180 <= found.lon <= 180


def _names(city: str) -> set[str]:
    from yiwang.packs.basemap import read_layers
    from yiwang.packs.files import PackFiles

    pack = runtime(city).pack
    assert pack.basemap is not None
    layers = read_layers(PackFiles(pack.root), pack.basemap)
    names = {str(said["name"]) for layer in layers.values() for said in layer.properties if said.get("name")}
    assert names
    return names


@pytest.mark.parametrize("words", ["120.005, 31.005", "31.005，120.005", "１２０.００５ 31.005", "120.005°,31.005°"])
def test_coordinates_in_either_order(mini: str, words: str) -> None:
    (found,) = gazetteer(runtime(mini)).find(words)
    assert (found.lon, found.lat) == (120.005, 31.005)
    assert found.region


def test_coordinates_outside_the_city_are_words(mini: str) -> None:
    assert gazetteer(runtime(mini)).find("10.0, 50.0") == []


def test_a_point_is_called_after_its_region_and_the_nearest_road(mapped: str) -> None:
    known = gazetteer(runtime(mapped))
    road = next(place for place in known._places if place.kind == "roads")
    here = known.about(road.lon, road.lat)
    assert here.road
    assert here.metres is not None
    assert here.metres < 1
    far = known.about(10.0, 50.0)
    assert (far.region, bool(far.road), far.metres) == ("", False, None)


def test_what_the_form_is_told_of_its_pin(mini: str, client: Client) -> None:
    there, elsewhere = runtime(mini).regions["9001"].name.zh, runtime(mini).regions["9002"].name.zh
    inside = {"lon": "120.005", "lat": "31.005"}
    agreed = client.get("/mini/about-place", {**inside, "address": f"{there}某路"}).content.decode()
    wrong = client.get("/mini/about-place", {**inside, "address": f"{elsewhere}某路"}).content.decode()
    assert 'role="alert"' not in agreed
    assert 'role="alert"' in wrong
    assert elsewhere in wrong
    outside = client.get("/mini/about-place", {"lon": "10", "lat": "50"}).content.decode()
    assert "不在本市" in outside
    for nothing in ({}, {"lon": "x", "lat": "1"}, {"lon": "1e400", "lat": "1"}, {"lon": "nan", "lat": "nan"}):
        assert client.get("/mini/about-place", nothing).status_code == 200


@pytest.mark.parametrize(
    ("address", "disagrees"), [("{there}一路", False), ("{elsewhere}一路", True), ("一路", False), ("", False)]
)
def test_a_report_whose_address_names_another_district_waits(
    mini: str, client: Client, address: str, disagrees: bool
) -> None:
    place = runtime(mini)
    names = {"there": place.regions["9001"].name.zh, "elsewhere": place.regions["9002"].name.zh}
    body = {"text": "路口垃圾", "category": "02001", "lon": 120.005, "lat": 31.005, "address": address.format(**names)}
    said = client.post("/api/v1/cities/mini/reports", body, content_type="application/json").json()
    case = Case.objects.get(number=said["case"])
    assert (case.flag == DISAGREES) is disagrees
    assert bool(said["notice"]) is disagrees
    sure = client.post(
        "/api/v1/cities/mini/reports", {**body, "address": "一路"}, content_type="application/json"
    ).json()
    assert sure["step"] != "reported", "triage lets the system carry it on"
    assert (said["step"] == "reported") is disagrees
    assert (case.number in client.get("/mini/cases", {"flag": DISAGREES}).content.decode()) is disagrees


def test_streets_and_communities_are_not_compared(mini: str) -> None:
    place = runtime(mini)
    other = place.regions["900102"].name.zh
    assert disagreeing_region(other, "900101", place=place) == ""


def test_numbers_of_cases_are_places_for_staff_only(mini: str, client: Client) -> None:
    body = {"text": "路口垃圾", "category": "02001", "lon": 120.005, "lat": 31.005}
    number = client.post("/api/v1/cities/mini/reports", body, content_type="application/json").json()["case"]
    assert number not in client.get("/mini/choose/places", {"q": number}).content.decode().replace(f"q={number}", "")
