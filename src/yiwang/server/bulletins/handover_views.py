"""The hand-over between shifts (交班、接班) at a unit: what is open, notes, a record that stays, and who signs for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Conflict, Refusal
from yiwang.server.bulletins import operations
from yiwang.server.bulletins.models import Handover
from yiwang.server.bulletins.standing import KINDS, SHIFTS, standing
from yiwang.server.cases.api import Case, category_name, region_name, step_name, unit_name
from yiwang.server.cities.choosing import chosen
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.common.paper import language_of, pdf_answer
from yiwang.server.common.refusing import sentences, status_of
from yiwang.server.desks.queue import desks_of
from yiwang.server.people.models import User
from yiwang.server.people.queries import name_of

EARLIER = 20
MOST_UNITS = 12  # in a plain list; of more, one is chosen by words
LARGEST_ID = 2**63 - 1
PREFIX = "note-"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDuty:
    """Whoever holds a desk at units of the city.

    Attributes:
        place: City.
        who: The writer that records name.
        units: Their own: here they hand over and sign.
    """

    place: CityRuntime
    who: operations.Writer
    units: tuple[str, ...]

    def reads(self, unit: str) -> bool:
        """Whether they may read of a unit: their own, or one below it."""
        return any(own == unit or self.place.rules.units.is_above(own, unit) for own in self.units)


View = Callable[..., HttpResponseBase]


def on_duty(view: View) -> View:
    """Lets in who holds a desk's post at a unit of the city."""

    @wraps(view)
    def guard(request: HttpRequest, city: str, **rest: Any) -> HttpResponseBase:
        place = city_or_404(city)
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        actors = [actor for desk in desks_of(request.user, place=place) for actor in desk.actors]
        units = tuple(dict.fromkeys(actor.unit for actor in actors if actor.unit in place.rules.units))
        if not units:
            detail = say("交接班只对在单位有岗位的人员开放。", "Hand-overs are for people who hold a post at a unit.")
            context = {"city": place.info, "title": say("不允许", "Not allowed"), "detail": detail}
            return render(request, "problem.html", context, status=403)
        writer = operations.Writer(id=actors[0].id, name=actors[0].name[:120])
        return view(request, OnDuty(place=place, who=writer, units=units), **rest)

    return guard


@require_http_methods(["GET", "POST"])
@on_duty
def page(request: HttpRequest, duty: OnDuty) -> HttpResponse:
    """What is open at a unit, with the notes; and, posted, the notes saved or the shift handed over."""
    asked = request.POST if request.method == "POST" else request.GET
    try:
        unit = chosen(duty.place, asked, "unit") or duty.units[0]
    except BadInput as error:
        raise Http404(" ".join(sentences(error))) from error
    hours = _hours(asked.get("hours", ""))
    if not duty.reads(unit):
        raise Http404(say("没有这个单位，或它不归您管。", "There is no such unit, or it is not below yours."))
    if request.method == "GET":
        return _shown(request, duty, unit, hours)
    if unit not in duty.units:
        raise Http404(say("只有本单位人员可以交班。", "Only people of the unit itself hand over."))
    typed, version = _typed(request.POST, city=duty.place.info.id), _whole(request.POST.get("version", ""))
    what: dict[str, Any] = {
        "city": duty.place.info.id, "unit": unit, "version": version, "typed": typed, "by": duty.who
    }  # fmt: skip
    here = f"{reverse('handover', args=[duty.place.info.id])}?{urlencode({'unit': unit, 'hours': hours})}"
    try:
        if request.POST.get("action") == "hand_over":
            found = standing(place=duty.place, unit=unit, hours=hours, at=timezone.now())
            made = operations.hand_over(**what, hours=hours, found=found)
            messages.success(request, say("已交班，等待接班人签收。", "Handed over; the next shift is to sign."))
            return redirect("handover-record", duty.place.info.id, made.pk)
        operations.save_draft(**what)
    except (Refusal, BadInput) as error:
        return _shown(
            request, duty, unit, hours, typed=typed, problems=sentences(error), conflict=isinstance(error, Conflict),
            status=status_of(error),
        )  # fmt: skip
    messages.success(request, say("备注已保存。", "Notes saved."))
    return redirect(here)


def _shown(
    request: HttpRequest,
    duty: OnDuty,
    unit: str,
    hours: int,
    *,
    typed: operations.Notes | None = None,
    problems: Iterable[str] = (),
    conflict: bool = False,
    status: int = 200,
) -> HttpResponse:
    place, now = duty.place, timezone.now()
    draft = operations.draft_of(city=place.info.id, unit=unit)
    found = standing(place=place, unit=unit, hours=hours, at=now)
    notes = typed.notes if typed else draft.notes
    for row in found.cases:
        row["note"], row["other"] = notes.get(row["number"], ""), ""
        if conflict and draft.notes.get(row["number"], "") != row["note"]:
            row["other"] = draft.notes.get(row["number"], "")
    listed = {row["number"] for row in found.cases}
    units = [one for one in place.rules.units if duty.reads(one.code)]
    cases = (
        f"{reverse('cases', args=[place.info.id])}?{urlencode({'holder': unit, 'state': 'open', 'order': 'deadline'})}"
    )
    return render(
        request,
        "bulletins/handover.html",
        {
            "city": place.info,
            "page": "handover",
            "unit": unit,
            "unit_name": unit_name(place, unit),
            "units": units,
            "many_units": len(units) > MOST_UNITS,
            "own_units": [(own, unit_name(place, own)) for own in duty.units],
            "own": unit in duty.units,
            "hours": hours,
            "shifts": SHIFTS,
            "now": now,
            "counts": [(kind, say(KINDS[kind]), found.counts[kind]) for kind in KINDS],
            "open": found.counts["open"],
            "open_url": cases,
            "more": found.counts["listed"] - len(found.cases),
            "cases": [{**row, "kind_names": _kinds(row["kinds"])} for row in found.cases],
            "others": [(number, note) for number, note in notes.items() if number not in listed],
            "draft": draft,
            "note": typed.note if typed else draft.note,
            "problems": list(problems),
            "conflict": conflict,
            "lost": [] if not conflict else [pair for pair in draft.notes.items() if pair[0] not in {*listed, *notes}],
            "earlier": _earlier(place, unit),
        },
        status=status,
    )


def _kinds(kinds: Iterable[str]) -> list[tuple[str, str]]:
    return [(kind, say(KINDS[kind])) for kind in kinds if kind in KINDS]


def _earlier(place: CityRuntime, unit: str) -> list[Handover]:
    found = Handover.objects.filter(city=place.info.id, unit=unit).select_related("signature")
    return list(found.defer("snapshot").order_by("-id")[:EARLIER])


@require_GET
@on_duty
def record(request: HttpRequest, duty: OnDuty, pk: int) -> HttpResponse:
    """A hand-over as it was made, with the signature or the form for it."""
    return _record(request, duty, _handover(duty, pk))


@require_POST
@on_duty
def sign(request: HttpRequest, duty: OnDuty, pk: int) -> HttpResponse:
    """Take over: somebody of the unit who has read it signs."""
    found = _handover(duty, pk)
    if found.unit not in duty.units:
        raise Http404(say("只有本单位人员可以接班。", "Only people of the unit itself take over."))
    try:
        operations.sign(handover=found, by=duty.who, note=_clean(request.POST.get("note", "")))
    except (Refusal, BadInput) as error:
        return _record(request, duty, found, problems=sentences(error), status=status_of(error))
    messages.success(request, say("已签收，接班完成。", "Signed: you have taken over."))
    return redirect("handover-record", duty.place.info.id, pk)


def _handover(duty: OnDuty, pk: int) -> Handover:
    query = Handover.objects.filter(city=duty.place.info.id).select_related("signature")
    found = query.filter(pk=pk).first() if pk <= LARGEST_ID else None
    if found is None or not duty.reads(found.unit):
        raise Http404(say("没有这次交接班。", "There is no such hand-over."))
    return found


def _record(
    request: HttpRequest, duty: OnDuty, found: Handover, *, problems: Iterable[str] = (), status: int = 200
) -> HttpResponse:
    place, signature = duty.place, getattr(found, "signature", None)
    counts = found.snapshot["counts"]
    return render(
        request,
        "bulletins/handover_record.html",
        {
            "city": place.info,
            "page": "handover",
            "record": found,
            "unit_name": unit_name(place, found.unit),
            "signature": signature,
            "may_sign": signature is None and found.unit in duty.units and found.by != duty.who.id,
            "own": found.by == duty.who.id,
            "counts": _counts(counts),
            "open": counts.get("open", 0),
            "cases": [_kept(row, place) for row in found.snapshot["cases"]],
            "others": found.snapshot["others"],
            "problems": list(problems),
            "typed": request.POST.get("note", ""),
        },
        status=status,
    )


@require_GET
@on_duty
def file_pdf(request: HttpRequest, duty: OnDuty, pk: int) -> HttpResponse:
    """The record as a PDF, in the language of the page or of ``?lang=``, for whoever reads its page."""
    # Here, so that a start does not wait for fpdf and its fonts.
    from yiwang.server.bulletins.handover_pdf import handover_pdf

    found, place, user = _handover(duty, pk), duty.place, cast(User, request.user)  # `on_duty` lets nobody else in
    with translation.override(language_of(request)):
        content = handover_pdf(
            found,
            place=place,
            counts=_counts(found.snapshot["counts"]),
            cases=[_kept(row, place) for row in found.snapshot["cases"]],
            by=name_of(user),
            now=timezone.now(),
        )
    return pdf_answer(content, name=f"{place.info.id}-handover-{found.unit}-{found.pk}")


def _counts(kept: Mapping[str, int]) -> list[tuple[str, str, int]]:
    """Kind, name and number of each figure of a record."""
    return [(kind, say(KINDS[kind]), kept.get(kind, 0)) for kind in KINDS]


def _kept(row: Mapping[str, Any], place: CityRuntime) -> dict[str, Any]:
    """A case of a record, named as it is called now."""
    return {
        **row,
        "category_name": category_name(place, row["category"]),
        "region_name": region_name(place, row["region"]),
        "step_name": step_name(place, row["step"]),
        "due": datetime.fromisoformat(row["deadline"]) if row["deadline"] else None,
        "kind_names": _kinds(row["kinds"]),
    }


def _typed(post: Mapping[str, str], *, city: str) -> operations.Notes:
    """What the form holds; a note under a number that no case of the city has is none."""
    given = {name.removeprefix(PREFIX): _clean(text) for name, text in post.items() if name.startswith(PREFIX)}
    asked = [_clean(number) for number, note in given.items() if note][: operations.MOST_NOTES + 1]
    known = set(Case.objects.filter(city=city, number__in=asked).values_list("number", flat=True)) if asked else set()
    return operations.Notes(
        note=_clean(post.get("note", "")),
        notes={number: note for number, note in given.items() if note and number in known},
    )


def _clean(text: str) -> str:
    """With the ends of lines as one writes them, not as browsers send them."""
    return text.replace("\r\n", "\n").strip()


def _hours(text: str) -> int:
    return next((hours for hours in SHIFTS if str(hours) == text), SHIFTS[0])


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1
