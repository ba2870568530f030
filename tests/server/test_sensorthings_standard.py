"""What OGC 18-088 requires, one requirement a test; and a client that nobody here wrote, against a live server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer
from tests.server.sensorthings_calls import LOCATION, QUANTITY, SENSOR, Program, said, stream, thing

from yiwang.server.sensing.api import Datastream, HistoricalLocation, Observation, Thing
from yiwang.server.sensorthings.conformance import MET, MET_OVER_MQTT

pytestmark = pytest.mark.django_db
REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "sensorthings.md"
FEATURE = {"name": "road", "description": "", "encodingType": "application/geo+json", "feature": LOCATION["location"]}
PROPERTIES = {
    "thing": {"name", "description", "properties"},
    "location": {"name", "description", "encodingType", "location", "properties"},
    "historical-location": {"time"},
    "datastream": {
        "name", "description", "unitOfMeasurement", "observationType", "observedArea", "phenomenonTime", "resultTime",
        "properties",
    },
    "sensor": {"name", "description", "encodingType", "metadata", "properties"},
    "observed-property": {"name", "definition", "description", "properties"},
    "observation": {"phenomenonTime", "result", "resultTime"},
    "feature-of-interest": {"name", "description", "encodingType", "feature", "properties"},
}  # fmt: skip
RELATIONS = {
    "thing": {"Locations", "HistoricalLocations", "Datastreams"},
    "location": {"Things", "HistoricalLocations"},
    "historical-location": {"Thing", "Locations"},
    "datastream": {"Thing", "Sensor", "ObservedProperty", "Observations"},
    "sensor": {"Datastreams"},
    "observed-property": {"Datastreams"},
    "observation": {"Datastream", "FeatureOfInterest"},
    "feature-of-interest": {"Observations"},
}
SETS = {
    "thing": "Things",
    "location": "Locations",
    "historical-location": "HistoricalLocations",
    "datastream": "Datastreams",
    "sensor": "Sensors",
    "observed-property": "ObservedProperties",
    "observation": "Observations",
    "feature-of-interest": "FeaturesOfInterest",
}


@pytest.fixture
def token(caller: Callable[..., Any]) -> str:
    return str(caller("leader", unit="CTR-90").headers["Authorization"].removeprefix("Bearer "))


@pytest.fixture
def program(token: str) -> Program:
    made = Program(token)
    made.post("/Things", thing(Datastreams=[stream(Observations=[said(hour, hour) for hour in (1, 2, 3)])]))
    return made


def first(program: Program, plural: str) -> dict[str, Any]:
    return dict(program.get(f"/{plural}")["value"][0])


def properties(program: Program, kind: str) -> None:
    assert PROPERTIES[kind] <= set(first(program, SETS[kind]))


def relations(program: Program, kind: str) -> None:
    entity = first(program, SETS[kind])
    for name in RELATIONS[kind]:
        link = entity[f"{name}@iot.navigationLink"]
        assert program.client.get(link.removeprefix("http://testserver")).status_code == 200
    page = program.get(f"/{SETS[kind]}?$expand={','.join(sorted(RELATIONS[kind]))}")
    assert all(page["value"][0][name] for name in RELATIONS[kind])


def control_information(program: Program) -> None:
    for plural in SETS.values():
        entity = first(program, plural)
        assert entity["@iot.selfLink"].endswith(f"/sensorthings/v1.1/{plural}({entity['@iot.id']})")


def resource_path(program: Program) -> None:
    assert {one["name"] for one in program.get("")["value"]} == set(SETS.values())
    pk, stream_id = Thing.objects.get().pk, Datastream.objects.get().pk
    assert len(program.get(f"/Things({pk})/Datastreams({stream_id})/Observations")["value"]) == 3
    assert program.get(f"/Things({pk})/name") == {"name": "underpass 1"}
    assert program.get(f"/Things({pk})/name/$value") == b"underpass 1"
    assert set(program.get(f"/Things({pk})/Datastreams/$ref")["value"][0]) == {"@iot.selfLink"}
    assert program.get(f"/Datastreams({stream_id})/Thing")["@iot.id"] == pk
    program.get(f"/Datastreams({stream_id})/observedArea", 204)


def status_code(program: Program) -> None:
    for path in (
        "/Things(999)",
        "/Wrong",
        "/Things(x)",
        "/Things/name",
        "/Things(999)/Datastreams",
        "/$ref",
        "/Things(1)/wrong",
    ):
        program.get(path, 404)
    program.send("DELETE", "/Things", {}, 405)


def query_status_code(program: Program) -> None:
    program.get("/Things?$filter=wrong eq 1", 400)
    program.get("/Things?$wrong=1", 400)


def order(program: Program) -> None:
    """Filter, then order, then skip and top; the count is of what the filter found."""
    page = program.get("/Observations?$filter=result gt 1&$orderby=result desc&$skip=1&$top=1&$count=true")
    assert ([one["result"] for one in page["value"]], page["@iot.count"]) == ([2], 2)


def expand(program: Program) -> None:
    [one] = program.get("/Things?$expand=Datastreams($expand=Observations($filter=result eq 2;$select=result))")[
        "value"
    ]
    assert one["Datastreams"][0]["Observations"] == [{"result": 2}]


def select(program: Program) -> None:
    assert set(program.get("/Things?$select=id,name")["value"][0]) == {"@iot.id", "@iot.selfLink", "name"}
    assert set(program.get("/Things?$select=name,Datastreams")["value"][0]) == {
        "name",
        "Datastreams@iot.navigationLink",
    }


def orderby(program: Program) -> None:
    assert program.results("/Observations?$orderby=result desc") == [3, 2, 1]
    assert program.results("/Observations?$orderby=Datastream/name asc,phenomenonTime desc") == [3, 2, 1]


def top(program: Program) -> None:
    assert program.results("/Observations?$top=2") == [1, 2]


def skip(program: Program) -> None:
    assert program.results("/Observations?$skip=2") == [3]


def count(program: Program) -> None:
    assert program.get("/Observations?$count=true&$top=1")["@iot.count"] == 3
    assert "@iot.count" not in program.get("/Observations?$count=false")


def filters(program: Program) -> None:
    assert program.results("/Observations?$filter=Datastream/Thing/name eq 'underpass 1' and result lt 2") == [1]


def operations(program: Program) -> None:
    assert program.results("/Observations?$filter=not (result add 1 ge 3) or (result mul 2 eq 6 and result ne 2)") == [
        1,
        3,
    ]


def functions(program: Program) -> None:
    asked = "hour(phenomenonTime) ge 2 and st_intersects(FeatureOfInterest/feature, geography'POINT (120.003 31.003)')"
    assert program.results(f"/Observations?$filter={asked}") == [2, 3]


def pagination(program: Program) -> None:
    page = program.get("/Observations?$top=2")
    assert [one["result"] for one in program.next(page["@iot.nextLink"])["value"]] == [3]


def create(program: Program) -> None:
    made = program.post("/Sensors", SENSOR)
    assert program.location.endswith(f"/Sensors({made['@iot.id']})")
    assert program.get(f"/Sensors({made['@iot.id']})") == made
    program.post("/ObservedProperties", QUANTITY)
    program.post("/FeaturesOfInterest", FEATURE)
    program.send("POST", "/Datastreams", {**stream(), "Thing": None}, 400)


def link_existing(program: Program) -> None:
    sensor, quantity = first(program, "Sensors")["@iot.id"], first(program, "ObservedProperties")["@iot.id"]
    body = stream("second", Sensor={"@iot.id": sensor}, ObservedProperty={"@iot.id": quantity})
    made = program.post(f"/Things({Thing.objects.get().pk})/Datastreams", body)
    assert program.get(f"/Datastreams({made['@iot.id']})/Sensor")["@iot.id"] == sensor
    assert len(program.get("/Sensors")["value"]) == 1


def deep_insert(program: Program) -> None:
    made = program.post(
        "/Things", thing("t", Datastreams=[stream(Observations=[said(5, 1, FeatureOfInterest=FEATURE)])])
    )
    [one] = program.get(f"/Things({made['@iot.id']})/Datastreams?$expand=Observations/FeatureOfInterest")["value"]
    assert one["Observations"][0]["FeatureOfInterest"]["name"] == "road"


def deep_insert_status(program: Program) -> None:
    program.send("POST", "/Things", thing("t", Datastreams=[{"name": "incomplete"}]), 400)
    assert Thing.objects.count() == 1


def update(program: Program) -> None:
    pk = Datastream.objects.get().pk
    assert program.send("PATCH", f"/Datastreams({pk})", {"name": "renamed"})["description"] == ""
    assert program.get(f"/Datastreams({pk})")["name"] == "renamed"


def update_put(program: Program) -> None:
    body = {"name": "n", "description": "d"}
    assert program.send("PUT", f"/Things({Thing.objects.get().pk})", body)["name"] == "n"


def update_jsonpatch(program: Program) -> None:
    before, path = first(program, "Things"), f"/Things({Thing.objects.get().pk})"
    patch = [
        {"op": "test", "path": "/name", "value": "underpass 1"},
        {"op": "replace", "path": "/description", "value": "a"},
        {"op": "add", "path": "/properties/depth", "value": 4},
    ]
    after = program.send("PATCH", path, patch, kind="application/json-patch+json")
    assert (after["name"], after["description"], after["properties"]["depth"]) == ("underpass 1", "a", 4)
    assert first(program, "Things")["@iot.id"] == before["@iot.id"]


def delete(program: Program) -> None:
    feature = first(program, "FeaturesOfInterest")["@iot.id"]
    program.send("DELETE", f"/FeaturesOfInterest({feature})")
    assert not Observation.objects.exists()
    program.send("DELETE", f"/Locations({first(program, 'Locations')['@iot.id']})")
    assert not HistoricalLocation.objects.exists()
    program.send("DELETE", f"/Sensors({first(program, 'Sensors')['@iot.id']})")
    assert not Datastream.objects.exists()
    program.send("DELETE", f"/Things({Thing.objects.get().pk})")


def history_made(program: Program) -> None:
    pk = Thing.objects.get().pk
    moved = {**LOCATION, "name": "elsewhere"}
    program.send("PATCH", f"/Things({pk})", {"Locations": [{"@iot.id": program.post("/Locations", moved)["@iot.id"]}]})
    assert program.names(f"/Things({pk})/Locations") == ["elsewhere"]
    assert len(program.get(f"/Things({pk})/HistoricalLocations")["value"]) == 2


def history_given(program: Program) -> None:
    pk, place = Thing.objects.get().pk, first(program, "Locations")["@iot.id"]
    new = program.post("/Locations", {**LOCATION, "name": "new"})["@iot.id"]
    entry = {"Thing": {"@iot.id": pk}, "Locations": [{"@iot.id": new}]}
    program.post("/HistoricalLocations", {"time": "2001-01-01T00:00:00Z", **entry})
    assert program.get(f"/Things({pk})/Locations")["value"][0]["@iot.id"] == place
    program.post("/HistoricalLocations", {"time": "2999-01-01T00:00:00Z", **entry})
    assert program.get(f"/Things({pk})/Locations")["value"][0]["@iot.id"] == new


def batch(program: Program) -> None:
    requests = [
        {"id": "1", "method": "post", "url": "Sensors", "body": SENSOR},
        {"id": "2", "method": "get", "url": "$1"},
    ]
    answers = program.send("POST", "/$batch", {"requests": requests})["responses"]
    assert [one["status"] for one in answers] == [201, 200]


def data_array(program: Program) -> None:
    rows = [["2026-03-03T00:00:00Z", 8], ["2026-03-03T01:00:00Z", 9]]
    body = {
        "Datastream": {"@iot.id": Datastream.objects.get().pk},
        "components": ["phenomenonTime", "result"],
        "dataArray": rows,
    }
    assert len(program.post("/CreateObservations", [body])) == 2
    [one] = program.get("/Observations?$resultFormat=dataArray&$filter=result gt 7")["value"]
    assert [row[1:3] for row in one["dataArray"]] == rows


CHECKS: dict[str, Callable[[Program], None]] = {
    "datamodel/entity-control-information/common-control-information": control_information,
    "resource-path/resource-path-to-entities": resource_path,
    "request-data/status-code": status_code,
    "request-data/query-status-code": query_status_code,
    "request-data/order": order,
    "request-data/expand": expand,
    "request-data/select": select,
    "request-data/orderby": orderby,
    "request-data/top": top,
    "request-data/skip": skip,
    "request-data/count": count,
    "request-data/filter": filters,
    "request-data/built-in-filter-operations": operations,
    "request-data/built-in-query-functions": functions,
    "request-data/pagination": pagination,
    "create-update-delete/create-entity": create,
    "create-update-delete/link-to-existing-entities": link_existing,
    "create-update-delete/deep-insert": deep_insert,
    "create-update-delete/deep-insert-status-code": deep_insert_status,
    "create-update-delete/update-entity": update,
    "create-update-delete/update-entity-jsonpatch": update_jsonpatch,
    "create-update-delete/update-entity-put": update_put,
    "create-update-delete/delete-entity": delete,
    "create-update-delete/historical-location-auto-creation": history_made,
    "create-update-delete/historical-location-manual-creation": history_given,
    "batch-request/batch-request": batch,
    "data-array/data-array": data_array,
}


@pytest.mark.parametrize("requirement", MET)
def test_a_requirement_is_met(program: Program, requirement: str) -> None:
    area, name, *rest = requirement.split("/")
    if area == "datamodel" and rest[0] in ("properties", "relations"):
        (properties if rest[0] == "properties" else relations)(program, name)
    else:
        CHECKS[requirement](program)


def test_the_root_and_the_reference_name_what_is_met(program: Program, settings: Any) -> None:
    told = program.get("")["serverSettings"]["conformance"]
    assert told == [f"http://www.opengis.net/spec/iot_sensing/1.1/req/{one}" for one in MET]
    settings.YIWANG_MQTT_PUBLIC_URL = "mqtts://city.example:8883"
    said = program.get("")["serverSettings"]
    for one in MET_OVER_MQTT:  # tried in `test_mqtt_sensorthings`
        name = f"http://www.opengis.net/spec/iot_sensing/1.1/req/{one}"
        assert name in said["conformance"]
        assert said[name] == {"endpoints": ["mqtts://city.example:8883"]}
    text = REFERENCE.read_text(encoding="utf-8")
    assert [one for one in (*MET, *MET_OVER_MQTT) if f"`{one}`" not in text] == []


# --- another client -------------------------------------------------------------------------------------------------------


def test_a_client_of_others_makes_reads_changes_and_deletes(token: str, live_server: LiveServer) -> None:
    import frost_sta_client as fsc
    import requests
    from frost_sta_client.service.auth_handler import AuthHandler

    class Bearer(AuthHandler):  # type: ignore[misc]
        def add_auth_header(self) -> Any:
            def signed(request: requests.PreparedRequest) -> requests.PreparedRequest:
                request.headers["Authorization"] = f"Bearer {token}"
                return request

            return signed

    service = fsc.SensorThingsService(f"{live_server.url}/sensorthings/v1.1", auth_handler=Bearer())
    place = fsc.Location(
        name="underpass", description="road", encoding_type="application/geo+json", location=LOCATION["location"]
    )
    level = fsc.Datastream(
        name="level",
        description="water",
        observation_type="http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
        unit_of_measurement=fsc.UnitOfMeasurement(name="centimetre", symbol="cm", definition="ucum:cm"),
        sensor=fsc.Sensor(name="gauge", description="radar", encoding_type="text/html", metadata="radar"),
        observed_property=fsc.ObservedProperty(
            name="level", definition="http://example.org/level", description="water"
        ),
    )
    made = fsc.Thing(name="underpass 1", description="road", properties={"owner": "roads"}, locations=[place])
    made.datastreams = fsc.model.ext.entity_list.EntityList(
        entity_class="frost_sta_client.model.datastream.Datastream", entities=[level]
    )
    service.create(made)
    stored = service.datastreams().query().filter("name eq 'level'").expand("Thing").list().entities[0]
    assert stored.thing.id == made.id
    for hour in range(5):
        at = datetime(2026, 3, 2, hour, tzinfo=UTC).isoformat()
        service.create(fsc.Observation(phenomenon_time=at, result=hour, datastream=fsc.Datastream(id=stored.id)))
    page = service.observations().query().filter("result gt 0").orderby("phenomenonTime", "desc").top(2).list()
    assert [one.result for one in page] == [4, 3, 2, 1]
    latest = page.entities[0]
    changed = service.things().find(made.id)
    changed.name = "underpass 2"
    service.update(changed)
    assert service.things().find(made.id).name == "underpass 2"
    service.delete(latest)
    assert Observation.objects.count() == 4
    service.delete(made)
    assert not Observation.objects.exists()
