"""The chart of a stream: its course, the limits of its rules as lines, the times in which alarms stood as shaded stretches, and marks
where a case was opened or joined. What is drawn is also said in words, for those who see no chart or a small one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse

from yiwang.core.kernel.instants import from_micros
from yiwang.core.observations.conditions import Severity
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.formatting import moment_text
from yiwang.server.common.language import say
from yiwang.server.sensing import api as sensing
from yiwang.server.sensors.periods import Stretch

Point = tuple[int, int, float | None, float | None, float | None]  # number, count, mean, least, greatest
COLOURS = {
    Severity.MINOR: "map-class-1",
    Severity.MODERATE: "map-soon",
    Severity.SEVERE: "map-severe",
    Severity.EXTREME: "map-late",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A case on the chart. ``point`` is the number of the point in which it was opened or joined, ``number`` counts from 1."""

    number: int
    case: str
    url: str
    at: datetime
    severity: str
    point: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamChart:
    """What a page shows of a stream's course.

    Attributes:
        shape: What ``<city-chart>`` draws.
        limits: The limits of the rules in words, the mildest first.
        marks: The cases that are marked, in their order.
    """

    shape: dict[str, Any]
    limits: list[str]
    marks: list[Mark]

    def data(self) -> str:
        """The shape as JSON."""
        return json.dumps(self.shape, ensure_ascii=False)


def chart_of(place: CityRuntime, row: dict[str, Any], shown: Stretch, points: Sequence[Point]) -> StreamChart:
    """The chart of a datastream.

    Args:
        place: City.
        row: The datastream as `sensing.stream_row` gives it.
        shown: What time it shows.
        points: Its points, as `sensing.series_points` gives them; one without readings is a gap.
    """
    known = {at: values for at, _, *values in points}
    limits = sensing.limits_of_stream(place, row)
    episodes = sensing.episodes_of(row["id"], start=shown.start, end=shown.end)
    marks = _marks(place, shown, episodes)
    mean = say("平均", "Mean")
    shape = {
        "title": _title(place, shown, marks, episodes),
        "heading": say("时间", "Time"),
        "empty": say("这段时间没有读数。", "No readings in this time."),
        "table": say("数字表", "As a table"),
        "series": [
            {"name": f"{mean} ({row['unit']})" if row["unit"] else mean, "kind": "line", "colour": "brand"},
            {"name": say("最小", "Least"), "kind": "line", "colour": "edge"},
            {"name": say("最大", "Greatest"), "kind": "line", "colour": "yellow"},
        ],
        "rows": [
            {"name": shown.label(at, place.info.zone), "values": [_short(one) for one in known.get(at, (None,) * 3)]}
            for at in range(shown.points)
        ],
        "drawn": {
            "name": say("限值和报警", "Limits and alarms"),
            "limits": [
                {"value": _short(one.value), "name": f"{say(one.severity.text)} {one.value:g}", "colour": COLOURS[one.severity]}
                for one in limits
            ],
            "stretches": [
                {"from": start, "to": end, "name": say(one.severity.text), "colour": COLOURS[one.severity]}
                for one in episodes
                for start, end in [_reach(shown, one)]
            ],
            "marks": [{"at": one.point, "name": str(one.number), "title": one.case, "link": one.url} for one in marks],
        },
    }  # fmt: skip
    return StreamChart(shape=shape, limits=[_in_words(one, row["unit"]) for one in limits], marks=marks)


def _title(place: CityRuntime, shown: Stretch, marks: Sequence[Mark], episodes: Sequence[sensing.Episode]) -> str:
    """What the chart is, for those to whom it is read."""
    return say(
        "{start} 起的走势；其间报警 {alarms} 次，标出案卷 {cases} 件。",
        "The course from {start} on; alarms in this time: {alarms}, cases marked: {cases}.",
        start=moment_text(from_micros(shown.start), place.info.zone),
        alarms=len(episodes),
        cases=len(marks),
    )


def _point(shown: Stretch, time: int) -> int:
    return min(max((time - shown.start) // shown.width, 0), shown.points - 1)


def _reach(shown: Stretch, episode: sensing.Episode) -> tuple[int, int]:
    """The first and the last point of a stretch in which an alarm stood; one that stands reaches to the end.

    One that is shorter than a point is drawn from that point to the next, or else it would not be seen.
    """
    first, last = _point(shown, episode.start), _point(shown, shown.end if episode.end is None else episode.end)
    if first < last:
        return first, last
    return (first, first + 1) if first + 1 < shown.points else (first - 1, first)


def _marks(place: CityRuntime, shown: Stretch, episodes: Sequence[sensing.Episode]) -> list[Mark]:
    found = [
        (time, case, say(one.severity.text))
        for one in episodes
        for case, time in one.cases
        if shown.start <= time < shown.end
    ]
    return [
        Mark(
            number=number,
            case=case,
            url=reverse("case", args=[place.info.id, case]),
            at=from_micros(time),
            severity=severity,
            point=_point(shown, time),
        )
        for number, (time, case, severity) in enumerate(sorted(found), start=1)
    ]


def _in_words(limit: sensing.Limit, unit: str) -> str:
    sign = "≥" if limit.above else "≤"
    return f"{say(limit.severity.text)} {sign} {limit.value:g} {unit}".rstrip()


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
