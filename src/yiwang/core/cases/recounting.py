"""A calendar that changed under open cases: the deadlines that people see are counted anew, each with an event of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from yiwang.core.cases.clockwork import visible_deadline
from yiwang.core.cases.events import SYSTEM, SYSTEM_ACTOR, Event
from yiwang.core.cases.rulebook import Rulebook
from yiwang.core.cases.state import CaseState
from yiwang.core.worktime import WorkCalendar

RECOUNT = "recount"  # no verb of a workflow: nobody can do it, and no workflow has to name it
REASON = "工作日历有变更，截止时间重新计算 / The working calendar changed; the deadline was counted anew"


def recount(state: CaseState, *, rules: Rulebook, calendar: WorkCalendar, at: datetime) -> Event | None:
    """The event that puts an open case's deadline where its running clocks now end; None where it is there already.

    What a clock had used when it was last paused stays, and so does a deadline that was recorded elsewhere.

    Args:
        state: The case.
        rules: Its city's rules, which say which clock is the main one.
        calendar: The calendar now in force.
        at: Now (aware).

    Raises:
        UnknownYear: When a clock runs into a year that the calendar does not know, and it states no fallback.
    """
    main = rules.workflow.main_clock
    if state.closed_at is not None or all(clock.resumed_at is None for clock in state.clocks.values()):
        return None
    whose, due = visible_deadline(state.clocks, main, calendar)
    changes: dict[str, Any] = {}
    if due != state.deadline or whose != state.deadline_clock:
        changes = {"deadline": due.isoformat() if due is not None else None, "deadline_clock": whose}
    if whose == main and due is not None and due != state.main_deadline:
        changes["main_deadline"] = due.isoformat()
    if not changes:
        return None
    was = {"deadline": state.deadline.isoformat()} if state.deadline is not None else {}
    at = at.astimezone(UTC)
    return Event(
        number=state.number, seq=state.seq + 1, at=max(at, state.updated_at or at), verb=RECOUNT, actor=SYSTEM_ACTOR.id,
        actor_name="", actor_unit="", role=SYSTEM, from_step=state.step, to_step=state.step, from_holder=state.holder,
        holder=state.holder, reason=REASON, payload={"set": changes, "was": was},
    )  # fmt: skip
