"""Layouts of binary frames: what is written by a layout is read by it, and a wrong frame is named by its byte."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yiwang.core.kernel.errors import BadInput
from yiwang.core.observations.cayenne import read_cayenne
from yiwang.core.observations.layouts import read_layout

TRACKER = read_layout(
    {
        "end": "little",
        "head": [
            {
                "fields": [
                    {"name": "flags", "type": "u8", "role": "none"},
                    {"fact": "firmware", "type": "dotted", "size": 2},
                ]
            },
            {"when": "flags", "bit": 1, "fields": [{"name": "depth", "type": "s16", "unit": "mm", "end": "big"}]},
        ],
        "item": [
            {"key": "01", "fields": [{"name": "gas", "type": "u16", "missing": {"0xffff": "heating up"}}]},
            {"key": "0102", "fields": [{"name": "ratio", "type": "f32"}]},
            {
                "key": "03",
                "fields": [
                    {"name": "time", "type": "u32", "role": "time"},
                    {
                        "type": "u8",
                        "parts": [
                            {"name": "open", "bit": 7, "values": {"0": False, "1": True}},
                            {"name": "level", "bit": 0, "bits": 3, "scale": 2, "offset": -1},
                        ],
                    },
                ],
            },
            {"key": "04", "fields": [{"name": "mark", "type": "ascii", "size": 4}, {"type": "skip", "size": 2}]},
            {"key": "05", "fields": [{"name": "left", "type": "u8", "role": "rest"}]},
        ],
    }
)


def values(text: str) -> dict[str, Any]:
    found = TRACKER.read(bytes.fromhex(text))
    assert found.faults == ()
    return {one.name: one.value for one in found.readings}


def test_a_group_of_the_head_is_there_when_its_bit_is_set() -> None:
    assert values("02 0107 ffd8") == {"depth": -40}
    assert values("00 0107") == {}
    assert TRACKER.read(bytes.fromhex("000107")).device.firmware == "1.7"


def test_the_longest_key_is_taken() -> None:
    assert values("00 0000 01 2a00") == {"gas": 42}
    assert values("00 0000 0102 0000c03f") == {"ratio": 1.5}


def test_bits_and_times() -> None:
    found = TRACKER.read(bytes.fromhex("000000 03 9e744663 85"))
    assert [(one.name, one.value) for one in found.readings] == [("open", True), ("level", 9)]
    assert {one.at for one in found.readings} == {datetime(2022, 10, 12, 8, 2, 38, tzinfo=UTC)}


def test_text_bytes_that_are_skipped_and_bytes_that_follow() -> None:
    assert values("000000 04 4d310000 ffff 05 00") == {"mark": "M1"}


@pytest.mark.parametrize(
    ("frame", "read", "byte", "told"),
    [
        ("000000 01 2a00 99", ["gas"], "@6", "99"),
        ("000000 01 2a00 01 2b", ["gas"], "@7", "2 bytes"),
        ("000000 01 ffff", [], "@4", "heating up"),
        ("000000 0102 0000807f", [], "@5", "finite"),
        ("000000 05 07 01 2a00", ["gas"], "@4", "7 bytes"),
        ("0000", [], "@1", "2 bytes"),
        ("", [], "@0", "1 bytes"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_byte_and_what_stands_before_is_given(
    frame: str, read: list[str], byte: str, told: str
) -> None:
    found = TRACKER.read(bytes.fromhex(frame))
    assert [one.name for one in found.readings] == read
    assert found.faults[0].column == byte
    assert told in str(found.faults[0])


def test_a_state_that_is_not_listed_is_a_fault() -> None:
    layout = read_layout({"head": [{"fields": [{"name": "door", "type": "u8", "values": {"0": "shut"}}]}]})
    found = layout.read(b"\x07")
    assert found.readings == ()
    assert "7" in str(found.faults[0])
    assert layout.read(b"\0\0").faults[0].column == "@1"


def test_frames_of_cayenne() -> None:
    found = read_cayenne(bytes.fromhex("03670110 0688 0765fe fe3ee3 00084b"))
    assert [(one.name, one.value, one.unit) for one in found.readings] == [
        ("temperature_3", 27.2, "Cel"),
        ("gps_6.latitude", 48.4862, "deg"),
        ("gps_6.longitude", -11.4973, "deg"),
        ("gps_6.altitude", 21.23, "m"),
    ]
    assert {one.more["channel"] for one in found.readings} == {3, 6}
    late = read_cayenne(bytes.fromhex("016700ff 02ff00 036700ff"))
    assert [one.name for one in late.readings] == ["temperature_1"]
    assert late.faults[0].column == "@4"


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ({}, "layout: item"),
        ({"item": [{"key": "xy", "fields": []}]}, "layout: item 1: key"),
        ({"item": [{"key": "01"}, {"key": "01"}]}, "layout: item 2: key"),
        ({"head": [{"fields": [{"name": "a", "type": "u7"}]}]}, "layout: head 1: fields 1: type"),
        ({"head": [{"fields": [{"type": "u8"}]}]}, "layout: head 1: fields 1: name"),
        ({"head": [{"fields": [{"name": "a", "type": "u8", "bit": 8}]}]}, "layout: head 1: fields 1: bit"),
        ({"head": [{"fields": [{"name": "a", "type": "u8", "fact": "colour"}]}]}, "layout: head 1: fields 1: fact"),
        ({"head": [{"fields": [{"name": "a", "type": "f32", "bit": 1}]}]}, "layout: head 1: fields 1: bit"),
        ({"head": [{"when": "flags", "fields": []}]}, "layout: head 1: when"),
        ({"head": [{"fields": [{"name": "a", "type": "u8", "values": {"x": 1}}]}]}, "layout: head 1: fields 1: values"),
        ({"ends": "big", "item": [{"key": "01"}]}, "layout: ends"),
    ],
)
def test_a_wrong_layout_says_where(table: dict[str, Any], column: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_layout(table)
    assert column in {one.column for one in caught.value.problems}
    assert all(one.text.zh and one.text.en for one in caught.value.problems)


NUMBERS = {
    "u8": "B",
    "s8": "b",
    "u16": "H",
    "s16": "h",
    "u32": "I",
    "s32": "i",
    "u64": "Q",
    "s64": "q",
    "f32": "f",
    "f64": "d",
}


@st.composite
def written_frames(draw: st.DrawFn) -> tuple[dict[str, Any], bytes, list[tuple[str, Any]]]:
    """A layout, a frame that `struct` writes by it, and what stands in it."""
    end = draw(st.sampled_from(["big", "little"]))
    sign = {"big": ">", "little": "<"}[end]
    items, kinds = [], []
    for key in draw(st.lists(st.binary(min_size=2, max_size=2), min_size=1, max_size=4, unique=True)):
        types = draw(st.lists(st.sampled_from(sorted(NUMBERS)), min_size=1, max_size=3))
        kinds.append((key, types))
        fields = [{"name": f"{key.hex()}.{index}", "type": kind} for index, kind in enumerate(types)]
        items.append({"key": key.hex(), "fields": fields})
    frame, expected = b"", []
    for key, types in draw(st.lists(st.sampled_from(kinds), max_size=6)):
        frame += key
        for index, kind in enumerate(types):
            if kind[0] == "f":
                value: Any = draw(st.floats(allow_nan=False, allow_infinity=False, width=32))
            else:
                bits = int(kind[1:])
                least, most = (0, (1 << bits) - 1) if kind[0] == "u" else (-(1 << bits - 1), (1 << bits - 1) - 1)
                value = draw(st.integers(least, most))
            frame += struct.pack(sign + NUMBERS[kind], value)
            expected.append((f"{key.hex()}.{index}", value))
    return {"end": end, "item": items}, frame, expected


@settings(deadline=None)
@given(written_frames())
def test_what_struct_writes_is_read_again(written: tuple[dict[str, Any], bytes, list[tuple[str, Any]]]) -> None:
    table, frame, expected = written
    found = read_layout(table).read(frame)
    assert found.faults == ()
    assert [(one.name, one.value) for one in found.readings] == expected


@settings(deadline=None)
@given(written_frames(), st.data())
def test_a_frame_that_is_cut_keeps_what_stood_before(
    written: tuple[dict[str, Any], bytes, list[tuple[str, Any]]], data: st.DataObject
) -> None:
    table, frame, expected = written
    cut = data.draw(st.integers(0, len(frame)))
    found = read_layout(table).read(frame[:cut])
    assert [(one.name, one.value) for one in found.readings] == expected[: len(found.readings)]
    assert found.faults or len(found.readings) <= len(expected)
    assert len(found.faults) <= 1


@settings(deadline=None)
@given(st.integers(-(1 << 15), (1 << 15) - 1), st.sampled_from([0.1, 0.01, 0.5, 0.001, 2.5]))
def test_a_scaled_number_is_written_as_a_person_would(raw: int, scale: float) -> None:
    layout = read_layout({"head": [{"fields": [{"name": "t", "type": "s16", "scale": scale}]}]})
    found = layout.read(raw.to_bytes(2, "big", signed=True)).readings[0].value
    assert found == pytest.approx(raw * scale)
    assert len(repr(found)) <= 9


@settings(deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_can_be_read(frame: bytes) -> None:
    for layout in (TRACKER,):
        found = layout.read(frame)
        assert all(one.column.startswith("@") for one in found.faults)
    assert all(abs(float(one.value)) < 1e10 for one in read_cayenne(frame).readings)
