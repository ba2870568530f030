"""The work queue of a desk: open cases on which its holder may do what the desk is for, the most urgent first.

SQL narrows by step, holder and region with the indexes that lists have; `permitted` then has the last word on each row,
so a queue never shows what a command would refuse. Cases without a running deadline come last.
"""

from __future__ import annotations

import base64
import binascii
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from django.db.models import F, Q, QuerySet

from yiwang.core.cases.decide import VerbChoice, permitted
from yiwang.core.cases.events import Actor
from yiwang.core.cases.state import CaseState
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.server.cases.api import (
    LOADED_COLUMNS,
    Case,
    CaseFilters,
    actors_for,
    first_ids,
    load_rows,
    narrow,
    reach,
    state_of_row,
)
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.desks import duties

PAGE_SIZE = 30
COLUMNS = LOADED_COLUMNS


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One role of one person in a city; an actor for each post at which it is held."""

    role: str
    name: Text
    actors: tuple[Actor, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A case of a queue: its row, its state, and who of the desk may do what of the desk's work on it."""

    values: dict[str, Any]
    state: CaseState
    verbs: dict[str, Actor]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePage:
    """Entries and the cursor of the next page; empty on the last."""

    entries: list[Entry]
    next: str


def desks_of(user: Any, *, place: CityRuntime) -> list[Desk]:
    """The desks of somebody in a city, in the order of the workflow's roles."""
    workflow, held = place.rules.workflow, defaultdict(list)
    for actor in actors_for(user, city=place.info.id):
        for role in actor.roles:
            if duties.works(workflow, role):
                held[role].append(
                    Actor(id=actor.id, name=actor.name, roles=frozenset({role}), unit=actor.unit, region=actor.region)
                )
    return [
        Desk(role=role.id, name=role.name, actors=tuple(held[role.id]))
        for role in workflow.roles.values()
        if role.id in held
    ]


def page(
    *,
    place: CityRuntime,
    desk: Desk,
    kind: str = duties.DUE,
    filters: CaseFilters | None = None,
    cursor: str = "",
    limit: int = PAGE_SIZE,
    at: datetime | None = None,
) -> QueuePage:
    """A page of a desk's queue. The walk that finds the most urgent, and one query for the rows.

    Args:
        place: City.
        desk: Whose.
        kind: ``due``, ``asked`` or ``all``; see `duties`.
        filters: Narrows further; its order is not looked at.
        cursor: ``next`` of the page before.
        limit: Rows looked at.
        at: Now.

    Raises:
        BadInput: When the cursor or a filter is no such thing.
    """
    at = at or datetime.now(UTC)
    steps = duties.steps_of(place.rules.workflow, desk.role, kind)
    condition = reach(desk.actors, steps, place=place)
    if condition is None:
        return QueuePage(entries=[], next="")
    since, last = _position(cursor)
    if kind == duties.ASKED:
        return _page(
            _waiting(place, condition, filters, since, last, at), place=place, desk=desk, kind=kind, limit=limit, at=at
        )
    ids: list[int] = []
    if last is None or since is not None:
        ids = _with_deadline(place, condition, filters, since, last, limit + 1, at)
    wanted = Q(id__in=ids)
    if len(ids) <= limit:
        undated = Case.objects.filter(city=place.info.id, closed_at=None, deadline=None).filter(condition)
        if filters:
            undated = narrow(undated, filters, place=place, at=at)
        if since is None and last is not None:
            undated = undated.filter(id__gt=last)
        wanted |= Q(id__in=undated.order_by("id").values("id")[: limit + 1 - len(ids)])
    return _page(Case.objects.filter(wanted), place=place, desk=desk, kind=kind, limit=limit, at=at)


def _page(wanted: QuerySet[Case], *, place: CityRuntime, desk: Desk, kind: str, limit: int, at: datetime) -> QueuePage:
    order = (F("deadline").asc(nulls_last=True), "id")
    found = list(wanted.order_by(*order).values(*COLUMNS)[: limit + 1])
    more, found = len(found) > limit, found[:limit]
    entries = [entry for row in found if (entry := entry_of(row, place=place, desk=desk, kind=kind, at=at)).verbs]
    return QueuePage(entries=entries, next=_cursor(found[-1]) if more else "")


def entry_of(row: dict[str, Any], *, place: CityRuntime, desk: Desk, kind: str, at: datetime) -> Entry:
    """A row with what the desk may do on it."""
    state = state_of_row(row)
    steps = duties.steps_of(place.rules.workflow, desk.role, kind)
    wanted = {verb.id for verb in steps.get(state.step, ())}
    allowed = {
        verb: actor
        for verb, (actor, choice) in capacities(state, place=place, desk=desk, at=at).items()
        if choice.allowed
    }
    return Entry(values=row, state=state, verbs={verb: actor for verb, actor in allowed.items() if verb in wanted})


def capacities(
    state: CaseState, *, place: CityRuntime, desk: Desk, at: datetime
) -> dict[str, tuple[Actor, VerbChoice]]:
    """For each verb of the case's step the first of the desk's posts that may do it, else the first one with the reason."""
    found: dict[str, tuple[Actor, VerbChoice]] = {}
    for actor in desk.actors:
        for choice in permitted(state, actor, rules=place.rules, at=at):
            if choice.verb not in found or (choice.allowed and not found[choice.verb][1].allowed):
                found[choice.verb] = (actor, choice)
    return found


def entries_of(numbers: Iterable[str], *, place: CityRuntime) -> dict[str, CaseState]:
    """States of cases of a city, by number."""
    asked = list(numbers)
    found = load_rows(asked, lock=False) if asked else {}
    return {number: state_of_row(row) for number, row in found.items() if row["city"] == place.info.id}


def sequence_of(*, city: str, number: str) -> int | None:
    """The last event of a case; None where there is none."""
    return Case.objects.filter(city=city, number=number).values_list("seq", flat=True).first()


# --- narrowing ----------------------------------------------------------------------------------------------------


def _waiting(
    place: CityRuntime,
    condition: Q,
    filters: CaseFilters | None,
    since: datetime | None,
    last: int | None,
    at: datetime,
) -> QuerySet[Case]:
    """Cases behind the cursor that wait for an answer, closed ones among them: as many as the index `case_waits` has."""
    query = Case.objects.filter(condition, city=place.info.id, waits__isnull=False)
    if since is not None:
        query = query.filter(Q(deadline__gt=since) | Q(deadline=since, id__gt=last) | Q(deadline=None))
    elif last is not None:
        query = query.filter(deadline=None, id__gt=last)
    return narrow(query, filters, place=place, at=at) if filters else query


def _with_deadline(
    place: CityRuntime,
    condition: Q,
    filters: CaseFilters | None,
    since: datetime | None,
    last: int | None,
    limit: int,
    at: datetime,
) -> list[int]:
    """Ids of the next cases whose clock runs, the most urgent first."""
    everything: QuerySet[Case] = Case.objects.filter(city=place.info.id, closed_at=None, deadline__isnull=False)
    if since is not None:
        everything = everything.filter(deadline__gte=since).filter(Q(deadline__gt=since) | Q(id__gt=last))
    query = everything.filter(condition)
    if filters:
        query = narrow(query, filters, place=place, at=at)
    return first_ids(
        walked=everything,
        narrowed=query,
        sought=filters.q if filters else "",
        column="deadline",
        falling=False,
        limit=limit,
    )


def _cursor(row: dict[str, Any]) -> str:
    deadline = row["deadline"]
    raw = orjson.dumps([deadline.isoformat() if deadline else None, row["id"]])
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _position(cursor: str) -> tuple[datetime | None, int | None]:
    if not cursor:
        return None, None
    try:
        text, last = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        moment = datetime.fromisoformat(text) if text is not None else None
        if (moment is not None and moment.tzinfo is None) or not 0 <= int(last) < 2**63:
            raise ValueError
        return moment, int(last)
    except (ValueError, TypeError, binascii.Error, OverflowError):
        raise BadInput(
            Problem(
                Text("这个游标不是本队列给出的。", "The cursor is not one that this queue gave."),
                Text("请不带游标从头开始。", "Begin without one."),
                column="cursor",
            )
        ) from None
