"""What maps draw of the open cases: those with a place, the points that are no place, and how many have neither."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Count, F, QuerySet

from yiwang.server.cases.models import Case
from yiwang.server.cases.reading.placing import UNPLACED
from yiwang.server.cases.reading.queries import UNDRAWN, open_at, within
from yiwang.server.cities.queries import runtime

Box = tuple[float, float, float, float]  # west, south, east, north in degrees


def undrawn(*, city: str, region: str, at: datetime | None = None) -> int:
    """How many open cases of a region no map draws; the list shows them with ``flag=undrawn``."""
    still = Case.objects.filter(open_at(at), city=city)
    return within(still, region, place=runtime(city)).filter(UNDRAWN).count()


def unplaced_points(
    *, city: str, region: str = "", bbox: Box | None = None, at: datetime | None = None
) -> list[dict[str, Any]]:
    """The points of open cases that are no place: ``lon, lat, flag, open``, those with the most cases first, at most 200.

    Maps draw them apart, one ring for each with its count, and never among the cases: hundreds of cases at a city hall's
    stand-in point are no hot spot.
    """
    query = _with_point(city, region, bbox, at).filter(flag__in=UNPLACED)
    counted = query.values("lon", "lat", "flag").annotate(open=Count("id"))
    return list(counted.order_by("-open", "lon", "lat", "flag")[:200])


def map_cases(
    *, city: str, region: str = "", limit: int = 2000, bbox: Box | None = None, at: datetime | None = None
) -> list[dict[str, Any]]:
    """Open cases (now, or at a moment) with a place, the most urgent first, those without a deadline last. A known stand-in
    for "no place" and a point outside the city are none (`unplaced_points`)."""
    query = _with_point(city, region, bbox, at).exclude(flag__in=UNPLACED)
    columns = ("number", "category", "step", "holder", "region", "lon", "lat", "opened_at", "deadline", "priority")
    found = list(query.filter(deadline__isnull=False).order_by("deadline", "id").values(*columns)[:limit])
    if len(found) < limit:
        rest = query.filter(deadline=None).order_by(F("opened_at").desc(), F("id").desc())
        found += rest.values(*columns)[: limit - len(found)]
    return found


def _with_point(city: str, region: str, bbox: Box | None, at: datetime | None) -> QuerySet[Case]:
    query = Case.objects.filter(open_at(at), city=city, lon__isnull=False, lat__isnull=False)
    if region:
        query = within(query, region, place=runtime(city))
    if bbox:
        west, south, east, north = bbox
        query = query.filter(lon__gte=west, lon__lte=east, lat__gte=south, lat__lte=north)
    return query
