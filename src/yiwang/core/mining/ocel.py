"""The case log as an object-centric event log (OCEL 2.0, Berti et al. 2024, arXiv:2403.01975): who and what an event touches.

Objects are cases, reports, units, regions and components (of which there are none until a city keeps assets). Events are
the case's events, typed by verb. Relations between objects say what lies where, what is below what, what came of what.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from yiwang.core.cases.definitions import Workflow
from yiwang.core.cases.fields import DECIDING
from yiwang.core.cases.units import Unit
from yiwang.core.mining.log import LogCase
from yiwang.core.space import Region

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)  # the specification's moment for values that have held from the beginning
OBJECT_TYPES: dict[str, tuple[str, ...]] = {
    "case": ("number", *(name for name in DECIDING.values() if name != "region"), "step", "overdue"),
    "report": ("number", "source", "reported_at"),
    "unit": ("code", "name", "kind", "level"),
    "region": ("code", "name", "level"),
    "component": ("code", "kind"),
}
EVENT_ATTRIBUTES = ("seq", "actor", "role", "from_step", "to_step")
ATTRIBUTE_TYPES = {"overdue": "boolean", "seq": "integer", "reported_at": "time"}  # all others are strings
Value = str | int | bool | datetime


class Relation(NamedTuple):
    """To which object something stands in which relation."""

    object: str
    qualifier: str


class LogObject(NamedTuple):
    """An object: its id, its type, its values with the moment from which they hold, its relations to others."""

    id: str
    type: str
    at: datetime
    values: dict[str, Value]
    relations: list[Relation]


class ObjectEvent(NamedTuple):
    """An event: its id, its type, when it happened, its values, and the objects that it touched."""

    id: str
    type: str
    at: datetime
    values: dict[str, Value]
    relations: list[Relation]


def event_types(workflow: Workflow) -> tuple[str, ...]:
    """Types of events: the verbs of the workflow."""
    return tuple(workflow.verbs)


def place_objects(*, units: Iterable[Unit], regions: Iterable[Region]) -> Iterator[LogObject]:
    """Units and regions, each related to the one above it."""
    for unit in units:
        relations = [Relation(f"unit:{unit.parent}", "below")] if unit.parent else []
        if unit.region:
            relations.append(Relation(f"region:{unit.region}", "works for"))
        values: dict[str, Value] = {"code": unit.code, "name": unit.name.zh, "kind": unit.kind, "level": unit.level}
        yield LogObject(f"unit:{unit.code}", "unit", ALWAYS, values, relations)
    for region in regions:
        relations = [Relation(f"region:{region.parent}", "within")] if region.parent else []
        values = {"code": region.code, "name": region.name.zh, "level": region.level}
        yield LogObject(f"region:{region.code}", "region", ALWAYS, values, relations)


class Objects:
    """Makes objects and events of cases, and remembers what they name, so that no relation points at nothing.

    Args:
        known: Ids of the objects that are written anyway (`place_objects`).
    """

    def __init__(self, known: Iterable[str]) -> None:
        self._known = set(known)
        self._missing: set[str] = set()

    def of_case(self, case: LogCase) -> Iterator[LogObject]:
        """The case and its reports."""
        relations = [self._to("region", case.region, "located in")] if case.region else []
        if case.merged_into:
            relations.append(Relation(f"case:{case.merged_into}", "merged into"))
        if case.part_of:
            relations.append(Relation(f"case:{case.part_of}", "split from"))
        values: dict[str, Value] = {name: getattr(case, name) for name in OBJECT_TYPES["case"]}
        yield LogObject(f"case:{case.number}", "case", case.opened_at, values, relations)
        for report in case.reports:
            about = [Relation(f"case:{case.number}", "opened" if report.first else "joined")]
            if report.region:
                about.append(self._to("region", report.region, "located in"))
            told: dict[str, Value] = {"number": report.number, "source": report.source, "reported_at": report.at}
            yield LogObject(f"report:{report.number}", "report", report.at, told, about)

    def events_of(self, case: LogCase) -> Iterator[ObjectEvent]:
        """The case's events."""
        first = next((report.number for report in case.reports if report.first), "")
        for event in case.events:
            relations = [Relation(f"case:{case.number}", "case")]
            if event.holder:
                relations.append(self._to("unit", event.holder, "holder"))
            if event.from_holder and event.from_holder != event.holder:
                relations.append(self._to("unit", event.from_holder, "former holder"))
            if event.unit:
                relations.append(self._to("unit", event.unit, "acting for"))
            if not event.from_step and case.region:
                relations.append(self._to("region", case.region, "located in"))
            if not event.from_step and first:
                relations.append(Relation(f"report:{first}", "opened by"))
            values: dict[str, Value] = {name: getattr(event, name) for name in EVENT_ATTRIBUTES}
            yield ObjectEvent(f"{case.number}#{event.seq}", event.verb, event.at, values, relations)

    def missing(self) -> Iterator[LogObject]:
        """Units and regions that cases name and the pack no longer has; call it after the last case."""
        for name in sorted(self._missing):
            kind, code = name.split(":", 1)
            yield LogObject(name, kind, ALWAYS, {"code": code}, [])

    def _to(self, kind: str, code: str, qualifier: str) -> Relation:
        name = f"{kind}:{code}"
        if name not in self._known:
            self._missing.add(name)
        return Relation(name, qualifier)
