"""The table of facts ``alarms``: one row for each alarm from raised to cleared, with the case that came of it and how that ended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from django.db.models import Max, Q

from yiwang.core.facts.case_rows import end_kind
from yiwang.core.facts.cases import FactContext
from yiwang.core.facts.table import (
    DAY,
    FLAG,
    FLOAT,
    INTEGER,
    MOMENT,
    TEXT,
    Dimension,
    FactColumn,
    FactTable,
    Row,
    region_codes,
    region_columns,
    region_dimensions,
)
from yiwang.core.kernel.instants import SECOND, from_micros, to_micros
from yiwang.core.kernel.text import Text
from yiwang.core.observations.alarms import Turn
from yiwang.server.cases.api import EVENT_COLUMNS, Case, Event, event_of
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.facts.sources import ChangedRow, FactSource, Marks, context_of
from yiwang.server.sensing.causes import MOST_MERGERS
from yiwang.server.sensing.models import Alarm, DatastreamState

ALARMS = "alarms"
PART = 500  # episodes read at once
WINDOW = 5000  # alarms and events looked at at once
TENTH = SECOND // 10
HAS_CASE = (Alarm.Outcome.OPENED.value, Alarm.Outcome.JOINED.value, Alarm.Outcome.NOTED.value)
Key = tuple[int, str, str, int]  # datastream, condition, group and since
_NAMES = ("datastream_id", "condition", "group", "since")


def table(context: FactContext) -> FactTable:
    """The table of a city."""
    columns = (
        FactColumn("key", TEXT, Text("报警编号", "Alarm")),
        FactColumn("turns", INTEGER, Text("变化次数", "Turns")),
        FactColumn("settled", INTEGER, Text("已处理的变化", "Turns dealt with")),
        FactColumn("case_seq", INTEGER, Text("案卷事件数", "Events of the case")),
        FactColumn("stream", TEXT, Text("监测流", "Stream")),
        FactColumn("observed", TEXT, Text("监测项目", "Observed property")),
        FactColumn("thing", TEXT, Text("监测对象", "Thing")),
        FactColumn("component", TEXT, Text("部件", "Component")),
        FactColumn("rule", TEXT, Text("报警规则", "Rule")),
        FactColumn("severity", INTEGER, Text("最重等级", "Worst severity")),
        FactColumn("peak", FLOAT, Text("峰值", "Peak")),
        FactColumn("region", TEXT, Text("区域", "Region")),
        *region_columns(context.levels),
        FactColumn("raised_at", MOMENT, Text("报警时间", "Raised at")),
        FactColumn("raised_day", DAY, Text("报警日", "day of the alarm")),
        FactColumn("known_at", MOMENT, Text("获知时间", "Known at")),
        FactColumn("cleared_at", MOMENT, Text("解除时间", "Cleared at")),
        FactColumn("cleared_day", DAY, Text("解除日", "day on which it was cleared")),
        FactColumn("lasted_s", INTEGER, Text("持续秒数", "Seconds it lasted")),
        FactColumn("quiet_s", INTEGER, Text("此前无报警秒数", "Seconds without it before")),
        FactColumn("outcome", TEXT, Text("处理结果", "Outcome")),
        FactColumn("case", TEXT, Text("案卷", "Case")),
        FactColumn("case_at", MOMENT, Text("立案或并入时间", "Case at")),
        FactColumn("case_s", INTEGER, Text("读数至案卷秒数", "Seconds from reading to case")),
        FactColumn("owns_case", FLAG, Text("由此报警立案或并入", "Opened or joined a case")),
        FactColumn("case_end", TEXT, Text("案卷结果", "How the case ended")),
        FactColumn("case_closed_at", MOMENT, Text("案卷结束时间", "Case ended at")),
    )
    plain = {name: Dimension(column=name) for name in ("rule", "observed", "stream", "thing")}
    return FactTable(
        name=ALARMS,
        label=Text("报警", "alarms"),
        key="key",
        columns=columns,
        bases={"raised": "raised_day", "cleared": "cleared_day"},
        dimensions={**region_dimensions(context.levels), **plain},
        month="raised_day",
        order="raised_at",
    )


def newest(city: str) -> Marks:
    """The largest id of an alarm, the latest moment at which one was dealt with (in tenths of a second, rounded up, so that what
    a refresh looks at again of each kind is a quarter of an hour), the largest id of an event."""
    found = Alarm.objects.filter(city=city).aggregate(id=Max("id"), done=Max("done_at"))
    event = Event.objects.filter(city=city).aggregate(n=Max("id"))["n"] or 0
    return found["id"] or 0, -(-to_micros(found["done"]) // TENTH) if found["done"] else 0, event


def every_row(place: CityRuntime) -> Iterator[list[Row]]:
    """The rows of all alarms, part by part."""
    last = 0
    raised = Alarm.objects.filter(city=place.info.id, turn=Turn.RAISED)
    while ids := list(raised.filter(id__gt=last).order_by("id").values_list("id", flat=True)[:PART]):
        last = ids[-1]
        yield rows_of(ids, place=place)


def size(city: str) -> int:
    """How many alarms there are."""
    return Alarm.objects.filter(city=city, turn=Turn.RAISED).count()


class AlarmChanges:
    """What was written of alarms since, and of the cases that came of them."""

    versions: tuple[str, ...] = ("turns", "settled", "case_seq")

    def changed_rows(self, *, city: str, since: Marks, upto: Marks) -> Iterator[Sequence[ChangedRow]]:
        """See `facts.sources.Changes`."""
        of_city = Alarm.objects.filter(city=city)
        written = of_city.filter(
            Q(id__gt=since[0], id__lte=upto[0])
            | Q(done_at__gt=from_micros(since[1] * TENTH), done_at__lte=from_micros(upto[1] * TENTH))
        )
        for rows in _windows(written):
            yield _changed(city, rows)
        events = Event.objects.filter(city=city, id__gt=since[2], id__lte=upto[2])
        first = since[2]
        while ids := list(events.filter(id__gt=first).order_by("id").values_list("id", flat=True)[:WINDOW]):
            numbers = set(events.filter(id__gt=first, id__lte=ids[-1]).values_list("case__number", flat=True))
            first = ids[-1]
            for rows in _windows(of_city.filter(case__in=_with_merged(city, numbers)).exclude(case="")):
                yield _changed(city, rows)

    def rows(self, ids: Sequence[int], *, place: CityRuntime) -> list[Row]:
        """See `facts.sources.Changes`."""
        found: list[Row] = []
        for start in range(0, len(ids), PART):
            found += rows_of(ids[start : start + PART], place=place)
        return found


def _windows(asked: Any) -> Iterator[list[Key]]:
    """The episodes of alarms, part by part."""
    last = 0
    while rows := list(asked.filter(id__gt=last).order_by("id").values_list("id", *_NAMES)[:PART]):
        last = rows[-1][0]
        yield list(dict.fromkeys(tuple(row[1:]) for row in rows))


def _with_merged(city: str, numbers: set[str]) -> set[str]:
    """Cases, and those that were merged into them."""
    found, new = set(numbers), set(numbers)
    for _ in range(MOST_MERGERS):
        new = set(Case.objects.filter(city=city, merged_into__in=new).values_list("number", flat=True)) - found
        if not new:
            break
        found |= new
    return found


def _changed(city: str, keys: Collection[Key]) -> list[ChangedRow]:
    episodes = _episodes(keys)
    ends = _ends(city, {one for turns in episodes.values() if (one := _case_of(turns))})
    return [
        ChangedRow(turns[0].pk, str(turns[0].pk), _versions(turns, ends))
        for turns in episodes.values()
        if turns[0].turn == Turn.RAISED
    ]


# --- rows ---------------------------------------------------------------------------------------------------------------


class _End(NamedTuple):
    """How far a case is, or that into which it was merged."""

    seq: int
    closed_at: datetime | None
    number: str


def rows_of(ids: Sequence[int], *, place: CityRuntime) -> list[Row]:
    """The rows of some alarms, by the ids of the turns that raised them."""
    context, city = context_of(place), place.info.id
    keys = [tuple(row) for row in Alarm.objects.filter(id__in=ids).values_list(*_NAMES)]
    episodes = _episodes(keys)
    ends = _ends(city, {one for turns in episodes.values() if (one := _case_of(turns))})
    kinds = _kinds(city, {end.number for end in ends.values() if end.closed_at is not None})
    before = _quiet_since(keys)
    blank = table(context).blank
    wanted, found = set(ids), []
    for key, turns in episodes.items():
        if turns[0].pk in wanted:
            found.append(blank | _row(turns, context, before.get(key), ends, kinds))
    return found


def _row(
    turns: Sequence[Alarm], context: FactContext, before: int | None, ends: Mapping[str, _End], kinds: Mapping[str, str]
) -> Row:
    first, last = turns[0], turns[-1]
    cleared = from_micros(last.time) if last.turn == Turn.CLEARED else None
    raised = from_micros(first.time)
    case = _case_of(turns)
    settled = next((one for one in turns if one.case and one.outcome in HAS_CASE), first)
    end = ends.get(case)
    row: Row = region_codes(first.region, levels=context.levels, root=context.root)
    row |= dict(zip(AlarmChanges.versions, _versions(turns, ends), strict=True))
    row |= {
        "key": str(first.pk),
        "stream": first.datastream.key or f"#{first.datastream_id}",
        "observed": first.datastream.observed_property.name,
        "thing": first.datastream.thing.key or first.datastream.thing.name,
        "component": first.datastream.thing.component,
        "rule": first.condition,
        "severity": max(one.severity for one in turns),
        "peak": last.peak,
        "region": first.region,
        "raised_at": raised,
        "raised_day": raised.astimezone(context.zone).date(),
        "known_at": from_micros(first.known_at),
        "cleared_at": cleared,
        "cleared_day": cleared.astimezone(context.zone).date() if cleared else None,
        "lasted_s": round((last.time - first.since) / SECOND) if cleared else 0,
        "quiet_s": max(0, round((first.since - before) / SECOND)) if before is not None else 0,
        "outcome": settled.outcome,
        "case": case,
        "owns_case": settled.outcome in (Alarm.Outcome.OPENED, Alarm.Outcome.JOINED),
    }
    if case and settled.done_at is not None:
        row["case_at"] = settled.done_at
        row["case_s"] = max(0, round((to_micros(settled.done_at) - settled.time) / SECOND))
    if end is not None and end.closed_at is not None:
        row["case_end"], row["case_closed_at"] = kinds.get(end.number, ""), end.closed_at
    return row


def _episodes(keys: Collection[Key]) -> dict[Key, list[Alarm]]:
    """The turns of each episode, the first of them first."""
    wanted = set(keys)
    asked = Alarm.objects.filter(datastream__in={key[0] for key in wanted}, since__in={key[3] for key in wanted})
    found: dict[Key, list[Alarm]] = defaultdict(list)
    for one in asked.order_by("id").select_related("datastream__observed_property", "datastream__thing"):
        key = (one.datastream_id, one.condition, one.group, one.since)
        if key in wanted:
            found[key].append(one)
    return found


def _case_of(turns: Sequence[Alarm]) -> str:
    return next((one.case for one in turns if one.case and one.outcome in HAS_CASE), "")


def _versions(turns: Sequence[Alarm], ends: Mapping[str, _End]) -> tuple[int, ...]:
    end = ends.get(_case_of(turns))
    return len(turns), sum(one.outcome != Alarm.Outcome.WAITING for one in turns), end.seq if end else 0


def _ends(city: str, numbers: Collection[str]) -> dict[str, _End]:
    """Of each case, how far that is into which it was merged, or it itself. ``seq`` sums those of all on the way."""
    known: dict[str, tuple[int, datetime | None, str]] = {}
    asked = set(numbers)
    for _ in range(MOST_MERGERS):
        rows = Case.objects.filter(city=city, number__in=asked).values_list("number", "seq", "closed_at", "merged_into")
        known |= {number: (seq, closed, into or "") for number, seq, closed, into in rows}
        asked = {into for _, _, into in known.values() if into} - known.keys()
        if not asked:
            break
    found = {}
    for number in numbers:
        at, total = number, 0
        for _ in range(MOST_MERGERS):
            if at not in known:
                break
            seq, closed, into = known[at]
            total += seq
            if not into:
                found[number] = _End(total, closed, at)
                break
            at = into
    return found


def _kinds(city: str, numbers: Collection[str]) -> dict[str, str]:
    """How each of some cases that have ended did."""
    rows = Event.objects.filter(city=city, case__number__in=numbers).order_by("case_id", "seq")
    stored = rows.values("case__number", *EVENT_COLUMNS)
    return {
        number: end_kind([event_of(row, number=number) for row in group])
        for number, group in groupby(stored, key=itemgetter("case__number"))
    }


def _quiet_since(keys: Collection[Key]) -> dict[Key, int]:
    """Since when, before each episode, its alarm had not stood: the end of the one before, or the stream's first observation."""
    streams = {key[0] for key in keys}
    first = dict(DatastreamState.objects.filter(datastream__in=streams).values_list("datastream_id", "first_time"))
    cleared: dict[tuple[int, str, str], list[int]] = defaultdict(list)
    latest = max((key[3] for key in keys), default=0)
    ended = Alarm.objects.filter(datastream__in=streams, turn=Turn.CLEARED, since__lt=latest).order_by("time")
    for pk, condition, group, time in ended.values_list("datastream_id", "condition", "group", "time"):
        cleared[pk, condition, group].append(time)
    found = {}
    for key in keys:
        before = [time for time in cleared[key[:3]] if time <= key[3]]
        moment = before[-1] if before else first.get(key[0])
        if moment is not None:
            found[key] = moment
    return found


SOURCE = FactSource(
    name=ALARMS, table=table, rows=every_row, size=size, newest=newest, changes=AlarmChanges(),
)  # fmt: skip
