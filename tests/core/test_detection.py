"""From readings to alarms: what each rule does, and that judging in bulk, in passing and after a restart agree."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from math import inf, nan
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.alarm_readings import (
    DEPTH,
    FLAT_WEEK,
    LEVELS,
    MINOR,
    MODERATE,
    NAME,
    ODD,
    QUIET,
    READINGS,
    SEVERE,
    series_of,
    told,
    turns,
)

from yiwang.core.kernel.errors import BadInput
from yiwang.core.observations.alarms import Alarm
from yiwang.core.observations.baseline import Baseline, hours_of_week, learn
from yiwang.core.observations.conditions import (
    Condition,
    Direction,
    Level,
    Pattern,
    Rate,
    Silence,
    Threshold,
)
from yiwang.core.observations.detecting import detector
from yiwang.core.observations.series import alarms_of_series

# --- thresholds ---------------------------------------------------------------------------------------------------------


def test_the_worst_level_wins_and_it_rises_and_falls_between_them() -> None:
    alarms = told(DEPTH, [(0, 3), (60, 12), (120, 41), (180, 39), (240, 16), (300, 15), (360, 6), (420, 5)])
    assert turns(alarms) == [
        ("raised", 60, 1),
        ("worsened", 120, 3),
        ("eased", 180, 2),
        ("eased", 300, 1),
        ("cleared", 420, 0),
    ]
    assert [alarm.severity for alarm in alarms] == [MINOR, SEVERE, MODERATE, MINOR, MINOR]
    assert [alarm.peak for alarm in alarms] == [12, 41, 41, 41, 41]
    assert {alarm.since for alarm in alarms} == {60}


def test_a_value_at_the_limit_reaches_it_and_one_at_the_clear_level_leaves_it() -> None:
    assert turns(told(DEPTH, [(0, 10), (60, 5.001), (120, 5)])) == [("raised", 0, 1), ("cleared", 120, 0)]


def test_without_a_clear_level_the_alarm_ends_where_the_limit_is_no_longer_reached() -> None:
    plain = replace(DEPTH, levels=(Level(MINOR, 10),))
    assert turns(told(plain, [(0, 10), (60, 10), (120, 9.999)])) == [("raised", 0, 1), ("cleared", 120, 0)]


def test_debounce_by_time_needs_every_reading_to_reach_the_limit() -> None:
    slow = replace(DEPTH, hold=120)
    assert turns(told(slow, [(0, 11), (60, 11), (119, 11), (120, 11)])) == [("raised", 120, 1)]
    assert told(slow, [(0, 11), (60, 9), (90, 11), (180, 11)]) == []


def test_debounce_by_count() -> None:
    assert turns(told(replace(DEPTH, count=3), [(0, 11), (1, 11), (2, 9), (3, 11), (4, 11), (5, 11)])) == [
        ("raised", 5, 1)
    ]


def test_a_spike_and_then_silence_raises_nothing_that_needs_time() -> None:
    assert told(replace(DEPTH, hold=60), [(0, 50)], now=100_000) == []


def test_zeros_within_an_event_do_not_end_it_when_clearing_takes_time() -> None:
    patient = replace(DEPTH, clear_for=1800)
    readings = [(0.0, 12.0), (60.0, 0.0), (1200.0, 0.0), (1300.0, 12.0), (1400.0, 0.0), (3100.0, 0.0), (3200.0, 0.0)]
    assert turns(told(patient, readings)) == [("raised", 0, 1), ("cleared", 3200, 0)]


def test_a_silence_ends_an_alarm_when_it_was_long_enough_not_when_it_is_noticed() -> None:
    late, later = told(DEPTH, [(0, 12)], now=3601), told(DEPTH, [(0, 12), (90_000, 1)])
    assert turns(late) == turns(later) == [("raised", 0, 1), ("cleared", 3600, 0)]
    assert late[1].silent
    assert told(DEPTH, [(0, 12)], now=3600)[1:] == []


def test_an_alarm_that_goes_on_after_a_silence_is_another_one() -> None:
    assert turns(told(DEPTH, [(0, 12), (3601, 12)])) == [("raised", 0, 1), ("cleared", 3600, 0), ("raised", 3601, 1)]


def test_below_is_the_mirror_image() -> None:
    level = Threshold(id="o2", name=NAME, direction=Direction.BELOW, levels=(Level(MINOR, 5, 6), Level(SEVERE, 2, 3)))
    alarms = told(level, [(0, 7), (1, 5), (2, 1.5), (3, 3), (4, 6)])
    assert turns(alarms) == [("raised", 1, 1), ("worsened", 2, 2), ("eased", 3, 1), ("cleared", 4, 0)]
    assert alarms[-1].peak == 1.5


def test_ordered_levels_are_values_too() -> None:
    bins = Threshold(id="bin", name=NAME, levels=(Level(MINOR, 1, 0), Level(MODERATE, 2, 1)))
    assert turns(told(bins, [(0, 0), (1, 1), (2, 2), (3, 1), (4, 0)])) == [
        ("raised", 1, 1),
        ("worsened", 2, 2),
        ("eased", 3, 1),
        ("cleared", 4, 0),
    ]


def test_what_is_no_number_or_goes_back_in_time_is_passed_over() -> None:
    readings = [(0, 12), (1, nan), (2, inf), (2, 3), (1, 0), (nan, 0), (inf, 0), (3, 12)]
    alarms = told(DEPTH, readings)
    assert turns(alarms) == [("raised", 0, 1), ("cleared", 2, 0), ("raised", 3, 1)]


# --- change, silence, pattern -------------------------------------------------------------------------------------------


def test_a_rate_is_of_neighbouring_readings_and_not_across_a_silence() -> None:
    rate = Rate(id="rise", name=NAME, levels=(Level(MINOR, 30),), per=3600, ends_after=3600)
    alarms = told(rate, [(0, 0), (1800, 15), (3600, 20), (10_000, 500), (10_060, 500)])
    assert turns(alarms) == [("raised", 1800, 1), ("cleared", 3600, 0)]
    assert alarms[0].peak == 30


def test_a_change_in_either_direction() -> None:
    jump = Rate(id="jump", name=NAME, levels=(Level(MINOR, 1),), per=1, direction=Direction.EITHER)
    assert turns(told(jump, [(0, 0), (1, -2), (2, -2)])) == [("raised", 1, 1), ("cleared", 2, 0)]


def test_silence_is_noticed_by_the_clock_and_ended_by_a_reading() -> None:
    judge = detector(QUIET)
    assert judge.advance(1_000_000) == ()  # nothing is known of the stream yet
    assert judge.feed(0, 1) == ()
    assert judge.advance(600) == ()
    assert turns(judge.advance(700)) == [("raised", 600, 1)]
    assert judge.advance(800) == ()
    ended = judge.feed(4000, 1)
    assert turns(ended) == [("worsened", 3600, 2), ("cleared", 4000, 0)]
    assert ended[-1].peak == 4000


def test_a_stream_that_was_never_heard_of_is_missed_from_its_beginning() -> None:
    assert turns(told(QUIET, [], now=5000, since=1000)) == [("raised", 1600, 1), ("worsened", 4600, 2)]


def test_a_value_that_is_no_number_does_not_end_a_silence() -> None:
    assert turns(told(QUIET, [(0, 1), (500, nan)], now=601)) == [("raised", 600, 1)]


def test_the_usual_is_the_median_of_that_hour_of_the_week_on_the_citys_clock() -> None:
    zone = ZoneInfo("Australia/Melbourne")
    monday_nine = 1451858400.0  # 2016-01-04 09:00 +11:00
    assert hours_of_week(np.array([monday_nine, monday_nine + 3599]), zone, {}).tolist() == [9, 9]
    times = monday_nine + np.arange(16, dtype=np.float64) * 7 * 86400.0
    after_change = times[times > 1459612800][0]  # clocks went back on 3 April: the same instant is now 08:00
    assert hours_of_week(np.array([after_change]), zone, {}).tolist() == [8]
    values = np.array([1, 2, 3, 100, 5, 6, 7, 8.0])
    usual = learn(ODD, times[:8], values, zone, now=times[8])
    assert usual.medians[9] == 5.5
    assert usual.spreads[9] == pytest.approx(1.4826 * 2.5)
    assert usual.departure(times[8], 5.5 + 1.4826 * 2.5) == pytest.approx(1)
    assert np.isnan(usual.departure(monday_nine + 3600, 5))


def test_too_little_history_is_not_judged_and_a_stream_that_never_changes_has_the_least_spread() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    times = np.arange(8, dtype=np.float64) * 7 * 86400.0
    short = learn(ODD, times[:3], np.ones(3), zone, now=times[3])
    assert np.isnan(short.departure(times[4], 99))
    still = learn(ODD, times, np.ones(8), zone, now=times[7] + 1)
    assert still.departure(times[7], 7) == 6
    old = learn(ODD, times, np.ones(8), zone, now=times[7] + 20 * 7 * 86400)
    assert np.isnan(old.medians).all()


def test_a_day_off_counts_as_a_sunday_in_the_past_and_in_the_present() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    sunday_noon = 1_700_971_200.0  # 2023-11-26 12:00 +08:00
    times = sunday_noon + np.arange(-8, 0, dtype=np.float64) * 7 * 86400
    monday = sunday_noon + 86400
    days = {date(2023, 11, 27): 6, date(2023, 11, 26): 0}
    usual = learn(ODD, times, np.full(8, 5.0), zone, now=sunday_noon, days=days)
    again = Baseline.restored(json.loads(json.dumps(usual.state(), allow_nan=False)))
    for one in (usual, again):
        assert one.departure(monday, 9) == 4
        assert np.isnan(one.departure(sunday_noon, 9))
        assert np.array_equal(one.departures(np.array([monday, sunday_noon]), np.array([9.0, 9])), [4, nan], True)


def test_a_pattern_needs_its_baseline_and_keeps_it_as_json() -> None:
    with pytest.raises(BadInput, match="baseline"):
        detector(ODD)
    with pytest.raises(BadInput, match="baseline"):
        alarms_of_series(ODD, np.zeros(1), np.zeros(1))
    patchy = replace(FLAT_WEEK, medians=(nan, *FLAT_WEEK.medians[1:]))
    again = Baseline.restored(json.loads(json.dumps(patchy.state(), allow_nan=False)))
    assert repr(again) == repr(patchy)


def test_a_departure_is_raised_and_cleared() -> None:
    alarms = told(ODD, [(0, 10), (3600, 23), (7200, 17), (10_800, 16)], baseline=FLAT_WEEK)
    assert turns(alarms) == [("raised", 3600, 1), ("cleared", 10_800, 0)]
    assert alarms[0].peak == 6.5


# --- bulk, in passing, restarted ----------------------------------------------------------------------------------------

DEBOUNCE = {
    "hold": st.sampled_from([0.0, 60.0, 90.0]),
    "count": st.integers(1, 3),
    "clear_for": st.sampled_from([0.0, 60.0, 700.0]),
    "ends_after": st.sampled_from([inf, 3600.0, 600.0, 60.0]),
}


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    kind = draw(st.sampled_from([Threshold, Rate, Pattern, Silence]))
    if kind is Silence:
        return QUIET
    levels = draw(LEVELS)
    direction = draw(st.sampled_from(Direction))
    if direction is Direction.BELOW:
        levels = tuple(
            Level(one.severity, 40 - one.at, None if one.clear is None else 40 - one.clear) for one in levels
        )
    common: dict[str, Any] = {"id": "x", "name": NAME, "levels": levels, "direction": direction}
    common |= {key: draw(values) for key, values in DEBOUNCE.items()}
    if kind is Rate:
        return Rate(**common, per=60.0)
    return Pattern(**common, min_spread=1.0) if kind is Pattern else Threshold(**common)


@settings(max_examples=600, deadline=None)
@given(
    condition=conditions(),
    readings=READINGS,
    wait=st.sampled_from([-inf, 0.0, 61.0, 601.0, 3601.0, 9999.0]),
    since=st.sampled_from([None, -5000.0, 100.0]),
    ticks=st.lists(st.integers(0, 60), max_size=4),
    stop=st.integers(0, 60),
)
def test_bulk_in_passing_with_ticks_and_restarted_all_give_the_same_alarms(
    condition: Condition,
    readings: list[tuple[float, float]],
    wait: float,
    since: float | None,
    ticks: list[int],
    stop: int,
) -> None:
    # at hours 0 to 9 of the epoch's week nothing is usual, so some readings of the pattern are not judged
    patchy = replace(
        FLAT_WEEK, spreads=tuple(nan if hour in {80, 82} else spread for hour, spread in enumerate(FLAT_WEEK.spreads))
    )
    more: dict[str, Any] = {"baseline": patchy if isinstance(condition, Pattern) else None, "stream": "s"}
    if isinstance(condition, Silence):
        more["since"] = since
    times, values = series_of(readings)
    newest = max((time for time, value in zip(times, values, strict=True) if np.isfinite(value)), default=0.0)
    now = newest + wait
    bulk = alarms_of_series(condition, np.array(times), np.array(values), now=now, **more)
    assert told(condition, list(zip(times, values, strict=True)), now=now, **more) == bulk

    judge = detector(condition, **more)
    alarms: list[Alarm] = []
    clock = -inf
    for place, (time, value) in enumerate(zip(times, values, strict=True)):
        clock = max(clock, time) if np.isfinite(value) else clock
        alarms += judge.feed(time, value)
        if place in ticks and place + 1 < len(times) and clock > -inf:
            upcoming = times[place + 1] if times[place + 1] > clock else clock
            if np.isfinite(values[place + 1]):
                alarms += judge.advance(upcoming - 0.5 * (upcoming - clock))
        if place == stop:
            judge = detector(condition, **more, state=json.loads(json.dumps(judge.state(), allow_nan=False)))
    alarms += judge.advance(now)
    assert alarms == bulk


@settings(max_examples=200, deadline=None)
@given(
    readings=READINGS, levels=LEVELS, hold=DEBOUNCE["hold"], count=DEBOUNCE["count"], clear_for=DEBOUNCE["clear_for"]
)
def test_a_latch_is_what_its_definition_says(
    readings: list[tuple[float, float]], levels: tuple[Level, ...], hold: float, count: int, clear_for: float
) -> None:
    """Against the definition, said slowly: all readings of the last so many seconds reach the level, or are clear of it."""
    rule = Threshold(id="x", name=NAME, levels=levels, hold=hold, count=count, clear_for=clear_for)
    past: list[tuple[float, float]] = []
    closed = [False] * len(levels)
    level_then = 0
    expected = []
    for time, value in zip(*series_of(readings), strict=True):
        if not np.isfinite(value) or (past and time <= past[-1][0]):
            continue
        past.append((time, value))
        for number, level in enumerate(levels):
            clear = level.clear

            def trailing(holds: list[bool]) -> list[float]:
                run = []
                for (moment, _), one in zip(past[::-1], holds[::-1], strict=True):
                    if not one:
                        break
                    run.append(moment)
                return run

            up = trailing([one >= level.at for _, one in past])
            down = trailing([one < level.at if clear is None else one <= clear for _, one in past])
            if up and up[0] - up[-1] >= hold and len(up) >= count:
                closed[number] = True
            elif down and down[0] - down[-1] >= clear_for:
                closed[number] = False
        now = max((number for number, one in enumerate(closed, start=1) if one), default=0)
        if now != level_then:
            expected.append((time, now))
        level_then = now
    assert [(alarm.time, alarm.level) for alarm in told(rule, list(zip(*series_of(readings), strict=True)))] == expected


def test_a_state_of_a_rule_that_has_changed_is_refused() -> None:
    saved = detector(DEPTH).state()
    with pytest.raises(BadInput, match="The saved state has 3 levels and rule depth has 1"):
        detector(replace(DEPTH, levels=DEPTH.levels[:1]), state=saved)
