"""GeoJSON for maps."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router, Schema
from pydantic import StringConstraints

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.errors import Problem as Fault
from yiwang.core.space import to_geojson
from yiwang.server.api.answering import ready
from yiwang.server.api.cases import City, box, known_city
from yiwang.server.api.schemas import Code, Problem
from yiwang.server.cases import queries

router = Router(tags=["maps"])
ANSWERS = {200: dict[str, Any], 404: Problem, 422: Problem}


class MapQuery(Schema):
    """Which part of the map."""

    region: Code = ""
    bbox: Annotated[str, StringConstraints(max_length=120)] = Field("", description="west,south,east,north in degrees.")
    limit: int = Field(2000, ge=1, le=10_000)


class RegionsQuery(Schema):
    """Regions below which one; the city's by default."""

    region: Code = ""


@router.get("/cities/{city}/map/cases", response=ANSWERS, summary="Open cases as points")
def map_cases(request: HttpRequest, city: City, asked: Query[MapQuery]) -> HttpResponse:
    """GeoJSON of open cases, the most urgent first; ``truncated`` says that there are more than ``limit``."""
    place, now = known_city(city), datetime.now(UTC)
    rows = queries.map_cases(city=city, region=asked.region, bbox=box(asked.bbox), limit=asked.limit + 1)
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [row["lon"], row["lat"]]},
            "properties": {
                "number": row["number"],
                "category": row["category"],
                "step": row["step"],
                "holder": row["holder"],
                "region": row["region"],
                "priority": row["priority"],
                "opened_at": row["opened_at"].astimezone(place.info.zone).isoformat(),
                "deadline": row["deadline"].astimezone(place.info.zone).isoformat() if row["deadline"] else None,
                "overdue": row["deadline"] is not None and row["deadline"] < now,
            },
        }
        for row in rows[: asked.limit]
    ]
    return ready({"type": "FeatureCollection", "features": features, "truncated": len(rows) > asked.limit})


@router.get("/cities/{city}/map/regions", response=ANSWERS, summary="Regions with their counts")
def map_regions(request: HttpRequest, city: City, asked: Query[RegionsQuery]) -> HttpResponse:
    """GeoJSON of the regions below one, with how many cases, open and overdue ones each has."""
    place = known_city(city)
    if asked.region and asked.region not in place.regions:
        raise BadInput(Fault(f"There is no region {asked.region!r}.", "See the city's regions.", column="region"))
    code = asked.region or place.regions.roots[0].code
    tree = place.locator.tree
    below = tree.children(code)
    counts = queries.figures_below(city=city, region=code, width=len(below[0].code)) if below else {}
    nothing = {"cases": 0, "open": 0, "overdue": 0}
    features = [
        {
            "type": "Feature",
            "geometry": to_geojson(region.geometry) if region.geometry is not None else None,
            "properties": {
                "code": region.code,
                "name": region.name,
                "name_en": region.name_en,
                "approximate": region.approximate,
                **counts.get(region.code, nothing),
            },
        }
        for region in below
    ]
    return ready({"type": "FeatureCollection", "features": features})
