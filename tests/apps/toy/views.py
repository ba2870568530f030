"""The page of the app."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from tests.apps.toy import queries

from yiwang.server.cities.finding import city_or_404


@require_GET
def bins(request: HttpRequest, city: str) -> HttpResponse:
    """The last readings, each with the case that it opened."""
    place = city_or_404(city)
    return render(request, "toy/bins.html", {"city": place.info, "page": "bins", "readings": queries.newest(city)})
