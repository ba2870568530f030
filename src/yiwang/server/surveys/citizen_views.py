"""The citizen's questionnaire, opened by a secret link: no account, made for a phone.

The secret is in the address once: opening the link exchanges it for a signed cookie and leads on to an address without it.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_GET, require_http_methods

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Refusal
from yiwang.server.cases.api import Case, category_name
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common import throttling
from yiwang.server.common.language import say
from yiwang.server.common.refusing import sentences, status_of
from yiwang.server.common.throttling import Limit
from yiwang.server.surveys import forms, queries
from yiwang.server.surveys.answering import answer_by_link, case_of_secret, is_open
from yiwang.server.surveys.models import DrawnCase
from yiwang.server.surveys.planning import questionnaire_of

COOKIE = "yw-survey"
HELD_FOR = timedelta(days=30)
TEN = timedelta(minutes=10)
GUESS = Limit(kind="survey-guess", most=10, window=TEN)
ANSWER = Limit(kind="survey-answer", most=20, window=TEN)


@require_GET
def open_link(request: HttpRequest, city: str, secret: str) -> HttpResponse:
    """The secret link."""
    place = city_or_404(city)
    who = throttling.caller(request).network
    response = redirect("survey-form", place.info.id)
    try:
        throttling.check(GUESS, who)
        found = case_of_secret(city=city, secret=secret)
        if found is None:
            throttling.count(GUESS, who)
            messages.error(request, say("链接不对，或回访已经结束。", "The link is wrong, or the survey has ended."))
        else:
            _hold(response, found)
    except Refusal as error:
        messages.error(request, " ".join(sentences(error)))
    return _private(response, secret=True)


@require_http_methods(["GET", "POST"])
def form(request: HttpRequest, city: str) -> HttpResponse:
    """The questions, for who opened a link on this device."""
    place = city_or_404(city)
    found = _opened(request, city)
    if found is None:
        return _private(render(request, "surveys/form.html", {"city": place.info, "page": "portal"}, status=404))
    if request.method == "GET":
        return _page(request, place, found)
    try:
        throttling.slow_down(ANSWER, throttling.caller(request).network)
        answer_by_link(found, forms.filled_in(questionnaire_of(found.round), request.POST))
    except (Refusal, BadInput) as error:
        found.refresh_from_db()
        return _page(request, place, found, error=error)
    return _private(redirect("survey-form", city))


def _page(
    request: HttpRequest, place: CityRuntime, found: DrawnCase, *, error: Refusal | BadInput | None = None
) -> HttpResponse:
    wrong = {one.column: say(one.message) for one in error.problems} if isinstance(error, BadInput) else {}
    case = Case.objects.filter(number=found.case).values("category", "opened_at").get()
    try:
        questions = forms.fields(questionnaire_of(found.round), request.POST, wrong)
    except Refusal as missing:
        questions, error = [], error or missing
    context = {
        "city": place.info,
        "page": "portal",
        "case": found,
        "category": category_name(place, case["category"]),
        "opened_at": case["opened_at"],
        "ends": f"{found.round.ends}",
        "is_open": is_open(found.round, place) and bool(questions),
        "answered": found.disposition == "answered",
        "questions": questions,
        "problems": sentences(error) if error is not None and not wrong else [],
        "faults": len(wrong),
    }
    status = 200 if error is None else status_of(error)
    return _private(render(request, "surveys/form.html", context, status=status))


def _hold(response: HttpResponse, case: DrawnCase) -> None:
    response.set_signed_cookie(
        COOKIE, f"{case.pk}.{str(case.link)[:16]}", salt=COOKIE, max_age=HELD_FOR, httponly=True, samesite="Lax",
        secure=settings.YIWANG_HTTPS,
    )  # fmt: skip


def _opened(request: HttpRequest, city: str) -> DrawnCase | None:
    """The case whose link was opened last on this device, while that link holds."""
    try:
        text = request.get_signed_cookie(COOKIE, default="", salt=COOKIE, max_age=HELD_FOR) or ""
    except signing.BadSignature:
        return None
    pk, _, held = text.partition(".")
    found = queries.drawn_case(city=city, pk=int(pk)) if pk.isdecimal() else None
    if found is None or not found.link or not constant_time_compare(found.link[:16], held):
        return None
    return found


def _private(response: HttpResponse, *, secret: bool = False) -> HttpResponse:
    """Nothing of it is stored or indexed, and its address goes to no other site; one with a secret goes nowhere at all."""
    response.headers["Referrer-Policy"] = "no-referrer" if secret else "same-origin"
    response.headers["Cache-Control"] = "no-store, private"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response
