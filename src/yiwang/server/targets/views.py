"""Pages of target letters: the tree of a year, and one letter with its progress, signatures and file."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Refusal
from yiwang.server.cases.api import stands_at
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.common.paper import pdf_answer
from yiwang.server.common.refusing import sentences
from yiwang.server.people.models import User
from yiwang.server.scrutiny.access import assesses, is_staff
from yiwang.server.targets import queries
from yiwang.server.targets.access import sees
from yiwang.server.targets.drafting import sums_of
from yiwang.server.targets.models import Letter
from yiwang.server.targets.presentation import EVENTS, SIDES, item_line, light_chip, step_chip, unit_name
from yiwang.server.targets.progress import months_for
from yiwang.server.targets.signing import sides_open_to, sign_letter


@require_GET
def letter_list(request: HttpRequest, city: str) -> HttpResponse:
    """The letters of a year as a tree, with light and progress."""
    place = city_or_404(city)
    staff = is_staff(request.user, place=place)
    years = queries.years_of(city, staff=staff)
    year = year_asked(request, place, years)
    found = queries.letters_of(city, year, staff=staff)
    months = months_for(place, found, year=year)
    rows = []
    for depth, one in queries.ordered(place, found):
        light, progress = queries.standing(one, months)
        lines = [item_line(item, own) for item, own in zip(one.items.all(), progress, strict=True)]
        rows.append(
            {
                "letter": one,
                "indent": "\u3000" * depth,
                "name": unit_name(place, one.unit),
                "chip": light_chip(light),
                "step": step_chip(one),
                "lines": lines,
            }
        )
    context = {
        "city": place.info,
        "page": "targets",
        "year": year,
        "years": sorted({*years, year}, reverse=True),
        "rows": rows,
        "as_of": months.as_of,
        "assesses": assesses(request.user, place=place),
        "any_in_force": bool(queries.in_force(found)),
    }
    return render(request, "targets/list.html", context)


@require_GET
def letter(request: HttpRequest, city: str, year: int, unit: str) -> HttpResponse:
    """A unit's letter of a year; ``?version=`` asks for another than the one that stands."""
    place = city_or_404(city)
    seen = [one for one in queries.versions_of(city, year, unit) if sees(request.user, one, place=place)]
    found = _chosen(seen, request.GET.get("version", ""))
    if found is None or unit not in place.regions:
        raise Http404(say("没有这份责任书", "There is no such letter"))
    months = months_for(place, [found], year=year)
    light, progress = queries.standing(found, months)
    keeps = assesses(request.user, place=place)
    open_draft = keeps and found.step == Letter.Step.DRAFT
    context = {
        "city": place.info,
        "page": "targets",
        "letter": found,
        "title": say(
            "{unit} {year} 年目标责任书", "Target letter of {unit}, {year}", unit=unit_name(place, unit), year=year
        ),
        "step": step_chip(found),
        "chip": light_chip(light),
        "as_of": months.as_of,
        "above": found.parent and {"name": unit_name(place, found.parent.unit), "letter": found.parent},
        "lines": [item_line(item, own) for item, own in zip(found.items.all(), progress, strict=True)],
        "signatures": [{"side": say(SIDES[one.side]), "signature": one} for one in found.signatures.all()],
        "versions": [{"letter": one, "step": step_chip(one)} for one in seen],
        "history": _history(request, found, place),
        "sums": [say(one.message) for one in sums_of(place, found)] if open_draft else [],
        "may_draft": open_draft,
        "may_drop": keeps and found.step in (Letter.Step.DRAFT, Letter.Step.ISSUED),
        "may_replace": keeps and found.step == Letter.Step.IN_FORCE,
        "may_hand_down": keeps
        and found.step in (Letter.Step.ISSUED, Letter.Step.IN_FORCE)
        and bool(place.regions.children(unit)),
        "sides": [
            {"id": side.value, "name": say(SIDES[side])} for side in sides_open_to(request.user, found, place=place)
        ],
        "has_file": found.issued_at is not None,
    }
    return render(request, "targets/letter.html", context)


@require_GET
def file_pdf(request: HttpRequest, city: str, pk: int) -> HttpResponse:
    """The file of a letter, with the signatures that it has."""
    place = city_or_404(city)
    found = letter_or_404(place, pk)
    content = queries.file_of(found) if sees(request.user, found, place=place) else None
    if content is None:
        raise Http404(say("没有这份责任书", "There is no such letter"))
    return pdf_answer(content, name=f"{city}-target-letter-{found.year}-{found.unit}-v{found.version}")


@require_POST
def sign_it(request: HttpRequest, city: str, pk: int) -> HttpResponse:
    """Sign."""
    place, user = city_or_404(city), request.user
    if not isinstance(user, User):
        return redirect_to_login(reverse("targets", args=[city]))
    found = letter_or_404(place, pk)
    try:
        held = sign_letter(place, found, side=request.POST.get("side", ""), user=user)
    except (Refusal, BadInput) as error:
        tell_error(request, error)
    else:
        done = say("已签订，责任书生效。", "Signed: the letter is in force.")
        messages.success(request, done if held.step == Letter.Step.IN_FORCE else say("已签订。", "Signed."))
    return redirect("target-letter", city, found.year, found.unit)


def letter_or_404(place: CityRuntime, pk: int) -> Letter:
    """A letter of a city, without its file."""
    found = Letter.objects.defer("file").filter(city=place.info.id, pk=pk).first()
    if found is None:
        raise Http404(say("没有这份责任书", "There is no such letter"))
    return found


def year_asked(request: HttpRequest, place: CityRuntime, years: list[int]) -> int:
    """The year of the address, else the newest of which there are letters, else the city's own."""
    asked = request.GET.get("year", "")
    if asked.isascii() and asked.isdecimal() and len(asked) == 4:
        return int(asked)
    today = (stands_at(city=place.info.id) or timezone.now()).astimezone(place.info.zone)
    return years[0] if years else today.year


def tell_error(request: HttpRequest, error: Refusal | BadInput) -> None:
    """Say on the next page why something was not done."""
    for sentence in sentences(error):
        messages.error(request, sentence)


def _chosen(seen: list[Letter], version: str) -> Letter | None:
    """The version asked for; else the newest that was not dropped."""
    if version:
        return next((one for one in seen if f"{one.version}" == version), None)
    return next((one for one in seen if one.step != Letter.Step.DROPPED), seen[0] if seen else None)


def _history(request: HttpRequest, found: Letter, place: CityRuntime) -> list[dict[str, Any]]:
    """What happened, for those who hold a post in the city."""
    if not is_staff(request.user, place=place):
        return []
    return [
        {"event": one, "what": say(EVENTS[one.kind]), "version": one.subject.rpartition("/")[2]}
        for one in queries.events_of(found)
    ]
