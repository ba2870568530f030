"""Units of readings: UCUM codes, the spellings that devices use, and conversion.

Codes are those of the Unified Code for Units of Measure, read by ucumvert; pint converts. Both are loaded with the first unit
that is looked at, since they take longer than anything else at a start.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from threading import Lock
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text

# Longer texts are no units; strangers write them.
_LONGEST = 40
# An exponent of so many digits would be reckoned out.
_ENDLESS = re.compile(r"\d{5}")
# Units outside UCUM, or that ucumvert takes for plain numbers, with pint's definition; empty where pint has the unit. pH is
# here without its logarithm: it is compared and never converted. NTU is a scale of its own, so it converts to itself alone.
_OWN = {
    "dB[mW]": ("dBm", ""),
    "[NTU]": ("ntu_scale", "ntu_scale = [turbidity]"),
    "[pH]": ("ph_scale", "ph_scale = [acidity]"),
}
# UCUM code: how it is written elsewhere. Case, spaces and the width of characters make no difference where that leaves a
# spelling unique; ``mm`` and ``Mm`` are UCUM codes and are never folded.
_SPELLINGS: dict[str, tuple[str, ...]] = {
    "1": ("/", "count", "counts", "pcs", "个", "次", "none"),
    "%": ("percent", "pct", "％", "%RH", "RH%", "% RH", "%EL", "百分比"),
    "Cel": ("℃", "°C", "degC", "deg C", "celsius", "摄氏度"),
    "[degF]": ("℉", "°F", "degF", "fahrenheit", "华氏度"),
    "K": ("kelvin", "开尔文"),
    "m": ("meter", "metre", "米"),
    "cm": ("厘米",),
    "mm": ("毫米",),
    "km": ("公里", "千米"),
    "[in_i]": ("in", "inch", "inches", "英寸"),
    "[ft_i]": ("ft", "feet", "foot", "英尺"),
    "m2": ("m²", "m^2", "㎡", "平方米"),
    "m3": ("m³", "m^3", "立方米", "㎥"),
    "L": ("l", "liter", "litre", "升"),
    "m3/h": ("m³/h", "m^3/h", "m3/hr", "CMH", "立方米/小时"),
    "m3/s": ("m³/s", "m^3/s", "立方米/秒"),
    "L/min": ("l/min", "LPM", "升/分"),
    "L/s": ("l/s", "升/秒"),
    "m/s": ("米/秒", "mps", "m·s-1"),
    "km/h": ("kph", "kmh", "公里/小时"),
    "mm/h": ("毫米/小时", "mm/hr"),
    "cm/h": ("厘米/小时", "cm/hr"),
    "mg/m3": ("mg/m³", "mg/m^3", "毫克/立方米"),
    "ug/m3": ("µg/m³", "µg/m3", "ug/m³", "ug/m^3", "微克/立方米", "mcg/m3"),
    "g/m2": ("g/m²", "g/m^2", "克/平方米"),
    "mg/L": ("mg/l", "毫克/升"),
    "ug/L": ("µg/L", "ug/l", "微克/升"),
    "[ppm]": ("ppm",),
    "[ppb]": ("ppb",),
    "Pa": ("帕",),
    "hPa": ("百帕", "hpa"),
    "kPa": ("千帕", "kpa"),
    "MPa": ("兆帕",),
    "bar": ("巴",),
    "mbar": ("millibar", "毫巴"),
    "mm[Hg]": ("mmHg", "毫米汞柱"),
    "V": ("volt", "volts", "伏"),
    "mV": ("毫伏",),
    "A": ("amp", "ampere", "安"),
    "mA": ("毫安",),
    "W": ("watt", "瓦"),
    "kW": ("千瓦",),
    "W.h": ("Wh", "瓦时"),
    "kW.h": ("kWh", "KWH", "度电", "千瓦时"),
    "V.A": ("VA",),
    "Hz": ("hertz", "赫兹"),
    "lx": ("lux", "勒克斯"),
    "W/m2": ("W/m²", "W/m^2", "瓦/平方米"),
    "dB": ("分贝",),
    "dB[SPL]": ("dBA", "dB(A)", "dB SPL", "dBSPL"),
    "dB[mW]": ("dBm",),
    "dB[W]": ("dBW",),
    "[NTU]": ("NTU",),
    "[pH]": ("pH", "PH"),
    "uS/cm": ("µS/cm", "微西门子/厘米"),
    "mS/cm": ("毫西门子/厘米",),
    "deg": ("°", "degree", "degrees", "lat", "lon"),
    "deg/s": ("°/s", "dps"),
    "[g]": ("gravity", "g0"),
    "s": ("sec", "second", "seconds", "秒"),
    "min": ("minute", "minutes", "分钟"),
    "h": ("hour", "hours", "hr", "小时"),
    "d": ("day", "days", "天"),
    "kg": ("公斤", "千克"),
    "t": ("ton", "tonne", "吨"),
}
# Here a small letter would be a thousandth and a capital a million.
_NEVER_FOLDED = {"MPa", "mS/cm", "mV", "mA"}
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_BY_SPELLING = {word: code for code, words in _SPELLINGS.items() for word in (code, *words)}


def _folded(spelling: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", spelling).replace("μ", "µ")).casefold()


def _unique_by_folding() -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for word, code in _BY_SPELLING.items():
        if code not in _NEVER_FOLDED:
            found.setdefault(_folded(word), set()).add(code)
    return {word: next(iter(codes)) for word, codes in found.items() if len(codes) == 1}


_BY_FOLDING = _unique_by_folding()


@dataclass(frozen=True, slots=True)
class _Known:
    """A code, and of pint how many of which unit it is: 100 metres for ``100.m``."""

    code: str
    unit: Any
    factor: float = 1


def ucum(unit: str) -> str:
    """The UCUM code of a unit: ``℃`` gives ``Cel``, ``µg/m³`` gives ``ug/m3``; no unit gives ``1``.

    Raises:
        BadInput: The unit is not known; the nearest known spelling is offered.
    """
    text = unit.strip()
    if text in _BY_SPELLING:  # without loading any library
        return _BY_SPELLING[text]
    return _known(unit).code


def same_dimension(one: str, other: str) -> bool:
    """Whether one unit can be converted into another: of one dimension, or the logarithm of it.

    Raises:
        BadInput: A unit is not known.
    """
    return ucum(one) == ucum(other) or bool(_known(one).unit.dimensionality == _known(other).unit.dimensionality)


@overload
def convert(value: float, from_unit: str, to_unit: str) -> float: ...
@overload
def convert(value: NDArray[np.floating[Any]], from_unit: str, to_unit: str) -> NDArray[np.float64]: ...
def convert(value: float | NDArray[np.floating[Any]], from_unit: str, to_unit: str) -> float | NDArray[np.float64]:
    """A value, or an array of them, in another unit; temperatures with their zero, levels with their logarithm.

    Exact to about 1 part in 10¹⁵ of the absolute value: 20 °C is 67.99999999999993 °F, since it goes over kelvin.

    Raises:
        BadInput: A unit is not known, or they are of different dimensions.
    """
    array = isinstance(value, np.ndarray)
    if ucum(from_unit) == ucum(to_unit):
        return np.array(value, dtype=np.float64) if array else float(value)
    source, target = _known(from_unit), _known(to_unit)
    if source.unit.dimensionality != target.unit.dimensionality:
        raise BadInput(
            Problem(
                Text(
                    "「{source}」不能换算为「{target}」：量纲不同。",
                    "{source!r} cannot be converted to {target!r}: they are of different dimensions.",
                    source=from_unit,
                    target=to_unit,
                )
            )
        )
    given = np.asarray(value, dtype=np.float64)
    try:
        with np.errstate(all="ignore"):  # the logarithm of nothing is -inf, as it should be
            found = _registry().convert(given * source.factor, source.unit, target.unit) / target.factor
    except OverflowError:
        message = Text(
            "「{source}」与「{target}」相差太大，无法换算。",
            "{source!r} and {target!r} are too far apart to convert.",
            source=from_unit,
            target=to_unit,
        )
        raise BadInput(Problem(message)) from None
    return np.asarray(found, dtype=np.float64) if array else float(found)


_lock = Lock()


@lru_cache(maxsize=1)
def _built() -> Any:
    from ucumvert import PintUcumRegistry

    registry = PintUcumRegistry(autoconvert_offset_to_baseunit=True)
    for _, definition in _OWN.values():
        if definition:
            registry.define(definition)
    return registry


def _registry() -> Any:
    with _lock:  # threads that ask at once would each build one, and units of two registries do not go together
        return _built()


@lru_cache(maxsize=1024)
def _known(unit: str) -> _Known:
    """The code and the unit, for a spelling.

    Raises:
        BadInput: The unit is not known.
    """
    text = unit.strip()
    candidates = [text, text.translate(_SUPERSCRIPTS).replace("µ", "u").replace("μ", "u"), _folded(text)]
    codes = [_BY_SPELLING.get(candidates[0], ""), candidates[0], candidates[1], _BY_FOLDING.get(candidates[2], "")]
    if not text:
        codes = ["1"]
    for code in codes:
        found = _unit(code) if code and len(code) <= _LONGEST and not _ENDLESS.search(code) else None
        if found is not None:
            return _Known(code, *found)
    near = get_close_matches(_folded(text[:_LONGEST]), _BY_FOLDING, n=1, cutoff=0.5)
    raise BadInput(
        Problem(
            Text("不认识单位「{unit}」。", "The unit {unit!r} is not known.", unit=text[:_LONGEST]),
            Text("是否为「{near}」？", "Did you mean {near!r}?", near=_BY_FOLDING[near[0]])
            if near
            else Text("请用 UCUM 代码，例如 mg/m3。", "Use a UCUM code, for example mg/m3."),
        )
    )


@lru_cache(maxsize=4096)  # strangers may write the same nonsense again and again
def _unit(code: str) -> tuple[Any, float] | None:
    """The unit of a UCUM code and how many of it; None where it is none."""
    registry = _registry()
    if code in _OWN:
        return registry.Unit(_OWN[code][0]), 1
    try:
        made = registry.from_ucum(code)
        if isinstance(made, str):  # a remark alone, e.g. {vehicles}
            return registry.Unit(""), 1
        factor = float(made.magnitude)
        return (made.units, factor) if 0 < factor < float("inf") else None
    except Exception:  # parsers of two libraries say in many ways that a text is no unit
        return None
