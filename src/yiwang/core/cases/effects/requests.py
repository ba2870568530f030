"""Requests that wait for an answer: one at a time, kept in the case as ``pending``."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from yiwang.core.cases.effects.effect import Changes, Effect, Ready
from yiwang.core.kernel.refusals import NotPossible
from yiwang.core.kernel.text import Text

if TYPE_CHECKING:
    from yiwang.core.cases.attempt import Attempt
    from yiwang.core.cases.rulebook import Rulebook
    from yiwang.core.cases.state import CaseState


def request(attempt: Attempt, kind: str, **details: Any) -> Changes:
    """The case waits for an answer to a request of this kind."""
    return {
        "pending": {
            "kind": kind,
            "verb": attempt.verb.id,
            "by": attempt.actor.id,
            "unit": attempt.actor.unit,
            "at": attempt.at.isoformat(),
            "reason": attempt.payload.get("reason", ""),
            **details,
        }
    }


def answer(_: Attempt) -> Changes:
    """A request is granted (each extension adds one original limit, by the verb's ``extend``) or refused."""
    return {"pending": None}


def nothing_waits(state: CaseState, _: Rulebook, __: datetime) -> NotPossible | None:
    """Refuses while a request waits already."""
    if state.pending is not None:
        return NotPossible(Text("已有一个申请在等答复。", "A request is already waiting for an answer."))
    return None


def waits(*kinds: str) -> Ready:
    """Refuses unless a request of one of these kinds waits."""

    def ready(state: CaseState, _: Rulebook, __: datetime) -> NotPossible | None:
        if state.pending is None or state.pending.get("kind") not in kinds:
            return NotPossible(Text("没有这样的申请在等答复。", "No such request is waiting for an answer."))
        return None

    return ready


REFUSE_REQUEST = Effect(
    id="refuse_request", ready=waits("extend", "suspend"), apply=answer, answers=("extend", "suspend"), stays=True
)
