"""The queue of a desk as a board: a column for each step of its work, and for each step to which the work leads.

Moving a card does nothing by itself. It opens the form of the verb that leads there, or says why there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.urls import reverse

from yiwang.core.cases.definitions import NOWHERE, Step
from yiwang.core.cases.state import CaseState
from yiwang.server.casepage.capacities import capacities
from yiwang.server.casepage.offering import rank
from yiwang.server.cases.api import step_name
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.desks import duties
from yiwang.server.desks.queue import Desk, Entry

MOST_OPEN = 7
MOST_CARDS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A step of the board.

    Attributes:
        step: The step.
        works: Whether the desk has work there; else cases only leave to it.
        cards: What stands there, the most urgent first; rows of the queue.
        count: How many, as the head says it: ``7``, or ``8+``.
        more: Whether there are more than have a card.
        moves: The other columns to which a verb of the desk leads from here, each with its name.
    """

    step: Step
    works: bool
    cards: list[dict[str, Any]]
    count: str
    more: bool
    moves: list[tuple[str, str]]


def columns(
    by_step: Mapping[str, list[Entry]],
    *,
    lines_of: Callable[[list[Entry]], list[dict[str, Any]]],
    place: CityRuntime,
    desk: Desk,
    kind: str,
    folded: bool = False,
) -> tuple[list[Column], list[Column]]:
    """The columns in the workflow's order: those that stand open, at most `MOST_OPEN`, and the rest, which is folded.

    Only what is looked at has cards: the open columns, or those that are folded once somebody unfolds them.

    Args:
        by_step: As `queue.first_of_steps` gives them.
        lines_of: Makes entries the rows of a queue.
        place: City.
        desk: Whose.
        kind: Which queue.
        folded: Whether the folded ones have the cards.
    """
    workflow = place.rules.workflow
    steps = duties.steps_of(workflow, desk.role, kind)
    leads = {step: {verb.to for verb in verbs} - {NOWHERE, step} for step, verbs in steps.items()}
    wanted = set(steps).union(*leads.values())
    every = [step for step in workflow.steps.values() if step.id in wanted]
    # where there are too many, steps with work stay open before those without, and among them those with cases
    ranked = sorted(every, key=lambda step: (step.id not in by_step, step.id not in steps))[:MOST_OPEN]
    shown = [step for step in every if (step in ranked) != folded]
    cards: dict[str, list[dict[str, Any]]] = {}
    panel = reverse(
        "desk-case", args=[place.info.id, desk.role, "NUMBER"]
    )  # to ask for each would cost more than the card
    for row in lines_of([entry for step in shown for entry in by_step.get(step.id, ())[:MOST_CARDS]]):
        cards.setdefault(row["step"], []).append({**row, "panel_url": panel.replace("NUMBER", quote(row["number"]))})
    made = [
        Column(
            step=step,
            works=step.id in steps,
            cards=cards.get(step.id, []),
            count=_count(len(by_step.get(step.id, ()))),
            more=len(by_step.get(step.id, ())) > len(cards.get(step.id, [])),
            moves=[(other.id, named(other)) for other in every if other.id in leads.get(step.id, ())],
        )
        for step in every
    ]
    return [one for one in made if one.step in ranked], [one for one in made if one.step not in ranked]


def _count(found: int) -> str:
    return f"{MOST_CARDS}+" if found > MOST_CARDS else str(found)


def way_to(step: str, *, state: CaseState, place: CityRuntime, desk: Desk, at: datetime) -> tuple[str, str]:
    """The verb by which the desk may move a case to a step, the ordinary one first; or, with no verb, why it may not."""
    workflow = place.rules.workflow
    there = step_name(place, step)
    if state.step == step:
        return "", say("案卷已经在「{there}」。", "The case is at “{there}” already.", there=there)
    held = capacities(state, place=place, actors=desk.actors, at=at)
    leading = [name for name in held if workflow.verbs[name].to == step]
    own = {verb.id for verb in duties.due(workflow, state.step, desk.role)}
    if allowed := [name for name in leading if held[name][1].allowed]:
        return min(
            allowed, key=lambda name: (name not in own, rank(workflow, workflow.verbs[name], step=state.step))
        ), ""
    if not leading:
        return "", say(
            "没有从「{here}」直接到「{there}」的动作。",
            "Nothing leads from “{here}” straight to “{there}”.",
            here=step_name(place, state.step),
            there=there,
        )
    whys = [f"{named(workflow.verbs[name])}: {say(held[name][1].why)}" for name in leading]
    return "", " ".join(whys)
