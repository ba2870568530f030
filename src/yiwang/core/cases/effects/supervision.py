"""督办 and escalation: somebody above looks at the case, and the holder is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yiwang.core.cases.effects.effect import Changes, Effect

if TYPE_CHECKING:
    from yiwang.core.cases.asking import Asked


def _supervise(asked: Asked) -> Changes:
    """The opinion is in the event; the holder is told."""
    asked.notify(asked.state.holder)
    return {}


def _escalate(asked: Asked) -> Changes:
    """As time runs out: the holder and the unit above it are told."""
    above = next(asked.rules.units.above(asked.state.holder), None)
    asked.notify(asked.state.holder, above.code if above else "")
    return {}


SUPERVISE = Effect(
    id="supervise", fields=("opinion",), apply=_supervise, counts_as="supervisions", needs="opinion", stays=True
)
ESCALATE = Effect(id="escalate", apply=_escalate, counts_as="escalations")
