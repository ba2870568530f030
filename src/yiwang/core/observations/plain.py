"""Readings of one stream, as whoever writes a few lines of code sends them: a number, an object, a list of those, or SenML."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from yiwang.core.kernel.errors import Problem
from yiwang.core.kernel.text import Text
from yiwang.core.observations.messages import BadPayload, Measured, Received, bad, json_document, moment, number, quoted
from yiwang.core.observations.senml import read_senml

KEYS = ("value", "time", "unit")
_CBOR_ARRAY = range(0x80, 0xA0)
_FORM = Text(
    '可发 1.2、{"value": 1.2, "time": "2026-03-02T08:00:00+08:00"}、其列表或 SenML。',
    'Send 1.2, {"value": 1.2, "time": "2026-03-02T08:00:00+08:00"}, a list of those, or SenML.',
)


def read_plain(message: bytes, received_at: datetime) -> Received:
    """The readings of a message that is of one stream; their names are empty.

    An object has ``value`` (a number, true or false, a text), and may have ``time`` (with an offset, or seconds since 1970) and
    ``unit``. In a list each needs its time, unless there is only one. A list of objects without ``value`` is SenML, with one name.

    Raises:
        BadPayload: Nothing of it can be read; faults of single elements are in the result.
    """
    if message[:1] and message[0] in _CBOR_ARRAY:
        return _of_one_name(read_senml(message, received_at))
    document = json_document(message)
    if not isinstance(document, list):
        return Received((_reading(document, ""),))
    if document and not any(_is_ours(one) for one in document):
        return _of_one_name(read_senml(message, received_at))
    if not document:
        raise bad("", Text("列表是空的。", "The list is empty."), _FORM)
    readings: list[Measured] = []
    faults: list[Problem] = []
    for index, one in enumerate(document):
        try:
            reading = _reading(one, f"[{index}]")
        except BadPayload as error:
            faults.extend(error.problems)
            continue
        if reading.at is None and len(document) > 1:
            message_ = Text("列表中的读数没有时间。", "A reading in a list has no time.")
            faults.append(Problem(message_, _FORM, column=f"[{index}].time"))
        else:
            readings.append(reading)
    return Received(tuple(readings), faults=tuple(faults))


def _is_ours(one: Any) -> bool:
    return "value" in one if isinstance(one, dict) else isinstance(one, bool | int | float | str)


def _reading(one: Any, where: str) -> Measured:
    said = one if isinstance(one, dict) else {"value": one}
    for key in said:
        if key not in KEYS:
            message = Text("没有「{key}」这个键。", "The key {key!r} is not known.", key=quoted(key))
            raise bad(f"{where}.{quoted(key)}", message, _FORM)
    value, unit = said.get("value"), said.get("unit", "")
    good = isinstance(value, bool | str) or (isinstance(value, int | float) and number(value) is not None)
    if not good:
        message = Text("「{value}」不是读数。", "{value!r} is no reading.", value=quoted(value))
        raise bad(f"{where}.value", message, _FORM)
    if not isinstance(unit, str):
        raise bad(f"{where}.unit", Text("单位应为文本。", "The unit should be a text."))
    at = None
    if (time := said.get("time")) is not None:
        at = moment(time, "s" if isinstance(time, int | float) else "iso")
        if at is None:
            message = Text("「{time}」不是带时区的时间。", "{time!r} is no time with an offset.", time=quoted(time))
            raise bad(f"{where}.time", message, _FORM)
    assert isinstance(value, bool | int | float | str)
    return Measured("", value, unit, at)


def _of_one_name(pack: Received) -> Received:
    names = {one.name for one in pack.readings}
    if len(names) > 1:
        raise bad(
            "",
            Text(
                "SenML 中有多个名称：{names}。", "The SenML has several names: {names}.", names=quoted(", ".join(names))
            ),
            Text("此主题只属于一个监测流；请用适配器。", "This topic is of one stream; declare an adapter."),
        )
    return pack
