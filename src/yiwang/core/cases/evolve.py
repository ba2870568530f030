"""Folding events into state. It consults nothing but the event, so history never changes when a rule does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from yiwang.core.cases.events import Event
from yiwang.core.cases.state import MOMENTS, CaseState, Custody, blank
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.core.worktime import Clock

_NOTHING: Mapping[str, Any] = {}


def _moment(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


_READERS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys((name for name in MOMENTS if name != "updated_at"), _moment),
    "duplicates": tuple,
    "parts": tuple,
    "fired": frozenset,
}


def evolve(state: CaseState | None, event: Event) -> CaseState:
    """The state after one more event.

    The event's payload says what changed: ``set`` (fields), ``add`` (counts raised), ``clocks`` (as they now are),
    ``handler`` (an id added to those who handled). Verbs are not interpreted, so an event of a verb that the
    workflow no longer has still folds.

    Raises:
        BadInput: When the event is of another case or out of its turn.
    """
    if state is None:
        state = blank(event.number)
    if event.number != state.number or event.seq != state.seq + 1:
        raise BadInput(
            Text(
                "事件 {number}#{seq} 不能接在 {before}#{last} 之后。",
                "Event {number}#{seq} cannot follow {before}#{last}.",
                number=event.number,
                seq=event.seq,
                before=state.number,
                last=state.seq,
            )
        )
    payload = event.payload
    values = payload.get("set", _NOTHING)
    changes: dict[str, Any] = {**values, "seq": event.seq, "step": event.to_step, "updated_at": event.at}
    for name in _READERS.keys() & values.keys():
        changes[name] = _READERS[name](values[name])
    custody = _chain(state, event, changes)
    if custody is not state.custody:
        changes["custody"] = custody
    if event.holder != state.holder:
        changes["holder"] = event.holder
        changes["level"] = payload.get("level", "")
    if added := payload.get("add"):
        counts = dict(state.counts)
        for name, more in added.items():
            counts[name] = counts.get(name, 0) + more
        changes["counts"] = counts
    if clocks := payload.get("clocks"):
        changes["clocks"] = {**state.clocks, **{name: Clock.from_dict(clock) for name, clock in clocks.items()}}
    if handler := payload.get("handler"):
        changes["handlers"] = state.handlers | {handler}
    return state.with_changes(changes)


def _chain(state: CaseState, event: Event, changes: Mapping[str, Any]) -> tuple[Custody, ...]:
    """The chain of holders. A link ends when another unit takes over or the case ends; a reopened case starts a new one."""
    chain = state.custody
    ended = changes.get("closed_at", state.closed_at) is not None
    moved = event.holder != state.holder or not chain
    running = bool(chain) and chain[-1].until is None
    if running and (moved or ended):
        last = chain[-1]
        chain = (*chain[:-1], Custody(unit=last.unit, level=last.level, since=last.since, until=event.at))
    if moved or not (running or ended):
        level = event.payload.get("level", "") if moved else state.level
        chain = (*chain, Custody(unit=event.holder, level=level, since=event.at, until=event.at if ended else None))
    return chain


def fold(events: Iterable[Event]) -> CaseState:
    """The state after all events of a case.

    Raises:
        BadInput: When there is none, or one is out of its turn.
    """
    state: CaseState | None = None
    for event in events:
        state = evolve(state, event)
    if state is None:
        raise BadInput(Text("没有事件的案卷没有状态。", "A case without events has no state."))
    return state
