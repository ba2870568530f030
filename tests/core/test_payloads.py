"""Adapters as data: JSON by paths, network servers, topics, and what a wrong message or declaration says."""

from __future__ import annotations

import base64
import json
import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from yiwang.core.kernel.errors import BadInput
from yiwang.core.observations.messages import BadPayload, DeviceFacts, moment, number, whole
from yiwang.core.observations.payloads import Adapter, read_adapters

NOW = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)

DECLARED = """
[[adapter]]
id = "air"
kind = "json"
topic = "city/+/air/{device}"
time = { path = "$.ts", form = "ms" }
device = { battery_v = "$.bat", firmware = "$.fw", f_cnt = "$.n" }
names = { pm2_5 = "pm25" }
[[adapter.reading]]
path = "$.values['pm2_5','pm10']"
name = "{key}"
unit = "ug/m3"
type = "number"
[[adapter.reading]]
path = "$.values.temperature"
name = "temperature"
unit_path = "$.values.unit"
optional = true

[[adapter]]
id = "list"
kind = "json"
each = "$.sensors[*]"
time = { path = "$.time", zone = "Asia/Shanghai" }
device = { id = "$.station" }
[[adapter.reading]]
path = "$.value"
name_path = "$.type"
unit_path = "$.unit"
[[adapter.reading]]
path = "$.door"
name = "door"
values = { open = true, shut = false }
optional = true

[layout.level]
[[layout.level.head]]
fields = [{ name = "level", type = "u16", scale = 0.001, unit = "m" }, { fact = "battery_percent", type = "u8" }]

[[adapter]]
id = "level"
kind = "frame"
layout = "level"
encoding = "hex"

[[adapter]]
id = "lora"
kind = "chirpstack"
bytes = { 1 = "level", 2 = "cayenne" }
names = { temperature_3 = "water_temperature" }
device = { firmware = "$.version" }
[[adapter.reading]]
path = "$.level"
name = "level"
unit = "m"

[[adapter]]
id = "ttn"
kind = "things_stack"
bytes = "level"
decoded = "normalized_payload"
each = "$[*]"
[[adapter.reading]]
path = "$.air.temperature"
name = "temperature"
unit = "Cel"

[[adapter]]
id = "pack"
kind = "senml"
"""
ADAPTERS = read_adapters(tomllib.loads(DECLARED))


def check_words(error: BadInput) -> None:
    assert error.text.into("zh")
    assert error.text.into("en")


def sent(document: object) -> bytes:
    return json.dumps(document).encode()


def uplink(**more: Any) -> bytes:
    info = {"deviceName": "Level 7", "devEui": "a81758fffe05b1c2"}
    return sent({"time": "2026-11-30T02:59:58.123456789+00:00", "deviceInfo": info, "rxInfo": [], **more})


def frame(text: str) -> str:
    return base64.b64encode(bytes.fromhex(text)).decode()


def test_values_of_one_message_are_readings_with_their_keys_as_names() -> None:
    message = {"ts": 1764471600000, "bat": "3.61", "fw": "1.4", "n": 0}
    message["values"] = {"pm2_5": 35, "pm10": "60.5", "temperature": 8.5, "unit": "℃"}
    found = ADAPTERS["air"].read(sent(message), NOW, "city/north/air/A-17")
    assert [(one.name, one.value, one.unit) for one in found.readings] == [
        ("pm25", 35, "ug/m3"),
        ("pm10", 60.5, "ug/m3"),
        ("temperature", 8.5, "℃"),
    ]
    assert {one.at for one in found.readings} == {datetime(2025, 11, 30, 3, 0, tzinfo=UTC)}
    assert found.device == DeviceFacts(id="A-17", battery_v=3.61, firmware="1.4", f_cnt=0)
    assert found.faults == ()


def test_elements_of_a_list_take_time_from_themselves_or_from_the_message() -> None:
    message = {
        "station": 12,
        "time": "2026-11-30 10:00:00",
        "sensors": [
            {"type": "no2", "value": 41, "unit": "ug/m3"},
            {"type": "door", "value": "x", "door": "open", "time": "2026-11-30T01:30:00Z"},
        ],
    }
    found = ADAPTERS["list"].read(sent(message), NOW)
    assert [(one.name, one.value, one.at and one.at.hour) for one in found.readings] == [
        ("no2", 41, 2),
        ("door", "x", 1),
        ("door", True, 1),
    ]
    assert found.device.id == "12"


def test_a_wrong_field_is_named_and_the_others_are_read() -> None:
    message = {"ts": "yesterday", "bat": {}, "values": {"pm2_5": "high", "pm10": 60}}
    found = ADAPTERS["air"].read(sent(message), NOW)
    assert [(one.name, one.value, one.at) for one in found.readings] == [("pm10", 60, None)]
    assert [one.column for one in found.faults] == ["$['bat']", "$['ts']", "$['values']['pm2_5']"]
    assert "high" in str(found.faults[-1])
    assert all(one.text.zh and one.text.en for one in found.faults)


def test_a_missing_field_is_a_fault_unless_it_may_be_missing() -> None:
    found = ADAPTERS["air"].read(b'{"ts": 0, "values": {"temperature": null}}', NOW)
    assert found.readings == ()
    assert len(found.faults) == 1


def test_a_battery_that_the_device_cannot_tell_is_a_fault() -> None:
    found = ADAPTERS["level"].read(b"04d2ff", NOW)
    assert found.device.battery_percent is None
    assert [one.column for one in found.faults] == ["battery_percent"]
    assert found.readings[0].value == 1.234


def test_words_stand_for_numbers_too() -> None:
    reading = {"path": "$.door", "name": "door", "values": {"1": "open", "false": "shut"}}
    adapter = read_adapters({"adapter": [{"id": "a", "kind": "json", "reading": [reading]}]})["a"]
    found = [adapter.read(sent({"door": value}), NOW).readings for value in (1, 1.0, "1", False, 2)]
    assert [[one.value for one in each] for each in found] == [["open"], ["open"], ["open"], ["shut"], []]


def test_a_long_name_of_a_device_is_kept_whole() -> None:
    message = {"station": "s" * 90, "time": "2026-11-30T10:00:00Z", "sensors": []}
    found = ADAPTERS["list"].read(sent(message), NOW)
    assert found.device.id == "s" * 90
    assert len(found.faults) == 1  # no element


def test_the_topic_may_name_the_reading() -> None:
    declared = {"id": "a", "kind": "json", "topic": "{device}/{name}/#", "reading": [{"path": "$", "name": "{name}"}]}
    adapter = read_adapters({"adapter": [declared]})["a"]
    found = adapter.read(b"21.5", NOW, "pole-3/noise/now/raw")
    assert [(one.name, one.value) for one in found.readings] == [("noise", 21.5)]
    assert found.device.id == "pole-3"


def test_the_examples_of_the_reference_page_are_declarations() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "reference" / "payloads.md"
    blocks = re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 3
    assert read_adapters(tomllib.loads("\n".join(blocks))).keys() == {"air", "level"}


def test_the_layouts_of_the_fixture_are_declarations() -> None:
    path = Path(__file__).resolve().parents[1] / "fixtures" / "payload_layouts.toml"
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    tables["adapter"] = [{"id": name, "kind": "frame", "layout": name} for name in tables["layout"]]
    found = read_adapters(tables)["em400-nb"].read(
        b"\x02\0\1\0\x5f\0\0\0\x01" + b"01010110" + b"6749D19054690031" + b"1" * 50 + b"\x09\0\x03\x01\x75\x64", NOW
    )
    assert (found.device.id, found.device.firmware, found.device.battery_percent) == ("6749D19054690031", "0101", 100)
    assert found.faults == ()


@pytest.mark.parametrize("message", [b"", b"{", b"\xff\xfe", b"[" * 3000, b'{"ts": 1e999}'])
def test_what_is_no_json_is_refused_in_both_languages(message: bytes) -> None:
    with pytest.raises(BadPayload) as caught:
        ADAPTERS["air"].read(message, NOW)
    assert "JSON" in caught.value.text.into("zh")
    assert "JSON" in caught.value.text.into("en")


def test_an_uplink_is_read_by_the_network_s_codec_where_there_is_one_and_else_by_its_port() -> None:
    decoded = ADAPTERS["lora"].read(uplink(object={"level": 1.5, "version": "2.0"}, fPort=1, data=frame("04d264")), NOW)
    assert [(one.name, one.value, one.unit) for one in decoded.readings] == [("level", 1.5, "m")]
    assert decoded.device.firmware == "2.0"
    raw = ADAPTERS["lora"].read(uplink(fPort=1, data=frame("04d264")), NOW)
    assert [(one.name, one.value) for one in raw.readings] == [("level", 1.234)]
    assert raw.device.battery_percent == 100
    other = ADAPTERS["lora"].read(uplink(fPort=2, data=frame("036700ff")), NOW)
    assert [(one.name, one.value) for one in other.readings] == [("water_temperature", 25.5)]
    assert {one.readings[0].at for one in (decoded, raw, other)} == {datetime(2026, 11, 30, 2, 59, 58, 123456, UTC)}
    assert {one.device.eui for one in (decoded, raw, other)} == {"A81758FFFE05B1C2"}


def test_a_port_without_a_layout_is_a_fault_and_a_frame_without_data_none() -> None:
    found = ADAPTERS["lora"].read(uplink(fPort=3, data="AA=="), NOW)
    assert "3" in str(found.faults[0])
    assert ADAPTERS["lora"].read(uplink(), NOW).faults == ()  # port 0 and no data, which are left out


def test_an_uplink_without_a_frame_is_no_fault() -> None:
    for message in (things_stack(f_port=1), things_stack(f_port=1, frm_payload="")):
        found = ADAPTERS["ttn"].read(message, NOW)
        assert (found.readings, found.faults, found.device.f_cnt) == ((), (), 0)


def test_a_time_of_the_device_goes_before_that_of_the_network() -> None:
    reading = {"path": "$.v", "name": "v"}
    declared = {"id": "a", "kind": "chirpstack", "time": {"path": "$.t", "form": "s"}, "reading": [reading]}
    adapter = read_adapters({"adapter": [declared]})["a"]
    own = adapter.read(uplink(object={"v": 1, "t": 1764471600}), NOW)
    assert own.readings[0].at == datetime(2025, 11, 30, 3, 0, tzinfo=UTC)
    wrong = adapter.read(uplink(object={"v": 1, "t": "soon"}), NOW)
    assert wrong.readings[0].at == wrong.at
    assert [one.column for one in wrong.faults] == ["object: $['t']"]


def test_zeros_that_protocol_buffers_leave_out_are_zeros() -> None:
    found = ADAPTERS["lora"].read(uplink(rxInfo=[{"rssi": -110}, {"rssi": -90}, {"snr": 7}]), NOW)
    assert (found.device.rssi, found.device.snr, found.device.f_cnt) == (-90, 0, 0)
    status = ADAPTERS["lora"].read(uplink(margin=5), NOW, "application/1/device/a/event/status")
    assert status.device.battery_percent == 0
    mains = uplink(externalPowerSource=True)
    assert ADAPTERS["lora"].read(mains, NOW, "application/1/device/a/event/status").device.battery_percent is None


def test_numbers_of_64_bits_are_strings() -> None:
    assert ADAPTERS["lora"].read(uplink(fCnt="4294967296"), NOW).device.f_cnt == 1 << 32
    assert ADAPTERS["lora"].read(uplink(fCnt="many"), NOW).faults[0].column == "fCnt"


def test_wrong_bytes_and_a_wrong_eui_are_faults() -> None:
    info = {"deviceInfo": {"deviceName": "x", "devEui": "12"}, "data": "no base64!", "fPort": 1}
    found = ADAPTERS["lora"].read(sent(info), NOW)
    assert {one.column for one in found.faults} >= {"deviceInfo.devEui", "data"}
    assert found.readings == ()


def things_stack(**body: Any) -> bytes:
    return sent({"received_at": "2026-11-30T03:00:00.5Z", "uplink_message": body})


def test_the_things_stack_s_time_is_that_of_its_network_server() -> None:
    body = {"normalized_payload": [{"air": {"temperature": 0}}], "last_battery_percentage": {"value": 94.5}}
    body["version_ids"] = {"firmware_version": "1.2"}
    early = ADAPTERS["ttn"].read(things_stack(**body, received_at="2026-11-30T02:59:59.999999999Z"), NOW)
    assert [(one.value, one.at) for one in early.readings] == [
        (0, datetime(2026, 11, 30, 2, 59, 59, 999999, tzinfo=UTC))
    ]
    assert (early.device.battery_percent, early.device.firmware) == (94.5, "1.2")
    # a simulated message has the year 1 there
    later = ADAPTERS["ttn"].read(things_stack(**body, received_at="0001-01-01T00:00:00Z"), NOW)
    assert later.at == datetime(2026, 11, 30, 3, 0, 0, 500000, tzinfo=UTC)


def test_the_topic_names_the_device_where_the_message_does_not() -> None:
    found = ADAPTERS["ttn"].read(things_stack(frm_payload=frame("04d232")), NOW, "v3/app@tenant/devices/pole-3/up")
    assert found.device.id == "pole-3"
    assert found.readings[0].value == 1.234


def test_warnings_of_the_codec_are_kept() -> None:
    found = ADAPTERS["ttn"].read(things_stack(decoded_payload_warnings=["it's cold"]), NOW)
    assert "it's cold" in str(found.faults[0])


def test_a_position_that_the_network_found_is_two_readings_or_three() -> None:
    message = sent({"location_solved": {"location": {"latitude": 31.5, "longitude": 120.3}}})
    found = ADAPTERS["ttn"].read(message, NOW)
    assert found.kind == "location"
    assert [(one.name, one.value) for one in found.readings][:2] == [("latitude", 31.5), ("longitude", 120.3)]


def test_a_frame_in_hexadecimal_digits() -> None:
    assert ADAPTERS["level"].read(b"04D2 64\n", NOW).readings[0].value == 1.234
    with pytest.raises(BadPayload):
        ADAPTERS["level"].read(b"04xx", NOW)


@pytest.mark.parametrize(
    ("declared", "column", "told"),
    [
        ({"id": "a", "kind": "jason"}, "adapter 1: kind", "json"),
        ({"kind": "senml"}, "adapter 1: id", "missing"),
        ({"id": "a", "kind": "senml", "topik": "x"}, "adapter 1: topik", "topic"),
        ({"id": "a", "kind": "json"}, "adapter 1: reading", "Nothing says"),
        (
            {"id": "a", "kind": "json", "reading": [{"path": "temperature", "name": "t"}]},
            "adapter 1: reading 1: path",
            "$",
        ),
        ({"id": "a", "kind": "json", "reading": [{"path": "$.t"}]}, "adapter 1: reading 1: name", "name_path"),
        ({"id": "a", "kind": "frame", "layout": "none"}, "adapter 1: layout", "cayenne"),
        ({"id": "a", "kind": "chirpstack", "bytes": {"300": "cayenne"}}, "adapter 1: bytes", "223"),
        ({"id": "a", "kind": "chirpstack", "bytes": 7}, "adapter 1: bytes", "table"),
        ({"id": "a", "kind": "senml", "topic": "{device}/{device}"}, "adapter 1: topic", "once"),
        (
            {"id": "a", "kind": "senml", "time": {"path": "$.t", "zone": "Mars"}},
            "adapter 1: time: zone",
            "Asia/Shanghai",
        ),
    ],
)
def test_a_wrong_declaration_says_which_key_and_what_would_be_right(
    declared: dict[str, Any], column: str, told: str
) -> None:
    with pytest.raises(BadInput) as caught:
        read_adapters({"adapter": [declared]})
    problem = next(one for one in caught.value.problems if one.column == column)
    assert told in problem.text.into("en")
    assert problem.text.into("zh") != problem.text.into("en")


def test_all_faults_of_a_file_are_told_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        read_adapters({"adapter": [{"kind": "x"}, 7], "layout": {"a": {}, "cayenne": {}}, "more": 1})
    assert len(caught.value.problems) >= 5


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KNOWN = "ts bat fw n values pm2_5 pm10 sensors value type unit door station time deviceInfo devEui rxInfo rssi snr data fPort"
KNOWN += " fCnt object level location latitude uplink_message frm_payload f_port f_cnt rx_metadata decoded_payload batteryLevel"
KNOWN += (
    " normalized_payload air temperature received_at end_device_ids dev_eui location_solved last_battery_percentage"
)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9) | st.just("AAECAw=="),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KNOWN.split()), inner, max_size=8),
    max_leaves=30,
)


@pytest.mark.parametrize("adapter", ADAPTERS.values(), ids=list(ADAPTERS))
@settings(deadline=None)
@given(message=st.binary(max_size=60) | st.one_of(json_values, documents).map(sent))
@example(message=b'"{"')  # a text that begins like a document
def test_any_message_gives_readings_or_bad_payload(adapter: Adapter, message: bytes) -> None:
    try:
        found = adapter.read(message, NOW, "a/b/devices/c")
    except BadPayload as error:
        check_words(error)
        return
    for one in found.readings:
        assert isinstance(one.value, bool | str) or abs(one.value) < float("inf")
        assert one.at is None or one.at.tzinfo is not None
    for fault in found.faults:
        assert str(fault)
        assert fault.text.into("zh")


@settings(deadline=None)
@given(st.one_of(json_values, st.dictionaries(st.sampled_from(["adapter", "layout"]), json_values)))
def test_any_declaration_is_read_or_refused(declared: Any) -> None:
    try:
        assert isinstance(read_adapters(declared), dict)
    except BadInput as error:
        check_words(error)


KEYS = "id kind topic each time device reading layout encoding bytes decoded names path name form zone unit values"
keys = st.sampled_from(KEYS.split())


@settings(deadline=None)
@given(st.dictionaries(keys, st.sampled_from(["json", "frame", "$.a", "x", "iso"]) | json_values, max_size=9))
def test_an_adapter_of_any_keys_is_read_or_refused(declared: dict[str, Any]) -> None:
    try:
        assert read_adapters({"adapter": [declared]})
    except BadInput as error:
        check_words(error)


@settings(deadline=None)
@given(st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2200, 1, 1), timezones=st.just(UTC)))
def test_a_time_is_the_same_in_every_form(at: datetime) -> None:
    micros = (at - datetime(1970, 1, 1, tzinfo=UTC)) // (datetime.resolution)
    assert moment(at.isoformat()) == moment(micros, "us") == moment(str(micros), "us") == at
    assert moment(micros // 1000, "ms") == at.replace(microsecond=at.microsecond // 1000 * 1000)
    assert moment(micros // 1_000_000, "s") == at.replace(microsecond=0)


def test_a_time_without_offset_is_none_without_a_zone() -> None:
    assert moment("2026-11-30T10:00:00") is None
    assert moment("20261130100000", "%Y%m%d%H%M%S", UTC) == datetime(2026, 11, 30, 10, tzinfo=UTC)
    assert moment(1e300, "s") is None
    assert moment("2026-11-30T10:00:00.123456789Z") == datetime(2026, 11, 30, 10, 0, 0, 123456, UTC)


@pytest.mark.parametrize("value", [True, None, "", "x", "1_000", "nan", "inf", [], {}, 10**400, "1" * 5000])
def test_what_is_no_finite_number_is_none(value: object) -> None:
    assert number(value) is None
    assert whole(value) is None
