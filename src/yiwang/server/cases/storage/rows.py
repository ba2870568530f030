"""Cases and events as rows, and back: the one place that knows both the core's objects and the tables' columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from django.db import connection

from yiwang.core.cases.deadlines import next_due
from yiwang.core.cases.events import Event
from yiwang.core.cases.ledger import event_hash, event_record, genesis
from yiwang.core.cases.state import FIELDS, MOMENTS, PLAIN, CaseState
from yiwang.server.cases.models import Case
from yiwang.server.cases.storage.words import search_text
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common import sql
from yiwang.server.common.selecting import select

# fields of the state that have a column of the same name
STATE_COLUMNS = tuple(column.name for column in Case._meta.concrete_fields if column.name in FIELDS)
TIMES = tuple(name for name in STATE_COLUMNS if name in MOMENTS)
_PLAIN = tuple(name for name in STATE_COLUMNS if name not in TIMES)
NEW_CASE = sql.Newest("cases_case")  # the case that was inserted last before a row that belongs to it
CASE_COLUMNS = (*STATE_COLUMNS, "next_due", "flag", "head", "rest", "waits", "sought")
LOADED = ("id", *STATE_COLUMNS, "flag", "head", "rest")
EVENT_COLUMNS = (
    "case_id", "city", "seq", "at", "verb", "actor", "actor_name", "actor_unit", "role", "from_step", "to_step",
    "from_holder", "holder", "reason", "payload", "hash",
)  # fmt: skip

_COLUMNED = frozenset(STATE_COLUMNS)
_EMPTY: tuple[Any, ...] = ("", None, 0, False, [], {})
# what a state's dictionary holds for a part that the row leaves out
_BLANK: dict[str, Any] = {
    name: [] if isinstance(value, list) else {} if isinstance(value, dict) else value
    for name, value in CaseState(number="").to_dict().items()
}


def case_values(state: CaseState, *, head: bytes, flag: str, place: CityRuntime) -> tuple[Any, ...]:
    """The row of a case, in the order of `CASE_COLUMNS`."""
    rest = {name: value for name, value in state.to_dict().items() if name not in _COLUMNED and value not in _EMPTY}
    return (
        *[getattr(state, name) for name in STATE_COLUMNS],
        next_due(state, rules=place.rules, calendar=place.calendar),
        flag,
        head,
        orjson.dumps(rest).decode(),
        waits_of(state.pending, state.assisting),
        search_text(state.text, state.address),
    )


def waits_of(pending: Mapping[str, Any] | None, assisting: Mapping[str, str]) -> str | None:
    """What somebody is still to answer, as the column ``waits`` holds it."""
    words = [str(pending.get("kind"))] if pending else []
    words += [f"@{unit}" for unit, how in sorted(assisting.items()) if how == "asked"]
    return f" {' '.join(words)} " if words else None


def state_of(row: Mapping[str, Any]) -> CaseState:
    """The state from a row of a case (`LOADED` columns).

    Raises:
        BadInput: When what is stored is damaged.
    """
    data = _BLANK | orjson.loads(row["rest"])
    for name in _PLAIN:
        data[name] = row[name]
    for name in TIMES:
        value: datetime | None = row[name]
        data[name] = value.isoformat() if value else None
    return CaseState.from_dict(data)


def event_values(event: Event, *, case_id: Any, city: str, digest: bytes) -> tuple[Any, ...]:
    """The row of an event, in the order of `EVENT_COLUMNS`."""
    return (
        case_id, city, event.seq, event.at, event.verb, event.actor, event.actor_name, event.actor_unit, event.role,
        event.from_step, event.to_step, event.from_holder, event.holder, event.reason,
        orjson.dumps(event.payload).decode(), digest,
    )  # fmt: skip


def event_of(row: Mapping[str, Any], *, number: str) -> Event:
    """An event from its row."""
    return Event(
        number=number, seq=row["seq"], at=row["at"], verb=row["verb"], actor=row["actor"], actor_name=row["actor_name"],
        actor_unit=row["actor_unit"], role=row["role"], from_step=row["from_step"], to_step=row["to_step"],
        from_holder=row["from_holder"], holder=row["holder"], reason=row["reason"], payload=orjson.loads(row["payload"]),
    )  # fmt: skip


def hash_chain(events: Sequence[Event], *, head: bytes | None) -> list[bytes]:
    """Hash of each event, following on ``head``; None before the first event of a case."""
    digests: list[bytes] = []
    previous = head if head is not None else genesis(events[0].number)
    for event in events:
        previous = event_hash(event=event_record(event), previous=previous)
        digests.append(previous)
    return digests


def load(numbers: Iterable[str], *, lock: bool) -> dict[str, dict[str, Any]]:
    """Rows of cases by number, locked in the order of their numbers so that two commands never wait for each other."""
    asked = list(numbers)
    tail = f'WHERE "number" IN ({", ".join(["%s"] * len(asked))}) ORDER BY "number"'
    if lock and connection.features.has_select_for_update:  # SQLite has locked everything by now
        tail += " FOR UPDATE"
    found = [dict(zip(LOADED, row, strict=True)) for row in select(Case, LOADED, tail, asked)]
    return {row["number"]: {**row, "head": bytes(row["head"])} for row in found}


assert set(STATE_COLUMNS) <= {*PLAIN, *MOMENTS}, "a column without a field of the state"
