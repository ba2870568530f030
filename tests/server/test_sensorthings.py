"""The SensorThings API as its clients read it: lists, filters, pages and expansions."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries
from tests.server.sensorthings_calls import POINT, Program, said, stream, thing, three_observations, writer

from yiwang.server.sensing.api import Observation

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(caller: Callable[..., Any]) -> Program:
    """A program that may write, in the toy city."""
    return writer(caller)


@pytest.fixture
def level(program: Program) -> int:
    """Id of a datastream with three observations, 5, 7 and "dry"."""
    return three_observations(program)


# --- filters --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("result gt 5", [7]),
        ("result ge 5", [5, 7]),
        ("5 lt result", [7]),
        ("result ne 5", [7, "dry"]),
        ("result eq 'dry'", ["dry"]),
        ("startswith(result,'d')", ["dry"]),
        ("result add 2 eq 7", [5]),
        ("result sub 2 eq 3 or result mul 2 eq 14", [5, 7]),
        ("result div 2 eq 2.5", [5]),
        ("result div 0 eq 1", []),
        ("result mod 4 eq 3", [7]),
        ("-result eq -7", [7]),
        ("round(result div 2) eq 4", [7]),
        ("floor(result div 2) eq 3", [7]),
        ("ceiling(result div 2) eq 3", [5]),
        ("not (result gt 5)", [5]),
        ("result in (5, 6)", [5]),
        ("id eq 0 or @iot.id gt 0", [5, 7, "dry"]),
        ("phenomenonTime gt 2026-03-02T05:00:00Z", ["dry"]),
        ("phenomenonTime le 2026-03-02T13:00:00%2B08:00", [5, 7]),
        ("phenomenonTime gt 2026-03-02T05:30:00Z sub duration'PT1H'", [7, "dry"]),
        ("year(phenomenonTime) eq 2026 and month(phenomenonTime) eq 3 and day(phenomenonTime) eq 2", [5, 7, "dry"]),
        ("hour(phenomenonTime) eq 5 and minute(phenomenonTime) eq 0 and second(phenomenonTime) eq 0", [7]),
        ("fractionalseconds(phenomenonTime) gt 0", []),
        ("date(phenomenonTime) eq 2026-03-02", [5, 7, "dry"]),
        ("time(phenomenonTime) lt 05:00:00", [5]),
        ("totaloffsetminutes(phenomenonTime) eq 0", [5, 7, "dry"]),
        ("phenomenonTime gt mindatetime() and phenomenonTime lt maxdatetime()", [5, 7, "dry"]),
        ("phenomenonTime gt now()", []),
        ("resultTime eq null", [5, 7, "dry"]),
        ("resultTime ne null", []),
        ("Datastream/name eq 'level' and result lt 6", [5]),
        ("Datastream/Thing/properties/owner eq 'roads' and result eq 7", [7]),
        ("Datastream/unitOfMeasurement/symbol eq 'cm' and result eq 7", [7]),
        ("st_within(FeatureOfInterest/feature, geography'POINT (120.003 31.003)')", [5, 7, "dry"]),
    ],
)  # fmt: skip
def test_observations_that_a_filter_finds(program: Program, level: int, asked: str, found: list[Any]) -> None:
    path = f"/Observations?$orderby=phenomenonTime&$filter={asked}".replace("%2B", "+")
    answer = program.client.get(
        "/sensorthings/v1.1/Observations", {"$orderby": "phenomenonTime", "$filter": path.split("filter=")[1]}
    )
    assert answer.status_code == 200, answer.content
    assert [one["result"] for one in answer.json()["value"]] == found


AREA = "geography'POLYGON ((120 31, 121 31, 121 32, 120 32, 120 31))'"


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        ("name eq 'underpass 1'", True),
        ("name eq 'it''s'", False),
        ("contains(name,'pass')", True),
        ("contains(name,'PASS')", False),
        ("substringof('pass',name)", True),
        ("endswith(name,'1')", True),
        ("endswith(name,'underpass 12')", False),
        ("startswith(name,'under')", True),
        ("length(name) eq 11", True),
        ("indexof(name,'pass') eq 5", True),
        ("substring(name,5) eq 'pass 1' and substring(name,0,5) eq 'under'", True),
        ("toupper(name) eq 'UNDERPASS 1' and tolower(name) eq 'underpass 1'", True),
        ("trim(concat(name,'  ')) eq 'underpass 1'", True),
        ("contains(name,'pass') eq false", False),
        ("properties/depth gt 3 and properties/depth lt 4.5", True),
        ("properties/depth gt 'a'", False),
        ("properties/allowed eq true", True),
        ("properties/missing eq null", True),
        ("properties/owner ne 'roads'", False),
        ("properties/city eq 'mini'", True),
        ("Datastreams/Observations/result gt 6", True),
        ("Datastreams/Observations/result gt 7", False),
        ("Datastreams/phenomenonTime ge 2026-03-02T04:00:00Z", True),
        (f"st_within(Locations/location, {AREA})", True),
        (f"st_intersects(Locations/location, {AREA}) and geo.intersects(Locations/location, {AREA})", True),
        (f"st_contains({AREA}, Locations/location)", True),
        (f"st_disjoint(Locations/location, {AREA})", False),
        ("st_equals(Locations/location, geography'POINT (120.003 31.003)')", True),
        (f"st_touches(Locations/location, {AREA}) or st_crosses(Locations/location, {AREA})", False),
        (f"st_overlaps(Locations/location, {AREA})", False),
        (f"st_relate(Locations/location, {AREA}, 'T*F**F***')", True),
        ("geo.distance(Locations/location, geography'POINT (120 31)') lt 0.005", True),
        ("geo.distance(Locations/location, geography'POINT (120 31)') lt 0.004", False),
        ("geo.length(Locations/location) eq 0", True),
        ("HistoricalLocations/time gt 2020-01-01T00:00:00Z", True),
        ("HistoricalLocations/time lt 2020-01-01T00:00:00Z", False),
    ],
)
def test_whether_a_filter_finds_the_thing(program: Program, level: int, asked: str, there: bool) -> None:
    assert program.names(f"/Things?$filter={asked}") == (["underpass 1"] if there else [])


@pytest.mark.parametrize(
    ("asked", "at"),
    [
        ("name eq", 5),
        ("name eq 'x", 9),
        ("name eq 'x' and ~", 17),
        ("name eq 'x' and wrong eq 1", 17),
        ("name eq 'x' or foo(name)", 16),
        ("length(name, name) eq 1", 1),
        ("name eq 5", 1),
        ("name", 1),
        ("Datastreams/wrong eq 1", 1),
        ("st_within(Locations/location, 5)", 1),
        ("matchesPattern(name, '(a+)+$')", 1),
    ],
)
def test_a_filter_that_cannot_be_read_says_at_which_character(
    program: Program, level: int, asked: str, at: int
) -> None:
    told = program.client.get("/sensorthings/v1.1/Things", {"$filter": asked})
    assert told.status_code == 400, told.content
    answer = told.json()
    assert f"第 {at} 个字符" in answer["message_zh"]
    assert f"character {at}" in answer["message_en"]
    assert answer["errors"][0]["field"] == "$filter"


@pytest.mark.parametrize(
    "asked",
    [
        "(" * 900 + "1 eq 1" + ")" * 900,
        "not " * 900 + "(1 eq 1)",
        "a/" * 1500 + "a eq 1",
        " or ".join(["name eq 'x'"] * 400),
        "st_within(Locations/location, geography'POLYGON ((nonsense')",
        "result eq 1e999",
        " ",
        "id eq 99999999999999999999999",
        "substring(name, -99999999999999999999) eq 'x'",
        "year(9999-12-31T23:59:59Z) eq 9999",
        "phenomenonTime eq 9999-99-99T00:00:00Z",
        "st_relate(Locations/location, geography'POINT (1 1)', 'x')",
        "properties/a/b/c/d eq '\\' or properties eq 5",
    ],
)
def test_no_filter_is_a_bomb(program: Program, level: int, asked: str) -> None:
    answer = program.client.get("/sensorthings/v1.1/Things", {"$filter": asked})
    assert answer.status_code in (200, 400), answer.content


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)
@given(text=st.text(alphabet="'()/,: abeqndorltg.0123456789ñ名\\%_", max_size=40))
def test_any_text_as_a_filter_is_answered(program: Program, text: str) -> None:
    assert program.client.get("/sensorthings/v1.1/Things", {"$filter": text}).status_code in (200, 400)


_SIGNS = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)
@given(
    first=st.tuples(st.sampled_from(sorted(_SIGNS)), st.integers(3, 8)),
    second=st.tuples(st.sampled_from(sorted(_SIGNS)), st.integers(3, 8)),
    joined=st.sampled_from(["and", "or"]),
    negated=st.booleans(),
)
def test_comparisons_find_what_a_loop_finds(
    program: Program, level: int, first: tuple[str, int], second: tuple[str, int], joined: str, negated: bool
) -> None:
    asked = f"result {first[0]} {first[1]} {joined} {'not ' if negated else ''}(result {second[0]} {second[1]})"
    Observation.objects.filter(datastream=level, value=None).delete()
    wanted = []
    for value in (5, 7):
        one, other = _SIGNS[first[0]](value, first[1]), _SIGNS[second[0]](value, second[1]) != negated
        if (one and other) if joined == "and" else (one or other):
            wanted.append(value)
    assert program.results(f"/Observations?$orderby=phenomenonTime&$filter={asked}") == wanted


# --- pages ----------------------------------------------------------------------------------------------------------------


def test_pages_hold_every_entity_once_while_rows_are_added(program: Program, level: int) -> None:
    page = program.get("/Observations?$orderby=phenomenonTime desc&$top=2&$count=true")
    assert (page["@iot.count"], [one["result"] for one in page["value"]]) == (3, ["dry", 7])
    program.post(f"/Datastreams({level})/Observations", said(7, 9))
    rest = program.next(page["@iot.nextLink"])
    assert [one["result"] for one in rest["value"]] == [5]
    assert "@iot.nextLink" not in rest


def test_pages_by_a_column_that_may_be_empty(program: Program, level: int) -> None:
    page = program.get("/Observations?$orderby=resultTime,phenomenonTime&$top=2")
    assert [one["result"] for one in program.next(page["@iot.nextLink"])["value"]] == ["dry"]


def test_skip_top_and_order_over_a_link(program: Program, level: int) -> None:
    assert program.results("/Observations?$orderby=Datastream/name,result desc&$skip=1&$top=1") == [5]
    assert program.get("/Observations?$top=0")["value"] == []


@pytest.mark.parametrize(
    "asked",
    [
        "$top=x", "$top=-1", "$skip=1.5", "$count=yes", "$orderby=wrong", "$orderby=name up", "$orderby=Locations/name",
        "$select=wrong", "$expand=wrong", "$expand=Locations(", "$expand=Locations($wrong=1)", "$wrong=1", "$top=1&$top=2",
        "$skiptoken=abc", "$resultFormat=dataArray", "$resultFormat=xml",
        "$expand=Datastreams($expand=Thing($expand=Datastreams($expand=Thing($expand=Datastreams))))",
    ],
)  # fmt: skip
def test_an_option_that_cannot_be_taken_is_named(program: Program, level: int, asked: str) -> None:
    answer = program.get(f"/Things?{asked}", 400)
    assert answer["errors"][0]["field"].startswith("$")
    assert answer["message_zh"] != answer["message_en"]


def test_a_page_is_never_longer_than_a_thousand(program: Program, level: int) -> None:
    rows = [[f"2026-02-{1 + i // 1440:02}T{i // 60 % 24:02}:{i % 60:02}:00Z", i] for i in range(1200)]
    body = [{"Datastream": {"@iot.id": level}, "components": ["phenomenonTime", "result"], "dataArray": rows}]
    assert len(program.post("/CreateObservations", body)) == 1200
    page = program.get("/Observations?$top=5000")
    assert len(page["value"]) == 1000
    assert len(program.next(page["@iot.nextLink"])["value"]) == 203
    assert (
        sum(
            one["dataArray@iot.count"]
            for one in program.get("/Observations?$top=5000&$resultFormat=dataArray")["value"]
        )
        == 1203
    )


# --- expansions -----------------------------------------------------------------------------------------------------------


def test_expanded_sets_have_options_of_their_own(program: Program, level: int) -> None:
    program.post("/Things", thing("underpass 2", Datastreams=[stream("b", Observations=[said(1, 1), said(2, 2)])]))
    asked = "$expand=Datastreams($expand=Observations($top=1;$orderby=phenomenonTime desc;$count=true);$select=name),Locations"
    first, second = program.get(f"/Things?$orderby=name&{asked}")["value"]
    [one] = first["Datastreams"]
    assert set(one) == {"name", "Observations", "Observations@iot.count", "Observations@iot.nextLink"}
    assert ([row["result"] for row in one["Observations"]], one["Observations@iot.count"]) == (["dry"], 3)
    assert [row["result"] for row in program.next(one["Observations@iot.nextLink"])["value"]] == [7]
    assert second["Datastreams"][0]["Observations"][0]["result"] == 2
    assert first["Locations"][0]["location"] == POINT


def test_an_expanded_set_can_be_filtered(program: Program, level: int) -> None:
    [one] = program.get("/Datastreams?$expand=Observations($filter=result gt 5;$count=true),Thing")["value"]
    assert ([row["result"] for row in one["Observations"]], one["Observations@iot.count"]) == ([7], 1)
    assert one["Thing"]["name"] == "underpass 1"


def test_a_path_may_be_expanded(program: Program, level: int) -> None:
    [one] = program.get("/Things?$expand=Datastreams/Observations,Datastreams/Sensor")["value"]
    assert len(one["Datastreams"][0]["Observations"]) == 3
    assert one["Datastreams"][0]["Sensor"]["name"] == "gauge"


@pytest.mark.parametrize("many", [1, 12])
def test_queries_do_not_grow_with_the_page(
    program: Program, mini: str, many: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(many):
        program.post("/Things", thing(f"t{number}", Datastreams=[stream(Observations=[said(1, 1), said(2, 2)])]))
    with django_assert_max_num_queries(12):
        asked = "$expand=Locations,Datastreams($expand=Sensor,ObservedProperty,Observations($top=1;$expand=FeatureOfInterest))"
        page = program.get(f"/Things?{asked}")
    assert all(one["Datastreams"][0]["Observations"][0]["FeatureOfInterest"] for one in page["value"])
