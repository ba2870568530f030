"""Calls of the HTTP API: who holds an honour, and who held it."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpRequest
from ninja import Field, Router, Schema

from yiwang.server.cities.finding import city_or_404
from yiwang.server.honours import queries
from yiwang.server.honours.models import Honour

router = Router(tags=["honours"])


class HonourOut(Schema):
    """An honour that was given."""

    rule: str
    kind: str = Field(description="`area` or `banner`.")
    level: str
    holder: str
    held: bool
    since: date | None
    until: date | None
    basis: dict[str, Any] = Field(description="Inspections with their scores, or the list and the places on it.")


class HonourList(Schema):
    """The latest first."""

    items: list[HonourOut]


@router.get("/cities/{city}/honours", response=HonourList, summary="Demonstration areas and banners")
def list_honours(request: HttpRequest, city: str) -> dict[str, Any]:
    """What is held and what has ended."""
    city_or_404(city)
    return {
        "items": [
            {
                "rule": one.rule,
                "kind": one.kind,
                "level": one.level,
                "holder": one.holder,
                "held": one.step != Honour.Step.ENDED,
                "since": one.since,
                "until": one.until,
                "basis": one.basis,
            }
            for one in queries.honours_of(city, staff=False)
        ]
    }
