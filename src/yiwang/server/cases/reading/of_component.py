"""The cases of a component, for its page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import F

from yiwang.server.cases.models import Case
from yiwang.server.cases.reading.access import Readers
from yiwang.server.cases.reading.estimates import among
from yiwang.server.cases.reading.listing import readable_rows
from yiwang.server.cases.reading.presentation import row
from yiwang.server.cases.reading.queries import LISTED
from yiwang.server.cities.queries import CityRuntime


def cases_of_component(
    *, readers: Readers, place: CityRuntime, component: str, at: datetime, most: int = 50
) -> list[dict[str, Any]]:
    """The latest cases that name a component, as its reader may read them and as lists show them: open ones first.

    Args:
        component: Its code.
        most: At most so many.
    """
    if not component:
        return []
    asked = Case.objects.filter(city=place.info.id, component=component).exclude(component="")
    found = list(asked.order_by(F("closed_at").desc(nulls_first=True), "-opened_at").values(*LISTED)[:most])
    estimated = among(found, place=place)
    return [
        row(one, runtime=place, at=at, estimated=one["id"] in estimated)
        for one in readable_rows(found, readers=readers, place=place)
    ]
