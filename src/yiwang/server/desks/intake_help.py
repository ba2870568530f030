"""What helps a clerk while a caller speaks: places by name, categories by words, open cases that may be the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from yiwang.server.cases.api import (
    NEARBY_COLUMNS,
    Case,
    CaseFilters,
    category_name,
    list_cases,
    open_near,
    region_name,
    step_name,
    within,
)
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.cities.suggesting import suggest, tokens
from yiwang.server.common.language import english, say
from yiwang.server.common.masking import mask

NEAR_M = 100.0
RECENT = timedelta(days=30)
MOST = 6
SHORTEST = 2
LOOKED_AT = 200
SHARED = 2


def places_matching(words: str, *, place: CityRuntime) -> list[dict[str, Any]]:
    """Regions whose names stand in the words or begin with them, the finest first, then places of earlier cases."""
    words = words.strip()
    if len(words) < SHORTEST:
        return []
    low, found = words.lower(), []
    for region in place.locator.tree:
        names = [name.lower() for name in region.name.values() if len(name) >= SHORTEST]
        if any(name in low or low in name for name in names):
            whole = any(name in low for name in names)
            found.append((not whole, -len(region.code), region.code))
    regions: list[dict[str, Any]] = [
        {
            "region": code,
            "name": region_name(place, code, levels=3),
            "why": say("区域名称", "name of a region"),
        }
        for _, _, code in sorted(found)[:MOST]
    ]
    return regions + _earlier(words, place)


def _earlier(words: str, place: CityRuntime) -> list[dict[str, Any]]:
    earlier: dict[str, dict[str, Any]] = {}
    for row in list_cases(city=place.info.id, filters=CaseFilters(q=words), limit=30).items:
        text = mask(row["address"].strip())
        if row["lon"] is not None and words.split()[0].lower() in text.lower():
            earlier.setdefault(
                text,
                {
                    "name": text,
                    "lon": round(row["lon"], 6),
                    "lat": round(row["lat"], 6),
                    "region": row["region"],
                    "why": say("案卷 {number} 的地点", "place of case {number}", number=row["number"]),
                },
            )
    return list(earlier.values())[:MOST]


def categories_for(words: str, *, place: CityRuntime) -> list[dict[str, str]]:
    """Categories that the words suggest, each with the words that say so."""
    return [
        {
            "code": item.category.code,
            "name": category_name(place, item.category.code),
            "words": (", " if english() else "、").join(item.words),
        }
        for item in suggest(words, place=place)
    ]


def _similar_cases(query: QuerySet[Case], words: str) -> list[dict[str, Any]]:
    """Of the newest cases those whose text shares pairs of characters, or words, with what is said; most shared first."""
    said = {token for token in tokens(words) if len(token) > 1}
    newest = list(query.values(*NEARBY_COLUMNS)[:LOOKED_AT])
    shared = {row["number"]: len(said.intersection(tokens(f"{row['text']} {row['address']}"))) for row in newest}
    alike = [row for row in newest if shared[row["number"]] >= SHARED]
    return sorted(alike, key=lambda row: -shared[row["number"]])


def likely_same(
    *,
    place: CityRuntime,
    category: str,
    lon: float | None,
    lat: float | None,
    region: str = "",
    words: str = "",
    at: datetime | None = None,
) -> list[dict[str, Any]]:
    """Open cases that may be the same, of the last 30 days. Queries that an index bounds.

    With a point: within 100 m, of the category whatever their age. Without one, those of the category in the region;
    and in a region of the two finest levels the newest in which words of the caller stand, whatever their category.
    """
    at = at or datetime.now(UTC)
    if lon is not None and lat is not None:
        near = open_near(place=place, lon=lon, lat=lat, within_m=NEAR_M, category=category, most=4 * MOST)
        found = [row for row in near if row["category"] == category or row["opened_at"] >= at - RECENT]
    elif region in place.regions and region not in {root.code for root in place.regions.roots}:
        query = Case.objects.filter(city=place.info.id, closed_at=None, opened_at__gte=at - RECENT)
        query = within(query, region, place=place).order_by("-opened_at", "-id")
        found = list(query.filter(category=category).values(*NEARBY_COLUMNS)[:MOST]) if category else []
        fine = {level.id for level in place.regions.levels[-2:]}
        if len(found) < MOST and words and place.regions[region].level in fine:
            found += _similar_cases(query.exclude(category=category), words)
    else:
        return []
    return [
        {
            **row,
            "text": mask(row["text"]),
            "address": mask(row["address"]),
            "category_name": category_name(place, row["category"]),
            "step_name": step_name(place, row["step"]),
            "same": bool(category) and row["category"] == category,
        }
        for row in found[:MOST]
    ]
