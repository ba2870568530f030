"""What a verb does to the clocks of a case, and to the deadline that people see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from yiwang.core.cases.asking import NOT_GIVEN, Asked, facts_of
from yiwang.core.cases.definitions import GOES_ON
from yiwang.core.cases.lateness import late
from yiwang.core.cases.units import CENTRE
from yiwang.core.worktime import Clock, ClockStatus, Limit, TimeUnit, WorkCalendar, start_clock


@dataclass(slots=True)
class Clocks:
    """The clocks after a verb.

    Attributes:
        all: Every clock.
        changed: Those that the verb touched.
        late: The main clock was found to have run out.
        finished: The main clock was stopped.
    """

    all: dict[str, Clock]
    changed: dict[str, Clock]
    late: bool = False
    finished: bool = False


def turned(asked: Asked, holder: str) -> Clocks:
    """The clocks after the verb, with which the case goes to ``holder``: stopped, paused, resumed, extended and started, in
    this order.

    Entering an end stops every clock. Whether the main clock has run out is recorded whenever it is stopped, paused or
    started anew, since afterwards nothing would show it.
    """
    plan, verb, calendar, at = asked.plan, asked.plan.verb, asked.calendar, asked.at
    main, found = asked.rules.workflow.main_clock, Clocks(dict(asked.state.clocks), {})

    def put(name: str, clock: Clock) -> None:
        found.changed[name] = found.all[name] = clock

    if plan.ends or main in verb.stop or main in verb.pause or main in verb.start:
        found.late = late(asked.state, rules=asked.rules, at=at)
    for name in tuple(found.all) if plan.ends else verb.stop:
        clock = found.all.get(name)
        if clock is not None and clock.status != ClockStatus.STOPPED:
            put(name, clock.stop(calendar=calendar, at=at))
            found.finished |= name == main
    for name in verb.pause:
        if (clock := found.all.get(name)) is not None and clock.status == ClockStatus.RUNNING:
            put(name, clock.pause(calendar=calendar, at=at))
    for name in verb.resume:
        if (clock := found.all.get(name)) is not None and clock.status != ClockStatus.RUNNING:
            put(name, clock.resume(at=at))
    for name in verb.extend:
        if (clock := found.all.get(name)) is not None and clock.status != ClockStatus.STOPPED:
            put(name, clock.extend(calendar=calendar))
    for name in verb.start:
        started = _started(name, asked, holder)
        if started is not None:
            put(name, started)
    return found


def _started(name: str, asked: Asked, holder: str) -> Clock | None:
    """A clock that starts now, with its own limit, the one of the limits table, or a recorded deadline.

    None where the pack sets no limit, and where it is recorded that there was none. The unit that has returned a case and
    gets it again does not begin anew, unless the workflow says so: what it has used stays used.
    """
    literal = asked.rules.workflow.literals[name]
    if literal is not None:
        return start_clock(limit=literal, calendar=asked.calendar, at=asked.at)
    limit, ruled = asked.rules.limited(facts_of(asked.state), asked.on)
    if ruled is not None:
        asked.why("limits", ruled.to_dict())
    if asked.deadline is NOT_GIVEN:
        if limit is None:
            return None
        clock = start_clock(limit=limit, calendar=asked.calendar, at=asked.at)
        return _gone_on(name, clock, asked) if _same_unit(name, asked, holder) else clock
    predicted = None if limit is None else asked.calendar.add(start=asked.at, limit=limit)
    asked.why("predicted_deadline", predicted.isoformat() if predicted else "")
    return None if asked.deadline is None else _recorded(asked.deadline, limit, asked)


def _same_unit(name: str, asked: Asked, holder: str) -> bool:
    """Whether the case goes again to the unit that returned it, and that unit's clock goes on."""
    workflow, state = asked.rules.workflow, asked.state
    if not state.returned_from or name != workflow.main_clock or workflow.same_unit != GOES_ON:
        return False
    clock = state.clocks.get(name)
    if clock is None or clock.resumed_at is None:
        return holder == state.main_unit
    # a return that lets the clock run makes the centre answer for it: the unit is the last that was none
    units = asked.rules.units
    held = (link.unit for link in reversed(state.custody) if (unit := units.get(link.unit)) and unit.kind != CENTRE)
    return holder == next(held, "")


def _gone_on(name: str, anew: Clock, asked: Asked) -> Clock | None:
    """The clock that was stopped, running again; None where it still runs.

    Where the limit is another one by now (the category was corrected, say), that one holds, less what has been used; in
    another kind of time nothing can be taken over.
    """
    before = asked.state.clocks.get(name)
    if before is None or before.unit != anew.unit:
        return anew
    if before.original_seconds == anew.original_seconds:
        return None if before.resumed_at is not None else before.resume(at=asked.at)
    return replace(
        anew,
        started_at=before.started_at,
        resumed_at=before.resumed_at or asked.at,
        used_seconds=before.used_seconds,
    )


def _recorded(deadline: datetime, limit: Limit | None, asked: Asked) -> Clock:
    """A clock whose deadline was recorded elsewhere: that deadline holds, whatever the limit would have said."""
    if limit is None:
        limit = Limit(max(0.0, (deadline - asked.at).total_seconds()) / 3600, TimeUnit.URGENT_HOURS)
    return start_clock(limit=limit, calendar=asked.calendar, at=asked.at, fixed_deadline=deadline)


def shown_deadline(clocks: Mapping[str, Clock], main: str, calendar: WorkCalendar) -> tuple[str, datetime | None]:
    """The deadline people see, and whose it is: the main clock's while it runs, else the nearest of the others."""
    clock = clocks.get(main)
    if clock is not None and clock.resumed_at is not None:
        return main, clock.deadline(calendar=calendar)
    nearest: datetime | None = None
    whose = ""
    for name, other in clocks.items():
        if other.resumed_at is None:
            continue
        due = other.deadline(calendar=calendar)
        if due is not None and (nearest is None or due < nearest):
            whose, nearest = name, due
    return whose, nearest


def clock_changes(asked: Asked, holder: str) -> tuple[dict[str, Any], dict[str, Clock]]:
    """The fields of the case that the verb changes by way of the clocks, and the clocks that it touched."""
    state, main = asked.state, asked.rules.workflow.main_clock
    clocks = turned(asked, holder)
    values: dict[str, Any] = {}
    if clocks.late and not (state.overdue and not state.penalty_lifted):
        values["overdue"] = True
        if state.penalty_lifted:  # late again, after the first lateness was forgiven
            values["penalty_lifted"] = False
    if clocks.finished and (asked.plan.closes or not asked.plan.ends):
        values["finished_at"] = asked.at.isoformat()
    elif state.finished_at is not None and (running := clocks.all.get(main)) and running.resumed_at is not None:
        values["finished_at"] = None  # sent back: it is not done after all
    if asked.plan.ends:  # every clock stands still; what is left to see is by when it should have been done
        whose, due = (main if state.main_deadline is not None else ""), state.main_deadline
    else:
        whose, due = shown_deadline(clocks.all, main, asked.calendar)
    if due != state.deadline or whose != state.deadline_clock:
        values["deadline"] = due.isoformat() if due is not None else None
        values["deadline_clock"] = whose
    if whose == main and due is not None:
        if due != state.main_deadline:
            values["main_deadline"] = due.isoformat()
        if holder != state.main_unit and not asked.plan.ends:
            values["main_unit"] = holder
    return values, clocks.changed
