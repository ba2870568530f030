"""Cayenne Low Power Payload (LPP): channel, type, value, as a layout of frames.

Types 0–136 as Cayenne published them (object 3200 + type of the IPSO registry) with the further ones of the Arduino library
that most devices use. Names follow The Things Stack, which writes ``temperature_3`` for channel 3.
"""

from __future__ import annotations

from typing import Any

from yiwang.core.observations.layouts import FrameLayout, read_layout
from yiwang.core.observations.messages import Received

# By type: name, kind of the number, scale, unit.
_SINGLE: dict[int, tuple[str, str, float, str]] = {
    0: ("digital_in", "u8", 1, ""),
    1: ("digital_out", "u8", 1, ""),
    2: ("analog_in", "s16", 0.01, ""),
    3: ("analog_out", "s16", 0.01, ""),
    100: ("generic", "u32", 1, ""),
    101: ("luminosity", "u16", 1, "lx"),
    102: ("presence", "u8", 1, ""),
    103: ("temperature", "s16", 0.1, "Cel"),
    104: ("relative_humidity", "u8", 0.5, "%"),
    115: ("barometric_pressure", "u16", 0.1, "hPa"),
    116: ("voltage", "u16", 0.01, "V"),
    117: ("current", "u16", 0.001, "A"),
    118: ("frequency", "u32", 1, "Hz"),
    120: ("percentage", "u8", 1, "%"),
    121: ("altitude", "s16", 1, "m"),
    125: ("concentration", "u16", 1, "[ppm]"),
    128: ("power", "u16", 1, "W"),
    130: ("distance", "u32", 0.001, "m"),
    131: ("energy", "u32", 0.001, "kW.h"),
    132: ("direction", "u16", 1, "deg"),
    133: ("unix_time", "u32", 1, "s"),
    142: ("switch", "u8", 1, ""),
}
# By type: name, and of each part its name, kind of the number, scale and unit.
_COMPOUND: dict[int, tuple[str, list[tuple[str, str, float, str]]]] = {
    113: ("accelerometer", [(axis, "s16", 0.001, "[g]") for axis in "xyz"]),
    134: ("gyrometer", [(axis, "s16", 0.01, "deg/s") for axis in "xyz"]),
    135: ("colour", [(colour, "u8", 1, "") for colour in ("red", "green", "blue")]),
    136: (
        "gps",
        [("latitude", "s24", 0.0001, "deg"), ("longitude", "s24", 0.0001, "deg"), ("altitude", "s24", 0.01, "m")],
    ),
}


def _item(type_: int, name: str, parts: list[tuple[str, str, float, str]]) -> dict[str, Any]:
    return {
        "key": f"{type_:02x}",
        "fields": [
            {"name": f"{name}_{{channel}}{part and f'.{part}'}", "type": kind, "scale": scale, "unit": unit}
            for part, kind, scale, unit in parts
        ],
    }


CAYENNE: FrameLayout = read_layout(
    {
        "end": "big",
        "channel_bytes": 1,
        "item": [_item(type_, name, [("", *rest)]) for type_, (name, *rest) in _SINGLE.items()]  # type: ignore[list-item]
        + [_item(type_, name, parts) for type_, (name, parts) in _COMPOUND.items()],
    },
    "cayenne",
)


def read_cayenne(frame: bytes) -> Received:
    """The readings of a frame; behind an unknown type or an early end nothing is given, and the fault names the byte."""
    return CAYENNE.read(frame)
