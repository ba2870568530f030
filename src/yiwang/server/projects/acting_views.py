"""What staff do with projects: propose, decide, and keep milestones, money and photos."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.refusals import Refusal
from yiwang.core.kernel.text import Text
from yiwang.server.cases.api import map_labels
from yiwang.server.cities.choosing import chosen
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.common.refusing import sentences, status_of
from yiwang.server.inventory.component_page import regions_url
from yiwang.server.people.models import User
from yiwang.server.portal.queries import adopted_ideas
from yiwang.server.projects import acceptance_operations, operations, work_operations
from yiwang.server.projects.models import Project
from yiwang.server.projects.operations import ProjectSaid, today_in
from yiwang.server.projects.reading_forms import cents_of, day_of, wrong
from yiwang.server.projects.views import project_or_404, project_page
from yiwang.server.scrutiny.access import is_staff

Act = Callable[[Project, User], object]


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, city: str) -> HttpResponse:
    """Propose a project, also one that citizens had the idea of."""
    place = city_or_404(city)
    user = request.user
    if not isinstance(user, User):
        return redirect_to_login(request.get_full_path())
    if not is_staff(user, place=place):
        return _not_allowed(request, place)
    problems, status = [], 200
    if request.method == "POST":
        try:
            made = operations.propose(place, _said(place, request.POST), user=user)
        except (Refusal, BadInput) as error:
            problems, status = sentences(error), status_of(error)
        else:
            messages.success(request, say("已提出，由另一人决定是否立项。", "Proposed; somebody else decides."))
            return redirect("project", city, made.key)
    context = {
        "city": place.info,
        "page": "projects",
        "problems": problems,
        "values": request.POST or {"year": today_in(place).year, "idea": request.GET.get("idea", "")},
        "ideas": adopted_ideas(place=place),
        "map_regions_url": regions_url(place, ""),
        "map_labels": map_labels(),
    }
    return render(request, "projects/new.html", context, status=status)


@require_POST
def choose_it(request: HttpRequest, city: str, key: str) -> HttpResponse:
    """Choose, with budget and milestones."""
    post = request.POST

    def act(found: Project, user: User) -> None:
        operations.choose(
            found,
            budget_cents=cents_of(post.get("budget", ""), "budget"),
            milestones=[
                (name.strip(), day_of(day, "milestones"))
                for name, day in zip(post.getlist("milestone"), post.getlist("due_on"), strict=False)
                if name.strip() or day.strip()
            ],
            text=post.get("text", ""),
            user=user,
        )

    return _act(request, city, key, act, say("已立项。", "Chosen."))


@require_POST
def refuse_it(request: HttpRequest, city: str, key: str) -> HttpResponse:
    """Refuse."""
    text = request.POST.get("text", "")
    return _act(
        request, city, key, lambda found, user: operations.refuse(found, text=text, user=user),
        say("已决定不予立项。", "Refused."),
    )  # fmt: skip


@require_POST
def drop_it(request: HttpRequest, city: str, key: str) -> HttpResponse:
    """Give it up."""
    text = request.POST.get("text", "")
    return _act(
        request, city, key, lambda found, user: operations.drop(found, text=text, user=user),
        say("已取消。", "Dropped."),
    )  # fmt: skip


@require_POST
def begin_it(request: HttpRequest, city: str, key: str) -> HttpResponse:
    """Work begins."""
    return _act(
        request, city, key, lambda found, user: operations.begin(found, user=user), say("已开工。", "Work has begun.")
    )


@require_POST
def finish_one(request: HttpRequest, city: str, key: str) -> HttpResponse:
    """A milestone is done."""
    post = request.POST

    def act(found: Project, user: User) -> None:
        work_operations.finish_milestone(
            found,
            milestone=_pk(post.get("milestone", "")),
            done_on=day_of(post.get("day", ""), "day"),
            note=post.get("note", ""),
            files=request.FILES.getlist("photos"),
            user=user,
        )

    return _act(request, city, key, act, say("已保存。", "Saved."))


@require_POST
def add_to_photos(request: HttpRequest, city: str, key: str) -> HttpResponse:
    """Add photos."""
    files, moment = request.FILES.getlist("photos"), request.POST.get("moment", "")
    return _act(
        request, city, key,
        lambda found, user: work_operations.add_photos(found, files=files, moment=moment, user=user),
        say("已保存。", "Saved."),
    )  # fmt: skip


@require_POST
def drop_photo(request: HttpRequest, city: str, key: str) -> HttpResponse:
    """Take a photo off the pages."""
    photo, text = _pk(request.POST.get("photo", "")), request.POST.get("text", "")
    return _act(
        request, city, key,
        lambda found, user: work_operations.remove_photo(found, photo=photo, text=text, user=user),
        say("已撤下。", "Taken off."),
    )  # fmt: skip


@require_POST
def spend_it(request: HttpRequest, city: str, key: str) -> HttpResponse:
    """Enter money that was spent."""
    post = request.POST

    def act(found: Project, user: User) -> None:
        work_operations.spend(
            found,
            cents=cents_of(post.get("amount", ""), "amount"),
            day=day_of(post.get("day", ""), "day"),
            note=post.get("note", ""),
            user=user,
        )

    return _act(request, city, key, act, say("已保存。", "Saved."))


@require_POST
def cancel_one(request: HttpRequest, city: str, key: str) -> HttpResponse:
    """Cancel an entry of money."""
    spending = _pk(request.POST.get("spending", ""))
    return _act(
        request, city, key,
        lambda found, user: work_operations.cancel_spending(found, spending=spending, user=user),
        say("已作废。", "Cancelled."),
    )  # fmt: skip


@require_POST
def report_it(request: HttpRequest, city: str, key: str) -> HttpResponse:
    """Report it done."""
    return _act(
        request, city, key, lambda found, user: work_operations.report_done(found, user=user),
        say("已报完工，群众评议开始。", "Reported done; citizens can vote."),
    )  # fmt: skip


@require_POST
def close_it(request: HttpRequest, city: str, key: str) -> HttpResponse:
    """Accept it, or have it done again."""
    accepted, text = request.POST.get("accepted") == "yes", request.POST.get("text", "")
    return _act(
        request, city, key,
        lambda found, user: acceptance_operations.close(found, accepted=accepted, text=text, user=user),
        say("已决定。", "Decided."),
    )  # fmt: skip


def _act(request: HttpRequest, city: str, key: str, act: Act, said: str) -> HttpResponse:
    """Do it and lead back to the page; or the page once more, with why it was not done and with what was typed."""
    place, user = city_or_404(city), request.user
    if not isinstance(user, User):
        return redirect_to_login(reverse("project", args=[city, key]))
    if not is_staff(user, place=place):
        return _not_allowed(request, place)
    found = project_or_404(request, place, key)
    try:
        act(found, user)
    except (Refusal, BadInput) as error:
        found.refresh_from_db()
        return project_page(request, place, found, problems=sentences(error), status=status_of(error))
    messages.success(request, said)
    return redirect("project", city, key)


def _said(place: CityRuntime, post: QueryDict) -> ProjectSaid:
    """What the form says.

    Raises:
        BadInput: When a number is none, or words name no region or unit.
    """
    values: dict[str, Any] = {name: post.get(name, "") for name in ("name", "name_en", "kind", "description")}
    year, idea = post.get("year", "").strip(), post.get("idea", "").strip()
    lon, lat = _degrees(post)
    return ProjectSaid(
        region=chosen(place, post, "region"),
        unit=chosen(place, post, "unit"),
        year=int(year) if year.isascii() and year.isdecimal() and len(year) == 4 else 0,
        idea=_pk(idea) if idea else None,
        lon=lon,
        lat=lat,
        **values,
    )


def _degrees(post: QueryDict) -> tuple[float | None, float | None]:
    found: list[float | None] = []
    for name, most in (("lon", 180), ("lat", 90)):
        text = post.get(name, "").strip()
        try:
            value = float(text) if text else None
        except ValueError:
            value = float("nan")
        if value is not None and not (isfinite(value) and abs(value) <= most):
            raise wrong(name, Text("「{text}」不是坐标。", "{text!r} is no coordinate.", text=text[:20]))
        found.append(value)
    lon, lat = found
    if (lon is None) != (lat is None):
        raise BadInput(
            Problem(Text("经度和纬度要么都填，要么都不填。", "Give both longitude and latitude, or neither."))
        )
    return lon, lat


def _pk(text: str) -> int:
    """A key that a form of the page sends; 0, which nothing has, for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def _not_allowed(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    detail = say("这里只对本市工作人员开放。", "This is for people who hold a post in this city.")
    context = {"city": place.info, "title": say("不允许", "Not allowed"), "detail": detail}
    return render(request, "problem.html", context, status=403)
