"""What other apps may ask of inspections."""

from __future__ import annotations

from datetime import date

from yiwang.core.inspections.honours import Inspected
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.inspections.models import Campaign, Visit


def scores_of(place: CityRuntime, *, checklist: str, since: date) -> dict[str, list[Inspected]]:
    """Scores of places by their code, of first visits in inspections by a checklist that have ended, since a
    day; those that ended first come first."""
    rows = (
        Visit.objects.filter(
            campaign__city=place.info.id,
            campaign__checklist=checklist,
            campaign__step=Campaign.Step.CLOSED,
            campaign__ends__gte=since,
            turn=1,
            score__isnull=False,
            recorded_at__isnull=False,
        )
        .order_by("campaign__closed_at", "id")
        .values_list("place", "campaign__key", "recorded_at", "score")
    )
    found: dict[str, list[Inspected]] = {}
    for code, key, at, score in rows:
        assert at is not None  # those are left out above
        assert score is not None
        day = at.astimezone(place.info.zone).date()
        found.setdefault(code, []).append(Inspected(inspection=key, day=day, score=score))
    return found
