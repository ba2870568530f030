"""Alarms of several streams at once, what alarms say of themselves, and what other thresholds would have given."""

from __future__ import annotations

import json
from dataclasses import replace
from math import inf

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
from yiwang.core.kernel.text import Text
from yiwang.core.observations.alarms import Alarm, Turn, episodes, explain
from yiwang.core.observations.combining import Combiner
from yiwang.core.observations.conditions import (
    Combination,
    Condition,
    Level,
    Member,
    Mode,
    Rate,
    Severity,
)
from yiwang.core.observations.dry_run import what_if

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
