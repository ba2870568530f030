"""会办: other units assist; the holder stays the main unit and answers for the limit."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from yiwang.core.cases.effects.effect import Changes, Effect
from yiwang.core.cases.events import SYSTEM
from yiwang.core.kernel.refusals import Missing, NotAllowed, NotPossible, Unknown
from yiwang.core.kernel.text import Text

if TYPE_CHECKING:
    from yiwang.core.cases.attempt import Attempt
    from yiwang.core.cases.rulebook import Rulebook
    from yiwang.core.cases.state import CaseState


def _ask(attempt: Attempt) -> Changes:
    state, rules, units = attempt.state, attempt.rules, attempt.payload.get("units", [])
    if not units:
        raise Missing(Text("请选择会办单位。", "Name the units that are to assist."), field="units")
    for unit in units:
        if not rules.exists(unit, attempt.on):
            raise Unknown(Text("没有编码为 {unit} 的单位。", "There is no unit {unit}.", unit=unit), field="units")
        if unit == state.holder:
            raise NotPossible(
                Text("主办单位不能会办自己的案卷。", "The main unit cannot assist itself."), field="units"
            )
    attempt.notify(*units)
    return {"assisting": {**state.assisting, **dict.fromkeys(units, "asked")}}


def _somebody_assists(state: CaseState, _: Rulebook, __: datetime) -> NotPossible | None:
    if "asked" not in state.assisting.values():
        return NotPossible(Text("没有在等哪个单位会办。", "No assisting unit is being waited for."))
    return None


def _finish(attempt: Attempt) -> Changes:
    """An assisting unit says so for itself; a unit above may say so for it."""
    unit = attempt.payload.get("unit") or attempt.actor.unit
    if attempt.state.assisting.get(unit) != "asked":
        raise NotPossible(
            Text("没有请这个单位会办，或它已完成。", "That unit was not asked to assist, or has done so already."),
            field="unit",
        )
    if (
        attempt.role != SYSTEM
        and unit != attempt.actor.unit
        and not attempt.rules.units.is_above(attempt.actor.unit, unit)
    ):
        raise NotAllowed(
            Text("只能替本单位或下级单位反馈。", "You may say so for your own unit or one below."), field="unit"
        )
    return {"assisting": {**attempt.state.assisting, unit: "done"}}


ASSIST_ASK = Effect(
    id="assist_ask",
    fields=("units",),
    apply=_ask,
    counts_as="assists",
    needs="units",
    stays=True,
    partner=("assist_done", Text("无人可以报告会办完成。", "Nobody can say that the assistance is done.")),
)
ASSIST_DONE = Effect(id="assist_done", fields=("unit",), ready=_somebody_assists, apply=_finish, stays=True)
