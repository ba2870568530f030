"""并案: a case turns out to be another one, reported again; the other one takes it in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yiwang.core.cases.effects.effect import Changes, Effect
from yiwang.core.kernel.refusals import Missing, NotPossible
from yiwang.core.kernel.text import Text

if TYPE_CHECKING:
    from yiwang.core.cases.attempt import Attempt


def _merge(attempt: Attempt) -> Changes:
    into = attempt.payload.get("into", "")
    if not into:
        raise Missing(Text("请写明并入哪个案卷。", "Say which case it is merged into."), field="into")
    if into == attempt.state.number:
        raise NotPossible(Text("案卷不能并入自己。", "A case cannot be merged into itself."), field="into")
    return {"merged_into": into, "pending": None}


def _absorb(attempt: Attempt) -> Changes:
    """Take in a duplicate, with the duplicates that it had itself."""
    number = attempt.payload.get("number", "")
    if not number:
        raise Missing(Text("请写明并入的是哪个案卷。", "Say which case is taken in."), field="number")
    if number == attempt.state.number:
        raise NotPossible(Text("案卷不能并入自己。", "A case cannot take itself in."), field="number")
    known = attempt.state.duplicates
    more = dict.fromkeys(other for other in (number, *attempt.payload.get("numbers", ())) if other not in known)
    more.pop(attempt.state.number, None)
    return {"duplicates": [*known, *more]}


MERGE = Effect(
    id="merge",
    fields=("into",),
    apply=_merge,
    ends="merged",
    exceptional=True,
    needs="into",
    partner=(
        "absorb",
        Text("重复案卷没有与并入的案卷关联。", "Nothing links the duplicate to the case that takes it in."),
    ),
)
ABSORB = Effect(id="absorb", fields=("number", "numbers"), apply=_absorb, exceptional=True, stays=True, by_system=True)
