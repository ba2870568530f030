"""Where a case goes: down to the level that can act, up when it cannot, across to a sibling, back to where it came from.

The chain of holders is kept in full, so the time that each unit and each level has had a case can be read from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from yiwang.core.cases.attempt import Attempt, facts_of
from yiwang.core.cases.events import SYSTEM
from yiwang.core.cases.state import CaseState
from yiwang.core.kernel.refusals import Missing, NotPossible, Unknown
from yiwang.core.kernel.text import Text
from yiwang.core.worktime import TimeUnit, WorkCalendar

__all__ = ["CustodySpan", "by_level", "custody_spans", "facts_of", "next_holder"]


def next_holder(attempt: Attempt) -> str:
    """The unit that has the case after the verb. What the routing table said is noted in ``why``.

    Raises:
        NotPossible: There is nobody above, nobody before, or the unit is the wrong one for the move.
        Missing: The verb needs a unit and neither the command nor the table names one.
        Unknown: There is no such unit.
    """
    match attempt.verb.moves:
        case "stay":
            return attempt.state.holder
        case "centre":
            return attempt.state.centre or attempt.state.holder
        case "up":
            return _up(attempt)
        case "back":
            return _back(attempt)
        case "again":
            return attempt.state.main_unit or attempt.state.holder
        case "across":
            return _across(attempt)
        case _:
            return _down(attempt)


def _unit_of_command(attempt: Attempt) -> str:
    unit = str(attempt.payload.get("unit", ""))
    if unit and not attempt.rules.exists(unit, attempt.on):
        raise Unknown(
            Text("没有编码为 {unit} 的单位，或它已撤销。", "There is no unit {unit} today.", unit=unit), field="unit"
        )
    return unit


def _up(attempt: Attempt) -> str:
    above = next(attempt.rules.units.above(attempt.state.holder), None)
    if above is not None:
        return above.code
    if attempt.verb.effect == "escalate" and attempt.role == SYSTEM:
        return attempt.state.holder  # the top has it already; that it was escalated is recorded all the same
    raise NotPossible(Text("上面没有可以上报的单位。", "There is no unit above to hand it up to."))


def _back(attempt: Attempt) -> str:
    state = attempt.state
    before = next((link.unit for link in reversed(state.custody[:-1]) if link.unit not in {"", state.holder}), "")
    if not before:
        raise NotPossible(Text("案卷没有来处可以回退。", "The case came from nowhere that it could go back to."))
    return before


def _across(attempt: Attempt) -> str:
    unit, holder, rules = _unit_of_command(attempt), attempt.state.holder, attempt.rules
    if not unit:
        raise Missing(Text("请选择移交给哪个单位。", "Say which unit it goes to."), field="unit")
    if unit == holder:
        raise NotPossible(Text("案卷已经在这个单位。", "That unit has the case already."), field="unit")
    if rules.level_of(unit) != rules.level_of(holder):
        raise NotPossible(
            Text(
                "横向移交只能给同级单位；请用下派或上报。", "Across goes to a unit of the same level; use down or up."
            ),
            field="unit",
        )
    attempt.notify(rules.units.centre_of(holder), rules.units.centre_of(unit))
    return unit


def _down(attempt: Attempt) -> str:
    """To the unit that is named, else to the one that the routing table names. The table's answer is noted anyway."""
    unit, holder, rules = _unit_of_command(attempt), attempt.state.holder, attempt.rules
    ruled = rules.unit_for(facts_of(attempt.state), attempt.on)
    if ruled is not None:
        attempt.why("routing", ruled.to_dict())
    if not unit:
        if ruled is None:
            raise Missing(Text("规则没有给出单位，请选择。", "The rules name no unit; choose one."), field="unit")
        return ruled.value
    chosen = attempt.role != SYSTEM and (ruled is None or unit != ruled.value)
    if chosen and (rules.units.is_above(unit, holder) or 0 <= rules.depth_of(unit) < rules.depth_of(holder)):
        raise NotPossible(Text("这个单位在上级；请用上报。", "That unit is above; use up."), field="unit")
    return unit


# --- how long --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodySpan:
    """A unit had the case from ``since`` until ``until`` (or still has it), for so much counted time."""

    unit: str
    level: str
    since: datetime
    until: datetime | None
    seconds: float


def custody_spans(
    state: CaseState, *, calendar: WorkCalendar, at: datetime, unit: TimeUnit = TimeUnit.WORK_HOURS
) -> tuple[CustodySpan, ...]:
    """How long each holder has had the case, in order.

    Args:
        state: The case.
        calendar: Working time.
        at: Now; what is still running is counted up to here.
        unit: The kind of time to count, working time by default.

    Returns:
        One entry per link of the chain, with counted seconds.
    """
    return tuple(
        CustodySpan(
            unit=link.unit,
            level=link.level,
            since=link.since,
            until=link.until,
            seconds=calendar.elapsed_seconds(start=link.since, end=link.until or at, unit=unit),
        )
        for link in state.custody
    )


def by_level(held: Iterable[CustodySpan]) -> dict[str, float]:
    """Counted seconds per level."""
    total: dict[str, float] = {}
    for link in held:
        total[link.level] = total.get(link.level, 0.0) + link.seconds
    return total
