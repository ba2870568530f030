"""Projects are proposed, chosen or refused by somebody else, begun, and dropped with reasons.

Work on them is in `work_operations`, votes and acceptance in `acceptance_operations`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.db import IntegrityError, transaction

from yiwang.core.kernel.refusals import Conflict, NotAllowed, NotPossible
from yiwang.core.kernel.text import Text
from yiwang.server.cities.queries import CityRuntime, runtime
from yiwang.server.ledger.api import add_event
from yiwang.server.people.models import User
from yiwang.server.portal.queries import adopted_idea
from yiwang.server.projects.access import check_assesses, check_staff, check_works_on
from yiwang.server.projects.models import Milestone, Project, ProjectEvent
from yiwang.server.projects.reading_forms import MOST_CENTS, words_of, wrong

NAME = "projects"
MOST_MILESTONES = 12
YEARS = range(2000, 2100)
_TRIES = 5
Step = Project.Step
WORKED_ON = (Step.UNDER_WAY, Step.REOPENED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectSaid:
    """A project as it is proposed; see `Project`."""

    name: str
    description: str
    region: str
    unit: str
    year: int
    name_en: str = ""
    kind: str = ""
    lon: float | None = None
    lat: float | None = None
    idea: int | None = None


def propose(place: CityRuntime, said: ProjectSaid, *, user: User, now: datetime | None = None) -> Project:
    """Propose a project.

    Raises:
        BadInput: When words are missing or too many, the region, unit or year is none, the place lies outside the city, or
            the idea has not been adopted.
        NotAllowed: When the person holds no post in the city.
    """
    check_staff(user, place=place)
    if said.region not in place.regions:
        raise wrong("region", Text("请选择区域。", "Choose a region."))
    if place.rules.units.get(said.unit) is None:
        raise wrong("unit", Text("请选择责任单位。", "Choose the unit that is responsible."))
    if said.year not in YEARS:
        raise wrong("year", Text("「{year}」不是年度。", "{year} is no year.", year=said.year))
    if said.idea is not None and adopted_idea(place=place, idea=said.idea) is None:
        raise wrong("idea", Text("只有已采纳的建议可以立项。", "Only an idea that was adopted can become a project."))
    values = {
        "name": words_of(" ".join(said.name.split()), "name", most=80),
        "name_en": words_of(" ".join(said.name_en.split()), "name_en", most=120, needed=False),
        "kind": words_of(said.kind, "kind", most=40, needed=False),
        "description": words_of(said.description, "description", most=4000),
        "region": said.region,
        "unit": said.unit,
        "idea": said.idea,
    }
    lon, lat = _place(place, said)
    told = {**values, "year": said.year, "place": None if lon is None else [f"{lon:.6f}", f"{lat:.6f}"]}
    for _ in range(_TRIES):
        # projects are never deleted, so their count gives the next number; somebody else may have taken it meanwhile
        number = Project.objects.filter(city=place.info.id, year=said.year).count() + 1
        made = Project(
            city=place.info.id, key=f"{said.year}-{number:03d}", year=said.year, lon=lon, lat=lat, by=user.username[:150],
            at=now or datetime.now(UTC), **values,
        )  # fmt: skip
        try:
            with transaction.atomic():
                made.save()
                tell(made, "proposed", told, by=user.username)
        except IntegrityError:
            continue
        return made
    raise Conflict(Text("同时有别人提出项目，请再试一次。", "Others are proposing at the same time; try again."))


def choose(
    project: Project,
    *,
    budget_cents: int,
    milestones: Sequence[tuple[str, date]],
    user: User,
    text: str = "",
    now: datetime | None = None,
) -> Project:
    """Choose a proposed project, with its budget and milestones. From then on the public sees it.

    Args:
        milestones: Names and the days by which they are to be done.

    Raises:
        BadInput: Without a budget or milestones, or with too many.
        NotAllowed: When the person does not assess the city, or proposed it.
        NotPossible: When it is not proposed now.
    """
    if not 0 < budget_cents <= MOST_CENTS:
        raise wrong("budget", Text("请填写预算。", "Give the budget."))
    if not 1 <= len(milestones) <= MOST_MILESTONES:
        raise wrong(
            "milestones", Text("请填写 1 至 {most} 个节点。", "Give 1 to {most} milestones.", most=MOST_MILESTONES)
        )
    steps = [(words_of(name, "milestones", most=80), due_on) for name, due_on in milestones]

    def act(held: Project, moment: datetime) -> dict[str, Any]:
        held.step, held.budget_cents, held.chosen_at = Step.CHOSEN, budget_cents, moment
        Milestone.objects.bulk_create(Milestone(project=held, name=name, due_on=due_on) for name, due_on in steps)
        return {"budget_cents": budget_cents, "milestones": [[name, f"{due_on}"] for name, due_on in steps]}

    return _decide(project, "chosen", act, text=text, needed=False, user=user, now=now)


def refuse(project: Project, *, text: str, user: User, now: datetime | None = None) -> Project:
    """Refuse a proposed project.

    Raises:
        BadInput: Without reasons.
        NotAllowed: When the person does not assess the city, or proposed it.
        NotPossible: When it is not proposed now.
    """

    def act(held: Project, _: datetime) -> dict[str, Any]:
        held.step = Step.REFUSED
        return {}

    return _decide(project, "refused", act, text=text, needed=True, user=user, now=now)


def drop(project: Project, *, text: str, user: User, now: datetime | None = None) -> Project:
    """Give a project up. Who proposed it may take the proposal back; one that was chosen is given up by somebody else who assesses
    the city.

    Raises:
        BadInput: Without reasons.
        NotAllowed: When the person may not.
        NotPossible: When it is done, or has ended.
    """
    place = runtime(project.city)
    words = words_of(text, "text")
    with transaction.atomic():
        held = locked(project)
        if held.step not in (Step.PROPOSED, Step.CHOSEN, *WORKED_ON):
            raise NotPossible(Text("现在不能取消。", "It cannot be dropped now."))
        own = held.by == user.username
        if not (held.step == Step.PROPOSED and own):
            check_assesses(user, place=place)
            if own:
                raise NotAllowed(
                    Text("提出人不能自己取消已立项的项目。", "Who proposed it does not drop it once chosen.")
                )
        held.step, held.decision, held.decided_by, held.decided_at = (
            Step.DROPPED, words, user.username[:150], now or datetime.now(UTC),
        )  # fmt: skip
        held.save()
        tell(held, "dropped", {"text": words}, by=user.username)
    return held


def begin(project: Project, *, user: User) -> Project:
    """Work on a chosen project begins.

    Raises:
        NotAllowed: When the person neither belongs to the unit responsible nor assesses the city.
        NotPossible: When it is not chosen, or has begun.
    """
    check_works_on(user, project, place=runtime(project.city))
    with transaction.atomic():
        held = locked(project)
        if held.step != Step.CHOSEN:
            raise NotPossible(Text("只有已立项、未开工的项目可以开工。", "Only a chosen project can begin, and once."))
        held.step = Step.UNDER_WAY
        held.save()
        tell(held, "begun", {}, by=user.username)
    return held


def locked(project: Project) -> Project:
    """The project as it is now, so that nobody else changes it meanwhile."""
    return Project.objects.select_for_update().get(pk=project.pk)


def tell(project: Project, kind: str, said: dict[str, Any], *, by: str) -> None:
    """Write what happened into the history, within the transaction of what it tells of."""
    add_event(ProjectEvent, stream=NAME, city=project.city, subject=project.key, kind=kind, said=said, by=by)


def today_in(place: CityRuntime, now: datetime | None = None) -> date:
    """The day in the city."""
    return (now or datetime.now(UTC)).astimezone(place.info.zone).date()


def _place(place: CityRuntime, said: ProjectSaid) -> tuple[float | None, float | None]:
    if said.lon is None or said.lat is None:
        return None, None
    found, lon, lat = place.locate(said.lon, said.lat, crs="wgs84")
    if not found.code:
        raise wrong("lon", Text("这个位置不在本市。", "The place lies outside the city."))
    return lon, lat


def _decide(
    project: Project,
    kind: str,
    act: Callable[[Project, datetime], dict[str, Any]],
    *,
    text: str,
    needed: bool,
    user: User,
    now: datetime | None,
) -> Project:
    moment = now or datetime.now(UTC)
    check_assesses(user, place=runtime(project.city))
    words = words_of(text, "text", needed=needed)
    with transaction.atomic():
        held = locked(project)
        if held.step != Step.PROPOSED:
            raise NotPossible(Text("已经决定过了。", "It has been decided already."))
        if held.by == user.username:
            raise NotAllowed(Text("提出人不能自己决定。", "Who proposed it does not decide."))
        told = act(held, moment)
        held.decision, held.decided_by, held.decided_at = words, user.username[:150], moment
        held.save()
        tell(held, kind, {**told, "text": words}, by=user.username)
    return held
