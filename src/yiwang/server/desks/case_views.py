"""A case at a desk: what it says, what I may do now, and what others did meanwhile."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from yiwang.core.cases.events import Command
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Refusal
from yiwang.server.casepage import forms
from yiwang.server.casepage.capacities import capacities, states_of
from yiwang.server.cases.api import (
    act_on_case,
    load_case,
)
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.refusing import sentences, status_of
from yiwang.server.desks import queue, showing
from yiwang.server.desks.case_panel import context_of, words_of
from yiwang.server.desks.queue import Desk
from yiwang.server.desks.views import at_desk


@require_GET
@at_desk
def panel(request: HttpRequest, place: CityRuntime, desk: Desk, *, number: str) -> HttpResponse:
    """The panel; without scripts the desk with the case beside it."""
    if not request.headers.get("HX-Request"):
        return redirect("case", place.info.id, number)
    context = context_of(request, place, desk, number, to=request.GET.get("to", ""))
    return render(request, "desks/panel.html", context)


@require_GET
@at_desk
def pulse(request: HttpRequest, place: CityRuntime, desk: Desk, *, number: str) -> HttpResponse:
    """What has happened since the event that the page shows: nothing (204), or a banner that leaves the form alone."""
    seen = request.GET.get("seq", "")
    current = queue.sequence_of(city=place.info.id, number=number)
    if not seen.isascii() or not seen.isdigit() or current is None or current == int(seen):
        return HttpResponse(status=204)
    detail = load_case(city=place.info.id, number=number)
    assert detail is not None  # it has a sequence
    changed = showing.changes_since(detail.events, int(seen), words=words_of(request, place, desk, detail), place=place)
    return render(
        request, "desks/changed.html", {"city": place.info, "desk": desk, "case": detail.values, "changed": changed}
    )


@require_POST
@at_desk
def act(request: HttpRequest, place: CityRuntime, desk: Desk, *, number: str, verb: str) -> HttpResponse:
    """Do a verb. A conflict shows both states and keeps what was typed; nothing is lost."""
    city = place.info.id
    typed: dict[str, Any] = {}
    seen: int | None = None
    try:
        typed, seen = forms.payload(request.POST, place=place), forms.sequence(request.POST)
        state = states_of([number], place=place).get(number)
        held = capacities(state, place=place, actors=desk.actors, at=timezone.now()) if state else {}
        actor = held[verb][0] if verb in held else desk.actors[0]
        answer = act_on_case(
            city=city,
            number=number,
            command=Command(verb=verb, actor=actor, payload=typed, expected_seq=seen),
            photos=request.FILES.getlist("photo"),
            key=request.POST.get("idempotency_key", ""),
        )
    except (Refusal, BadInput) as error:
        status = status_of(error)
        context = context_of(request, place, desk, number, typed=typed, verb=verb, seen=seen)
        context |= {"refusal": " ".join(sentences(error)), "page": "desk", "files_again": bool(request.FILES)}
        template = "desks/panel.html" if request.headers.get("HX-Request") else "desks/alone.html"
        return render(request, template, context, status=status)
    if not request.headers.get("HX-Request"):
        messages.success(request, forms.done_text(verb, answer["step"], place=place))
        return redirect(f"{reverse('desk', args=[city, desk.role])}?{urlencode({'case': number})}")
    response = render(
        request,
        "desks/panel.html",
        _after(request, place, desk, number, forms.done_text(verb, answer["step"], place=place)),
    )
    response.headers["HX-Trigger"] = "queue-changed"
    return response


def _after(request: HttpRequest, place: CityRuntime, desk: Desk, number: str, text: str) -> dict[str, Any]:
    """The case again while the desk has work on it, else the one that the page says comes next; and what has been done."""
    context = context_of(request, place, desk, number)
    done = {"text": text, "number": number}
    following = request.POST.get("next", "")
    if following and following != number and not any(choice["own"] for choice in context["choices"]):
        with suppress(Http404):  # it may have gone elsewhere meanwhile
            context = context_of(request, place, desk, following)
    return context | {"done": done}
