"""Cities as installed: regions, categories, units, the workflow, and where a point lies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field, StringConstraints

from yiwang.core.kernel.periods import Validity
from yiwang.core.space import Region
from yiwang.packs import PackInfo
from yiwang.server.api.answering import ready
from yiwang.server.api.cases import City
from yiwang.server.api.schemas import Code, Latitude, Longitude, Problem
from yiwang.server.cases.api import ReportDraft, place_report
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import cities

router = Router(tags=["cities"])
ANSWERS = {200: dict[str, Any], 404: Problem, 422: Problem}


class Paging(Schema):
    """Which part of a list."""

    limit: int = Field(1000, ge=1, le=5000)
    cursor: Annotated[str, StringConstraints(max_length=100)] = ""


class RegionQuery(Paging):
    """Which regions."""

    level: Code = ""
    parent: Code = ""
    prefix: Code = ""


class PointQuery(Schema):
    """A point."""

    lon: Longitude
    lat: Latitude
    crs: Code = ""


def page_of(items: Sequence[Mapping[str, Any]], asked: Paging) -> dict[str, Any]:
    """A page of things ordered by their code; the cursor is the last code seen."""
    rest = [item for item in items if item["code"] > asked.cursor] if asked.cursor else list(items)
    page = rest[: asked.limit]
    return {"items": page, "next": page[-1]["code"] if len(rest) > asked.limit else None}


def _period(validity: Validity) -> dict[str, str | None]:
    return {
        "valid_from": validity.valid_from.isoformat() if validity.valid_from else None,
        "valid_to": validity.valid_to.isoformat() if validity.valid_to else None,
    }


def city_of(info: PackInfo) -> dict[str, Any]:
    """A city in a list."""
    return {
        "id": info.id, "name": info.name.zh, "name_en": info.name.en, "country": info.country, "timezone": info.timezone,
        "language": info.language, "crs": info.crs, "scheme": info.scheme, "simulated": info.simulated,
        "notice": info.notice.zh, "notice_en": info.notice.en, "attribution": [line.zh for line in info.attribution],
        "attribution_en": [line.en for line in info.attribution],
        "levels": [{"id": level.id, "name": level.name.zh, "name_en": level.name.en, "width": level.width} for level in info.levels],
    }  # fmt: skip


def region_of(region: Region) -> dict[str, Any]:
    """A region in a list."""
    return {
        "code": region.code, "name": region.name.zh, "name_en": region.name.en, "level": region.level,
        "parent": region.parent, "official_code": region.official_code, "predecessors": list(region.predecessors),
        "approximate": region.approximate, "bbox": list(region.bounds) if region.bounds else None, **_period(region.validity),
    }  # fmt: skip


@router.get("/cities", response={200: dict[str, Any]}, summary="Installed cities")
def list_cities(request: HttpRequest) -> HttpResponse:
    """Every city of this deployment."""
    return ready({"items": [city_of(info) for info in cities()], "next": None})


@router.get("/cities/{city}", response=ANSWERS, summary="One city")
def get_city(request: HttpRequest, city: City) -> HttpResponse:
    """The city, and which version of its pack is in force."""
    place = city_or_404(city)
    return ready({**city_of(place.info), "version": place.version, "digest": place.digest})


@router.get("/cities/{city}/locate", response=ANSWERS, summary="Where a point lies")
def locate(request: HttpRequest, city: City, asked: Query[PointQuery]) -> HttpResponse:
    """The chain of regions from the city down, and the unit grid. ``flag``: outside, border, default_point, or empty."""
    place = city_or_404(city)
    where = place_report(ReportDraft(lon=asked.lon, lat=asked.lat, crs=asked.crs), place=place)
    found, lon, lat = place.locate(asked.lon, asked.lat, crs=asked.crs)
    chain: Iterable[Region] = found.chain
    return ready(
        {
            "lon": lon,
            "lat": lat,
            "flag": found.flag,
            "region": where.region or found.code,
            "grid": found.grid,
            "chain": [
                {
                    "code": r.code,
                    "level": r.level,
                    "name": r.name.zh,
                    "name_en": r.name.en,
                    "approximate": r.approximate,
                }
                for r in chain
            ],
        }
    )


@router.get("/cities/{city}/regions", response=ANSWERS, summary="Regions")
def list_regions(request: HttpRequest, city: City, asked: Query[RegionQuery]) -> HttpResponse:
    """Regions that are or were in force, by code; codes are paths."""
    tree = city_or_404(city).regions
    found = [
        region_of(region)
        for region in tree
        if (not asked.level or region.level == asked.level)
        and (not asked.parent or region.parent == asked.parent)
        and region.code.startswith(asked.prefix)
    ]
    return ready(page_of(found, asked))


@router.get("/cities/{city}/categories", response=ANSWERS, summary="Categories")
def list_categories(request: HttpRequest, city: City, asked: Query[Paging]) -> HttpResponse:
    """Categories of the scheme that cases use, with their filing conditions."""
    place = city_or_404(city)
    conditions: dict[str, list[dict[str, str]]] = {}
    for item in place.pack.conditions.values():
        conditions.setdefault(item.category, []).append(
            {
                "condition": item.condition,
                "text": item.text.zh,
                "text_en": item.text.en,
                "closing": item.closing.zh,
                "closing_en": item.closing.en,
                "source": item.source,
                "confidence": item.confidence,
            }
        )
    found = [
        {
            "code": item.code,
            "scheme": item.scheme,
            "kind": item.kind,
            "major": item.major,
            "name": item.name.zh,
            "name_en": item.name.en,
            "major_name": item.major_name.zh,
            "major_name_en": item.major_name.en,
            "replaced_by": item.replaced_by,
            "source": item.source,
            "confidence": item.confidence,
            "conditions": conditions.get(item.code, []),
            **_period(item.validity),
        }
        for item in sorted(place.categories.values(), key=lambda item: item.code)
    ]
    return ready({"scheme": place.info.scheme, **page_of(found, asked)})


@router.get("/cities/{city}/units", response=ANSWERS, summary="Units")
def list_units(request: HttpRequest, city: City, asked: Query[Paging]) -> HttpResponse:
    """Organisations and their parts that can hold a case."""
    found = [
        {
            "code": unit.code,
            "name": unit.name.zh,
            "name_en": unit.name.en,
            "kind": unit.kind,
            "level": unit.level,
            "region": unit.region,
            "parent": unit.parent,
            "function": unit.function,
            "crews": unit.crews,
            **_period(unit.validity),
        }
        for unit in sorted(city_or_404(city).rules.units, key=lambda unit: unit.code)
    ]
    return ready(page_of(found, asked))


@router.get("/cities/{city}/workflow", response=ANSWERS, summary="The workflow")
def get_workflow(request: HttpRequest, city: City) -> HttpResponse:
    """Roles, stages, steps, clocks, verbs and escalations, as the pack states them."""
    flow = city_or_404(city).rules.workflow
    return ready(
        {
            "id": flow.id,
            "version": flow.version,
            "start": flow.start,
            "main_clock": flow.main_clock,
            "roles": [
                {"id": r.id, "name": r.name.zh, "name_en": r.name.en, "axis": r.axis} for r in flow.roles.values()
            ],
            "stages": [{"id": s.id, "name": s.name.zh, "name_en": s.name.en} for s in flow.stages.values()],
            "steps": [
                {"id": s.id, "name": s.name.zh, "name_en": s.name.en, "stage": s.stage, "end": s.end}
                for s in flow.steps.values()
            ],
            "priorities": [{"id": p.id, "name": p.name.zh, "name_en": p.name.en} for p in flow.priorities.values()],
            "clocks": [
                {"id": c.id, "name": c.name.zh, "name_en": c.name.en, "limit": c.limit} for c in flow.clocks.values()
            ],
            "verbs": [
                {
                    "id": v.id,
                    "name": v.name.zh,
                    "name_en": v.name.en,
                    "from": list(v.origins),
                    "to": v.to,
                    "roles": list(v.roles),
                    "who": v.who,
                    "moves": v.moves,
                    "requires": list(v.requires),
                    "optional": list(v.optional),
                    "start": list(v.start),
                    "stop": list(v.stop),
                    "pause": list(v.pause),
                    "resume": list(v.resume),
                    "extend": list(v.extend),
                    "effect": v.effect,
                    "tone": flow.plans[v.id].tone,
                    "max": v.max,
                    "before_deadline": v.before_deadline,
                    "not_handler": v.not_handler,
                }
                for v in flow.verbs.values()
            ],
            "escalations": [
                {"clock": e.clock, "at": e.at, "verb": e.verb, "steps": list(e.steps)} for e in flow.escalations
            ],
        }
    )
