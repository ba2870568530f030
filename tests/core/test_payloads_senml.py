"""SenML (RFC 8428) in JSON and CBOR: resolution, what must be refused, what is only left out."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yiwang.core.observations.messages import BadPayload, Measured
from yiwang.core.observations.senml import read_senml

NOW = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)
THEN = 1_764_400_000
LABELS = {"bver": -1, "bn": -2, "bt": -3, "bu": -4, "bv": -5, "bs": -6}
LABELS |= {"n": 0, "u": 1, "v": 2, "vs": 3, "vb": 4, "s": 5, "t": 6, "ut": 7, "vd": 8}


def read(*records: dict[str, Any]) -> list[Measured]:
    found = read_senml(json.dumps(records).encode(), NOW)
    assert found.faults == ()
    return list(found.readings)


def test_base_fields_hold_until_the_next() -> None:
    found = read(
        {"bn": "a:", "bt": THEN, "bu": "Cel", "bv": 20, "n": "x", "v": 1.5},
        {"n": "y", "u": "%RH", "t": 10, "v": 0},
        {"bn": "b:", "n": "x", "v": -1},
    )
    assert [(one.name, one.value, one.unit) for one in found] == [
        ("a:x", 21.5, "Cel"),
        ("a:y", 20, "%RH"),
        ("b:x", 19, "Cel"),
    ]
    assert [one.at for one in found] == [datetime.fromtimestamp(THEN + more, UTC) for more in (0, 10, 0)]


def test_times_near_zero_count_from_the_receipt() -> None:
    found = read({"n": "a", "v": 1}, {"n": "a", "v": 2, "t": -3600}, {"n": "a", "v": 3, "t": (1 << 28) - 1})
    assert [one.at for one in found] == [NOW, NOW - timedelta(hours=1), NOW + timedelta(seconds=(1 << 28) - 1)]


def test_every_kind_of_value_and_a_sum() -> None:
    found = read(
        {"n": "label", "vs": "Machine Room"},
        {"n": "open", "vb": False},
        {"n": "data", "vd": "aGkgCg"},
        {"bs": 100, "n": "power", "u": "W", "v": 5, "s": 20, "ut": 60},
    )
    assert [(one.name, one.value, one.unit) for one in found] == [
        ("label", "Machine Room", ""),
        ("open", False, ""),
        ("data", "aGkgCg", ""),
        ("power", 5, "W"),
        ("power:sum", 120, "W.s"),
    ]
    assert found[2].more == {"encoding": "base64url"}
    assert found[3].more == {"update_s": 60}


@pytest.mark.parametrize(
    ("record", "column"),
    [
        ({"n": "a", "v": "1"}, "[1].v"),
        ({"n": "a", "v": True}, "[1].v"),
        ({"n": "a", "vb": 1}, "[1].vb"),
        ({"n": "-a", "v": 1}, "[1].n"),
        ({"n": "温度", "v": 1}, "[1].n"),
        ({"v": 1}, "[1].n"),
        ({"n": "a", "v": 1, "vs": "x"}, "[1]"),
        ({"n": "a"}, "[1]"),
        ({"n": "a", "v": 1, "t": 1e300}, "[1].t"),
        ({"n": "a", "v": 1, "t": -1e14}, "[1].t"),
        (7, "[1]"),
    ],
)
def test_a_record_with_a_fault_is_left_out_and_named(record: Any, column: str) -> None:
    found = read_senml(json.dumps([{"n": "first", "v": 1}, record, {"n": "last", "v": 2}]).encode(), NOW)
    assert [one.name for one in found.readings] == ["first", "last"]
    assert [one.column for one in found.faults] == [column]


def test_a_record_with_a_fault_is_still_the_base_of_the_next() -> None:
    found = read_senml(json.dumps([{"bn": "a:", "n": "x", "v": "bad"}, {"n": "y", "v": 1}]).encode(), NOW)
    assert [one.name for one in found.readings] == ["a:y"]


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (b"[]", "at least one"),
        (b"{}", "array"),
        (b"\x80", "at least one"),
        (b"\x81", "CBOR"),
        (b'[{"bver": 11, "n": "a", "v": 1}]', "11"),
        (b'[{"n": "a", "v": 1, "scope_": 1}]', "understood"),
    ],
)
def test_what_may_not_be_read_is_refused_whole(message: bytes, told: str) -> None:
    with pytest.raises(BadPayload) as caught:
        read_senml(message, NOW)
    assert told in str(caught.value)


names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9:._/-]{0,6}", fullmatch=True)
numbers = st.integers(-(1 << 40), 1 << 40) | st.floats(-1e12, 1e12)
packs = st.lists(
    st.fixed_dictionaries(
        {"n": names, "v": numbers},
        optional={
            "bn": names,
            "bt": st.integers(1 << 30, 1 << 31),
            "bu": st.just("Cel"),
            "u": st.just("V"),
            "bv": numbers,
        }
        | {"t": st.integers(-1000, 1000), "s": numbers},
    ),
    min_size=1,
    max_size=6,
)


@settings(deadline=None)
@given(packs)
def test_cbor_and_json_say_the_same(pack: list[dict[str, Any]]) -> None:
    labelled = [{LABELS[key]: value for key, value in record.items()} for record in pack]
    assert read_senml(cbor2.dumps(labelled), NOW) == read_senml(json.dumps(pack).encode(), NOW)


@settings(deadline=None)
@given(packs)
def test_a_resolved_pack_resolves_to_itself(pack: list[dict[str, Any]]) -> None:
    """RFC 8428, 4.6: a resolved record has no base fields and an absolute time."""
    first = read_senml(json.dumps(pack).encode(), NOW).readings
    resolved = [
        {"n": one.name, "v": one.value, "t": (one.at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()}
        | ({"u": one.unit} if one.unit else {})
        for one in first
        if one.at is not None
    ]
    assert read_senml(json.dumps(resolved).encode(), NOW).readings == first


def test_decimal_fractions_and_data_of_cbor() -> None:
    found = read_senml(cbor2.dumps([{0: "a", 2: Decimal("27.35")}, {0: "b", 8: b"hi \n"}]), NOW)
    assert [one.value for one in found.readings] == [27.35, "aGkgCg"]


@settings(deadline=None)
@given(st.binary(max_size=60) | st.binary(max_size=60).map(lambda tail: b"\x82\xa2\x00\x61a\x02" + tail))
def test_any_bytes_give_readings_or_bad_payload(message: bytes) -> None:
    try:
        found = read_senml(message, NOW)
    except BadPayload:
        return
    assert all(str(one) for one in found.faults)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.integers(-7, 9) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=15,
)


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(list(LABELS.values())), anything, max_size=5), min_size=1, max_size=4))
def test_any_values_in_cbor_give_readings_or_bad_payload(pack: list[dict[int, Any]]) -> None:
    try:
        found = read_senml(cbor2.dumps(pack), NOW)
    except BadPayload as error:
        assert error.problems  # noqa: PT017
        return
    assert all(str(one) for one in found.faults)
    assert all(isinstance(one.value, bool | str) or abs(one.value) < float("inf") for one in found.readings)
