"""What SQL can know of `permitted`: which cases somebody may do a verb on, or a few more.

Step, standing (region, holder, units asked to assist) and the requests that wait are columns, with indexes; the case's own
history is not, so `permitted` has the last word on each row. A case that it would allow is not left out, but for one: a unit
that has said that its assistance is done is not led back to the case, as long as others are waited for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import reduce
from operator import or_

from django.db.models import Q

from yiwang.core.cases.events import SYSTEM, Actor
from yiwang.core.cases.workflow import Verb
from yiwang.server.cases.reading.queries import below
from yiwang.server.cities.queries import CityRuntime

FOR_A_UNIT = frozenset({"holder", "over", "handler", "assisting"})  # relations in which only a unit can stand
Kinds = tuple[str, ...]


def reach(actors: Iterable[Actor], verbs: Mapping[str, Iterable[Verb]], *, place: CityRuntime) -> Q | None:
    """The condition on cases of a city that at least one of the verbs may be done on by at least one of the actors.

    Args:
        actors: Every capacity that counts.
        verbs: The verbs that count, by the step from which they are done.
        place: The city, which the caller's query narrows to.

    Returns:
        None where no case can be within reach.
    """
    alike: defaultdict[tuple[str, Kinds, str, str], set[str]] = defaultdict(set)
    actors = list(actors)
    for step, among in verbs.items():
        for verb in among:
            for actor in actors:
                if actor.roles.intersection(verb.roles) - {SYSTEM}:
                    alike[verb.who, _required_requests(verb, place), actor.unit, actor.region].add(step)
    parts: list[Q] = []
    for (who, kinds, unit, region), steps in alike.items():
        standing = _standing(who, unit, region, place)
        if standing is not None and kinds:
            standing &= Q(waits__isnull=False) & reduce(or_, (Q(waits__contains=f" {kind} ") for kind in kinds))
        if standing is not None:
            parts.append(Q(step__in=sorted(steps)) & standing)
    if not parts:
        return None
    # the steps stand before all alternatives, so that an index by step can serve whatever comes behind
    return Q(step__in=sorted(set().union(*alike.values()))) & reduce(or_, parts)


def _required_requests(verb: Verb, place: CityRuntime) -> Kinds:
    """The kinds of request one of which must wait for the verb; none where the workflow lets nobody ask for one."""
    workflow = place.rules.workflow
    kinds = workflow.plans[verb.id].effect.answers
    return kinds if kinds and workflow.asked_for.intersection(kinds) else ()


def _standing(who: str, unit: str, region: str, place: CityRuntime) -> Q | None:
    """The relation that a verb asks for, as `permissions` has it; None where the actor stands in it to no case."""
    if not unit and who in FOR_A_UNIT:
        return None
    match who:
        case "holder":
            return Q(holder=unit)
        case "over":
            return _over(unit, place)
        case "assisting":
            return Q(waits__contains=f" @{unit} ", waits__isnull=False)
        case "handler" | "reporter":
            return Q()  # who has had it and who reported it are not among the columns
        case _:
            near = below(region, place=place)
            return near | Q(holder=unit) if near and unit else near


def _over(unit: str, place: CityRuntime) -> Q:
    """Held by a unit or by one below it."""
    units = place.rules.units
    found = units.at_or_below(unit)
    # who is above everybody needs no list of them
    return ~Q(holder="") if len(found) >= len(units) else Q(holder__in=found)
