"""Calls of the HTTP API: target letters in force, and how far each is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest
from ninja import Field, Router, Schema

from yiwang.server.cities.finding import city_or_404
from yiwang.server.common.language import say
from yiwang.server.targets import queries
from yiwang.server.targets.drafting import FIRST_YEAR, LAST_YEAR
from yiwang.server.targets.progress import Progress, months_for

router = Router(tags=["targets"])


class TargetItemOut(Schema):
    """An indicator of a letter, in its own unit; null for no data."""

    indicator: str
    baseline: float | None
    target: float
    value: float | None
    forecast: float | None
    low: float | None = Field(description="With `high`, where the year's end lies in four cases of five.")
    high: float | None
    light: str = Field(description="`green`, `amber`, `red` or `grey`.")


class TargetLetterOut(Schema):
    """A letter in force."""

    unit: str
    version: int
    owner: str
    in_force_at: datetime | None
    light: str
    items: list[TargetItemOut]


class TargetLetterList(Schema):
    """By unit."""

    as_of: datetime | None
    items: list[TargetLetterOut]


@router.get("/cities/{city}/targets/{year}", response=TargetLetterList, summary="Target letters of a year")
def list_letters(request: HttpRequest, city: str, year: int) -> dict[str, Any]:
    """The letters in force, with figures so far and the forecast of the year's end."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Http404(say("没有这一年的责任书", "There are no letters of that year"))
    place = city_or_404(city)
    found = queries.letters_of(city, year, staff=False)
    months = months_for(place, found, year=year)
    items = []
    for one in found:
        light, progress = queries.standing(one, months)
        items.append(
            {
                "unit": one.unit,
                "version": one.version,
                "owner": one.owner,
                "in_force_at": one.in_force_at,
                "light": light.value,
                "items": [
                    {"indicator": item.indicator, "baseline": item.baseline, "target": item.target, **_far(own)}
                    for item, own in zip(one.items.all(), progress, strict=True)
                ],
            }
        )
    return {"as_of": months.as_of, "items": items}


def _far(own: Progress) -> dict[str, Any]:
    forecast = own.forecast
    return {
        "value": own.value,
        "forecast": forecast.value if forecast else None,
        "low": forecast.low if forecast else None,
        "high": forecast.high if forecast else None,
        "light": own.light.value,
    }
