"""The visits of one person, and the form in which one is recorded: made for a phone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from yiwang.core.inspections.checklists import Checklist, Counted, Measured, Photo
from yiwang.core.inspections.scoring import Outcome
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Refusal
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common import photos as pictures
from yiwang.server.common.formatting import NONE, number_text
from yiwang.server.common.language import say
from yiwang.server.common.refusing import sentences, status_of
from yiwang.server.common.templatetags.yiwang import BUILD
from yiwang.server.inspections import queries
from yiwang.server.inspections.access import is_drawn, sees_visit
from yiwang.server.inspections.models import Campaign, Visit, VisitPhoto
from yiwang.server.inspections.planning import checklist_of
from yiwang.server.inspections.recording import ItemSaid, VisitSaid, record_visit
from yiwang.server.inspections.views import OUTCOMES, name_of, place_name
from yiwang.server.scrutiny.access import staff_only

NOTHING = "none"  # the value of an item of which the place has nothing


@require_GET
@staff_only
def mine(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """The visits for which I was drawn, those to do first."""
    visits = queries.visits_for(city=place.info.id, username=request.user.get_username())
    rows = [
        {
            "pk": visit.pk,
            "place": place_name(place, visit.place),
            "campaign": name_of(visit.campaign),
            "ends": f"{visit.campaign.ends}",
            "second": visit.turn == 2,
            "recorded": bool(visit.outcome),
            "outcome": say(OUTCOMES[visit.outcome]),
            "score": NONE if visit.score is None else number_text(visit.score, 1),
        }
        for visit in visits
    ]
    return render(request, "inspections/mine.html", {"city": place.info, "page": "inspections", "rows": rows})


@require_GET
def worker(request: HttpRequest, city: str) -> HttpResponse:
    """The service worker with which the pages of visits open without a network."""
    place = city_or_404(city)
    known = {
        "cache": f"yiwang-visits-{place.info.id}",
        "mine": reverse("inspections-mine", args=[place.info.id]),
        "visits": reverse("inspection-visit", args=[place.info.id, 0]).removesuffix("0"),
    }
    found = sorted(Path(BUILD, "assets").glob("visit-worker-*.js"))
    code = found[0].read_text(encoding="utf-8") if found else ""
    response = HttpResponse(f"self.YIWANG_VISITS = {json.dumps(known)};\n{code}", content_type="text/javascript")
    response["Cache-Control"] = "no-cache"
    return response


@require_http_methods(["GET", "POST"])
@staff_only
def visit(request: HttpRequest, place: CityRuntime, pk: int) -> HttpResponse:
    """One visit: its form for who was drawn for it, else what was found."""
    found = Visit.objects.select_related("campaign").filter(pk=pk, campaign__city=place.info.id).first()
    if found is None or not sees_visit(request.user, found, place=place):
        raise Http404(say("没有这次检查", "There is no such visit"))
    try:
        checklist = checklist_of(found.campaign)
    except Refusal as error:
        raise Http404(say(error.text)) from None
    problems: list[str] = []
    wrong: dict[str, str] = {}
    status = 200
    if request.method == "POST":
        try:
            record_visit(found, _said(request, checklist), username=request.user.get_username())
            messages.success(request, say("已记录。", "Recorded."))
            return redirect("inspections-mine", place.info.id)
        except (Refusal, BadInput) as error:
            problems, status = sentences(error), status_of(error)
            if isinstance(error, BadInput):
                wrong = {one.column: say(one.message) for one in error.problems}
        found.refresh_from_db()
    context = {
        "city": place.info,
        "page": "inspections",
        "visit": found,
        "campaign": found.campaign,
        "title": place_name(place, found.place),
        "campaign_name": name_of(found.campaign),
        "mine": _is_mine(request, found),
        "outcome": say(OUTCOMES[found.outcome]),
        "score": NONE if found.score is None else number_text(found.score, 1),
        "distance": None if found.distance is None else number_text(found.distance),
        "items": _fields(request, checklist, wrong),
        "found": _found(found, checklist) if found.outcome else [],
        "outcomes": [(key, say(OUTCOMES[key])) for key in ("done", "refused", "missing")],
        "chosen": request.POST.get("outcome", "done"),
        "note": request.POST.get("note", ""),
        "problems": [problem for problem in problems if problem] if not wrong else [],
        "faults": len(wrong),
        "nothing": NOTHING,
    }
    return render(request, "inspections/visit.html", context, status=status)


@require_GET
@staff_only
def photo(request: HttpRequest, place: CityRuntime, pk: int) -> FileResponse:
    """A photo of a visit."""
    return _picture(_file(request, place, pk))


@require_GET
@staff_only
def small_photo(request: HttpRequest, place: CityRuntime, pk: int) -> FileResponse:
    """The small form of a photo."""
    try:
        return _picture(pictures.small_copy(_file(request, place, pk)))
    except OSError as error:
        raise Http404 from error


def _file(request: HttpRequest, place: CityRuntime, pk: int) -> Path:
    photos = VisitPhoto.objects.select_related("finding__visit__campaign")
    found = photos.filter(pk=pk, finding__visit__campaign__city=place.info.id).first()
    if found is None or not sees_visit(request.user, found.finding.visit, place=place):
        raise Http404
    path = Path(settings.YIWANG_HOME, found.path)
    if not path.is_file():
        raise Http404
    return path


def _picture(path: Path) -> FileResponse:
    answer = FileResponse(path.open("rb"), content_type="image/jpeg")
    answer["Cache-Control"] = "private, max-age=86400"
    return answer


def _is_mine(request: HttpRequest, visit: Visit) -> bool:
    """Whether the person may record it now."""
    return visit.campaign.step == Campaign.Step.DRAWN and not visit.outcome and is_drawn(request.user, visit)


def _said(request: HttpRequest, checklist: Checklist) -> VisitSaid:
    sent = request.POST
    outcome = sent.get("outcome", "")
    known = Outcome(outcome) if outcome in list(Outcome) else Outcome.DONE
    answers: dict[str, ItemSaid] = {}
    for item in checklist.items if known is Outcome.DONE else ():
        text = sent.get(f"value-{item.id}", "").strip()
        if not text:
            continue  # not answered
        answers[item.id] = ItemSaid(
            value=None if text == NOTHING or sent.get(f"nothing-{item.id}") else _number(text),
            note=sent.get(f"note-{item.id}", ""),
            photos=request.FILES.getlist(f"photos-{item.id}"),
        )
    for item in checklist.items if known is Outcome.DONE else ():
        if item.id not in answers and sent.get(f"nothing-{item.id}"):
            answers[item.id] = ItemSaid(value=None, note=sent.get(f"note-{item.id}", ""))
    lon, lat = _number(sent.get("lon", "")), _number(sent.get("lat", ""))
    located = abs(lon) <= 180 and abs(lat) <= 90  # false for what is no number
    return VisitSaid(
        outcome=known,
        answers=answers,
        note=sent.get("note", ""),
        lon=lon if located else None,
        lat=lat if located else None,
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _fields(request: HttpRequest, checklist: Checklist, wrong: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "id": item.id,
            "name": say(item.name),
            "kind": "counted" if isinstance(item.measure, Counted) else "measured" if isinstance(item.measure, Measured) else "yes_no",
            "unit": item.measure.unit if isinstance(item.measure, Measured) else "",
            "limit": f"{item.measure.limit:g}" if isinstance(item.measure, Measured) else "",
            "points": f"{item.points:g}",
            "photo": item.photo.value,
            "photo_always": item.photo is Photo.ALWAYS,
            "photo_failed": item.photo is Photo.FAILED,
            "value": request.POST.get(f"value-{item.id}", ""),
            "nothing": request.POST.get(f"nothing-{item.id}", ""),
            "note": request.POST.get(f"note-{item.id}", ""),
            "problem": wrong.get(item.id, ""),
        }
        for item in checklist.items
    ]  # fmt: skip


def _found(visit: Visit, checklist: Checklist) -> list[dict[str, Any]]:
    items = {item.id: item for item in checklist.items}
    return [
        {
            "name": say(items[one.item].name) if one.item in items else one.item,
            "met": one.met,
            "value": "" if one.value is None else f"{one.value:g}",
            "is_number": one.item in items and isinstance(items[one.item].measure, Counted | Measured),
            "points": f"{one.points:g} / {one.possible:g}" if one.possible else NONE,
            "note": one.note,
            "case": one.case or "",
            "photos": [photo.pk for photo in one.photos.all()],
        }
        for one in visit.findings.prefetch_related("photos")
    ]
