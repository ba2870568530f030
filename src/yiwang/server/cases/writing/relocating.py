"""A corrected place: derived from its point as at intake, or refused. A place is one fact, never half an old one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from yiwang.core.cases.payloads import FIELDS
from yiwang.core.cases.state import CaseState
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.refusals import Invalid, Missing
from yiwang.core.kernel.text import Text
from yiwang.core.space import SYSTEMS, Location
from yiwang.server.cases.reading.placing import UNPLACED, Placement, region_of_code
from yiwang.server.cases.writing.intake import clean, region_in_address
from yiwang.server.cities.queries import CityRuntime

MEANING_A_PLACE = frozenset({"region", "lon", "lat", "address"})
SAME_DEGREES = 1e-6  # a tenth of a metre: a form writes six decimals, and a point that it gives back has not moved


def relocate(payload: Mapping[str, Any], *, state: CaseState, flag: str, place: CityRuntime) -> dict[str, Any]:
    """The payload with the whole place that it means: region, unit grid, point and ``flags``.

    A point says its region. A region alone keeps the point that lies in it, and takes away one that lies elsewhere: nobody
    has said where in the new region it is. An address alone tells the region of a case that was located by nothing better.

    Args:
        payload: What somebody gave: ``lon``, ``lat``, ``crs`` (the pack's, unless given), ``region``, ``place``.
        state: The case before.
        flag: How it had been located.
        place: Its city.

    Raises:
        Refusal: Half a point, a point outside the city, a region that contradicts the point.
        BadInput: An unknown region or coordinate system.
    """
    rest = {name: value for name, value in payload.items() if name not in {"region", "grid", "lon", "lat", "crs"}}
    lon, lat = (FIELDS[name].read(payload.get(name)) for name in ("lon", "lat"))
    if (lon is None) != (lat is None):
        field = "lon" if lon is None else "lat"
        raise Missing(
            Text("坐标须同时给出经度和纬度。", "A point needs lon and lat: give both or neither."), field=field
        )
    named = region_of_code(clean(payload.get("region")), place)
    if named is not None and named.region == state.region and named.grid in {"", state.grid}:
        named = None  # the form gives back what it showed
    if lon is not None and lat is not None:
        point = _point(lon, lat, clean(payload.get("crs")), place)
        if state.lon is None or state.lat is None or not _same(point[1:], (state.lon, state.lat)):
            return rest | _fields(_at_point(point, named, place))
    if named is not None:
        return rest | _fields(_in_region(named, state, place))
    told = _region_of_address(clean(payload.get("address")), state, flag, place)
    if told:
        return rest | _fields(Placement(region=told, flag="words"))
    if {"region", "lon"} & payload.keys():
        here = Placement(region=state.region, grid=state.grid, lon=state.lon, lat=state.lat, flag=flag)
        return rest | _fields(here)
    return rest


def _fields(where: Placement) -> dict[str, Any]:
    point = {} if where.lon is None else {"lon": where.lon, "lat": where.lat}
    flags = [where.flag] if where.flag else []
    return {"region": where.region, "grid": where.grid, **point, "flags": flags}


def _same(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return all(math.isclose(a, b, rel_tol=0, abs_tol=SAME_DEGREES) for a, b in zip(one, other, strict=True))


def _point(lon: float, lat: float, crs: str, place: CityRuntime) -> tuple[Location, float, float]:
    if crs and crs not in SYSTEMS:
        raise BadInput(
            Problem(
                Text("不认识坐标系「{crs}」。", "Unknown coordinate system {crs!r}.", crs=crs),
                Text("可选：{systems}。", "One of {systems}.", systems=", ".join(SYSTEMS)),
                column="crs",
            )
        )
    return place.locate(lon, lat, crs=crs)


def _at_point(point: tuple[Location, float, float], named: Placement | None, place: CityRuntime) -> Placement:
    found, lon, lat = point
    info = place.info
    if found.flag in UNPLACED:
        raise Invalid(
            Text(
                "坐标 {lon:.6f}, {lat:.6f} 不在{info}的范围内，位置没有更正。",
                "The point {lon:.6f}, {lat:.6f} does not lie in {info}; the place was not corrected.",
                lon=lon,
                lat=lat,
                info=info.name,
            ),
            field="lon",
        )
    where = Placement(region=found.code, grid=found.grid, lon=lon, lat=lat, flag=found.flag)
    if named is not None and not _holds(named, where):
        raise Invalid(
            Text(
                "坐标在区域 {found}，不在所填的 {grid}；请只改其中一项。",
                "The point lies in the region {found}, not in {grid}; correct one of the two.",
                found=found.code,
                grid=named.grid or named.region,
            ),
            field="region",
        )
    return where


def _holds(named: Placement, where: Placement) -> bool:
    return where.region.startswith(named.region) and named.grid in {"", where.grid}


def _in_region(named: Placement, state: CaseState, place: CityRuntime) -> Placement:
    if state.lon is not None and state.lat is not None:
        found = place.locator.locate(state.lon, state.lat)
        where = Placement(region=found.code, grid=found.grid, lon=state.lon, lat=state.lat, flag=found.flag)
        if found.flag not in UNPLACED and _holds(named, where):
            return where
    return named


def _region_of_address(address: str, state: CaseState, flag: str, place: CityRuntime) -> str:
    """The region that a corrected address names, where the case had no better witness."""
    if not address or address == state.address or state.lon is not None or (state.region and flag != "words"):
        return ""
    return region_in_address(address, place=place)
