"""What a message says, before anybody has looked into the database."""

from __future__ import annotations

import logging
import math
import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.instants import to_micros
from yiwang.core.kernel.text import Text
from yiwang.core.observations.messages import (
    NUMBER_FACTS,
    BadPayload,
    DeviceFacts,
    Measured,
    Received,
    number,
    whole,
)
from yiwang.core.observations.plain import read_plain
from yiwang.core.observations.units import convert
from yiwang.server.common.moments import YEARS
from yiwang.server.sensing.devices.rejecting import Refused, clean
from yiwang.server.sensing.devices.routes import Route, Routes
from yiwang.server.sensing.writing import Reading

log = logging.getLogger("yiwang.sensing")
LONGEST = 256 * 1024  # bytes of a message
MOST_READINGS = 5_000  # of a message
LARGEST = 1e100  # no quantity is larger, and its square and its conversion into any unit are still numbers
LONGEST_TEXT = 1_000  # letters of a result that is a text
LONGEST_KEY = 100  # letters of a datastream's or a device's key


@dataclass(frozen=True, slots=True)
class Message:
    """A message of MQTT.

    Attributes:
        topic: To which it was sent.
        payload: As it came.
        user: With which name its sender signed in to the broker; empty where that is not known.
    """

    topic: str
    payload: bytes
    user: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A message as one adapter reads it.

    Attributes:
        route: Of the adapter; None for a topic that names its datastream.
        received: What was read; None where nothing could be.
        devices: How the device may be called in the registry, the surest first.
        faults: Why nothing could be read.
    """

    city: str
    route: Route | None
    received: Received | None
    devices: tuple[str, ...] = ()
    faults: tuple[Problem, ...] = ()


@dataclass(slots=True)
class Work:
    """A message on its way through a batch.

    Attributes:
        city: Whose it is; empty while that is not known.
        stream: Key of the datastream that the topic names; empty for an adapter's topic.
        attempts: How it can be read.
        device: Key of the device, once it is known.
        faults: What could not be taken so far; ``taken``: whether anything could.
    """

    message: Message
    city: str = ""
    stream: str = ""
    attempts: tuple[Attempt, ...] = ()
    device: str = ""
    faults: list[Problem] = field(default_factory=list)
    taken: bool = False

    def refused(self) -> Refused:
        """The row for what could not be taken."""
        told = self.message
        return Refused(
            city=self.city, topic=told.topic, payload=told.payload, user=told.user, device=self.device,
            partly=self.taken, faults=self.faults,
        )  # fmt: skip


def read_message(message: Message, known: Routes, *, at: datetime) -> Work:
    """A message with all that its topic and its payload say."""
    city, stream, found = known.of(message.topic)
    work = Work(message, city=city, stream=stream)
    if len(message.payload) > LONGEST:
        work.faults.append(
            Problem(
                Text(
                    "报文有 {given} 字节，最多 {most}。",
                    "The message has {given} bytes; at most {most} are read.",
                    given=len(message.payload),
                    most=LONGEST,
                )
            )
        )
    elif stream:
        work.attempts = (_attempt(message, city, None, at),)
    elif found:
        work.attempts = tuple(_attempt(message, one.city, one, at) for one in found)
        if len({one.city for one in work.attempts}) == 1:
            work.city = found[0].city
    else:
        work.faults.append(
            Problem(
                Text("没有适配器读取此主题。", "No adapter reads this topic."),
                Text(
                    "在城市包 sensing.toml 的 [[adapter]] 中写明主题，或发到 yiwang/城市/streams/监测流。",
                    "Declare it under [[adapter]] in the pack's sensing.toml, or send to yiwang/CITY/streams/STREAM.",
                ),
            )
        )
    return work


def _attempt(message: Message, city: str, route: Route | None, at: datetime) -> Attempt:
    named = (device_key(route.device(message.topic)),) if route else ()
    try:
        if route is None:
            received = read_plain(message.payload, at)
        else:
            received = _with_facts(route.reader.read(message.payload, at, message.topic), route)
        if len(received.readings) > MOST_READINGS:
            given = len(received.readings)
            text = Text(
                "报文有 {given} 条读数，最多 {most}。",
                "The message has {given} readings; at most {most} are read.",
                given=given,
                most=MOST_READINGS,
            )
            raise BadPayload(Problem(text))
    except BadInput as error:
        return Attempt(city, route, None, _names(*named), error.problems)
    except Exception:  # whatever a stranger thought of: the others of the batch are not held up
        log.exception("A message of %s could not be read", clean(message.topic, 200))
        fault = Problem(Text("报文无法读取，详见系统日志。", "The message cannot be read; the log says more."))
        return Attempt(city, route, None, _names(*named), (fault,))
    told = received.device
    return Attempt(city, route, received, _names(*named, told.eui, told.id))


def _names(*names: str) -> tuple[str, ...]:
    keys = (device_key(name) for name in names)
    return tuple(
        dict.fromkeys(key for key in keys if key and len(key) <= LONGEST_KEY and clean(key, LONGEST_KEY) == key)
    )


def device_key(name: str) -> str:
    """A device's name as the registry has it: an EUI in capitals, since networks write it in both ways."""
    upper = name.upper()
    return upper if len(upper) == 16 and all(letter in "0123456789ABCDEF" for letter in upper) else name


def _with_facts(received: Received, route: Route) -> Received:
    """With the readings that the adapter calls facts of the device taken out and told of the device."""
    named = route.adapter.facts
    if not named or received.kind != "readings":
        return received
    told: dict[str, Any] = {}
    faults: list[Problem] = []
    for one in received.readings:
        fact = named.get(one.name)
        if fact is None:
            continue
        value = whole(one.value) if fact == "f_cnt" else number(one.value) if fact in NUMBER_FACTS else str(one.value)
        if value is None or (fact == "battery_percent" and not 0 <= float(value) <= 100):
            message = Text("设备信息 {fact} 的值无法使用。", "The value of the fact {fact} cannot be used.", fact=fact)
            faults.append(Problem(message, column=clean(one.name, 100)))
        else:
            told[fact] = value
    return replace(
        received,
        readings=tuple(one for one in received.readings if one.name not in named),
        device=received.device.or_else(DeviceFacts(**told)),
        faults=(*received.faults, *faults),
    )


def stream_key(one: Measured, route: Route, device: str) -> str:
    """Key of the datastream of a reading.

    Raises:
        BadInput: The reading has no channel and the adapter asks for it, or the key cannot be one.
    """
    said = {"device": device, "name": one.name, "channel": str(one.more.get("channel", ""))}
    if "{channel}" in route.adapter.stream and not said["channel"]:
        message = Text("读数没有通道号。", "The reading has no channel.")
        raise BadInput(Problem(message, column=clean(one.name, LONGEST_KEY)))
    key = re.sub(r"\{(device|name|channel)\}", lambda place: said[place[1]], route.adapter.stream)
    if not key or len(key) > LONGEST_KEY or clean(key, LONGEST_KEY) != key:
        message = Text(
            "「{key}」不能作监测流名称。", "{key!r} cannot be the key of a datastream.", key=clean(key, LONGEST_KEY)
        )
        raise BadInput(Problem(message))
    return key


def observed(one: Measured, *, stream: int, unit: str, said_unit: str, moment: int | None) -> Reading:
    """A reading as it is written, in the datastream's unit.

    Args:
        stream: Id of the datastream.
        unit: Its unit.
        said_unit: That of the reading; empty for the same.
        moment: When it was, in microseconds, where the message does not say.

    Raises:
        BadInput: It has a value, a time or a unit that cannot be taken.
    """
    time = moment
    if one.at is not None:
        time = to_micros(one.at) if one.at.year in YEARS else None
    if time is None:
        raise BadInput(
            Problem(Text("时间超出范围。", "The time is out of range."), column=clean(one.name, LONGEST_KEY))
        )
    more = _more(one)
    if isinstance(one.value, bool):
        return Reading(stream, time, None, one.value, more=more)
    if isinstance(one.value, str):
        if len(one.value) > LONGEST_TEXT or clean(one.value, LONGEST_TEXT) != one.value:
            message = Text(
                "文本最多 {most} 字，且不含控制符 0。",
                "A text has at most {most} letters, and no zero.",
                most=LONGEST_TEXT,
            )
            raise BadInput(Problem(message, column=clean(one.name, LONGEST_KEY)))
        return Reading(stream, time, None, one.value, more=more)
    return Reading(stream, time, _in_unit(one, said_unit, unit), more=more)


def _in_unit(one: Measured, said: str, unit: str) -> float:
    value = math.inf
    try:
        value = float(one.value)
        if said and said != unit and abs(value) <= LARGEST:
            value = convert(value, said, unit)
    except OverflowError:
        value = math.inf
    if not (math.isfinite(value) and abs(value) <= LARGEST):
        message = Text("数值超出可用范围。", "The number is out of what can be used.")
        raise BadInput(Problem(message, column=clean(one.name, LONGEST_KEY)))
    return value


def _more(one: Measured) -> dict[str, Any] | None:
    """What else the message says of it, where a database takes it."""
    if not one.more:
        return None
    try:
        written = orjson.dumps(dict(one.more))
    except (TypeError, ValueError):
        return None
    if len(written) > LONGEST_TEXT or b"\\u0000" in written:
        return None
    return {"parameters": orjson.loads(written)}
