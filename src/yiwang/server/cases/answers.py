"""What operations answer, and what lists and single cases show to programs: plain JSON values, times in the city's own offset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from yiwang.core.cases.events import Event
from yiwang.core.cases.state import CaseState
from yiwang.server.cases import explaining
from yiwang.server.places.queries import Runtime


def moment(value: datetime | None, place: Runtime) -> str | None:
    """RFC 3339 with the city's offset."""
    return value.astimezone(place.info.zone).isoformat() if value else None


def reported(state: CaseState, events: Sequence[Event], *, report: str, flag: str, place: Runtime) -> dict[str, Any]:
    """The answer to a report."""
    return {
        "number": report,
        "case": state.number,
        "region": state.region,
        "region_names": [region.name for region in place.regions.chain(state.region)] if state.region else [],
        "grid": state.grid,
        "flag": flag,
        "category": state.category,
        "priority": state.priority,
        "step": state.step,
        "holder": state.holder,
        "deadline": moment(state.deadline, place),
        "seq": state.seq,
        "why": [told(why, place) for why in explaining.whys(events)],
    }


def told(why: Mapping[str, str], place: Runtime) -> dict[str, str]:
    """A deciding row with its sentence in both languages."""
    return {
        **why,
        "text": explaining.sentence(why, place=place, in_english=False),
        "text_en": explaining.sentence(why, place=place, in_english=True),
    }


def acted(state: CaseState, events: Sequence[Event], *, head: bytes, place: Runtime) -> dict[str, Any]:
    """The answer to a verb."""
    return {
        "number": state.number,
        "seq": state.seq,
        "step": state.step,
        "stage": state.stage,
        "holder": state.holder,
        "deadline": moment(state.deadline, place),
        "head": head.hex(),
        "events": [event(item, place) for item in events],
    }


def event(item: Event, place: Runtime) -> dict[str, Any]:
    """An event for programs."""
    return {
        "seq": item.seq,
        "at": moment(item.at, place),
        "verb": item.verb,
        "actor": item.actor,
        "actor_name": item.actor_name,
        "actor_unit": item.actor_unit,
        "role": item.role,
        "from_step": item.from_step,
        "to_step": item.to_step,
        "from_holder": item.from_holder,
        "holder": item.holder,
        "reason": item.reason,
        "payload": item.payload,
    }


LIST_FIELDS = (
    "number", "seq", "step", "stage", "category", "condition", "region", "grid", "lon", "lat", "text", "place", "source",
    "priority", "holder", "opened_at", "filed_at", "closed_at", "deadline", "overdue", "rating", "merged_into", "flag",
)  # fmt: skip
_TIMES = ("opened_at", "filed_at", "closed_at", "deadline")


def listed(rows: Iterable[Mapping[str, Any]], *, place: Runtime, at: datetime) -> list[dict[str, Any]]:
    """Rows of a list for programs. ``late`` says whether the deadline has passed, whether recorded yet or not."""
    zone = place.info.zone
    found = []
    for row in rows:
        item = {name: row[name] for name in LIST_FIELDS}
        item["late"] = row["overdue"] or (
            row["closed_at"] is None and row["deadline"] is not None and row["deadline"] < at
        )
        for name in _TIMES:
            if item[name] is not None:
                item[name] = item[name].astimezone(zone).isoformat()
        found.append(item)
    return found


def case(state: CaseState, *, row: Mapping[str, Any], place: Runtime, at: datetime, in_full: bool) -> dict[str, Any]:
    """One case for programs; personal data only where the reader's role needs it."""
    data = state.to_dict()
    for name in ("opened_at", "filed_at", "closed_at", "deadline", "resume_at"):
        data[name] = moment(getattr(state, name), place)
    data["custody"] = [
        {"unit": link.unit, "level": link.level, "since": moment(link.since, place), "until": moment(link.until, place)}
        for link in state.custody
    ]
    if not in_full:
        for name in ("handlers", "reporter", "pending"):
            data.pop(name)
    return {
        **data,
        "flag": row["flag"],
        "head": bytes(row["head"]).hex(),
        "region_chain": [
            {"code": region.code, "level": region.level, "name": region.name, "name_en": region.name_en}
            for region in (place.regions.chain(state.region) if state.region else ())
        ],
    }


def masked(item: dict[str, Any]) -> dict[str, Any]:
    """An event without the persons in it: the unit and the role stay."""
    payload = {name: value for name, value in item["payload"].items() if name != "handler"}
    fields = payload.get("set")
    if isinstance(fields, Mapping):
        payload["set"] = {name: value for name, value in fields.items() if name not in {"reporter", "pending"}}
    return {**item, "actor": item["actor"].split(":", 1)[0], "actor_name": "", "payload": payload}
