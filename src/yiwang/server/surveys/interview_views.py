"""Interviews by telephone: who is to be called, how to reach them, and what was said. Answers are not shown here again."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Refusal
from yiwang.core.surveys.estimating import Disposition
from yiwang.server.cases.api import category_name, load_case, region_name
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.common.masking import mask
from yiwang.server.common.refusing import sentences, status_of
from yiwang.server.scrutiny.access import staff_only
from yiwang.server.surveys import forms, queries
from yiwang.server.surveys.access import interviewer, interviews
from yiwang.server.surveys.answering import CallSaid, is_open, make_link, record_call
from yiwang.server.surveys.models import DrawnCase
from yiwang.server.surveys.planning import questionnaire_of
from yiwang.server.surveys.views import DISPOSITIONS, name_of

ENDS = (Disposition.ANSWERED, Disposition.REFUSED, Disposition.NOT_REACHED)


@require_GET
@staff_only
def calls(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """The cases that I may call about, by round."""
    readers = interviewer(request.user, place=place)
    rounds = [one for one in queries.rounds_of(place.info.id) if is_open(one, place)]
    listed = [
        {
            "survey": survey,
            "name": name_of(survey),
            "ends": f"{survey.ends}",
            "rows": [_row(place, one, case) for one, case in queries.to_do(survey, readers)],
        }
        for survey in rounds
    ]
    context = {"city": place.info, "page": "surveys", "rounds": [one for one in listed if one["rows"]]}
    return render(request, "surveys/calls.html", context)


@require_http_methods(["GET", "POST"])
@staff_only
def call(request: HttpRequest, place: CityRuntime, pk: int) -> HttpResponse:
    """One call: the questions, and what came of it."""
    found = _case_or_404(request, place, pk)
    if request.method == "GET":
        return _page(request, place, found)
    try:
        questionnaire = questionnaire_of(found.round)
        chosen = request.POST.get("disposition", "")
        disposition = Disposition(chosen) if chosen in ENDS else Disposition.WAITING
        answered = disposition is Disposition.ANSWERED
        tries = request.POST.get("tries", "")
        said = CallSaid(
            disposition=disposition,
            answers=forms.filled_in(questionnaire, request.POST) if answered else {},
            tries=int(tries) if tries.isascii() and tries.isdecimal() and len(tries) < 4 else -1,
        )
        record_call(found, said, user=request.user)
    except (Refusal, BadInput) as error:
        found.refresh_from_db()
        return _page(request, place, found, error=error)
    messages.success(request, say("已记录。", "Recorded."))
    return redirect("survey-calls", place.info.id)


@require_POST
@staff_only
def contact(request: HttpRequest, place: CityRuntime, pk: int) -> HttpResponse:
    """The same page with how to reach the reporters. That it was read is recorded."""
    found = _case_or_404(request, place, pk)
    if not _may_call(place, found):
        messages.error(request, say("这一件不需要再联系。", "There is no need to call about this one."))
        return redirect("survey-call", place.info.id, pk)
    interviewer(request.user, place=place).record(numbers=found.case, what="contact", purpose="survey")
    return _page(request, place, found, contacts=True)


@require_POST
@staff_only
def link(request: HttpRequest, place: CityRuntime, pk: int) -> HttpResponse:
    """A new link for the citizen, shown now and never again."""
    found = _case_or_404(request, place, pk)
    try:
        secret = make_link(found, user=request.user)
    except (Refusal, BadInput) as error:
        return _page(request, place, found, error=error)
    site = str(settings.YIWANG_PUBLIC_URL).rstrip("/") or f"{request.scheme}://{request.get_host()}"
    return _page(request, place, found, link=f"{site}{reverse('survey-open', args=[place.info.id, secret])}")


def _case_or_404(request: HttpRequest, place: CityRuntime, pk: int) -> DrawnCase:
    found = queries.drawn_case(city=place.info.id, pk=pk)
    detail = load_case(city=place.info.id, number=found.case, with_events=False) if found else None
    if found is None or detail is None or not interviews(interviewer(request.user, place=place), detail.values):
        raise Http404(say("没有这一件", "There is no such case"))
    return found


def _may_call(place: CityRuntime, case: DrawnCase) -> bool:
    waits = case.disposition in (Disposition.WAITING, Disposition.NOT_REACHED)
    return waits and case.tries < case.round.tries and is_open(case.round, place)


def _row(place: CityRuntime, one: DrawnCase, case: dict[str, Any]) -> dict[str, Any]:
    return {
        "pk": one.pk,
        "number": one.case,
        "category": category_name(place, case["category"]),
        "region": region_name(place, case["region"]) if case["region"] else "",
        "closed_at": case["closed_at"],
        "tries": one.tries,
    }


def _page(
    request: HttpRequest,
    place: CityRuntime,
    found: DrawnCase,
    *,
    error: Refusal | BadInput | None = None,
    contacts: bool = False,
    link: str = "",
) -> HttpResponse:
    survey = found.round
    detail = load_case(city=place.info.id, number=found.case, with_events=False)
    assert detail is not None
    try:
        questionnaire = questionnaire_of(survey)
    except Refusal as missing:
        raise Http404(say(missing.text)) from None
    wrong = {one.column: say(one.message) for one in error.problems} if isinstance(error, BadInput) else {}
    chosen = request.POST.get("disposition", "")
    context = {
        "city": place.info,
        "page": "surveys",
        "survey": survey,
        "survey_name": name_of(survey),
        "case": found,
        "category": category_name(place, detail.state.category),
        "region": region_name(place, detail.state.region) if detail.state.region else "",
        "text": mask(detail.state.text),
        "closed_at": detail.values["closed_at"],
        "disposition": say(DISPOSITIONS[Disposition(found.disposition)]),
        "may_call": _may_call(place, found),
        "may_link": is_open(survey, place) and found.disposition != Disposition.ANSWERED,
        "questions": forms.fields(questionnaire, request.POST, wrong),
        "ends": [(one.value, say(DISPOSITIONS[one])) for one in ENDS],
        "chosen": chosen if chosen in ENDS else Disposition.ANSWERED.value,
        "problems": [] if error is None else sentences(error) if not wrong or "disposition" in wrong else [],
        "faults": len(wrong),
        "contacts": [report["contact"] for report in detail.reports if report["contact"]] if contacts else None,
        "link": link,
    }
    response = render(request, "surveys/call.html", context, status=200 if error is None else status_of(error))
    response.headers["Cache-Control"] = "no-store, private"
    return response
