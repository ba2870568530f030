"""The SensorThings API as its clients write it: entities, batches, data arrays and patches; who may, and how often."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from tests.server.sensorthings_calls import LOCATION, Program, said, stream, three_observations, writer

from yiwang.server.sensing.api import Datastream, DatastreamState, FeatureOfInterest, Observation, Thing

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(caller: Callable[..., Any]) -> Program:
    """A program that may write, in the toy city."""
    return writer(caller)


@pytest.fixture
def level(program: Program) -> int:
    """Id of a datastream with three observations, 5, 7 and "dry"."""
    return three_observations(program)


# --- writing --------------------------------------------------------------------------------------------------------------


def test_an_observation_that_is_there_is_answered_again_and_another_result_corrects_it(
    program: Program, level: int
) -> None:
    first = program.post(f"/Datastreams({level})/Observations", said(9, 1))
    assert program.post(f"/Datastreams({level})/Observations", said(9, 1))["@iot.id"] == first["@iot.id"]
    again = program.post(f"/Datastreams({level})/Observations", said(9, 2))
    assert (again["@iot.id"], again["result"]) == (first["@iot.id"], 2)
    assert Observation.objects.filter(datastream=level).count() == 4


def test_what_an_observation_may_carry(program: Program, level: int) -> None:
    more = {
        "validTime": "2026-03-02T00:00:00Z/2026-03-03T00:00:00Z",
        "parameters": {"by": "hand"},
        "resultQuality": "good",
    }
    time = {
        "phenomenonTime": "2026-03-02T10:00:00+08:00/2026-03-02T11:00:00+08:00",
        "resultTime": "2026-03-02T03:30:00.5Z",
    }
    made = program.post(f"/Datastreams({level})/Observations", {**time, "result": {"a": [1, None]}, **more})
    shown = program.get(f"/Observations({made['@iot.id']})")
    assert shown["phenomenonTime"] == "2026-03-02T02:00:00Z/2026-03-02T03:00:00Z"
    assert shown["resultTime"] == "2026-03-02T03:30:00.500000Z"
    assert shown["result"] == {"a": [1, None]}
    assert {name: shown[name] for name in more} == more
    assert program.results("/Observations?$filter=parameters/by eq 'hand'") == [{"a": [1, None]}]
    assert program.get(f"/Datastreams({level})")["resultTime"].startswith("2026-03-02T03:30:00.5")


def test_a_feature_of_interest_is_made_once_for_a_location(program: Program, level: int) -> None:
    assert FeatureOfInterest.objects.count() == 1
    thing_id = Datastream.objects.get(pk=level).thing_id
    moved = {**LOCATION, "location": {"type": "Point", "coordinates": [120.004, 31.003]}}
    program.post(f"/Things({thing_id})/Locations", moved)
    program.post(f"/Datastreams({level})/Observations", said(9, 1))
    assert FeatureOfInterest.objects.count() == 2
    assert len(program.get(f"/Things({thing_id})/HistoricalLocations")["value"]) == 2
    assert program.get(f"/Things({thing_id})/Locations")["value"][0]["location"]["coordinates"] == [120.004, 31.003]


def test_a_change_of_the_latest_result_is_what_the_stream_says(program: Program, level: int) -> None:
    latest = program.get("/Observations?$orderby=phenomenonTime desc&$top=1")["value"][0]["@iot.id"]
    program.send("PATCH", f"/Observations({latest})", {"result": 12})
    assert DatastreamState.objects.get(datastream=level).value == 12
    program.send("PATCH", f"/Observations({latest})", said(5, 1), 409)
    program.send("DELETE", f"/Observations({latest})")
    state = DatastreamState.objects.get(datastream=level)
    assert state.value == 7
    assert program.get(f"/Datastreams({level})")["phenomenonTime"] == "2026-03-02T04:00:00Z/2026-03-02T05:00:00Z"


def test_put_empties_what_is_not_given_and_patch_leaves_it(program: Program, level: int) -> None:
    pk = Datastream.objects.get(pk=level).thing_id
    assert program.send("PATCH", f"/Things({pk})", {"description": "deep"})["properties"]["owner"] == "roads"
    assert program.send("PUT", f"/Things({pk})", {"name": "n", "description": "d"})["properties"] == {"city": "mini"}
    program.send("PUT", f"/Things({pk})", {"name": "n"}, 400)


def observed(time: str) -> dict[str, Any]:
    """A thing with an observation of a time."""
    return {
        "name": "x",
        "description": "",
        "Datastreams": [stream(Observations=[{"phenomenonTime": time, "result": 1}])],
    }


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x"}, "description"),
        ({"name": "x", "description": "", "colour": 1}, "colour"),
        ({"name": 5, "description": ""}, "name"),
        ({"name": "x" * 300, "description": ""}, "name"),
        ({"name": "x", "description": "", "properties": []}, "properties"),
        ({"name": "x", "description": "", "properties": {"city": "elsewhere"}}, ""),
        ({"name": "x", "description": "", "Locations": [{"@iot.id": 999}]}, "Locations"),
        ({"name": "x", "description": "", "Locations": [{**LOCATION, "location": {"type": "Point"}}]}, "location"),
        ({"name": "x", "description": "", "Locations": [{**LOCATION, "location": {"type": "Point", "coordinates": [200, 0]}}]}, "location"),
        ({"name": "x", "description": "", "Datastreams": [{**stream(), "Sensor": None}]}, "Sensor"),
        (observed("today"), "phenomenonTime"),
        (observed("2026-03-02T04:00:00"), "phenomenonTime"),
        (observed("2026-03-02T04:00:00Z/2026-03-01T04:00:00Z"), "phenomenonTime"),
        ({"name": "x", "description": "", "Datastreams": "all"}, "Datastreams"),
        ([], ""),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_named_and_nothing_is_made(program: Program, body: Any, field: str) -> None:
    answer = program.send("POST", "/Things", body, 403 if "elsewhere" in json.dumps(body) else 400)
    assert field in [one["field"] for one in answer["errors"] or [{"field": ""}]]
    assert answer["message_zh"] != answer["message_en"]
    assert not Thing.objects.exists()


def test_a_body_that_is_no_json_says_where(program: Program) -> None:
    assert "line 1" in program.send("POST", "/Things", "{nonsense", 400)["message_en"]
    assert program.send("POST", "/Things", "[" * 100_000, 400)["code"] == 400


def test_a_key_is_taken_once(program: Program) -> None:
    body = {"name": "x", "description": "", "properties": {"key": "k1"}}
    assert program.post("/Things", body)["properties"] == {"city": "mini", "key": "k1"}
    assert program.send("POST", "/Things", body, 409)["errors"][0]["field"] == "properties.key"


# --- who may --------------------------------------------------------------------------------------------------------------


def test_everybody_reads_and_only_a_post_with_sensing_writes(
    program: Program, level: int, caller: Callable[..., Any]
) -> None:
    nobody = Program()
    assert nobody.names("/Things") == ["underpass 1"]
    for method, path in (
        ("POST", "/Things"),
        ("PATCH", "/Things(1)"),
        ("DELETE", f"/Datastreams({level})"),
        ("POST", "/CreateObservations"),
    ):
        assert nobody.send(method, path, {}, 401)["message_zh"]
    other = Program(caller("inspector", unit="CTR-90").headers["Authorization"].removeprefix("Bearer "))
    assert "sensing = true" in other.send("DELETE", f"/Datastreams({level})", {}, 403)["message_en"]
    assert "sensing = true" in other.send("POST", "/Things", {"name": "x", "description": ""}, 403)["message_en"]
    district = Program(caller("leader", unit="CTR-90", region="9001").headers["Authorization"].removeprefix("Bearer "))
    district.send("DELETE", f"/Datastreams({level})", {}, 403)
    assert Program("nonsense").get("/Things", 401)["code"] == 401
    assert Datastream.objects.filter(pk=level).exists()


def test_entities_of_a_city_that_is_not_installed_do_not_exist(program: Program, level: int) -> None:
    for model in (Thing, Datastream):
        model.objects.update(city="elsewhere")
    assert program.get("/Things")["value"] == program.get("/Observations")["value"] == []
    program.get(f"/Datastreams({level})", 404)
    program.get(f"/Datastreams({level})/Observations", 404)
    program.send("DELETE", f"/Datastreams({level})", {}, 404)


# --- batches and data arrays ----------------------------------------------------------------------------------------------


def test_a_batch_refers_to_what_it_made(program: Program) -> None:
    requests = [
        {"id": "t", "method": "post", "url": "Things", "body": {"name": "x", "description": ""}},
        {"id": "d", "method": "post", "url": "$t/Datastreams", "body": stream()},
        {"id": "o", "method": "post", "url": "Observations", "body": said(1, 4, Datastream={"@iot.id": "$d"})},
        {"id": "g", "method": "get", "url": "Observations?$filter=result eq 4&$select=result"},
        {"id": "w", "method": "get", "url": "Wrong"},
    ]
    answers = program.send("POST", "/$batch", {"requests": requests})["responses"]
    assert [(one["id"], one["status"]) for one in answers] == [
        ("t", 201),
        ("d", 201),
        ("o", 201),
        ("g", 200),
        ("w", 404),
    ]
    assert answers[3]["body"]["value"] == [{"result": 4}]


def test_an_atomicity_group_is_done_whole_or_not_at_all(program: Program) -> None:
    made = {"method": "post", "url": "Things", "atomicityGroup": "g"}
    requests = [
        {"id": "1", **made, "body": {"name": "x", "description": ""}},
        {"id": "2", **made, "body": {"name": "y"}},
        {"id": "3", "method": "post", "url": "Things", "body": {"name": "z", "description": ""}},
    ]
    answers = program.send("POST", "/$batch", {"requests": requests})["responses"]
    assert [one["status"] for one in answers] == [424, 400, 201]
    assert list(Thing.objects.values_list("name", flat=True)) == ["z"]


@pytest.mark.parametrize(
    "body",
    [{}, [], {"requests": []}, {"requests": [{"id": "1"}]}, {"requests": [{"id": 1, "method": "get", "url": "x"}]}],
)
def test_what_is_no_batch_is_refused(program: Program, body: Any) -> None:
    assert program.send("POST", "/$batch", body, 400)["message_zh"]


def test_a_data_array_keeps_what_can_be_read_and_says_what_cannot(program: Program, level: int) -> None:
    feature = FeatureOfInterest.objects.get().pk
    names = ["phenomenonTime", "result", "resultTime", "FeatureOfInterest/id"]
    rows = [
        ["2026-03-03T00:00:00Z", 1, None, feature],
        ["yesterday", 2, None, feature],
        ["2026-03-03T02:00:00Z", 3, None, 999],
        ["2026-03-03T03:00:00Z"],
        ["2026-03-03T04:00:00Z", "wet", "2026-03-03T05:00:00Z", None],
    ]
    lost = {"Datastream": {"@iot.id": 999}, "components": ["result"], "dataArray": [[1]]}
    body = [{"Datastream": {"@iot.id": level}, "components": names, "dataArray": rows}, lost]
    answers = program.post("/CreateObservations", body)
    assert [one.startswith("error: ") for one in answers] == [False, True, True, True, False, True]
    assert program.client.get(answers[0].removeprefix("http://testserver")).json()["result"] == 1
    assert program.results("/Observations?$filter=phenomenonTime gt 2026-03-03T03:00:00Z") == ["wet"]


@pytest.mark.parametrize(
    "entry",
    [
        {}, {"Datastream": {"@iot.id": "1"}}, {"Datastream": {"@iot.id": 1}, "components": ["wrong"]},
        {"Datastream": {"@iot.id": 1}, "components": ["phenomenonTime"], "dataArray": []},
        {"Datastream": {"@iot.id": 1}, "components": ["result"], "dataArray": 5}, 5,
    ],
)  # fmt: skip
def test_a_data_array_that_cannot_be_read_is_refused_whole(program: Program, entry: Any) -> None:
    assert program.send("POST", "/CreateObservations", [entry], 400)["message_zh"]


def test_observations_as_a_data_array(program: Program, level: int) -> None:
    [one] = program.get("/Observations?$resultFormat=dataArray&$orderby=phenomenonTime&$select=result,phenomenonTime")[
        "value"
    ]
    assert one["components"] == ["phenomenonTime", "result"]
    assert one["dataArray"] == [
        ["2026-03-02T04:00:00Z", 5],
        ["2026-03-02T05:00:00Z", 7],
        ["2026-03-02T06:00:00Z", "dry"],
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["", "/", "/Things", "/$batch", "/Things(1)"])
@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded"])
def test_a_form_is_no_body(mini: str, path: str, kind: str) -> None:
    answer = Client(HTTP_HOST="localhost").post(f"/sensorthings/v1.1{path}", "name=x", content_type=kind)
    assert answer.status_code == 415
    assert "JSON" in answer.json()["message"]


# --- how often ------------------------------------------------------------------------------------------------------------


def test_who_has_no_token_may_read_so_often(program: Program, settings: Any) -> None:
    settings.YIWANG_SENSORTHINGS_PER_MINUTE = 3
    anybody = Program()
    anybody.get("/Things")
    requests = [{"id": str(number), "method": "get", "url": "Things"} for number in range(2)]
    anybody.post("/$batch", {"requests": requests}, 200)  # counts as what it asks for
    for refused in (anybody.client.get("/sensorthings/v1.1/Things"), anybody.client.get("/sensorthings/v1.1")):
        assert refused.status_code == 429
        assert 1 <= int(refused["Retry-After"]) <= 60
        assert "令牌" in refused.json()["message_zh"]
        assert "without a token" in refused.json()["message_en"]
    assert anybody.post("/$batch", {"requests": requests}, 429)["code"] == 429
    for _ in range(4):
        program.get("/Things")
    assert anybody.client.get("/sensorthings/v1.1/Things", REMOTE_ADDR="192.0.2.7").status_code == 200


# --- JSON Patch -----------------------------------------------------------------------------------------------------------

PATCH = "application/json-patch+json"


def test_a_patch_moves_and_empties(program: Program, level: int) -> None:
    path = f"/Datastreams({level})"
    other = program.post("/Things", {"name": "other", "description": ""})["@iot.id"]
    patch = [
        {"op": "add", "path": "/properties", "value": {"owner": "roads", "old": 1}},
        {"op": "remove", "path": "/properties/old"},
        {"op": "replace", "path": "/Thing/@iot.id", "value": other},
        {"op": "move", "from": "/unitOfMeasurement/symbol", "path": "/description"},
    ]
    found = program.send("PATCH", path, patch, kind=PATCH)
    assert found["properties"] == {"owner": "roads", "city": "mini"}
    assert (found["description"], found["unitOfMeasurement"]["symbol"]) == ("cm", "")
    assert program.get(f"{path}/Thing")["@iot.id"] == other
    pk = program.get(f"{path}/Observations")["value"][0]["@iot.id"]
    corrected = program.send(
        "PATCH", f"/Observations({pk})", [{"op": "replace", "path": "/result", "value": 6}], kind=PATCH
    )
    assert (corrected["result"], corrected["phenomenonTime"]) == (6, "2026-03-02T04:00:00Z")


@pytest.mark.parametrize(
    ("patch", "status", "field"),
    [
        (
            [{"op": "replace", "path": "/name", "value": "new"}, {"op": "test", "path": "/description", "value": "x"}],
            409,
            "[1]",
        ),
        ([{"op": "replace", "path": "/name", "value": "new"}, {"op": "remove", "path": "/nothing"}], 400, "[1]"),
        ([{"op": "replace", "path": "/name", "value": "new"}, {"op": "wrong", "path": "/name"}], 400, "[1]"),
        ([{"op": "add", "path": "name", "value": 1}], 400, "[0]"),
        ([7], 400, "[0]"),
        ([{"op": "replace", "path": "", "value": 7}], 400, ""),
        ([{"op": "remove", "path": "/name"}], 400, "name"),
        ([{"op": "add", "path": "/nmae", "value": "x"}], 400, "nmae"),
        ({"name": "new"}, 400, ""),
        ([], 400, ""),
        ([{"op": "copy", "from": "", "path": "/properties/more"}] * 200, 400, "["),
        ([{"op": "copy", "from": "", "path": f"/properties/p{n}"} for n in range(60)], 400, "["),
    ],
)
def test_a_patch_is_done_wholly_or_not(program: Program, level: int, patch: Any, status: int, field: str) -> None:
    thing_id = Thing.objects.get().pk
    said = program.send("PATCH", f"/Things({thing_id})", patch, status, kind=PATCH)
    assert all(one["field"].startswith(field) for one in said["errors"])
    assert said["message_zh"]
    assert program.get(f"/Things({thing_id})")["name"] == "underpass 1"
