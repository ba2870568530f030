"""A case at a desk: what it says, what I may do now, and what others did meanwhile."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from yiwang.core.cases.events import Command
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Refusal
from yiwang.server.casepage import dossier, forms
from yiwang.server.cases.api import (
    SOURCE_NAMES,
    CaseDetail,
    Words,
    act_on_case,
    clocks_of,
    is_estimated,
    load_case,
    readers_as,
    shown_row,
)
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say, say_or
from yiwang.server.common.masking import mask
from yiwang.server.common.refusing import sentences, status_of
from yiwang.server.desks import queue, showing
from yiwang.server.desks.queue import Desk
from yiwang.server.desks.views import at_desk


def context_of(
    request: HttpRequest,
    place: CityRuntime,
    desk: Desk,
    number: str,
    *,
    typed: Mapping[str, Any] | None = None,
    verb: str = "",
    seen: int | None = None,
) -> dict[str, Any]:
    """Everything that the panel of one case shows."""
    city = place.info.id
    detail = load_case(city=city, number=number)
    if detail is None:
        raise Http404(say("没有编号为 {number} 的案卷", "There is no case {number}", number=number))
    words = words_of(request, place, desk, detail)
    now, state = timezone.now(), detail.state
    may, others = showing.choices(state, place=place, desk=desk, at=now, typed=typed, verb=verb)
    estimated = is_estimated(detail.state, place=place)
    row = shown_row(detail.values, runtime=place, at=now, estimated=estimated)
    sends = any(place.rules.workflow.verbs[choice["id"]].moves == "down" and choice["own"] for choice in may)
    fields: list[dict[str, Any]] = next((choice["fields"] for choice in may if choice["id"] == verb), [])
    return {
        "city": place.info,
        "desk": desk,
        "case": {
            **row,
            "text": words.text,
            "address": words.address,
            "light": showing.light(state, place=place, at=now),
            "seq": state.seq,
        },
        "source_name": say_or(SOURCE_NAMES.get(state.source), state.source),
        "clocks": [clock for clock in clocks_of(state, runtime=place, at=now) if clock["light"]],
        "pending": {**state.pending, "reason": mask(str(state.pending.get("reason", "")))} if state.pending else None,
        "reports": len(detail.reports),
        "photos": [reverse("case-photo", args=[city, number, photo["id"]]) for photo in detail.photos],
        "events": showing.story(detail.events, words=words, place=place),
        "choices": may,
        "others": others,
        "route": showing.suggested_unit(state, place=place, at=now) if sends else None,
        "reasons": showing.reasons(state, place=place, at=now) if sends else [],
        "idempotency_key": secrets.token_urlsafe(16),
        "changed": showing.changes_since(detail.events, seen, words=words, place=place) if seen is not None else None,
        "kept": showing.orphan_texts(typed, fields) if typed else [],
    }


def words_of(request: HttpRequest, place: CityRuntime, desk: Desk, detail: CaseDetail) -> Words:
    """The case's words as the desk may read them, which goes on record where personal data stands in them.

    Raises:
        Http404: When the case does not concern the desk.
    """
    number = detail.state.number
    readers = readers_as(desk.actors, user=request.user, place=place)
    reader = readers.of_state(detail.state)
    if not reader.staff:
        raise Http404(say("案卷 {number} 不归这个工作台", "The case {number} is not this desk's", number=number))
    words = dossier.words_of(detail, reader=reader, place=place)
    if words.in_full:
        readers.record(numbers=number, what="words", purpose="desk")
    return words


@require_GET
@at_desk
def panel(request: HttpRequest, place: CityRuntime, desk: Desk, *, number: str) -> HttpResponse:
    """The panel; without scripts the desk with the case beside it."""
    if not request.headers.get("HX-Request"):
        return redirect("case", place.info.id, number)
    return render(request, "desks/panel.html", context_of(request, place, desk, number))


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
        typed, seen = forms.payload(request.POST), forms.sequence(request.POST)
        state = queue.entries_of([number], place=place).get(number)
        held = queue.capacities(state, place=place, desk=desk, at=timezone.now()) if state else {}
        actor = held[verb][0] if verb in held else desk.actors[0]
        act_on_case(
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
        return redirect(f"{reverse('desk', args=[city, desk.role])}?{urlencode({'case': number})}")
    context = context_of(request, place, desk, number) | {"done": place.rules.workflow.verbs[verb]}
    response = render(request, "desks/panel.html", context)
    response.headers["HX-Trigger"] = "queue-changed"
    return response
