"""挂账: the case rests for a stated time, once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from yiwang.core.cases.effects.effect import Changes, Effect
from yiwang.core.cases.effects.requests import nothing_waits, request, waits
from yiwang.core.cases.events import SYSTEM
from yiwang.core.kernel.refusals import Invalid, Missing, NotPossible
from yiwang.core.kernel.text import Text
from yiwang.core.worktime import Limit

if TYPE_CHECKING:
    from yiwang.core.cases.attempt import Attempt
    from yiwang.core.cases.definitions import Verb, Workflow
    from yiwang.core.cases.rulebook import Rulebook
    from yiwang.core.cases.state import CaseState


def _may_ask(state: CaseState, rules: Rulebook, at: datetime) -> NotPossible | None:
    if state.count(SUSPEND_APPROVE.id):
        return NotPossible(Text("一个案卷只能挂账一次。", "A case may be suspended only once."))
    return nothing_waits(state, rules, at)


def _may_approve(state: CaseState, rules: Rulebook, at: datetime) -> NotPossible | None:
    """Where the workflow lets nobody ask, it can be done at once."""
    if state.count(SUSPEND_APPROVE.id):
        return NotPossible(Text("一个案卷只能挂账一次。", "A case may be suspended only once."))
    return waits("suspend")(state, rules, at) if "suspend" in rules.workflow.asked_for else None


def _until(attempt: Attempt) -> datetime:
    """The end of a suspension: a moment, or a day, which counts from its beginning in the city."""
    pending = attempt.state.pending or {}
    text = str(attempt.payload.get("until") or pending.get("until") or "")
    if not text:
        raise Missing(Text("请写明挂账到哪一天。", "Say until which day it is suspended."), field="until")
    zone = attempt.calendar.zone
    try:
        until = datetime.fromisoformat(text) if len(text) > 10 else datetime.combine(date.fromisoformat(text), time())
        until = (until if until.tzinfo else until.replace(tzinfo=zone)).astimezone(UTC)
        longest = attempt.calendar.add(start=attempt.at, limit=Limit.parse(attempt.verb.longest))
    except (ValueError, OverflowError):
        raise Invalid(Text("挂账日期应写成 YYYY-MM-DD。", "Write the day as YYYY-MM-DD."), field="until") from None
    if not attempt.at < until <= longest:
        last = longest.astimezone(zone).date().isoformat()
        raise Invalid(
            Text("挂账须在现在之后、{last} 之前结束。", "A suspension ends after now and not after {last}.", last=last),
            field="until",
        )
    return until


def _ask(attempt: Attempt) -> Changes:
    return request(attempt, "suspend", until=_until(attempt).isoformat())


def _approve(attempt: Attempt) -> Changes:
    return {"pending": None, "resume_at": _until(attempt).isoformat()}


def _resume(_: Attempt) -> Changes:
    return {"resume_at": None}


def _check_way_out(workflow: Workflow, verb: Verb, label: Text) -> Iterator[tuple[Text, Text]]:
    """The system must be able to end the suspension where it leads to."""
    here = [verb.to] if verb.to in workflow.steps else list(verb.origins)
    leaving = [other for step in here for other in workflow.verbs_from(step)]
    if not any(other.effect == RESUME.id and SYSTEM in other.roles for other in leaving):
        yield (
            Text(
                "{verb}通向环节 {steps}，系统无法离开那里。",
                "{verb} leads to {steps}, which the system cannot leave.",
                verb=label,
                steps=", ".join(here),
            ),
            Text(
                "请让效果为 resume、角色为「system」的动作可以从那里开始。",
                "Let a verb with effect resume and role 'system' start there.",
            ),
        )


SUSPEND_ASK = Effect(
    id="suspend_ask",
    fields=("until",),
    ready=_may_ask,
    apply=_ask,
    asks="suspend",
    asked=Text("已申请挂账", "Suspension asked"),
    granted_by="suspend_approve",
    counts_as="suspensions_asked",
    stays=True,
    partner=("suspend_approve", Text("它的申请无人可以批准。", "Nobody can grant what it asks for.")),
)
SUSPEND_APPROVE = Effect(
    id="suspend_approve",
    fields=("until",),
    ready=_may_approve,
    apply=_approve,
    answers=("suspend",),
    counts_as="suspensions",
    clock="pause",
    partner=("resume", Text("挂账没有办法结束。", "Nothing ends the suspension.")),
    check=_check_way_out,
)
RESUME = Effect(id="resume", apply=_resume, exceptional=True, clock="resume")
