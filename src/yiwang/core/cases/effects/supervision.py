"""督办 and escalation: somebody above looks at the case, and the holder is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yiwang.core.cases.effects.effect import Changes, Effect

if TYPE_CHECKING:
    from yiwang.core.cases.attempt import Attempt


def _supervise(attempt: Attempt) -> Changes:
    """The opinion is in the event; the holder is told."""
    attempt.notify(attempt.state.holder)
    return {}


def _escalate(attempt: Attempt) -> Changes:
    """As time runs out: the holder and the unit above it are told."""
    above = next(attempt.rules.units.above(attempt.state.holder), None)
    attempt.notify(attempt.state.holder, above.code if above else "")
    return {}


SUPERVISE = Effect(
    id="supervise", fields=("opinion",), apply=_supervise, counts_as="supervisions", needs="opinion", stays=True
)
ESCALATE = Effect(id="escalate", apply=_escalate, counts_as="escalations")
