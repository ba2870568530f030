"""What is in a message of a device: readings, facts of the device, and faults that name the field."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import orjson

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import NO_TEXT, Text

Value = float | bool | str
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_FORMS = {"s": 1, "ms": 1000, "us": 1_000_000}
# How much of a stranger's value is quoted.
QUOTED = 60


class BadPayload(BadInput):
    """A message of which nothing can be read; `text` says in both languages what is wrong."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One reading.

    Attributes:
        name: What was measured, as the adapter or the message names it.
        value: The number, state or words. A number is finite; it is an `int` where the message has one.
        unit: As the adapter or the message writes it; `units.ucum` makes it a UCUM code. Empty for none.
        at: When it was measured, aware; None where the message does not say.
        more: What else the message says of it, e.g. ``channel``.
    """

    name: str
    value: Value
    unit: str = ""
    at: datetime | None = None
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What a message says of its device; None or empty where it says nothing.

    Attributes:
        id: The name by which the network or the message calls it.
        eui: DevEUI of LoRaWAN, 16 hexadecimal digits in capitals.
        battery_percent: 0–100.
        battery_v: Voltage of the battery in volts.
        firmware: Version as the message writes it.
        rssi: Of the gateway that heard it best, in dBm.
        snr: Of the same gateway, in dB.
        f_cnt: Number of the uplink frame, which starts again when the device joins.
    """

    id: str = ""
    eui: str = ""
    battery_percent: float | None = None
    battery_v: float | None = None
    firmware: str = ""
    rssi: float | None = None
    snr: float | None = None
    f_cnt: int | None = None

    def or_else(self, other: DeviceFacts) -> DeviceFacts:
        """These facts, and those of another where nothing is said here."""
        mine = {one.name: getattr(self, one.name) for one in fields(self)}
        return DeviceFacts(
            **{name: getattr(other, name) if value in (None, "") else value for name, value in mine.items()}
        )


NUMBER_FACTS = ("battery_percent", "battery_v", "rssi", "snr")
FACTS = tuple(one.name for one in fields(DeviceFacts))


@dataclass(frozen=True, slots=True)
class Received:
    """A message that was read.

    Attributes:
        readings: In the order of the message.
        device: Who sent it.
        faults: What could not be read; ``column`` is the field, or the byte at which it stands.
        kind: ``readings``, or what else the network tells of the device: ``join``, ``status``, ``location``, ``other``.
        at: When the network got it; None where it does not say.
    """

    readings: tuple[Measured, ...] = ()
    device: DeviceFacts = field(default_factory=DeviceFacts)
    faults: tuple[Problem, ...] = ()
    kind: str = "readings"
    at: datetime | None = None


def quoted(value: object) -> str:
    """A value as it is quoted in a fault: not longer than can be read."""
    if isinstance(value, dict | list):
        return "{…}" if isinstance(value, dict) else "[…]"
    if isinstance(value, int) and value.bit_length() > 256:
        return "…"  # Python may refuse to write it out
    shown = value if isinstance(value, str) else repr(value)
    return shown if len(shown) <= QUOTED else f"{shown[:QUOTED]}…"


def bad(where: str, message: Text, hint: Text = NO_TEXT) -> BadPayload:
    """The error that refuses a whole message for one field."""
    return BadPayload(Problem(message, hint, column=where))


def json_document(message: bytes) -> Any:
    """The document of a JSON message in UTF-8.

    Raises:
        BadPayload: It is no JSON, or holds a number beyond the range of a double.
    """
    try:
        return orjson.loads(message)
    except orjson.JSONDecodeError as error:
        raise BadPayload(
            Problem(
                Text("不是有效的 JSON：{error}", "This is no valid JSON: {error}.", error=quoted(error.msg)),
                Text("请以 UTF-8 编码发送 JSON。", "Send JSON in UTF-8."),
                row=error.lineno,
            )
        ) from None


def number(value: object) -> float | None:
    """A finite number, also where it is written as a string (64-bit numbers of Protocol Buffers); None for anything else."""
    if isinstance(value, str):
        try:
            if "_" in value:  # Python would read over it
                return None
            value = int(value) if value.lstrip("+-").isdigit() else float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return value if math.isfinite(value) else None
    except OverflowError:  # an integer beyond the range of a double
        return None


def whole(value: object) -> int | None:
    """A whole number, also as a string or as ``1.0``."""
    found = number(value)
    return int(found) if found is not None and found == int(found) else None


def words(value: object) -> str:
    """The text itself; empty for anything that is no text."""
    return value if isinstance(value, str) else ""


def part(value: object, *keys: str) -> dict[str, Any]:
    """The object that lies under keys of a document; empty where there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def moment(value: object, form: str = "iso", zone: tzinfo | None = None) -> datetime | None:
    """A time of a message in UTC.

    Args:
        value: A text or the time since 1970.
        form: ``iso`` for ISO 8601 (digits beyond microseconds are cut), a pattern of `strptime` with ``%``, or what a
            number counts: ``s``, ``ms`` or ``us``.
        zone: Of a text without an offset; an hour that autumn doubles is the first.

    Returns:
        None where it is no time, has neither offset nor zone, or is the year 1, which programs in Go write for no time.
    """
    if form in EPOCH_FORMS:
        count = number(value)
        return None if count is None else since_epoch(count, form)
    text = str(value) if type(value) is int and "%" in form and abs(value) < 1 << 63 else words(value)
    try:
        found = datetime.fromisoformat(text) if form == "iso" else datetime.strptime(text, form)  # noqa: DTZ007
        if found.tzinfo is None:
            found = found.replace(tzinfo=zone)
        return found.astimezone(UTC) if found.tzinfo is not None and found.year > 1 else None
    except (ValueError, OverflowError):
        return None


def since_epoch(count: float, form: str = "s") -> datetime | None:
    """The time so many seconds, ``ms`` or ``us`` after 1970, to the microsecond; None beyond what a calendar holds."""
    per_second = EPOCH_FORMS[form]
    try:
        if isinstance(count, int):
            return EPOCH + timedelta(microseconds=count * (1_000_000 // per_second))
        return EPOCH + timedelta(seconds=count / per_second)
    except (OverflowError, ValueError):
        return None
