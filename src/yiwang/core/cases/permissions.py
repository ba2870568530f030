"""Who may do what, where and when: roles at a unit, within a region; who handled may not close; the case's own history."""

from __future__ import annotations

from datetime import datetime, timedelta

from yiwang.core.cases.definitions import Plan, Verb
from yiwang.core.cases.events import SYSTEM, Actor
from yiwang.core.cases.lateness import is_late
from yiwang.core.cases.rulebook import Rulebook
from yiwang.core.cases.state import CaseState
from yiwang.core.kernel.refusals import NotAllowed, NotPossible, Refusal
from yiwang.core.kernel.text import Text


def role_of(plan: Plan, actor: Actor) -> str:
    """The first role of the verb that the actor has, or an empty text."""
    for role in plan.verb.roles:
        if role in actor.roles:
            return role
    return ""


def objection(
    plan: Plan, state: CaseState, actor: Actor, role: str, *, rules: Rulebook, at: datetime
) -> Refusal | None:
    """Why the verb cannot be done now by this actor, whatever the command carries; None when it can.

    Args:
        plan: The verb.
        state: The case.
        actor: Who wishes it.
        role: What `role_of` said.
        rules: The city's rules.
        at: Now.
    """
    if state.step not in plan.origins:
        return _wrong_step(plan, state, rules)
    if not role:
        return wrong_role(plan, rules)
    if role != SYSTEM:  # the system acts for the city: it has no unit and no region
        refusal = _wrong_relation(plan, state, actor, role, rules)
        if refusal is not None:
            return refusal
    return _too_often_or_late(plan, state, rules, at)


def _wrong_step(plan: Plan, state: CaseState, rules: Rulebook) -> Refusal:
    step = rules.workflow.steps.get(state.step)
    verb = plan.verb
    if state.resume_at is not None and step is not None and not step.end:
        return NotPossible(
            Text(
                "案卷已挂账，恢复之前不能「{verb}」。",
                "The case is suspended; “{verb}” cannot be done until it resumes.",
                verb=verb.name,
            ),
        )
    return NotPossible(
        Text(
            "案卷在「{step}」环节，不能「{verb}」。",
            "The case is at “{step}”; “{verb}” cannot be done there.",
            step=step.name if step else state.step,
            verb=verb.name,
        ),
    )


def wrong_role(plan: Plan, rules: Rulebook) -> Refusal:
    """That none of the actor's roles may do the verb, with those that may."""
    names = [rules.workflow.roles[role].name for role in plan.verb.roles if role != SYSTEM]
    who = Text.join({"zh": "、", "en": ", "}, names) if names else Text("系统", "the system")
    return NotAllowed(
        Text("「{verb}」只能由{who}来做。", "Only {who} may do “{verb}”.", verb=plan.verb.name, who=who),
        role=", ".join(plan.verb.roles),
    )


def _wrong_relation(plan: Plan, state: CaseState, actor: Actor, role: str, rules: Rulebook) -> Refusal | None:
    """Whether the actor's unit stands to the holder as the verb asks, and the case lies in the actor's region.

    Whoever is named by their unit (holder, over, assisting, handler) may act wherever the case lies: it may have been
    passed to them from another region.
    """
    verb, unit = plan.verb, actor.unit
    match verb.who:
        case "holder":
            if not unit or unit != state.holder:
                return NotAllowed(Text("案卷现在不在您的单位。", "Your unit does not hold the case now."), role=role)
        case "over":
            if not unit or (unit != state.holder and not rules.units.is_above(unit, state.holder)):
                return NotAllowed(
                    Text("案卷不在您的单位或其下级。", "Neither your unit nor one below it holds the case."), role=role
                )
        case "handler":
            if not unit or all(link.unit != unit for link in state.custody):
                return NotAllowed(Text("您的单位没有承办过此案卷。", "Your unit has never held the case."), role=role)
        case "assisting":
            if not unit or unit not in state.assisting:
                return NotAllowed(Text("没有请您的单位会办。", "Your unit was not asked to assist."), role=role)
        case "reporter":
            # a report that nobody can be shown to have made is nobody's: not everybody's
            if not state.reporter or actor.id != state.reporter:
                return NotAllowed(
                    Text("只有上报人可以这样做。", "Only the person who reported it may do this."), role=role
                )
        case _:
            if not rules.concerns(actor.region, state.region) and (not unit or unit != state.holder):
                return NotAllowed(Text("案卷不在您负责的区域内。", "The case lies outside your region."), role=role)
    if verb.not_handler and actor.id in state.handlers:
        return NotAllowed(
            Text("处置过案卷的人不能「{verb}」。", "Who handled the case may not do “{verb}”.", verb=verb.name),
            role=role,
        )
    return None


def _too_often_or_late(plan: Plan, state: CaseState, rules: Rulebook, at: datetime) -> Refusal | None:
    verb = plan.verb
    if verb.max and state.count(plan.effect.granted_by or verb.id) >= verb.max:
        return NotPossible(
            Text(
                "「{verb}」最多 {most} 次。",
                "“{verb}” may be done {most} times at most.",
                verb=verb.name,
                most=verb.max,
            )
        )
    if verb.before_deadline and is_late(state, rules=rules, at=at):
        return NotPossible(
            Text(
                "已过截止时间，不能「{verb}」。",
                "The deadline has passed; “{verb}” cannot be done any more.",
                verb=verb.name,
            )
        )
    if verb.within_minutes and (refusal := _too_late_to_recall(verb, state, at, rules)) is not None:
        return refusal
    ahead = bool(state.returned_from) and plan.order > rules.workflow.order.get(state.returned_from, -1)
    if ahead and not plan.effect.ends:
        step = rules.workflow.steps.get(state.returned_from)
        return NotPossible(
            Text(
                "案卷是从「{step}」回退来的，只能更正或重新派遣，不能跳过去「{verb}」。",
                "The case was returned from “{step}”: correct it or send it again; “{verb}” would jump ahead.",
                step=step.name if step else state.returned_from,
                verb=verb.name,
            ),
        )
    return plan.effect.ready(state, rules, at)


def _too_late_to_recall(verb: Verb, state: CaseState, at: datetime, rules: Rulebook) -> Refusal | None:
    """What has just been handed on may be taken back for some minutes, and only while the receiver has not touched it."""
    came = state.custody[-1].since if state.custody else None
    if came is None or came != state.updated_at:
        return NotPossible(
            Text(
                "案卷到「{holder}」后已有新的办理，不能再「{verb}」。",
                "Something has been done since the case came to {holder}; “{verb}” cannot be done any more.",
                holder=unit.name if (unit := rules.units.get(state.holder)) else state.holder,
                verb=verb.name,
            )
        )
    if at - came > timedelta(minutes=verb.within_minutes):
        return NotPossible(
            Text(
                "「{verb}」只能在移交后 {minutes} 分钟内。",
                "“{verb}” can only be done in the {minutes} minutes after the case was handed on.",
                verb=verb.name,
                minutes=verb.within_minutes,
            )
        )
    return None
