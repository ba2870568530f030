"""Calls of the HTTP API: the score."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router

from yiwang.server.scores import queries
from yiwang.server.scores.views import card_of, score_query

router = Router(tags=["scores"])


@router.get("/cities/{city}/scores", response=dict[str, Any], summary="Indicators and scores of a month")
def list_scores(request: HttpRequest, city: str, level: str = "", month: str = "") -> dict[str, Any]:
    """Every indicator of the regions of a level (the second one by default), or of departments, with numerator, denominator, interval and
    places, and every composite score; of the latest month, another one (`2026-11`), as `yiwang score --format json` writes them.

    `rows` is empty while nothing has been counted.
    """
    asked = score_query(request, city, level=level)
    if asked.store is None:
        return {"city": city, "by": [asked.level, "month"], "indicators": [], "rows": []}
    return queries.as_dict(card_of(asked), place=asked.place)
