"""One row of facts per case: a pure function of its events. No rule is consulted, so a row never changes with the rules.

Only what has happened is counted: the stage and the holder that a case has now are open intervals, whose beginning is
in ``stage_since`` and ``held_since``. So a row does not depend on when it was made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import pairwise

from yiwang.core.cases.effects import EFFECTS
from yiwang.core.cases.events import SYSTEM, Event
from yiwang.core.cases.evolve import evolve
from yiwang.core.cases.fields import DECIDING, LOCATION
from yiwang.core.cases.state import CaseState
from yiwang.core.cases.units import UnitDirectory
from yiwang.core.facts.cases import BASES, FactContext, UnitFacts
from yiwang.core.facts.table import Row, region_codes
from yiwang.core.worktime import TimeUnit, WorkCalendar

CLOSED = "closed"
# how an end is called ← effect of the verb that led to it, where it was no closing
ENDS: Mapping[str, str] = {effect.id: effect.ends for effect in EFFECTS.values() if effect.ends}
# column ← effect that it counts
COUNTS: Mapping[str, str] = {effect.counts_as: effect.id for effect in EFFECTS.values() if effect.counts_as}
PLAIN = (
    "number", "seq", *LOCATION, *(name for name in DECIDING.values() if name != "region"), "step", "stage", "holder",
    "centre", "merged_into", "part_of", "overdue", "penalty_lifted", "rating",
)  # fmt: skip
DEPARTMENTS = frozenset({"department", "community"})


def unit_facts(units: UnitDirectory) -> dict[str, UnitFacts]:
    """What the facts say of each unit of a city."""
    found = {}
    for unit in units:
        upwards = [unit, *units.above(unit.code)]
        department = next((other.code for other in upwards if other.kind in DEPARTMENTS), unit.code)
        chain = "/".join(other.code for other in reversed(upwards))
        found[unit.code] = UnitFacts(kind=unit.kind, level=unit.level, department=department, chain=chain)
    return found


def fact_row(events: Sequence[Event], *, context: FactContext, calendar: WorkCalendar) -> Row:
    """The row of a case.

    Args:
        events: All of its events, in order.
        context: Names and codes of the city.
        calendar: Working time, for the seconds that end in ``work_s``.

    Returns:
        A value for every column of ``context.columns``, in their order. ``recurrences`` is 0 and
        ``reports`` 1: they depend on more than the events.

    Raises:
        BadInput: When there is no event or one is out of its turn.
    """
    states: list[CaseState] = []
    state: CaseState | None = None
    for event in events:
        state = evolve(state, event)
        states.append(state)
    row: Row = dict(context.blank)
    last = states[-1]
    row |= {name: getattr(last, name) for name in PLAIN}
    row |= {column: last.count(name) for column, name in COUNTS.items()}
    _opening(row, events[0], context)
    _places(row, context)
    _moments(row, events, last, context)
    _durations(row, events, states, context, calendar)
    _clocks(row, events, last, context)
    _units(row, events, last, context, calendar)
    for event in events:
        if event.role != SYSTEM and (column := f"post_{event.role}") in row:
            row[column] = event.actor
    row |= {
        "city": context.city,
        "reports": 1,
        "events": len(events),
        "end_kind": end_kind(events) if last.closed_at is not None else "",
        "duplicates": len(last.duplicates),
        "parts": len(last.parts),
        "handlers": len(last.handlers),
    }
    return row


def _opening(row: Row, first: Event, context: FactContext) -> None:
    flags = first.payload.get("flags") or [""]
    row["flag"] = flags[0]
    row["external"] = first.payload.get("external", "")
    row["opener"] = first.role
    row["opened_by"] = first.actor if first.role in context.posts else ""  # never who a citizen is
    row["major"], row["kind"] = context.categories.get(row["category"], ("", ""))


def _places(row: Row, context: FactContext) -> None:
    row |= region_codes(row["region"], levels=context.levels, root=context.root)
    row["located"] = row["lon"] is not None and not row["flag"]


def end_kind(events: Sequence[Event]) -> str:
    """How a case that has ended did: ``closed``, or what the effect of the verb calls it that led to the end.

    Args:
        events: All of its events, in order.
    """
    ending = next((event for event in reversed(events) if event.from_step != event.to_step), events[-1])
    counted = ending.payload.get("add", {})
    return next((kind for name, kind in ENDS.items() if name in counted), CLOSED)


def _moments(row: Row, events: Sequence[Event], last: CaseState, context: FactContext) -> None:
    row |= {
        "opened_at": last.opened_at,
        "filed_at": last.filed_at,
        "disposed_at": last.finished_at,
        "closed_at": last.closed_at,
        "updated_at": last.updated_at,
        "deadline_at": last.main_deadline,
    }
    for name, verbs in context.moments.items():
        marked = (event.at for event in events if event.verb in verbs)
        row[f"{name}_at"] = next(marked, None) if name == "responded" else max(marked, default=None)
    if "responded" not in context.moments:
        row["responded_at"] = next((event.at for event in events if event.payload.get("handler")), None)
    if row["responded_at"] is not None:
        row["response_s"] = round((row["responded_at"] - row["opened_at"]).total_seconds())
    dispatch = _dispatch(events, context)
    row["dispatched_at"] = dispatch.at if dispatch is not None else None
    for basis, column in BASES.items():
        row[column] = _day(row["deadline_at" if basis == "due" else f"{basis}_at"], context)


def _dispatch(events: Sequence[Event], context: FactContext) -> Event | None:
    """The event that sent the case to its unit: it started the main clock. Where no limit is set, and so no clock runs, the
    first for which the routing table was asked, or after which a unit other than a centre had the case."""
    timed = next((event for event in events if context.main_clock in event.payload.get("clocks", {})), None)
    return timed or next((event for event in events if _has_routing(event) or _is_handler(event.holder, context)), None)


def _has_routing(event: Event) -> bool:
    return "routing" in event.payload.get("why", {})


def _is_handler(unit: str, context: FactContext) -> bool:
    known = context.units.get(unit)
    return known is not None and known.kind != "centre"


def _day(moment: datetime | None, context: FactContext) -> date | None:
    return None if moment is None else moment.astimezone(context.zone).date()


def _durations(
    row: Row, events: Sequence[Event], states: Sequence[CaseState], context: FactContext, calendar: WorkCalendar
) -> None:
    """Seconds by stage, in all and while the main clock was paused. What lies between an end and a reopening is not counted."""
    last = states[-1]
    since = events[0].at
    for (before, state), (event, after) in pairwise(zip(events, states, strict=True)):
        if after.stage != state.stage:
            since = event.at
        if state.closed_at is not None:
            continue
        wall, work = _seconds(before.at, event.at, calendar)
        row["wall_s"] += wall
        row["work_s"] += work
        if f"stage_{state.stage}_wall_s" in row:
            row[f"stage_{state.stage}_wall_s"] += wall
            row[f"stage_{state.stage}_work_s"] += work
        main = state.clocks.get(context.main_clock)
        if main is not None and main.status == "paused":
            row["paused_wall_s"] += wall
            row["paused_work_s"] += work
    row["stage_since"] = since if last.closed_at is None else None


def _seconds(start: datetime, end: datetime, calendar: WorkCalendar) -> tuple[int, int]:
    if end <= start:
        return 0, 0
    work = calendar.elapsed_seconds(start=start, end=end, unit=TimeUnit.WORK_HOURS)
    return round((end - start).total_seconds()), round(work)


def _clocks(row: Row, events: Sequence[Event], last: CaseState, context: FactContext) -> None:
    """Runs of each clock, and how many of those that were stopped had used more than their limit.

    The main clock is late where the case is: `overdue` knows of recorded deadlines that no limit explains.
    """
    was: dict[str, str] = {}
    for event in events:
        for name, clock in event.payload.get("clocks", {}).items():
            if f"clock_{name}_runs" not in row:
                continue
            status, earlier = clock["status"], was.get(name, "")
            was[name] = status
            if status == "running" and earlier in ("", "stopped"):
                row[f"clock_{name}_runs"] += 1
            elif status == "stopped" and earlier != "stopped":
                row[f"clock_{name}_done"] += 1
                row[f"clock_{name}_late"] += clock["used_seconds"] > clock["limit_seconds"]
    for name, clock in last.clocks.items():
        if f"clock_{name}_used_s" in row:
            row[f"clock_{name}_used_s"] = round(clock.used_seconds)
    main = last.clocks.get(context.main_clock)
    if main is not None:
        row["main_clock"], row["limit_s"], row["used_s"] = (
            str(main.status),
            main.limit_seconds,
            round(main.used_seconds),
        )
    row["dispatches"] = row.get(f"clock_{context.main_clock}_runs", 0)
    if not row["dispatches"] and row["dispatched_at"] is not None:
        row["dispatches"] = max(1, sum(map(_has_routing, events)))


def _unit_without_clock(events: Sequence[Event], last: CaseState, context: FactContext) -> str:
    """The unit that answers for a case whose main clock never ran: the last one other than a centre that had it, else
    the one that it was sent to; empty before it was sent anywhere."""
    handlers = (link.unit for link in reversed(last.custody) if _is_handler(link.unit, context))
    dispatch = _dispatch(events, context)
    return next(handlers, dispatch.holder if dispatch is not None else "")


def _units(row: Row, events: Sequence[Event], last: CaseState, context: FactContext, calendar: WorkCalendar) -> None:
    """The chain of holders, the time that each level had, and the unit that answers for the main clock."""
    links = []
    departments = set()
    for link in last.custody:
        known = context.units.get(link.unit)
        if known is not None and known.kind != "centre":
            departments.add(known.department)
        wall, work = (None, None) if link.until is None else _seconds(link.since, link.until, calendar)
        links.append([link.unit, link.level, link.since.isoformat(), link.until and link.until.isoformat(), wall, work])
        if wall is not None and f"level_{link.level}_wall_s" in row:
            row[f"level_{link.level}_wall_s"] += wall
            row[f"level_{link.level}_work_s"] += work
    row["custody"] = json.dumps(links, ensure_ascii=False, separators=(",", ":"))
    row["handovers"] = max(0, len(links) - 1)
    row["departments"] = len(departments)
    row["holder_level"] = last.level
    row["held_since"] = last.custody[-1].since if last.custody and last.custody[-1].until is None else None
    unit = last.main_unit or _unit_without_clock(events, last, context)
    known = context.units.get(unit)
    row["unit"] = row["department"] = row["unit_chain"] = unit
    if known is not None:
        row["unit_kind"], row["unit_level"] = known.kind, known.level
        row["department"], row["unit_chain"] = known.department, known.chain
