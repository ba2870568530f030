"""延期: more time for the work, asked for before the deadline while the clock runs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from yiwang.core.cases.effects.effect import Changes, Effect
from yiwang.core.cases.effects.requests import answer, nothing_waits, request, waits
from yiwang.core.cases.lateness import is_late
from yiwang.core.kernel.refusals import NotPossible
from yiwang.core.kernel.text import Text

if TYPE_CHECKING:
    from yiwang.core.cases.attempt import Attempt
    from yiwang.core.cases.rulebook import Rulebook
    from yiwang.core.cases.state import CaseState


def _ready(state: CaseState, rules: Rulebook, at: datetime) -> NotPossible | None:
    clock = state.clocks.get(rules.workflow.main_clock)
    if clock is None or clock.resumed_at is None:
        return NotPossible(
            Text("没有正在走的处置时限可以延期。", "No disposal clock is running that could be extended.")
        )
    if is_late(state, rules=rules, at=at):
        return NotPossible(
            Text("已过截止时间，不能再延期。", "The deadline has passed; it cannot be extended any more.")
        )
    return nothing_waits(state, rules, at)


def _ask(attempt: Attempt) -> Changes:
    return request(attempt, "extend")


EXTEND_ASK = Effect(
    id="extend_ask",
    ready=_ready,
    apply=_ask,
    asks="extend",
    asked=Text("已申请延期", "Extension asked"),
    granted_by="extend_approve",
    counts_as="extensions_asked",
    stays=True,
    partner=("extend_approve", Text("它的申请无人可以批准。", "Nobody can grant what it asks for.")),
)
EXTEND_APPROVE = Effect(
    id="extend_approve",
    ready=waits("extend"),
    apply=answer,
    answers=("extend",),
    counts_as="extensions",
    stays=True,
    clock="extend",
    partner=("extend_ask", Text("它批准的事项无人可以申请。", "Nobody can ask for what it grants.")),
)
