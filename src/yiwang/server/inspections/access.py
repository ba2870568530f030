"""Who is shown the link. Everybody reads plans, commitments and draws; staff read results and names; who assesses plans."""

from __future__ import annotations

from django.http import HttpRequest

from yiwang.server.cities.queries import runtime
from yiwang.server.scrutiny.access import shown_to_staff


def shown(request: HttpRequest, city: str) -> bool:
    """Whether the link stands in the frame: for staff of a city that has checklists."""
    return bool(runtime(city).pack.checklists) and shown_to_staff(request, city)
