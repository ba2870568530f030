"""Sensor Measurement Lists (SenML, RFC 8428), in JSON and in CBOR."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from yiwang.core.kernel.errors import Problem
from yiwang.core.kernel.text import Text
from yiwang.core.observations.messages import (
    BadPayload,
    Measured,
    Received,
    Value,
    bad,
    json_document,
    quoted,
    since_epoch,
)

# Labels of CBOR, RFC 8428 table 6.
_LABELS = {-1: "bver", -2: "bn", -3: "bt", -4: "bu", -5: "bv", -6: "bs"}
_LABELS |= {0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb", 5: "s", 6: "t", 7: "ut", 8: "vd"}
_NUMBERS = {"bver", "bt", "bv", "bs", "v", "s", "t", "ut"}
_TEXTS = {"bn", "bu", "n", "u", "vs"}
_VALUES = ("v", "vs", "vb", "vd")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-:./_]*")
VERSION = 10  # the latest that is known: RFC 8428
# Times below 2^28 s are relative to now (RFC 8428, 4.5.3).
_ABSOLUTE = 1 << 28
# Major type 4 of CBOR, an array; a pack in JSON begins with a bracket or space.
_CBOR_ARRAY = range(0x80, 0xA0)


def read_senml(message: bytes, received_at: datetime) -> Received:
    """The readings of a pack, resolved: base name, time, unit, value and sum are in each.

    A record with a fault is left out and named. A sum is a reading of its own, ``name:sum``, in the unit times seconds.
    Data (``vd``) is a text in base64url with ``more["encoding"]``.

    Args:
        message: A pack in JSON or in CBOR: the first byte tells.
        received_at: To which relative times refer.

    Raises:
        BadPayload: It is no pack, of a later version, or has a field (ending in ``_``) that must be understood.
    """
    records = _from_cbor(message) if message[:1] and message[0] in _CBOR_ARRAY else json_document(message)
    if not isinstance(records, list) or not records:
        raise bad("", Text("SenML 报文应为非空数组。", "A SenML pack is an array with at least one record."))
    readings: list[Measured] = []
    faults: list[Problem] = []
    base: dict[str, Any] = {}
    for index, record in enumerate(records):
        where = f"[{index}]"
        if not isinstance(record, dict):
            faults.append(Problem(Text("这里应为对象。", "An object belongs here."), column=where))
            continue
        _refuse_what_must_be_understood(record, where, base.get("bver", VERSION))
        wrong = _wrong_field(record)
        # What a later record builds upon counts even where this record has a fault in another field.
        base |= {key: record[key] for key in record if key in _LABELS.values() and key[0] == "b" and key != wrong}
        if wrong:
            message_ = Text("值无法读取：{value}", "This value cannot be read: {value}.", value=quoted(record[wrong]))
            faults.append(Problem(message_, column=f"{where}.{wrong}"))
            continue
        if any(key in record for key in (*_VALUES, "s")):
            try:
                readings.extend(_resolved(record, base, received_at))
            except BadPayload as error:
                faults.extend(Problem(one.message, one.hint, column=where + one.column) for one in error.problems)
        elif not all(key.startswith("b") for key in record):
            faults.append(Problem(Text("记录没有值。", "The record has no value."), column=where))
    return Received(tuple(readings), faults=tuple(faults))


def _from_cbor(message: bytes) -> Any:
    from cbor2 import loads  # a start does not wait for it

    try:
        records = loads(message, max_depth=8)
        return [_labelled(one) for one in records] if isinstance(records, list) else records
    except Exception as error:  # decoders of tags raise errors of many kinds, all of them about the message
        told = quoted(str(error))
        raise bad("", Text("不是有效的 CBOR：{told}", "This is no valid CBOR: {told}.", told=told)) from None


def _labelled(record: Any) -> Any:
    """A record with the labels of JSON for the numbers of CBOR."""
    if not isinstance(record, Mapping):
        return record
    return {
        _LABELS.get(key, str(key)) if type(key) is int else str(key): _plain(value) for key, value in record.items()
    }


def _plain(value: Any) -> Any:
    """Decimal fractions of CBOR (tag 4) as doubles, data as the base64url of JSON."""
    if isinstance(value, Decimal):
        return float(value) if not value.is_snan() else math.nan
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode() if isinstance(value, bytes) else value


def _refuse_what_must_be_understood(record: dict[str, Any], where: str, version: Any) -> None:
    given = record.get("bver", version)
    if isinstance(given, bool) or not isinstance(given, int) or not 0 < given <= VERSION:
        raise bad(
            f"{where}.bver",
            Text(
                "SenML 版本 {version} 无法读取。", "SenML of version {version} cannot be read.", version=quoted(given)
            ),
            Text("最高支持版本 {known}。", "The latest known version is {known}.", known=VERSION),
        )
    for key in record:
        if key.endswith("_"):
            raise bad(
                f"{where}.{quoted(key)}",
                Text("该字段必须被理解，而本系统不认识。", "This field has to be understood, and is not known here."),
            )


def _wrong_field(record: Mapping[str, Any]) -> str:
    """The first field of a wrong kind, or none."""
    for key, value in record.items():
        if key in _NUMBERS:
            good = isinstance(value, int | float) and not isinstance(value, bool) and _finite(value)
        elif key in _TEXTS or key == "vd":
            good = isinstance(value, str)
        else:
            good = key != "vb" or isinstance(value, bool)
        if not good:
            return key
    return ""


def _resolved(record: Mapping[str, Any], base: Mapping[str, Any], received_at: datetime) -> list[Measured]:
    name = base.get("bn", "") + record.get("n", "")
    if not _NAME.fullmatch(name):
        raise bad(
            ".n",
            Text("名称「{name}」不合规。", "The name {name!r} is not allowed.", name=quoted(name)),
            Text(
                "以字母或数字开头，只含字母、数字和 - : . / _。",
                "It begins with a letter or digit and holds letters, digits and - : . / _ only.",
            ),
        )
    if sum(key in record for key in _VALUES) > 1:
        raise bad("", Text("一条记录只能有一个值。", "A record has one value only."))
    at = _time(base.get("bt", 0) + record.get("t", 0), received_at)
    unit = record.get("u", base.get("bu", ""))
    more = {word: record[key] for key, word in (("ut", "update_s"), ("l", "link")) if key in record}
    found = []
    value: Value | None = next((record[key] for key in _VALUES[1:] if key in record), None)
    if "v" in record:
        value = _sum(".v", record["v"], base.get("bv", 0))
    if value is not None:
        data = {"encoding": "base64url"} if "vd" in record else {}
        found.append(Measured(name, value, unit, at, {**more, **data}))
    if "s" in record:
        found.append(
            Measured(f"{name}:sum", _sum(".s", record["s"], base.get("bs", 0)), f"{unit}.s" if unit else "s", at, more)
        )
    return found


def _sum(where: str, value: float, base: float) -> float:
    total = value + base if base else value
    if not _finite(total):
        raise bad(where, Text("数值超出范围。", "The number is out of range."))
    return total


def _time(seconds: float, received_at: datetime) -> datetime:
    at = None
    if not _finite(seconds):
        pass
    elif seconds >= _ABSOLUTE:
        at = since_epoch(seconds)
    else:
        try:
            at = received_at + timedelta(seconds=seconds)
        except OverflowError:
            at = None
    if at is None:
        raise bad(".t", Text("时间超出范围。", "The time is out of range."))
    return at


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
