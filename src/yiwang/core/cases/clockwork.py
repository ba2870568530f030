"""What a verb does to the clocks of a case, and to the deadline that people see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from yiwang.core.cases.attempt import NOT_GIVEN, Attempt, facts_of
from yiwang.core.cases.definitions import GOES_ON
from yiwang.core.cases.lateness import is_late
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


def clocks_after(attempt: Attempt, holder: str) -> Clocks:
    """The clocks after the verb, with which the case goes to ``holder``: stopped, paused, resumed, extended and started, in
    this order.

    Entering an end stops every clock. Whether the main clock has run out is recorded whenever it is stopped, paused or
    started anew, since afterwards nothing would show it.
    """
    plan, verb, calendar, at = attempt.plan, attempt.plan.verb, attempt.calendar, attempt.at
    main, found = attempt.rules.workflow.main_clock, Clocks(dict(attempt.state.clocks), {})

    def put(name: str, clock: Clock) -> None:
        found.changed[name] = found.all[name] = clock

    if plan.ends or main in verb.stop or main in verb.pause or main in verb.start:
        found.late = is_late(attempt.state, rules=attempt.rules, at=at)
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
        started = _new_clock(name, attempt, holder)
        if started is not None:
            put(name, started)
    return found


def _new_clock(name: str, attempt: Attempt, holder: str) -> Clock | None:
    """A clock that starts now, with its own limit, the one of the limits table, or a recorded deadline.

    None where the pack sets no limit, and where it is recorded that there was none. The unit that has returned a case and
    gets it again does not begin anew, unless the workflow says so: what it has used stays used.
    """
    literal = attempt.rules.workflow.literals[name]
    if literal is not None:
        return start_clock(limit=literal, calendar=attempt.calendar, at=attempt.at)
    limit, ruled = attempt.rules.limit_for(facts_of(attempt.state), attempt.on)
    if ruled is not None:
        attempt.why("limits", ruled.to_dict())
    if attempt.deadline is NOT_GIVEN:
        if limit is None:
            return None
        clock = start_clock(limit=limit, calendar=attempt.calendar, at=attempt.at)
        return _restart_clock(name, clock, attempt) if _same_unit(name, attempt, holder) else clock
    predicted = None if limit is None else attempt.calendar.add(start=attempt.at, limit=limit)
    attempt.why("predicted_deadline", predicted.isoformat() if predicted else "")
    return None if attempt.deadline is None else _clock_with_deadline(attempt.deadline, limit, attempt)


def _same_unit(name: str, attempt: Attempt, holder: str) -> bool:
    """Whether the case goes again to the unit that returned it, and that unit's clock goes on."""
    workflow, state = attempt.rules.workflow, attempt.state
    if not state.returned_from or name != workflow.main_clock or workflow.same_unit != GOES_ON:
        return False
    clock = state.clocks.get(name)
    if clock is None or clock.resumed_at is None:
        return holder == state.main_unit
    # a return that lets the clock run makes the centre answer for it: the unit is the last that was none
    units = attempt.rules.units
    held = (link.unit for link in reversed(state.custody) if (unit := units.get(link.unit)) and unit.kind != CENTRE)
    return holder == next(held, "")


def _restart_clock(name: str, anew: Clock, attempt: Attempt) -> Clock | None:
    """The clock that was stopped, running again; None where it still runs.

    Where the limit is another one by now (the category was corrected, say), that one holds, less what has been used; in
    another kind of time nothing can be taken over.
    """
    before = attempt.state.clocks.get(name)
    if before is None or before.unit != anew.unit:
        return anew
    if before.original_seconds == anew.original_seconds:
        return None if before.resumed_at is not None else before.resume(at=attempt.at)
    return replace(
        anew,
        started_at=before.started_at,
        resumed_at=before.resumed_at or attempt.at,
        used_seconds=before.used_seconds,
    )


def _clock_with_deadline(deadline: datetime, limit: Limit | None, attempt: Attempt) -> Clock:
    """A clock whose deadline was recorded elsewhere: that deadline holds, whatever the limit would have said."""
    if limit is None:
        limit = Limit(max(0.0, (deadline - attempt.at).total_seconds()) / 3600, TimeUnit.URGENT_HOURS)
    return start_clock(limit=limit, calendar=attempt.calendar, at=attempt.at, fixed_deadline=deadline)


def visible_deadline(clocks: Mapping[str, Clock], main: str, calendar: WorkCalendar) -> tuple[str, datetime | None]:
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


def clock_changes(attempt: Attempt, holder: str) -> tuple[dict[str, Any], dict[str, Clock]]:
    """The fields of the case that the verb changes by way of the clocks, and the clocks that it touched."""
    state, main = attempt.state, attempt.rules.workflow.main_clock
    clocks = clocks_after(attempt, holder)
    values: dict[str, Any] = {}
    if clocks.late and not (state.overdue and not state.penalty_lifted):
        values["overdue"] = True
        if state.penalty_lifted:  # late again, after the first lateness was forgiven
            values["penalty_lifted"] = False
    if clocks.finished and (attempt.plan.closes or not attempt.plan.ends):
        values["finished_at"] = attempt.at.isoformat()
    elif state.finished_at is not None and (running := clocks.all.get(main)) and running.resumed_at is not None:
        values["finished_at"] = None  # sent back: it is not done after all
    if attempt.plan.ends:  # every clock stands still; what is left to see is by when it should have been done
        whose, due = (main if state.main_deadline is not None else ""), state.main_deadline
    else:
        whose, due = visible_deadline(clocks.all, main, attempt.calendar)
    if due != state.deadline or whose != state.deadline_clock:
        values["deadline"] = due.isoformat() if due is not None else None
        values["deadline_clock"] = whose
    if whose == main and due is not None:
        if due != state.main_deadline:
            values["main_deadline"] = due.isoformat()
        if holder != state.main_unit and not attempt.plan.ends:
            values["main_unit"] = holder
    return values, clocks.changed
