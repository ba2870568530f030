"""评价: whoever reported a case says how it was done, once for each closing."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from yiwang.core.cases.effects.effect import Changes, Effect
from yiwang.core.kernel.refusals import Missing, NotPossible
from yiwang.core.kernel.text import Text

if TYPE_CHECKING:
    from yiwang.core.cases.attempt import Attempt
    from yiwang.core.cases.rulebook import Rulebook
    from yiwang.core.cases.state import CaseState


def _may_rate(state: CaseState, _: Rulebook, __: datetime) -> NotPossible | None:
    if state.rating:
        return NotPossible(Text("已经评价过了。", "It has been rated already."))
    return None


def _rate(attempt: Attempt) -> Changes:
    if "stars" not in attempt.payload:
        raise Missing(Text("请给 1 到 5 星。", "Give 1 to 5 stars."), field="stars")
    return {"rating": attempt.payload["stars"]}


RATE = Effect(
    id="rate", fields=("stars",), ready=_may_rate, apply=_rate, counts_as="ratings", needs="stars", stays=True
)
