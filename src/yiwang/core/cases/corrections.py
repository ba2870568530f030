"""Corrections: what a case is or where it lies, said anew, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yiwang.core.cases.attempt import Attempt, facts_of
from yiwang.core.cases.fields import CORRECTABLE, LOCATION
from yiwang.core.kernel.refusals import Missing
from yiwang.core.kernel.text import Text

Changes = dict[str, Any]


def corrections(attempt: Attempt) -> Changes:
    """Fields of the case that the command gives anew, with what follows from them.

    A case that has not left its centre goes to the centre that triage now names. The unit and the limit follow from the
    tables when it is dispatched. One that has been dispatched stays with its holder, and the event says which unit the tables
    would have named (``kept``).
    """
    state, payload = attempt.state, attempt.payload
    changes: Changes = {
        name: payload[name]
        for name in CORRECTABLE
        if name in payload and name not in LOCATION and payload[name] != getattr(state, name)
    }
    moved = _place_changes(attempt)
    changes |= moved
    if not changes:
        return {}
    if "category" in changes:
        changes.setdefault("condition", "")
    attempt.tells["was"] = {name: was for name in changes if (was := getattr(state, name)) not in ("", None)}
    facts = {name: str(changes.get(name, value)) for name, value in facts_of(state).items()}
    if moved and state.holder != state.centre:
        _tell_unit_by_rules(attempt, facts)
    triaged = attempt.rules.triage_for(facts | {"priority": str(changes.get("priority", ""))}, attempt.on)
    if triaged is None:
        return changes
    attempt.why("triage", triaged.to_dict())
    if triaged.priority:
        changes.setdefault("priority", triaged.priority)
    if triaged.centre and triaged.centre != state.centre:
        changes["centre"] = triaged.centre
        if state.holder == state.centre:
            attempt.holder = triaged.centre
    return changes


def _place_changes(attempt: Attempt) -> Changes:
    """The fields of the place, where the command names another one.

    A place is one fact. Region, unit grid and point are replaced together: what the command leaves out of the new place
    is empty, never what belonged to the old one. Only who has the map at hand can tell a region by its point, so the
    caller gives all that it knows, and ``flags`` how sure that is.
    """
    state, payload = attempt.state, attempt.payload
    if ("lon" in payload) != ("lat" in payload):
        missing = "lat" if "lon" in payload else "lon"
        raise Missing(
            Text("坐标须同时给出经度和纬度。", "A point needs lon and lat: give both or neither."), field=missing
        )
    if all(payload[name] == getattr(state, name) for name in LOCATION if name in payload):
        return {}
    region = payload.get("region", "")
    attempt.check_region(region)
    attempt.tells["located"] = next(iter(payload.get("flags", ())), "")
    place: Changes = {
        "region": region, "grid": payload.get("grid", ""), "lon": payload.get("lon"), "lat": payload.get("lat"),
    }  # fmt: skip
    return {name: value for name, value in place.items() if value != getattr(state, name)}


def _tell_unit_by_rules(attempt: Attempt, facts: Mapping[str, str]) -> None:
    """A unit is at work: a new place does not take the case from it, but the event says who it would have been."""
    ruled = attempt.rules.unit_for(facts, attempt.on)
    if ruled is not None and ruled.value != attempt.state.holder:
        attempt.tells["kept"] = {"unit": attempt.state.holder, "ruled": ruled.value}
