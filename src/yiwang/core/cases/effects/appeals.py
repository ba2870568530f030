"""超时申诉: once, against recorded lateness; where the workflow says so, two look at it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from yiwang.core.cases.effects.effect import Changes, Effect
from yiwang.core.cases.effects.requests import nothing_waits, request, waits
from yiwang.core.kernel.refusals import NotPossible
from yiwang.core.kernel.text import Text

if TYPE_CHECKING:
    from yiwang.core.cases.attempt import Attempt
    from yiwang.core.cases.rulebook import Rulebook
    from yiwang.core.cases.state import CaseState


def _may_appeal(state: CaseState, rules: Rulebook, at: datetime) -> NotPossible | None:
    if not state.overdue:
        return NotPossible(
            Text("案卷没有超时，无需申诉。", "The case was not late; there is nothing to appeal against.")
        )
    if state.appeal:
        return NotPossible(Text("已经申诉过了。", "There has been an appeal already."))
    return nothing_waits(state, rules, at)


def _may_endorse(state: CaseState, rules: Rulebook, at: datetime) -> NotPossible | None:
    if state.appeal == "endorsed":
        return NotPossible(Text("申诉已经初审过了。", "The appeal has been endorsed already."))
    return waits("appeal")(state, rules, at)


def _may_approve(state: CaseState, rules: Rulebook, at: datetime) -> NotPossible | None:
    if state.appeal == "asked" and APPEAL_ENDORSE.id in rules.workflow.effects:
        return NotPossible(Text("申诉尚未初审。", "The appeal has not been endorsed yet."))
    return waits("appeal")(state, rules, at)


def _appeal(attempt: Attempt) -> Changes:
    return {**request(attempt, "appeal"), "appeal": "asked"}


def _endorse(attempt: Attempt) -> Changes:
    """The first of two to look at an appeal agrees."""
    return {"pending": {**(attempt.state.pending or {}), "endorsed_by": attempt.actor.id}, "appeal": "endorsed"}


def _approve(_: Attempt) -> Changes:
    """Lifts the penalty; ``overdue`` stays, since a fact cannot be appealed away."""
    return {"pending": None, "appeal": "granted", "penalty_lifted": True}


def _refuse(_: Attempt) -> Changes:
    return {"pending": None, "appeal": "refused"}


_NOBODY_APPEALS = ("appeal", Text("无人可以申诉。", "Nobody can appeal."))
APPEAL = Effect(
    id="appeal",
    ready=_may_appeal,
    apply=_appeal,
    asks="appeal",
    asked=Text("已申诉", "Appeal made"),
    counts_as="appeals",
    stays=True,
    partner=("appeal_approve", Text("无人可以批准申诉。", "Nobody can grant the appeal.")),
)
APPEAL_ENDORSE = Effect(
    id="appeal_endorse",
    ready=_may_endorse,
    apply=_endorse,
    answers=("appeal",),
    stays=True,
    partner=_NOBODY_APPEALS,
)
APPEAL_APPROVE = Effect(
    id="appeal_approve",
    ready=_may_approve,
    apply=_approve,
    answers=("appeal",),
    counts_as="appeals_granted",
    stays=True,
    partner=_NOBODY_APPEALS,
)
APPEAL_REFUSE = Effect(id="appeal_refuse", ready=waits("appeal"), apply=_refuse, answers=("appeal",), stays=True)
