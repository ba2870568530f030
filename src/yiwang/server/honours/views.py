"""Pages of demonstration areas and banners: who holds them and why, what waits for a decision, who meets a rule."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from yiwang.core.inspections.honours import AreaRule, Judgement, months_before
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Refusal
from yiwang.core.kernel.text import Text
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.formatting import number_text
from yiwang.server.common.language import say
from yiwang.server.common.refusing import sentences
from yiwang.server.honours import operations, queries
from yiwang.server.honours.models import Honour
from yiwang.server.lists.api import newest_red_list
from yiwang.server.people.models import User
from yiwang.server.scores.presentation import thing
from yiwang.server.scrutiny.access import assesses, belongs_to, is_staff

STEPS = {
    "proposed": (Text("待决定", "To be decided"), "yellow"),
    "held": (Text("持有", "Held"), "green"),
    "doubted": (Text("拟摘牌", "May be taken away"), "red"),
    "ended": (Text("已结束", "Ended"), ""),
    "refused": (Text("未通过", "Refused"), ""),
}
OPEN = (Honour.Step.PROPOSED, Honour.Step.DOUBTED)


@require_GET
def honour_list(request: HttpRequest, city: str) -> HttpResponse:
    """The rules, who holds what, and for who assesses the city who could be proposed."""
    place = city_or_404(city)
    staff, keeps = is_staff(request.user, place=place), assesses(request.user, place=place)
    today = timezone.now().astimezone(place.info.zone).date()
    found = queries.honours_of(city, staff=staff)
    busy = {(one.rule, one.holder) for one in found if one.step in ("proposed", "held", "doubted")}
    rules = [
        {
            "id": rule.id,
            "terms": _terms(operations.terms_of(rule), place),
            "held": [_row(one, place, today) for one in found if one.rule == rule.id and one.step == Honour.Step.HELD],
            "candidates": _candidates(place, rule, busy, today) if keeps else [],
        }
        for rule in operations.rules_on(place, today)
    ]
    context = {
        "city": place.info,
        "page": "honours",
        "rules": rules,
        "waiting": [_row(one, place, today) for one in found if one.step in OPEN] if staff else [],
        "past": [_row(one, place, today) for one in found if one.step in ("ended", "refused")],
        "assesses": keeps,
    }
    return render(request, "honours/list.html", context)


@require_GET
def honour(request: HttpRequest, city: str, pk: int) -> HttpResponse:
    """One honour: what it rests on, what was said and decided."""
    place, user = city_or_404(city), request.user
    found = _honour_or_404(request, place, pk)
    keeps = assesses(user, place=place)
    today = timezone.now().astimezone(place.info.zone).date()
    own = belongs_to(user, place=place, level=found.level, code=found.holder)
    username = user.get_username()
    context = {
        "city": place.info,
        "page": "honours",
        "honour": found,
        "row": _row(found, place, today),
        "terms": _terms(found.terms, place),
        "basis": _basis(found.basis),
        "doubt": _basis(found.doubt),
        "staff": is_staff(user, place=place),
        "may_decide": keeps and found.step in OPEN and username != found.by,
        "waits_for_other": keeps and found.step in OPEN and username == found.by,
        "may_doubt": keeps and found.step == Honour.Step.HELD,
        "may_answer": own and found.step == Honour.Step.DOUBTED and not found.answer,
    }
    return render(request, "honours/honour.html", context)


@require_POST
def propose_it(request: HttpRequest, city: str) -> HttpResponse:
    """Propose."""
    place = city_or_404(city)
    if (stopped := _stopped(request, place)) is not None:
        return stopped
    rule, holder = request.POST.get("rule", ""), request.POST.get("holder", "")
    try:
        made = operations.propose(
            place, rule=rule, holder=holder, text=request.POST.get("text", ""), by=request.user.get_username()
        )
    except (Refusal, BadInput) as error:
        _tell(request, error)
        return redirect("honours", city)
    messages.success(request, say("已提出，由另一人决定。", "Proposed; somebody else decides."))
    return redirect("honour", city, made.pk)


@require_POST
def decide_it(request: HttpRequest, city: str, pk: int) -> HttpResponse:
    """Decide."""
    granted, text = request.POST.get("granted") == "yes", request.POST.get("text", "")
    return _act(
        request,
        city,
        pk,
        lambda found, by: operations.decide(found, granted=granted, text=text, by=by),
        say("已决定。", "Decided."),
    )


@require_POST
def doubt_it(request: HttpRequest, city: str, pk: int) -> HttpResponse:
    """Propose to take it away."""
    return _act(
        request, city, pk, lambda found, by: operations.doubt(found, text=request.POST.get("text", ""), by=by),
        say("已提出，由另一人决定。", "Proposed; somebody else decides."),
    )  # fmt: skip


@require_POST
def answer_it(request: HttpRequest, city: str, pk: int) -> HttpResponse:
    """The unit answers."""
    place, user = city_or_404(city), request.user
    if not isinstance(user, User):
        return redirect_to_login(reverse("honours", args=[city]))
    found = _honour_or_404(request, place, pk)
    try:
        operations.answer(found, user=user, text=request.POST.get("text", ""))
        messages.success(request, say("已答复。", "Answered."))
    except (Refusal, BadInput) as error:
        _tell(request, error)
    return redirect("honour", city, pk)


def _act(request: HttpRequest, city: str, pk: int, act: Callable[[Honour, str], object], said: str) -> HttpResponse:
    place = city_or_404(city)
    if (stopped := _stopped(request, place)) is not None:
        return stopped
    found = _honour_or_404(request, place, pk)
    try:
        act(found, request.user.get_username())
        messages.success(request, said)
    except (Refusal, BadInput) as error:
        _tell(request, error)
    return redirect("honour", city, pk)


def _tell(request: HttpRequest, error: Refusal | BadInput) -> None:
    for sentence in sentences(error):
        messages.error(request, sentence)


def _stopped(request: HttpRequest, place: CityRuntime) -> HttpResponse | None:
    if not request.user.is_authenticated:
        return redirect_to_login(reverse("honours", args=[place.info.id]))
    if assesses(request.user, place=place):
        return None
    detail = say(
        "示范区和流动红旗由系统管理员和负责考评的岗位办理。",
        "Honours are for administrators and for who assesses the city.",
    )
    context = {"city": place.info, "title": say("不允许", "Not allowed"), "detail": detail}
    return render(request, "problem.html", context, status=403)


def _honour_or_404(request: HttpRequest, place: CityRuntime, pk: int) -> Honour:
    found = queries.honour_of(city=place.info.id, pk=pk, staff=is_staff(request.user, place=place))
    if found is None:
        raise Http404(say("没有这一项", "There is no such honour"))
    return found


def _row(honour: Honour, place: CityRuntime, today: date) -> dict[str, Any]:
    name, light = STEPS[honour.step]
    months = honour.terms.get("months")
    overdue = (
        honour.step == Honour.Step.HELD and months and honour.since and months_before(today, months) >= honour.since
    )
    return {
        "pk": honour.pk,
        "name": thing(place, honour.level, honour.holder),
        "honour": say(Text.of(honour.terms["name"])),
        "step": {"name": say(name), "light": light},
        "since": f"{honour.since}" if honour.since else "",
        "until": f"{honour.until}" if honour.until else "",
        "overdue": bool(overdue),
    }


def _terms(terms: dict[str, Any], place: CityRuntime) -> dict[str, Any]:
    """A rule in words."""
    checklist = next((one for one in place.pack.checklists if one.id == terms.get("checklist")), None)
    listed = next((one for one in place.pack.indicators.lists if one.id == terms.get("list")), None)
    words = {
        **terms,
        "name": say(Text.of(terms["name"])),
        "source": say(Text.of(terms["source"])),
        "checklist": say(checklist.name) if checklist else terms.get("checklist", ""),
        "list": say(listed.name) if listed else terms.get("list", ""),
    }
    for name in ("listed_at", "delisted_below"):
        if name in terms:
            words[name] = f"{terms[name]:g}"
    return words


def _candidates(
    place: CityRuntime, rule: operations.Rule, busy: set[tuple[str, str]], today: date
) -> list[dict[str, Any]]:
    """Who meets a rule now and neither holds the honour nor waits for it."""
    if isinstance(rule, AreaRule):
        found = operations.judgements(place, rule, today=today)
        reached = {code: _latest(one) for code, one in found.items() if one.reached}
        level = rule.level
    else:
        red = newest_red_list(city=place.info.id, rule=rule.list)
        if red is None:
            return []
        level = red.level
        reached = {
            code: f"{red.period} · {best}" if best == worst else f"{red.period} · {best}–{worst}"
            for code, (best, worst) in red.units.items()
        }
    return [
        {"code": code, "name": thing(place, level, code), "why": why}
        for code, why in reached.items()
        if (rule.id, code) not in busy
    ]


def _latest(found: Judgement) -> str:
    return say("、", ", ").join(f"{number_text(one.score, 1)} ({one.day})" for one in found.latest)


def _basis(basis: dict[str, Any]) -> dict[str, Any]:
    """What a proposal rests on, for the page."""
    rows = [
        {"inspection": key, "day": day, "score": number_text(score, 1)}
        for key, day, score in basis.get("inspections", ())
    ]
    return {**basis, "rows": rows}
