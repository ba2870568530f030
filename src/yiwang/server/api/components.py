"""The component inventory: lists, one component with its history, points for a map, and vector tiles."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Field, Path, Query, Router, Schema
from pydantic import StringConstraints

from yiwang.server.api.answering import for_reader, not_modified
from yiwang.server.api.cases import City, IfNoneMatch
from yiwang.server.api.maps import TILE, Column, Line, Zoom, tile_answer
from yiwang.server.api.schemas import Code, Latitude, Longitude, Problem
from yiwang.server.assets import api as assets
from yiwang.server.casepage.forms import box
from yiwang.server.cases.api import readers_for
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.formatting import currency_of
from yiwang.server.common.language import say
from yiwang.server.people.callers import caller_of

router = Router(tags=["components"])
StateName = Annotated[str, StringConstraints(pattern=f"^({'|'.join(state.value for state in assets.State)})?$")]
KIND = "A class, or the beginning of its code."
STAFF_ONLY = "Only for callers with a post in the city."


class ComponentQuery(Schema):
    """Filters of a list."""

    kind: Code = Field("", description=KIND)
    region: Code = Field("", description="A prefix: a district gives everything below it.")
    state: StateName = ""
    q: Annotated[str, StringConstraints(max_length=100)] = Field(
        "", description="The beginning of a code or name; for staff, of the surveyor's id too."
    )
    bbox: Annotated[str, StringConstraints(max_length=120)] = Field("", description="west,south,east,north in degrees.")
    cursor: Annotated[str, StringConstraints(max_length=20)] = ""
    limit: int = Field(50, ge=1, le=500)


class PointsQuery(Schema):
    """Which components a map shows."""

    bbox: Annotated[str, StringConstraints(max_length=120)] = Field(
        ..., description="west,south,east,north in degrees."
    )
    kind: Code = Field("", description=KIND)
    state: StateName = ""
    limit: int = Field(2000, ge=1, le=10_000)


class NearQuery(Schema):
    """Around which point, of which class."""

    lon: Longitude
    lat: Latitude
    crs: Code = Field("", description="wgs84, cgcs2000, gcj02 or bd09; empty is what the city's pack says.")
    kind: Code = Field("", description=KIND)
    metres: int = Field(50, ge=1, le=500)
    limit: int = Field(8, ge=1, le=50)


class ComponentTileQuery(Schema):
    """Which components the tiles show."""

    kind: Code = Field("", description=KIND)
    state: StateName = ""
    crs: Annotated[str, StringConstraints(pattern=r"^(wgs84|gcj02)$")] = Field(
        "wgs84", description="In which system the map is drawn that the tiles lie on."
    )


class ComponentOut(Schema):
    """A component."""

    code: str = Field(description="Identifying code, unique in the city.")
    kind: str = Field(description="Class.")
    kind_name: str
    kind_name_en: str
    name: str
    state: str
    lon: float
    lat: float
    region: str
    grid: str
    first_on: date | None
    changed_on: date | None
    version: int
    source_id: str = Field("", description=STAFF_ONLY)
    authority: str = Field("", description=STAFF_ONLY)
    owner: str = Field("", description=STAFF_ONLY)
    maintainer: str = Field("", description=STAFF_ONLY)
    attributes: dict[str, str] = Field(default_factory=dict, description=STAFF_ONLY)
    note: str = Field("", description=STAFF_ONLY)
    source: str = Field("", description=STAFF_ONLY)


class ComponentPageOut(Schema):
    """A page of components; ``next`` is the cursor of the following one."""

    items: list[ComponentOut]
    next: str | None


class ComponentChangeOut(Schema):
    """A change of a component."""

    at: datetime
    fields: dict[str, list[Any]] = Field(description="Name of a field: value before, value after.")
    by: str = Field("", description=STAFF_ONLY)


class ComponentCostOut(Schema):
    """What a component has cost once."""

    kind: str = Field(description="purchase, installation, maintenance, repair or removal.")
    day: date
    amount: Decimal = Field(description="With its two decimals, as text.")
    voucher: str
    case: str = Field(description="Number of the case for which it arose.")
    note: str
    by: str
    cancelled_at: datetime | None


class ComponentDetail(ComponentOut):
    """A component with its changes, the newest first, at most 500."""

    changes: list[ComponentChangeOut]
    costs: list[ComponentCostOut] = Field(
        default_factory=list, description=f"At most 200, the latest first. {STAFF_ONLY}"
    )
    currency: str = Field("", description=f"Of the costs, by ISO 4217. {STAFF_ONLY}")


class NearComponent(ComponentOut):
    """A component near a point."""

    metres: float


class NearComponents(Schema):
    """Components around a point, the nearest first."""

    items: list[NearComponent]


def _answer(row: dict[str, Any], place: CityRuntime) -> dict[str, Any]:
    """A row with the name of its class."""
    known = place.pack.components.get(row["kind"])
    return {**row, "kind_name": known.name.zh if known else "", "kind_name_en": known.name.en if known else ""}


def _kinds(asked: str, place: CityRuntime) -> tuple[str, ...] | None:
    """The classes that a caller asks for; None for all."""
    return tuple(code for code in place.pack.components if code.startswith(asked)) if asked else None


def _is_staff(request: HttpRequest, place: CityRuntime) -> bool:
    return bool(readers_for(caller_of(request), place=place).posts)


@router.get(
    "/cities/{city}/components",
    response={200: ComponentPageOut, 404: Problem, 422: Problem},
    summary="List components",
)
def list_components(request: HttpRequest, city: City, asked: Query[ComponentQuery]) -> HttpResponse:
    """Class by class, within a region region by region, in a box by place. A page deep in the list costs what the first one costs.

    Callers with a post in the city also read units, attributes, notes and where a component comes from.
    """
    place = city_or_404(city)
    page = assets.list_components(
        place=place,
        filters=assets.ComponentFilters(
            kinds=_kinds(asked.kind, place), state=asked.state, region=asked.region, q=asked.q.strip(), bbox=box(asked.bbox),
            staff=_is_staff(request, place),
        ),
        cursor=asked.cursor,
        limit=asked.limit,
    )  # fmt: skip
    return for_reader(request, {"items": [_answer(row, place) for row in page.items], "next": page.next})


@router.get(
    "/cities/{city}/components/{code}",
    response={200: ComponentDetail, 304: None, 404: Problem},
    summary="One component",
)
def get_component(
    request: HttpRequest, city: City, code: Annotated[Code, Path()], if_none_match: IfNoneMatch = ""
) -> HttpResponse:
    """The component as the caller may read it, with its history."""
    place = city_or_404(city)
    staff = _is_staff(request, place)
    row = assets.component_row(city=city, code=code, staff=staff)
    if row is None:
        raise Http404(say("没有标识码为「{code}」的部件。", "There is no component {code!r}.", code=code))
    answer = {**_answer(row, place), "changes": assets.changes_of(city=city, code=code, staff=staff)}
    if staff:
        answer |= {"costs": assets.cost_rows(city=city, code=code), "currency": currency_of(place.info.country)}
    return for_reader(request, answer, if_none_match=if_none_match)


@router.get(
    "/cities/{city}/map/components/near",
    response={200: NearComponents, 404: Problem, 422: Problem},
    summary="Components near a point",
)
def near_components(request: HttpRequest, city: City, asked: Query[NearQuery]) -> HttpResponse:
    """What stands around a point, the nearest first, without what was removed: for choosing what a report is about."""
    place = city_or_404(city)
    _, lon, lat = place.locate(asked.lon, asked.lat, crs=asked.crs)
    found = assets.components_near(
        place=place, kinds=_kinds(asked.kind, place), lon=lon, lat=lat, metres=asked.metres, most=asked.limit
    )
    items = [{**_answer(dict(row), place), "metres": round(metres, 1)} for row, metres in found]
    return for_reader(request, {"items": items})


@router.get(
    "/cities/{city}/map/components",
    response={200: dict[str, Any], 404: Problem, 422: Problem},
    summary="Components as points",
)
def map_components(request: HttpRequest, city: City, asked: Query[PointsQuery]) -> HttpResponse:
    """GeoJSON of the components in a box; ``truncated`` says that there are more than ``limit``. Large areas are for tiles."""
    place = city_or_404(city)
    filters = assets.ComponentFilters(kinds=_kinds(asked.kind, place), state=asked.state, bbox=box(asked.bbox))
    page = assets.list_components(place=place, filters=filters, limit=asked.limit)
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [row.pop("lon"), row.pop("lat")]},
            "properties": _answer(row, place),
        }
        for row in page.items
    ]
    truncated = page.next is not None
    return for_reader(request, {"type": "FeatureCollection", "features": features, "truncated": truncated})


@router.get("/cities/{city}/tiles/components/{z}/{x}/{y}.mvt", response=TILE, summary="Components as a vector tile")
def component_tile(
    request: HttpRequest,
    city: City,
    z: Zoom,
    x: Column,
    y: Line,
    asked: Query[ComponentTileQuery],
    if_none_match: IfNoneMatch = "",
) -> HttpResponse:
    """Layer ``components`` (code, kind, class, class_en, state, name) where there are few, ``component_counts`` (n, damaged, gone)
    where there are many. No bytes where there is none. 503 while the inventory of a large city is first read."""
    place = city_or_404(city)
    seen = assets.current(city)
    tag = f'W/"{seen.version}.{place.version}"'
    if same := not_modified(if_none_match, tag):
        return same
    data = assets.tile(seen, place=place, zoom=z, column=x, row=y, kind=asked.kind, state=asked.state, crs=asked.crs)
    return tile_answer(data, tag)
