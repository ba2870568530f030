"""Pages that cross apps: the cities, one city's overview and map, its rules and workflow, background work."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_GET, require_POST

from yiwang.core.space import Region, to_geojson
from yiwang.server.cases.api import (
    case_figures,
    cases_by_step,
    cases_on_map,
    category_name,
    figures_below,
    lateness_moment,
    light,
    map_labels,
    stands_at,
    step_name,
    undrawn_cases,
    unplaced_points,
)
from yiwang.server.centre.centre_figures import by_region
from yiwang.server.cities.choices import category_choices, region_choices
from yiwang.server.cities.finding import city_or_404, region_of_request
from yiwang.server.cities.queries import CityRuntime, cities, runtime
from yiwang.server.common import queries as common
from yiwang.server.common.language import english, say
from yiwang.server.common.moments import read_moment
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.pages.rules import explain_rules, limit_rows
from yiwang.server.scores.headline import on_time
from yiwang.server.scrutiny.access import is_staff
from yiwang.server.scrutiny.workflow_svg import workflow_svg

MAP_CASES = 2000  # the most urgent ones; the page says how many there are


def map_context(request: HttpRequest, place: CityRuntime, region: Region) -> dict[str, Any]:
    """Addresses and words for ``<city-map>``."""
    city = place.info.id
    asked = urlencode({"region": region.code})
    return {
        "map_regions_url": f"{reverse('map-regions', args=[city])}?{asked}",
        "map_cases_url": f"{reverse('map-cases', args=[city])}?{asked}",
        "map_labels": map_labels(),
        "sees_sensors": is_staff(request.user, place=place),
        "case_link": reverse("case", args=[city, "NUMBER"]).replace("NUMBER", "{number}"),
    }


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Choose a city."""
    overviews = []
    for info in cities():
        place = runtime(info.id)
        root = place.regions.roots[0].code
        overviews.append({"city": info, **case_figures(city=info.id, region=root, at=lateness_moment(city=info.id))})
    return render(request, "pages/home.html", {"overviews": overviews})


@require_GET
def overview(request: HttpRequest, city: str) -> HttpResponse:
    """One region: figures, map, regions below, cases by step, background work."""
    place = city_or_404(city)
    region = region_of_request(request, place)
    at = stands_at(city=city)
    children = place.regions.children(region.code)
    width = len(children[0].code) if children else 0
    counts = figures_below(city=city, region=region.code, width=width, at=at) if children else {}
    nothing = {"cases": 0, "open": 0, "overdue": 0}
    # the step of a case is only known as it is now, so a past moment has no counts by step; the centre does the same
    steps = {} if at else cases_by_step(city=city, region=region.code)
    order = list(place.rules.workflow.steps)
    return render(
        request,
        "pages/overview.html",
        {
            "city": place.info,
            "page": "overview",
            "region": region,
            "chain": place.regions.chain(region.code),
            "figures": case_figures(city=city, region=region.code, at=at),
            "on_time": on_time(place=place, region=region, month=request.GET.get("month", "")),
            "undrawn": undrawn_cases(city=city, region=region.code, at=at),
            "stands_on": at.date().isoformat() if at else "",
            "below": [
                {"code": child.code, "name": child.name, **counts.get(child.code, nothing)} for child in children
            ],
            "by_step": [
                {"step": step, "name": step_name(place, step), "cases": steps[step]}
                for step in sorted(steps, key=lambda step: order.index(step) if step in order else len(order))
            ],
            "approximate": any(child.approximate for child in children),
            **jobs_context(city),
            **map_context(request, place, region),
        },
    )


@require_GET
def city_map(request: HttpRequest, city: str) -> HttpResponse:
    """The map as a page of its own."""
    place = city_or_404(city)
    region = region_of_request(request, place)
    at = lateness_moment(city=city)
    still_open = case_figures(city=city, region=region.code, at=at)["open"]
    undrawn = undrawn_cases(city=city, region=region.code, at=at)
    return render(
        request,
        "pages/map.html",
        {
            "city": place.info,
            "page": "map",
            "region": region,
            "chain": place.regions.chain(region.code),
            "approximate": any(child.approximate for child in place.regions.children(region.code)),
            "open": still_open,
            "shown": min(still_open - undrawn, MAP_CASES),
            "undrawn": undrawn,
            **map_context(request, place, region),
        },
    )


def _moment(text: str) -> datetime | None:
    """A moment in an address; None where there is none. 404 for what is no moment."""
    if not text:
        return None
    try:
        return read_moment(text)
    except ValueError:
        raise Http404(say("时间应写成 2026-03-01T08:00+08:00", "Write the time as 2026-03-01T08:00+08:00")) from None


@require_GET
def map_regions(request: HttpRequest, city: str) -> JsonResponse:
    """Outlines of the regions below one, with their open and overdue cases (GeoJSON), now or at a moment ``at``."""
    place = city_or_404(city)
    region = region_of_request(request, place)
    children = place.regions.children(region.code) or (region,)
    width, at = len(children[0].code), _moment(request.GET.get("at", ""))
    if at is None:
        counts = figures_below(city=city, region=region.code, width=width, at=lateness_moment(city=city))
    else:
        inside = "" if region in place.regions.roots else region.code
        counts = by_region(place=place, region=inside, width=width, at=at)
    features = [
        {
            "type": "Feature",
            "geometry": to_geojson(child.geometry),
            "properties": {
                "code": child.code,
                "name": named(child),
                "approximate": child.approximate,
                **counts.get(child.code, {"open": 0, "overdue": 0, "cases": 0}),
            },
        }
        for child in children
        if child.geometry is not None
    ]
    return JsonResponse({"type": "FeatureCollection", "features": features})


@require_GET
def map_cases(request: HttpRequest, city: str) -> JsonResponse:
    """The most urgent open cases of a region as points (GeoJSON), and apart from them the points that are no place."""
    place = city_or_404(city)
    region = region_of_request(request, place)
    now = lateness_moment(city=city)
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [case["lon"], case["lat"]]},
            "properties": {
                "number": case["number"],
                "category_name": category_name(place, case["category"]),
                "light": light(opened_at=case["opened_at"], deadline=case["deadline"], closed_at=None, at=now)
                or "green",
            },
        }
        for case in cases_on_map(city=city, region=region.code, limit=MAP_CASES, at=now)
    ]
    features += [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [point["lon"], point["lat"]]},
            "properties": {"flag": point["flag"], "open": point["open"]},
        }
        for point in unplaced_points(city=city, region=region.code, at=now)
    ]
    return JsonResponse({"type": "FeatureCollection", "features": features})


@require_GET
def rules(request: HttpRequest, city: str) -> HttpResponse:
    """The workflow's picture, the limits, and what the rules say of a category in a region."""
    place = city_or_404(city)
    category = request.GET.get("category", "")
    asked = {
        "category": category or next(iter(place.categories), ""),
        "region": request.GET.get("region", "") or place.regions.roots[0].code,
    }
    if asked["region"] not in place.regions:
        raise Http404(say("没有这个区域", "There is no such region"))
    shown, count = limit_rows(place, category=category)
    at: datetime = timezone.now()
    picture = workflow_svg(place.rules.workflow, language="en" if english() else "zh", standalone=False)
    return render(
        request,
        "pages/rules.html",
        {
            "city": place.info,
            "page": "rules",
            "digest": place.digest,
            # drawn by our own code from a checked file; every text in it is escaped there
            "picture": mark_safe(picture),  # noqa: S308
            "categories": category_choices(place),
            "regions": region_choices(place, depth=3),
            "asked": asked,
            "explained": explain_rules(place, at=at, **asked) if category else [],
            "limits": shown,
            "limits_count": count,
            "limits_more": count > len(shown),
        },
    )


def jobs_context(city: str) -> dict[str, Any]:
    jobs = common.jobs(city=city)
    return {"jobs": jobs, "working": any(job["state"] in {"queued", "running"} for job in jobs)}


@require_GET
def jobs(request: HttpRequest, city: str) -> HttpResponse:
    """Progress of background work, as the part of a page that refreshes itself."""
    place = city_or_404(city)
    return render(request, "pages/jobs.html", {"city": place.info, **jobs_context(city)})


@require_GET
def switch_city(request: HttpRequest) -> HttpResponse:
    """Go to another city's overview."""
    city = request.GET.get("city", "")
    return redirect("overview", city_or_404(city).info.id) if city else redirect("home")


@require_POST
def switch_language(request: HttpRequest) -> HttpResponse:
    """Change the page's language and stay where one was."""
    language = request.POST.get("language", "")
    target = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        target = "/"
    answer = redirect(target)
    if translation.check_for_language(language) and language in dict(settings.LANGUAGES):
        answer.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=365 * 86400,
            samesite="Lax",
            httponly=True,
            secure=request.is_secure(),
        )
    return answer
