"""Pages of projects for people that everybody sees: the list of a year, one project, its photos, and the vote on it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Refusal
from yiwang.server.cases.api import map_labels
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common import photos as pictures
from yiwang.server.common import throttling
from yiwang.server.common.formatting import currency_of
from yiwang.server.common.language import say
from yiwang.server.common.refusing import sentences, status_of
from yiwang.server.inventory.component_page import regions_url
from yiwang.server.portal import links
from yiwang.server.portal.queries import adopted_idea
from yiwang.server.projects import acceptance_operations, queries
from yiwang.server.projects.access import may_vote, of_its_unit, sees, works_on
from yiwang.server.projects.models import Project, ProjectPhoto
from yiwang.server.projects.operations import MOST_MILESTONES, WORKED_ON, today_in
from yiwang.server.projects.presentation import (
    LIVE,
    MOMENTS,
    STEPS,
    event_rows,
    letter_rows,
    milestone_rows,
    money,
    photo_pairs,
    project_row,
    spending_rows,
)
from yiwang.server.projects.work_operations import KEPT
from yiwang.server.scrutiny.access import assesses, is_staff

VOTE = throttling.Limit(kind="project-vote", most=60, window=timedelta(minutes=10))
# a household behind one address, not a crowd
VOTE_PROJECT = throttling.Limit(kind="project-vote-one", most=5, window=timedelta(days=1))
EMPTY_MILESTONES = 6


@require_GET
def project_list(request: HttpRequest, city: str) -> HttpResponse:
    """The projects of a year, with money and milestones."""
    place = city_or_404(city)
    staff, today = is_staff(request.user, place=place), today_in(place)
    years = queries.years_of(city, staff=staff)
    asked, step = request.GET.get("year", ""), request.GET.get("step", "")
    known = asked.isascii() and asked.isdecimal() and len(asked) == 4
    year = int(asked) if known else years[0] if years else today.year
    found = queries.projects_of(city, year=year, staff=staff)
    rows = [
        project_row(one, place, today=today, spent_cents=one.spent_cents)  # type: ignore[attr-defined]
        for one in found
        if step not in STEPS or one.step == step
    ]
    shown = [row["project"] for row in rows]
    context = {
        "city": place.info,
        "page": "projects",
        "year": year,
        "years": sorted({*years, year}, reverse=True),
        "step": step,
        "steps": [(id, say(name)) for id, (name, _) in STEPS.items() if any(one.step == id for one in found)],
        "rows": rows,
        "letters": letter_rows(place, year=year),
        "budget": money(sum(one.budget_cents or 0 for one in shown), place),
        "spent": money(sum(one.spent_cents for one in shown), place),
        "late": sum(row["late"] for row in rows),
        "staff": staff,
    }
    return render(request, "projects/list.html", context)


@require_GET
def project(request: HttpRequest, city: str, key: str) -> HttpResponse:
    """One project."""
    place = city_or_404(city)
    return project_page(request, place, project_or_404(request, place, key))


@require_POST
def vote(request: HttpRequest, city: str, key: str) -> HttpResponse:
    """A citizen's vote."""
    place = city_or_404(city)
    found = project_or_404(request, place, key)
    person, name = links.person(request)
    network = throttling.caller(request).network
    try:
        throttling.slow_down(VOTE, network)
        throttling.slow_down(VOTE_PROJECT, f"{network}|{found.pk}")
        acceptance_operations.vote(
            found,
            person=person,
            good=request.POST.get("good") == "yes",
            words=request.POST.get("words", ""),
            user=request.user,
        )
    except (Refusal, BadInput) as error:
        return project_page(request, place, found, problems=sentences(error), status=status_of(error))
    messages.success(request, say("已收到您的评议，谢谢。", "Your vote is counted. Thank you."))
    answer = redirect("project", city, key)
    if name:
        links.name_visitor(answer, name)
    return answer


@require_GET
def photo(request: HttpRequest, city: str, key: str, photo: int) -> FileResponse:
    """A photo of a project as it was re-encoded."""
    return _picture(_file(request, city, key, photo))


@require_GET
def small_photo(request: HttpRequest, city: str, key: str, photo: int) -> FileResponse:
    """The small form of a photo."""
    try:
        return _picture(pictures.small_copy(_file(request, city, key, photo)))
    except OSError as error:
        raise Http404 from error


def project_or_404(request: HttpRequest, place: CityRuntime, key: str) -> Project:
    """The project, if whoever asks may see it."""
    found = queries.project_of(city=place.info.id, key=key)
    if found is None or not sees(request.user, found, place=place):
        raise Http404(say("没有这个项目", "There is no such project"))
    return found


def project_page(
    request: HttpRequest, place: CityRuntime, found: Project, *, problems: list[str] | None = None, status: int = 200
) -> HttpResponse:
    """The page of a project, with what was wrong with what somebody sent."""
    user, today = request.user, today_in(place)
    staff = is_staff(user, place=place)
    photos = list(found.photos.all())
    spent = sum(one.cents for one in found.spendings.all() if one.cancelled_at is None)
    votes = acceptance_operations.votes_of(found)
    context = {
        "city": place.info,
        "page": "projects",
        "problems": problems or [],
        "values": request.POST,
        "project": found,
        "row": project_row(found, place, today=today, spent_cents=spent),
        "idea": adopted_idea(place=place, idea=found.idea) if found.idea else None,
        "milestones": milestone_rows(found, today=today),
        "spendings": spending_rows(found, place),
        "currency": currency_of(place.info.country),
        "photos": photos,
        "pairs": photo_pairs(photos),
        "during": [one for one in photos if one.moment == ProjectPhoto.Moment.DURING],
        "moments": [(id, say(name)) for id, name in MOMENTS.items()],
        "votes": votes,
        "words": [one for one in found.votes.all() if one.words] if staff else [],
        "enough": acceptance_operations.ENOUGH_VOTES,
        "history": event_rows(queries.events_of(found), place, staff=staff),
        "staff": staff,
        "today": f"{today}",
        "map_regions_url": regions_url(place, found.region),
        "map_labels": map_labels(),
        **_open_to(request, place, found, votes, today),
    }
    return render(request, "projects/project.html", context, status=status)


def _open_to(
    request: HttpRequest, place: CityRuntime, found: Project, votes: acceptance_operations.Votes, today: date
) -> dict[str, Any]:
    """What whoever looks at the page may do now."""
    user, step, name = request.user, found.step, request.user.get_username()
    keeps, decides = works_on(user, found, place=place), assesses(user, place=place)
    proposed = step == Project.Step.PROPOSED
    voting = acceptance_operations.is_open(found)
    closing = step == Project.Step.DONE and not voting and decides
    apart = name != found.reported_by and not of_its_unit(user, found, place=place)
    known = user.is_authenticated or links.visitor(request)
    voted = bool(voting and known) and found.votes.filter(round=found.round, person=links.person(request)[0]).exists()
    names, days = request.POST.getlist("milestone"), request.POST.getlist("due_on")
    typed = list(zip(names, days, strict=False))[:MOST_MILESTONES]
    return {
        "voting": voting,
        "voted": voted,
        "may_vote": voting and not voted and may_vote(user, found, place=place),
        "may_choose": decides and proposed and name != found.by,
        "waits_for_other": (decides and proposed and name == found.by) or (closing and not apart),
        "typed_milestones": typed or [("", "")] * EMPTY_MILESTONES,
        "may_drop": (proposed and name == found.by) or (decides and name != found.by and (proposed or step in LIVE)),
        "may_begin": keeps and step == Project.Step.CHOSEN,
        "may_work": keeps and step in WORKED_ON,
        "may_keep": keeps and step in KEPT,
        "may_remove_photos": keeps,
        "may_close": closing and apart,
        "may_accept": closing and apart and (votes.accepts or not votes.enough),
        "may_reopen": closing and apart and not votes.accepts,
    }


def _file(request: HttpRequest, city: str, key: str, photo: int) -> Path:
    place = city_or_404(city)
    found = queries.photo_of(city=city, key=key, photo=photo)
    if found is None or not sees(request.user, found[0], place=place):
        raise Http404
    return found[1]


def _picture(path: Path) -> FileResponse:
    answer = FileResponse(path.open("rb"), content_type="image/jpeg")
    answer["Cache-Control"] = "private, max-age=3600"
    return answer
