"""A campaign is planned, committed to, drawn, and ended."""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.db import IntegrityError, transaction

from yiwang.core.indicators.sampling import (
    Inspector,
    Place,
    Plan,
    allocate,
    commitment,
    draw,
    plan_as_json,
    plan_from_json,
)
from yiwang.core.indicators.scorecard import label
from yiwang.core.inspections.checklists import Checklist, in_force
from yiwang.core.inspections.reviewing import second_visits
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.refusals import Conflict, NotPossible, Unknown
from yiwang.core.kernel.text import Text
from yiwang.server.assets.api import ComponentFilters, standing_components
from yiwang.server.cities.queries import CityRuntime, runtime
from yiwang.server.inspections.history import write_event
from yiwang.server.inspections.models import Campaign, Visit
from yiwang.server.people.models import User

KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
MOST_PLACES = 50_000
MOST_VISITS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignSaid:
    """A campaign as somebody plans it.

    Attributes:
        key: Stands in its address.
        checklist: Id of the checklist; the version in force on the first day is taken.
        strata: Level of the regions within which places are drawn.
        total: How many places; at least two of each stratum that has two.
        inspectors: User names; ``avoids`` names the strata to which one is never sent.
        team: How many go to each place.
        second_share: Share of the visits that a second person repeats.
        beacon: Name of a public number, known later, that is mixed in; empty for none.
        begins, ends: First and last day of the visits.
    """

    key: str
    name: str
    name_en: str = ""
    checklist: str
    strata: str
    total: int
    inspectors: tuple[str, ...]
    avoids: dict[str, tuple[str, ...]]
    team: int = 2
    second_share: float = 0.0
    beacon: str = ""
    begins: date
    ends: date


def commit_to(place: CityRuntime, said: CampaignSaid, *, by: str, now: datetime | None = None) -> Campaign:
    """Plan a campaign and commit to it: from now on plan and seed stand, and the hash of both is published.

    Raises:
        BadInput: With everything that is wrong.
        Conflict: When the city has a campaign of this key.
    """
    checklist = _checklist(place, said)
    people = {f"I{number:02}": name for number, name in enumerate(dict.fromkeys(said.inspectors), start=1)}
    plan = _plan(place, said, checklist, people)
    seed = secrets.token_bytes(32)
    campaign = Campaign(
        city=place.info.id,
        key=said.key,
        name=said.name.strip(),
        name_en=said.name_en.strip(),
        checklist=checklist.id,
        version=checklist.version,
        digest=checklist.digest(),
        plan=plan_as_json(plan),
        people=people,
        second_share=said.second_share,
        commitment=commitment(plan=plan, seed=seed),
        seed=seed.hex(),
        begins=said.begins,
        ends=said.ends,
        by=by[:150],
        committed_at=now or datetime.now(UTC),
    )
    try:
        with transaction.atomic():
            campaign.save()
            told = {
                "commitment": campaign.commitment,
                "plan": plan.digest(),
                "checklist": [checklist.id, checklist.version, campaign.digest],
                "second_share": said.second_share,
            }
            write_event(campaign, "committed", told, by=by)
    except IntegrityError:
        taken = Text("已有标识为「{key}」的检查。", "There is an inspection {key!r} already.", key=said.key)
        raise Conflict(taken, field="key") from None
    return campaign


def next_key(city: str, today: date) -> str:
    """A key that no inspection of the city has, e.g. ``2026-12-1`` for the first one of a month."""
    month = f"{label(today, 'month')}-"
    taken = set(Campaign.objects.filter(city=city, key__startswith=month).values_list("key", flat=True))
    return next(key for number in range(1, len(taken) + 2) if (key := f"{month}{number}") not in taken)


def draw_campaign(campaign: Campaign, *, beacon: str = "", by: str, now: datetime | None = None) -> Campaign:
    """Draw the places, who goes there and which visits are repeated. Seed and draw are public once the campaign has ended.

    Raises:
        BadInput: When the value of the public number is missing, or was not announced.
        NotPossible: When it is drawn already or has ended.
    """
    with transaction.atomic():
        held = _held(campaign)
        if held.step != Campaign.Step.COMMITTED:
            raise NotPossible(Text("已经抽取过，或检查已结束。", "It has been drawn already, or has ended."))
        plan, seed = plan_of(held), bytes.fromhex(held.seed)
        visits = draw(plan=plan, seed=seed, beacon=beacon)
        again = second_visits(plan=plan, seed=seed, beacon=beacon, visits=visits, share=held.second_share)
        rows = [
            Visit(
                campaign=held, place=one.place, stratum=one.stratum, weight=one.weight, inspectors=list(one.inspectors)
            )
            for one in visits
        ]
        by_place = {one.place: one for one in visits}
        rows += [
            Visit(
                campaign=held,
                place=code,
                turn=2,
                stratum=by_place[code].stratum,
                weight=by_place[code].weight,
                inspectors=[inspector],
            )
            for code, inspector in again.items()
        ]
        Visit.objects.bulk_create(rows)
        held.step, held.drawn_at, held.beacon_value = Campaign.Step.DRAWN, now or datetime.now(UTC), beacon
        held.save(update_fields=["step", "drawn_at", "beacon_value"])
        drawn = [[one.place, one.turn, *one.inspectors] for one in rows]
        write_event(held, "drawn", {"seed": held.seed, "beacon": beacon, "visits": drawn}, by=by)
    return held


def end_campaign(campaign: Campaign, *, by: str, now: datetime | None = None) -> Campaign:
    """Close a drawn campaign, whose results are published with what is missing; drop one that is not drawn.

    Raises:
        NotPossible: When it has ended.
    """
    with transaction.atomic():
        held = _held(campaign)
        if held.step not in (Campaign.Step.COMMITTED, Campaign.Step.DRAWN):
            raise NotPossible(Text("检查已结束。", "The inspection has ended."))
        drawn = held.step == Campaign.Step.DRAWN
        held.step = Campaign.Step.CLOSED if drawn else Campaign.Step.DROPPED
        held.closed_at = now or datetime.now(UTC)
        held.save(update_fields=["step", "closed_at"])
        visited = held.visits.exclude(outcome="").count()
        write_event(held, held.step, {"visits": held.visits.count(), "recorded": visited}, by=by)
    return held


def plan_of(campaign: Campaign) -> Plan:
    """The plan as the core has it."""
    return plan_from_json(campaign.plan)


def checklist_of(campaign: Campaign) -> Checklist:
    """The checklist that a campaign began with.

    Raises:
        Unknown: When the pack has this version no more, or asks something else by it now.
    """
    for one in runtime(campaign.city).pack.checklists:
        if (one.id, one.version, one.digest()) == (campaign.checklist, campaign.version, campaign.digest):
            return one
    raise Unknown(
        Text(
            "城市包里没有检查开始时的清单「{name}」{version} 版。",
            "The pack no longer has the checklist {name!r}, version {version}, as it was when the inspection began.",
            name=campaign.checklist,
            version=campaign.version,
        )
    )


def _held(campaign: Campaign) -> Campaign:
    return Campaign.objects.select_for_update().get(pk=campaign.pk)


def _checklist(place: CityRuntime, said: CampaignSaid) -> Checklist:
    known = in_force(place.pack.checklists, on=said.begins)
    levels = [level.id for level in place.info.levels]
    problems = []

    def wrong(column: str, zh: str, en: str, **values: Any) -> None:
        problems.append(Problem(Text(zh, en, **values), column=column))

    if not KEY.fullmatch(said.key):
        wrong("key", "标识只能用小写字母、数字和连字符。", "A key has small letters, digits and hyphens only.")
    if not said.name.strip():
        wrong("name", "请填写名称。", "Give it a name.")
    if said.checklist not in known:
        wrong("checklist", "没有有效的清单「{id}」。", "No checklist {id!r} is in force.", id=said.checklist)
    if said.strata not in levels:
        wrong("strata", "没有层级「{level}」。", "There is no level {level!r}.", level=said.strata)
    if said.ends < said.begins:
        wrong("ends", "结束日期早于开始日期。", "It ends before it begins.")
    if not 1 <= said.total <= MOST_VISITS:
        wrong("total", "应抽取 1 到 {most} 个地点。", "Draw 1 to {most} places.", most=MOST_VISITS)
    if not 0 <= said.second_share <= 1:
        wrong("second_share", "复查比例在 0 和 100 % 之间。", "The share lies between 0 and 100 %.")
    if not said.inspectors:
        wrong("inspectors", "请选择检查员。", "Choose the inspectors.")
    here = set(User.objects.filter(username__in=said.inspectors, is_active=True).values_list("username", flat=True))
    for name in sorted(set(said.inspectors) - here):
        wrong("inspectors", "没有人员「{name}」。", "There is nobody called {name!r}.", name=name)
    if problems:
        raise BadInput(problems)
    return known[said.checklist]


def _plan(place: CityRuntime, said: CampaignSaid, checklist: Checklist, people: dict[str, str]) -> Plan:
    frame = _frame(place, said, checklist)
    sizes = Counter(one.stratum for one in frame)
    inspectors = tuple(Inspector(id=code, avoids=frozenset(said.avoids.get(name, ()))) for code, name in people.items())
    return Plan(
        id=f"{place.info.id}/{said.key}",
        places=tuple(frame),
        sample=allocate(sizes=sizes, total=said.total),
        inspectors=inspectors,
        team=said.team,
        beacon=said.beacon.strip(),
    )


def _frame(place: CityRuntime, said: CampaignSaid, checklist: Checklist) -> Sequence[Place]:
    """Everything that could be drawn: the regions of the checklist's level, or the components of its class that stand."""
    tree = place.regions
    if checklist.level:
        places = [(one.code, tree.ancestor(one.code, said.strata)) for one in tree.at_level(checklist.level)]
    else:
        kinds = tuple(code for code in place.pack.components if code.startswith(checklist.component))
        found = standing_components(place=place, filters=ComponentFilters(kinds=kinds), most=MOST_PLACES + 1)
        if len(found) > MOST_PLACES:
            many = Text("部件超过 {most} 个。", "There are over {most} components.", most=MOST_PLACES)
            raise BadInput(Problem(many, column="checklist"))
        places = [(one.code, tree.ancestor(one.region, said.strata)) for one in found]
    frame = [Place(id=code, stratum=stratum) for code, stratum in places if stratum]
    if not frame:
        nothing = Text("没有可以抽取的地点。", "There is no place to draw.")
        hint = Text(
            "分层的层级应高于被检查的层级。", "The level of the strata must be above the one that is inspected."
        )
        raise BadInput(Problem(nothing, hint, column="strata"))
    return frame
