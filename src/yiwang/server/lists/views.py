"""Pages of red and black lists: everybody reads what is published, staff what stands on notice; units object, others decide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from yiwang.core.indicators.lists import Colour, last_period
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Refusal
from yiwang.core.kernel.text import Text
from yiwang.server.cases.api import stands_at
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.formatting import number_text
from yiwang.server.common.language import say
from yiwang.server.common.refusing import sentences
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.lists import operations, queries
from yiwang.server.lists.models import Edition, ListEntry
from yiwang.server.people.models import User
from yiwang.server.scores.presentation import thing
from yiwang.server.scrutiny.access import assesses, is_staff

STEPS = {
    "noticed": (Text("公示中", "On notice"), "yellow"),
    "published": (Text("已公布", "Published"), "green"),
}
COLOURS = {Colour.RED.value: Text("红榜", "Red list"), Colour.BLACK.value: Text("黑榜", "Black list")}


@require_GET
def edition_list(request: HttpRequest, city: str) -> HttpResponse:
    """The rules of the city's lists, and their editions."""
    place = city_or_404(city)
    staff = is_staff(request.user, place=place)
    today = (stands_at(city=city) or timezone.now()).astimezone(place.info.zone).date()
    rules = [one for one in place.pack.indicators.lists if one.validity.contains(today)]
    context = {
        "city": place.info,
        "page": "lists",
        "rules": [
            {
                "terms": _terms(operations.terms_of(one), place),
                "id": one.id,
                "period": last_period(one.period, today=today).name,
            }
            for one in rules
        ],
        "editions": [
            {
                "edition": one,
                "name": _name(one),
                "step": _step(one),
                "red": _names(one, Colour.RED, place),
                "black": _names(one, Colour.BLACK, place),
            }
            for one in queries.editions_of(city, staff=staff)
        ],
        "assesses": assesses(request.user, place=place),
    }
    return render(request, "lists/list.html", context)


@require_GET
def edition(request: HttpRequest, city: str, rule: str, period: str) -> HttpResponse:
    """One edition: who stands on it and why, objections and what was decided."""
    place = city_or_404(city)
    found = _edition_or_404(request, place, rule, period)
    user = request.user
    keeps = assesses(user, place=place)
    today = timezone.now().astimezone(place.info.zone).date()
    on_notice = found.step == Edition.Step.NOTICED
    open_for_objections = on_notice and today <= found.objections_until
    entries, before = list(found.entries.select_related("edition")), queries.times_before(found)
    context = {
        "city": place.info,
        "page": "lists",
        "edition": found,
        "title": _name(found),
        "step": _step(found),
        "terms": _terms(found.terms, place),
        "lists": [
            {
                "name": say(name),
                "colour": colour,
                "rows": [
                    _row(
                        one,
                        place,
                        before=before,
                        may_object=open_for_objections and operations.belongs(user, one, place=place),
                        may_decide=keeps and on_notice,
                    )
                    for one in entries
                    if one.colour == colour
                ],
            }
            for colour, name in COLOURS.items()
        ],
        "left_out": [thing(place, found.terms["level"], key) for key in found.left_out],
        "may_end": keeps and on_notice,
        "may_publish": keeps and on_notice and today > found.objections_until,
    }
    return render(request, "lists/edition.html", context)


@require_POST
def notice(request: HttpRequest, city: str) -> HttpResponse:
    """Give notice of a period's lists."""
    place = city_or_404(city)
    if (stopped := _stopped(request, place)) is not None:
        return stopped
    rule, period = request.POST.get("rule", ""), request.POST.get("period", "").strip()
    try:
        made = operations.give_notice(place, rule=rule, period=period, by=request.user.get_username())
    except (Refusal, BadInput) as error:
        _tell(request, error)
        return redirect("lists", city)
    messages.success(request, say("已公示。", "Notice is given."))
    return redirect("list-edition", city, made.rule, made.period)


@require_POST
def object_it(request: HttpRequest, city: str, pk: int) -> HttpResponse:
    """Object."""
    place, user = city_or_404(city), request.user
    if not isinstance(user, User):
        return redirect_to_login(reverse("lists", args=[city]))
    entry, text = _entry_or_404(place, pk), request.POST.get("text", "")
    return _done(
        request,
        entry.edition,
        say("已提出异议。", "The objection is made."),
        lambda: operations.object_to(entry, user=user, text=text),
    )


@require_POST
def decide_it(request: HttpRequest, city: str, pk: int) -> HttpResponse:
    """Decide on an objection."""
    place = city_or_404(city)
    if (stopped := _stopped(request, place)) is not None:
        return stopped
    entry = _entry_or_404(place, pk)
    return _done(
        request, entry.edition, say("已决定。", "Decided."),
        lambda: operations.decide_objection(
            entry, upheld=request.POST.get("upheld") == "yes", text=request.POST.get("text", ""), by=request.user.get_username()
        ),
    )  # fmt: skip


@require_POST
def publish_it(request: HttpRequest, city: str, rule: str, period: str) -> HttpResponse:
    """Publish."""
    return _end(request, city, rule, period, operations.publish, say("已公布。", "Published."))


@require_POST
def withdraw_it(request: HttpRequest, city: str, rule: str, period: str) -> HttpResponse:
    """Withdraw."""
    return _end(request, city, rule, period, operations.withdraw, say("已撤回。", "Withdrawn."))


def _end(
    request: HttpRequest, city: str, rule: str, period: str, act: Callable[..., Edition], said: str
) -> HttpResponse:
    place = city_or_404(city)
    if (stopped := _stopped(request, place)) is not None:
        return stopped
    found = _edition_or_404(request, place, rule, period)
    try:
        act(found, by=request.user.get_username())
        messages.success(request, said)
    except (Refusal, BadInput) as error:
        _tell(request, error)
    found.refresh_from_db()
    if found.step == Edition.Step.WITHDRAWN:
        return redirect("lists", city)
    return redirect("list-edition", city, rule, period)


def _done(request: HttpRequest, edition: Edition, said: str, act: Callable[[], object]) -> HttpResponse:
    try:
        act()
        messages.success(request, said)
    except (Refusal, BadInput) as error:
        _tell(request, error)
    return redirect("list-edition", edition.city, edition.rule, edition.period)


def _tell(request: HttpRequest, error: Refusal | BadInput) -> None:
    for sentence in sentences(error):
        messages.error(request, sentence)


def _stopped(request: HttpRequest, place: CityRuntime) -> HttpResponse | None:
    if not request.user.is_authenticated:
        return redirect_to_login(reverse("lists", args=[place.info.id]))
    if assesses(request.user, place=place):
        return None
    detail = say(
        "红黑榜由系统管理员和负责考评的岗位办理。",
        "Lists are for administrators and for who assesses the city.",
    )
    context = {"city": place.info, "title": say("不允许", "Not allowed"), "detail": detail}
    return render(request, "problem.html", context, status=403)


def _edition_or_404(request: HttpRequest, place: CityRuntime, rule: str, period: str) -> Edition:
    found = queries.edition_of(city=place.info.id, rule=rule, period=period)
    if found is None or (found.step != Edition.Step.PUBLISHED and not is_staff(request.user, place=place)):
        raise Http404(say("没有这一期榜单", "There is no such list"))
    return found


def _entry_or_404(place: CityRuntime, pk: int) -> ListEntry:
    found = ListEntry.objects.select_related("edition").filter(pk=pk, edition__city=place.info.id).first()
    if found is None:
        raise Http404(say("没有这一期榜单", "There is no such list"))
    return found


def _name(edition: Edition) -> str:
    return f"{say(Text.of(edition.terms['name']))} {edition.period}"


def _step(edition: Edition) -> dict[str, str]:
    name, light = STEPS[edition.step]
    return {"name": say(name), "light": light}


def _names(edition: Edition, colour: Colour, place: CityRuntime) -> list[str]:
    """Who stands on a list, without those whose objection was upheld."""
    level = edition.terms["level"]
    return [thing(place, level, one.unit) for one in edition.entries.all() if one.colour == colour and not one.upheld]


def _terms(terms: dict[str, Any], place: CityRuntime) -> dict[str, Any]:
    """A rule in words."""
    book = place.pack.indicators
    evaluation = next((one for one in book.evaluations if one.id == terms["evaluation"]), None)
    caseload = next((one for one in book.indicators if one.id == terms["caseload"]), None)
    level = next((one for one in place.info.levels if one.id == terms["level"]), None)
    return {
        **terms,
        "name": say(Text.of(terms["name"])),
        "evaluation": named(evaluation) if evaluation else terms["evaluation"],
        "caseload": named(caseload) if caseload else terms["caseload"],
        "who": named(level) if level else say("部门", "department"),
        "least": f"{terms['least']:g}",
    }


def _row(
    entry: ListEntry, place: CityRuntime, *, before: dict[tuple[str, str], int], may_object: bool, may_decide: bool
) -> dict[str, Any]:
    level = entry.edition.terms["level"]
    return {
        "entry": entry,
        "name": thing(place, level, entry.unit),
        "score": number_text(entry.score, 1),
        "places": f"{entry.best}" if entry.best == entry.worst else f"{entry.best}–{entry.worst}",
        "caseload": number_text(entry.caseload),
        "off": bool(entry.upheld),
        "may_object": may_object and not entry.objection,
        "may_decide": may_decide and bool(entry.objection) and entry.upheld is None,
        "before": before.get((entry.unit, entry.colour), 0),
    }
