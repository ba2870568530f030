"""Adapters: how the messages of one kind of device are read, declared as data.

A city's pack declares them; docs/reference/payloads.md has the keys. `read_adapters` reads declarations, `Adapter.read` a
message. A bad message raises `BadPayload` and nothing else.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.observations.cayenne import CAYENNE
from yiwang.core.observations.json_paths import JsonReadings, read_json_keys
from yiwang.core.observations.keys import Keys
from yiwang.core.observations.layouts import FrameLayout, layout_of
from yiwang.core.observations.lorawan import SERVERS, NetworkMessage
from yiwang.core.observations.messages import (
    BadPayload,
    DeviceFacts,
    Measured,
    Received,
    bad,
    json_document,
    quoted,
)
from yiwang.core.observations.senml import read_senml
from yiwang.core.observations.topics import read_topic

__all__ = ["Adapter", "BadPayload", "DeviceFacts", "Measured", "Received", "read_adapters"]

KINDS = ("json", "senml", "frame", *SERVERS)
ENCODINGS = ("raw", "hex", "base64")
# Layouts that every pack has.
BUILT_IN: Mapping[str, FrameLayout] = {"cayenne": CAYENNE}
# Which of the network's decoded payloads an adapter reads where it does not say.
_DECODED = {"things_stack": ("decoded_payload", "normalized_payload"), "chirpstack": ("object",)}
ANY_PORT = -1


@dataclass(frozen=True, slots=True)
class Adapter:
    """How messages are read.

    Attributes:
        id: In the pack.
        kind: One of `KINDS`.
        json: Paths of a document, or of what the network server decoded; None without paths.
        layouts: Layout of frames by FPort; `ANY_PORT` for all others.
        encoding: How a frame is written in the message: one of `ENCODINGS`.
        decoded: Which field of the network's message the paths look into.
        topic: Pattern with the groups ``device`` and ``name``; None without.
        names: Names of readings in the message and those that they get.
    """

    id: str
    kind: str
    json: JsonReadings | None = None
    layouts: Mapping[int, FrameLayout] = field(default_factory=dict)
    encoding: str = ENCODINGS[0]
    decoded: str = ""
    topic: re.Pattern[str] | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    def read(self, message: bytes, received_at: datetime, topic: str = "") -> Received:
        """What a message says.

        Args:
            received_at: When it came, aware: SenML may count from it. Readings without a time of their own keep None.
            topic: Of MQTT, or the path to which it was sent.

        Raises:
            BadPayload: Nothing of it can be read; faults of single fields are in the result.
        """
        found = self._read(message, received_at, topic)
        told = self.topic.fullmatch(topic) if self.topic is not None else None
        parts = told.groupdict() if told else {}
        device = found.device.or_else(DeviceFacts(id=parts.get("device", "")))
        faults = found.faults
        if device.battery_percent is not None and not 0 <= device.battery_percent <= 100:
            # LoRaWAN devices send 255 where they cannot tell.
            message_ = Text(
                "电量 {given} 不在 0 到 100 之间。",
                "The battery at {given} is not from 0 to 100.",
                given=quoted(device.battery_percent),
            )
            faults += (Problem(message_, column="battery_percent"),)
            device = replace(device, battery_percent=None)
        readings = tuple(self._named(one, parts.get("name", "")) for one in found.readings)
        return replace(found, readings=readings, device=device, faults=faults)

    def _read(self, message: bytes, received_at: datetime, topic: str) -> Received:
        if self.kind == "json":
            assert self.json is not None
            return self.json.read(json_document(message))
        if self.kind == "senml":
            return read_senml(message, received_at)
        if self.kind == "frame":
            return self.layouts[ANY_PORT].read(_plain(message, self.encoding))
        told = SERVERS[self.kind](message, topic)
        content = self._content(told) if told.kind == "readings" else Received(told.readings)
        # A device that sends its own time knows it best; what the network knows of the device comes first.
        return Received(
            tuple(one if one.at is not None else replace(one, at=told.at) for one in content.readings),
            told.device.or_else(content.device),
            told.faults + content.faults,
            told.kind,
            told.at,
        )

    def _content(self, told: NetworkMessage) -> Received:
        """The readings in an uplink: those that the network decoded, or else those of the bytes."""
        if self.json is not None and self.decoded in told.decoded:
            found = self.json.read(told.decoded[self.decoded])
            return replace(found, faults=_below(self.decoded, found.faults))
        if not told.frame:
            return Received()  # the device only acknowledged, or spoke to the network
        layout = self.layouts.get(told.f_port, self.layouts.get(ANY_PORT))
        if layout is not None:
            return layout.read(told.frame)
        if told.f_port == 0:
            return Received()  # commands of LoRaWAN itself
        return Received(
            faults=(
                Problem(
                    Text(
                        "端口 {port} 的报文没有解码方式。",
                        "Nothing says how frames of port {port} are read.",
                        port=told.f_port,
                    ),
                    Text(
                        "请在适配器「{id}」的 bytes 中写明布局，或在网络服务器配置解码。",
                        "Name a layout under 'bytes' of the adapter {id!r}, or set up a codec in the network server.",
                        id=self.id,
                    ),
                ),
            )
        )

    def _named(self, one: Measured, topic_name: str) -> Measured:
        name = self.names.get(one.name, one.name)
        name = name.replace("{name}", topic_name) if topic_name else name
        return one if name == one.name else replace(one, name=name)


def read_adapters(document: Mapping[str, Any]) -> dict[str, Adapter]:
    """Adapters by id, from a document with the tables ``layout.ID`` and the list ``adapter``.

    Raises:
        BadInput: With every fault: the table, the key, what is wrong, what would be right.
    """
    keys = Keys(document)
    layouts = dict(BUILT_IN)
    for name, table in keys.table("layout").items():
        inner = Keys(table, f"layout {name}", keys.problems)
        if name in BUILT_IN:
            inner.fault("", Text("该名称为内置布局所用。", "The name is that of a layout of the platform."))
        layouts[name] = layout_of(inner)
    adapters: dict[str, Adapter] = {}
    for one in keys.tables("adapter"):
        adapter = _adapter(one, layouts)
        if adapter.id in adapters:
            one.fault("id", Text("「{id}」重复。", "{id!r} stands here twice.", id=adapter.id))
        adapters[adapter.id] = adapter
    keys.check()
    return adapters


def _adapter(keys: Keys, layouts: Mapping[str, FrameLayout]) -> Adapter:
    id_ = keys.text("id")
    kind = keys.one_of("kind", KINDS)
    paths = read_json_keys(keys)
    of_network = kind in SERVERS
    by_port: dict[int, FrameLayout] = {}
    encoding = ENCODINGS[0]
    decoded = ""
    if kind == "frame":
        by_port = _ports(keys, {"": keys.text("layout")}, layouts, "layout")
        encoding = keys.one_of("encoding", ENCODINGS, ENCODINGS[0])
    if of_network:
        if "bytes" in keys:
            by_port = _ports(keys, _by_port(keys), layouts, "bytes")
        decoded = keys.one_of("decoded", _DECODED[kind], _DECODED[kind][0])
    if (kind == "json" or (of_network and not by_port)) and not paths.readings:
        keys.fault("reading", Text("没有说明读取哪些字段。", "Nothing says which fields are read."))
    if kind in {"senml", "frame"} and paths != JsonReadings(()):
        keys.fault("kind", Text("该类适配器不用 JSONPath。", "Adapters of this kind use no JSONPath."))
    adapter = Adapter(
        id=id_,
        kind=kind,
        json=paths if paths.readings else None,
        layouts=by_port,
        encoding=encoding,
        decoded=decoded,
        topic=_topic(keys),
        names=keys.texts("names"),
    )
    keys.done()
    return adapter


def _ports(
    keys: Keys, given: Mapping[str, str], layouts: Mapping[str, FrameLayout], key: str
) -> dict[int, FrameLayout]:
    """Layouts by FPort; the empty port stands for any."""
    found: dict[int, FrameLayout] = {}
    for port, name in given.items():
        if port and not (port.isdecimal() and 1 <= int(port) <= 223):
            keys.fault(
                key,
                Text("「{port}」不是应用端口。", "{port!r} is no port of applications.", port=port),
                Text("应在 1 到 223 之间。", "It should be from 1 to 223."),
            )
        elif name not in layouts:
            keys.fault(
                key,
                Text("没有「{name}」这个布局。", "There is no layout {name!r}.", name=name),
                Text("可用：{known}。", "There are {known}.", known=", ".join(layouts)),
            )
        else:
            found[int(port) if port else ANY_PORT] = layouts[name]
    return found


def _by_port(keys: Keys) -> dict[str, str]:
    """Names of layouts by FPort: one name for all, or a table."""
    return {"": keys.text("bytes")} if keys.is_text("bytes") else keys.texts("bytes")


def _topic(keys: Keys) -> re.Pattern[str] | None:
    """The pattern of the topics, where the adapter says it."""
    template = keys.text("topic", "")
    if not template:
        return None
    try:
        return read_topic(template).pattern
    except BadInput as error:
        for one in error.problems:
            keys.fault("topic", one.message, one.hint)
        return None


def _plain(message: bytes, encoding: str) -> bytes:
    """The bytes of a frame."""
    if encoding == "raw":
        return message
    try:
        text = message.decode("ascii").strip()
        return bytes.fromhex(text) if encoding == "hex" else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise bad(
            "", Text("报文不是 {encoding} 编码。", "The message is not written as {encoding}.", encoding=encoding)
        ) from None


def _below(name: str, faults: tuple[Problem, ...]) -> tuple[Problem, ...]:
    return tuple(replace(one, column=f"{name}: {one.column}") for one in faults)
