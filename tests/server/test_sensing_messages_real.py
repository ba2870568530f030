"""Published messages of network servers and devices go the whole way, from a topic to observations. Needs ../shared/data."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from tests.server.sensing_city import at

from yiwang.core.kernel.instants import from_micros, to_micros
from yiwang.core.observations.cayenne import read_cayenne
from yiwang.server.cities.queries import runtime
from yiwang.server.sensing.api import (
    Device,
    Message,
    Observation,
    Rejected,
    StreamSaid,
    Thing,
    find_or_make,
    take_messages,
)

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "lorawan_vectors"
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.real_data,
    pytest.mark.skipif(not DATA.is_dir(), reason="needs ../shared/data/lorawan_vectors"),
]
NOW = to_micros(at(0))


def vectors(name: str) -> list[Any]:
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8")) if DATA.is_dir() else []


def device(key: str, adapter: str) -> None:
    thing, _ = Thing.objects.get_or_create(city="mini", key="thing", defaults={"name": "thing"})
    Device.objects.create(city="mini", key=key, thing=thing, adapter=adapter)


def streams(*said: tuple[str, str]) -> None:
    for key, unit in said:
        find_or_make(runtime("mini"), StreamSaid(key=key, name=key, observed=key, unit=unit, thing="thing"))


def found() -> dict[str, Any]:
    rows = Observation.objects.values_list("datastream__key", "value", "result")
    return {key: result if value is None else value for key, value, result in rows}


def test_an_uplink_of_the_things_stack_with_cayenne(mini: str) -> None:
    """The published uplink, its frame exchanged for the published Cayenne frame of two temperatures."""
    message = next(one["message"] for one in vectors("tts_v3") if one["name"] == "Uplink message example")
    frame = next(one for one in vectors("cayenne_lpp") if "two channels" in one["name"])
    message["uplink_message"]["frm_payload"] = base64.b64encode(bytes.fromhex(frame["hex"])).decode()
    message["uplink_message"].pop("decoded_payload", None)
    device("0004A30B001C0530", "node")  # by the EUI; the topic and the message call it dev1
    streams(("0004A30B001C0530-3", "Cel"), ("0004A30B001C0530-5", "[degF]"))
    taken = take_messages([Message("v3/app1@ttn/devices/dev1/up", json.dumps(message).encode())], received=NOW)
    assert (taken.new, taken.rejected, list(Rejected.objects.values_list("why", flat=True))) == (2, 0, [])
    assert found() == pytest.approx({"0004A30B001C0530-3": 27.2, "0004A30B001C0530-5": 25.5 * 1.8 + 32})
    observed = from_micros(Observation.objects.values_list("phenomenon_time", flat=True)[0])
    told = message["uplink_message"]["received_at"][:26]
    assert observed.replace(tzinfo=None).isoformat() == told
    row = Device.objects.get()
    heard = max(message["uplink_message"]["rx_metadata"], key=lambda one: one["rssi"])
    assert (row.said["rssi"], row.said["eui"], row.said["id"]) == (heard["rssi"], "0004A30B001C0530", "dev1")
    assert row.last_seen == at(0)


def test_all_messages_of_the_things_stack(mini: str) -> None:
    """Each is either read, or kept with a reason; none is lost, and none stops the others."""
    device("dev1", "node")
    messages = [Message("v3/app1/devices/dev1/up", json.dumps(one["message"]).encode()) for one in vectors("tts_v3")]
    taken = take_messages(messages, received=NOW)
    kept = sum(Rejected.objects.values_list("count", flat=True))
    assert taken.messages == len(messages) == 19
    assert kept == taken.rejected + taken.partly
    assert 0 < taken.rejected < len(messages)
    assert Device.objects.get().last_seen == at(0)


@pytest.mark.parametrize("vector", vectors("chirpstack_v4"), ids=lambda one: one["event"])
def test_events_of_chirpstack(mini: str, vector: Any) -> None:
    eui = vector["message"]["deviceInfo"]["devEui"]
    device(eui.upper(), "meter")
    topic = f"application/x/device/{eui}/event/{vector['event']}"
    taken = take_messages([Message(topic, json.dumps(vector["message"]).encode())], received=NOW)
    row = Device.objects.get()
    assert (row.last_seen, taken.devices) == (at(0), 1)
    assert row.said["eui"] == eui.upper()
    if vector["event"] == "status":
        assert row.battery == vector["message"]["batteryLevel"]
    assert sum(Rejected.objects.values_list("count", flat=True)) == taken.rejected + taken.partly


@pytest.mark.parametrize(
    "vector", [one for one in vectors("cayenne_lpp") if one["expect"] != "error"], ids=lambda one: one["name"]
)
def test_published_frames_of_cayenne_through_chirpstack(mini: str, vector: Any) -> None:
    message = next(one["message"] for one in vectors("chirpstack_v4") if one["event"] == "up")
    frame = bytes.fromhex(vector["hex"])
    message |= {"data": base64.b64encode(frame).decode(), "fPort": 2}
    message.pop("object", None)
    eui = message["deviceInfo"]["devEui"].upper()
    device(eui, "meter")
    expected = {f"{eui}-{one.name}": (one.value, one.unit) for one in read_cayenne(frame).readings}
    streams(*((key, unit) for key, (_, unit) in expected.items()))
    taken = take_messages(
        [Message(f"application/x/device/{eui.lower()}/event/up", json.dumps(message).encode())], received=NOW
    )
    assert (taken.new, taken.partly, taken.rejected) == (len(expected), 0, 0)
    assert found() == pytest.approx({key: value for key, (value, _) in expected.items()})


PACKS = [(one["name"], json.dumps(one["pack"]).encode(), one.get("resolved") or []) for one in vectors("senml")] + [
    (f"{one['name']} in CBOR", bytes.fromhex(one["cbor_hex"]), one.get("resolved") or [])
    for one in vectors("senml")
    if "cbor_hex" in one
]


@pytest.mark.parametrize(("payload", "resolved"), [pack[1:] for pack in PACKS], ids=[pack[0] for pack in PACKS])
def test_packs_of_senml_of_one_name_need_no_adapter(mini: str, payload: bytes, resolved: list[Any]) -> None:
    one_name = len({one["n"] for one in resolved}) == 1
    streams(("s", resolved[0].get("u", "") if resolved else ""))
    taken = take_messages([Message("yiwang/mini/streams/s", payload)], received=NOW)
    if one_name and len({one.get("u") for one in resolved}) == 1:
        times = {round(one["t"], 6) for one in resolved}
        assert (taken.new, taken.rejected, taken.partly) == (len(times), 0, 0)
    else:
        assert Rejected.objects.get().last_time == NOW
