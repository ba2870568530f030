"""Observations that have moved into the lake are answered with those in the database, or it is said that they cannot be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries
from tests.server.sensorthings_calls import Program, thing, writer

from yiwang.server.cities.queries import runtime
from yiwang.server.sensing.api import Datastream, Observation, keep_city

pytestmark = pytest.mark.django_db
FIRST = datetime(2026, 2, 27, tzinfo=UTC)
DAYS, EACH = 6, 4
BOUNDARY = FIRST + timedelta(days=4)  # the first day that stays in the database
ALL = [float(number) for number in range(DAYS * EACH)]


def moment(number: int) -> str:
    return (FIRST + timedelta(hours=6 * number)).isoformat()[:-6] + "Z"


@pytest.fixture
def program(caller: Callable[..., Any], tmp_path: Path, settings: Any) -> Program:
    settings.YIWANG_HOME = tmp_path
    return writer(caller)


def fill(program: Program, number: int = 0) -> int:
    made = program.post("/Things", thing(f"underpass {number}"))
    pk = int(program.get(f"/Things({made['@iot.id']})/Datastreams")["value"][0]["@iot.id"])
    rows = [[moment(number), value] for number, value in enumerate(ALL)]
    array = {"Datastream": {"@iot.id": pk}, "components": ["phenomenonTime", "result"], "dataArray": rows}
    program.post("/CreateObservations", [array])
    return pk


def move() -> None:
    keep_city(runtime("mini"), now=BOUNDARY + timedelta(days=30), before=BOUNDARY)
    assert Observation.objects.count() == Datastream.objects.count() * 2 * EACH


@pytest.fixture
def level(program: Program) -> int:
    """A datastream of six days, four of which lie in the lake."""
    pk = fill(program)
    move()
    return pk


def walked(program: Program, path: str) -> list[list[Any]]:
    """Results of all pages."""
    page = program.get(path)
    pages = [[one["result"] for one in page["value"]]]
    while link := page.get("@iot.nextLink"):
        page = program.next(link)
        pages.append([one["result"] for one in page["value"]])
    return pages


@pytest.mark.parametrize("order", ["", "&$orderby=phenomenonTime", "&$orderby=phenomenonTime desc"])
@pytest.mark.parametrize("top", [1, 5, 16, 100])
def test_pages_cross_the_boundary(program: Program, level: int, order: str, top: int) -> None:
    pages = walked(program, f"/Datastreams({level})/Observations?$top={top}{order}")
    whole = ALL[::-1] if "desc" in order else ALL
    assert pages == [whole[start : start + top] for start in range(0, len(whole), top)]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("$skip=10&$top=9", ALL[10:19]),
        ("$skip=30", []),
        ("$top=0", []),
        (f"$filter=phenomenonTime ge {moment(3)} and phenomenonTime lt {moment(18)}", ALL[3:18]),
        (f"$filter=phenomenonTime gt {moment(3)} and phenomenonTime le {moment(18)}", ALL[4:19]),
        (f"$filter={moment(14)} lt phenomenonTime and result ne 16", [15.0, *ALL[17:]]),
        (f"$filter=phenomenonTime eq {moment(2)}", [2.0]),
        (f"$filter=phenomenonTime ge {moment(30)} sub duration'P4D'", ALL[14:]),
        ("$filter=result ge 14 and result lt 18", ALL[14:18]),
        ("$filter=result gt 3&$skip=10&$top=3&$orderby=phenomenonTime desc", [13.0, 12.0, 11.0]),
    ],
)
def test_filters_and_counts(program: Program, level: int, asked: str, found: list[float]) -> None:
    page = program.get(f"/Datastreams({level})/Observations?$count=true&{asked}")
    assert [one["result"] for one in page["value"]] == found
    if "$skip" not in asked and "$top" not in asked:
        assert page["@iot.count"] == len(found)


def test_entities_are_whole(program: Program, level: int) -> None:
    """As they were answered before they moved."""
    other = fill(program, 1)
    path = f"/Datastreams({other})/Observations?$expand=Datastream($select=name),FeatureOfInterest&$count=true"
    before = program.get(path)
    array = program.get(f"/Datastreams({other})/Observations?$resultFormat=dataArray")
    references = program.get(f"/Datastreams({other})/Observations/$ref")
    move()
    assert program.get(path) == before
    assert program.get(f"/Datastreams({other})/Observations?$resultFormat=dataArray") == array
    assert program.get(f"/Datastreams({other})/Observations/$ref") == references


def test_late_readings_and_corrections_are_seen(program: Program, level: int) -> None:
    program.post(f"/Datastreams({level})/Observations", {"phenomenonTime": moment(2), "result": 99})
    late = (FIRST + timedelta(hours=1)).isoformat()
    program.post(f"/Datastreams({level})/Observations", {"phenomenonTime": late, "result": "dry"})
    page = program.get(f"/Datastreams({level})/Observations?$top=4&$count=true")
    assert [one["result"] for one in page["value"]] == [0, "dry", 1, 99]
    assert page["@iot.count"] == len(ALL) + 1


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/Datastreams({pk})/Observations?$filter=FeatureOfInterest/name eq 'underpass'", "$filter"),
        ("/Datastreams({pk})/Observations?$filter=result gt 3 or result lt 1", "$filter"),
        ("/Datastreams({pk})/Observations?$filter=result eq 'dry'", "$filter"),
        ("/Datastreams({pk})/Observations?$orderby=result", "$orderby"),
        ("/Observations", ""),
        ("/Observations?$filter=phenomenonTime ge {early}", "$filter"),
        ("/FeaturesOfInterest?$expand=Observations", "$expand"),
        ("/Datastreams?$filter=Observations/result gt 3", "$filter"),
    ],
)
def test_what_the_lake_cannot_answer_is_said(program: Program, level: int, path: str, field: str) -> None:
    said = program.get(path.format(pk=level, early=moment(15)), 501)
    assert [one["field"] for one in said["errors"]] == ([field] if field else [])
    assert "归档" in said["message_zh"]
    assert "lake" in said["message_en"]


def test_what_lies_after_it_is_asked_as_ever(program: Program, level: int) -> None:
    after = f"phenomenonTime ge {moment(16)}"
    assert program.results(f"/Observations?$filter={after}") == ALL[16:]
    asked = f"{after} and (result eq 17 or FeatureOfInterest/name eq 'nowhere')"
    assert program.results(f"/Datastreams({level})/Observations?$filter={asked}&$orderby=result desc") == [17.0]
    new = program.post("/Things", thing("new"))
    pk = program.get(f"/Things({new['@iot.id']})/Datastreams")["value"][0]["@iot.id"]
    program.post(f"/Datastreams({pk})/Observations", {"phenomenonTime": moment(20), "result": "dry"})
    assert program.results(f"/Datastreams({pk})/Observations?$filter=result eq 'dry'") == ["dry"]


def test_expansions(program: Program, level: int, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for number in (1, 2, 3):
        fill(program, number)
    move()
    with django_assert_max_num_queries(11):
        page = program.get("/Datastreams?$expand=Observations($top=1;$orderby=phenomenonTime desc)")
    assert [one["Observations"][0]["result"] for one in page["value"]] == [23.0] * 4
    page = program.get("/Datastreams?$expand=Observations($top=2;$skip=15;$count=true)")
    for one in page["value"]:
        assert [found["result"] for found in one["Observations"]] == [15.0, 16.0]
        assert one["Observations@iot.count"] == len(ALL)
        assert [found["result"] for found in program.next(one["Observations@iot.nextLink"])["value"]] == [17.0, 18.0]


def test_what_a_page_costs(program: Program, level: int, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_max_num_queries(30):
        program.get(f"/Datastreams({level})/Observations?$top=20")
