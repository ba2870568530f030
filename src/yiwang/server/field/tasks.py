"""What somebody in the field has to do: the open cases that they may move on now, and those that their crew holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Q

from yiwang.core.cases.decide import permitted
from yiwang.core.cases.events import Actor
from yiwang.core.cases.state import CaseState
from yiwang.core.cases.workflow import NOWHERE, Verb, Workflow
from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.server.cases.api import LOADED_COLUMNS, Case, Readers, SidedPhoto, photos_of_cases, reach, state_of_row
from yiwang.server.cities.queries import CityRuntime

MOST_TASKS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One case as somebody's task.

    Attributes:
        values: Its row.
        state: Its state.
        verbs: What they may do now, in the workflow's order, each with what they act as.
        mine: Whether a verb of theirs moves it on; otherwise their unit holds it and others are to act.
        assisting: Whether their unit was asked to assist and has not said that it is done.
        asked: How a request is marked that they or their unit made and nobody of theirs can grant, while it has no answer.
    """

    values: dict[str, Any]
    state: CaseState
    verbs: tuple[str, ...]
    mine: bool
    assisting: bool = False
    asked: Text = NO_TEXT


def tasks_for(
    *, place: CityRuntime, actors: Sequence[Actor], at: datetime, limit: int = MOST_TASKS
) -> tuple[list[Task], bool]:
    """The tasks of somebody in all their capacities, the first to run out first, and whether there are more.

    The database finds the cases whose step, holder and region fit one of the verbs; `decide.permitted` has the last word.

    Args:
        place: City.
        actors: Every capacity (`actors.actors_for`).
        at: Now.
        limit: At most so many.
    """
    wanted = _task_condition(place, actors)
    if wanted is None:
        return [], False
    query = Case.objects.filter(wanted, city=place.info.id, closed_at=None)
    query = query.order_by(F("deadline").asc(nulls_last=True), "id")
    tasks: list[Task] = []
    found = list(query.values(*LOADED_COLUMNS)[: 2 * limit + 1])
    for values in found:
        task = task_of(values, place=place, actors=actors, at=at)
        if task is not None:
            if len(tasks) == limit:
                return tasks, True
            tasks.append(task)
    return tasks, len(found) > 2 * limit  # more may be among those that were not looked at


def task_of(values: dict[str, Any], *, place: CityRuntime, actors: Sequence[Actor], at: datetime) -> Task | None:
    """The case as a task of theirs, or None where it is none: nothing to move on, and not held by their crew."""
    if values["closed_at"] is not None:
        return None
    state, workflow = state_of_row(values), place.rules.workflow
    verbs: list[str] = []
    mine = held = assisting = False
    for actor in actors:
        for choice in permitted(state, actor, rules=place.rules, at=at):
            if choice.allowed:
                verbs.append(choice.verb)
                verb = workflow.verbs[choice.verb]
                mine = mine or _moves_on(verb) or verb.who == "assisting"
                assisting = assisting or verb.who == "assisting"
        held = held or bool(actor.unit and actor.unit == state.holder and _handles(workflow, actor))
    if not (mine or held):
        return None
    asked = _asked(state, actors, verbs=verbs, workflow=workflow)
    return Task(
        values=values, state=state, verbs=tuple(dict.fromkeys(verbs)), mine=mine, assisting=assisting, asked=asked
    )


def _asked(state: CaseState, actors: Iterable[Actor], *, verbs: Iterable[str], workflow: Workflow) -> Text:
    """The mark of a request of theirs that others are to answer; none where nothing waits, or where the answer is theirs."""
    request = state.pending
    if not request or any(request["kind"] in workflow.plans[verb].effect.answers for verb in verbs):
        return NO_TEXT
    own = any(actor.id == request["by"] or (actor.unit and actor.unit == request["unit"]) for actor in actors)
    plan = workflow.plans.get(str(request.get("verb", "")))
    return plan.effect.asked if own and plan else NO_TEXT


def photos_for(tasks: Iterable[Task], *, readers: Readers) -> dict[int, list[SidedPhoto]]:
    """Photos by id of the case, of those tasks whose photos the reader may see."""
    return photos_of_cases([task.values["id"] for task in tasks if readers.of_state(task.state).staff])


def _moves_on(verb: Verb) -> bool:
    return verb.to != NOWHERE


def _handles(workflow: Workflow, actor: Actor) -> bool:
    """Whether one of the roles works on what its own unit holds, as a crew does; an inspector works in a region."""
    return any(verb.who == "holder" and actor.roles.intersection(verb.roles) for verb in workflow.verbs.values())


def _task_condition(place: CityRuntime, actors: Sequence[Actor]) -> Q | None:
    """A condition that no task of theirs fails; `task_of` throws out what it lets through too much."""
    workflow = place.rules.workflow
    verbs = {
        step.id: [verb for verb in workflow.verbs_from(step.id) if _moves_on(verb) or verb.who == "assisting"]
        for step in workflow.steps.values()
        if not step.end
    }
    wanted = reach(actors, verbs, place=place)
    crews = sorted({actor.unit for actor in actors if actor.unit and _handles(workflow, actor)})
    if not crews:
        return wanted
    held = Q(holder__in=crews)
    return held if wanted is None else wanted | held
