"""Maps: GeoJSON of regions and of the most urgent cases, vector tiles of all of them, and the figures beside."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from django.http import HttpRequest, HttpResponse
from ninja import Field, Path, Query, Router, Schema
from pydantic import StringConstraints

from yiwang.core.space import to_geojson
from yiwang.server.api.answering import not_modified, ready
from yiwang.server.api.cases import City, IfNoneMatch
from yiwang.server.api.schemas import Code, Problem
from yiwang.server.casepage.forms import box
from yiwang.server.cases.api import (
    figures_below,
    lateness_moment,
    no_region,
    prefixes_of,
    stands_at,
)
from yiwang.server.centre import centre_figures, map_tiles
from yiwang.server.centre.open_features import apart_of, open_features
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common import vector_tiles
from yiwang.server.common.moments import Moment

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


class TileQuery(Schema):
    """Which cases the tiles show."""

    form: Annotated[str, StringConstraints(pattern=r"^(cases|heat)$")] = "cases"
    crs: Annotated[str, StringConstraints(pattern=r"^(wgs84|gcj02)$")] = Field(
        "wgs84", description="In which system the map is drawn that the tiles lie on."
    )
    state: Annotated[str, StringConstraints(pattern=r"^(open|overdue|closed|all)$")] = "open"
    region: Code = Field("", description="A prefix: a district gives everything below it.")
    step: Code = ""
    category: Code = ""
    holder: Code = ""
    opened_after: Moment | None = None
    at: Moment | None = Field(None, description="Another moment than now: what was open then, and late then.")


class CentreQuery(Schema):
    """Of which region, at which moment."""

    region: Code = Field("", description="A prefix: a district gives everything below it.")
    at: Moment | None = Field(None, description="Another moment than now.")


Zoom = Annotated[int, Path(ge=0, le=22)]
Column = Annotated[int, Path(ge=0)]
Line = Annotated[int, Path(ge=0)]
TILE = {200: bytes, 304: None, 404: Problem, 422: Problem, 503: Problem}


def moment_of(city: str, asked: datetime | None) -> tuple[datetime, bool]:
    """The moment that is shown, and whether it is another than now: the one asked for, else where a replayed city stands."""
    past = asked or stands_at(city=city)
    return (past, True) if past else (centre_figures.minute(datetime.now(UTC)), False)


def entity_tag(place: CityRuntime, at: datetime) -> str:
    """An entity tag that changes with every event, with the minute (lateness is a matter of time) and with the pack."""
    stamp = int(centre_figures.minute(at).timestamp()) // 60
    return f'W/"{map_tiles.version(place.info.id)}.{stamp}.{place.version}"'


def below(place: CityRuntime, region: str) -> str:
    """The prefix of a region; empty for the root, which has the cases without a place too."""
    return "" if region in {root.code for root in place.regions.roots} else region


def tile_answer(data: bytes, tag: str) -> HttpResponse:
    response = HttpResponse(data, content_type=vector_tiles.MEDIA_TYPE)
    response["ETag"] = tag
    response["Cache-Control"] = "no-cache"  # kept, but asked for again each time: mostly answered by 304
    return response


@router.get("/cities/{city}/map/cases/{z}/{x}/{y}.mvt", response=TILE, summary="Cases as a vector tile")
def case_tile(
    request: HttpRequest,
    city: City,
    z: Zoom,
    x: Column,
    y: Line,
    asked: Query[TileQuery],
    if_none_match: IfNoneMatch = "",
) -> HttpResponse:
    """Layer ``cases`` (number, category, light) where there are few, ``clusters`` (n, red, yellow) where there are many;
    with ``form=heat`` a layer ``heat`` (n). No bytes where there is none. 503 while a large city is first read."""
    place = city_or_404(city)
    at, past = moment_of(city, asked.at)
    tag = entity_tag(place, at)
    if same := not_modified(if_none_match, tag):
        return same
    shown = map_tiles.CaseFilter(
        at=at, past=past, state=asked.state, regions=prefixes_of(asked.region, place=place), step=asked.step,
        category=asked.category, holder=asked.holder, opened_after=asked.opened_after,
    )  # fmt: skip
    return tile_answer(
        map_tiles.tile(city=city, zoom=z, column=x, row=y, shown=shown, form=asked.form, crs=asked.crs), tag
    )


@router.get("/cities/{city}/centre", response={**TILE, 200: dict[str, Any]}, summary="The command centre's figures")
def centre(
    request: HttpRequest, city: City, asked: Query[CentreQuery], if_none_match: IfNoneMatch = ""
) -> HttpResponse:
    """Counts, intake by hour, the last thirty days, open cases by step, units with most overdue, repeat hot spots.

    Ask again with ``If-None-Match``: as long as nothing happened and the minute is the same the answer is 304.
    """
    place = city_or_404(city)
    at, past = moment_of(city, asked.at)
    if asked.region and asked.region not in place.regions:
        raise no_region(asked.region)
    tag = entity_tag(place, at)
    if same := not_modified(if_none_match, tag):
        return same
    counted = centre_figures.figures(place=place, region=below(place, asked.region), at=at, past=past)
    return ready(counted, ETag=tag, Cache_Control="no-cache")


@router.get("/cities/{city}/map/cases", response=ANSWERS, summary="Open cases as points")
def map_cases(request: HttpRequest, city: City, asked: Query[MapQuery]) -> HttpResponse:
    """GeoJSON of open cases, the most urgent first; ``truncated`` says that there are more than ``limit``.

    Cases whose point is a stand-in for an unknown place, or lies outside the city, are not among the features: ``apart``
    has those points with their counts (``lon, lat, flag, open``), at most 200.
    """
    place, at = city_or_404(city), stands_at(city=city)
    now, here = at or datetime.now(UTC), box(asked.bbox)
    features, truncated = open_features(
        place=place, regions=prefixes_of(asked.region, place=place), bbox=here, limit=asked.limit, at=now, past=bool(at),
    )  # fmt: skip
    apart = apart_of(place=place, region=asked.region, bbox=here, at=now, past=bool(at))
    listed = orjson.Fragment(b"[" + features + b"]")
    return ready({"type": "FeatureCollection", "features": listed, "truncated": truncated, "apart": apart})


@router.get("/cities/{city}/map/regions", response=ANSWERS, summary="Regions with their counts")
def map_regions(request: HttpRequest, city: City, asked: Query[RegionsQuery]) -> HttpResponse:
    """GeoJSON of the regions below one, with how many cases, open and overdue ones each has."""
    place = city_or_404(city)
    if asked.region and asked.region not in place.regions:
        raise no_region(asked.region)
    code = asked.region or place.regions.roots[0].code
    tree = place.locator.tree
    below = tree.children(code)
    counts = (
        figures_below(city=city, region=code, width=len(below[0].code), at=lateness_moment(city=city)) if below else {}
    )
    nothing = {"cases": 0, "open": 0, "overdue": 0}
    features = [
        {
            "type": "Feature",
            "geometry": to_geojson(region.geometry) if region.geometry is not None else None,
            "properties": {
                "code": region.code,
                "name": region.name.zh,
                "name_en": region.name.en,
                "approximate": region.approximate,
                **counts.get(region.code, nothing),
            },
        }
        for region in below
    ]
    return ready({"type": "FeatureCollection", "features": features})
