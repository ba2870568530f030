"""The quality of readings: each flag, what is kept and judged, and that the state survives a restart."""

from __future__ import annotations

import json
from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yiwang.core.observations.quality import GOOD, REMEMBERED, Instrument, Quality, QualityCheck, quality_of_series

GAUGE = Instrument(low=0, high=100, late_after=600, ahead=60, flat_for=300, flat_count=4, rest_low=0, rest_high=0)


def flags(readings: list[tuple[float, float, float]], instrument: Instrument = GAUGE) -> list[Quality]:
    check = QualityCheck(instrument)
    return [check.check(*reading) for reading in readings]


@pytest.mark.parametrize(
    ("reading", "expected", "kept", "judged"),
    [
        ((2000, 5, 2000), GOOD, True, True),
        ((2000, 5, 2601), Quality.LATE, True, True),
        ((2000, 5, 2600), GOOD, True, True),
        ((900, 5, 1000), Quality.OUT_OF_ORDER, True, False),
        ((1000, 3, 1000), Quality.DUPLICATE, False, False),
        ((1000, 4, 1000), Quality.CORRECTED, True, False),
        ((2061, 5, 2000), Quality.FUTURE, True, False),
        ((2060, 5, 2000), GOOD, True, True),
        ((2000, 101, 2000), Quality.OUT_OF_RANGE, True, False),
        ((2000, -0.1, 2000), Quality.OUT_OF_RANGE, True, False),
        ((2000, 100, 2000), GOOD, True, True),
        ((2000, nan, 2000), Quality.NO_VALUE, True, False),
        ((2000, inf, 2000), Quality.NO_VALUE, True, False),
        ((900, 101, 9000), Quality.LATE | Quality.OUT_OF_RANGE | Quality.OUT_OF_ORDER, True, False),
    ],
)
def test_one_reading_after_another(
    reading: tuple[float, float, float], expected: Quality, kept: bool, judged: bool
) -> None:
    found = flags([(1000, 3, 1000), reading])[1]
    assert (found, found.kept, found.judged) == (expected, kept, judged)


def test_a_clock_that_is_ahead_does_not_stop_the_stream() -> None:
    assert flags([(1000, 3, 1000), (9_000_000, 3, 1010), (1060, 4, 1060)]) == [GOOD, Quality.FUTURE, GOOD]


def test_no_value_twice_is_a_duplicate_and_a_value_after_it_a_correction() -> None:
    assert flags([(1000, nan, 1000), (1000, nan, 1000), (1000, 3, 1000), (1000, 3, 1000)]) == [
        Quality.NO_VALUE,
        Quality.NO_VALUE | Quality.DUPLICATE,
        Quality.CORRECTED,
        Quality.DUPLICATE,
    ]


def test_what_was_repeated_long_ago_is_out_of_order() -> None:
    many = [(float(time), 3.0, float(time)) for time in range(REMEMBERED + 2)]
    assert flags([*many, (0.0, 3.0, 40.0), (2.0, 3.0, 40.0)])[-2:] == [Quality.OUT_OF_ORDER, Quality.DUPLICATE]


def test_a_flat_line_is_stuck_after_time_and_count_but_not_at_rest() -> None:
    flat = [(time, 7.0, time) for time in (0.0, 100.0, 299.0, 300.0, 301.0)]
    assert flags(flat) == [GOOD, GOOD, GOOD, Quality.STUCK, Quality.STUCK]
    assert flags([(0, 7, 0), (5000, 7, 5000)]) == [GOOD, GOOD]
    assert flags([(time, 0.0, time) for time, _, _ in flat]) == [GOOD] * 5
    assert flags([*flat, (400, 8, 400)])[-1] == GOOD
    assert Quality.STUCK.judged


VALUES = st.sampled_from([0.0, 5.0, 7.0, 101.0, nan])


@given(
    readings=st.lists(
        st.tuples(st.sampled_from([-50.0, 0.0, 60.0, 200.0]), VALUES, st.integers(-100, 900)), max_size=80
    ),
    stop=st.integers(0, 80),
)
def test_a_check_that_is_restarted_goes_on_with_the_same_answers(
    readings: list[tuple[float, float, int]], stop: int
) -> None:
    moments = np.cumsum([step for step, _, _ in readings]).tolist()
    rows = [(time, value, time + delay) for time, (_, value, delay) in zip(moments, readings, strict=True)]
    check = QualityCheck(GAUGE)
    found = []
    for place, row in enumerate(rows):
        if place == stop:
            check = QualityCheck(GAUGE, json.loads(json.dumps(check.state(), allow_nan=False)))
        found.append(check.check(*row))
    assert found == flags(rows)


@given(readings=st.lists(st.tuples(st.sampled_from([1.0, 60.0, 200.0]), VALUES), max_size=80))
def test_a_stored_series_has_the_flags_that_it_had_in_passing(readings: list[tuple[float, float]]) -> None:
    times = np.cumsum([step for step, _ in readings]) if readings else np.zeros(0)
    values = np.array([value for _, value in readings], dtype=np.float64)
    passing = flags([(time, value, time) for time, value in zip(times.tolist(), values.tolist(), strict=True)])
    assert quality_of_series(GAUGE, times, values).tolist() == [int(one) for one in passing]
