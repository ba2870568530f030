"""拆分: parts become cases of their own, linked to this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yiwang.core.cases.effects.effect import Changes, Effect
from yiwang.core.cases.fields import INHERITED, LOCATING, field_values
from yiwang.core.kernel.refusals import Missing
from yiwang.core.kernel.text import Text

if TYPE_CHECKING:
    from yiwang.core.cases.attempt import Attempt


def _split(attempt: Attempt) -> Changes:
    """The event carries the parts' reports, complete."""
    parts, numbers = attempt.payload.get("parts", []), attempt.payload.get("numbers", [])
    if not parts:
        raise Missing(Text("拆分须写明各部分。", "Splitting needs its parts."), field="parts")
    if not all(part.get("text") or part.get("category") for part in parts):
        raise Missing(Text("每一部分须写明情况或类别。", "Each part needs a text or a category."), field="parts")
    if len(set(numbers)) != len(parts) or attempt.state.number in numbers:
        raise Missing(Text("每一部分须有自己的案卷号。", "Each part needs a number of its own."), field="numbers")
    state = attempt.state
    common = dict(field_values(state, INHERITED))
    reports = []
    for number, part in zip(numbers, parts, strict=True):
        if "region" in part:
            attempt.check_region(part["region"])
        base = {name: value for name, value in common.items() if not ("region" in part and name in LOCATING)}
        if "category" in part:
            base.pop("condition", None)
        reports.append({**base, **part, "number": number, "part_of": state.number})
    attempt.tells["parts"] = reports
    return {"parts": [*state.parts, *numbers]}


SPLIT = Effect(id="split", fields=("parts", "numbers"), apply=_split, needs="parts")
