"""Layouts of binary frames as data: what stands in which byte (of a LoRaWAN uplink, of a frame of NB-IoT).

A frame is a head of fields in fixed order, of which a group may stand there only when a bit says so, and then items, each of
which begins with a key (channel and type in most) that says which fields follow. Either may be missing.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from yiwang.core.kernel.errors import Problem
from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.core.observations.keys import Keys
from yiwang.core.observations.messages import (
    FACTS,
    NUMBER_FACTS,
    DeviceFacts,
    Measured,
    Received,
    Value,
    quoted,
    since_epoch,
    words,
)

_TYPE = re.compile(r"(?P<kind>[us])(?P<bits>8|16|24|32|48|64)|(?P<float>f16|f32|f64)|(?P<raw>hex|ascii|dotted|skip)")
_FLOATS = {"f16": "e", "f32": "f", "f64": "d"}
_ENDS = {"big": ">", "little": "<"}
# What a field says instead of a reading: the time of the item, or how many bytes are still to come.
ROLES = ("reading", "time", "rest", "none")


@dataclass(frozen=True, slots=True)
class Field:
    """A stretch of bytes, or of bits in them.

    Attributes:
        name: Of the reading. ``{channel}`` stands for the first byte of the item's key.
        size: In bytes.
        type: ``u8`` … ``s64``, ``f16`` ``f32`` ``f64``, ``hex``, ``ascii``, ``dotted`` (bytes as decimal numbers with dots
            between, as versions are written), ``skip``.
        end: ``big`` or ``little``.
        scale, offset: The value is ``number · scale + offset``.
        decimals: To which it is rounded, so that a tenth is written as one; None leaves it.
        bit, bits: Which bits of a whole number are meant, counted from the lowest; 0 bits means all.
        unit: Of the value.
        values: What numbers mean; any other number is a fault.
        missing: Numbers by which the device says that it has no value, with what they mean.
        fact: The field of `DeviceFacts` that it is, in place of a reading.
        role: One of `ROLES`.
        parts: Further fields that read bits of the same bytes.
    """

    name: str
    size: int
    type: str
    end: str = "big"
    scale: float = 1
    offset: float = 0
    decimals: int | None = None
    bit: int = 0
    bits: int = 0
    unit: str = ""
    values: Mapping[int, Value] = field(default_factory=dict)
    missing: Mapping[int, str] = field(default_factory=dict)
    fact: str = ""
    role: str = "reading"
    parts: tuple[Field, ...] = ()

    def number(self, raw: bytes) -> float | str:
        """What stands in the bytes, before it is scaled."""
        if self.type == "hex":
            return raw.hex()
        if self.type == "ascii":
            return raw.rstrip(b"\0 ").decode("ascii", "backslashreplace")
        if self.type == "dotted":
            return ".".join(str(byte) for byte in raw)
        if self.type in _FLOATS:
            return float(struct.unpack(_ENDS[self.end] + _FLOATS[self.type], raw)[0])
        whole = int.from_bytes(raw, "big" if self.end == "big" else "little", signed=self.type[0] == "s")
        return (whole >> self.bit) & ((1 << self.bits) - 1) if self.bits else whole


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that follow one another.

    Attributes:
        when: Name of a field of the head and the bit of it that must be set; None for a group that is always there.
    """

    fields: tuple[Field, ...]
    when: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class FrameLayout:
    """How the frames of a kind of device are laid out.

    Attributes:
        head: Groups in the order in which they stand.
        items: Fields by key; the longest key that fits is taken. Without items the frame ends with its head.
        skip: Bytes before each key that belong to it in name only: 1 where any channel may come before the type.
    """

    head: tuple[Group, ...] = ()
    items: Mapping[bytes, tuple[Field, ...]] = field(default_factory=dict)
    skip: int = 0

    def read(self, frame: bytes) -> Received:
        """The readings of a frame.

        Behind an unknown key or an end that comes too early nothing can be trusted: what stands before is given, and the
        fault names the byte.
        """
        return _Reading(self, frame).received()


def read_layout(table: object, where: str = "layout") -> FrameLayout:
    """A layout from its TOML table; docs/reference/payloads.md has the keys.

    Raises:
        BadInput: With every fault: the key, what is wrong, what would be right.
    """
    keys = Keys(table, where)
    made = layout_of(keys)
    keys.check()
    return made


def layout_of(keys: Keys) -> FrameLayout:
    """A layout from a table whose faults are collected elsewhere."""
    end = keys.one_of("end", _ENDS, "big")
    head: list[Group] = []
    known: set[str] = set()
    for one in keys.tables("head"):
        when, bit = one.text("when", ""), one.whole("bit", 0, most=63)
        if when and when not in known:
            one.fault(
                "when",
                Text("前面没有「{name}」整数字段。", "No field {name!r} of whole numbers stands before it.", name=when),
            )
        fields = _fields(one, end)
        known |= {one.name for one in fields if one.type[0] in "us" and one.type != "skip"}
        head.append(Group(fields, (when, bit) if when else None))
        one.done()
    skip = keys.whole("channel_bytes", 0, most=4)
    items: dict[bytes, tuple[Field, ...]] = {}
    for one in keys.tables("item"):
        key = _bytes(one)
        if key in items:
            one.fault("key", Text("「{key}」重复。", "{key!r} stands here twice.", key=key.hex()))
        items[key] = _fields(one, end)
        one.done()
    if not head and not items:
        keys.fault("item", Text("没有任何字段。", "The layout has no field."))
    keys.done()
    return FrameLayout(tuple(head), items, skip)


class _Reading:
    """One frame while it is read."""

    def __init__(self, layout: FrameLayout, frame: bytes) -> None:
        self.layout, self.frame, self.at = layout, frame, 0
        self.readings: list[Measured] = []
        self.faults: list[Problem] = []
        self.facts: dict[str, Any] = {}
        self.numbers: dict[str, float | str] = {}

    def received(self) -> Received:
        whole = all(self._group(group) for group in self.layout.head)
        while whole and self.layout.items and self.at < len(self.frame):
            whole = self._item()
        if whole and self.at < len(self.frame):
            self._fault(
                Text("末尾多出 {count} 个字节。", "{count} bytes are left over.", count=len(self.frame) - self.at)
            )
        return Received(tuple(self.readings), DeviceFacts(**self.facts), tuple(self.faults))

    def _group(self, group: Group) -> bool:
        if group.when is not None:
            name, bit = group.when
            flags = self.numbers.get(name, 0)
            if not (isinstance(flags, int) and flags >> bit & 1):
                return True
        return self._take(group.fields, None)

    def _item(self) -> bool:
        channel = self.frame[self.at] if self.at < len(self.frame) else None
        rest = self.frame[self.at + self.layout.skip :]
        key = max((key for key in self.layout.items if rest.startswith(key)), key=len, default=None)
        if key is None:
            longest = max(len(key) for key in self.layout.items)
            found = self.frame[self.at : self.at + self.layout.skip + longest].hex()
            self._fault(Text("不认识的标识「{found}」。", "The key {found} is not known.", found=found))
            return False
        self.at += self.layout.skip + len(key)
        return self._take(self.layout.items[key], channel)

    def _take(self, fields: tuple[Field, ...], channel: int | None) -> bool:
        """Read fields that follow one another; the time among them is that of all of them."""
        begin, time = len(self.readings), None
        whole = True
        for one in fields:
            raw = self.frame[self.at : self.at + one.size]
            if len(raw) < one.size:
                self._fault(
                    Text(
                        "「{name}」需 {size} 个字节，只剩 {left} 个。",
                        "{name!r} takes {size} bytes, and {left} are left.",
                        name=one.name,
                        size=one.size,
                        left=len(raw),
                    )
                )
                whole = False
                break
            for each in one.parts or (one,):
                time = self._one(each, raw, channel) or time
            self.at += one.size
        if time is not None:
            self.readings[begin:] = [replace(reading, at=time) for reading in self.readings[begin:]]
        return whole

    def _one(self, one: Field, raw: bytes, channel: int | None) -> datetime | None:
        """Note what a field says; the moment, where it is a time."""
        if one.type == "skip":
            return None
        number = one.number(raw)
        self.numbers[one.name] = number
        if one.role == "time":
            time = since_epoch(number) if isinstance(number, int | float) else None
            if time is None:
                self._fault(Text("「{name}」不是有效时间。", "{name!r} is no time.", name=one.name))
            return time
        if one.role == "rest":
            left = len(self.frame) - self.at - one.size
            if number != left:
                self._fault(
                    Text(
                        "报文称后面有 {said} 个字节，实有 {left} 个。",
                        "The frame says that {said} bytes follow, and {left} do.",
                        said=number,
                        left=left,
                    )
                )
            return None
        value = self._value(one, number)
        if value is None or one.role == "none":
            return None
        if one.fact:
            self.facts[one.fact] = value if one.fact in NUMBER_FACTS or one.fact == "f_cnt" else str(value)
        elif channel is None:
            self.readings.append(Measured(one.name, value, one.unit))
        else:
            name = one.name.replace("{channel}", str(channel))
            self.readings.append(Measured(name, value, one.unit, more={"channel": channel}))
        return None

    def _value(self, one: Field, number: float | str) -> Value | None:
        if isinstance(number, str):
            return number
        if number in one.missing:
            self._fault(
                Text(
                    "设备称「{name}」没有值：{why}",
                    "The device says that {name!r} has no value: {why}",
                    name=one.name,
                    why=one.missing[int(number)],
                )
            )
            return None
        if one.values:
            if number not in one.values:
                self._fault(
                    Text(
                        "「{name}」的值 {number} 不在列表中。",
                        "{name!r} has the value {number}, which is not listed.",
                        name=one.name,
                        number=quoted(number),
                    )
                )
                return None
            return one.values[int(number)]
        value = number if one.scale == 1 and one.offset == 0 else number * one.scale + one.offset
        if isinstance(value, float):
            if value - value != 0:  # infinite, or no number
                self._fault(Text("「{name}」不是有限的数。", "{name!r} is not a finite number.", name=one.name))
                return None
            if one.decimals is not None:
                value = round(value, one.decimals)
        return value

    def _fault(self, message: Text) -> None:
        self.faults.append(Problem(message, column=f"@{self.at}"))


def _bytes(keys: Keys) -> bytes:
    given = keys.text("key")
    try:
        found = bytes.fromhex(given)
    except ValueError:
        found = b""
    if not found:
        keys.fault(
            "key",
            Text("「{given}」不是十六进制字节。", "{given!r} is no hexadecimal bytes.", given=given),
            Text("例如 0367。", "For example 0367."),
        )
    return found


def _fields(keys: Keys, end: str) -> tuple[Field, ...]:
    return tuple(_field(one, end) for one in keys.tables("fields"))


def _field(keys: Keys, end: str) -> Field:
    given = keys.text("type")
    found = _TYPE.fullmatch(given)
    if found is None:
        keys.fault(
            "type",
            Text("没有「{given}」这个类型。", "The type {given!r} is not known.", given=given),
            Text(
                "可用：u8 至 u64、s8 至 s64、f16、f32、f64、hex、ascii、dotted、skip。",
                "Known are u8 to u64, s8 to s64, f16, f32, f64, hex, ascii, dotted, skip.",
            ),
        )
    whole = found is not None and found["kind"] is not None
    size = 1
    if found is not None and found["raw"]:
        size = keys.whole("size", 1 if given != "skip" else None, least=1, most=255)
    elif found is not None:
        size = (int(found["bits"]) if whole else int(given[1:])) // 8
    own_end = keys.one_of("end", _ENDS, end)
    if "parts" in keys:
        parts = tuple(_described(one, size, given, own_end, whole) for one in keys.tables("parts"))
        # Flags that say which groups follow are a name of their own.
        made = Field(keys.text("name", ""), size, given, own_end, parts=parts)
        if not whole:
            keys.fault("parts", Text("只有整数才有位。", "Only a whole number has bits."))
        keys.done()
        return made
    return _described(keys, size, given, own_end, whole)


def _described(keys: Keys, size: int, given: str, end: str, whole: bool) -> Field:
    """The field of its own keys, of bytes that are known."""
    bits = keys.whole("bits", 1 if "bit" in keys else 0, most=size * 8)
    bit = keys.whole("bit", 0, most=size * 8 - 1)
    if bit + bits > size * 8 or (bits and not whole):
        keys.fault("bit", Text("该类型没有这些位。", "The type has no such bits."))
    fact = keys.text("fact", "")
    if fact and fact not in FACTS:
        keys.one_of("fact", FACTS)
    scale = keys.number("scale", 1)
    decimals = keys.whole("decimals", _decimals(scale), most=12) if "decimals" in keys or scale % 1 else None
    role = keys.one_of("role", ROLES, ROLES[0])
    made = Field(
        name=keys.text("name", "" if given == "skip" else fact or None),
        size=size,
        type=given,
        end=end,
        scale=scale,
        offset=keys.number("offset", 0),
        decimals=decimals,
        bit=bit,
        bits=bits,
        unit=keys.text("unit", ""),
        values=_numbered(keys, "values"),
        missing={number: words(value) for number, value in _numbered(keys, "missing").items()},
        fact=fact,
        role=role,
    )
    if fact in (*NUMBER_FACTS, "f_cnt") and (given in {"hex", "ascii", "dotted"} or made.values):
        keys.fault("fact", Text("这里需要数。", "This needs a number."))
    keys.done()
    return made


def _decimals(scale: float) -> int:
    """Digits behind the point that a scale has: 1 for 0.1 and 0.5, 3 for 0.001; at most 12."""
    return next((digits for digits in range(13) if abs(scale * 10**digits - round(scale * 10**digits)) < 1e-9), 12)


def _numbered(keys: Keys, key: str) -> dict[int, Value]:
    """A table whose keys are whole numbers, decimal or ``0xffff``."""
    found: dict[int, Value] = {}
    for number, value in keys.table(key).items():
        try:
            at = int(number, 0)
        except ValueError:
            at = None
            keys.fault(key, Text("「{number}」不是整数。", "{number!r} is no whole number.", number=number))
        good = isinstance(value, str) if key == "missing" else isinstance(value, str | bool | int | float)
        if not good:
            keys.fault(f"{key}.{number}", Text("这里应为文本、数或真假值。", "A text, number or truth value."), NO_TEXT)
        elif at is not None:
            found[at] = value
    return found
