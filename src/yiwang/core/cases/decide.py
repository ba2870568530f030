"""Deciding: a command on a state gives events or a refusal. Pure and total; the time is passed in.

One path serves every verb: is it this case's turn, may this actor, is everything there, then the operation's own state,
custody, clocks. The data says which; `effects` knows the few operations with a state of their own, `intake` how a case
is opened.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from yiwang.core.cases.attempt import NOT_GIVEN, Attempt
from yiwang.core.cases.clockwork import clock_changes
from yiwang.core.cases.corrections import corrections
from yiwang.core.cases.custody import next_holder
from yiwang.core.cases.definitions import Plan
from yiwang.core.cases.effects import REQUESTS
from yiwang.core.cases.events import SYSTEM, SYSTEM_ACTOR, Actor, Command, Event
from yiwang.core.cases.evolve import evolve
from yiwang.core.cases.fields import CASE_FIELDS, CORRECTABLE, DECIDING, facts_in
from yiwang.core.cases.payloads import FIELDS, field_name, payload_fields
from yiwang.core.cases.permissions import objection, role_of, wrong_role
from yiwang.core.cases.rulebook import Rulebook
from yiwang.core.cases.state import CaseState, blank
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Conflict, Missing, NotPossible, Refusal, Unknown, Unruled
from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.core.worktime import Clock, WorkCalendar

# Flag of a report whose address names another district than the one in which its point lies.
DISAGREES = "disagrees"
REPORT_FIELDS = frozenset((*CASE_FIELDS, "number", "photos", "flags", "external", "unit", "note"))


def decide(
    state: CaseState | None, command: Command, *, rules: Rulebook, calendar: WorkCalendar, at: datetime
) -> list[Event]:
    """What comes of a command.

    Args:
        state: The case so far; None for the command that opens one (its payload carries ``number``).
        command: The wish.
        rules: The city's rules.
        calendar: The city's working time.
        at: Now (aware). A case's time never runs backwards: a moment before its last event counts as that event's.

    Returns:
        The events, in order; at least one. Opening a case may give several, as far as triage lets the system carry it.

    Raises:
        Refusal: `Conflict`, `NotAllowed`, `NotPossible`, `Missing`, `Invalid`, `Unknown` or `Unruled`, each with both
            languages. Nothing else.
    """
    return _decide(state, command, rules, calendar, at)[0]


def advance(
    state: CaseState | None, command: Command, *, rules: Rulebook, calendar: WorkCalendar, at: datetime
) -> tuple[list[Event], CaseState]:
    """`decide`, and the state after the events: what folding them gives, without folding any of them twice."""
    events, before_last = _decide(state, command, rules, calendar, at)
    return events, evolve(before_last, events[-1])


def _decide(
    state: CaseState | None, command: Command, rules: Rulebook, calendar: WorkCalendar, at: datetime
) -> tuple[list[Event], CaseState | None]:
    """The events, and the state before the last of them."""
    at = at.astimezone(UTC)  # one notation in the ledger, whatever zone the caller thinks in
    try:
        plan = rules.workflow.plans.get(command.verb)
        if plan is None:
            raise Unknown(
                Text("没有「{verb}」这个动作。", "There is no verb {verb!r}.", verb=command.verb), field="verb"
            )
        if state is None:
            return _open_case(plan, command, rules, calendar, at)
        return [_act(plan, state, command, rules, calendar, at)], state
    except BadInput as error:
        raise Unruled(
            Text("城市规则无法给出答案：{error}", "The city's rules give no answer: {error}", error=error.text)
        ) from error


def _act(
    plan: Plan, state: CaseState, command: Command, rules: Rulebook, calendar: WorkCalendar, at: datetime
) -> Event:
    expected = command.expected_seq
    if expected is not None and expected != state.seq:
        raise Conflict(
            Text(
                "别人先动了这个案卷：您看到的是第 {expected} 步，现在是第 {seq} 步。请看过再办。",
                "Somebody acted first: you saw event {expected}, the case is at {seq}. Look again, then decide.",
                expected=expected,
                seq=state.seq,
            ),
        )
    if state.updated_at is not None and at < state.updated_at:
        at = state.updated_at
    role = role_of(plan, command.actor)
    refusal = objection(plan, state, command.actor, role, rules=rules, at=at)
    if refusal is not None:
        raise refusal
    payload = payload_fields(command.payload, plan.carries)
    if role != SYSTEM:
        _check_complete(plan, state, payload)
    attempt = Attempt(plan, state, command.actor, role, payload, rules, calendar, at, _local_day(at, calendar))
    if role == SYSTEM and command.payload:
        _take_record(attempt, command.payload)
    return _event(attempt)


def _local_day(at: datetime, calendar: WorkCalendar) -> date:
    return at.astimezone(calendar.zone).date()


def _take_record(attempt: Attempt, payload: Mapping[str, Any]) -> None:
    """What only the system may say: a recorded deadline, and which escalation this is."""
    if "deadline" in payload:
        attempt.deadline = FIELDS["deadline"].read(payload["deadline"])
    if payload.get("fired"):
        attempt.tells["fired"] = str(payload["fired"])


def _check_complete(plan: Plan, state: CaseState, payload: Mapping[str, Any]) -> None:
    """Whether people said what the verb asks of them. A unit may come from the routing table, a category from the case;
    the system need not explain itself."""
    for name in plan.needs:
        if name in payload or (name == "unit" and plan.verb.moves == "down"):
            continue
        if name in CORRECTABLE and getattr(state, name) not in ("", None):
            continue
        lacking = Text("「{verb}」还缺：{what}。", "“{verb}” needs {what}.", verb=plan.verb.name, what=field_name(name))
        raise Missing(lacking, field=name)
    if plan.finishes and "reason" not in payload and "asked" in state.assisting.values():
        unfinished = Text(
            "还有会办单位未完成；要先反馈须写明理由。",
            "Assisting units have not finished; going on without them needs a reason.",
        )
        raise Missing(unfinished, field="reason")


def _event(attempt: Attempt) -> Event:
    """The one event that a verb on an existing case gives."""
    plan, before, payload = attempt.plan, attempt.state, attempt.payload
    verb, target = plan.verb, attempt.plan.target
    changes: dict[str, Any] = {}
    if not payload.keys().isdisjoint(CORRECTABLE):
        changes = corrections(attempt)
        if changes:
            attempt.state = before.with_changes(changes)  # what follows goes by what is now known
    changes |= plan.effect.apply(attempt)
    holder = next_holder(attempt) if attempt.holder is None or verb.moves != "stay" else attempt.holder
    if before.assignee and holder != before.holder:
        changes["assignee"] = ""
    touched: dict[str, Clock] = {}
    if plan.clocks:
        values, touched = clock_changes(attempt, holder)
        changes |= values
    elif before.deadline_clock == attempt.rules.workflow.main_clock and holder != before.main_unit:
        changes["main_unit"] = holder
    to_step = before.step
    if target is not None:
        to_step = target.id
        if target.stage != before.stage:
            changes["stage"] = target.stage
        if target.end:
            changes["closed_at"] = attempt.at.isoformat()
        if to_step != before.step or holder != before.holder:
            _lapse(attempt, to_step, holder, changes)
    if verb.files:
        changes["filed_at"] = attempt.at.isoformat()
    tells = attempt.tells
    if fired := tells.pop("fired", ""):
        changes["fired"] = sorted({*before.fired, fired})
    body: dict[str, Any] = {**payload, **tells, "set": changes, "add": dict.fromkeys(plan.counts, 1)}
    reason = body.pop("reason", "")
    if touched:
        body["clocks"] = {name: clock.to_dict() for name, clock in touched.items()}
    if holder != before.holder:
        body["level"] = attempt.rules.level_of(holder)
    if verb.handles:
        body["handler"] = attempt.actor.id
    return _new_event(attempt.actor, attempt.role, before, verb.id, to_step, holder, reason, body, attempt.at)


def _lapse(attempt: Attempt, to_step: str, holder: str, changes: dict[str, Any]) -> None:
    """What the case leaves behind with its step: a request nobody can answer any more, a suspension, a return."""
    state, workflow = attempt.state, attempt.rules.workflow
    pending = state.pending
    if pending is not None and "pending" not in changes:
        kind = str(pending.get("kind"))
        if to_step not in workflow.answers.get(kind, ()) or (holder != state.holder and kind in REQUESTS):
            changes["pending"] = None
            attempt.tells["lapsed"] = kind
    if state.resume_at is not None and to_step != state.step:
        changes.setdefault("resume_at", None)
    if state.returned_from and "returned_from" not in changes:
        target = attempt.plan.target
        assert target is not None
        if target.end or workflow.order[to_step] >= workflow.order.get(state.returned_from, 0):
            changes["returned_from"] = ""


def _new_event(
    actor: Actor,
    role: str,
    state: CaseState,
    verb: str,
    to_step: str,
    holder: str,
    reason: str,
    body: dict[str, Any],
    at: datetime,
) -> Event:
    return Event(
        number=state.number, seq=state.seq + 1, at=at, verb=verb, actor=actor.id, actor_name=actor.name,
        actor_unit=actor.unit, role=role, from_step=state.step, to_step=to_step, from_holder=state.holder, holder=holder,
        reason=reason, payload=body,
    )  # fmt: skip


# --- opening a case ---------------------------------------------------------------------------------------------------


def _open_case(
    plan: Plan, command: Command, rules: Rulebook, calendar: WorkCalendar, at: datetime
) -> tuple[list[Event], CaseState | None]:
    """Report, triage, and the way that the system itself may carry the case."""
    actor = command.actor
    if plan.origins:
        raise NotPossible(Text("案卷不存在。", "There is no such case."))
    role = role_of(plan, actor)
    if not role:
        raise wrong_role(plan, rules)
    payload = payload_fields(command.payload, REPORT_FIELDS)
    number = payload.pop("number", "")
    if not number:
        raise Missing(Text("新案卷须有编号。", "A new case needs its number."), field="number")
    before = blank(number)
    if role != SYSTEM:
        _check_complete(plan, before, payload)
    attempt = Attempt(plan, before, actor, role, payload, rules, calendar, at, _local_day(at, calendar))
    event, auto = _report(attempt)
    events: list[Event] = [event]
    state: CaseState | None = None
    recorded = _system_record(command.payload, role)
    if DISAGREES in payload.get("flags", ()) and not recorded:
        auto = ""  # where it belongs is not sure: a person looks before anybody is sent
    for verb in rules.workflow.paths.get(auto, ()):
        known = evolve(state, events[-1])
        try:
            event = _carry_on(rules.workflow.plans[verb.id], known, recorded, attempt)
        except Refusal:
            if recorded:
                raise  # what a record says must be taken as it is, or not at all
            break  # e.g. no unit is known: people go on from here
        events.append(event)
        state = known
    return events, state


def _system_record(payload: Mapping[str, Any], role: str) -> dict[str, Any]:
    """The unit and the deadline of a record, which a replay takes instead of the tables' own."""
    if role != SYSTEM:
        return {}
    recorded: dict[str, Any] = {"unit": payload["unit"]} if payload.get("unit") else {}
    if "deadline" in payload:
        recorded["deadline"] = FIELDS["deadline"].read(payload["deadline"])
    return recorded


def _carry_on(plan: Plan, state: CaseState, recorded: Mapping[str, Any], attempt: Attempt) -> Event:
    """One more step by the system, right after the report."""
    unit = {"unit": recorded["unit"]} if "unit" in recorded and plan.verb.moves == "down" else {}
    deadline = recorded.get("deadline", NOT_GIVEN)
    step = Attempt(
        plan, state, SYSTEM_ACTOR, SYSTEM, unit, attempt.rules, attempt.calendar, attempt.at, attempt.on, deadline
    )
    refusal = objection(plan, state, SYSTEM_ACTOR, SYSTEM, rules=attempt.rules, at=attempt.at)
    if refusal is not None:
        raise refusal
    return _event(step)


def _report(attempt: Attempt) -> tuple[Event, str]:
    """The first event, and the step to which triage lets the system carry the case."""
    plan, payload, at = attempt.plan, attempt.payload, attempt.at
    fields = {name: payload[name] for name in CASE_FIELDS if name in payload}
    attempt.check_region(fields.get("region", ""))
    facts = facts_in(fields)
    triaged = attempt.rules.triage_for(facts, attempt.on)
    centre, auto = "", ""
    if triaged is not None:
        centre, auto = triaged.centre, triaged.auto
        given = facts["priority"] if attempt.role == SYSTEM else ""  # what the system measured goes before the table
        fields["priority"] = given or triaged.priority or facts["priority"]
        fields["centre"] = centre
        attempt.why("triage", triaged.to_dict())
    attempt.state = attempt.state.with_changes({name: fields[name] for name in DECIDING.values() if name in fields})
    values, clocks = clock_changes(attempt, centre)
    target = plan.target
    assert target is not None
    fields |= values
    fields["stage"] = target.stage
    fields["opened_at"] = at.isoformat()
    if plan.verb.files:
        fields["filed_at"] = at.isoformat()
    body: dict[str, Any] = {name: payload[name] for name in ("photos", "flags", "external", "note") if name in payload}
    body |= attempt.tells
    body["set"] = fields
    body["add"] = dict.fromkeys(plan.counts, 1)
    body["level"] = attempt.rules.level_of(centre)
    if clocks:
        body["clocks"] = {name: clock.to_dict() for name, clock in clocks.items()}
    if plan.verb.handles:
        body["handler"] = attempt.actor.id
    event = _new_event(attempt.actor, attempt.role, attempt.state, plan.verb.id, target.id, centre, "", body, at)
    return event, auto


# --- what may be done -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class VerbChoice:
    """A verb at this step, whether the actor may do it now, and why not.

    Attributes:
        verb: Its id.
        allowed: Whether a complete command would be taken, as far as the case and the actor say.
        requires, optional: Fields of the command.
        why_code, why: Why not; empty where it is allowed.
    """

    verb: str
    allowed: bool
    requires: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    why_code: str = ""
    why: Text = NO_TEXT


def permitted(
    state: CaseState, actor: Actor, *, rules: Rulebook, at: datetime, verbs: Collection[str] | None = None
) -> tuple[VerbChoice, ...]:
    """Every verb of the case's step, with a yes or the reason for no. What a command must carry is not looked at, and
    verbs that only the system does are left out for everybody else.

    Args:
        verbs: Only these are looked at.
    """
    choices = []
    for verb in rules.workflow.verbs_from(state.step):
        if verbs is not None and verb.id not in verbs:
            continue
        plan = rules.workflow.plans[verb.id]
        if plan.roles == {SYSTEM} and SYSTEM not in actor.roles:
            continue
        refusal = objection(plan, state, actor, role_of(plan, actor), rules=rules, at=at)
        choices.append(
            VerbChoice(
                verb=verb.id,
                allowed=refusal is None,
                requires=verb.requires,
                optional=verb.optional,
                why_code=refusal.code if refusal else "",
                why=refusal.text if refusal else NO_TEXT,
            )
        )
    return tuple(choices)
