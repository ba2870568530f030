"""Calls of the HTTP API: what everybody may read of inspections. Where inspectors go is told when an inspection has ended."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.http import HttpRequest
from ninja import Field, Router, Schema

from yiwang.core.indicators.survey import Estimate
from yiwang.server.cities.finding import city_or_404
from yiwang.server.inspections import queries
from yiwang.server.inspections.models import Campaign
from yiwang.server.inspections.views import campaign_or_404

router = Router(tags=["inspections"])


class InspectionOut(Schema):
    """An inspection, as it is planned and committed to."""

    key: str
    name: str
    name_en: str
    checklist: str
    version: str
    step: str = Field(description="`committed`, `drawn`, `closed` or `dropped`.")
    begins: date
    ends: date
    commitment: str = Field(description="SHA-256 over plan and seed, published before the draw.")
    drawn: int = Field(description="Visits, second ones included; 0 before the draw.")
    recorded: int


class InspectionList(Schema):
    """The latest first."""

    items: list[InspectionOut]


class ResultOut(Schema):
    """Mean score of a stratum, or of everything; null where it cannot be said."""

    stratum: str = Field(description="Code; empty for everything.")
    places: int
    drawn: int
    outcomes: dict[str, int]
    response: float
    score: float | None
    low: float | None
    high: float | None


class VisitOut(Schema):
    """A drawn visit. Inspectors stand there by codes."""

    place: str
    turn: int
    stratum: str
    weight: float
    inspectors: list[str]
    outcome: str
    score: float | None
    recorded_at: datetime | None


class InspectionDetail(InspectionOut):
    """With what came of it, once it has ended: empty before."""

    seed: str
    beacon: str
    results: list[ResultOut]
    visits: list[VisitOut]


@router.get("/cities/{city}/inspections", response=InspectionList, summary="Inspections by lot")
def list_inspections(request: HttpRequest, city: str) -> dict[str, Any]:
    """The inspections of a city."""
    city_or_404(city)
    return {"items": [_told(one, one.drawn, one.recorded) for one in queries.campaigns_of(city)]}  # type: ignore[attr-defined]


@router.get("/cities/{city}/inspections/{key}", response=InspectionDetail, summary="One inspection and its results")
def one_inspection(request: HttpRequest, city: str, key: str) -> dict[str, Any]:
    """Plan and commitment; once it has ended, seed, draw and results too, as `yiwang inspect verify` checks them."""
    found = campaign_or_404(city_or_404(city), key)
    visits = queries.visits_of(found)
    ended = found.step == Campaign.Step.CLOSED
    return {
        **_told(found, len(visits), sum(bool(one.outcome) for one in visits)),
        "seed": found.seed if ended else "",
        "beacon": found.beacon_value if ended else "",
        "results": [
            {
                "stratum": one.stratum,
                "places": one.places,
                "drawn": one.drawn,
                "outcomes": one.outcomes,
                "response": one.response,
                **_estimate(one.estimate),
            }
            for one in (queries.results_of(found) if ended else ())
        ],
        "visits": [
            {
                "place": one.place,
                "turn": one.turn,
                "stratum": one.stratum,
                "weight": one.weight,
                "inspectors": one.inspectors,
                "outcome": one.outcome,
                "score": one.score,
                "recorded_at": one.recorded_at,
            }
            for one in (visits if ended else ())
        ],
    }


def _told(campaign: Campaign, drawn: int, recorded: int) -> dict[str, Any]:
    return {
        "key": campaign.key,
        "name": campaign.name,
        "name_en": campaign.name_en,
        "checklist": campaign.checklist,
        "version": campaign.version,
        "step": campaign.step,
        "begins": campaign.begins,
        "ends": campaign.ends,
        "commitment": campaign.commitment,
        "drawn": drawn,
        "recorded": recorded,
    }


def _estimate(found: Estimate | None) -> dict[str, float | None]:
    interval = found.interval if found else None
    return {
        "score": found.value if found else None,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
    }
