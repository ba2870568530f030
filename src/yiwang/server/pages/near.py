"""Open cases around a point, for the maps: as public as the map of all of them."""

from __future__ import annotations

import math
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_GET

from yiwang.server.cases.api import cases_on_map, category_name, lateness_moment, light
from yiwang.server.cities.finding import city_or_404
from yiwang.server.common.language import say

RADIUS_M = 200.0
MOST = 50  # that are listed, the nearest first
_MOST_ASKED = 2000
_EARTH_M = 6_371_008.8  # mean radius


@require_GET
def near_cases(request: HttpRequest, city: str) -> JsonResponse:
    """Open cases within `RADIUS_M` of ``lon``, ``lat`` (WGS 84), the nearest first: at most `MOST`, and how many there are."""
    place, now = city_or_404(city), lateness_moment(city=city)
    point = _point(request)
    if point is None:
        said = say("请给出经度 lon 和纬度 lat（度）。", "Give lon and lat in degrees.")
        return JsonResponse({"error": said}, status=400)
    lon, lat = point
    tall = math.degrees(RADIUS_M / _EARTH_M)
    wide = tall / math.cos(math.radians(lat))
    rows = cases_on_map(city=city, bbox=(lon - wide, lat - tall, lon + wide, lat + tall), limit=_MOST_ASKED, at=now)
    around = sorted(((_metres(lon, lat, row["lon"], row["lat"]), row) for row in rows), key=lambda pair: pair[0])
    found = [(metres, row) for metres, row in around if metres <= RADIUS_M]
    cases: list[dict[str, Any]] = [
        {
            "number": row["number"],
            "category_name": category_name(place, row["category"]),
            "metres": round(metres),
            "light": light(opened_at=row["opened_at"], deadline=row["deadline"], closed_at=None, at=now) or "green",
        }
        for metres, row in found[:MOST]
    ]
    return JsonResponse({"radius": RADIUS_M, "total": len(found), "cases": cases})


def _point(request: HttpRequest) -> tuple[float, float] | None:
    try:
        lon, lat = float(request.GET.get("lon", "")), float(request.GET.get("lat", ""))
    except ValueError:
        return None
    return (lon, lat) if abs(lon) <= 180 and abs(lat) < 89 else None  # NaN is neither


def _metres(lon: float, lat: float, to_lon: float, to_lat: float) -> float:
    """Distance on the sphere; over a few hundred metres a plane will do."""
    east = math.radians(to_lon - lon) * math.cos(math.radians((lat + to_lat) / 2))
    return _EARTH_M * math.hypot(east, math.radians(to_lat - lat))
