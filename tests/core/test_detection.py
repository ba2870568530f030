"""From readings to alarms: what each rule does, and that judging in bulk, in passing and after a restart agree."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from math import inf, nan
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.core.observations.alarms import Alarm, Turn, episodes, explain
from yiwang.core.observations.baseline import Baseline, hours_of_week, learn
from yiwang.core.observations.combining import Combiner
from yiwang.core.observations.conditions import (
    Combination,
    Condition,
    Direction,
    Level,
    Member,
    Mode,
    Pattern,
    Rate,
    Severity,
    Silence,
    Threshold,
)
from yiwang.core.observations.detecting import detector
from yiwang.core.observations.dry_run import what_if
from yiwang.core.observations.series import alarms_of_series

MINOR, MODERATE, SEVERE = Severity.MINOR, Severity.MODERATE, Severity.SEVERE
NAME = Text("水深", "water depth")
DEPTH = Threshold(
    id="depth",
    name=NAME,
    unit="cm",
    levels=(Level(MINOR, 10, 5), Level(MODERATE, 20, 15), Level(SEVERE, 40)),
    ends_after=3600,
)
FLAT_WEEK = Baseline(ZoneInfo("Asia/Shanghai"), (10.0,) * 168, (2.0,) * 168)


def told(condition: Condition, readings: list[tuple[float, float]], now: float = -inf, **more: Any) -> list[Alarm]:
    judge = detector(condition, **more)
    alarms = [alarm for time, value in readings for alarm in judge.feed(time, value)]
    return [*alarms, *judge.advance(now)]


def turns(alarms: Iterable[Alarm]) -> list[tuple[str, float, int]]:
    return [(alarm.turn.value, alarm.time, alarm.level) for alarm in alarms]


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


QUIET = Silence(id="quiet", name=NAME, levels=(Level(MINOR, 600), Level(SEVERE, 3600)))


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


ODD = Pattern(
    id="odd", name=NAME, levels=(Level(MINOR, 6, 3),), direction=Direction.EITHER, min_spread=1.0, least=4, weeks=8
)


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

FIGURES = st.sampled_from([0.0, 4.0, 5.0, 9.0, 10.0, 12.0, 15.0, 20.0, 25.0, 39.0, 40.0, 60.0, -3.0, nan, inf])
READINGS = st.lists(st.tuples(st.sampled_from([-5.0, 0.0, 1.0, 30.0, 60.0, 61.5, 600.0, 3700.0]), FIGURES), max_size=60)
LEVELS = st.sampled_from(
    [
        (Level(MINOR, 10, 5), Level(MODERATE, 20, 15), Level(SEVERE, 40)),
        (Level(MINOR, 10),),
        (Level(MINOR, 10, -3), Level(SEVERE, 25, 0)),
    ]
)
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


def series_of(readings: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    times = np.cumsum([step for step, _ in readings]).tolist() if readings else []
    return times, [value for _, value in readings]


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


# --- combinations -------------------------------------------------------------------------------------------------------


def alarm_of(stream: str, turn: Turn, time: float, severity: Severity = MODERATE) -> Alarm:
    level = 0 if turn is Turn.CLEARED else 1
    return Alarm(
        turn=turn, condition="c", stream=stream, time=time, value=1, level=level, severity=severity, peak=1, since=0
    )


def combination(mode: Mode, within: float = 0.0, least: Severity = MINOR) -> Combination:
    return Combination(
        id="both",
        name=Text("同时", "both"),
        of=(Member("a", "c", least), Member("b", "c", least)),
        mode=mode,
        within=within,
    )


def test_all_members_at_once_within_a_time() -> None:
    judge = Combiner(combination(Mode.ALL, within=60))
    told_of = [
        alarm_of("a", Turn.RAISED, 0),
        alarm_of("z", Turn.RAISED, 1),
        alarm_of("a", Turn.CLEARED, 100),
        alarm_of("b", Turn.RAISED, 160),
    ]
    assert [alarm for one in told_of for alarm in judge.feed(one)] == [
        Alarm(
            turn=Turn.RAISED,
            condition="both",
            stream="b",
            time=160,
            value=None,
            level=1,
            severity=MODERATE,
            peak=2,
            since=160,
        )
    ]
    assert judge.advance(160) == ()
    assert turns(judge.advance(500)) == [("cleared", 160, 0)]


def test_a_member_that_is_not_bad_enough_does_not_count() -> None:
    judge = Combiner(combination(Mode.ANY, least=SEVERE))
    assert judge.feed(alarm_of("a", Turn.RAISED, 0, MINOR)) == ()
    assert turns(judge.feed(alarm_of("a", Turn.WORSENED, 5, SEVERE))) == [("raised", 5, 1)]
    assert judge.feed(alarm_of("a", Turn.EASED, 9, MODERATE)) == ()
    assert turns(judge.advance(10)) == [("cleared", 9, 0)]


@settings(max_examples=300, deadline=None)
@given(
    spans=st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 9), st.integers(1, 9)), max_size=12),
    mode=st.sampled_from(Mode),
    within=st.integers(0, 5),
    stop=st.integers(0, 20),
)
def test_a_combination_holds_exactly_when_its_definition_does(
    spans: list[tuple[str, int, int]], mode: Mode, within: int, stop: int
) -> None:
    """Against every half second of the whole time: a member holds from raised to cleared, and so long afterwards."""
    ends = {"a": 0, "b": 0}
    active: dict[str, list[tuple[int, int]]] = {"a": [], "b": []}
    for stream, wait, length in spans:
        start = ends[stream] + wait
        ends[stream] = start + length
        active[stream].append((start, start + length))
    events = sorted(
        (time, turn is Turn.RAISED, stream, turn)
        for stream, those in active.items()
        for span in those
        for time, turn in zip(span, (Turn.RAISED, Turn.CLEARED), strict=True)
    )
    rule = combination(mode, within)
    judge = Combiner(rule)
    alarms: list[Alarm] = []
    for place, (time, _, stream, turn) in enumerate(events):
        alarms += judge.feed(alarm_of(stream, turn, time))
        if place == stop:
            judge = Combiner(rule, json.loads(json.dumps(judge.state(), allow_nan=False)))
    alarms += judge.advance(1000)
    found = [(one.start, one.end) for one in episodes([alarm._replace(stream="") for alarm in alarms])]
    for half in range(1, 2 * (max(ends.values()) + within + 2), 2):
        moment = half / 2
        member = [any(start <= moment <= end + within for start, end in those) for those in active.values()]
        holds = all(member) if mode is Mode.ALL else any(member)
        assert holds == any(end is not None and start <= moment <= end for start, end in found), moment


# --- words and dry runs -------------------------------------------------------------------------------------------------


def test_an_alarm_says_why_in_both_languages() -> None:
    rule = replace(DEPTH, hold=60, count=2, clear_for=60)
    readings = [(0, 12), (60, 12), (120, 21), (180, 21), (240, 14), (300, 14), (400, 4), (460, 4)]
    said = [explain(alarm, rule) for alarm in told(rule, [(float(time), float(value)) for time, value in readings])]
    assert [one.into("en") for one in said] == [
        "water depth: the reading of 12 cm is at or above the limit of 10 cm for 1 min and 2 times in a row; "
        "minor alarm raised.",
        "water depth: the reading of 21 cm is at or above the limit of 20 cm for 1 min and 2 times in a row; "
        "worsened to moderate.",
        "water depth: the reading of 14 cm is clear of the level above; eased to minor.",
        "water depth: the reading of 4 is back to normal and has been for 1 min; the alarm is cleared, the worst was 21.",
    ]
    assert said[0].into("zh") == "水深：读数 12 cm，不低于限值 10 cm，持续 1 分钟且连续 2 次，触发蓝色报警。"
    assert said[3].into("zh") == "水深：读数 4，已恢复正常并保持 1 分钟，报警解除，期间最严重 21。"


@pytest.mark.parametrize(
    ("condition", "readings", "english", "chinese"),
    [
        (DEPTH, [(0, 12)], "no reading for 1 h, so the alarm ends", "1 小时没有新读数，报警结束"),
        (
            QUIET,
            [(0, 1)],
            "nothing heard for more than 10 min; minor alarm raised",
            "超过 10 分钟没有读数，触发蓝色报警",
        ),
        (QUIET, [(0, 1), (700, 1)], "heard of again after 11.7 min", "中断 11.7 分钟后恢复上报"),
        (
            Rate(id="r", name=NAME, unit="cm", levels=(Level(MINOR, 30),), per=3600),
            [(0, 0), (60, 1)],
            "the change in 1 h is at or above 30 cm; the reading is 1 (worst 60)",
            "每 1 小时的变化不低于 30 cm（读数 1，最严重时 60）",
        ),
        (
            ODD,
            [(0, 30)],
            "the reading of 30 is at least 6 standard deviations away from what was usual at this hour of the week",
            "读数 30，偏离近 8 周同一时段的常值，相差不少于 6 倍标准差",
        ),
    ],
)
def test_each_kind_says_its_reason(
    condition: Condition, readings: list[tuple[float, float]], english: str, chinese: str
) -> None:
    alarms = told(condition, readings, now=5000, baseline=FLAT_WEEK)
    said = [explain(alarm, condition) for alarm in alarms]
    assert any(english in one.into("en") for one in said), [one.into("en") for one in said]
    assert any(chinese in one.into("zh") for one in said), [one.into("zh") for one in said]


def test_a_combination_says_what_holds_at_once() -> None:
    rule = combination(Mode.ALL, within=60)
    judge = Combiner(rule)
    judge.feed(alarm_of("a", Turn.RAISED, 0))
    (raised,) = judge.feed(alarm_of("b", Turn.RAISED, 1))
    assert explain(raised, rule).into("en") == "both: all of a c, b c hold within 1 min; moderate alarm raised."
    assert explain(raised, rule).into("zh") == "同时：1 分钟内同时报警（a c、b c），触发黄色报警。"


def test_what_other_thresholds_would_have_given() -> None:
    times, values = np.arange(8, dtype=np.float64) * 60.0, np.array([0, 12, 0, 8, 0, 45, 0, 0.0])
    lower = what_if(DEPTH, [Level(MINOR, 7)], times, values)
    assert [episode.start for episode in lower.now] == [60, 300]
    assert [episode.start for episode in lower.then] == [60, 180, 300]
    assert [(episode.start, episode.end, episode.peak) for episode in lower.added] == [(180, 240, 8)]
    assert lower.lost == ()
    higher = what_if(DEPTH, [Level(MINOR, 30)], times, values)
    assert [episode.start for episode in higher.lost] == [60]
    with pytest.raises(BadInput, match="is not worse than 30"):
        what_if(DEPTH, [Level(MINOR, 30), Level(SEVERE, 20)], times, values)


@given(readings=READINGS, levels=LEVELS)
def test_thresholds_left_as_they_are_change_nothing(
    readings: list[tuple[float, float]], levels: tuple[Level, ...]
) -> None:
    times, values = series_of(readings)
    same = what_if(DEPTH, DEPTH.levels, np.array(times), np.array(values))
    assert (same.now, same.added, same.lost) == (same.then, (), ())
    other = what_if(DEPTH, levels, np.array(times), np.array(values))
    slow = tuple(
        one
        for one in other.then
        if not any((two.end or inf) >= one.start and two.start <= (one.end or inf) for two in other.now)
    )
    assert other.added == slow
