"""Pages of 献计献策: the list, one idea, proposing, supporting, commenting, answering."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Refusal
from yiwang.server.cases.api import actors_for
from yiwang.server.cities.choices import region_choices
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.common.refusing import sentences, status_of
from yiwang.server.portal import idea_operations, limits, links, queries
from yiwang.server.portal.models import Idea

MOST_PAGES = 200


def _number(text: str, most: int) -> int:
    return min(most, max(1, int(text))) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def idea_or_404(place: CityRuntime, idea: int) -> Idea:
    """The idea, or 404."""
    found = Idea.objects.filter(city=place.info.id, pk=idea).first()
    if found is None:
        raise Http404(say("没有这条建议", "There is no such idea"))
    return found


@require_GET
def ideas(request: HttpRequest, city: str) -> HttpResponse:
    """Ideas by words and state, in an order."""
    place = city_or_404(city)
    asked = {name: request.GET.get(name, "").strip() for name in ("q", "state", "order")}
    number = _number(request.GET.get("p", ""), MOST_PAGES)
    found = queries.ideas(place=place, q=asked["q"], state=asked["state"], order=asked["order"] or "new", page=number)
    kept = {name: value for name, value in asked.items() if value}
    return render(
        request,
        "portal/ideas.html",
        {
            "city": place.info,
            "page": "portal",
            "asked": asked,
            "ideas": found.items,
            "states": [(key, say(names)) for key, names in queries.STATES.items()],
            "orders": [(key, say(name)) for key, (name, _) in queries.ORDERS.items()],
            "next_url": f"?{urlencode({**kept, 'p': number + 1})}" if found.more else "",
            "previous_url": f"?{urlencode({**kept, 'p': number - 1})}" if number > 1 else "",
        },
    )


@require_http_methods(["GET", "POST"])
def propose(request: HttpRequest, city: str) -> HttpResponse:
    """Propose an idea."""
    place = city_or_404(city)
    problems, status = [], 200
    if request.method == "POST":
        post = request.POST
        author, name = links.person(request)
        try:
            limits.slow(request, limits.IDEA)
            made = idea_operations.propose(
                place=place, title=post.get("title", ""), text=post.get("text", ""), region=post.get("region", ""),
                author=author,
            )  # fmt: skip
        except (Refusal, BadInput) as error:
            problems, status = sentences(error), status_of(error)
        else:
            return _remember_name(redirect("portal-idea", city, made.pk), name)
    return render(
        request,
        "portal/propose.html",
        {
            "city": place.info,
            "page": "portal",
            "problems": problems,
            "values": request.POST,
            "regions": region_choices(place, depth=3),
            "policy": place.pack.portal,
        },
        status=status,
    )


def _remember_name(response: HttpResponse, name: str) -> HttpResponse:
    if name:
        links.name_visitor(response, name)
    return response


@require_GET
def idea(request: HttpRequest, city: str, idea: int) -> HttpResponse:
    """One idea."""
    place = city_or_404(city)
    return _page(request, place, idea_or_404(place, idea))


def _page(
    request: HttpRequest, place: CityRuntime, found: Idea, *, problems: list[str] | None = None, status: int = 200
) -> HttpResponse:
    known = request.user.is_authenticated or links.visitor(request)
    person = links.person(request)[0] if known else ""
    actors = actors_for(request.user, city=place.info.id) if request.user.is_authenticated else []
    context: dict[str, Any] = {
        "city": place.info,
        "page": "portal",
        "problems": problems or [],
        "values": request.POST,
        "answers_ideas": idea_operations.answering_actor(place, actors) is not None,
        "answer_states": [(key, say(names)) for key, names in queries.STATES.items() if key != Idea.State.NEW],
        **queries.idea_page(place=place, idea=found, person=person),
    }
    return render(request, "portal/idea.html", context, status=status)


@require_POST
def support(request: HttpRequest, city: str, idea: int) -> HttpResponse:
    """Support an idea once, or take it back."""
    place = city_or_404(city)
    found = idea_or_404(place, idea)
    person, name = links.person(request)
    try:
        limits.slow(request, limits.SUPPORT)
        if request.POST.get("withdraw") == "1":
            idea_operations.withdraw(idea=found, person=person)
        else:
            limits.slow(request, limits.SUPPORT_IDEA, about=str(found.pk))
            idea_operations.support(idea=found, person=person)
    except Refusal as error:
        return _page(request, place, found, problems=sentences(error), status=status_of(error))
    return _remember_name(redirect("portal-idea", city, idea), name)


@require_POST
def comment(request: HttpRequest, city: str, idea: int) -> HttpResponse:
    """Say something about an idea."""
    place = city_or_404(city)
    found = idea_or_404(place, idea)
    author, name = links.person(request)
    try:
        limits.slow(request, limits.COMMENT)
        idea_operations.comment(place=place, idea=found, text=request.POST.get("text", ""), author=author)
    except (Refusal, BadInput) as error:
        status = status_of(error)
        return _page(request, place, found, problems=sentences(error), status=status)
    return _remember_name(redirect("portal-idea", city, idea), name)


@require_POST
def answer(request: HttpRequest, city: str, idea: int) -> HttpResponse:
    """Answer an idea for one's unit."""
    place = city_or_404(city)
    found = idea_or_404(place, idea)
    post = request.POST
    try:
        actors = actors_for(request.user, city=city)
        idea_operations.answer(
            place=place, idea=found, actors=actors, state=post.get("state", ""), text=post.get("text", "")
        )
    except (Refusal, BadInput) as error:
        status = status_of(error)
        return _page(request, place, found, problems=sentences(error), status=status)
    return redirect("portal-idea", city, idea)
