"""The moderators' page: what waits, a text by its case's number, and decisions; and readers' calls for a moderator."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from yiwang.core.cases.events import Actor
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import NotAllowed, Refusal
from yiwang.core.kernel.text import Text
from yiwang.server.cases.api import actors_for
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.common.models import PublicText
from yiwang.server.common.refusing import sentences, status_of
from yiwang.server.common.throttling import TooOften
from yiwang.server.people import operations as people
from yiwang.server.portal import limits, operations, queries


def _moderator(request: HttpRequest, place: CityRuntime) -> Actor:
    actor = queries.moderating_actor(place, actors_for(request.user, city=place.info.id))
    if actor is None:
        raise NotAllowed(Text("您的角色不审核公开文字。", "None of your roles moderates public words."))
    return actor


def _refusal_page(request: HttpRequest, place: CityRuntime, error: Refusal) -> HttpResponse:
    context = {"city": place.info, "page": "portal", "problem": " ".join(sentences(error)), "refused": True}
    return render(request, "portal/moderation.html", context, status=status_of(error))


@login_required
@require_GET
def moderation(request: HttpRequest, city: str) -> HttpResponse:
    """Texts that wait, or those decided, or every text about one case."""
    place = city_or_404(city)
    try:
        _moderator(request, place)
    except Refusal as error:
        return _refusal_page(request, place, error)
    state, number = request.GET.get("state", ""), request.GET.get("number", "").strip()[:40]
    texts = queries.texts_of(place=place, number=number) if number else queries.queue(place=place, state=state)
    people.log_read(
        user=request.user,
        city=place.info.id,
        subject=[text["subject"] for text in texts if text["personal"]],
        what="words",
        purpose="moderation",
    )
    response = render(
        request,
        "portal/moderation.html",
        {
            "city": place.info,
            "page": "portal",
            "policy": place.pack.portal,
            "texts": texts,
            "state": state,
            "number": number,
            "waiting": queries.waiting_count(place=place),
            "states": [("", say("待审", "Waiting"))]
            + [(key, say(names)) for key, names in queries.DECISIONS.items() if key != PublicText.State.WAITING],
        },
    )
    response.headers["Cache-Control"] = "no-store, private"
    return response


@login_required
@require_POST
def decide(request: HttpRequest, city: str) -> HttpResponse:
    """Release, edit or withhold a text."""
    place = city_or_404(city)
    post = request.POST
    try:
        actor = _moderator(request, place)
        row = operations.decide(
            place=place, kind=post.get("kind", ""), key=post.get("key", ""), state=post.get("state", ""),
            published=post.get("published", "").strip(), why=post.get("why", "").strip(), by=actor.id, by_name=actor.name,
        )  # fmt: skip
        messages.success(
            request,
            say(
                "{key}：{state}",
                "{key}: {state}",
                key=row.key,
                state=say(queries.DECISIONS[PublicText.State(row.state)]),
            ),
        )
    except NotAllowed as error:
        return _refusal_page(request, place, error)
    except (Refusal, BadInput) as error:
        messages.error(request, " ".join(sentences(error)))
    return _back(request, city, "portal-moderation")


@require_POST
def flag(request: HttpRequest, city: str) -> HttpResponse:
    """A reader asks a moderator to look at a text."""
    place = city_or_404(city)
    try:
        limits.slow(request, limits.FLAG)
        operations.flag(place=place, kind=request.POST.get("kind", ""), key=request.POST.get("key", "")[:80])
        messages.success(request, say("谢谢，已转给审核员。", "Thank you; a moderator will look at it."))
    except TooOften as error:
        messages.error(request, " ".join(sentences(error)))
    except Refusal as error:
        raise Http404(say(error.text)) from error
    return _back(request, city, "portal")


def _back(request: HttpRequest, city: str, otherwise: str) -> HttpResponse:
    target = request.POST.get("next", "")
    if target and url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        return redirect(target)
    return redirect(otherwise, city)
