"""The one way in for observations: from files, over HTTP, over MQTT.

A datastream has one observation a moment. What comes a second time with the same result is a duplicate and changes nothing, so
a file may be loaded again and a broker may deliver twice; with another result it corrects the first, and is marked. What is
older than the latest is kept and marked as out of order; what lies ahead of our clock is kept and marked, and is not the latest.
The marks are those of `yiwang.core.observations.quality`, judged here against all that is kept, not only the newest readings.

Writers of a datastream take turns by its `DatastreamState`, which they hold until the transaction ends. So what is newer than
the latest is new for certain and goes in without a look; only the rest is looked up.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from django.db import connection, transaction

from yiwang.core.kernel.instants import SECOND
from yiwang.core.kernel.refusals import Unknown
from yiwang.core.kernel.text import Text
from yiwang.core.observations.quality import GOOD, Instrument, Quality
from yiwang.server.common import sql
from yiwang.server.sensing import following
from yiwang.server.sensing.judging.judge import judge as judge_readings
from yiwang.server.sensing.judging.turns import Stream
from yiwang.server.sensing.models import DatastreamState, Observation

_USUAL = Instrument()
_AHEAD = round(_USUAL.ahead * SECOND)
_LATE = round(_USUAL.late_after * SECOND)
_COLUMNS = (
    "datastream_id", "phenomenon_time", "phenomenon_end", "value", "result", "result_time", "received_time", "quality",
    "feature_id", "more",
)  # fmt: skip
_STATE = (
    "first_time", "last_time", "value", "result", "received_time", "first_result_time", "last_result_time",
)  # fmt: skip
_T = TypeVar("_T")
_ROWS = 400  # rows of a statement that looks up or changes


class Reading(NamedTuple):
    """An observation as it comes in.

    Attributes:
        datastream: Id of its datastream.
        time: Phenomenon time in microseconds, or its start; ``end`` its end where it is an interval.
        value: The result as a number, finite; None for one that is no number.
        result: A result that is no number, as a JSON value.
        quality: What is known of it already.
        result_time, feature, more: See `Observation`.
    """

    datastream: int
    time: int
    value: float | None
    result: Any = None
    quality: int = 0
    end: int | None = None
    result_time: int | None = None
    feature: int | None = None
    more: dict[str, Any] | None = None


@dataclass(slots=True)
class Written:
    """What became of a batch.

    Attributes:
        judged: The readings that rules judge, in their order: the latest of their datastream when they came, and usable.
        new, duplicates, corrected: How many of each; ``new`` counts ``judged`` too.
        changed: Datastream and time of those that were there and were corrected.
    """

    judged: list[Reading] = field(default_factory=list)
    new: int = 0
    duplicates: int = 0
    corrected: int = 0
    changed: list[tuple[int, int]] = field(default_factory=list)


@dataclass(slots=True)
class _State:
    """A row of `DatastreamState` while it is held, with what rules ask about the datastream and its instrument's range; ``followed``:
    how many are to be told of what is written."""

    about: Stream
    least: float | None
    greatest: float | None
    first_time: int | None
    last_time: int | None
    value: float | None
    result: Any
    received_time: int | None
    first_result_time: int | None
    last_result_time: int | None
    followed: int


@transaction.atomic
def write_observations(readings: Sequence[Reading], *, received: int, judge: bool = True) -> Written:
    """Write observations, each of them once, and the alarms that they raise by the city's rules.

    Args:
        readings: In the order in which they came, of any datastreams.
        received: When they arrived, in microseconds.
        judge: False for records of the past, which raise no alarm.

    Raises:
        Unknown: When one names a datastream that there is not; then nothing is written.
    """
    states = hold_states({one.datastream for one in readings})
    written, rows, behind = Written(), [], []
    for one in readings:
        state = states[one.datastream]
        quality = _quality(one, state, received)
        if quality & (Quality.FUTURE | Quality.OUT_OF_ORDER):
            behind.append((one, quality))
            continue
        rows.append(_row(one, received, quality))
        _follow(state, one, received)
        if quality.judged:
            written.judged.append(one)
    if behind:
        _write_behind(behind, states, rows, received=received, written=written)
    sql.insert_many(Observation, _COLUMNS, rows)
    written.new = len(rows)
    _keep(states)
    if any(state.followed for state in states.values()):
        changed = [*((row[0], row[1]) for row in rows), *written.changed]
        if changed:
            following.note(following.OBSERVATION, changed)
    if judge and written.judged:
        judge_readings(
            [(one.datastream, one.time, one.value) for one in written.judged if one.value is not None],
            {pk: state.about for pk, state in states.items()},
            received=received,
        )
    return written


def hold_states(ids: Collection[int]) -> dict[int, _State]:
    """The states of the datastreams, which nobody else changes until the transaction ends; in one order, so that no two wait
    for each other."""
    lock = " FOR UPDATE OF s" if connection.vendor == "postgresql" else ""
    found: dict[int, _State] = {}
    now = following.clock()
    with connection.cursor() as cursor:
        for part in _parts(sorted(ids)):
            marks = ", ".join(["%s"] * len(part))
            cursor.execute(
                f"SELECT d.id, d.city, d.key, p.name, d.unit, d.least, d.greatest, {', '.join(_STATE)}, {following.FOLLOWED}"  # noqa: S608
                " FROM sensing_datastreamstate s JOIN sensing_datastream d ON d.id = s.datastream_id"
                " JOIN sensing_observedproperty p ON p.id = d.observed_property_id"
                f" WHERE d.id IN ({marks}) ORDER BY d.id{lock}",
                [now, *part],
            )
            for pk, city, key, observed, unit, least, greatest, first, last, value, result, *rest in cursor.fetchall():
                about = Stream(city, key, observed, unit)
                found[pk] = _State(about, least, greatest, first, last, value, _read(result), *rest)
    if len(found) < len(ids):
        lost = next(pk for pk in ids if pk not in found)
        raise Unknown(Text("没有监测流 {id}。", "There is no datastream {id}.", id=lost), field="datastream")
    return found


def _quality(one: Reading, state: _State, received: int) -> Quality:
    """What is known of a reading before anybody has looked whether it is there already."""
    found = Quality(one.quality) if one.quality else GOOD
    if one.value is not None and (
        (state.least is not None and one.value < state.least)
        or (state.greatest is not None and one.value > state.greatest)
    ):
        found |= Quality.OUT_OF_RANGE
    if one.time > received + _AHEAD:
        return found | Quality.FUTURE
    if one.time < received - _LATE:
        found |= Quality.LATE
    if state.last_time is not None and one.time <= state.last_time:
        found |= Quality.OUT_OF_ORDER
    return found


def _follow(state: _State, one: Reading, received: int) -> None:
    """The reading is the latest now."""
    state.last_time, state.value, state.result, state.received_time = one.time, one.value, one.result, received
    if state.first_time is None:
        state.first_time = one.time
    if one.result_time is not None:
        _stretch(state, one.result_time)


def _stretch(state: _State, result_time: int) -> None:
    first, last = state.first_result_time, state.last_result_time
    state.first_result_time = result_time if first is None else min(first, result_time)
    state.last_result_time = result_time if last is None else max(last, result_time)


def _write_behind(
    behind: Sequence[tuple[Reading, Quality]],
    states: dict[int, _State],
    rows: list[list[Any]],
    *,
    received: int,
    written: Written,
) -> None:
    """Readings that may be there already, in the table or among the ``rows`` that are about to be written."""
    there = look_up([(one.datastream, one.time) for one, _ in behind])
    streams = {one.datastream for one, _ in behind}
    pending = {(row[0], row[1]): row for row in rows if row[0] in streams}
    changed: dict[int, list[Any]] = {}
    for one, quality in behind:
        key = (one.datastream, one.time)
        said = (one.value, _said(one.result), one.end)
        if (row := pending.get(key)) is not None:
            if said == (row[3], row[4], row[2]):
                written.duplicates += 1
                continue
            _correct(row, one, received)
        elif key in there:
            pk, *kept, flags = there[key]
            if said == tuple(kept):
                written.duplicates += 1
                continue
            there[key] = (pk, *said, flags)
            changed[pk] = _row(one, received, flags | one.quality | Quality.CORRECTED)
        else:
            pending[key] = new = _row(one, received, quality)
            rows.append(new)
            state = states[one.datastream]
            if quality & Quality.OUT_OF_ORDER and (state.first_time is None or one.time < state.first_time):
                state.first_time = one.time
            if one.result_time is not None:
                _stretch(state, one.result_time)
            continue
        written.corrected += 1
        if one.time == states[one.datastream].last_time:
            states[one.datastream].value, states[one.datastream].result = one.value, one.result
    _change(changed)
    written.changed = [(row[0], row[1]) for row in changed.values()]


def _correct(row: list[Any], one: Reading, received: int) -> None:
    row[:] = _row(one, received, row[7] | one.quality | Quality.CORRECTED)


def look_up(keys: Sequence[tuple[int, int]]) -> dict[tuple[int, int], tuple[Any, ...]]:
    """Of each datastream and time: id, value, result, end and quality of the observation that is there."""
    found: dict[tuple[int, int], tuple[Any, ...]] = {}
    cast = "::bigint" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        for part in _parts(sorted(set(keys))):
            asked = ", ".join([f"(%s{cast}, %s{cast})"] * len(part))
            cursor.execute(
                f"WITH asked(stream, moment) AS (VALUES {asked})"  # noqa: S608 - marks only
                " SELECT o.datastream_id, o.phenomenon_time, o.id, o.value, o.result, o.phenomenon_end, o.quality FROM asked"
                " JOIN sensing_observation o ON o.datastream_id = stream AND o.phenomenon_time = moment",
                [value for key in part for value in key],
            )
            for stream, moment, pk, value, result, end, quality in cursor.fetchall():
                found[stream, moment] = (pk, value, _said(_read(result)), end, quality)
    return found


def _change(changed: dict[int, list[Any]]) -> None:
    sql.change_many(Observation, "id", _COLUMNS, [[*row, pk] for pk, row in changed.items()])


def _keep(states: dict[int, _State]) -> None:
    rows = [
        [
            one.first_time, one.last_time, one.value, _said(one.result), one.received_time,
            one.first_result_time, one.last_result_time, pk,
        ]
        for pk, one in states.items()
    ]  # fmt: skip
    sql.change_many(DatastreamState, "datastream_id", _STATE, rows)


def _row(one: Reading, received: int, quality: int) -> list[Any]:
    result = None if one.result is None else json.dumps(one.result)
    more = None if one.more is None else json.dumps(one.more)
    return [
        one.datastream, one.time, one.end, one.value, result, one.result_time, received, int(quality), one.feature, more
    ]  # fmt: skip


def _said(result: Any) -> str | None:
    return None if result is None else json.dumps(result)


def _read(result: str | None) -> Any:
    return None if result is None else json.loads(result)


def _parts(all_of: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(all_of), _ROWS):
        yield all_of[start : start + _ROWS]
