"""Which deadlines rest on a year whose holidays nobody has announced yet, so that every face can say that they may move."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from yiwang.core.cases.state import CaseState
from yiwang.core.worktime import Clock, TimeUnit
from yiwang.server.cases.models import Case
from yiwang.server.cities.queries import CityRuntime

_BY_THE_CLOCK = frozenset({TimeUnit.URGENT_HOURS, TimeUnit.CALENDAR_DAYS})  # no holiday moves these


def is_estimated(state: CaseState, *, place: CityRuntime) -> bool:
    """Whether the deadline of an open case may still move when a year's holidays are announced."""
    clock = state.clocks.get(state.deadline_clock)
    return state.closed_at is None and clock is not None and _counts(clock, state.deadline, place)


def among(rows: Iterable[Mapping[str, Any]], *, place: CityRuntime) -> frozenset[int]:
    """Ids of the listed cases of which that is so. No query while every deadline lies in years that are known."""
    reaching = [row for row in rows if row["closed_at"] is None and _reaches(row["opened_at"], row["deadline"], place)]
    if not reaching:
        return frozenset()
    stored = dict(Case.objects.filter(id__in=[row["id"] for row in reaching]).values_list("id", "rest"))
    found = set()
    for row in reaching:
        rest = orjson.loads(stored[row["id"]])
        clock = rest.get("clocks", {}).get(rest.get("deadline_clock", ""))
        if clock and _counts(Clock.from_dict(clock), row["deadline"], place):
            found.add(row["id"])
    return frozenset(found)


def _reaches(start: Any, deadline: Any, place: CityRuntime) -> bool:
    return deadline is not None and place.calendar.is_estimate(start=start, end=deadline)


def _counts(clock: Clock, deadline: Any, place: CityRuntime) -> bool:
    if clock.resumed_at is None or clock.fixed_deadline is not None or clock.unit in _BY_THE_CLOCK:
        return False
    return _reaches(clock.resumed_at, deadline, place)
