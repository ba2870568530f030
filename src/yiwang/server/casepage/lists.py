"""Pages about cases: the list, reporting, photos. The page of one case is `case_page`."""

from __future__ import annotations

import secrets
from urllib.parse import urlencode

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Refusal
from yiwang.core.kernel.text import Text
from yiwang.server.casepage import forms
from yiwang.server.cases.api import (
    FLAG_NAMES,
    Page,
    actor_for,
    estimates_among,
    is_estimated,
    lateness_moment,
    list_page,
    load_case,
    photo_path,
    readers_for,
    report_case,
    shown_row,
)
from yiwang.server.cities.choices import category_choices, region_choices
from yiwang.server.cities.finding import city_or_404
from yiwang.server.common import throttling
from yiwang.server.common.language import say
from yiwang.server.common.refusing import sentences, status_of

PAGE_SIZE = 50
STATES = {
    "": Text("全部", "All"),
    "open": Text("在办", "Open"),
    "overdue": Text("超时在办", "Overdue"),
    "closed": Text("已办结", "Ended"),
    "closed_on_time": Text("按期办结", "Ended on time"),
    "closed_late": Text("超期办结", "Ended late"),
}
ORDERS = {
    "-opened_at": Text("最新上报", "Newest first"),
    "opened_at": Text("最早上报", "Oldest first"),
    "deadline": Text("最先到期", "Due first"),
}


@require_GET
def case_list(request: HttpRequest, city: str) -> HttpResponse:
    """Cases by filters, by cursor: page 500 costs what page 1 costs."""
    place = city_or_404(city)
    problem, now = "", lateness_moment(city=place.info.id)
    values = {
        key: request.GET.get(key, "").strip()
        for key in ("q", "state", "step", "region", "category", "holder", "flag", "order", *forms.NARROWING)
    }
    values["order"] = values["order"] if values["order"] in ORDERS else "-opened_at"
    try:
        found = list_page(
            readers=readers_for(request.user, place=place),
            place=place,
            filters=forms.filters(values, zone=place.info.zone),
            cursor=request.GET.get("cursor", ""),
            limit=PAGE_SIZE,
            at=now,
        )
    except BadInput as error:
        problem, found = " ".join(sentences(error)), Page(items=[], next=None)
    estimated = estimates_among(found.items, place=place)
    asked = {key: value for key, value in values.items() if value}
    actor = actor_for(request.user, city=place.info.id)
    return render(
        request,
        "cases/list.html",
        {
            "city": place.info,
            "page": "cases",
            "filters": values,
            "narrowed": [(name, say(pair), values[name]) for name, pair in forms.NARROWING.items() if values[name]],
            "problem": problem,
            "cases": [shown_row(row, runtime=place, at=now, estimated=row["id"] in estimated) for row in found.items],
            "next_url": f"?{urlencode({**asked, 'cursor': found.next})}" if found.next else "",
            "first_url": f"?{urlencode(asked)}" if request.GET.get("cursor") else "",
            "states": [(key, say(pair)) for key, pair in STATES.items()],
            "flags": [("", say("全部", "All")), *((key, say(pair)) for key, pair in FLAG_NAMES.items())],
            "orders": [(key, say(pair)) for key, pair in ORDERS.items()],
            "steps": place.rules.workflow.steps.values(),
            "regions": region_choices(place, depth=3),
            "categories": category_choices(place),
            "my_unit": place.rules.units.get(actor.unit) if actor.unit else None,
        },
    )


@require_http_methods(["GET", "POST"])
def report(request: HttpRequest, city: str) -> HttpResponse:
    """Report a problem, signed in or not."""
    place = city_or_404(city)
    problems: list[str] = []
    status = 200
    if request.method == "POST":
        try:
            said = report_case(
                city=city,
                draft=forms.draft(request.POST, photos=request.FILES.getlist("photos")),
                actor=actor_for(request.user, city=city),
                key=request.POST.get("idempotency_key", ""),
                caller=throttling.stranger(request),
            )
            taken = load_case(city=city, number=said["case"], with_events=False)
            assert taken is not None  # it has just been written
            estimated = is_estimated(taken.state, place=place)
            row = shown_row(taken.values, runtime=place, at=timezone.now(), estimated=estimated)
            return render(
                request,
                "cases/reported.html",
                {
                    "city": place.info,
                    "page": "report",
                    "case": row,
                    "why": said["why"],
                    "notice": say(said.get("notice_zh", ""), said.get("notice", "")),
                },
                status=201,
            )
        except (Refusal, BadInput) as error:
            problems, status = sentences(error), status_of(error)
    root = place.regions.roots[0]
    return render(
        request,
        "cases/report.html",
        {
            "city": place.info,
            "page": "report",
            "problems": problems,
            "files_again": bool(request.FILES),
            "values": request.POST,
            "categories": category_choices(place),
            "idempotency_key": request.POST.get("idempotency_key") or secrets.token_urlsafe(16),
            "map_regions_url": f"{reverse('map-regions', args=[city])}?{urlencode({'region': root.code})}",
            "map_labels": "{}",
            "tiles_url": settings.YIWANG_TILES_URL,
        },
        status=status,
    )


@require_GET
def photo(request: HttpRequest, city: str, number: str, photo: int) -> FileResponse:
    """A photo as it was re-encoded. Only staff whom the case concerns see it."""
    place = city_or_404(city)
    detail = load_case(city=city, number=number, with_events=False)
    if detail is None or not readers_for(request.user, place=place).of_state(detail.state).staff:
        raise Http404
    path = photo_path(city=city, number=number, photo=photo)
    if path is None:
        raise Http404
    response = FileResponse(path.open("rb"), content_type="image/jpeg")
    response["Cache-Control"] = "private, max-age=86400"
    return response
