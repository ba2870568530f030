"""Calls of the HTTP API."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router, Schema
from tests.apps.toy import operations

from yiwang.server.cities.finding import city_or_404
from yiwang.server.people.callers import REPORTING

router = Router(tags=["bins"])


class ReadingIn(Schema):
    """What a bin says."""

    bin: str
    full: float
    lon: float
    lat: float


class Kept(Schema):
    """That it was kept."""

    id: int


@router.post("/cities/{city}/bins/readings", auth=REPORTING, response={201: Kept}, summary="A reading of a bin")
def read(request: HttpRequest, city: str, said: ReadingIn) -> tuple[int, Kept]:
    """Keeps the reading; the worker opens a case for a bin that is full."""
    found, lon, lat = city_or_404(city).locate(said.lon, said.lat, crs="wgs84")
    kept = operations.keep(city=city, bin=said.bin, full=said.full, region=found.code, lon=lon, lat=lat)
    return 201, Kept(id=kept)
