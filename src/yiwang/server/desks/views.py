"""The desk: its queue, live, with filters that can be kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.server.cases.api import CaseFilters
from yiwang.server.cities.choices import category_choices, region_choices
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.common.refusing import sentences
from yiwang.server.desks import duties, operations, queue, showing
from yiwang.server.desks.models import SavedFilter
from yiwang.server.desks.queue import Desk

KIND_NAMES = {
    duties.DUE: Text("待办", "To do"),
    duties.ASKED: Text("待答复", "To answer"),
    duties.ALL: Text("可处理的全部", "All I may act on"),
}
FILTERS = ("q", "region", "category", "step")


def at_desk(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let only those in who hold the role in the city; the others are led to their own desks, or to sign in."""

    @wraps(view)
    def guard(request: HttpRequest, city: str, role: str, **rest: Any) -> HttpResponse:
        place = city_or_404(city)
        if not request.user.is_authenticated:
            return redirect(f"{reverse('sign-in')}?{urlencode({'next': request.get_full_path()})}")
        found = next((desk for desk in queue.desks_of(request.user, place=place) if desk.role == role), None)
        if found is None:
            if request.method != "GET" or request.headers.get("HX-Request"):
                raise Http404(say("这不是您的工作台", "This desk is not yours"))
            return redirect("desk-home", city)
        return view(request, place, found, **rest)

    return guard


@require_GET
def home(request: HttpRequest, city: str) -> HttpResponse:
    """To the desk of my role; a choice where I have several."""
    place = city_or_404(city)
    if not request.user.is_authenticated:
        return redirect(f"{reverse('sign-in')}?{urlencode({'next': request.path})}")
    desks = queue.desks_of(request.user, place=place)
    if len(desks) == 1:
        return redirect("desk", city, desks[0].role)
    return render(request, "desks/choose.html", {"city": place.info, "page": "desk", "desks": desks})


def requested_queue(request: HttpRequest, place: CityRuntime, desk: Desk) -> dict[str, Any]:
    """The queue that an address asks for, ready to be shown."""
    kind = request.GET.get("kind", duties.DUE)
    kind = kind if kind in duties.KINDS else duties.DUE
    values = {name: request.GET.get(name, "").strip() for name in FILTERS}
    now, problem = timezone.now(), ""
    try:
        found = queue.page(
            place=place,
            desk=desk,
            kind=kind,
            filters=filters_of(values),
            cursor=request.GET.get("cursor", ""),
            at=now,
        )
    except BadInput as error:
        problem, found = " ".join(sentences(error)), queue.QueuePage(entries=[], next="")
    sends = duties.sends_down(place.rules.workflow, desk.role)
    rows = showing.lines(found.entries, place=place, sends=sends, at=now)
    kept = {name: value for name, value in {**values, "kind": kind if kind != duties.DUE else ""}.items() if value}
    steps = duties.steps_of(place.rules.workflow, desk.role, kind)
    return {
        "city": place.info,
        "desk": desk,
        "kind": kind,
        "filters": values,
        "query": urlencode(kept),
        "problem": problem,
        "rows": rows,
        "tray": showing.tray(rows) if sends and kind == duties.DUE else [],
        "next_url": f"?{urlencode({**kept, 'cursor': found.next})}" if found.next else "",
        "first_url": f"?{urlencode(kept)}" if request.GET.get("cursor") else "",
        "queue_url": f"{reverse('desk-queue', args=[place.info.id, desk.role])}?{request.GET.urlencode()}",
        "steps": [place.rules.workflow.steps[step] for step in steps],
        "verbs": [verb for verbs in steps.values() for verb in verbs],
        "narrowed": bool(any(values.values())),
    }


def filters_of(values: dict[str, str]) -> CaseFilters:
    """The filters of a queue from the fields of its form."""
    return CaseFilters(
        q=values["q"], region=values["region"], category=values["category"], step=values["step"], order="deadline"
    )


def tag_of(html: str) -> str:
    """The ETag of a fragment."""
    return f'"{hashlib.sha256(html.encode()).hexdigest()[:24]}"'


@require_GET
@at_desk
def desk(request: HttpRequest, place: CityRuntime, desk: Desk) -> HttpResponse:
    """The whole desk: the queue on the left, a case on the right."""
    context = requested_queue(request, place, desk)
    html = render_to_string("desks/queue.html", context, request)
    workflow = place.rules.workflow
    kinds = [
        (kind, say(KIND_NAMES[kind]))
        for kind in duties.KINDS
        if kind == duties.DUE or duties.steps_of(workflow, desk.role, kind)
    ]
    posts = [
        (place.rules.units.get(actor.unit), place.regions.get(actor.region) if actor.region else None)
        for actor in desk.actors
    ]
    return render(
        request,
        "desks/desk.html",
        {
            **context,
            "page": "desk",
            "queue_html": html,
            "etag": tag_of(html),
            "kinds": kinds,
            "posts": posts,
            "regions": region_choices(place, depth=3),
            "categories": category_choices(place),
            "saved": SavedFilter.objects.filter(
                user_id=int(request.user.pk or 0), city=place.info.id, role=desk.role
            ).order_by("name"),
            "opens": duties.opens(workflow, desk.role),
            "other_desks": len(queue.desks_of(request.user, place=place)) > 1,
            "opened": request.GET.get("case", ""),
        },
    )


@require_GET
@at_desk
def queue_part(request: HttpRequest, place: CityRuntime, desk: Desk) -> HttpResponse:
    """The queue alone, for the page that asks again and again: 304 when nothing has changed."""
    html = render_to_string("desks/queue.html", requested_queue(request, place, desk), request)
    tag = tag_of(html)
    if request.headers.get("If-None-Match") == tag:
        return HttpResponseNotModified(headers={"ETag": tag})
    return HttpResponse(html, headers={"ETag": tag, "Cache-Control": "private, no-store"})


@require_POST
@at_desk
def save_filter(request: HttpRequest, place: CityRuntime, desk: Desk) -> HttpResponse:
    """Keep the filter under a name."""
    query = request.POST.get("query", "")
    try:
        operations.save_filter(
            user=request.user, city=place.info.id, role=desk.role, name=request.POST.get("name", ""), query=query
        )
    except BadInput as error:
        return HttpResponse(" ".join(sentences(error)), status=422, content_type="text/plain; charset=utf-8")
    return redirect(f"{reverse('desk', args=[place.info.id, desk.role])}?{query}")


@require_POST
@at_desk
def delete_filter(request: HttpRequest, place: CityRuntime, desk: Desk, *, pk: int) -> HttpResponse:
    """Forget a filter."""
    operations.delete_filter(user=request.user, city=place.info.id, role=desk.role, pk=pk)
    return redirect("desk", place.info.id, desk.role)
