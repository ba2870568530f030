"""What the passing of time asks for: escalations as a clock runs down, suspensions that end. No timer per case: the
next moment at which anything is due is a column, and one query finds the cases whose moment has come."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from yiwang.core.cases.definitions import Escalation
from yiwang.core.cases.events import SYSTEM, SYSTEM_ACTOR, Command
from yiwang.core.cases.permissions import objection
from yiwang.core.cases.rulebook import Rulebook
from yiwang.core.cases.state import CaseState
from yiwang.core.worktime import Clock, WorkCalendar


def agenda(state: CaseState, *, rules: Rulebook, calendar: WorkCalendar) -> Iterator[tuple[datetime, Command]]:
    """Everything that the system will do with the case if nobody acts before, with its moment; not sorted.

    What would be refused (at another step, used up, nothing to answer) is left out, so that a tick never tries in vain.
    """
    if state.closed_at is not None:
        return
    workflow = rules.workflow
    if state.resume_at is not None:
        for verb in workflow.verbs_from(state.step):
            if verb.effect == "resume" and SYSTEM in verb.roles:
                yield state.resume_at, Command(verb=verb.id, actor=SYSTEM_ACTOR)
                break
    for rule in workflow.escalations:
        clock = state.clocks.get(rule.clock)
        if clock is None or clock.resumed_at is None or (rule.steps and state.step not in rule.steps):
            continue
        # a clock that is started anew or extended escalates again at its new moments
        key = f"{rule.clock}:{rule.at}:{rule.verb}:{clock.started_at:%Y%m%dT%H%M%S}:{clock.extensions}"
        if key in state.fired:
            continue
        when = moment(clock, rule, calendar=calendar)
        if objection(workflow.plans[rule.verb], state, SYSTEM_ACTOR, SYSTEM, rules=rules, at=when) is None:
            yield when, Command(verb=rule.verb, actor=SYSTEM_ACTOR, payload={"fired": key})


def moment(clock: Clock, rule: Escalation, *, calendar: WorkCalendar) -> datetime:
    """When a running clock comes to the moment of an escalation: a share of its limit, or a time before or after its
    deadline. A moment that has passed already is one in the past, or the start of the clock."""
    assert clock.resumed_at is not None
    if rule.offset is not None:
        due = clock.deadline(calendar=calendar)
        assert due is not None
        if not rule.early:
            return calendar.add(start=due, limit=rule.offset)
        seconds = clock.limit_seconds - calendar.seconds(rule.offset)
        if clock.fixed_deadline is not None or rule.offset.unit != clock.unit:
            return due - timedelta(seconds=calendar.seconds(rule.offset))
        return _moment_of_use(clock, seconds, calendar)
    assert rule.share is not None
    if clock.fixed_deadline is not None:
        whole = (clock.fixed_deadline - clock.started_at).total_seconds()
        return clock.started_at + timedelta(seconds=rule.share * whole)
    return _moment_of_use(clock, rule.share * clock.limit_seconds, calendar)


def _moment_of_use(clock: Clock, seconds: float, calendar: WorkCalendar) -> datetime:
    """When a running clock will have used so much."""
    assert clock.resumed_at is not None
    left = max(0.0, round(seconds - clock.used_seconds, 6))
    return calendar.add_seconds(start=clock.resumed_at, seconds=left, unit=clock.unit)


def next_due(state: CaseState, *, rules: Rulebook, calendar: WorkCalendar) -> datetime | None:
    """The next moment at which the system has something to do with the case."""
    return min((at for at, _ in agenda(state, rules=rules, calendar=calendar)), default=None)


def due(state: CaseState, *, rules: Rulebook, calendar: WorkCalendar, at: datetime) -> list[Command]:
    """What the system is to do now, earliest first. Do the first one, then ask again: it may have changed the rest."""
    waiting = sorted(
        ((when, command.verb, command) for when, command in agenda(state, rules=rules, calendar=calendar)),
        key=lambda item: item[:2],
    )
    return [command for when, _, command in waiting if when <= at]
