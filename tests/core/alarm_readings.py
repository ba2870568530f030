"""A rule on water depth, and how readings are given to a rule one by one."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, nan
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import strategies as st

from yiwang.core.kernel.text import Text
from yiwang.core.observations.alarms import Alarm
from yiwang.core.observations.baseline import Baseline
from yiwang.core.observations.conditions import Condition, Direction, Level, Pattern, Severity, Silence, Threshold
from yiwang.core.observations.detecting import detector

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


QUIET = Silence(id="quiet", name=NAME, levels=(Level(MINOR, 600), Level(SEVERE, 3600)))
ODD = Pattern(
    id="odd", name=NAME, levels=(Level(MINOR, 6, 3),), direction=Direction.EITHER, min_spread=1.0, least=4, weeks=8
)
FIGURES = st.sampled_from([0.0, 4.0, 5.0, 9.0, 10.0, 12.0, 15.0, 20.0, 25.0, 39.0, 40.0, 60.0, -3.0, nan, inf])
READINGS = st.lists(st.tuples(st.sampled_from([-5.0, 0.0, 1.0, 30.0, 60.0, 61.5, 600.0, 3700.0]), FIGURES), max_size=60)
LEVELS = st.sampled_from(
    [
        (Level(MINOR, 10, 5), Level(MODERATE, 20, 15), Level(SEVERE, 40)),
        (Level(MINOR, 10),),
        (Level(MINOR, 10, -3), Level(SEVERE, 25, 0)),
    ]
)


def told(condition: Condition, readings: list[tuple[float, float]], now: float = -inf, **more: Any) -> list[Alarm]:
    judge = detector(condition, **more)
    alarms = [alarm for time, value in readings for alarm in judge.feed(time, value)]
    return [*alarms, *judge.advance(now)]


def turns(alarms: Iterable[Alarm]) -> list[tuple[str, float, int]]:
    return [(alarm.turn.value, alarm.time, alarm.level) for alarm in alarms]


def series_of(readings: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    times = np.cumsum([step for step, _ in readings]).tolist() if readings else []
    return times, [value for _, value in readings]
