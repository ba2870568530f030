"""Whom an event concerns, and why: from what the event says and from the effects of verbs, never from a pack's names.

Reads only. What a batch of the outbox tells is read at once: two queries, three more where requests or escalations are in it.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef

from yiwang.core.cases.effects.assistance import ASSIST_ASK
from yiwang.core.cases.effects.effect import NONE
from yiwang.core.cases.effects.supervision import SUPERVISE
from yiwang.core.cases.events import Actor, Event
from yiwang.core.cases.permissions import objection, role_of
from yiwang.core.cases.state import CaseState
from yiwang.core.cases.units import CENTRE
from yiwang.server.cases.api import EVENT_COLUMNS, Case, Outbox, event_of, load_rows, state_of_row
from yiwang.server.cases.api import Event as EventRow
from yiwang.server.cities.queries import CityRuntime, NoSuchCity, runtime
from yiwang.server.notices import kinds
from yiwang.server.notices.kinds import KINDS, Kind
from yiwang.server.people.models import RoleAssignment

MOST_ANSWERING = 3  # units that are told of a request where none above the holder can answer it
Posts = Mapping[tuple[str, str], frozenset[str]]  # unit and region → roles that somebody has there
log = logging.getLogger("yiwang.notices")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A notice to be kept; see `models.Notice`."""

    city: str
    addressee: str
    number: str
    seq: int
    kind: str
    verb: str
    actor: str
    at: datetime


def person(identity: str) -> str:
    """The addressee that a person is; empty for who is no account."""
    return identity if identity.startswith("user:") else ""


def unit(code: str) -> str:
    """The addressee that a unit is; empty for none."""
    return f"unit:{code}" if code else ""


def drafts(rows: Sequence[Outbox]) -> list[Draft]:
    """What rows of the outbox tell whom. A case that cannot be understood is logged and left out: it holds up no other."""
    numbers = {row.number for row in rows}
    cases = {case["id"]: case for case in Case.objects.filter(number__in=numbers).values(*_Told.COLUMNS)}
    happened: defaultdict[int, list[Event]] = defaultdict(list)
    its_row = Outbox.objects.filter(
        pk__in=[row.pk for row in rows], number=OuterRef("case__number"), first__lte=OuterRef("seq"), last__gte=OuterRef("seq")
    )  # fmt: skip
    for case_id, event in _events(EventRow.objects.filter(Exists(its_row), case_id__in=list(cases)), cases):
        happened[case_id].append(event)
    ends = {(row.number, seq): row.last for row in rows for seq in range(row.first, row.last + 1)}
    told = _Told(cases=cases, happened=happened, ends=ends)
    found: list[Draft] = []
    for case_id in happened:
        try:
            found += told.of_case(case_id)
        except NoSuchCity:
            continue
        except Exception:
            log.exception("no notices of case %s", cases[case_id]["number"])
    return found


def _events(query: Any, cases: Mapping[int, Mapping[str, Any]]) -> Iterator[tuple[int, Event]]:
    for row in query.order_by("case_id", "seq").values(*(name for name in EVENT_COLUMNS if name != "hash")):
        yield row["case_id"], event_of(row, number=cases[row["case_id"]]["number"])


@dataclass(slots=True, kw_only=True)
class _Told:
    """A batch of events, and what must be looked up for some of them, once for all."""

    COLUMNS = ("id", "number", "city", "holder", "assignee")
    cases: dict[int, dict[str, Any]]
    happened: Mapping[int, list[Event]]
    ends: Mapping[tuple[str, int], int]
    _histories: dict[int, list[Event]] | None = None
    _states: dict[str, CaseState] | None = None
    _posts: dict[str, Posts] = field(default_factory=dict)

    def of_case(self, case_id: int) -> Iterator[Draft]:
        case = self.cases[case_id]
        place = runtime(case["city"])
        for event in self.happened[case_id]:
            addressees: dict[str, Kind] = {}
            for kind, addressee in sorted(self._of_event(event, case, place), key=lambda item: _RANK[item[0].id]):
                if addressee and addressee != event.actor:
                    addressees.setdefault(addressee, kind)
            for addressee, kind in addressees.items():
                yield Draft(
                    city=case["city"], addressee=addressee, number=event.number, seq=event.seq, kind=kind.id, verb=event.verb,
                    actor=event.actor, at=event.at,
                )  # fmt: skip

    def _of_event(self, event: Event, case: Mapping[str, Any], place: CityRuntime) -> Iterator[tuple[Kind, str]]:
        """Every reason for which somebody is told of an event; the same addressee may come twice."""
        plan = place.rules.workflow.plans.get(event.verb)
        effect = plan.effect if plan else NONE
        changes: Mapping[str, Any] = event.payload.get("set", {})
        notices: Sequence[str] = event.payload.get("notices", ())
        # whose it is now; who got it later is no matter of this event
        worker = person(case["assignee"]) if case["holder"] == event.holder else ""
        if changes.get("assignee"):
            yield kinds.ASSIGNED, person(changes["assignee"])
        if effect is SUPERVISE:
            yield from ((kinds.SUPERVISED, told) for told in (unit(event.holder), worker))
        if "fired" in changes:
            kind = self._deadline(event, case, place)
            yield from ((kind, told) for told in (worker, *map(unit, notices or [event.from_holder])))
        if effect.asks or (effect.answers and changes.get("pending")):
            yield from ((kinds.TO_ANSWER, unit(code)) for code in self._answering(event, place))
        if effect is ASSIST_ASK:
            yield from ((kinds.TO_ANSWER, unit(code)) for code in event.payload.get("units", ()))
        elif "assisting" in changes:
            yield kinds.ANSWERED, self._asker(event, case, place, assistance=True)
        if ("pending" in changes and changes["pending"] is None) or event.payload.get("lapsed"):
            yield kinds.ANSWERED, self._asker(event, case, place, assistance=False)
        if self._arrives(event, case["id"], place):
            yield kinds.ARRIVED, unit(event.holder)
        yield from ((kinds.TOLD, unit(code)) for code in notices)

    def _arrives(self, event: Event, case_id: int, place: CityRuntime) -> bool:
        """Whether the case came to a unit and stays there. A new report at a centre is the centre's queue, no news; so is an end."""
        if not event.holder or event.holder == event.from_holder:
            return False
        step, holder = place.rules.workflow.steps.get(event.to_step), place.rules.units.get(event.holder)
        if (step and step.end) or (not event.from_holder and (holder is None or holder.kind == CENTRE)):
            return False
        end = self.ends.get((event.number, event.seq), event.seq)
        return all(later.holder == event.holder for later in self.happened[case_id] if event.seq <= later.seq <= end)

    def _deadline(self, event: Event, case: Mapping[str, Any], place: CityRuntime) -> Kind:
        """Whether the deadline is near or has come, by the rule of the workflow that made the system act."""
        before: set[str] = set()
        for earlier in self._history(case["id"]):
            if earlier.seq < event.seq:
                before |= set(earlier.payload.get("set", {}).get("fired", ()))
        fired = set(event.payload["set"]["fired"]) - before
        for rule in place.rules.workflow.escalations:
            start = f"{rule.clock}:{rule.at}:{rule.verb}:"
            if any(key.startswith(start) for key in fired):
                past = not rule.early if rule.offset is not None else (rule.share or 0.0) >= 1.0
                return kinds.OVERDUE if past else kinds.DUE
        return kinds.DUE

    def _asker(self, event: Event, case: Mapping[str, Any], place: CityRuntime, *, assistance: bool) -> str:
        """Who made the request that the event answers: the person, or the unit of somebody who is no account."""
        plans = place.rules.workflow.plans
        for earlier in reversed(self._history(case["id"])):
            plan = plans.get(earlier.verb)
            if earlier.seq < event.seq and plan and (plan.effect is ASSIST_ASK if assistance else plan.effect.asks):
                return person(earlier.actor) or unit(earlier.actor_unit)
        return ""

    def _history(self, case_id: int) -> list[Event]:
        """All events of a case; those of every case of the batch that needs them are read at once."""
        if self._histories is None:
            wanted = [pk for pk, events in self.happened.items() if any(map(_looks_back, events))]
            self._histories = {pk: [] for pk in wanted}
            for pk, event in _events(EventRow.objects.filter(case_id__in=wanted), self.cases):
                self._histories[pk].append(event)
        return self._histories.get(case_id, [])

    def _answering(self, event: Event, place: CityRuntime) -> list[str]:
        """The units that can answer the request that waits: the nearest at or above the holder; else the nearest by region.

        Nobody, where it has been answered since.
        """
        state = self._state(event.number)
        if state is None or state.pending is None:
            return []
        rules, kind, able = place.rules, str(state.pending.get("kind")), set()
        plans = [plan for plan in rules.workflow.plans.values() if kind in plan.effect.answers]
        for (code, region), roles in self._posts_of(place.info.id).items():
            actor = Actor(id="", roles=roles, unit=code, region=region)
            if any(
                objection(plan, state, actor, role_of(plan, actor), rules=rules, at=event.at) is None for plan in plans
            ):
                able.add(code)
        chain = [state.holder, *(above.code for above in rules.units.above(state.holder))]
        if nearest := next((code for code in chain if code in able), ""):
            return [nearest]
        near = [
            one for code in sorted(able) if (one := rules.units.get(code)) and rules.concerns(one.region, state.region)
        ]
        depths = {one.code: sum(1 for _ in rules.units.above(one.code)) for one in near}
        deepest = max(depths.values(), default=0)
        return [code for code, depth in depths.items() if depth == deepest][:MOST_ANSWERING]

    def _state(self, number: str) -> CaseState | None:
        if self._states is None:
            waiting = [case["number"] for pk, case in self.cases.items() if any(map(_waits, self.happened.get(pk, ())))]
            self._states = {name: state_of_row(row) for name, row in load_rows(waiting, lock=False).items()}
        return self._states.get(number)

    def _posts_of(self, city: str) -> Posts:
        if city not in self._posts:
            roles: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
            held = RoleAssignment.objects.filter(city=city, user__is_active=True).exclude(unit="")
            for code, region, role in held.values_list("unit", "region", "role").distinct():
                roles[code, region].add(role)
            self._posts[city] = {post: frozenset(names) for post, names in roles.items()}
        return self._posts[city]


_RANK = {name: rank for rank, name in enumerate(KINDS)}


def _looks_back(event: Event) -> bool:
    """Whether what went before must be known to tell of an event."""
    changes = event.payload.get("set", {})
    return not {"fired", "assisting", "pending"}.isdisjoint(changes) or "lapsed" in event.payload


def _waits(event: Event) -> bool:
    return bool(event.payload.get("set", {}).get("pending"))


def addressed(found: Iterable[Draft]) -> tuple[set[int], set[str]]:
    """The accounts and the units that are told."""
    persons, units = set(), set()
    for draft in found:
        kind, _, name = draft.addressee.partition(":")
        if kind == "unit":
            units.add(name)
        elif name.isdecimal():
            persons.add(int(name))
    return persons, units
