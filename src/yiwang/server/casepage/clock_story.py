"""A clock told from its beginning: what turned it, which spans counted and why, and the days in between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any

from yiwang.core.cases.events import Event
from yiwang.core.worktime import Clock, ClockStatus, TimeUnit, WorkCalendar
from yiwang.core.worktime.calendar import UnknownYear
from yiwang.core.worktime.explain import CountedSpan, explain

MOST_SPANS = 24
MOST_DAYS = 45


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A change of a clock: what was done to it (``started``, ``paused``, ``resumed``, ``extended``, ``stopped``), by
    which event, and the clock after it."""

    what: str
    event: Event
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch of a clock's life; ``why`` is a word of `worktime.explain.Why`, or ``paused`` or ``stopped``."""

    start: datetime
    end: datetime
    counted_seconds: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStory:
    """A clock with its changes and the spans of its life, oldest first. ``estimated``: a year's holidays are unknown."""

    name: str
    clock: Clock
    turns: tuple[Turn, ...]
    stretches: tuple[Stretch, ...]
    estimated: bool = False


def clock_stories(events: Sequence[Event], *, calendar: WorkCalendar, at: datetime) -> list[ClockStory]:
    """The story of every clock that the events mention, up to ``at``. The counted seconds of a story's stretches add up
    to what its clock has used since it was last started anew."""
    turns: dict[str, list[Turn]] = {}
    for event in events:
        for name, data in (event.payload.get("clocks") or {}).items():
            known, clock = turns.setdefault(name, []), Clock.from_dict(data)
            known.append(Turn(what=_what(known[-1].clock if known else None, clock), event=event, clock=clock))
    found = []
    for name, changes in turns.items():
        try:
            stretches, estimated = tuple(_stretches(changes, calendar, at)), False
        except UnknownYear:
            stretches, estimated = (), True
        found.append(
            ClockStory(
                name=name, clock=changes[-1].clock, turns=tuple(changes), stretches=stretches, estimated=estimated
            )
        )
    return found


def _what(before: Clock | None, after: Clock) -> str:
    if before is None or before.started_at != after.started_at:
        return "started"
    if after.extensions > before.extensions:
        return "extended"
    if after.status == ClockStatus.RUNNING:
        return "resumed"
    return "paused" if after.status == ClockStatus.PAUSED else "stopped"


def _stretches(turns: Sequence[Turn], calendar: WorkCalendar, at: datetime) -> Iterator[Stretch]:
    last_start = max(index for index, turn in enumerate(turns) if turn.what == "started" or index == 0)
    alive = turns[last_start:]
    ends = [turn.event.at for turn in alive[1:]] + [at]
    since: datetime | None = None  # an extension goes on with the stretch that runs
    for index, (turn, end) in enumerate(zip(alive, ends, strict=True)):
        running = turn.clock.resumed_at is not None
        begin = since or turn.event.at
        if running and index + 1 < len(alive) and alive[index + 1].clock.resumed_at == turn.clock.resumed_at:
            since = begin
            continue
        since = None
        if end <= begin:
            continue
        if not running:
            last = index + 1 == len(alive)
            if not (last and turn.clock.status == ClockStatus.STOPPED):
                yield Stretch(start=begin, end=end, counted_seconds=0.0, why=str(turn.clock.status))
            continue
        alone = replace(turn.clock, started_at=begin, resumed_at=begin, used_seconds=0.0)
        for span in explain(clock=alone, calendar=calendar, at=end, most=MOST_SPANS):
            yield _stretch(span)


def _stretch(span: CountedSpan) -> Stretch:
    return Stretch(start=span.start, end=span.end, counted_seconds=span.counted_seconds, why=str(span.why))


def days(story: ClockStory, *, calendar: WorkCalendar, at: datetime) -> list[dict[str, Any]]:
    """The days that a clock's life touches up to its deadline: what kind of day, how much of it counted, whether the
    deadline falls on it. At most `MOST_DAYS`, the newest."""
    begin = story.clock.started_at.astimezone(calendar.zone).date()
    try:
        due = story.clock.deadline(calendar=calendar)
    except UnknownYear:
        due = None
    until = max([stretch.end for stretch in story.stretches] + ([due] if due else []), default=story.clock.started_at)
    last = until.astimezone(calendar.zone).date()
    first = max(begin, last - timedelta(days=MOST_DAYS - 1))
    today = at.astimezone(calendar.zone).date()
    found = []
    day = first
    while day <= last:
        opening = datetime.combine(day, time(), tzinfo=calendar.zone)
        closing = datetime.combine(day + timedelta(days=1), time(), tzinfo=calendar.zone)
        counted = sum(_within(stretch, opening, closing, calendar, story.clock.unit) for stretch in story.stretches)
        try:
            worked = calendar.is_workday(day)
        except UnknownYear:
            worked = day.weekday() < 5
        weekend = day.weekday() >= 5
        kind = ("adjusted" if weekend else "workday") if worked else ("weekend" if weekend else "holiday")
        found.append(
            {
                "day": day,
                "kind": kind,
                "counted": counted,
                "due": due is not None and opening <= due < closing,
                "today": day == today,
                "paused": any(
                    stretch.why == "paused" and _overlap(stretch, opening, closing) for stretch in story.stretches
                ),
            }
        )
        day += timedelta(days=1)
    return found


def _overlap(stretch: Stretch, opening: datetime, closing: datetime) -> bool:
    return stretch.start < closing and stretch.end > opening


def _within(stretch: Stretch, opening: datetime, closing: datetime, calendar: WorkCalendar, unit: TimeUnit) -> float:
    if not stretch.counted_seconds or not _overlap(stretch, opening, closing):
        return 0.0
    start, end = max(stretch.start, opening), min(stretch.end, closing)
    if start == stretch.start and end == stretch.end:
        return stretch.counted_seconds
    return calendar.elapsed_seconds(start=start, end=end, unit=unit)
