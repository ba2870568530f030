"""What is drawn into the chart of a datastream: the limits of its rules, and the times in which its alarms stood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from yiwang.core.kernel.text import Text
from yiwang.core.observations.alarms import Turn
from yiwang.core.observations.conditions import Direction, Severity, Threshold
from yiwang.core.observations.units import convert
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.sensing.judging.rules import rules_for
from yiwang.server.sensing.models import Alarm

EPISODE_TURNS = 500  # so many turns of alarms before the end of a stretch are looked at
_MADE_A_CASE = (Alarm.Outcome.OPENED, Alarm.Outcome.JOINED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A value at which a rule raises an alarm, in the unit of the datastream. ``above``: on which side of it the fault is."""

    name: Text
    severity: Severity
    value: float
    above: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """A time in which an alarm stood.

    Attributes:
        condition: Id of the rule.
        start, end: Microseconds; no end while it stands.
        severity: The worst that it was.
        cases: Case and time of each turn that opened or joined one.
    """

    condition: str
    start: int
    end: int | None
    severity: Severity
    cases: tuple[tuple[str, int], ...]


def limits_of_stream(place: CityRuntime, row: dict[str, Any]) -> list[Limit]:
    """The limits of the rules that judge the values of a datastream themselves, the mildest first; `row` is as `stream_row` gives it.

    Rules of change, silence and patterns have limits of something else, which no line over the values would show.
    """
    found = []
    for one in rules_for(place, key=row["key"], observed=row["observed"], unit=row["unit_text"]):
        condition = one.rule.condition
        if not isinstance(condition, Threshold):
            continue
        signs = (1.0, -1.0) if condition.direction is Direction.EITHER else (1.0,)
        for level in condition.levels:
            for sign in signs:
                at = sign * level.at
                value = at if one.in_unit is None else convert(at, one.rule.reads_in, row["unit"])
                above = sign > 0 and condition.direction is not Direction.BELOW
                found.append(Limit(name=condition.name, severity=level.severity, value=value, above=above))
    return sorted(found, key=lambda one: one.severity)


def episodes_of(datastream: int, *, start: int, end: int) -> list[Episode]:
    """The times in which alarms of a datastream stood, of those that reach into a stretch from ``start`` and before ``end``.

    Times are microseconds. Alarms are found by the latest `EPISODE_TURNS` turns before ``end``.
    """
    turns = Alarm.objects.filter(datastream=datastream, since__lt=end).order_by("-since", "-id")[:EPISODE_TURNS]
    by_episode: dict[tuple[str, int], list[Alarm]] = {}
    for turn in reversed(turns):
        by_episode.setdefault((turn.condition, turn.since), []).append(turn)
    found = []
    for (condition, since), several in by_episode.items():
        cleared = [one.time for one in several if one.turn == Turn.CLEARED.value]
        if cleared and cleared[-1] < start:
            continue
        cases = {one.case: one.time for one in reversed(several) if one.outcome in _MADE_A_CASE and one.case}
        found.append(
            Episode(
                condition=condition,
                start=since,
                end=cleared[-1] if cleared else None,
                severity=Severity(max(one.severity for one in several)),
                cases=tuple(sorted(cases.items(), key=lambda made: made[1])),
            )
        )
    return found
