"""Judges readings in the transaction that writes them, so that a process that is killed goes on with the same answer.

Whoever comes here holds the `DatastreamState` of every datastream concerned. A stream for which nothing is declared costs a
look into a dictionary; one for which something is costs a row of `AlarmState`, read once and written once in a batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from math import inf
from typing import Any

import orjson
from django.db import transaction

from yiwang.core.kernel.instants import SECOND, to_micros
from yiwang.core.kernel.text import Text
from yiwang.core.observations.alarms import Alarm as Turned
from yiwang.core.observations.alarms import Turn as Turns
from yiwang.core.observations.baseline import Baseline
from yiwang.core.observations.conditions import Condition, Measured, Severity
from yiwang.core.observations.detecting import Detector, detector
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common import sql
from yiwang.server.sensing.judging import combined, usual
from yiwang.server.sensing.judging.rules import Fitted, city_with_rules, rules_for
from yiwang.server.sensing.judging.turns import Stream, Turn, rule_changed, write_turns
from yiwang.server.sensing.models import AlarmState, Datastream, DatastreamState

BATCH = 500
_STATE = ("digest", "state", "level", "due")


class _Judge:
    """A detector with what it remembers and the alarms that it gives."""

    __slots__ = ("alarms", "before", "detector", "fitted", "place", "stream")

    def __init__(
        self,
        place: CityRuntime,
        stream: Stream,
        fitted: Fitted,
        kept: tuple[Any, ...] | None,
        baseline: Baseline | None,
    ) -> None:
        self.place, self.stream, self.fitted = place, stream, fitted
        self.alarms: list[tuple[Turned, Text | None]] = []
        self.before = kept
        state = None
        if kept is not None:
            digest, written, level, _ = kept
            state = orjson.loads(written)
            if digest != fitted.rule.digest:
                self._end_former(state, level)
                state = None
        self.detector: Detector = detector(fitted.rule.condition, stream=stream.key, baseline=baseline, state=state)

    def _end_former(self, state: Mapping[str, Any], level: int) -> None:
        """The rule has changed: an alarm that stood by what it said before is over, since nobody can judge it any more."""
        if not level:
            return
        time = float(state.get("last") or state["since"])
        severity = Severity(min(level, len(Severity)))
        ended = Turned(
            Turns.CLEARED, self.fitted.rule.condition.id, self.stream.key, time, state.get("value"), 0, severity,
            float(state.get("peak") or 0.0), float(state["since"]), True,
        )  # fmt: skip
        self.alarms.append((ended, rule_changed(self.fitted.rule.condition)))

    def feed(self, time: int, value: float) -> None:
        convert = self.fitted.in_unit
        found = self.detector.feed(time / SECOND, value if convert is None else convert(value))
        self.alarms += [(one, None) for one in found]

    def advance(self, now: int) -> None:
        self.alarms += [(one, None) for one in self.detector.advance(now / SECOND)]

    def row(self) -> tuple[Any, ...]:
        """Digest, state, level and due as they are to be kept."""
        state = self.detector.state()
        due = due_of(self.fitted.rule.condition, state)
        return (
            self.fitted.rule.digest, orjson.dumps(state).decode(), state["level"], None if due is None else round(due * SECOND)
        )  # fmt: skip


def due_of(condition: Condition, state: Mapping[str, Any]) -> float | None:
    """When silence changes something, in POSIX seconds; None for never."""
    last = state["last"]
    if last is None:
        return None
    if isinstance(condition, Measured):
        standing = state["level"] or any(latch[0] or latch[1] is not None for latch in state["latches"])
        return None if condition.ends_after == inf or not standing else float(last + condition.ends_after)
    level = state["level"]
    return float(last + condition.levels[level].at) if level < len(condition.levels) else None


def judge(readings: Sequence[tuple[int, int, float]], streams: Mapping[int, Stream], *, received: int) -> int:
    """Judge readings and write the alarms; how many.

    Args:
        readings: Datastream, time in microseconds and value, in their order.
        streams: The datastreams, whose states the transaction holds.
        received: When they arrived, in microseconds.
    """
    declared = _declared(streams, {pk for pk, _, _ in readings})
    if not declared:
        return 0
    judges = _judges(declared, streams)
    for pk, time, value in readings:
        for one in judges.get(pk, ()):
            one.feed(time, value)
    return _keep(judges, known_at=received)


def tick(*, at: datetime | None = None) -> int:
    """Tell the rules that time has passed, where that changes something; how many alarms came of it."""
    now = to_micros(at or datetime.now(UTC))
    found = combined.tick(now)
    due = list(
        AlarmState.objects.filter(due__lt=now)
        .order_by("due")
        .values_list("datastream_id", flat=True)
        .distinct()[:BATCH]
    )
    if due:
        with transaction.atomic():
            found += _tick(sorted(set(due)), now)
    return found


def _tick(ids: Sequence[int], now: int) -> int:
    held = DatastreamState.objects.filter(datastream__in=ids).order_by("datastream_id")
    list(held.select_for_update().values_list("datastream_id"))
    streams = {
        one.pk: Stream.of(one) for one in Datastream.objects.filter(pk__in=ids).select_related("observed_property")
    }
    declared = _declared(streams, streams)
    judges = _judges(declared, streams)
    for several in judges.values():
        for one in several:
            if one.before is not None:
                one.advance(now)
    found = _keep(judges, known_at=now)
    # what is due by a rule that is no longer there is due no more
    AlarmState.objects.filter(datastream__in=ids, due__lt=now).update(due=None)
    return found


def _declared(streams: Mapping[int, Stream], asked: Iterable[int]) -> dict[int, tuple[CityRuntime, tuple[Fitted, ...]]]:
    places = {city: city_with_rules(city) for city in {one.city for one in streams.values()}}
    found = {}
    for pk in asked:
        stream = streams[pk]
        place = places[stream.city]
        if place is not None and (
            rules := rules_for(place, key=stream.key, observed=stream.observed, unit=stream.unit)
        ):
            found[pk] = (place, rules)
    return found


def _judges(
    declared: Mapping[int, tuple[CityRuntime, tuple[Fitted, ...]]], streams: Mapping[int, Stream]
) -> dict[int, list[_Judge]]:
    kept: dict[tuple[int, str], tuple[Any, ...]] = {}
    ids = sorted(declared)
    for start in range(0, len(ids), BATCH):
        rows = AlarmState.objects.filter(datastream__in=ids[start : start + BATCH])
        for pk, condition, *rest in rows.values_list("datastream_id", "condition", *_STATE):
            kept[pk, condition] = tuple(rest)
    known: dict[tuple[int, str], Baseline] = {}
    for place in {id(place): place for place, _ in declared.values()}.values():
        known |= usual.baselines(
            place, {pk: (streams[pk], rules) for pk, (of, rules) in declared.items() if of is place}
        )
    return {
        pk: [
            _Judge(place, streams[pk], one, kept.get(key), known.get(key))
            for one in rules
            if (key := (pk, one.rule.condition.id))
        ]
        for pk, (place, rules) in declared.items()
    }


def _keep(judges: Mapping[int, Sequence[_Judge]], *, known_at: int) -> int:
    rows = []
    turns: list[Turn] = []
    places: dict[str, CityRuntime] = {}
    for pk, several in judges.items():
        for one in several:
            row, rule = one.row(), one.fitted.rule
            if row != one.before:
                rows.append([pk, rule.condition.id, *row])
            places[one.stream.city] = one.place
            turns += [
                Turn(pk, turned, rule.condition, one.stream.city, one.place.version, why) for turned, why in one.alarms
            ]
    sql.put_many(AlarmState, ("datastream_id", "condition"), _STATE, rows)
    found = write_turns(turns, known_at=known_at)
    for city in sorted(places) if turns else ():
        mine = [one for one in turns if one.city == city]
        found += combined.feed(places[city], mine, known_at=known_at)
    return found
