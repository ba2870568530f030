"""Who sees what. Where inspectors will come is nobody's business while they are on their way: until an inspection has ended, its draw,
seed and results are for who assesses the city, and each visit for who was drawn for it. Then everybody reads them, staff with names."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from yiwang.server.cities.queries import CityRuntime, runtime
from yiwang.server.inspections.models import Campaign, Visit
from yiwang.server.scrutiny.access import assesses, is_staff, shown_to_staff


def sees_draw(user: Any, campaign: Campaign, *, place: CityRuntime) -> bool:
    """Whether somebody may read where inspectors go, the seed and the results."""
    if campaign.step == Campaign.Step.CLOSED:
        return True
    return campaign.step == Campaign.Step.DRAWN and assesses(user, place=place)


def sees_visit(user: Any, visit: Visit, *, place: CityRuntime) -> bool:
    """Whether somebody may read one visit, and its photos."""
    if is_drawn(user, visit):
        return True
    return sees_draw(user, visit.campaign, place=place) and is_staff(user, place=place)


def is_drawn(user: Any, visit: Visit) -> bool:
    """Whether somebody was drawn for a visit."""
    return user.is_authenticated and user.get_username() in {
        visit.campaign.people.get(code) for code in visit.inspectors
    }


def shown(request: HttpRequest, city: str) -> bool:
    """Whether the link stands in the frame: for staff of a city that has checklists."""
    return bool(runtime(city).pack.checklists) and shown_to_staff(request, city)
