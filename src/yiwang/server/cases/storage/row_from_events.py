"""What a case's row must be, told by its events: `yiwang ledger verify` compares with it, `yiwang cases rebuild` writes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from yiwang.core.cases.deadlines import due
from yiwang.core.cases.decide import advance
from yiwang.core.cases.events import SYSTEM_ACTOR, Event
from yiwang.core.cases.evolve import fold
from yiwang.core.cases.state import CaseState
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Refusal
from yiwang.server.cases.storage import rows
from yiwang.server.cities.queries import CityRuntime

COMPARED = (*rows.LOADED, "next_due", "waits")  # columns of a row that `differences` looks at
REPLAYED = "replay"  # the actors of a replayed past are this, or begin with it and a colon


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivedRow:
    """A case as its events tell it.

    Attributes:
        state: Their fold.
        columns: The row by column (`rows.CASE_COLUMNS`).
        dues: The values that ``next_due`` may have; the first is the usual one.
    """

    state: CaseState
    columns: Mapping[str, Any]
    dues: tuple[datetime | None, ...]


def derive(events: Sequence[Event], *, head: bytes, place: CityRuntime, at: datetime | None = None) -> DerivedRow:
    """The row of a case.

    Args:
        events: All of its events, in order.
        head: Hash of the last.
        place: The city; its rules say when the system has to look at the case again.
        at: Now.

    Raises:
        BadInput: When the events cannot be folded.
    """
    state = fold(events)
    flag = flag_after("", events)
    columns = dict(zip(rows.CASE_COLUMNS, rows.case_values(state, head=head, flag=flag, place=place), strict=True))
    dues = _dues(columns["next_due"], state, events, place, at or datetime.now(UTC))
    return DerivedRow(state=state, columns={**columns, "next_due": dues[0]}, dues=dues)


def flag_after(flag: str, events: Iterable[Event]) -> str:
    """How a case is located (`placing.Placement`) after some more events: as it was opened, or as its place was last corrected."""
    for event in events:
        opening = event.payload.get("flags") if event.seq == 1 else None
        flag = event.payload.get("located", opening[0] if opening else flag)
    return flag


def _dues(
    moment: datetime | None, state: CaseState, events: Iterable[Event], place: CityRuntime, at: datetime
) -> tuple[datetime | None, ...]:
    """A replayed past asks nothing of the clock until somebody takes the case up; and what the clock asked for and the
    workflow refused is not tried again for ever."""
    if moment is None:
        return (None,)
    if all(event.actor == SYSTEM_ACTOR.id or event.actor.split(":")[0] == REPLAYED for event in events):
        return (None, moment)
    if moment <= at and _is_refusal(state, place, at):
        return (None, moment)
    return (moment,)


def _is_refusal(state: CaseState, place: CityRuntime, at: datetime) -> bool:
    commands = due(state, rules=place.rules, calendar=place.calendar, at=at)
    if not commands:
        return True
    try:
        advance(state, commands[0], rules=place.rules, calendar=place.calendar, at=at)
    except (Refusal, BadInput):
        return True
    return False


def differences(row: Mapping[str, Any], found: DerivedRow) -> list[str]:
    """Names of what a row (`COMPARED` columns) says otherwise than the events; empty when all is the same."""
    try:
        current = rows.state_of(row)
    except BadInput:
        return ["rest"]
    names = []
    if current != found.state:
        one, other = found.state.to_dict(), current.to_dict()
        names = [name for name in one if one[name] != other[name]] or ["form"]
    names += [name for name in ("flag", "waits") if row[name] != found.columns[name]]
    if row["next_due"] not in found.dues:
        names.append("next_due")
    if bytes(row["head"]) != found.columns["head"]:
        names.append("head")
    return names
