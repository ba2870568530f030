"""Messages of LoRaWAN network servers: The Things Stack v3 and ChirpStack v4, in JSON.

Both write Protocol Buffers as JSON: 0, "" and false are left out, 64-bit numbers are strings, times have nine decimals, bytes
are base64.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from yiwang.core.kernel.errors import Problem
from yiwang.core.kernel.text import Text
from yiwang.core.observations.messages import (
    DeviceFacts,
    Measured,
    bad,
    json_document,
    moment,
    number,
    part,
    quoted,
    whole,
    words,
)

_EUI = re.compile(r"[0-9A-F]{16}")
# Which field of a message of The Things Stack says what it is.
_THINGS_STACK = {
    "uplink_message": "readings",
    "uplink_normalized": "readings",
    "join_accept": "join",
    "location_solved": "location",
}
_OTHERS = re.compile(r"downlink\w*|service_data")
# Which fields tell an event of ChirpStack, in this order; the topic tells it better, but webhooks have none.
_CHIRPSTACK = (
    (("integrationName", "downlinkId", "queueItemId", "level"), "other"),
    (("location",), "location"),
    (("rxInfo", "txInfo", "data", "object", "fPort", "fCnt"), "readings"),
    (("margin", "batteryLevel", "externalPowerSource", "batteryLevelUnavailable"), "status"),
    (("devAddr",), "join"),
)
_EVENTS = {"up": "readings", "status": "status", "join": "join", "location": "location"}


@dataclass(frozen=True, slots=True)
class NetworkMessage:
    """What a network server tells of a device.

    Attributes:
        kind: As of `Received`.
        device: With what the network knows of it.
        at: When the network server got the frame. A gateway's own time is left out: its clock may be wrong.
        f_port: Of the uplink; 0 where it is left out.
        frame: Bytes of the application, decrypted.
        decoded: What a codec in the network made of them, by the name of its field.
        readings: What the network itself knows: a position.
        faults: Fields that could not be read, and warnings of the codec.
    """

    kind: str
    device: DeviceFacts
    at: datetime | None = None
    f_port: int = 0
    frame: bytes = b""
    decoded: Mapping[str, Any] = field(default_factory=dict)
    readings: tuple[Measured, ...] = ()
    faults: tuple[Problem, ...] = ()


def things_stack(message: bytes, topic: str = "") -> NetworkMessage:
    """A message of The Things Stack v3, as MQTT and webhooks bring it.

    The time is that of the network server (``uplink_message.received_at``), or else of the application server
    (``received_at``).

    Args:
        topic: ``v3/APPLICATION/devices/DEVICE/up`` names the device where the message does not.

    Raises:
        BadPayload: It is no JSON object, or none of the messages of that server.
    """
    document = _object(message)
    faults: list[Problem] = []
    key = next((one for one in _THINGS_STACK if one in document), "")
    if not key and not any(_OTHERS.fullmatch(one) for one in document):
        raise bad("", Text("不是 The Things Stack v3 的报文。", "This is no message of The Things Stack v3."))
    ids = part(document, "end_device_ids")
    device = DeviceFacts(
        id=words(ids.get("device_id")) or _of_topic(topic, "devices"),
        eui=_eui(ids.get("dev_eui"), "end_device_ids.dev_eui", faults),
    )
    at = moment(document.get("received_at"))
    if not key:
        return NetworkMessage("other", device, at, faults=tuple(faults))
    body = part(document, key)
    at = moment(body.get("received_at")) or at
    if _THINGS_STACK[key] == "location":
        readings = _position(part(body, "location"), at, f"{key}.location", faults)
        return NetworkMessage("location", device, at, readings=readings, faults=tuple(faults))
    if _THINGS_STACK[key] != "readings":
        return NetworkMessage(_THINGS_STACK[key], device, at, faults=tuple(faults))
    heard = _best(body.get("rx_metadata"))
    device = replace(
        device,
        firmware=words(part(body, "version_ids").get("firmware_version")),
        battery_percent=_number(
            part(body, "last_battery_percentage").get("value"), f"{key}.last_battery_percentage.value", faults
        ),
        rssi=number(heard.get("rssi")),
        snr=number(heard.get("snr", 0)) if heard else None,
        f_cnt=_whole(body.get("f_cnt", 0), f"{key}.f_cnt", faults),
    )
    faults.extend(
        Problem(
            Text("网络侧解码警告：{words}", "The codec in the network warns: {words}", words=quoted(one)),
            column=f"{key}.{name}",
        )
        for name in ("decoded_payload_warnings", "normalized_payload_warnings")
        for one in _list(body.get(name))
    )
    return NetworkMessage(
        "readings",
        device,
        at,
        f_port=_whole(body.get("f_port", 0), f"{key}.f_port", faults) or 0,
        frame=_base64(body.get("frm_payload", ""), f"{key}.frm_payload", faults),
        decoded={one: body[one] for one in ("decoded_payload", "normalized_payload") if one in body},
        faults=tuple(faults),
    )


def chirpstack(message: bytes, topic: str = "") -> NetworkMessage:
    """An event of ChirpStack v4, as MQTT and webhooks bring it.

    The time is the event's ``time``: when the network server got the first of the gateways' copies.

    Args:
        topic: ``application/ID/device/EUI/event/up`` names the event and the device.

    Raises:
        BadPayload: It is no JSON object, or does not name its device (``deviceInfo``).
    """
    document = _object(message)
    faults: list[Problem] = []
    info = part(document, "deviceInfo")
    if not info:
        raise bad(
            "deviceInfo",
            Text("缺少设备信息。", "What the event says of its device is missing."),
            Text("请使用 ChirpStack v4 的 JSON 编码。", "Use the JSON encoding of ChirpStack v4."),
        )
    event = _of_topic(topic, "event")
    kind = _EVENTS.get(event, "other") if event else _event(document)
    device = DeviceFacts(id=words(info.get("deviceName")), eui=_eui(info.get("devEui"), "deviceInfo.devEui", faults))
    at = moment(document.get("time"))
    if kind == "location":
        readings = _position(part(document, "location"), at, "location", faults)
        return NetworkMessage(kind, device, at, readings=readings, faults=tuple(faults))
    if kind == "status":
        known = not document.get("batteryLevelUnavailable") and not document.get("externalPowerSource")
        level = _number(document.get("batteryLevel", 0), "batteryLevel", faults) if known else None
        return NetworkMessage(kind, replace(device, battery_percent=level), at, faults=tuple(faults))
    if kind != "readings":
        return NetworkMessage(kind, device, at, faults=tuple(faults))
    heard = _best(document.get("rxInfo"))
    device = replace(
        device,
        rssi=number(heard.get("rssi")),
        snr=number(heard.get("snr", 0)) if heard else None,
        f_cnt=_whole(document.get("fCnt", 0), "fCnt", faults),
    )
    return NetworkMessage(
        kind,
        device,
        at,
        f_port=_whole(document.get("fPort", 0), "fPort", faults) or 0,
        frame=_base64(document.get("data", ""), "data", faults),
        decoded={"object": document["object"]} if document.get("object") is not None else {},
        faults=tuple(faults),
    )


SERVERS: Mapping[str, Callable[[bytes, str], NetworkMessage]] = {
    "things_stack": things_stack,
    "chirpstack": chirpstack,
}


def _object(message: bytes) -> dict[str, Any]:
    document = json_document(message)
    if not isinstance(document, dict):
        raise bad("", Text("报文应为 JSON 对象。", "The message should be one JSON object."))
    return document


def _event(document: Mapping[str, Any]) -> str:
    return next((kind for keys, kind in _CHIRPSTACK if any(key in document for key in keys)), "other")


def _of_topic(topic: str, before: str) -> str:
    """The level of a topic behind a certain one."""
    levels = topic.split("/")
    return next((level for name, level in pairwise(levels) if name == before), "")


def _eui(value: object, where: str, faults: list[Problem]) -> str:
    found = words(value).upper()
    if _EUI.fullmatch(found):
        return found
    if value is not None:
        message = Text("「{value}」不是设备 EUI。", "{value!r} is no DevEUI.", value=quoted(value))
        faults.append(Problem(message, Text("应为 16 位十六进制。", "It has 16 hexadecimal digits."), column=where))
    return ""


def _base64(value: object, where: str, faults: list[Problem]) -> bytes:
    try:
        return base64.b64decode(words(value) if isinstance(value, str) else "!", validate=True)
    except (binascii.Error, ValueError):
        faults.append(Problem(Text("不是有效的 Base64。", "This is no valid Base64."), column=where))
        return b""


def _number(value: object, where: str, faults: list[Problem]) -> float | None:
    found = number(value)
    if found is None and value is not None:
        message = Text("「{value}」不是数。", "{value!r} is no number.", value=quoted(value))
        faults.append(Problem(message, column=where))
    return found


def _whole(value: object, where: str, faults: list[Problem]) -> int | None:
    found = whole(value)
    if found is None or found < 0:
        message = Text("「{value}」不是自然数。", "{value!r} is no count.", value=quoted(value))
        faults.append(Problem(message, column=where))
        return None
    return found


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _best(gateways: object) -> dict[str, Any]:
    """What the gateway that heard the frame best says; one without RSSI does not count, since 0 dBm is no such value."""
    heard = [one for one in _list(gateways) if isinstance(one, dict) and number(one.get("rssi")) is not None]
    return max(heard, key=lambda one: number(one["rssi"]) or 0, default={})


def _position(
    location: Mapping[str, Any], at: datetime | None, where: str, faults: list[Problem]
) -> tuple[Measured, ...]:
    if not location:
        faults.append(Problem(Text("缺少位置。", "The position is missing."), column=where))
        return ()
    units = {"latitude": "deg", "longitude": "deg", "altitude": "m"}
    found = {name: _number(location.get(name, 0), f"{where}.{name}", faults) for name in units}
    return tuple(Measured(name, value, units[name], at) for name, value in found.items() if value is not None)
