"""Units: the spellings of devices, UCUM codes, conversion, and what an unknown unit says."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yiwang.core.kernel.errors import BadInput
from yiwang.core.observations import units
from yiwang.core.observations.cayenne import CAYENNE
from yiwang.core.observations.units import convert, same_dimension, ucum


@pytest.mark.parametrize(
    ("spelling", "code"),
    [
        ("℃", "Cel"),
        ("°C", "Cel"),
        ("Cel", "Cel"),
        (" degC ", "Cel"),
        ("摄氏度", "Cel"),
        ("mg/m3", "mg/m3"),
        ("mg/m³", "mg/m3"),
        ("μg/m³", "ug/m3"),  # Greek letter
        ("µg/m³", "ug/m3"),  # sign
        ("㎍/m³", "ug/m3"),  # one character
        ("UG/M3", "ug/m3"),
        ("％", "%"),
        ("%RH", "%"),
        ("inch", "[in_i]"),
        ("[in_i]", "[in_i]"),
        ("dBm", "dB[mW]"),
        ("lux", "lx"),
        ("m³/h", "m3/h"),
        ("NTU", "[NTU]"),
        ("L/min", "L/min"),
        ("l/min", "L/min"),
        ("kPa", "kPa"),
        ("kpa", "kPa"),
        ("dB(A)", "dB[SPL]"),
        ("/", "1"),
        ("", "1"),
        ("mm", "mm"),
        ("Mm", "Mm"),
        ("m/s2", "m/s2"),
        ("m/s²", "m/s2"),
        ("pH", "[pH]"),
    ],
)
def test_spellings(spelling: str, code: str) -> None:
    assert ucum(spelling) == code


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (20, "℃", "°F", 68),
        (-40, "Cel", "[degF]", -40),
        (0, "Cel", "K", 273.15),
        (0, "dBm", "mW", 1),
        (30, "dBm", "W", 1),
        (-90, "dBm", "dBW", -120),
        (94, "dB(A)", "Pa", 1.0023744672545445),  # 20 µPa · 10^(94/20)
        (0.035, "mg/m³", "µg/m³", 35),
        (6, "m³/h", "L/min", 100),
        (1, "inch", "mm", 25.4),
        (101.325, "kPa", "mmHg", 760.0),
        (1, "kWh", "J", 3_600_000),
        (90, "deg", "rad", math.pi / 2),
        (36, "km/h", "m/s", 10),
        (1, "mS/cm", "uS/cm", 1000),
        (1, "[ppm]", "%", 0.0001),
        (5, "100.m", "km", 0.5),
        (3, "{vehicles}/min", "/h", 180),
        (7.2, "pH", "[pH]", 7.2),
    ],
)
def test_conversions(value: float, source: str, target: str, expected: float) -> None:
    assert convert(value, source, target) == pytest.approx(expected, rel=1e-5)


def test_arrays_are_converted_whole_and_stay_as_they_were() -> None:
    given_ = np.array([0.0, 100.0, np.nan])
    found = convert(given_, "Cel", "[degF]")
    np.testing.assert_allclose(found, [32, 212, np.nan])
    np.testing.assert_array_equal(given_, [0.0, 100.0, np.nan])
    same = convert(given_, "℃", "Cel")
    same[0] = 9
    assert given_[0] == 0
    np.testing.assert_allclose(convert(np.array([0.0, 30.0]), "dBm", "W"), [0.001, 1])
    np.testing.assert_allclose(convert(np.array([1, 2]), "m", "cm"), [100, 200])


def test_no_power_at_all_is_minus_infinity_in_decibels() -> None:
    assert convert(0, "W", "dBm") == -math.inf


def test_dimensions() -> None:
    assert same_dimension("℃", "°F")
    assert same_dimension("dBm", "W")
    assert same_dimension("%", "ppm")
    assert not same_dimension("mg/m3", "ppm")  # needs the substance and its temperature
    assert not same_dimension("NTU", "1")
    assert not same_dimension("dBm", "dB(A)")
    for pair in (("Cel", "m"), ("NTU", "%"), ("pH", "1")):
        with pytest.raises(BadInput) as caught:
            convert(1.0, *pair)
        assert pair[0] in caught.value.text.into("en")
        assert pair[1] in caught.value.text.into("zh")


@pytest.mark.parametrize(
    ("unit", "offered"),
    [
        ("Celsuis", "Cel"),
        ("mgm3", "mg/m3"),
        ("luxx", "lx"),
        ("qqqqqq", "mg/m3"),
        ("mV/\x00", "V"),
        ("mpa", "Pa"),
        ("x" * 999, ""),
    ],
)
def test_an_unknown_unit_offers_the_nearest(unit: str, offered: str) -> None:
    with pytest.raises(BadInput) as caught:
        ucum(unit)
    assert offered in str(caught.value)
    assert len(str(caught.value)) < 200
    assert caught.value.text.zh


def test_every_spelling_of_the_table_has_a_unit() -> None:
    for code, spellings in units._SPELLINGS.items():
        for word in (code, *spellings):
            assert ucum(word) == code
            assert convert(1.0, word, code) == 1.0
        assert units._known(code).factor == 1


def test_units_of_cayenne_are_known() -> None:
    for fields in CAYENNE.items.values():
        for field in fields:
            assert ucum(field.unit)


@settings(deadline=None)
@given(st.text(max_size=12) | st.text(alphabet="mkg/.*3[](){}0129 -'\"dBCel", max_size=12))
def test_any_text_is_a_unit_or_refused(text: str) -> None:
    try:
        code = ucum(text)
    except BadInput as error:
        problem = error
    else:
        assert ucum(code) == code
        return
    assert problem.text.zh


def test_units_beyond_the_range_of_numbers_are_refused() -> None:
    with pytest.raises(BadInput):
        convert(1.0, "10*400", "1")
    with pytest.raises(BadInput):
        ucum("10*99999999")  # it would be reckoned out


PAIRS = [("Cel", "[degF]"), ("kPa", "mbar"), ("dBm", "mW"), ("m3/h", "L/min"), ("mg/L", "ug/m3"), ("dB(A)", "Pa")]


@settings(deadline=None)
@given(st.floats(-150, 150), st.sampled_from(PAIRS))
def test_there_and_back_again(value: float, pair: tuple[str, str]) -> None:
    assert convert(convert(value, *pair), *reversed(pair)) == pytest.approx(value, abs=1e-9)
    assert convert(np.array([value]), *pair)[0] == pytest.approx(convert(value, *pair), nan_ok=True)


def test_neither_an_import_nor_a_known_spelling_loads_the_libraries() -> None:
    code = (
        "import sys; from yiwang.core.observations import payloads, units; units.ucum('℃'); units.convert(1.0, 'm³', 'm3')"
        "; print(sorted({'pint', 'ucumvert', 'cbor2', 'django'} & sys.modules.keys()))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
