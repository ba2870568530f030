"""Clocks: what pausing, resuming, extending and stopping do to deadlines, and how a clock is explained."""

from __future__ import annotations

import itertools
import json
from datetime import date, datetime, time, timedelta

import pytest

from yiwang.core.kernel.errors import BadInput
from yiwang.core.worktime import (
    Clock,
    ClockStatus,
    CountedSpan,
    Limit,
    TimeUnit,
    WorkCalendar,
    YearTable,
    explain,
    start_clock,
)
from yiwang.packs.holidays_source import year_tables

PERIODS = [(time(8), time(12)), (time(14), time(18))]
CALENDAR = WorkCalendar(
    timezone="Asia/Shanghai", periods=PERIODS, years=year_tables(country="CN", years=range(2025, 2027))
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CALENDAR.zone)


def started(limit: str, when: str) -> Clock:
    return start_clock(limit=Limit.parse(limit), calendar=CALENDAR, at=at(when))


def due(clock: Clock) -> str | None:
    moment = clock.deadline(calendar=CALENDAR)
    return moment.astimezone(CALENDAR.zone).isoformat(sep=" ")[:16] if moment else None


def test_a_clock_runs_only_in_its_kind_of_time() -> None:
    clock = started("4 work_hours", "2026-11-20 16:00")
    assert due(clock) == "2026-11-23 10:00"
    assert clock.elapsed_seconds(calendar=CALENDAR, at=at("2026-11-22 12:00")) == 2 * 3600
    assert clock.remaining_seconds(calendar=CALENDAR, at=at("2026-11-22 12:00")) == 2 * 3600
    assert clock.remaining_seconds(calendar=CALENDAR, at=at("2026-11-23 11:00")) == -3600
    assert clock.elapsed_seconds(calendar=CALENDAR, at=at("2026-11-19 12:00")) == 0


def test_a_pause_moves_the_deadline_by_what_it_lasted_in_working_time() -> None:
    clock = started("4 work_hours", "2026-11-20 08:00")
    paused = clock.pause(calendar=CALENDAR, at=at("2026-11-20 10:00"))
    assert due(paused) is None
    assert paused.status == ClockStatus.PAUSED
    assert paused.remaining_seconds(calendar=CALENDAR, at=at("2026-11-28 10:00")) == 2 * 3600
    resumed = paused.resume(at=at("2026-11-22 09:00"))
    assert due(resumed) == "2026-11-23 10:00"
    assert resumed.elapsed_seconds(calendar=CALENDAR, at=at("2026-11-23 09:00")) == 3 * 3600
    assert resumed.started_at == clock.started_at


def test_extensions_add_the_original_limit_also_while_paused() -> None:
    clock = started("4 work_hours", "2026-11-20 08:00")
    assert due(clock.extend(calendar=CALENDAR)) == "2026-11-20 18:00"
    assert due(clock.extend(calendar=CALENDAR).extend(calendar=CALENDAR)) == "2026-11-23 12:00"
    assert due(clock.extend(calendar=CALENDAR, seconds=3600)) == "2026-11-20 15:00"
    paused = clock.pause(calendar=CALENDAR, at=at("2026-11-20 12:00")).extend(calendar=CALENDAR)
    assert paused.extensions == 1
    assert due(paused.resume(at=at("2026-11-23 08:00"))) == "2026-11-23 12:00"


def test_a_stopped_clock_keeps_what_it_used() -> None:
    clock = started("4 work_hours", "2026-11-20 08:00")
    stopped = clock.stop(calendar=CALENDAR, at=at("2026-11-20 11:00"))
    assert (stopped.status, stopped.used_seconds) == ("stopped", 3 * 3600)
    assert stopped.elapsed_seconds(calendar=CALENDAR, at=at("2026-12-20 11:00")) == 3 * 3600
    assert stopped.stop(calendar=CALENDAR, at=at("2026-12-20 11:00")) is stopped
    assert stopped.pause(calendar=CALENDAR, at=at("2026-12-20 11:00")) is stopped
    paused = clock.pause(calendar=CALENDAR, at=at("2026-11-20 11:00"))
    assert paused.stop(calendar=CALENDAR, at=at("2026-11-20 17:00")) == stopped
    assert clock.resume(at=at("2026-11-20 17:00")) is clock
    reworked = stopped.resume(at=at("2026-11-24 08:00"))
    assert due(reworked) == "2026-11-24 09:00"


def test_a_clock_resumed_with_nothing_left_is_due_at_once() -> None:
    stopped = started("1 work_hours", "2026-11-20 08:00").stop(calendar=CALENDAR, at=at("2026-11-20 11:00"))
    assert due(stopped.resume(at=at("2026-11-20 15:30"))) == "2026-11-20 15:30"


def test_what_has_been_counted_stays_when_the_calendar_changes() -> None:
    clock = started("8 work_hours", "2026-11-20 14:00").pause(calendar=CALENDAR, at=at("2026-11-20 18:00"))
    free = frozenset({date(2026, 11, 20), date(2026, 11, 23)})
    changed = WorkCalendar(
        timezone="Asia/Shanghai", periods=[(time(9), time(17))], years={2026: YearTable(free, frozenset())}
    )
    assert clock.elapsed_seconds(calendar=changed, at=at("2026-11-22 18:00")) == 4 * 3600
    moment = clock.resume(at=at("2026-11-21 08:00")).deadline(calendar=changed)
    assert moment == at("2026-11-24 13:00")


def test_a_fixed_deadline_holds_until_a_break() -> None:
    fixed = at("2026-11-23 11:00")
    clock = start_clock(
        limit=Limit.parse("1 work_hours"), calendar=CALENDAR, at=at("2026-11-20 14:00"), fixed_deadline=fixed
    )
    assert clock.deadline(calendar=CALENDAR) == fixed
    assert clock.remaining_seconds(calendar=CALENDAR, at=at("2026-11-20 17:00")) == 4 * 3600
    assert clock.remaining_seconds(calendar=CALENDAR, at=at("2026-11-23 15:00")) == -2 * 3600
    assert due(clock.extend(calendar=CALENDAR)) == "2026-11-23 12:00"
    resumed = clock.pause(calendar=CALENDAR, at=at("2026-11-20 17:00")).resume(at=at("2026-11-24 08:00"))
    assert due(resumed) == "2026-11-24 12:00"
    assert resumed.remaining_seconds(calendar=CALENDAR, at=at("2026-11-24 08:00")) == 4 * 3600


@pytest.mark.parametrize("unit", TimeUnit)
def test_a_clock_survives_json(unit: TimeUnit) -> None:
    when = at("2026-11-20 08:00:01.234567")
    clock = start_clock(limit=Limit(3, unit), calendar=CALENDAR, at=when, fixed_deadline=when + timedelta(days=2))
    for one in (clock, clock.pause(calendar=CALENDAR, at=when + timedelta(hours=5, microseconds=1))):
        assert Clock.from_dict(json.loads(json.dumps(one.to_dict()))) == one
    with pytest.raises(BadInput, match="stored clock"):
        Clock.from_dict({"unit": "work_hours"})
    with pytest.raises(BadInput, match="stored clock"):
        Clock.from_dict({**clock.to_dict(), "status": "sleeping"})


# --- explanations -----------------------------------------------------------------------------------------------------


def told(spans: list[CountedSpan]) -> list[tuple[str, str, float, str]]:
    return [
        (
            f"{span.start.astimezone(CALENDAR.zone):%m-%d %H:%M}",
            f"{span.end.astimezone(CALENDAR.zone):%m-%d %H:%M}",
            span.counted_seconds / 3600,
            str(span.why),
        )
        for span in spans
    ]


def test_working_time_is_explained_by_what_lay_between() -> None:
    clock = started("20 work_hours", "2026-09-30 17:00")
    assert told(explain(clock=clock, calendar=CALENDAR, at=at("2026-10-08 15:00"))) == [
        ("09-30 17:00", "09-30 18:00", 1, "working"),
        ("09-30 18:00", "10-01 00:00", 0, "night"),
        ("10-01 00:00", "10-03 00:00", 0, "holiday"),
        ("10-03 00:00", "10-05 00:00", 0, "weekend"),
        ("10-05 00:00", "10-08 00:00", 0, "holiday"),
        ("10-08 00:00", "10-08 08:00", 0, "night"),
        ("10-08 08:00", "10-08 12:00", 4, "working"),
        ("10-08 12:00", "10-08 14:00", 0, "break"),
        ("10-08 14:00", "10-08 15:00", 1, "working"),
    ]


def test_an_adjusted_workday_is_told_apart() -> None:
    clock = started("20 work_hours", "2026-10-10 10:00")
    assert told(explain(clock=clock, calendar=CALENDAR, at=at("2026-10-10 13:00"))) == [
        ("10-10 10:00", "10-10 12:00", 2, "adjusted"),
        ("10-10 12:00", "10-10 13:00", 0, "break"),
    ]


def test_earlier_runs_are_one_line() -> None:
    clock = started("20 work_hours", "2026-11-18 10:00").pause(calendar=CALENDAR, at=at("2026-11-18 12:00"))
    assert told(explain(clock=clock, calendar=CALENDAR, at=at("2026-11-19 10:00"))) == [
        ("11-18 10:00", "11-19 10:00", 2, "earlier")
    ]
    resumed = clock.resume(at=at("2026-11-19 09:00"))
    assert told(explain(clock=resumed, calendar=CALENDAR, at=at("2026-11-19 10:00"))) == [
        ("11-18 10:00", "11-19 09:00", 2, "earlier"),
        ("11-19 09:00", "11-19 10:00", 1, "working"),
    ]


def test_continuous_time_is_one_line() -> None:
    clock = started("48 urgent_hours", "2026-11-20 22:36")
    assert told(explain(clock=clock, calendar=CALENDAR, at=at("2026-11-22 00:36"))) == [
        ("11-20 22:36", "11-22 00:36", 26, "continuous")
    ]
    assert explain(clock=clock, calendar=CALENDAR, at=at("2026-11-20 22:00")) == []


def test_a_long_story_is_cut_at_its_beginning() -> None:
    clock = started("30 work_days", "2026-03-02 08:00")
    now = at("2026-11-20 16:00")
    spans = explain(clock=clock, calendar=CALENDAR, at=now, most=10)
    assert len(spans) == 10
    assert spans[0].why == "summary"
    assert spans[0].start == clock.started_at
    assert all(left.end == right.start for left, right in itertools.pairwise(spans))
    assert sum(span.counted_seconds for span in spans) == clock.elapsed_seconds(calendar=CALENDAR, at=now)
