"""The parts that pages are made of, each in every state, on one page: for whoever builds a page and whoever judges one."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from yiwang.server.cities.finding import city_or_404
from yiwang.server.common.templatetags.yiwang import icon_names

COLOURS = (
    ("paper", "side", "card", "hover", "line", "edge"),
    ("ink", "ink-2", "brand", "brand-soft", "on-brand", "focus"),
    ("green", "green-soft", "yellow", "yellow-soft", "red", "red-soft"),
)
SIZES = ("xs", "s", "m", "base", "l", "xl", "2xl")


@require_GET
def styleguide(request: HttpRequest, city: str) -> HttpResponse:
    """The page."""
    place = city_or_404(city)
    unit = next(iter(place.rules.units)).code
    context = {
        "city": place.info,
        "page": "styleguide",
        "colours": COLOURS,
        "sizes": SIZES,
        "icons": icon_names(),
        "unit": unit,
    }
    return render(request, "pages/styleguide.html", context)
