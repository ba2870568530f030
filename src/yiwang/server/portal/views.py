"""Pages for citizens: the portal's first page, the report in three steps, what everybody sees of a case."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Refusal, Unknown
from yiwang.server.assets.api import component_of, reported_component
from yiwang.server.cases.api import (
    ReportDraft,
    actors_for,
    category_name,
    lateness_moment,
    map_labels,
    region_name,
    step_name,
    unit_name,
)
from yiwang.server.cases.api import case_figures as figures
from yiwang.server.cities.choices import category_choices
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.cities.suggesting import suggest
from yiwang.server.common import throttling
from yiwang.server.common.language import english, say
from yiwang.server.common.refusing import sentences, status_of
from yiwang.server.portal import forms, limits, links, operations, public_score, queries


@require_GET
def home(request: HttpRequest, city: str) -> HttpResponse:
    """Where a citizen begins: report, follow, propose, and how the city does."""
    place = city_or_404(city)
    moderator = (
        queries.moderating_actor(place, actors_for(request.user, city=city)) if request.user.is_authenticated else None
    )
    return render(
        request,
        "portal/home.html",
        {
            "city": place.info,
            "page": "portal",
            "policy": place.pack.portal,
            "figures": figures(city=city, region=place.regions.roots[0].code, at=lateness_moment(city=city)),
            "score": public_score.total(place=place),
            "recent": queries.recent(place=place),
            "ideas": queries.ideas(place=place, order="support").items[:4],
            "mine": queries.opened_follows(city=city, held=links.opened_uids(request)),
            "moderates": moderator is not None,
            "waiting": queries.waiting_count(place=place) if moderator else 0,
        },
    )


CLEAR_SCORE, CLEAR_LEAD = 4.0, 1.15


def suggest_categories(text: str, place: CityRuntime, chosen: str = "") -> list[dict[str, Any]]:
    """Categories that fit the words, with the words that say so; the first is taken where it leads clearly."""
    found: list[dict[str, Any]] = [
        {
            "code": item.category.code,
            "name": category_name(place, item.category.code),
            "score": item.score,
            "words": "、".join(item.words) if not english() else ", ".join(item.words),
        }
        for item in suggest(text, place=place)
    ]
    codes = [item["code"] for item in found]
    clear = bool(found) and found[0]["score"] >= CLEAR_SCORE
    clear = clear and (len(found) == 1 or found[0]["score"] >= CLEAR_LEAD * found[1]["score"])
    taken = chosen if chosen in codes else codes[0] if clear else ""
    for item in found:
        item["checked"] = item["code"] == taken
    none = say("都不是，由受理员判断", "None of these; let the clerk decide")
    return [*found, {"code": "", "name": none, "words": "", "checked": not taken}] if found else []


@require_GET
def near(request: HttpRequest, city: str) -> HttpResponse:
    """Open cases near a point, as a piece of the report's page."""
    place = city_or_404(city)
    said = forms.read_form(request.GET)
    found = queries.near(place=place, lon=said.lon, lat=said.lat, category=said.category)
    return render(request, "portal/near.html", {"city": place.info, "near": found, "asked": said.lon is not None})


@require_GET
def suggestions(request: HttpRequest, city: str) -> HttpResponse:
    """Categories that fit the words, as a piece of the report's page."""
    place = city_or_404(city)
    found = suggest_categories(request.GET.get("text", ""), place, request.GET.get("category", ""))
    return render(request, "portal/suggestions.html", {"city": place.info, "suggestions": found})


@require_http_methods(["GET", "POST"])
def report(request: HttpRequest, city: str) -> HttpResponse:
    """Photo, place, words. Without scripts a page to check the category and what is near comes before sending."""
    place = city_or_404(city)
    if request.method == "GET":
        return _begin(request, place)
    said, key, kept = forms.read_form(request.POST), request.POST.get("key", "")[:100], request.POST.get("kept", "")
    key = key or secrets.token_urlsafe(16)
    caller = throttling.caller(request)
    try:
        throttling.check_reports(caller)
        kept, photos, bad = forms.keep(request.FILES.getlist("photos"), kept)
        problems = [*said.problems, *(say(problem.message) for problem in bad)]
        if said.component:
            component_of(city=city, code=said.component)
        if problems:
            return _form(request, place, said, key=key, kept=kept, problems=problems, status=422)
        if not said.seen and not said.join:
            throttling.slow_reports(caller)  # its pictures were read
            return _check(request, place, said, key=key, kept=kept, photos=len(photos))
        if said.email:
            throttling.slow_down(limits.MAIL, said.email.casefold())
        taken = operations.report(
            city=city, draft=said.draft(photos), key=key, caller=caller, join=said.join, email=said.email,
            english=english(), origin=links.origin(request),
        )  # fmt: skip
    except (Refusal, BadInput) as error:
        status = status_of(error)
        return _form(request, place, said, key=key, kept=kept, problems=sentences(error), status=status)
    return _receipt_page(request, place, taken, joined=bool(said.join))


def _begin(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """An empty form, or one about the component whose label was scanned."""
    said, key, code = forms.ReportForm(), secrets.token_urlsafe(16), request.GET.get("component", "")
    if not code:
        return _form(request, place, said, key=key)
    try:
        found = reported_component(place=place, code=code)
    except Unknown as error:
        return _form(request, place, said, key=key, problems=sentences(error), status=404)
    said.component, said.lon, said.lat, said.category = found.code, found.lon, found.lat, found.category
    return _form(request, place, said, key=key)


def _form(
    request: HttpRequest,
    place: CityRuntime,
    said: forms.ReportForm,
    *,
    key: str,
    kept: str = "",
    problems: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    root = place.regions.roots[0]
    regions = f"{reverse('map-regions', args=[place.info.id])}?{urlencode({'region': root.code})}"
    return render(
        request,
        "portal/report.html",
        {
            "city": place.info,
            "page": "portal",
            "policy": place.pack.portal,
            "said": said,
            "component": _component_name(place, said.component),
            "key": key,
            "kept": kept,
            "problems": problems or [],
            "categories": category_choices(place),
            "suggestions": suggest_categories(said.text, place, said.category) if said.text else [],
            "map_regions_url": regions,
            "map_labels": map_labels(),
        },
        status=status,
    )


def _component_name(place: CityRuntime, code: str) -> str:
    """What a component is called; nothing where there is none."""
    try:
        return say(reported_component(place=place, code=code).name) if code else ""
    except Unknown:
        return ""


def _check(
    request: HttpRequest, place: CityRuntime, said: forms.ReportForm, *, key: str, kept: str, photos: int
) -> HttpResponse:
    found = suggest_categories(said.text, place, said.category)
    category = said.category or (found[0]["code"] if found else "")
    return render(
        request,
        "portal/check.html",
        {
            "city": place.info,
            "page": "portal",
            "said": said,
            "key": key,
            "kept": kept,
            "photos": photos,
            "category_name": category_name(place, said.category) if said.category else "",
            "suggestions": found,
            "categories": category_choices(place),
            "near": queries.near(place=place, lon=said.lon, lat=said.lat, category=category),
        },
    )


def _receipt_page(
    request: HttpRequest, place: CityRuntime, taken: operations.ReportReceipt, *, joined: bool
) -> HttpResponse:
    """The receipt, with the secret link: shown now and never again, so no copy of the page is kept anywhere."""
    follow, answer = taken.follow, taken.answer
    response = render(
        request,
        "portal/received.html",
        {
            "city": place.info,
            "page": "portal",
            "follow": follow,
            "joined": joined,
            "answer": answer,
            "notice": say(answer.get("notice_zh", ""), answer.get("notice", "")),
            "secret": taken.secret,
            "link": f"{links.origin(request)}{links.secret_path(follow, taken.secret)}" if taken.secret else "",
            "category_name": category_name(place, answer["category"]),
            "region_name": region_name(place, answer["region"]),
            "step_name": step_name(place, answer["step"]),
            "holder_name": unit_name(place, answer["holder"]),
        },
        status=201,
    )
    if taken.secret:
        links.hold(request, response, follow.uid)
    return private(response)


def private(response: HttpResponse, *, secret: bool = False) -> HttpResponse:
    """A page that knows who reported: nothing of it is stored or indexed, and its address goes to no other site.

    Args:
        response: The page.
        secret: Its address holds a secret, so it goes nowhere at all. (A form on such a page would come with the
            origin ``null``, which the protection against forged requests refuses: such answers only lead on.)
    """
    response.headers["Referrer-Policy"] = "no-referrer" if secret else "same-origin"
    response.headers["Cache-Control"] = "no-store, private"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


@require_GET
def case(request: HttpRequest, city: str, number: str) -> HttpResponse:
    """What everybody sees of a case, with a button for those who met the same."""
    return _case(request, city_or_404(city), number)


def _case(
    request: HttpRequest, place: CityRuntime, number: str, *, problems: list[str] | None = None, status: int = 200
) -> HttpResponse:
    found = queries.public_case(place=place, number=number)
    if found is None:
        raise Http404(say("没有编号为 {number} 的案卷", "There is no case {number}", number=number))
    mine = [
        item
        for item in queries.opened_follows(city=place.info.id, held=links.opened_uids(request))
        if item.number == number
    ]
    return render(
        request,
        "portal/case.html",
        {
            "city": place.info,
            "page": "portal",
            "case": found.row,
            "stages": found.stages,
            "story": found.story,
            "reports": found.reports,
            "mine": mine[0] if mine else None,
            "problems": problems or [],
            "key": secrets.token_urlsafe(16),
            "now": timezone.now(),
        },
        status=status,
    )


@require_POST
def join(request: HttpRequest, city: str, number: str) -> HttpResponse:
    """Me too: one more report of an open case."""
    place = city_or_404(city)
    said, caller = forms.read_form(request.POST), throttling.caller(request)
    try:
        throttling.check_reports(caller)
        email = forms.email(request.POST.get("email", ""))
        _, photos, bad = forms.keep(request.FILES.getlist("photos"), "")
        if bad:
            raise BadInput(bad)
        if email:
            throttling.slow_down(limits.MAIL, email.casefold())
        taken = operations.report(
            city=city, draft=ReportDraft(text=said.text, photos=photos), caller=caller,
            key=request.POST.get("key", "")[:100] or secrets.token_urlsafe(16), join=number, email=email,
            english=english(), origin=links.origin(request),
        )  # fmt: skip
    except (Refusal, BadInput) as error:
        status = status_of(error)
        return _case(request, place, number, problems=sentences(error), status=status)
    return _receipt_page(request, place, taken, joined=True)
