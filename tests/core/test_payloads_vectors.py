"""Every published vector: SenML packs, Cayenne frames, frames of devices, messages of network servers."""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from yiwang.core.observations.cayenne import read_cayenne
from yiwang.core.observations.layouts import FrameLayout
from yiwang.core.observations.messages import BadPayload, Received
from yiwang.core.observations.payloads import read_adapters
from yiwang.core.observations.senml import read_senml

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "lorawan_vectors"
LAYOUTS = ROOT / "tests" / "fixtures" / "payload_layouts.toml"

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not DATA.is_dir(), reason="needs ../shared/data/lorawan_vectors"),
]
NOW = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)
# Devices whose frames are alike share a layout.
LAYOUT_OF = {
    "AT101": "at101",
    "EM300-MCS": "em300-mcs",
    "EM300-SLD": "em300-leak",
    "EM300-TH": "em300-th",
    "EM300-ZLD": "em300-leak",
    "EM310-TILT": "em310-tilt",
    "EM320-TH": "em320-th",
    "EM400-MUD": "em400",
    "EM400-TLD": "em400",
    "EM400-UDL": "em400",
    "GS301": "gs301",
    "VS121": "vs121",
    "VS132": "vs132",
    "VS133": "lines",
    "VS135": "lines",
    "WS101": "ws101",
    "WS302": "ws302",
    "WS303": "ws303",
    "WTS506": "wts506",
    "DL-MBX": "dl-mbx",
}
# Numbers of a head that are read past, and names by which the vectors call a fact of the device.
READ_PAST = {
    "startFlag",
    "length",
    "flag",
    "frameCnt",
    "protocolVersion",
    "protocol_version",
    "hardware_version",
    "data_length",
}
FACTS = {"battery": "battery_percent", "battery_voltage_V": "battery_v", "sn": "id", "device_id": "id"}
FACTS |= {"firmware_version": "firmware", "firmwareVersion": "firmware"}


def vectors(name: str) -> list[Any]:
    path = DATA / f"{name}.json"
    return list(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else []


def layouts() -> dict[str, FrameLayout]:
    tables = tomllib.loads(LAYOUTS.read_text(encoding="utf-8"))
    declared = [{"id": name, "kind": "frame", "layout": name} for name in tables["layout"]]
    return {name: one.layouts[-1] for name, one in read_adapters({**tables, "adapter": declared}).items()}


def flat(decoded: dict[str, Any]) -> dict[str, Any]:
    """The values of a frame by name, of lists and tables inside it too."""
    found: dict[str, Any] = {}
    for name, value in decoded.items():
        inner = value[0] if isinstance(value, list) else value
        found |= flat(inner) if isinstance(inner, dict) else {name: inner}
    return found


@pytest.mark.parametrize("vector", vectors("device_frames"), ids=lambda one: f"{one['device']}-{one['hex'][:12]}")
def test_frames_of_devices_are_read_as_published(vector: dict[str, Any]) -> None:
    device = vector["device"].split()[1]
    name = "em400-nb" if device.startswith("EM400") and vector["hex"].startswith("02") else LAYOUT_OF[device]
    found = layouts()[name].read(bytes.fromhex(vector["hex"]))
    assert found.faults == ()
    expected = {name: value for name, value in flat(vector["decoded"]).items() if name not in READ_PAST}
    if name == "em400-nb":
        expected.pop("id")  # the published decoder calls the model so
    time = expected.pop("timestamp", None)
    given: dict[str, Any] = {one.name: one.value for one in found.readings}
    given |= {
        name: getattr(found.device, fact)
        for name, fact in FACTS.items()
        if name in expected and getattr(found.device, fact) not in (None, "")
    }
    assert given.keys() == expected.keys()
    for key, value in expected.items():
        shown = str(value) if key == "device_id" else value
        assert given[key] == (pytest.approx(shown) if isinstance(shown, float) else shown), key
    if time is not None:
        assert {one.at for one in found.readings} == {datetime.fromtimestamp(time, UTC)}


def as_senml(found: Received) -> list[dict[str, Any]]:
    keys = {bool: "vb", str: "vs"}
    return [
        {"n": one.name, keys.get(type(one.value), "v"): one.value, "t": one.at.timestamp() if one.at else None}
        | ({"u": one.unit} if one.unit else {})
        | ({"l": one.more["link"]} if "link" in one.more else {})
        for one in found.readings
        if "encoding" not in one.more  # the published lists leave data out
    ]


def approx(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {key: pytest.approx(value, abs=1e-5) if key in {"t", "v"} else value for key, value in one.items()}
        for one in records
    ]


@pytest.mark.parametrize("vector", vectors("senml"), ids=lambda one: one["name"])
def test_packs_of_senml_resolve_as_published(vector: dict[str, Any]) -> None:
    # A pack without a time was resolved with the time of its reading.
    now = max((one["t"] for one in vector.get("resolved", [])), default=NOW.timestamp())
    forms = [json.dumps(vector["pack"]).encode()]
    if "cbor_hex" in vector:
        forms.append(bytes.fromhex(vector["cbor_hex"]))
    for form in forms:
        found = read_senml(form, datetime.fromtimestamp(now, UTC))
        assert found.faults == ()
        if "resolved" in vector:
            assert as_senml(found) == approx(vector["resolved"])
        else:
            assert len(found.readings) == len(vector["pack"])


@pytest.mark.parametrize("vector", vectors("cayenne_lpp"), ids=lambda one: one["name"])
def test_frames_of_cayenne_are_read_as_published(vector: dict[str, Any]) -> None:
    found = read_cayenne(bytes.fromhex(vector["hex"]))
    if vector["expect"] == "error":
        assert found.readings == ()
        assert len(found.faults) == 1
        return
    assert found.faults == ()
    grouped: dict[tuple[int, str], list[Any]] = {}
    for one in found.readings:
        name = one.name.partition(".")[0].removesuffix(f"_{one.more['channel']}")
        grouped.setdefault((one.more["channel"], name), []).append(one.value)
    expected = {
        (one["channel"], one["type"]): one["value"] if isinstance(one["value"], list) else [one["value"]]
        for one in vector["expect"]
    }
    assert grouped == expected


THINGS_STACK = {
    "adapter": [
        {
            "id": "decoded",
            "kind": "things_stack",
            "bytes": "cayenne",
            "reading": [{"path": "$.*", "name": "{key}", "optional": True}],
        },
        {"id": "bytes", "kind": "things_stack", "bytes": "cayenne"},
    ]
}


@pytest.mark.parametrize("vector", vectors("tts_v3"), ids=lambda one: one["name"])
def test_messages_of_the_things_stack(vector: dict[str, Any]) -> None:
    adapter = read_adapters(THINGS_STACK)["decoded"]
    messages = vector["message"] if isinstance(vector["message"], list) else [vector["message"]]
    for message in messages:
        sent = json.dumps(message).encode()
        if not any(key in message for key in ("uplink_message", "uplink_normalized")):
            if {"join_accept", "downlink_ack", "downlink_failed", "downlinks"} & message.keys():
                found = adapter.read(sent, NOW)
                assert (found.readings, found.faults) == ((), ())
                assert found.kind == ("join" if "join_accept" in message else "other")
            else:  # a page of the documentation shows the inside of a message
                with pytest.raises(BadPayload):
                    adapter.read(sent, NOW)
            continue
        found = adapter.read(sent, NOW)
        body = message.get("uplink_message", message.get("uplink_normalized"))
        assert found.kind == "readings"
        if "decoded_payload" in body:
            assert {one.name: one.value for one in found.readings} == body["decoded_payload"]
        if "dev_eui" in message.get("end_device_ids", {}):
            assert found.device.eui == message["end_device_ids"]["dev_eui"]
        if "received_at" in message:
            assert found.at is not None
            assert all(one.at == found.at for one in found.readings)


@pytest.mark.parametrize(
    "vector", [one for one in vectors("tts_v3") if one["name"].startswith("Cayenne")], ids=lambda one: one["name"]
)
def test_the_formatter_of_the_things_stack_and_ours_agree(vector: dict[str, Any]) -> None:
    found = read_adapters(THINGS_STACK)["bytes"].read(json.dumps(vector["message"]).encode(), NOW)
    decoded = vector["message"]["uplink_message"]["decoded_payload"]
    assert {one.name: one.value for one in found.readings} == {
        name: pytest.approx(value, abs=1e-5) for name, value in decoded.items()
    }


@pytest.mark.parametrize("vector", vectors("chirpstack_v4"), ids=lambda one: one["event"])
@pytest.mark.parametrize("told", [True, False], ids=["topic", "webhook"])
def test_events_of_chirpstack(vector: dict[str, Any], told: bool) -> None:
    adapter = read_adapters({"adapter": [{"id": "any", "kind": "chirpstack", "bytes": {"1": "cayenne"}}]})["any"]
    message = vector["message"]
    eui = message["deviceInfo"]["devEui"]
    topic = f"application/x/device/{eui}/event/{vector['event']}" if told else ""
    found = adapter.read(json.dumps(message).encode(), NOW, topic)
    known = {"up": "readings", "status": "status", "join": "join", "location": "location"}
    assert found.kind == known.get(vector["event"], "other")
    assert found.device.eui == eui.upper()
    assert found.at is not None
    assert found.at.isoformat()[:19] == message["time"][:19]
    if vector["event"] == "up":
        assert (found.device.rssi, found.device.snr, found.device.f_cnt) == (-36, 10.5, 0)
        assert len(found.faults) == 1  # its one byte 0xaa is no frame of Cayenne
    elif vector["event"] == "status":
        assert found.device.battery_percent == 88.3
    elif vector["event"] == "location":
        assert {one.name: one.value for one in found.readings} == message["location"]
