"""Calls of the HTTP API: red and black lists that are published."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Field, Router, Schema

from yiwang.server.cities.finding import city_or_404
from yiwang.server.lists import queries

router = Router(tags=["lists"])


class EntryOut(Schema):
    """A unit on a list."""

    colour: str = Field(description="`red` or `black`.")
    unit: str
    score: float
    best: int = Field(description="The best place that it may truly have.")
    worst: int
    off: bool = Field(description="Taken off: its objection was upheld.")


class EditionOut(Schema):
    """The lists of a rule for a period."""

    rule: str
    period: str
    terms: dict[str, Any] = Field(description="The rule as it was when notice was given.")
    ranked: int
    left_out: list[str] = Field(description="Units whose caseload was too small.")
    published_at: datetime | None
    entries: list[EntryOut]


class EditionList(Schema):
    """The latest first."""

    items: list[EditionOut]


@router.get("/cities/{city}/lists", response=EditionList, summary="Red and black lists")
def list_editions(request: HttpRequest, city: str) -> dict[str, Any]:
    """Every published edition with who stands on it."""
    city_or_404(city)
    return {
        "items": [
            {
                "rule": one.rule,
                "period": one.period,
                "terms": one.terms,
                "ranked": one.ranked,
                "left_out": one.left_out,
                "published_at": one.ended_at,
                "entries": [
                    {
                        "colour": entry.colour,
                        "unit": entry.unit,
                        "score": entry.score,
                        "best": entry.best,
                        "worst": entry.worst,
                        "off": bool(entry.upheld),
                    }
                    for entry in one.entries.all()
                ],
            }
            for one in queries.editions_of(city, staff=False)
        ]
    }
