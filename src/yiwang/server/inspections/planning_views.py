"""An inspection is planned, drawn and ended, by who may."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from yiwang.core.inspections.checklists import in_force
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Refusal
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.common.refusing import sentences, status_of
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.inspections.inspectors import candidates, own_strata
from yiwang.server.inspections.planning import CampaignSaid, commit_to, draw_campaign, end_campaign, next_key
from yiwang.server.inspections.views import campaign_or_404
from yiwang.server.scrutiny.access import assesses

FIELDS = ("key", "name", "name_en", "checklist", "strata", "total", "team", "second_share", "beacon", "begins", "ends")


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, city: str) -> HttpResponse:
    """The form of a new inspection; sending it commits to it."""
    place = city_or_404(city)
    if (stopped := _stopped(request, place)) is not None:
        return stopped
    today = timezone.now().astimezone(place.info.zone).date()
    typed = {name: request.POST.get(name, "").strip() for name in FIELDS}
    chosen = request.POST.getlist("inspector")
    recused = request.method != "POST" or "recused" in request.POST
    problems: list[str] = []
    wrong: set[str] = set()
    status = 200
    if request.method == "POST":
        try:
            made = commit_to(place, _said(place, typed, chosen, today, recused=recused), by=request.user.get_username())
            messages.success(
                request, say("已承诺。可以公布承诺值，再抽取。", "Committed. Publish the hash, then draw.")
            )
            return redirect("inspection", city, made.key)
        except BadInput as error:
            problems, status = sentences(error), status_of(error)
            wrong = {problem.column for problem in error.problems}
        except Refusal as error:
            problems, status, wrong = sentences(error), status_of(error), {error.field}
    else:
        typed |= {"team": "2", "second_share": "10", "total": "20", "begins": f"{today}", "ends": f"{today}"}
        typed["key"] = next_key(city, today)
        typed["strata"] = place.info.levels[min(1, len(place.info.levels) - 1)].id
    context = {
        "city": place.info,
        "page": "inspections",
        "problems": problems,
        "wrong": wrong,
        "typed": typed,
        "people": [one | {"chosen": one["username"] in chosen} for one in candidates(place)],
        "recused": recused,
        "checklists": [
            {"id": one.id, "name": say(one.name), "version": one.version}
            for one in in_force(place.pack.checklists, on=today).values()
        ],
        "levels": [{"id": level.id, "name": named(level)} for level in place.info.levels],
    }
    return render(request, "inspections/new.html", context, status=status)


@require_POST
def draw_it(request: HttpRequest, city: str, key: str) -> HttpResponse:
    """Draw."""
    return _do(request, city, key, lambda found, by: draw_campaign(found, beacon=request.POST.get("beacon", "").strip(), by=by),
               say("已抽取。", "Drawn."))  # fmt: skip


@require_POST
def end_it(request: HttpRequest, city: str, key: str) -> HttpResponse:
    """Close or drop."""
    return _do(
        request,
        city,
        key,
        lambda found, by: end_campaign(found, by=by),
        say("检查已结束。", "The inspection has ended."),
    )


def _do(request: HttpRequest, city: str, key: str, act: Any, said: str) -> HttpResponse:
    place = city_or_404(city)
    if (stopped := _stopped(request, place)) is not None:
        return stopped
    found = campaign_or_404(place, key)
    try:
        act(found, request.user.get_username())
        messages.success(request, said)
    except (Refusal, BadInput) as error:
        for sentence in sentences(error):
            messages.error(request, sentence)
    return redirect("inspection", city, key)


def _stopped(request: HttpRequest, place: CityRuntime) -> HttpResponse | None:
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if assesses(request.user, place=place):
        return None
    detail = say(
        "检查由系统管理员和全市的监督岗位安排。",
        "Inspections are planned by administrators and by who supervises the whole city.",
    )
    context = {"city": place.info, "title": say("不允许", "Not allowed"), "detail": detail}
    return render(request, "problem.html", context, status=403)


def _said(place: CityRuntime, typed: dict[str, str], chosen: list[str], today: date, *, recused: bool) -> CampaignSaid:
    """What was said; what cannot be read stands at a value that `commit_to` refuses at its field."""
    return CampaignSaid(
        key=typed["key"],
        name=typed["name"],
        name_en=typed["name_en"],
        checklist=typed["checklist"],
        strata=typed["strata"],
        total=_whole(typed["total"], 0),
        inspectors=tuple(chosen),
        avoids=own_strata(place, chosen, level=typed["strata"]) if recused else {},
        team=_whole(typed["team"], 0),
        second_share=_whole(typed["second_share"], -1) / 100,
        beacon=typed["beacon"],
        begins=_day(typed["begins"], today),
        ends=_day(typed["ends"], date.min),
    )


def _whole(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else otherwise


def _day(text: str, otherwise: date) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return otherwise
