"""The months of a city's cases, on its own clocks."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Max, Min

from yiwang.server.cases.api import Case
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.formatting import month_text

MOST_MONTHS = 36


def month_of(moment: datetime, place: CityRuntime) -> str:
    return month_text(moment, place.info.zone)


def bounds(month: str, place: CityRuntime) -> tuple[datetime, datetime]:
    """First moment of a month and of the next, on the city's clocks."""
    year, number = int(month[:4]), int(month[5:])
    start = datetime(year, number, 1, tzinfo=place.info.zone)
    return start, datetime(year + number // 12, number % 12 + 1, 1, tzinfo=place.info.zone)


def months(*, place: CityRuntime, at: datetime) -> list[str]:
    """The months with cases, the newest first: two look-ups in the index."""
    rows = Case.objects.filter(city=place.info.id)
    first = rows.aggregate(first=Min("opened_at"))["first"]
    last = rows.aggregate(last=Max("opened_at"))["last"]
    if first is None or last is None:
        return []
    found: list[str] = []
    month = month_of(min(last, at), place)
    while month >= month_of(first, place) and len(found) < MOST_MONTHS:
        found.append(month)
        month = month_of(bounds(month, place)[0] - timedelta(days=1), place)
    return found
