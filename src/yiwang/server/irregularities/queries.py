"""What one may ask of leads."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from yiwang.core.kernel.text import Text
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.irregularities.models import IrregularityEvent, Lead, Look
from yiwang.server.ledger.api import first_broken, stream_of_events
from yiwang.server.people.models import User
from yiwang.server.people.queries import posts_of

NAME = "irregularities"
STREAM = stream_of_events(IrregularityEvent, name=NAME, title=Text("疑点核查", "irregularities"))


def looks_of(city: str) -> list[Look]:
    """The months that were looked through, the latest first."""
    return list(Look.objects.filter(city=city).order_by("-period"))


def leads_of(city: str, *, period: str) -> QuerySet[Lead]:
    """Leads of a month: those that stand, and those that somebody answered or judged."""
    found = Lead.objects.filter(city=city, period=period)
    return found.exclude(stands=False, answer="", judgement="")


def lead_of(city: str, pk: int) -> Lead | None:
    """One lead of a city."""
    return Lead.objects.filter(city=city, pk=pk).first()


def belongs(user: Any, lead: Lead, *, place: CityRuntime) -> bool:
    """Whether somebody holds a post in the unit of a lead, or below it."""
    if not isinstance(user, User):
        return False
    inside = place.rules.workflow.roles.keys() - place.rules.workflow.outside_roles()
    team = {lead.unit, *place.rules.units.at_or_below(lead.unit)}
    return any(unit in team and role in inside for unit, _, role in posts_of(user, city=place.info.id))


def judgements_of(city: str) -> dict[str, dict[str, int]]:
    """By kind: how many leads were judged how, in all months."""
    found: dict[str, dict[str, int]] = {}
    for kind, judgement in Lead.objects.filter(city=city).exclude(judgement="").values_list("kind", "judgement"):
        counts = found.setdefault(kind, {})
        counts[judgement] = counts.get(judgement, 0) + 1
    return found


def broken(city: str) -> int | None:
    """Id of the first event of a city that was changed; None when none was."""
    return first_broken(IrregularityEvent, stream=NAME, city=city)
