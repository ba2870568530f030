"""Combinations of alarms of several streams, fed in the transaction that writes the members' alarms.

Whoever comes here may hold the `DatastreamState` of some datastreams; the rows of `CombinationState` come after those, new ones
in the order of their names and all of them in the order of their ids, so that no two writers wait for each other.

A combination that is new or has changed begins with the alarms that stand. Whoever writes an alarm of a member writes the
`AlarmState` first and then takes the row, so an alarm is either seen in that look or fed afterwards.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import inf
from typing import NamedTuple

import orjson
from django.db import transaction

from yiwang.core.kernel.instants import SECOND
from yiwang.core.kernel.text import Text
from yiwang.core.observations.alarms import Alarm as Turned
from yiwang.core.observations.alarms import Turn as Turns
from yiwang.core.observations.alarms import explain
from yiwang.core.observations.combining import Combiner
from yiwang.core.observations.conditions import PART, Combination
from yiwang.packs.sensing import CombinedRule
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.sensing.causes import OF_THING
from yiwang.server.sensing.judging.rules import city_with_rules
from yiwang.server.sensing.judging.turns import Turn, rule_changed, write_turns
from yiwang.server.sensing.models import AlarmState, CombinationState, Datastream

BATCH = 200
WHOLE_CITY = "city"
Key = tuple[str, str]  # condition and group


class _Member(NamedTuple):
    """An alarm of a member, with its datastream."""

    datastream: int
    turned: Turned


def feed(place: CityRuntime, turns: Sequence[Turn], *, known_at: int) -> int:
    """Tell the combinations of a city of alarms that have just been written, and write theirs; how many."""
    combined = place.pack.sensing.combined
    members = [one for one in turns if one.turned.condition in combined]
    if not members:
        return 0
    fed: dict[Key, list[_Member]] = defaultdict(list)
    named = _named({one.datastream for one in members})
    for one in sorted(members, key=lambda one: one.turned.time):
        name, thing = named[one.datastream]
        turned = one.turned._replace(stream=name)
        for rule in combined[turned.condition]:
            for group in groups_of(rule.condition, turned.condition, name, thing):
                fed[rule.condition.id, group].append(_Member(one.datastream, turned))
    rows = _hold(place.info.id, fed)
    standing = _Standing(place)
    made: list[Turn] = []
    for row in rows:
        made += _judge(row, place, fed[row.condition, row.group], standing)
    return write_turns(made, known_at=known_at)


def tick(now: int) -> int:
    """Tell the combinations that time has passed (microseconds), where that ends an alarm; how many alarms came of it."""
    due = CombinationState.objects.filter(due__lt=now).order_by("due").values_list("id", flat=True)
    ids = sorted(due[:BATCH])
    if not ids:
        return 0
    with transaction.atomic():
        made: list[Turn] = []
        for row in CombinationState.objects.filter(id__in=ids, due__lt=now).order_by("id").select_for_update():
            place = city_with_rules(row.city)
            if place is None or row.condition not in place.pack.sensing.combinations:
                row.due = row.since = None  # nobody can say any more when it ends
                row.save(update_fields=["due", "since"])
                continue
            made += _judge(row, place, [], _Standing(place), now=now)
        return write_turns(made, known_at=now)


def groups_of(combination: Combination, condition: str, stream: str, thing: int) -> set[str]:
    """The groups in which an alarm of a condition counts, by the stream's key and the id of its thing."""
    found = set()
    for member in combination.of:
        parts = member.group_of(stream) if member.condition == condition else None
        if parts is not None:
            found.add(_group(combination, parts, thing))
    return found


def _group(combination: Combination, parts: str, thing: int) -> str:
    if combination.by_thing:
        return f"{OF_THING}{thing}" + (f"&{parts}" if parts else "")
    return parts or WHOLE_CITY


def _named(ids: set[int]) -> dict[int, tuple[str, int]]:
    """Of each datastream: its key, or its number where it has none, and the id of its thing."""
    rows = Datastream.objects.filter(pk__in=ids).values_list("id", "key", "thing_id")
    return {pk: (key or f"#{pk}", thing) for pk, key, thing in rows}


def _hold(city: str, keys: Mapping[Key, object]) -> Iterator[CombinationState]:
    """The rows of combinations, made where there are none, which nobody else changes until the transaction ends."""
    CombinationState.objects.bulk_create(
        [CombinationState(city=city, condition=condition, group=group) for condition, group in sorted(keys)],
        ignore_conflicts=True,
        batch_size=BATCH,
    )
    groups: dict[str, list[str]] = defaultdict(list)
    for condition, group in keys:
        groups[condition].append(group)
    ids: list[int] = []
    for condition, names in groups.items():
        for start in range(0, len(names), BATCH):
            part = names[start : start + BATCH]
            asked = CombinationState.objects.filter(city=city, condition=condition, group__in=part)
            ids += asked.values_list("id", flat=True)
    ids.sort()
    for start in range(0, len(ids), BATCH):
        yield from CombinationState.objects.filter(id__in=ids[start : start + BATCH]).order_by("id").select_for_update()


class _Standing:
    """The alarms of members that stand in a city, looked up once for each combination that begins."""

    def __init__(self, place: CityRuntime) -> None:
        self._place = place
        self._found: dict[str, dict[str, list[_Member]]] = {}

    def of(self, rule: CombinedRule, group: str) -> list[_Member]:
        """Those that count in a group, the longest standing first."""
        if rule.condition.id not in self._found:
            self._found[rule.condition.id] = self._look(rule.condition)
        return self._found[rule.condition.id].get(group, [])

    def _look(self, combination: Combination) -> dict[str, list[_Member]]:
        alarms = self._place.pack.sensing.alarms
        asked = AlarmState.objects.filter(
            datastream__city=self._place.info.id, condition__in={one.condition for one in combination.of}, level__gt=0
        )
        columns = ("datastream_id", "datastream__key", "datastream__thing_id", "condition", "level", "state")
        found: dict[str, list[_Member]] = defaultdict(list)
        for pk, key, thing, condition, level, state in asked.values_list(*columns):
            levels, since = alarms[condition].condition.levels, float(orjson.loads(state)["since"])
            severity = levels[min(level, len(levels)) - 1].severity
            name = key or f"#{pk}"
            turned = Turned(Turns.RAISED, condition, name, since, None, level, severity, 0.0, since)
            for group in groups_of(combination, condition, name, thing):
                found[group].append(_Member(pk, turned))
        for several in found.values():
            several.sort(key=lambda one: one.turned.time)
        return found


def _members(combination: Combination, parts: str, place: CityRuntime) -> Text:
    """What people call the members: the names of their rules, with the streams where a pattern says which."""
    known = dict(part.partition("=")[::2] for part in parts.split("&") if "=" in part)
    found = []
    for member in combination.of:
        name = place.pack.sensing.alarms[member.condition].condition.name
        stream = PART.sub(lambda match: known.get(match[1], match[0]), member.stream)
        words = Text("{name}（{stream}）", "{name} ({stream})", name=name, stream=stream)
        found.append(name if stream == "*" else words)
    return Text.join({"zh": "、", "en": ", "}, found)


def _before(members: Sequence[_Member], standing: Sequence[_Member]) -> list[_Member]:
    """The alarms that stood before those that are about to be fed, the longest standing first."""
    first: dict[tuple[int, str], _Member] = {}
    for one in members:
        first.setdefault((one.datastream, one.turned.condition), one)
    stood = [
        one._replace(turned=one.turned._replace(turn=Turns.RAISED, time=one.turned.since))
        for one in first.values()
        if one.turned.turn is not Turns.RAISED
    ]
    stood += [one for one in standing if (one.datastream, one.turned.condition) not in first]
    return sorted(stood, key=lambda one: one.turned.time)


def _judge(
    row: CombinationState,
    place: CityRuntime,
    members: Sequence[_Member],
    standing: _Standing,
    *,
    now: int | None = None,
) -> list[Turn]:
    """Feed a row that is held, and keep it; the turns that come of it."""
    rule = place.pack.sensing.combinations[row.condition]
    made: list[Turn] = []
    state = orjson.loads(row.state) if row.state else None
    parts = row.group if not rule.condition.by_thing else row.group.partition("&")[2]

    def write(turned: Turned, *, changed: bool = False) -> None:
        if row.datastream_id is not None:  # else its datastream has been deleted, and with it the alarm
            members = _members(rule.condition, parts, place)
            why = rule_changed(rule.condition) if changed else explain(turned, rule.condition, members=members)
            made.append(Turn(row.datastream_id, turned, rule.condition, row.city, place.version, why, group=row.group))

    if row.digest != rule.digest:
        if state is not None and state["since"] is not None:
            time = max(state["since"], state["now"] or state["since"])
            severity = rule.condition.severity
            write(
                Turned(Turns.CLEARED, row.condition, "", time, None, 0, severity, 0.0, state["since"], True),
                changed=True,
            )
        state, members = None, [*_before(members, standing.of(rule, row.group)), *members]
    combiner = Combiner(rule.condition, state, group="" if parts == WHOLE_CITY else parts)
    for datastream, one in members:
        for turned in combiner.feed(one):
            if turned.turn is Turns.RAISED:
                row.datastream_id = datastream
            write(turned)
    if now is not None:
        for turned in combiner.advance(now / SECOND):
            write(turned)
    end = combiner.holds_until()
    row.due = round(end * SECOND) if combiner.standing and end < inf else None
    state = combiner.state()
    row.since = None if state["since"] is None else round(state["since"] * SECOND)
    row.digest, row.state = rule.digest, orjson.dumps(state).decode()
    row.save()
    return made
