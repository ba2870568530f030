"""The bytes of a record: RFC 8785, whichever way they are written."""

from __future__ import annotations

import json
import struct
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st

from yiwang.core.kernel.errors import BadInput
from yiwang.core.ledger import canonical
from yiwang.core.ledger.canonical import LARGEST, by_library

NUMBERS = (
    st.integers(-LARGEST, LARGEST) | st.floats(-LARGEST, LARGEST) | st.floats(-200, 200) | st.floats(-0.001, 0.001)
)
TEXTS = st.text() | st.text(st.characters(max_codepoint=0x7F))
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(TEXTS, JSON, max_size=5)


@settings(deadline=None, max_examples=500)
@given(OBJECTS)
@example({"a": 1e-5, "b": 1e15 + 0.5, "c": -0.0, "d": 3.0, "e": 5e-324})
@example({"\ue000": 1, "\U0001f600": 2})  # by code point the other way round than by UTF-16 unit
@example({"a": "".join(map(chr, range(0x20))) + '"\\/\x7f\u2028'})
def test_the_quick_way_gives_the_bytes_of_the_library(value: dict[str, Any]) -> None:
    assert canonical(value) == rfc8785.dumps(value) == by_library(value)


def test_floats_of_every_size_are_written_as_the_library_writes_them() -> None:
    for exponent in range(1, 1075):
        for fraction in (0, 1, 0x5555555555555, 0xFFFFFFFFFFFFF):
            (number,) = struct.unpack("<d", struct.pack("<Q", exponent << 52 | fraction))
            if number <= LARGEST:
                assert canonical({"x": [number, -number]}) == rfc8785.dumps({"x": [number, -number]})


def test_numbers_of_the_rfc() -> None:
    """Appendix B of RFC 8785, as far as they can stand in a record."""
    for bits, text in {
        "0000000000000000": "0", "8000000000000000": "0", "0000000000000001": "5e-324", "8000000000000001": "-5e-324",
        "3eb0c6f7a0b5ed8d": "0.000001", "3eb0c6f7a0b5ed8c": "9.999999999999997e-7", "41b3de4355555555": "333333333.3333333",
        "41b3de4355555553": "333333333.3333332", "becbf647612f3696": "-0.0000033333333333333333",
    }.items():  # fmt: skip
        assert canonical({"x": struct.unpack(">d", bytes.fromhex(bits))[0]}) == f'{{"x":{text}}}'.encode()


class Number(StrEnum):
    ONE = "one"


def test_canonical_form_is_the_documented_one() -> None:
    value = {
        "b": [1, 2.5, None, True, 7.0],
        "a": "井盖\n",
        "at": datetime(2026, 11, 20, 16, tzinfo=timezone(timedelta(hours=8))),
    }
    text = '{"a":"井盖\\n","at":"2026-11-20T08:00:00.000000Z","b":[1,2.5,null,true,7]}'
    assert canonical(value) == by_library(value) == text.encode()
    assert canonical({"day": date(2026, 11, 20)}) == b'{"day":"2026-11-20"}'
    assert canonical(MappingProxyType({"a": (1, MappingProxyType({}))})) == b'{"a":[1,{}]}'
    assert canonical({"a": Number.ONE}) == b'{"a":"one"}'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e16, 2**53, -(2**53), 2.0**53, 2**64])
def test_a_number_that_json_cannot_carry_is_named(value: float) -> None:
    with pytest.raises(BadInput, match=r"cannot stand in a record") as refused:
        canonical({"payload": {"deep": [{"x": value}]}})
    assert str(value) in str(refused.value)


@pytest.mark.parametrize("value", [{1: "x"}, {1, 2}, b"bytes", datetime(2026, 1, 1), "\ud800", {"\ud800": 1}, object()])
def test_what_is_no_json_is_refused(value: Any) -> None:
    with pytest.raises(BadInput, match="canonical form"):
        canonical({"payload": {"deep": [{"x": value}]}})


def test_what_is_nested_too_deeply_is_refused_and_what_is_not_is_written() -> None:
    def nested(depth: int) -> dict[str, Any]:
        value: dict[str, Any] = {"at": datetime(2026, 1, 1, tzinfo=UTC)}
        for _ in range(depth):
            value = {"a": value}
        return value

    assert canonical(nested(260)) == by_library(nested(260))  # more than orjson writes
    with pytest.raises(BadInput, match="canonical form"):
        canonical(nested(100_000))


@settings(deadline=None)
@given(OBJECTS)
def test_storing_as_json_does_not_change_the_canonical_form(value: dict[str, Any]) -> None:
    assert canonical(json.loads(json.dumps(value))) == canonical(value)
    assert canonical(json.loads(canonical(value))) == canonical(value)
    assert canonical(dict(reversed(value.items()))) == canonical(value)
