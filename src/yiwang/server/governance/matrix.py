"""Who may do what: worked out of the workflow and the accounts, with the core's own word for every no."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from yiwang.core.cases.events import SYSTEM, Actor
from yiwang.core.cases.permissions import objection, role_of
from yiwang.core.cases.state import CaseState
from yiwang.core.kernel.text import Text
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.governance import queries

# how far a verb reaches: how the actor's unit must stand to the case
REACH = {
    "any": (
        Text("辖区", "region"),
        Text("案卷在本人负责的区域内，或由本单位承办", "the case lies in their region, or their unit holds it"),
    ),
    "holder": (Text("承办", "holder"), Text("本单位正在承办", "their unit holds the case")),
    "over": (Text("上级", "over"), Text("本单位或下级单位正在承办", "their unit or one below it holds the case")),
    "handler": (Text("经办", "handled"), Text("本单位承办过", "their unit has held the case")),
    "assisting": (Text("会办", "assists"), Text("本单位被请来会办", "their unit was asked to assist")),
    "reporter": (Text("上报人", "reporter"), Text("本人上报的", "they reported it themselves")),
}


def reach(who: str) -> dict[str, str]:
    """A reach in words."""
    short, long = REACH.get(who) or (Text(who, who),) * 2
    return {"key": who, "short": say(short), "long": say(long)}


def matrix(place: CityRuntime, *, step: str) -> dict[str, Any]:
    """Roles × verbs of one step (empty: of all): which reach each has."""
    workflow = place.rules.workflow
    roles = [role for role in workflow.roles.values() if role.id != SYSTEM]
    verbs = workflow.verbs_from(step) if step else tuple(workflow.verbs.values())
    rows = [
        {
            "verb": verb,
            "from": [named(workflow.steps[origin]) for origin in verb.origins],
            "to": named(workflow.steps[verb.to]) if verb.to in workflow.steps else "",
            "system": SYSTEM in verb.roles,
            "not_handler": verb.not_handler,
            "cells": [{"may": role.id in verb.roles, **reach(verb.who)} for role in roles],
        }
        for verb in verbs
    ]
    counts = queries.holders(place.info.id)
    heads = [{"id": role.id, "name": named(role), "people": counts.get(role.id, 0)} for role in roles]
    return {"roles": heads, "rows": rows, "legend": [reach(who) for who in REACH]}


def who_could(place: CityRuntime, state: CaseState, verb: str, *, at: datetime) -> dict[str, Any]:
    """Who of the city's people could do a verb on a case now, and why the others could not.

    The answer is the core's, asked for each person in each of their posts; what a command must carry is not looked at.
    """
    plan = place.rules.workflow.plans[verb]
    able: list[dict[str, Any]] = []
    reasons: dict[str, list[dict[str, Any]]] = {}
    roles = queries.roles_of(place)
    for account, rows in queries.candidates(place.info.id):
        by_post: dict[tuple[str, str], list[str]] = {}
        for row in rows:
            by_post.setdefault((row.unit, row.region), []).append(row.role)
        refusal = None
        shown = [queries.assignment(row, place, roles) for row in rows]
        for (unit, region), held in by_post.items():
            actor = Actor(
                id=f"user:{account.pk}", name=account.display_name, roles=frozenset(held), unit=unit, region=region
            )
            refusal = objection(plan, state, actor, role_of(plan, actor), rules=place.rules, at=at)
            if refusal is None:
                able.append({"account": account, "posts": shown})
                break
        if refusal is not None:
            why = say(refusal.text)
            reasons.setdefault(why, []).append({"account": account, "posts": shown})
    others = [{"why": why, "people": people, "count": len(people)} for why, people in reasons.items()]
    return {"able": able, "others": sorted(others, key=lambda group: -group["count"])}
