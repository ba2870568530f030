"""A place is one fact: whoever corrects a part of it corrects it all."""

from __future__ import annotations

from typing import Any

import pytest
from tests.narrowing import present
from tests.toy_city import WEST

from yiwang.core.kernel.refusals import Invalid, Missing
from yiwang.server.cases.models import Case
from yiwang.server.cases.reading import queries
from yiwang.server.verification import verifying

EAST = {"lon": 120.0153, "lat": 31.0034}  # community 900201
BEIJING = {"lon": 116.4, "lat": 39.9}

pytestmark = pytest.mark.django_db


def stored(number: str) -> Case:
    return Case.objects.get(number=number)


def whole(number: str) -> None:
    """What the row says is what its events say."""
    assert verifying.verify(city="mini").faults == []


def test_a_moved_pin_takes_region_grid_centre_and_lists_with_it(report: Any, act: Any, actor: Any) -> None:
    number = report()["case"]
    before = stored(number)
    assert (before.region, before.holder) == ("900101", "CTR-9001")
    act(number, "correct", actor("intake"), **EAST)
    after = stored(number)
    assert (after.region, after.holder, after.flag) == ("900201", "CTR-9002", "")
    assert after.grid.startswith("900201")
    assert (after.lon, after.lat) == (EAST["lon"], EAST["lat"])
    for region, there in (("9001", 0), ("9002", 1)):
        listed = queries.list_cases(city="mini", filters=queries.CaseFilters(region=region)).items
        assert len(listed) == there
        assert queries.figures(city="mini", region=region)["open"] == there
    whole(number)


def test_a_point_outside_the_city_and_half_a_point_are_refused(report: Any, act: Any, actor: Any) -> None:
    said = report()
    number, seq = said["case"], said["seq"]
    for given, error, field in (
        (BEIJING, Invalid, "lon"),
        ({"lon": 120.01, "lat": 31.01}, Invalid, "lon"),  # where records without a place land
        ({"lon": EAST["lon"]}, Missing, "lat"),
        ({"lat": EAST["lat"]}, Missing, "lon"),
    ):
        with pytest.raises(error) as refused:
            act(number, "correct", actor("intake"), category="02001", **given)
        assert refused.value.field == field
    same = stored(number)
    assert (same.seq, same.lon, same.lat, same.region) == (seq, WEST["lon"], WEST["lat"], "900101")


def test_a_region_corrected_alone_clears_a_pin_outside_it_and_keeps_one_within(
    report: Any, act: Any, actor: Any
) -> None:
    number = report()["case"]
    act(number, "correct", actor("intake"), region="900202")
    moved = stored(number)
    assert (moved.region, moved.grid, moved.lon, moved.lat) == ("900202", "", None, None)
    was = present(queries.get_case(city="mini", number=number)).events[-1].payload["was"]
    assert (was["lon"], was["lat"]) == (WEST["lon"], WEST["lat"])  # history still knows where it had been put
    act(number, "correct", actor("intake"), **WEST)
    act(number, "correct", actor("intake"), region="9001")  # the pin says more than the street
    kept = stored(number)
    assert (kept.region, kept.lon) == ("900101", WEST["lon"])
    whole(number)


def test_a_region_that_contradicts_the_point_is_refused_and_the_forms_old_region_is_not(
    report: Any, act: Any, actor: Any
) -> None:
    number = report()["case"]
    with pytest.raises(Invalid) as refused:
        act(number, "correct", actor("intake"), region="900102", **EAST)
    assert refused.value.field == "region"
    act(number, "correct", actor("intake"), region="900101", **EAST)  # the form gives back the region that it showed
    assert stored(number).region == "900201"


def test_a_point_in_another_system_is_the_same_place(report: Any, act: Any, actor: Any) -> None:
    number = report()["case"]
    act(number, "correct", actor("intake"), crs="gcj02", lon=120.0199, lat=31.0012)
    found = stored(number)
    assert found.region == "900201"
    assert found.lon == pytest.approx(120.0153, abs=0.001)  # kept in WGS 84, as at intake
    whole(number)


def test_a_flag_goes_with_the_place_that_it_was_about(report: Any, act: Any, actor: Any) -> None:
    number = report(**BEIJING)["case"]
    assert stored(number).flag == "outside"
    act(number, "correct", actor("intake"), **WEST)
    assert (stored(number).flag, stored(number).region) == ("", "900101")
    whole(number)
    split = report(text="一件两处")["case"]
    act(split, "correct", actor("intake"), lon=120.0, lat=31.005)
    assert stored(split).flag == "border"
    whole(split)


def test_an_address_tells_the_region_where_nothing_else_did(report: Any, act: Any, actor: Any) -> None:
    from yiwang.server.cases.writing import relocating
    from yiwang.server.cities.queries import runtime

    number = report(lon=None, lat=None, address="西南社区门口")["case"]
    row = stored(number)
    assert (row.region, row.flag) == ("900101", "words")
    state = present(queries.get_case(city="mini", number=number)).state
    moved = relocating.relocate({"address": "东北社区"}, state=state, flag="words", place=runtime("mini"))
    assert (moved["region"], moved["flags"]) == ("900202", ["words"])
    act(number, "correct", actor("intake"), place="东北社区")
    assert (stored(number).region, stored(number).flag, stored(number).address) == ("900202", "words", "东北社区")
    whole(number)


def test_the_pages_form_takes_typed_coordinates_and_keeps_them_when_they_are_refused(
    report: Any, client: Any, actor: Any
) -> None:
    from yiwang.server.people.operations import create_person

    create_person(
        username="i", password="long-enough-1", name="i", name_en="i", city="mini",
        roles={"intake": ("CTR-90", "")}, demo=False,
    )  # fmt: skip
    assert client.login(username="i", password="long-enough-1")
    number = report()["case"]
    page = client.get(f"/mini/cases/{number}").content.decode()
    assert 'id="correct-lon" name="lon" value="120.003000"' in page
    address = f"/mini/cases/{number}/verbs/correct"
    refused = client.post(address, {"region": "900101", "lon": "116.4", "lat": "39.9"})
    assert refused.status_code == 422
    assert 'name="lon" value="116.4"' in refused.content.decode()
    assert "不在小城的范围内" in refused.content.decode()
    sent = {"category": "02001", "region": "900101", "lon": "120.0153", "lat": "31.0034", "place": ""}
    assert client.post(address, sent).status_code == 302
    assert stored(number).region == "900201"
    seen = client.get(f"/mini/cases/{number}").content.decode()
    assert "西街道 · 西南社区 → 东街道 · 东南社区" in seen
    assert client.post(address, {"category": "02002", "lon": "120.015300", "lat": "31.003400"}).status_code == 302
    same = stored(number)
    assert (same.category, same.region, same.lon) == ("02002", "900201", EAST["lon"])  # six decimals moved nothing
