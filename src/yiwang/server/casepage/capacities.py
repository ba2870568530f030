"""In which of their posts somebody may do what on a case, and where the rules would send it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from yiwang.core.cases.custody import facts_of
from yiwang.core.cases.decide import VerbChoice, permitted
from yiwang.core.cases.events import Actor
from yiwang.core.cases.state import CaseState
from yiwang.server.cases.api import load_rows, state_of_row, unit_name
from yiwang.server.cities.queries import CityRuntime


def capacities(
    state: CaseState, *, place: CityRuntime, actors: Iterable[Actor], at: datetime, verbs: Collection[str] | None = None
) -> dict[str, tuple[Actor, VerbChoice]]:
    """For each verb of the case's step, or of some, the first of the posts that may do it, else the first one with the reason."""
    found: dict[str, tuple[Actor, VerbChoice]] = {}
    for actor in actors:
        for choice in permitted(state, actor, rules=place.rules, at=at, verbs=verbs):
            if choice.verb not in found or (choice.allowed and not found[choice.verb][1].allowed):
                found[choice.verb] = (actor, choice)
    return found


def states_of(numbers: Iterable[str], *, place: CityRuntime) -> dict[str, CaseState]:
    """States of cases of a city, by number; those that do not exist there are left out."""
    asked = list(numbers)
    found = load_rows(asked, lock=False) if asked else {}
    return {number: state_of_row(row) for number, row in found.items() if row["city"] == place.info.id}


def suggested_unit(state: CaseState, *, place: CityRuntime, at: datetime) -> dict[str, Any] | None:
    """The unit that the routing table names, the row that decided, and what came second."""
    ruled = place.rules.unit_for(facts_of(state), at.astimezone(place.info.zone).date())
    if ruled is None:
        return None
    return {
        "unit": ruled.value,
        "unit_name": unit_name(place, ruled.value),
        "row": ruled.row,
        "second": ruled.runner_up_value,
        "second_name": unit_name(place, ruled.runner_up_value),
        "second_row": ruled.runner_up,
    }
