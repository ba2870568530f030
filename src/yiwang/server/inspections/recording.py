"""A visit is recorded once, by who was drawn for it; what is not met opens cases."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import shapely
import shapely.ops
from django.conf import settings
from django.db import transaction

from yiwang.core.cases.events import SYSTEM_ACTOR
from yiwang.core.inspections.checklists import Checklist, Item
from yiwang.core.inspections.scoring import Answer, Outcome, check_answers, opened_by, score
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.refusals import Conflict, NotAllowed, NotPossible, Refusal, Unknown
from yiwang.core.kernel.text import Text
from yiwang.core.space.frame import metres_per_degree
from yiwang.server.assets.api import component_of
from yiwang.server.cases.api import ReportDraft, report_case
from yiwang.server.cities.queries import CityRuntime, NoSuchCity, runtime
from yiwang.server.common import photos as pictures
from yiwang.server.inspections.history import write_event
from yiwang.server.inspections.models import Campaign, Finding, Visit, VisitPhoto
from yiwang.server.inspections.planning import checklist_of

ORIGIN = "inspections"
BATCH = 200
log = logging.getLogger("yiwang.inspections")


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemSaid:
    """What somebody says of an item; see `yiwang.core.inspections.scoring.Answer`. ``photos`` are pictures."""

    value: float | None
    note: str = ""
    photos: Sequence[Any] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitSaid:
    """What somebody says of a visit.

    Attributes:
        outcome: Whether the place was inspected, refused, or was not found.
        answers: By item; none where it was not inspected.
        lon, lat: Where the phone was; degrees, WGS 84; both or neither.
    """

    outcome: Outcome
    answers: Mapping[str, ItemSaid] = field(default_factory=dict)
    note: str = ""
    lon: float | None = None
    lat: float | None = None


def record_visit(visit: Visit, said: VisitSaid, *, username: str, now: datetime | None = None) -> Visit:
    """Record a visit. The same said once more by the same person is left as it is.

    Raises:
        BadInput: When an answer is missing or cannot be taken.
        Conflict: When it is recorded otherwise, or by somebody else.
        NotAllowed: When somebody else was drawn for it.
        NotPossible: Before the draw, outside the days of the inspection, or when it has ended.
    """
    now, campaign = now or datetime.now(UTC), visit.campaign
    place, checklist = runtime(campaign.city), checklist_of(campaign)
    _check_may(campaign, visit, place, username, now)
    if len(said.note) > 1000 or any(len(one.note) > 500 for one in said.answers.values()):
        raise BadInput(Problem(Text("备注太长。", "A note is too long."), column="note"))
    if said.outcome != Outcome.DONE and said.answers:
        raise BadInput(Problem(Text("没有检查却有结果。", "It was not inspected and has answers."), column="outcome"))
    answers = {
        item: Answer(value=one.value, note=one.note.strip(), photos=len(one.photos))
        for item, one in said.answers.items()
    }
    if said.outcome == Outcome.DONE:
        check_answers(checklist, answers)
    kept = {item: pictures.keep(one.photos) for item, one in said.answers.items() if one.photos}
    with transaction.atomic():
        held = Visit.objects.select_for_update().get(pk=visit.pk)
        if held.outcome:
            if held.by == username and held.outcome == said.outcome and _values(held) == _said(said):
                return held
            raise Conflict(Text("这次检查已有记录。", "This visit is recorded already."))
        scored = score(checklist, answers) if said.outcome == Outcome.DONE else None
        held.outcome, held.by, held.note = said.outcome.value, username[:150], said.note.strip()
        held.score = scored.value if scored else None
        held.recorded_at, held.lon, held.lat = now, said.lon, said.lat
        held.distance = _distance(place, held)
        held.save()
        found = _findings(held, checklist, answers, opens=held.turn == 1)
        Finding.objects.bulk_create(found)
        VisitPhoto.objects.bulk_create(
            VisitPhoto(
                finding=one,
                path=photo.path,
                digest=photo.digest,
                width=photo.width,
                height=photo.height,
                taken_at=pictures.in_zone(photo.taken_at, place.info.zone),
            )
            for one in found
            for photo in kept.get(one.item, ())
        )
        told = {
            "place": held.place,
            "turn": held.turn,
            "outcome": held.outcome,
            "score": held.score,
            "findings": [
                [one.item, one.value, one.note, [photo.digest for photo in kept.get(one.item, ())]] for one in found
            ],
        }
        write_event(campaign, "visited", told, by=username)
    return held


def open_cases(*, city: str = "") -> int:
    """Open a case for each category of what a first visit found not to be met; how many were opened.

    A finding whose case cannot be opened is said in the log and is not tried again.
    """
    waiting = Finding.objects.filter(case=None).order_by("id")
    if city:
        waiting = waiting.filter(visit__campaign__city=city)
    opened = 0
    for pk in dict.fromkeys(waiting.values_list("visit_id", flat=True)[:BATCH]):
        try:
            opened += _open_cases_of(Visit.objects.select_related("campaign").get(pk=pk))
        except Exception:
            log.exception("cases of visit %s failed; they will be tried again", pk)
    return opened


def _open_cases_of(visit: Visit) -> int:
    findings = {one.item: one for one in visit.findings.filter(case=None).prefetch_related("photos")}
    opened = 0
    try:
        place, checklist = runtime(visit.campaign.city), checklist_of(visit.campaign)
    except (NoSuchCity, Unknown) as error:
        log.warning("visit %s opens no case: %s", visit.pk, error)
        visit.findings.filter(case=None).update(case="")
        return 0
    for category, items in opened_by(checklist, findings).items():
        number = ""
        try:
            number = _case_of(visit, category, items, findings, place)
            opened += 1
        except (Refusal, BadInput) as error:
            log.warning("visit %s opens no case of %s: %s", visit.pk, category, error)
        visit.findings.filter(item__in=[item.id for item in items]).update(case=number)
    visit.findings.filter(case=None).update(case="")
    return opened


def _case_of(
    visit: Visit, category: str, items: Sequence[Item], findings: Mapping[str, Finding], place: CityRuntime
) -> str:
    campaign, component = visit.campaign, ""
    lines = [f"{campaign.name}："]
    for item in items:
        found = findings[item.id]
        value = "" if found.value in (None, 0, 1) else f"（{found.value:g}）"
        lines.append(f"{item.name.zh}{value}{'：' + found.note if found.note else ''}")
    where: dict[str, Any] = {"region": visit.place}
    if visit.place not in place.regions:
        component = visit.place
        held = component_of(city=campaign.city, code=component)
        where = {"lon": held.lon, "lat": held.lat, "crs": "wgs84"}
    if visit.lon is not None and visit.lat is not None:
        where = {"lon": visit.lon, "lat": visit.lat, "crs": "wgs84"}
    photos = [Path(settings.YIWANG_HOME, one.path) for item in items for one in findings[item.id].photos.all()]
    draft = ReportDraft(
        text="\n".join(lines),
        category=category,
        component=component,
        channel="inspector",
        photos=[path.read_bytes() for path in photos[: pictures.MOST_PHOTOS] if path.is_file()],
        origin=ORIGIN,
        external=f"{campaign.key}/{visit.place}/{category}",
        **where,
    )
    # the key makes it one case, however often a worker is killed between the report and the note of its number
    answer = report_case(city=campaign.city, draft=draft, actor=SYSTEM_ACTOR, key=f"{ORIGIN}-{visit.pk:012}-{category}")
    return str(answer["case"])


def _findings(visit: Visit, checklist: Checklist, answers: Mapping[str, Answer], *, opens: bool) -> list[Finding]:
    found = []
    for item in checklist.items:
        if item.id not in answers:
            continue
        answer = answers[item.id]
        value, applies = answer.value, answer.value is not None
        fails = value is not None and item.measure.fails(value)
        found.append(
            Finding(
                visit=visit,
                item=item.id,
                value=value,
                met=not fails if applies else None,
                points=item.points * item.measure.share(value) if value is not None else 0.0,
                possible=item.points if applies else 0.0,
                note=answer.note,
                case=None if opens and fails and item.category else "",
            )
        )
    return found


def _check_may(campaign: Campaign, visit: Visit, place: CityRuntime, username: str, now: datetime) -> None:
    if campaign.step != Campaign.Step.DRAWN:
        raise NotPossible(Text("这项检查不在进行。", "This inspection is not under way."))
    today = now.astimezone(place.info.zone).date()
    if not campaign.begins <= today <= campaign.ends:
        raise NotPossible(
            Text(
                "检查日期是 {begins} 至 {ends}。",
                "The days of this inspection are {begins} to {ends}.",
                begins=f"{campaign.begins}",
                ends=f"{campaign.ends}",
            )
        )
    if username not in {campaign.people.get(code) for code in visit.inspectors}:
        raise NotAllowed(Text("这次检查抽中的是别人。", "Somebody else was drawn for this visit."))


def _values(visit: Visit) -> dict[str, float | None]:
    return dict(visit.findings.values_list("item", "value"))


def _said(said: VisitSaid) -> dict[str, float | None]:
    return {item: one.value for item, one in said.answers.items()}


def _distance(place: CityRuntime, visit: Visit) -> float | None:
    """Metres from the phone to the component, or to the outline of the region: 0 within it. None where either is not known."""
    if visit.lon is None or visit.lat is None:
        return None
    here = shapely.Point(visit.lon, visit.lat)
    region = place.regions.get(visit.place)
    if region is not None:
        there = region.geometry
    else:
        component = component_of(city=visit.campaign.city, code=visit.place)
        there = shapely.Point(component.lon, component.lat)
    if there is None:
        return None
    near, _ = shapely.ops.nearest_points(there, here)
    across, up = metres_per_degree(visit.lat)
    return math.hypot((near.x - here.x) * across, (near.y - here.y) * up)
