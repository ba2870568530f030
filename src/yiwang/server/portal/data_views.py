"""What the city shows of itself: the public map, the public score, open data."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from yiwang.core.kernel.refusals import Refusal
from yiwang.server.cases.api import case_figures as figures
from yiwang.server.cases.api import lateness_moment, map_labels, undrawn_cases
from yiwang.server.cities.choices import category_choices, region_choices
from yiwang.server.cities.finding import city_or_404
from yiwang.server.common.language import say
from yiwang.server.common.refusing import sentences, status_of
from yiwang.server.portal import limits, months, open_data, public_score

MONTH = re.compile(r"(?:19|20)\d{2}-(?:0[1-9]|1[0-2])")
FORMS = {"csv": "text/csv; charset=utf-8", "geojson": "application/geo+json"}


@require_GET
def public_map(request: HttpRequest, city: str) -> HttpResponse:
    """Regions by what is open, and open cases as points, which lead to what everybody may see of them."""
    place = city_or_404(city)
    code = request.GET.get("region", "")
    if code and code not in place.regions:
        raise Http404(say("没有这个区域", "There is no such region"))
    region = place.regions[code] if code else place.regions.roots[0]
    at = lateness_moment(city=city)
    asked = urlencode({"region": region.code})
    return render(
        request,
        "portal/map.html",
        {
            "city": place.info,
            "page": "portal",
            "region": region,
            "chain": place.regions.chain(region.code),
            "children": place.regions.children(region.code),
            "undrawn": undrawn_cases(city=city, region=region.code, at=at),
            "figures": figures(city=city, region=region.code, at=at),
            "map_regions_url": f"{reverse('map-regions', args=[city])}?{asked}",
            "map_cases_url": f"{reverse('map-cases', args=[city])}?{asked}",
            "map_labels": map_labels(),
            "case_link": reverse("portal-case", args=[city, "NUMBER"]).replace("NUMBER", "{number}"),
            "approximate": any(child.approximate for child in place.regions.children(region.code)),
        },
    )


@require_GET
def score(request: HttpRequest, city: str) -> HttpResponse:
    """The public indicators by month, district and category, with the moment up to which they were counted."""
    place = city_or_404(city)
    month, region, category = (request.GET.get(name, "") for name in ("month", "region", "category"))
    if region and region not in place.regions:
        raise Http404(say("没有这个区域", "There is no such region"))
    found = public_score.score(place=place, month=month, region=region, category=category)
    return render(
        request,
        "portal/score.html",
        {
            "city": place.info,
            "page": "portal",
            "asked": {"region": region, "category": category},
            "regions": region_choices(place, depth=2)[1:],
            "categories": category_choices(place),
            "score": found,
        },
    )


@require_GET
def data(request: HttpRequest, city: str) -> HttpResponse:
    """What there is to download, what the columns mean, and on which terms."""
    place = city_or_404(city)
    return render(
        request,
        "portal/data.html",
        {
            "city": place.info,
            "page": "portal",
            "policy": place.pack.portal,
            "columns": open_data.COLUMNS,
            "months": months.months(place=place, at=timezone.now()),
        },
    )


@require_GET
def download(request: HttpRequest, city: str, month: str, form: str) -> HttpResponseBase:
    """A month's cases, streamed."""
    place = city_or_404(city)
    if form not in FORMS or not MONTH.fullmatch(month):
        raise Http404
    try:
        limits.slow(request, limits.DOWNLOAD)
    except Refusal as error:
        return HttpResponse(
            " ".join(sentences(error)), status=status_of(error), content_type="text/plain; charset=utf-8"
        )
    written = open_data.as_csv if form == "csv" else open_data.as_geojson
    response = StreamingHttpResponse(written(place=place, month=month), content_type=FORMS[form])
    response.headers["Content-Disposition"] = f'attachment; filename="{place.info.id}-cases-{month}.{form}"'
    response.headers["Link"] = f'<{place.pack.portal.license_url}>; rel="license"'
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
