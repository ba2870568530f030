"""Open cases near a point: what a person who reports is shown first, so that one problem stays one case."""

from __future__ import annotations

import math
from typing import Any

from yiwang.server.cases.models import Case
from yiwang.server.cities.queries import CityRuntime

NEAR_M = 150.0
MOST = 8
LOOKED_AT = 400
METRES_PER_DEGREE = 111_320.0
COLUMNS = ("number", "category", "step", "region", "lon", "lat", "text", "address", "opened_at")


def open_near(
    *, place: CityRuntime, lon: float, lat: float, within_m: float = NEAR_M, category: str = "", most: int = MOST
) -> list[dict[str, Any]]:
    """Open cases within a distance, the nearest first, those of the category before others; each with ``distance_m``.

    The box around the point is what the index of open points is entered with, so the cost is that of one neighbourhood,
    however many cases the city has, and whatever its regions were called when they were reported.

    Args:
        place: City.
        lon, lat: The point in degrees of WGS 84, as maps and phones give it and cases keep it.
        within_m: Distance in metres.
        category: Cases of this category come first.
        most: How many.
    """
    high = within_m / METRES_PER_DEGREE
    wide = high / max(0.05, math.cos(math.radians(lat)))
    rows = (
        Case.objects.filter(
            city=place.info.id, closed_at=None,
            lat__gte=lat - high, lat__lte=lat + high, lon__gte=lon - wide, lon__lte=lon + wide,
        )
        .exclude(flag="default_point")  # those have no place, only a stand-in
        .values(*COLUMNS)[:LOOKED_AT]
    )  # fmt: skip
    found = []
    for row in rows:
        distance = distance_m(lon, lat, row["lon"], row["lat"])
        if distance <= within_m:
            found.append({**row, "distance_m": round(distance)})
    found.sort(key=lambda row: (bool(category) and row["category"] != category, row["distance_m"], row["number"]))
    return found[:most]


def distance_m(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """Distance in metres of two points that lie near each other."""
    x = (other_lon - lon) * math.cos(math.radians((lat + other_lat) / 2))
    return math.hypot(x, other_lat - lat) * METRES_PER_DEGREE
