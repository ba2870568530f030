"""Pages of leads: staff read them, the unit answers, who assesses the city judges."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from yiwang.core.indicators.lists import last_period
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import NotAllowed, Refusal
from yiwang.core.kernel.text import Text
from yiwang.server.cases.api import stands_at
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.formatting import number_text, percent_text
from yiwang.server.common.language import say
from yiwang.server.common.refusing import sentences
from yiwang.server.irregularities import operations, presentation, queries
from yiwang.server.irregularities.models import Lead
from yiwang.server.people.models import User
from yiwang.server.scrutiny.access import assesses, staff_only

MONTHS = 12


@require_GET
@staff_only
def lead_list(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """Leads of a month by kind, with how usual each is and how the earlier ones were judged."""
    looks = queries.looks_of(place.info.id)
    asked = request.GET.get("period", "")
    chosen = next((one for one in looks if one.period == asked), looks[0] if looks else None)
    rows = [
        presentation.row_of(one, place=place)
        for one in (queries.leads_of(place.info.id, period=chosen.period) if chosen else [])
    ]
    judged = queries.judgements_of(place.info.id)
    kinds = []
    for kind, words in presentation.KINDS.items():
        own = [row for row in rows if row["lead"].kind == kind]
        counts = judged.get(kind, {})
        told = counts.get(Lead.Judgement.FOUNDED, 0) + counts.get(Lead.Judgement.UNFOUNDED, 0)
        kinds.append(
            {
                "name": say(words.name),
                "counted": say(words.counted),
                "rows": own,
                "judged": number_text(told),
                "false": percent_text(counts.get(Lead.Judgement.UNFOUNDED, 0) / told) if told else "",
            }
        )
    context = {
        "city": place.info,
        "page": "irregularities",
        "looks": looks,
        "look": chosen,
        "tests": number_text(chosen.tests) if chosen else "",
        "kinds": kinds,
        "found": len(rows),
        "months": _months(place) if assesses(request.user, place=place) else [],
    }
    return render(request, "irregularities/list.html", context)


@require_POST
@staff_only
def look_it(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """Have a month looked through."""
    try:
        if not assesses(request.user, place=place):
            raise NotAllowed(
                Text(
                    "由系统管理员和负责考评的岗位发起核查。",
                    "Months are looked through for administrators and who assesses the city.",
                )
            )
        period = request.POST.get("period", "")
        operations.ask_for_look(place, period=period, by=request.user.get_username())
        messages.success(
            request,
            say(
                "已安排核查 {period}，完成后列在本页。",
                "{period} will be looked through; it stands here when that is done.",
                period=period,
            ),
        )
    except (Refusal, BadInput) as error:
        for sentence in sentences(error):
            messages.error(request, sentence)
    return redirect("irregularities", place.info.id)


@require_GET
@staff_only
def lead_page(request: HttpRequest, place: CityRuntime, pk: int) -> HttpResponse:
    """One lead with its evidence, the unit's answer and the judgement."""
    lead = _lead_or_404(place, pk)
    words = presentation.KINDS[lead.kind]
    belongs = queries.belongs(request.user, lead, place=place)
    context = {
        "city": place.info,
        "page": "irregularities",
        "row": presentation.row_of(lead, place=place),
        "lead": lead,
        "counted": say(words.counted),
        "innocent": say(words.innocent),
        "details": presentation.details(lead, place=place),
        "cases": lead.cases[: presentation.SHOWN],
        "more": max(0, len(lead.cases) - presentation.SHOWN),
        "judgements": [(key, say(name)) for key, (name, _) in presentation.JUDGEMENTS.items()],
        "may_answer": belongs and not lead.answer and not lead.judgement,
        "may_judge": not lead.judgement and not belongs and assesses(request.user, place=place),
    }
    return render(request, "irregularities/lead.html", context)


@require_POST
@staff_only
def answer_it(request: HttpRequest, place: CityRuntime, pk: int) -> HttpResponse:
    """The unit's answer."""
    lead, user = _lead_or_404(place, pk), request.user
    assert isinstance(user, User)
    said = say("已提交说明。", "The answer is given.")
    text = request.POST.get("text", "")
    return _done(request, lead, said, lambda: operations.answer(lead, user=user, text=text))


@require_POST
@staff_only
def judge_it(request: HttpRequest, place: CityRuntime, pk: int) -> HttpResponse:
    """The judgement."""
    lead, user = _lead_or_404(place, pk), request.user
    assert isinstance(user, User)
    judgement, reason = request.POST.get("judgement", ""), request.POST.get("text", "")

    def act() -> Lead:
        if not assesses(user, place=place):
            raise NotAllowed(
                Text(
                    "线索由系统管理员和负责考评的岗位认定。",
                    "Leads are judged by administrators and by who assesses the city.",
                )
            )
        return operations.judge(lead, user=user, judgement=judgement, reason=reason)

    return _done(request, lead, say("已认定。", "Judged."), act)


def _months(place: CityRuntime) -> list[str]:
    """The last twelve months that have ended where the city stands, the latest first."""
    today = (stands_at(city=place.info.id) or timezone.now()).astimezone(place.info.zone).date()
    found = [last_period("month", today=today)]
    while len(found) < MONTHS:
        found.append(last_period("month", today=found[-1].first))
    return [one.name for one in found]


def _done(request: HttpRequest, lead: Lead, said: str, act: Callable[[], object]) -> HttpResponse:
    try:
        act()
        messages.success(request, said)
    except (Refusal, BadInput) as error:
        for sentence in sentences(error):
            messages.error(request, sentence)
    return redirect("irregularity", lead.city, lead.pk)


def _lead_or_404(place: CityRuntime, pk: int) -> Lead:
    found = queries.lead_of(place.info.id, pk)
    if found is None:
        raise Http404(say("没有这条线索", "There is no such lead"))
    return found
