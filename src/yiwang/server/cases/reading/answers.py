"""What operations answer, and what lists and single cases show to programs: plain JSON values, times in the city's own offset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from yiwang.core.cases import definitions
from yiwang.core.cases.events import Event
from yiwang.core.cases.fields import FOR_STAFF, LISTED, MODERATED
from yiwang.core.cases.lateness import counts_as_late
from yiwang.core.cases.state import CaseState
from yiwang.server.cases.reading import estimates, explaining
from yiwang.server.cases.reading.access import Reader
from yiwang.server.cases.reading.placing import Placement
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.masking import mask

if TYPE_CHECKING:  # they read the operations, which answer with these
    from yiwang.server.cases.reading.queries import CaseDetail
    from yiwang.server.cases.reading.wording import Words


def moment(value: datetime | None, place: CityRuntime) -> str | None:
    """RFC 3339 with the city's offset."""
    return value.astimezone(place.info.zone).isoformat() if value else None


def report_answer(
    state: CaseState, events: Sequence[Event], *, report: str, flag: str, place: CityRuntime
) -> dict[str, Any]:
    """The answer to a report."""
    return {
        "number": report,
        "case": state.number,
        "region": state.region,
        "region_names": [region.name.zh for region in place.regions.chain(state.region)] if state.region else [],
        "grid": state.grid,
        "flag": flag,
        "category": state.category,
        "priority": state.priority,
        "step": state.step,
        "holder": state.holder,
        "deadline": moment(state.deadline, place),
        "deadline_estimated": estimates.is_estimated(state, place=place),
        "seq": state.seq,
        "why": [rule_sentence(why, place) for why in explaining.whys(events)],
    }


def notice(where: Placement, *, place: CityRuntime) -> dict[str, str]:
    """What whoever reports should know of the place that was taken, in both languages; empty where all was said alike."""
    if not where.contradicted:
        return {"notice": "", "notice_zh": ""}
    given, taken = (place.regions.chain(code)[-1] for code in (where.contradicted, where.region))
    return {
        "notice": f"The point lies in {taken.name.en} ({taken.code}), not in the region that was named, "
        f"{given.name.en} ({where.contradicted}); the point was taken.",
        "notice_zh": f"坐标在{taken.name.zh}（{taken.code}），与所写区域{given.name.zh}（{where.contradicted}）不符，已按坐标登记。",
    }


def rule_sentence(why: Mapping[str, str], place: CityRuntime) -> dict[str, str]:
    """A deciding row with its sentence in both languages."""
    sentence = explaining.sentence(why, place=place)
    return {
        **why,
        "text": sentence.zh,
        "text_en": sentence.en,
    }


def verb_answer(state: CaseState, events: Sequence[Event], *, head: bytes, place: CityRuntime) -> dict[str, Any]:
    """The answer to a verb."""
    return {
        "number": state.number,
        "seq": state.seq,
        "step": state.step,
        "stage": state.stage,
        "holder": state.holder,
        "deadline": moment(state.deadline, place),
        "deadline_estimated": estimates.is_estimated(state, place=place),
        "head": head.hex(),
        "events": [event(item, place) for item in events],
    }


def event(item: Event, place: CityRuntime) -> dict[str, Any]:
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
    "number", "seq", "step", "stage", *LISTED, "holder", "opened_at", "filed_at", "closed_at", "deadline", "overdue", "rating",
    "merged_into", "flag",
)  # fmt: skip
_TIMES = ("opened_at", "filed_at", "closed_at", "deadline")


def case_list(rows: Iterable[Mapping[str, Any]], *, place: CityRuntime, at: datetime) -> list[dict[str, Any]]:
    """Rows of a list for programs. ``late`` says whether the deadline had passed at a moment, whether recorded yet or not."""
    zone, rows, found = place.info.zone, list(rows), []
    estimated = estimates.among(rows, place=place)
    for row in rows:
        item = {name: row[name] for name in LIST_FIELDS} | {"place": row["address"]}
        item["late"] = counts_as_late(
            overdue=row["overdue"], deadline=row["deadline"], closed_at=row["closed_at"], at=at
        )
        item["deadline_estimated"] = row["id"] in estimated
        for name in _TIMES:
            if item[name] is not None:
                item[name] = item[name].astimezone(zone).isoformat()
        found.append(item)
    return found


def case(
    state: CaseState, *, row: Mapping[str, Any], words: Words, reader: Reader, place: CityRuntime, at: datetime
) -> dict[str, Any]:
    """One case for programs, as one reader may read it (`access`)."""
    data = state.to_dict()
    for name in ("opened_at", "filed_at", "closed_at", "deadline", "resume_at"):
        data[name] = moment(getattr(state, name), place)
    data["custody"] = [
        {"unit": link.unit, "level": link.level, "since": moment(link.since, place), "until": moment(link.until, place)}
        for link in state.custody
    ]
    data |= {"text": words.text, "address": words.address, "place": words.address}
    if not reader.staff:
        for name in ("handlers", "pending", *(name for name in FOR_STAFF if name != "reporter")):
            data.pop(name)
    elif data["pending"] and not reader.personal:
        data["pending"] = _mask_texts(data["pending"])
    if not (reader.personal or reader.own):
        data.pop("reporter")
    return {
        **data,
        "deadline_estimated": estimates.is_estimated(state, place=place),
        "flag": row["flag"],
        "head": bytes(row["head"]).hex(),
        "region_chain": [
            {"code": region.code, "level": region.level, "name": region.name.zh, "name_en": region.name.en}
            for region in (place.regions.chain(state.region) if state.region else ())
        ],
    }


def events(detail: CaseDetail, *, words: Words, reader: Reader, place: CityRuntime) -> list[dict[str, Any]]:
    """The history of a case for programs, as one reader may read it.

    Staff get every word, masked unless they need it as written. Everybody else gets the words that the verb publishes, as
    ``reason``, and the unit and role of who acted instead of the person.
    """
    found = [event(item, place) for item in detail.events]
    if reader.personal:
        return found
    if reader.staff:
        return [
            {**item, "reason": mask(item["reason"]), "payload": _without_reporter(_mask_texts(item["payload"]))}
            for item in found
        ]
    return [
        {
            **without_persons(item),
            "reason": "\n".join(words.notes.get(item["seq"], ())),
            "payload": _without(item["payload"], UNPUBLISHED),
        }
        for item in found
    ]


# what people write freely, and whom it is about, wherever it stands in an event
UNPUBLISHED = frozenset(
    {*definitions.WORDS, *MODERATED, *FOR_STAFF, "parts", "contact", "handler", "reporter", "pending"}
)


def without_persons(item: Mapping[str, Any]) -> dict[str, Any]:
    """An event without the person who acted: the unit and the role stay."""
    return {**item, "actor": item["actor"].split(":", 1)[0], "actor_name": ""}


def _without(payload: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    kept = {name: value for name, value in payload.items() if name not in names}
    if isinstance(fields := kept.get("set"), Mapping):
        kept["set"] = {name: value for name, value in fields.items() if name not in names}
    return kept


def _without_reporter(payload: Mapping[str, Any]) -> dict[str, Any]:
    return _without(payload, frozenset({"reporter"}))


def _mask_texts(value: Any) -> Any:
    """A JSON value with personal data hidden in every text that people write; codes and times are left as they are."""
    if isinstance(value, Mapping):
        return {
            name: mask(item) if name in UNPUBLISHED and isinstance(item, str) else _mask_texts(item)
            for name, item in value.items()
        }
    return [_mask_texts(item) for item in value] if isinstance(value, list) else value
