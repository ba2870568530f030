"""Pages about cases: the list, one case with what may be done now, and reporting."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from yiwang.core.cases.decide import permitted
from yiwang.core.cases.events import Command, Refusal
from yiwang.core.kernel.errors import BadInput
from yiwang.server.cases import forms, operations, presentation, public, queries
from yiwang.server.cases.actors import actor_for
from yiwang.server.common.templatetags.yiwang import english, say
from yiwang.server.places.choices import category_choices, region_choices
from yiwang.server.places.queries import NoSuchCity, Runtime, runtime

PAGE_SIZE = 50
STATES = {
    "": ("全部", "All"),
    "open": ("在办", "Open"),
    "overdue": ("超时在办", "Overdue"),
    "closed": ("已办结", "Ended"),
}
ORDERS = {
    "-opened_at": ("最新上报", "Newest first"),
    "opened_at": ("最早上报", "Oldest first"),
    "deadline": ("最先到期", "Due first"),
}


def known_city(city: str) -> Runtime:
    try:
        return runtime(city)
    except NoSuchCity as error:
        raise Http404(str(error)) from error


def sentences(error: Refusal | BadInput) -> list[str]:
    """What was refused and why, in the page's language."""
    if isinstance(error, Refusal):
        return [error.en if english() else error.zh]
    return [str(problem) for problem in error.problems]


@require_GET
def case_list(request: HttpRequest, city: str) -> HttpResponse:
    """Cases by filters, by cursor: page 500 costs what page 1 costs."""
    place = known_city(city)
    problem = ""
    values = {
        key: request.GET.get(key, "").strip() for key in ("q", "state", "step", "region", "category", "holder", "order")
    }
    values["order"] = values["order"] if values["order"] in ORDERS else "-opened_at"
    try:
        found = queries.list_cases(
            city=city, filters=forms.filters(values), cursor=request.GET.get("cursor", ""), limit=PAGE_SIZE
        )
    except BadInput as error:
        problem, found = " ".join(sentences(error)), queries.Page(items=[], next=None)
    shown = found.items
    if not request.user.is_authenticated:
        shown = public.listed(shown, place=place, sought=values["q"])
    now = timezone.now()
    asked = {key: value for key, value in values.items() if value}
    actor = actor_for(request.user, city=place.info.id)
    return render(
        request,
        "cases/list.html",
        {
            "city": place.info,
            "page": "cases",
            "filters": values,
            "problem": problem,
            "cases": [presentation.row(row, runtime=place, at=now) for row in shown],
            "next_url": f"?{urlencode({**asked, 'cursor': found.next})}" if found.next else "",
            "first_url": f"?{urlencode(asked)}" if request.GET.get("cursor") else "",
            "states": [(key, say(*pair)) for key, pair in STATES.items()],
            "orders": [(key, say(*pair)) for key, pair in ORDERS.items()],
            "steps": place.rules.workflow.steps.values(),
            "regions": region_choices(place, depth=3),
            "categories": category_choices(place),
            "my_unit": place.rules.units.get(actor.unit) if actor.unit else None,
        },
    )


def case_context(request: HttpRequest, place: Runtime, number: str) -> dict[str, Any]:
    """Everything that the page of one case shows."""
    city = place.info.id
    detail = queries.get_case(city=city, number=number)
    if detail is None:
        raise Http404(say("没有编号为 {number} 的案卷", "There is no case {number}", number=number))
    now, state = timezone.now(), detail.state
    row = presentation.row(detail.values, runtime=place, at=now)
    actor = actor_for(request.user, city=city)
    allowed, others = [], []
    if request.user.is_authenticated:
        for choice in permitted(state, actor, rules=place.rules, at=now):
            verb = place.rules.workflow.verbs[choice.verb]
            if choice.allowed:
                allowed.append(
                    {
                        "id": verb.id,
                        "name": verb.name,
                        "name_en": verb.name_en,
                        "fields": forms.fields(verb, state=state, place=place),
                    }
                )
            else:
                others.append(
                    {"name": verb.name, "name_en": verb.name_en, "why": choice.why_en if english() else choice.why_zh}
                )
    region = place.regions.get(state.region)
    source = presentation.both(presentation.SOURCE_NAMES.get(state.source), state.source)
    return {
        "city": place.info,
        "page": "cases",
        "case": {
            **row,
            "text": state.text,
            "lon": state.lon,
            "lat": state.lat,
            "grid": state.grid,
            "seq": state.seq,
            "source_name": source,
            "approximate": bool(region and region.approximate),
            "rating": state.rating,
            "merged_into": state.merged_into,
            "duplicates": state.duplicates,
            "head_hash": detail.head_hash.hex(),
        },
        "events": presentation.story(detail.events, runtime=place, persons=request.user.is_authenticated),
        "custody": presentation.custody(state, runtime=place, at=now),
        "clocks": presentation.clocks(state, runtime=place, at=now),
        "why": queries.why(detail.events, runtime=place, in_english=english()),
        "choices": allowed,
        "others": others,
        "idempotency_key": secrets.token_urlsafe(16),
        "photos": [
            {
                "url": reverse("case-photo", args=[city, number, photo["id"]]),
                "alt": say("照片 {id}", "Photo {id}", id=photo["id"]),
            }
            for photo in detail.photos
        ],
        "map_regions_url": f"{reverse('map-regions', args=[city])}?{urlencode({'region': region.parent or region.code})}"
        if region
        else "",
        "map_labels": "{}",
        "tiles_url": settings.YIWANG_TILES_URL,
    }


@require_GET
def case(request: HttpRequest, city: str, number: str) -> HttpResponse:
    """One case: story, holder, clocks, why, and what I may do now."""
    return render(request, "cases/case.html", case_context(request, known_city(city), number))


@require_POST
def act(request: HttpRequest, city: str, number: str, verb: str) -> HttpResponse:
    """Do a verb. A refusal or a conflict shows the page as it is now, with the sentence; nothing is lost."""
    place = known_city(city)
    try:
        payload = forms.payload(request.POST)
        photos = request.FILES.getlist("photo")
        command = Command(
            verb=verb,
            actor=actor_for(request.user, city=city),
            payload=payload,
            expected_seq=forms.sequence(request.POST),
        )
        operations.act(
            city=city, number=number, command=command, photos=photos, key=request.POST.get("idempotency_key", "")
        )
    except (Refusal, BadInput) as error:
        context = case_context(request, place, number)
        status = error.status if isinstance(error, Refusal) else 422
        return render(
            request,
            "cases/case.html",
            {**context, "refusal": " ".join(sentences(error)), "opened_verb": verb},
            status=status,
        )
    return redirect("case", city, number)


@require_http_methods(["GET", "POST"])
def report(request: HttpRequest, city: str) -> HttpResponse:
    """Report a problem, signed in or not."""
    place = known_city(city)
    problems: list[str] = []
    if request.method == "POST":
        try:
            actor = actor_for(request.user, city=city)
            said = operations.report(
                city=city,
                data=forms.report(request.POST, actor),
                actor=actor,
                photos=request.FILES.getlist("photos"),
                key=request.POST.get("idempotency_key", ""),
                client=request.META.get("REMOTE_ADDR", ""),
            )
            taken = queries.get_case(city=city, number=said["case"], with_events=False)
            assert taken is not None  # it has just been written
            row = presentation.row(taken.values, runtime=place, at=timezone.now())
            return render(
                request,
                "cases/reported.html",
                {"city": place.info, "page": "report", "case": row, "why": said["why"]},
                status=201,
            )
        except (Refusal, BadInput) as error:
            problems = sentences(error)
    root = place.regions.roots[0]
    return render(
        request,
        "cases/report.html",
        {
            "city": place.info,
            "page": "report",
            "problems": problems,
            "values": request.POST,
            "categories": category_choices(place),
            "idempotency_key": request.POST.get("idempotency_key") or secrets.token_urlsafe(16),
            "map_regions_url": f"{reverse('map-regions', args=[city])}?{urlencode({'region': root.code})}",
            "map_labels": "{}",
            "tiles_url": settings.YIWANG_TILES_URL,
        },
        status=422 if problems else 200,
    )


@require_GET
def photo(request: HttpRequest, city: str, number: str, photo: int) -> FileResponse:
    """A photo as it was re-encoded. Only people who are signed in see it."""
    if not request.user.is_authenticated:
        raise Http404
    path = queries.photo_path(city=city, number=number, photo=photo)
    if path is None:
        raise Http404
    return FileResponse(path.open("rb"), content_type="image/jpeg")
