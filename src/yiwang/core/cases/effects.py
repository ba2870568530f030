"""Operations with a state of their own: extension, suspension, joint handling, appeal, merging, reopening, rating.

Each effect looks at what the command carries and answers with the fields of the case that it changes. Whether the case is
ready for it has been asked before (`readiness`); what all verbs share (step, custody, clocks, counts) is `decide`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from yiwang.core.cases.asking import Asked, facts_of
from yiwang.core.cases.definitions import SYSTEM
from yiwang.core.cases.fields import CORRECTABLE, INHERITED, LOCATING, LOCATION, given
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Invalid, Missing, NotAllowed, NotPossible, Unknown
from yiwang.core.kernel.text import Text
from yiwang.core.worktime import Limit

Changes = dict[str, Any]
Effect = Callable[[Asked], Changes]


# --- requests and answers ---------------------------------------------------------------------------------------------


def _request(asked: Asked, kind: str, **details: Any) -> Changes:
    return {
        "pending": {
            "kind": kind,
            "verb": asked.verb.id,
            "by": asked.actor.id,
            "unit": asked.actor.unit,
            "at": asked.at.isoformat(),
            "reason": asked.payload.get("reason", ""),
            **details,
        }
    }


def extend_ask(asked: Asked) -> Changes:
    """延期: asked for before the deadline, while the clock runs."""
    return _request(asked, "extend")


def _until(asked: Asked) -> datetime:
    """The end of a suspension: a moment, or a day, which counts from its beginning in the city."""
    pending = asked.state.pending or {}
    text = str(asked.payload.get("until") or pending.get("until") or "")
    if not text:
        raise Missing(Text("请写明挂账到哪一天。", "Say until which day it is suspended."), field="until")
    zone = asked.calendar.zone
    try:
        until = datetime.fromisoformat(text) if len(text) > 10 else datetime.combine(date.fromisoformat(text), time())
        until = (until if until.tzinfo else until.replace(tzinfo=zone)).astimezone(UTC)
        longest = asked.calendar.add(start=asked.at, limit=Limit.parse(asked.verb.longest))
    except (ValueError, OverflowError):
        raise Invalid(Text("挂账日期应写成 YYYY-MM-DD。", "Write the day as YYYY-MM-DD."), field="until") from None
    if not asked.at < until <= longest:
        last = longest.astimezone(zone).date().isoformat()
        raise Invalid(
            Text("挂账须在现在之后、{last} 之前结束。", "A suspension ends after now and not after {last}.", last=last),
            field="until",
        )
    return until


def suspend_ask(asked: Asked) -> Changes:
    """挂账: once, for a stated time."""
    return _request(asked, "suspend", until=_until(asked).isoformat())


def suspend_approve(asked: Asked) -> Changes:
    return {"pending": None, "resume_at": _until(asked).isoformat()}


def answer(_: Asked) -> Changes:
    """A request is granted (each extension adds one original limit, by the verb's ``extend``) or refused."""
    return {"pending": None}


def resume(_: Asked) -> Changes:
    return {"resume_at": None}


def appeal(asked: Asked) -> Changes:
    """超时申诉: once, against recorded lateness."""
    return {**_request(asked, "appeal"), "appeal": "asked"}


def appeal_endorse(asked: Asked) -> Changes:
    """The first of two to look at an appeal agrees."""
    return {"pending": {**(asked.state.pending or {}), "endorsed_by": asked.actor.id}, "appeal": "endorsed"}


def appeal_approve(_: Asked) -> Changes:
    """Lifts the penalty; ``overdue`` stays, since a fact cannot be appealed away."""
    return {"pending": None, "appeal": "granted", "penalty_lifted": True}


def appeal_refuse(_: Asked) -> Changes:
    return {"pending": None, "appeal": "refused"}


# --- supervision and joint handling -----------------------------------------------------------------------------------


def supervise(asked: Asked) -> Changes:
    """督办: the opinion is in the event; the holder is told."""
    asked.notify(asked.state.holder)
    return {}


def escalate(asked: Asked) -> Changes:
    """As time runs out: the holder and the unit above it are told."""
    above = next(asked.rules.units.above(asked.state.holder), None)
    asked.notify(asked.state.holder, above.code if above else "")
    return {}


def assist_ask(asked: Asked) -> Changes:
    """会办: the holder stays the main unit and answers for the limit."""
    state, rules, units = asked.state, asked.rules, asked.payload.get("units", [])
    if not units:
        raise Missing(Text("请选择会办单位。", "Name the units that are to assist."), field="units")
    for unit in units:
        if not rules.exists(unit, asked.on):
            raise Unknown(Text("没有编码为 {unit} 的单位。", "There is no unit {unit}.", unit=unit), field="units")
        if unit == state.holder:
            raise NotPossible(
                Text("主办单位不能会办自己的案卷。", "The main unit cannot assist itself."), field="units"
            )
    asked.notify(*units)
    return {"assisting": {**state.assisting, **dict.fromkeys(units, "asked")}}


def assist_done(asked: Asked) -> Changes:
    """An assisting unit says so for itself; a unit above may say so for it."""
    unit = asked.payload.get("unit") or asked.actor.unit
    if asked.state.assisting.get(unit) != "asked":
        raise NotPossible(
            Text("没有请这个单位会办，或它已完成。", "That unit was not asked to assist, or has done so already."),
            field="unit",
        )
    if asked.role != SYSTEM and unit != asked.actor.unit and not asked.rules.units.is_above(asked.actor.unit, unit):
        raise NotAllowed(
            Text("只能替本单位或下级单位反馈。", "You may say so for your own unit or one below."), field="unit"
        )
    return {"assisting": {**asked.state.assisting, unit: "done"}}


# --- the case itself --------------------------------------------------------------------------------------------------


def correct(asked: Asked) -> Changes:
    """Put right what or where it is; `corrections` does it, for this verb as for every other that carries such fields."""
    if not any(name in asked.payload for name in CORRECTABLE):
        raise Missing(Text("请写明要更正什么。", "Say what is to be corrected."), field="category")
    return {}


def corrections(asked: Asked) -> Changes:
    """Fields of the case that the command gives anew, with what follows from them.

    A case that has not left its centre goes to the centre that triage now names. The unit and the limit follow from the
    tables when it is dispatched. One that has been dispatched stays with its holder, and the event says which unit the tables
    would have named (``kept``).
    """
    state, payload = asked.state, asked.payload
    changes: Changes = {
        name: payload[name]
        for name in CORRECTABLE
        if name in payload and name not in LOCATION and payload[name] != getattr(state, name)
    }
    moved = _moved(asked)
    changes |= moved
    if not changes:
        return {}
    if "category" in changes:
        changes.setdefault("condition", "")
    asked.tells["was"] = {name: was for name in changes if (was := getattr(state, name)) not in ("", None)}
    facts = {name: str(changes.get(name, value)) for name, value in facts_of(state).items()}
    if moved and state.holder != state.centre:
        _tell_kept(asked, facts)
    triaged = asked.rules.triaged(facts | {"priority": str(changes.get("priority", ""))}, asked.on)
    if triaged is None:
        return changes
    asked.why("triage", triaged.to_dict())
    if triaged.priority:
        changes.setdefault("priority", triaged.priority)
    if triaged.centre and triaged.centre != state.centre:
        changes["centre"] = triaged.centre
        if state.holder == state.centre:
            asked.holder = triaged.centre
    return changes


def _moved(asked: Asked) -> Changes:
    """The fields of the place, where the command names another one.

    A place is one fact. Region, unit grid and point are replaced together: what the command leaves out of the new place
    is empty, never what belonged to the old one. Only who has the map at hand can tell a region by its point, so the
    caller gives all that it knows, and ``flags`` how sure that is.
    """
    state, payload = asked.state, asked.payload
    if ("lon" in payload) != ("lat" in payload):
        missing = "lat" if "lon" in payload else "lon"
        raise Missing(
            Text("坐标须同时给出经度和纬度。", "A point needs lon and lat: give both or neither."), field=missing
        )
    if all(payload[name] == getattr(state, name) for name in LOCATION if name in payload):
        return {}
    region = payload.get("region", "")
    check_region(asked, region)
    asked.tells["located"] = next(iter(payload.get("flags", ())), "")
    place: Changes = {
        "region": region, "grid": payload.get("grid", ""), "lon": payload.get("lon"), "lat": payload.get("lat"),
    }  # fmt: skip
    return {name: value for name, value in place.items() if value != getattr(state, name)}


def _tell_kept(asked: Asked, facts: Mapping[str, str]) -> None:
    """A unit is at work: a new place does not take the case from it, but the event says who it would have been."""
    ruled = asked.rules.routed(facts, asked.on)
    if ruled is not None and ruled.value != asked.state.holder:
        asked.tells["kept"] = {"unit": asked.state.holder, "ruled": ruled.value}


def check_region(asked: Asked, region: str) -> None:
    """Raises `Unknown` when there is no such region."""
    try:
        asked.rules.codes_of(region)
    except BadInput as error:
        raise Unknown(
            Text("没有编码为 {region} 的区域。", "There is no region {region}.", region=region), field="region"
        ) from error


def merge(asked: Asked) -> Changes:
    """并案: this case turns out to be another one, reported again. The other one takes it in by `absorb`."""
    into = asked.payload.get("into", "")
    if not into:
        raise Missing(Text("请写明并入哪个案卷。", "Say which case it is merged into."), field="into")
    if into == asked.state.number:
        raise NotPossible(Text("案卷不能并入自己。", "A case cannot be merged into itself."), field="into")
    return {"merged_into": into, "pending": None}


def absorb(asked: Asked) -> Changes:
    """Take in a duplicate, with the duplicates that it had itself."""
    number = asked.payload.get("number", "")
    if not number:
        raise Missing(Text("请写明并入的是哪个案卷。", "Say which case is taken in."), field="number")
    if number == asked.state.number:
        raise NotPossible(Text("案卷不能并入自己。", "A case cannot take itself in."), field="number")
    known = asked.state.duplicates
    more = dict.fromkeys(other for other in (number, *asked.payload.get("numbers", ())) if other not in known)
    more.pop(asked.state.number, None)
    return {"duplicates": [*known, *more]}


def split(asked: Asked) -> Changes:
    """拆分: parts become cases of their own, linked to this one. The event carries their reports, complete."""
    parts, numbers = asked.payload.get("parts", []), asked.payload.get("numbers", [])
    if not parts:
        raise Missing(Text("拆分须写明各部分。", "Splitting needs its parts."), field="parts")
    if not all(part.get("text") or part.get("category") for part in parts):
        raise Missing(Text("每一部分须写明情况或类别。", "Each part needs a text or a category."), field="parts")
    if len(set(numbers)) != len(parts) or asked.state.number in numbers:
        raise Missing(Text("每一部分须有自己的案卷号。", "Each part needs a number of its own."), field="numbers")
    state = asked.state
    common = dict(given(state, INHERITED))
    reports = []
    for number, part in zip(numbers, parts, strict=True):
        if "region" in part:
            check_region(asked, part["region"])
        base = {name: value for name, value in common.items() if not ("region" in part and name in LOCATING)}
        if "category" in part:
            base.pop("condition", None)
        reports.append({**base, **part, "number": number, "part_of": state.number})
    asked.tells["parts"] = reports
    return {"parts": [*state.parts, *numbers]}


def reopen(_: Asked) -> Changes:
    """A new round with a new disposal clock; what was recorded stays."""
    return {"closed_at": None, "finished_at": None, "rating": 0, "pending": None, "assisting": {}, "returned_from": ""}


def rate(asked: Asked) -> Changes:
    """评价: once for each closing."""
    if "stars" not in asked.payload:
        raise Missing(Text("请给 1 到 5 星。", "Give 1 to 5 stars."), field="stars")
    return {"rating": asked.payload["stars"]}


def send_back(asked: Asked) -> Changes:
    """回退: the receiver may only correct or send again; see `permissions`."""
    return {"returned_from": asked.state.step}


EFFECT_OF: Mapping[str, Effect] = {
    "correct": correct,
    "extend_ask": extend_ask,
    "extend_approve": answer,
    "suspend_ask": suspend_ask,
    "suspend_approve": suspend_approve,
    "refuse_request": answer,
    "resume": resume,
    "return": send_back,
    "supervise": supervise,
    "escalate": escalate,
    "assist_ask": assist_ask,
    "assist_done": assist_done,
    "merge": merge,
    "absorb": absorb,
    "split": split,
    "appeal": appeal,
    "appeal_endorse": appeal_endorse,
    "appeal_approve": appeal_approve,
    "appeal_refuse": appeal_refuse,
    "reopen": reopen,
    "rate": rate,
}
