"""Alarms as they are written: one row for each turn, with the words that say why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import orjson

from yiwang.core.kernel.instants import SECOND
from yiwang.core.kernel.text import Text
from yiwang.core.observations.alarms import Alarm as Turned
from yiwang.core.observations.alarms import explain
from yiwang.core.observations.conditions import Combination, Condition
from yiwang.server.sensing.models import Alarm, Datastream


class Stream(NamedTuple):
    """What rules ask about a datastream. ``unit`` is JSON text."""

    city: str
    key: str
    observed: str
    unit: str

    @classmethod
    def of(cls, one: Datastream) -> Stream:
        """That of a datastream, which has been fetched with its observed property."""
        return cls(one.city, one.key, one.observed_property.name, orjson.dumps(one.unit).decode())


class Turn(NamedTuple):
    """A turn of an alarm that is to be written.

    Attributes:
        datastream: Id of the datastream; of a combination, of the one whose alarm decided.
        turned: The turn.
        condition: What was judged.
        version: Of the city's pack.
        why: In words, where they are not those of `explain`.
        group: Of a combination, which of its groups.
    """

    datastream: int
    turned: Turned
    condition: Condition | Combination
    city: str
    version: int
    why: Text | None = None
    group: str = ""


def write_turns(turns: Iterable[Turn], *, known_at: int) -> int:
    """Write turns in their order; how many. ``known_at`` is in microseconds."""
    written = list(turns)
    if not written:
        return 0
    regions = _regions({one.datastream for one in written})
    Alarm.objects.bulk_create([_row(one, known_at=known_at, region=regions.get(one.datastream, "")) for one in written])
    return len(written)


def rule_changed(condition: Condition | Combination) -> Text:
    """Why an alarm ends that nobody can judge any more."""
    return Text(
        "{name}：规则已修改，按原规则触发的报警到此为止。",
        "{name}: the rule has changed, so the alarm by its former version ends here.",
        name=condition.name,
    )


def _row(turn: Turn, *, known_at: int, region: str) -> Alarm:
    turned, words = turn.turned, turn.why or explain(turn.turned, turn.condition)
    return Alarm(
        city=turn.city,
        datastream_id=turn.datastream,
        condition=turned.condition,
        group=turn.group,
        version=turn.version,
        turn=turned.turn.value,
        time=round(turned.time * SECOND),
        since=round(turned.since * SECOND),
        value=turned.value,
        level=turned.level,
        severity=int(turned.severity),
        peak=turned.peak,
        silent=turned.silent,
        why={"zh": words.into("zh"), "en": words.into("en")},
        known_at=known_at,
        region=region,
    )


def _regions(ids: Iterable[int]) -> dict[int, str]:
    """Region of each datastream's thing, where it is known."""
    rows = Datastream.objects.filter(pk__in=list(ids), thing__locations__isnull=False)
    return dict(rows.values_list("id", "thing__locations__region"))
