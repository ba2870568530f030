"""The work queue of a desk: open cases on which its holder may do what the desk is for, the most urgent first.

SQL narrows by step, holder and region with the indexes that lists have; `permitted` then has the last word on each row,
so a queue never shows what a command would refuse. Cases without a running deadline come last.
"""

from __future__ import annotations

import base64
import binascii
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from django.db.models import F, Q, QuerySet

from yiwang.core.cases.events import Actor
from yiwang.core.cases.state import CaseState
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.server.casepage.capacities import capacities
from yiwang.server.cases.api import (
    LOADED_COLUMNS,
    Case,
    CaseFilters,
    actors_for,
    first_ids,
    narrow,
    reach,
    state_of_row,
)
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.moments import read_moment
from yiwang.server.desks import duties

PAGE_SIZE = 30
MOST_COUNTED = 99
COLUMNS = LOADED_COLUMNS
URGENT_FIRST = (F("deadline").asc(nulls_last=True), "id")


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
        kind: ``due``, ``mine``, ``asked`` or ``all``; see `duties`.
        filters: Narrows further; its order is not looked at.
        cursor: ``next`` of the page before.
        limit: Rows looked at.
        at: Now.

    Raises:
        BadInput: When the cursor or a filter is no such thing.
    """
    at = at or datetime.now(UTC)
    since, last = _position(cursor)
    few = _FEW.get(kind)
    steps = duties.steps_of(place.rules.workflow, desk.role, kind)
    condition = reach(desk.actors, steps if few else _occupied(steps, place=place), place=place)
    if condition is None:
        return QueuePage(entries=[], next="")
    if few:
        wanted = _gathered(place, condition & few(desk), filters, since, last, at)
        return _page(wanted, steps, place=place, desk=desk, limit=limit, at=at)
    ids: list[int] = []
    if last is None or since is not None:
        ids = _with_deadline(place, condition, filters, since, last, limit + 1, at)
    wanted = Case.objects.filter(id__in=ids)
    if len(ids) <= limit:
        undated = Case.objects.filter(city=place.info.id, closed_at=None, deadline=None).filter(condition)
        if filters:
            undated = narrow(undated, filters, place=place, at=at)
        if since is None and last is not None:
            undated = undated.filter(id__gt=last)
        wanted = _any_of([wanted.values("id"), undated.order_by("id").values("id")[: limit + 1 - len(ids)]])
    return _page(wanted, steps, place=place, desk=desk, limit=limit, at=at)


def first_of_steps(
    *, place: CityRuntime, desk: Desk, kind: str, filters: CaseFilters | None, limit: int, at: datetime
) -> dict[str, list[Entry]]:
    """The most urgent cases of each step of a queue, one more than ``limit`` where there are more: one query.

    Raises:
        BadInput: When a filter is no such thing.
    """
    parts, few = [], _FEW.get(kind, _open)
    steps = duties.steps_of(place.rules.workflow, desk.role, kind)
    for step, verbs in steps.items():
        condition = reach(desk.actors, {step: verbs}, place=place)
        if condition is None:
            continue
        found = Case.objects.filter(condition & few(desk), city=place.info.id)
        if filters:
            found = narrow(found, filters, place=place, at=at)
        parts.append(found.order_by(*URGENT_FIRST).values("id")[: limit + 1])
    by_step: dict[str, list[Entry]] = {}
    for row in _any_of(parts).order_by(*URGENT_FIRST).values(*COLUMNS) if parts else ():
        if (entry := entry_of(row, steps, place=place, desk=desk, at=at)).verbs:
            by_step.setdefault(entry.state.step, []).append(entry)
    return by_step


def count(*, place: CityRuntime, desk: Desk, kind: str, at: datetime, filters: CaseFilters | None = None) -> str:
    """How many cases a queue has, as a tab says it: ``12``, or ``99+`` where there are more than are counted."""
    found = page(place=place, desk=desk, kind=kind, filters=filters, limit=MOST_COUNTED, at=at)
    return f"{len(found.entries)}{'+' if found.next else ''}"


def _page(
    wanted: QuerySet[Case], steps: duties.Steps, *, place: CityRuntime, desk: Desk, limit: int, at: datetime
) -> QueuePage:
    found = list(wanted.order_by(*URGENT_FIRST).values(*COLUMNS)[: limit + 1])
    more, found = len(found) > limit, found[:limit]
    entries = [entry for row in found if (entry := entry_of(row, steps, place=place, desk=desk, at=at)).verbs]
    return QueuePage(entries=entries, next=_cursor(found[-1]) if more else "")


def entry_of(row: dict[str, Any], steps: duties.Steps, *, place: CityRuntime, desk: Desk, at: datetime) -> Entry:
    """A row with what the desk may do on it, of the verbs that make up the queue."""
    state = state_of_row(row)
    wanted = {verb.id for verb in steps.get(state.step, ())}
    held = capacities(state, place=place, actors=desk.actors, at=at, verbs=wanted)
    return Entry(
        values=row, state=state, verbs={verb: actor for verb, (actor, choice) in held.items() if choice.allowed}
    )


def sequence_of(*, city: str, number: str) -> int | None:
    """The last event of a case; None where there is none."""
    return Case.objects.filter(city=city, number=number).values_list("seq", flat=True).first()


def _open(_: Desk) -> Q:
    return Q(closed_at=None)


# queues of which an index holds all cases: those that wait for an answer, closed ones among them, and one's own
_FEW: Mapping[str, Callable[[Desk], Q]] = {
    duties.ASKED: lambda _: Q(waits__isnull=False),
    duties.MINE: lambda desk: Q(assignee=desk.actors[0].id, closed_at=None) & ~Q(assignee=""),
}


def _occupied(steps: duties.Steps, *, place: CityRuntime) -> duties.Steps:
    """The steps at which anything is open: one query, of one row of an index a step.

    Databases do not know which steps are empty; asked for the first cases of them in order, they look at all the others.
    """
    standing = Case.objects.filter(city=place.info.id, closed_at=None).order_by("deadline", "id").values("id")
    firsts = [standing.filter(step=step)[:1] for step in steps]
    found = set(_any_of(firsts).values_list("step", flat=True)) if firsts else set()
    return {step: verbs for step, verbs in steps.items() if step in found}


def _any_of(parts: Sequence[QuerySet[Case, Any]]) -> QuerySet[Case]:
    """The cases whose ids one of some queries gives. The queries follow one another: PostgreSQL reads the whole table for
    conditions that are joined by OR when one of them is a query."""
    ids, *more = (Case.objects.filter(id__in=part).order_by().values("id") for part in parts)
    return Case.objects.filter(id__in=ids.union(*more, all=True))


# --- narrowing ----------------------------------------------------------------------------------------------------


def _gathered(
    place: CityRuntime,
    condition: Q,
    filters: CaseFilters | None,
    since: datetime | None,
    last: int | None,
    at: datetime,
) -> QuerySet[Case]:
    """The cases behind the cursor of a queue that has few: an index holds just them."""
    query = Case.objects.filter(condition, city=place.info.id)
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
        moment = read_moment(text) if text is not None else None
        if not 0 <= int(last) < 2**63:
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
