"""Places by name and by number for whoever fills in a form, and what a pin is called."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from yiwang.core.kernel.text import Text
from yiwang.server.basemap.gazetteer import KINDS, Place, gazetteer
from yiwang.server.cases.api import disagreeing_region, load_case, readers_for, region_name
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say

MOST = 12
CASE = Text("案卷", "Case")


@require_GET
def options(request: HttpRequest, city: str) -> HttpResponse:
    """Places that the words ``q`` mean, best first: names, coordinates, and for staff the number of a case."""
    words, found = _found(request, city)
    return render(request, "parts/places.html", {"found": found, "words": words})


@require_GET
def found_places(request: HttpRequest, city: str) -> JsonResponse:
    """The same for a map: ``places`` with ``kind``, ``name``, ``within`` in the reader's language, and ``lon``, ``lat`` (WGS 84)."""
    _, found = _found(request, city)
    places = [
        {
            "kind": one["kind"],
            "name": one["name"],
            "within": say(one["place"].within),
            "lon": one["place"].lon,
            "lat": one["place"].lat,
        }
        for one in found
    ]
    return JsonResponse({"places": places})


def _found(request: HttpRequest, city: str) -> tuple[str, list[dict[str, Any]]]:
    place, words = city_or_404(city), request.GET.get("q", "")[:100]
    found: list[dict[str, Any]] = [
        {"kind": say(KINDS[one.kind]), "name": say(one.name), "place": one}
        for one in gazetteer(place).find(words, limit=MOST)
    ]
    if of_case := _place_of_case(request, place, words.strip()):
        found.insert(0, {"kind": say(CASE), "name": of_case.name.zh, "place": of_case})
    return words, found


def _place_of_case(request: HttpRequest, place: CityRuntime, number: str) -> Place | None:
    if not number or not request.user.is_authenticated:
        return None
    detail = load_case(city=place.info.id, number=number, with_events=False)
    if detail is None or not readers_for(request.user, place=place).of_state(detail.state).staff:
        return None
    state = detail.state
    if state.lon is None or state.lat is None:
        return None
    within = Text(*2 * (region_name(place, state.region, levels=3),))
    return Place(
        name=Text(number, number), kind="point", lon=state.lon, lat=state.lat, region=state.region, within=within
    )


@require_GET
def about(request: HttpRequest, city: str) -> HttpResponse:
    """What the pin of a form is called, and whether the words of its address name another district."""
    place = city_or_404(city)
    try:
        lon, lat = float(request.GET.get("lon", "")), float(request.GET.get("lat", ""))
    except ValueError:
        return HttpResponse("")
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        return HttpResponse("")
    here = gazetteer(place).about(lon, lat)
    named = disagreeing_region(request.GET.get("address", "")[:400], here.region, place=place)
    return render(request, "parts/about.html", {"here": here, "named": place.regions[named] if named else None})
