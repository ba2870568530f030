"""A round is planned, drawn and ended, by who may."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from yiwang.core.indicators.scorecard import label
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Refusal
from yiwang.core.surveys.questionnaires import in_force
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.common.refusing import sentences, status_of
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.scrutiny.access import assesses
from yiwang.server.surveys.planning import RoundSaid, commit_to, draw_round, end_round, next_key, today_of
from yiwang.server.surveys.views import round_or_404

FIELDS = ("key", "name", "name_en", "questionnaire", "period", "strata", "total", "beacon", "ends")
MONTHS = 12
TWO_WEEKS = timedelta(days=14)


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, city: str) -> HttpResponse:
    """The form of a new round; sending it commits to it."""
    place = city_or_404(city)
    if (stopped := _stopped(request, place)) is not None:
        return stopped
    today = timezone.now().astimezone(place.info.zone).date()
    months = _months(today_of(place))
    known = in_force(place.pack.questionnaires, on=today)
    typed = {name: request.POST.get(name, "").strip() for name in FIELDS}
    problems: list[str] = []
    wrong: set[str] = set()
    status = 200
    if request.method == "POST":
        try:
            made = commit_to(place, _said(typed), by=request.user.get_username())
            messages.success(
                request, say("已承诺。可以公布承诺值，再抽取。", "Committed. Publish the hash, then draw.")
            )
            return redirect("survey", city, made.key)
        except BadInput as error:
            problems, status = sentences(error), status_of(error)
            wrong = {problem.column for problem in error.problems}
        except Refusal as error:
            problems, status, wrong = sentences(error), status_of(error), {error.field}
    else:
        typed |= {"period": months[0], "total": "100", "ends": f"{today + TWO_WEEKS}", "key": next_key(city, months[0])}
        typed["strata"] = place.info.levels[min(1, len(place.info.levels) - 1)].id
        for one in list(known.values())[:1]:
            typed |= {"name": f"{months[0]} {one.name.zh}", "name_en": f"{one.name.en}, {months[0]}"}
    context = {
        "city": place.info,
        "page": "surveys",
        "problems": problems,
        "wrong": wrong,
        "typed": typed,
        "months": months,
        "questionnaires": [{"id": one.id, "name": say(one.name), "version": one.version} for one in known.values()],
        "levels": [{"id": level.id, "name": named(level)} for level in place.info.levels],
    }
    return render(request, "surveys/new.html", context, status=status)


@require_POST
def draw_it(request: HttpRequest, city: str, key: str) -> HttpResponse:
    """Draw."""
    beacon = request.POST.get("beacon", "").strip()
    return _do(request, city, key, lambda found, by: draw_round(found, beacon=beacon, by=by), say("已抽取。", "Drawn."))


@require_POST
def end_it(request: HttpRequest, city: str, key: str) -> HttpResponse:
    """Close or drop."""
    ended = say("回访已结束。", "The round has ended.")
    return _do(request, city, key, lambda found, by: end_round(found, by=by), ended)


def _do(request: HttpRequest, city: str, key: str, act: Any, said: str) -> HttpResponse:
    place = city_or_404(city)
    if (stopped := _stopped(request, place)) is not None:
        return stopped
    found = round_or_404(place, key)
    try:
        act(found, request.user.get_username())
        messages.success(request, said)
    except (Refusal, BadInput) as error:
        for sentence in sentences(error):
            messages.error(request, sentence)
    return redirect("survey", city, key)


def _stopped(request: HttpRequest, place: CityRuntime) -> HttpResponse | None:
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if assesses(request.user, place=place):
        return None
    detail = say(
        "回访由系统管理员和全市的监督岗位安排。",
        "Surveys are planned by administrators and by who supervises the whole city.",
    )
    context = {"city": place.info, "title": say("不允许", "Not allowed"), "detail": detail}
    return render(request, "problem.html", context, status=403)


def _months(today: date) -> list[str]:
    """The last months that are over, the latest first, as 2026-11."""
    found = []
    first = today.replace(day=1)
    for _ in range(MONTHS):
        first = (first - timedelta(days=1)).replace(day=1)
        found.append(label(first, "month"))
    return found


def _said(typed: dict[str, str]) -> RoundSaid:
    """What was said; what cannot be read stands at a value that `commit_to` refuses at its field."""
    first, last = _days_of(typed["period"])
    return RoundSaid(
        key=typed["key"],
        name=typed["name"],
        name_en=typed["name_en"],
        questionnaire=typed["questionnaire"],
        closed_from=first,
        closed_to=last,
        strata=typed["strata"],
        total=_whole(typed["total"]),
        beacon=typed["beacon"],
        ends=_day(typed["ends"]),
    )


def _days_of(month: str) -> tuple[date, date]:
    first = _day(f"{month}-01")
    if first == date.min:
        return date.max, date.min
    return first, (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 0


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return date.min
