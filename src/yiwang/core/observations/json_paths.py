"""Readings out of a JSON document by JSONPath (RFC 9535), as an adapter declares them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from jsonpath import JSONPath, JSONPathEnvironment, JSONPathError

from yiwang.core.kernel.errors import Problem
from yiwang.core.kernel.text import Text
from yiwang.core.observations.keys import Keys
from yiwang.core.observations.messages import (
    EPOCH_FORMS,
    FACTS,
    NUMBER_FACTS,
    DeviceFacts,
    Measured,
    Received,
    Value,
    moment,
    number,
    quoted,
    whole,
    words,
)

# Strict: what is written in a pack is RFC 9535 and not a dialect of the library.
_ENVIRONMENT = JSONPathEnvironment(strict=True)
_TYPES = ("any", "number", "truth", "text")
_TRUTHS = {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}


@dataclass(frozen=True, slots=True)
class TimePath:
    """Where the time of readings stands: in the element of each reading, or else in the whole message."""

    path: JSONPath
    form: str = "iso"
    zone: tzinfo | None = None


@dataclass(frozen=True, slots=True)
class ReadingPath:
    """Where a reading stands, from the element on.

    Attributes:
        path: Each match is a reading.
        name: ``{key}`` stands for the key or index at which the match lies.
        name_path, unit_path: Where name and unit stand in the message, in place of `name` and `unit`.
        type: ``any`` as it stands; ``number`` and ``truth`` read texts too; ``text``.
        scale, offset: A number is given as ``number · scale + offset``.
        values: What words or numbers mean; others are faults.
        optional: That nothing or null there is no fault.
    """

    path: JSONPath
    name: str = ""
    name_path: JSONPath | None = None
    unit: str = ""
    unit_path: JSONPath | None = None
    type: str = "any"
    scale: float = 1
    offset: float = 0
    values: Mapping[str, Value] = field(default_factory=dict)
    optional: bool = False


@dataclass(frozen=True, slots=True)
class JsonReadings:
    """What is read of a document.

    Attributes:
        each: Elements that hold readings; None for the document itself.
        time: None where the message has no time.
        device: Paths of facts in the document, by the name of the fact.
    """

    readings: tuple[ReadingPath, ...]
    each: JSONPath | None = None
    time: TimePath | None = None
    device: Mapping[str, JSONPath] = field(default_factory=dict)

    def read(self, document: Any) -> Received:
        """The readings of a document; what is missing or of a wrong kind is a fault, and the others are given."""
        faults: list[Problem] = []
        facts = self._facts(document, faults)
        readings: list[Measured] = []
        elements = [("", document)] if self.each is None else _matches(self.each, document, faults)
        if not elements:
            faults.append(Problem(Text("没有匹配的元素。", "No element matches."), column=str(self.each)))
        for place, element in elements:
            at = self._time(element, document, place, faults)
            for one in self.readings:
                readings += _read(one, element, document, at, place, faults)
        return Received(tuple(readings), facts, tuple(faults))

    def _time(self, element: Any, document: Any, place: str, faults: list[Problem]) -> datetime | None:
        if self.time is None:
            return None
        found = _first(self.time.path, element, document)
        at = moment(found, self.time.form, self.time.zone)
        if at is None:
            faults.append(
                Problem(
                    Text(
                        "时间「{value}」无法按「{form}」读取。",
                        "The time {value!r} cannot be read as {form!r}.",
                        value=quoted(found),
                        form=self.time.form,
                    ),
                    Text("没有时区的时间需在适配器中写明 zone。", "A time without offset needs a zone in the adapter."),
                    column=place + str(self.time.path),
                )
            )
        return at

    def _facts(self, document: Any, faults: list[Problem]) -> DeviceFacts:
        facts: dict[str, Any] = {}
        for name, path in self.device.items():
            found = _first(path, document, None)
            if found is None:
                continue
            if name in NUMBER_FACTS or name == "f_cnt":
                facts[name] = whole(found) if name == "f_cnt" else number(found)
                good = facts[name] is not None
            else:
                good = isinstance(found, str | int) and not isinstance(found, bool)
                facts[name] = str(found) if good else ""
            if not good:
                _wrong(faults, str(path), found)
        return DeviceFacts(**facts)


def read_json_keys(keys: Keys) -> JsonReadings:
    """The part of an adapter that says where things stand in JSON."""
    readings = []
    for one in keys.tables("reading"):
        reading = ReadingPath(
            path=_path(one, "path"),
            name=one.text("name", ""),
            name_path=_optional_path(one, "name_path"),
            unit=one.text("unit", ""),
            unit_path=_optional_path(one, "unit_path"),
            type=one.one_of("type", _TYPES, _TYPES[0]),
            scale=one.number("scale", 1),
            offset=one.number("offset", 0),
            values=_values(one),
            optional=one.truth("optional"),
        )
        if not reading.name and reading.name_path is None:
            one.fault("name", Text("缺少 name 或 name_path。", "The key 'name' or 'name_path' is missing."))
        one.done()
        readings.append(reading)
    device = {}
    inner = keys.inner("device")
    if inner is not None:
        device = {name: _path(inner, name) for name in FACTS if name in inner}
        inner.done()
    return JsonReadings(tuple(readings), _optional_path(keys, "each"), _time_path(keys), device)


def _time_path(keys: Keys) -> TimePath | None:
    inner = keys.inner("time")
    if inner is None:
        return None
    form = inner.text("form", "iso")
    if form != "iso" and form not in EPOCH_FORMS and "%" not in form:
        inner.fault(
            "form",
            Text("没有「{form}」这种时间格式。", "The form of time {form!r} is not known.", form=form),
            Text("可用：iso、s、ms、us，或带 % 的格式。", "Known are iso, s, ms, us, or a pattern with %."),
        )
    zone, name = None, inner.text("zone", "")
    if name:
        try:
            zone = ZoneInfo(name)
        except (ValueError, OSError, KeyError):
            inner.fault(
                "zone",
                Text("没有「{name}」这个时区。", "The time zone {name!r} is not known.", name=name),
                Text("例如 Asia/Shanghai。", "For example Asia/Shanghai."),
            )
    path = _path(inner, "path")
    inner.done()
    return TimePath(path, form, zone)


def _values(keys: Keys) -> dict[str, Value]:
    found = {}
    for word, value in keys.table("values").items():
        if isinstance(value, str | bool | int | float):
            found[word] = value
        else:
            keys.fault(f"values.{word}", Text("这里应为文本、数或真假值。", "A text, number or truth value."))
    return found


_ROOT = _ENVIRONMENT.compile("$")


def _path(keys: Keys, key: str) -> JSONPath:
    given = keys.text(key)
    try:
        found = _ENVIRONMENT.compile(given) if given else None
    except JSONPathError:  # its own words cannot always be written out
        found = None
    if isinstance(found, JSONPath):
        return found
    if given:
        keys.fault(
            key,
            Text("「{given}」不是 JSONPath。", "{given!r} is no JSONPath.", given=given),
            Text("例如 $.values.temperature。", "For example $.values.temperature."),
        )
    assert isinstance(_ROOT, JSONPath)
    return _ROOT


def _optional_path(keys: Keys, key: str) -> JSONPath | None:
    return _path(keys, key) if key in keys else None


def _read(
    one: ReadingPath, element: Any, document: Any, at: datetime | None, place: str, faults: list[Problem]
) -> list[Measured]:
    found = []
    matches = _matches(one.path, element, faults)
    if not matches and not one.optional:
        faults.append(Problem(Text("没有该字段。", "The field is missing."), column=place + str(one.path)))
    for where, given in matches:
        if given is None and one.optional:
            continue
        value = _value(one, given)
        if value is None:
            _wrong(faults, place + where, given)
            continue
        name = one.name.replace("{key}", _key(where))
        if one.name_path is not None:
            name = words(_first(one.name_path, element, document))
            if not name:
                _wrong(faults, place + str(one.name_path), name)
                continue
        unit = one.unit
        if one.unit_path is not None:
            unit = words(_first(one.unit_path, element, document)) or unit
        found.append(Measured(name, value, unit, at))
    return found


def _value(one: ReadingPath, given: object) -> Value | None:
    """The value as the adapter wants it; None where it is of another kind."""
    if one.values:
        return one.values.get(_word(given))
    if one.type == "text":
        return given if isinstance(given, str) else None
    if one.type == "truth":
        return _TRUTHS.get(str(given).lower()) if isinstance(given, bool | int | str) else None
    if isinstance(given, bool | str) and one.type == "any":
        return given
    count = number(given)
    if count is None or (one.scale == 1 and one.offset == 0):
        return count
    return number(count * one.scale + one.offset)


def _word(given: object) -> str:
    """A value as a key of TOML writes it: 1 for 1.0, true for True."""
    if isinstance(given, bool | str):
        return str(given).lower() if isinstance(given, bool) else given
    count = whole(given)
    return quoted(given) if count is None else str(count)


def _matches(path: JSONPath, document: Any, faults: list[Problem]) -> list[tuple[str, Any]]:
    """Place and value of each match."""
    try:
        return [(match.path, match.obj) for match in path.finditer(document)]
    # TypeError: a text or number where a path looks for parts; ValueError: a text that looks like JSON and is none
    except (JSONPathError, RecursionError, TypeError, ValueError):
        faults.append(Problem(Text("路径无法应用于该报文。", "The path cannot be followed here."), column=str(path)))
        return []


def _first(path: JSONPath, element: Any, document: Any) -> Any:
    """The first value in an element, or else in the document."""
    for holder in (element, document):
        found = _matches(path, holder, [])
        if found:
            return found[0][1]
    return None


def _key(place: str) -> str:
    """The last part of a normalized path: ``$['values']['pm25']`` gives ``pm25``."""
    return place.rpartition("[")[2].rstrip("]").strip("'\"")


def _wrong(faults: list[Problem], where: str, value: object) -> None:
    message = Text("值无法读取：{value}", "This value cannot be read: {value}.", value=quoted(value))
    faults.append(Problem(message, column=where))
