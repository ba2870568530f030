"""Who does what: everybody reads plans, commitments and draws; staff read results and names; some plan."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from yiwang.server.cities.queries import CityRuntime, runtime
from yiwang.server.people.models import User
from yiwang.server.people.queries import posts_of
from yiwang.server.people.roles import ADMINISTRATOR, posts
from yiwang.server.scrutiny.access import shown_to_staff


def may_plan(user: Any, *, place: CityRuntime) -> bool:
    """Whether somebody may plan, draw and end inspections: administrators, and roles of which the workflow says so where their
    region is the whole city."""
    if not isinstance(user, User):
        return False
    if ADMINISTRATOR in posts(user, city=place.info.id):
        return True
    roles = place.rules.workflow.roles
    return any(
        role in roles and roles[role].inspections and place.rules.concerns(region, "")
        for _, region, role in posts_of(user, city=place.info.id)
    )


def shown(request: HttpRequest, city: str) -> bool:
    """Whether the link stands in the frame: for staff of a city that has checklists."""
    return bool(runtime(city).pack.checklists) and shown_to_staff(request, city)
