"""Taking a call: one form, with places, categories and likely duplicates beside it as the caller speaks."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from yiwang.core.cases.events import Actor
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import NotAllowed, Refusal, Unknown
from yiwang.server.assets.api import ReportedComponent, reported_component
from yiwang.server.casepage import forms
from yiwang.server.cases.api import (
    SOURCE_NAMES,
    ReportDraft,
    is_estimated,
    join_case,
    load_case,
    map_labels,
    place_report,
    report_case,
    shown_row,
)
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.common.refusing import sentences, status_of
from yiwang.server.desks import duties, intake_help
from yiwang.server.desks.queue import Desk
from yiwang.server.desks.views import at_desk


def number_of(text: str) -> float | None:
    """A coordinate as typed; None while it is none."""
    try:
        return float(text)
    except ValueError:
        return None


def intake_suggestions(values: Mapping[str, str], place: CityRuntime) -> dict[str, Any]:
    """Categories that the words suggest, and cases that may be the same."""
    suggestions = intake_help.categories_for(values.get("text", ""), place=place)
    category = values.get("category", "") or (suggestions[0]["code"] if suggestions else "")
    lon, lat = number_of(values.get("lon", "")), number_of(values.get("lat", ""))
    if lon is None or lat is None or not (-180 <= lon <= 180 and -90 <= lat <= 90):
        lon = lat = None
    region = values.get("region", "")
    same = intake_help.likely_same(
        place=place, category=category, lon=lon, lat=lat, region=region, words=values.get("text", "")
    )
    return {"suggestions": suggestions, "same": same, "placed": lon is not None or bool(region)}


@require_GET
@at_desk
def assist(request: HttpRequest, place: CityRuntime, desk: Desk) -> HttpResponse:
    """What the words and the place suggest."""
    return render(
        request, "desks/assist.html", {"city": place.info, "desk": desk, **intake_suggestions(request.GET, place)}
    )


@require_GET
@at_desk
def places(request: HttpRequest, place: CityRuntime, desk: Desk) -> HttpResponse:
    """Places by name."""
    words = request.GET.get("address", "")
    found = intake_help.places_matching(words, place=place)
    return render(request, "desks/places.html", {"found": found, "words": words})


@require_http_methods(["GET", "POST"])
@at_desk
def new(request: HttpRequest, place: CityRuntime, desk: Desk) -> HttpResponse:
    """The form; a report that is posted becomes a case, or joins the one named by ``join``."""
    if not duties.opens(place.rules.workflow, desk.role):
        raise Http404(say("这个工作台不收上报", "This desk takes no reports"))
    city, problems, status = place.info.id, [], 200
    if request.method == "POST":
        try:
            said = _take_report(request, place, desk)
            detail = load_case(city=city, number=said["case"], with_events=False)
            assert detail is not None  # it has just been written
            estimated = is_estimated(detail.state, place=place)
            row = shown_row(detail.values, runtime=place, at=timezone.now(), estimated=estimated)
            shown = {"case": row, "why": said.get("why", []), "joined": request.POST.get("join", "")}
            shown["report"] = said["number"]
            shown["notice"] = say(said.get("notice_zh", ""), said.get("notice", ""))
            return render(
                request, "desks/taken.html", {"city": place.info, "page": "desk", "desk": desk, **shown}, status=201
            )
        except (Refusal, BadInput) as error:
            problems = sentences(error)
            status = status_of(error)
    root = place.regions.roots[0]
    values = request.POST
    about = _about(place, values.get("component", ""))
    sources = [(key, say(pair)) for key, pair in SOURCE_NAMES.items() if key != "sensor"]
    return render(
        request,
        "desks/new.html",
        {
            "city": place.info,
            "page": "desk",
            "desk": desk,
            "values": values,
            "problems": problems,
            "files_again": bool(request.FILES),
            "conditions_within": {"category": values.get("category", ""), "region": values.get("region", "")},
            "sources": sources,
            "source": values.get("source") or "hotline",
            "idempotency_key": values.get("idempotency_key") or secrets.token_urlsafe(16),
            "about": about,
            "about_name": say(about.name) if about else "",
            "map_regions_url": f"{reverse('map-regions', args=[city])}?region={root.code}",
            "map_labels": map_labels(),
            **intake_suggestions(values, place),
        },
        status=status,
    )


def _about(place: CityRuntime, code: str) -> ReportedComponent | None:
    """The component that was chosen; None where there is none, or the inventory has it no more."""
    try:
        return reported_component(place=place, code=code) if code else None
    except Unknown:
        return None


def _take_report(request: HttpRequest, place: CityRuntime, desk: Desk) -> dict[str, Any]:
    photos = request.FILES.getlist("photos")
    draft = forms.draft(request.POST, place=place, channel=request.POST.get("source", "") or "hotline", photos=photos)
    key = request.POST.get("idempotency_key", "")
    refused: NotAllowed | None = None
    for actor in posts_for(desk, draft, place):
        for photo in photos:
            photo.seek(0)
        try:
            return _take_as(actor, place, draft, join=request.POST.get("join", ""), key=key)
        except NotAllowed as error:
            refused = refused or error
    assert refused is not None, "a desk has at least one post"
    raise refused


def posts_for(desk: Desk, draft: ReportDraft, place: CityRuntime) -> list[Actor]:
    """The posts of a desk, the one of the place that is reported first: its region is the longest that holds the place."""
    where = place_report(draft, place=place).region

    def fits(actor: Actor) -> tuple[bool, int]:
        return place.rules.concerns(actor.region, where), len(actor.region)

    return sorted(desk.actors, key=fits, reverse=True)


def _take_as(actor: Actor, place: CityRuntime, draft: ReportDraft, *, join: str, key: str) -> dict[str, Any]:
    if join:
        key = f"{key}:{join}" if key else ""
        return join_case(city=place.info.id, number=join, draft=draft, actor=actor, key=key)
    return report_case(city=place.info.id, draft=draft, actor=actor, key=key)
