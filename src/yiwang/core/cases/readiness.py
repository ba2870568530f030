"""Whether a case is ready for an operation, whoever wishes it and whatever the command carries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from yiwang.core.cases.lateness import passed
from yiwang.core.cases.rulebook import Rulebook
from yiwang.core.cases.state import CaseState
from yiwang.core.kernel.refusals import NotPossible
from yiwang.core.kernel.text import Text

Ready = Callable[[CaseState, Rulebook, datetime], NotPossible | None]


def late(state: CaseState, *, rules: Rulebook, at: datetime) -> bool:
    """Whether the main clock is running and has run out."""
    return state.deadline_clock == rules.workflow.main_clock and passed(state.deadline, at=at)


def _nothing_waiting(state: CaseState, _: Rulebook, __: datetime) -> NotPossible | None:
    if state.pending is not None:
        return NotPossible(Text("已有一个申请在等答复。", "A request is already waiting for an answer."))
    return None


def _waiting(*kinds: str) -> Ready:
    def ready(state: CaseState, _: Rulebook, __: datetime) -> NotPossible | None:
        if state.pending is None or state.pending.get("kind") not in kinds:
            return NotPossible(Text("没有这样的申请在等答复。", "No such request is waiting for an answer."))
        return None

    return ready


def _extend_ask(state: CaseState, rules: Rulebook, at: datetime) -> NotPossible | None:
    clock = state.clocks.get(rules.workflow.main_clock)
    if clock is None or clock.resumed_at is None:
        return NotPossible(
            Text("没有正在走的处置时限可以延期。", "No disposal clock is running that could be extended.")
        )
    if late(state, rules=rules, at=at):
        return NotPossible(
            Text("已过截止时间，不能再延期。", "The deadline has passed; it cannot be extended any more.")
        )
    return _nothing_waiting(state, rules, at)


def _never_suspended(state: CaseState, rules: Rulebook, at: datetime) -> NotPossible | None:
    if state.count("suspend_approve"):
        return NotPossible(Text("一个案卷只能挂账一次。", "A case may be suspended only once."))
    return _nothing_waiting(state, rules, at)


def _suspend_approve(state: CaseState, rules: Rulebook, at: datetime) -> NotPossible | None:
    """Where the workflow lets nobody ask, it can be done at once."""
    if state.count("suspend_approve"):
        return NotPossible(Text("一个案卷只能挂账一次。", "A case may be suspended only once."))
    return _waiting("suspend")(state, rules, at) if "suspend" in rules.workflow.asked_for else None


def _appeal(state: CaseState, rules: Rulebook, at: datetime) -> NotPossible | None:
    if not state.overdue:
        return NotPossible(
            Text("案卷没有超时，无需申诉。", "The case was not late; there is nothing to appeal against.")
        )
    if state.appeal:
        return NotPossible(Text("已经申诉过了。", "There has been an appeal already."))
    return _nothing_waiting(state, rules, at)


def _appeal_endorse(state: CaseState, rules: Rulebook, at: datetime) -> NotPossible | None:
    if state.appeal == "endorsed":
        return NotPossible(Text("申诉已经初审过了。", "The appeal has been endorsed already."))
    return _waiting("appeal")(state, rules, at)


def _appeal_approve(state: CaseState, rules: Rulebook, at: datetime) -> NotPossible | None:
    if rules.workflow.endorsed_appeals and state.appeal == "asked":
        return NotPossible(Text("申诉尚未初审。", "The appeal has not been endorsed yet."))
    return _waiting("appeal")(state, rules, at)


def _assist_done(state: CaseState, _: Rulebook, __: datetime) -> NotPossible | None:
    if "asked" not in state.assisting.values():
        return NotPossible(Text("没有在等哪个单位会办。", "No assisting unit is being waited for."))
    return None


def _rate(state: CaseState, _: Rulebook, __: datetime) -> NotPossible | None:
    if state.rating:
        return NotPossible(Text("已经评价过了。", "It has been rated already."))
    return None


READY: Mapping[str, Ready] = {
    "extend_ask": _extend_ask,
    "extend_approve": _waiting("extend"),
    "suspend_ask": _never_suspended,
    "suspend_approve": _suspend_approve,
    "refuse_request": _waiting("extend", "suspend"),
    "appeal": _appeal,
    "appeal_endorse": _appeal_endorse,
    "appeal_approve": _appeal_approve,
    "appeal_refuse": _waiting("appeal"),
    "assist_done": _assist_done,
    "rate": _rate,
}
