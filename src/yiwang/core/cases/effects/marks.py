"""Effects without a state of their own: ends that are no closing, words, and work done on the spot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yiwang.core.cases.effects.effect import BAD, Changes, Effect
from yiwang.core.cases.fields import CORRECTABLE
from yiwang.core.kernel.refusals import Missing
from yiwang.core.kernel.text import Text

if TYPE_CHECKING:
    from yiwang.core.cases.attempt import Attempt


def _correct(attempt: Attempt) -> Changes:
    """Put right what or where it is; `corrections` does it, for this verb as for every other that carries such fields."""
    if not any(name in attempt.payload for name in CORRECTABLE):
        raise Missing(Text("请写明要更正什么。", "Say what is to be corrected."), field="category")
    return {}


REJECT = Effect(id="reject", ends="rejected", tone=BAD, exceptional=True)
VOID = Effect(id="void", ends="void", tone=BAD, exceptional=True)
ON_THE_SPOT = Effect(id="on_the_spot", finishes=True, exceptional=True)
NOTE = Effect(id="note", by_the_way=True, stays=True)
CORRECT = Effect(id="correct", fields=CORRECTABLE, apply=_correct, counts_as="corrections", by_the_way=True)
