"""A round is planned, committed to, drawn, and ended."""

from __future__ import annotations

import re
import secrets
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
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
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.refusals import Conflict, NotPossible, Unknown
from yiwang.core.kernel.text import Text
from yiwang.core.surveys.questionnaires import Questionnaire, in_force
from yiwang.server.cases.api import Case, lateness_moment
from yiwang.server.cities.queries import CityRuntime, runtime
from yiwang.server.surveys.history import write_event
from yiwang.server.surveys.models import DrawnCase, SurveyRound

KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
NOWHERE = "-"  # the stratum of cases that lie in no region of the level
# whoever interviews first records; the lot decides about cases only
INTERVIEWERS = Inspector(id="interviewers")
MOST_CASES = 50_000
MOST_DRAWN = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundSaid:
    """A round as somebody plans it.

    Attributes:
        key: Stands in its address.
        questionnaire: Id of the questionnaire; the version in force today is taken.
        closed_from, closed_to: First and last day on which the cases were closed; both before today.
        strata: Level of the regions within which cases are drawn.
        total: How many cases; at least two of each stratum that has two.
        beacon: Name of a public number, known later, that is mixed in; empty for none.
        ends: Last day on which answers are taken.
    """

    key: str
    name: str
    name_en: str = ""
    questionnaire: str
    closed_from: date
    closed_to: date
    strata: str
    total: int
    beacon: str = ""
    ends: date


def commit_to(place: CityRuntime, said: RoundSaid, *, by: str) -> SurveyRound:
    """Plan a round and commit to it: from now on frame and seed stand, and the hash of both is published.

    Raises:
        BadInput: With everything that is wrong.
        Conflict: When the city has a round of this key.
    """
    questionnaire = _questionnaire(place, said)
    plan = _plan(place, said, questionnaire)
    seed = secrets.token_bytes(32)
    survey = SurveyRound(
        city=place.info.id,
        key=said.key,
        name=said.name.strip(),
        name_en=said.name_en.strip(),
        questionnaire=questionnaire.id,
        version=questionnaire.version,
        digest=questionnaire.digest(),
        tries=questionnaire.tries,
        least_response=questionnaire.least_response,
        closed_from=said.closed_from,
        closed_to=said.closed_to,
        strata=said.strata,
        plan=plan_as_json(plan),
        commitment=commitment(plan=plan, seed=seed),
        seed=seed.hex(),
        ends=said.ends,
        by=by[:150],
    )
    try:
        with transaction.atomic():
            survey.save()
            told = {
                "commitment": survey.commitment,
                "plan": plan.digest(),
                "questionnaire": [questionnaire.id, questionnaire.version, survey.digest],
                "closed": [f"{said.closed_from}", f"{said.closed_to}"],
            }
            write_event(survey, "committed", told, by=by)
    except IntegrityError:
        taken = Text("已有标识为「{key}」的回访。", "There is a round {key!r} already.", key=said.key)
        raise Conflict(taken, field="key") from None
    return survey


def next_key(city: str, month: str) -> str:
    """A key that no round of the city has, e.g. ``2026-11-1`` for the first one about a month."""
    taken = set(SurveyRound.objects.filter(city=city, key__startswith=f"{month}-").values_list("key", flat=True))
    return next(key for number in range(1, len(taken) + 2) if (key := f"{month}-{number}") not in taken)


def draw_round(survey: SurveyRound, *, beacon: str = "", by: str) -> SurveyRound:
    """Draw the cases. Seed and draw are public once the round has ended.

    Raises:
        BadInput: When the value of the public number is missing, or was not announced.
        NotPossible: When it is drawn already or has ended.
    """
    with transaction.atomic():
        held = _held(survey)
        if held.step != SurveyRound.Step.COMMITTED:
            raise NotPossible(Text("已经抽取过，或回访已结束。", "It has been drawn already, or has ended."))
        drawn = draw(plan=plan_of(held), seed=bytes.fromhex(held.seed), beacon=beacon)
        DrawnCase.objects.bulk_create(
            DrawnCase(round=held, case=one.place, stratum=one.stratum, weight=one.weight, alias=secrets.token_hex(16))
            for one in drawn
        )
        held.step, held.drawn_at, held.beacon_value = SurveyRound.Step.DRAWN, datetime.now(UTC), beacon
        held.save(update_fields=["step", "drawn_at", "beacon_value"])
        told = {"seed": held.seed, "beacon": beacon, "cases": [one.place for one in drawn]}
        write_event(held, "drawn", told, by=by)
    return held


def end_round(survey: SurveyRound, *, by: str) -> SurveyRound:
    """Close a drawn round, whose results are published with what is missing; drop one that is not drawn.

    Raises:
        NotPossible: When it has ended.
    """
    with transaction.atomic():
        held = _held(survey)
        if held.step not in (SurveyRound.Step.COMMITTED, SurveyRound.Step.DRAWN):
            raise NotPossible(Text("回访已结束。", "The round has ended."))
        drawn = held.step == SurveyRound.Step.DRAWN
        held.step = SurveyRound.Step.CLOSED if drawn else SurveyRound.Step.DROPPED
        held.closed_at = datetime.now(UTC)
        held.save(update_fields=["step", "closed_at"])
        held.cases.update(link=None)  # no link opens anything any more
        answered = held.cases.filter(disposition="answered").count()
        write_event(held, held.step, {"cases": held.cases.count(), "answered": answered}, by=by)
    return held


def plan_of(survey: SurveyRound) -> Plan:
    """The plan as the core has it."""
    return plan_from_json(survey.plan)


def questionnaire_of(survey: SurveyRound) -> Questionnaire:
    """The questionnaire that a round began with.

    Raises:
        Unknown: When the pack has this version no more, or asks something else by it now.
    """
    for one in runtime(survey.city).pack.questionnaires:
        if (one.id, one.version, one.digest()) == (survey.questionnaire, survey.version, survey.digest):
            return one
    raise Unknown(
        Text(
            "城市包里没有回访开始时的问卷「{name}」{version} 版。",
            "The pack no longer has the questionnaire {name!r}, version {version}, as it was when the round began.",
            name=survey.questionnaire,
            version=survey.version,
        )
    )


def today_of(place: CityRuntime) -> date:
    """The day on which a city stands; the last recorded one where its cases were replayed from its records."""
    return lateness_moment(city=place.info.id).astimezone(place.info.zone).date()


def _held(survey: SurveyRound) -> SurveyRound:
    return SurveyRound.objects.select_for_update().get(pk=survey.pk)


def _questionnaire(place: CityRuntime, said: RoundSaid) -> Questionnaire:
    today = datetime.now(UTC).astimezone(place.info.zone).date()
    known = in_force(place.pack.questionnaires, on=today)
    levels = [level.id for level in place.info.levels]
    problems = []

    def wrong(column: str, zh: str, en: str, **values: Any) -> None:
        problems.append(Problem(Text(zh, en, **values), column=column))

    if not KEY.fullmatch(said.key):
        wrong("key", "标识只能用小写字母、数字和连字符。", "A key has small letters, digits and hyphens only.")
    if not said.name.strip():
        wrong("name", "请填写名称。", "Give it a name.")
    if said.questionnaire not in known:
        wrong(
            "questionnaire", "没有有效的问卷「{id}」。", "No questionnaire {id!r} is in force.", id=said.questionnaire
        )
    if said.strata not in levels:
        wrong("strata", "没有层级「{level}」。", "There is no level {level!r}.", level=said.strata)
    if said.closed_to < said.closed_from:
        wrong("period", "结束日期早于开始日期。", "The period ends before it begins.")
    elif said.closed_to >= today_of(place):
        wrong("period", "时段还没有结束，案卷还会增加。", "The period is not over: more cases may be closed in it.")
    if said.ends < today:
        wrong("ends", "回访截止日期已经过去。", "The last day for answers has passed.")
    if not 1 <= said.total <= MOST_DRAWN:
        wrong("total", "应抽取 1 到 {most} 件。", "Draw 1 to {most} cases.", most=MOST_DRAWN)
    if problems:
        raise BadInput(problems)
    return known[said.questionnaire]


def _plan(place: CityRuntime, said: RoundSaid, questionnaire: Questionnaire) -> Plan:
    frame = _frame(place, said, questionnaire)
    sizes = Counter(one.stratum for one in frame)
    return Plan(
        id=f"{place.info.id}/{said.key}",
        places=tuple(frame),
        sample=allocate(sizes=sizes, total=said.total),
        inspectors=(INTERVIEWERS,),
        team=1,
        beacon=said.beacon.strip(),
    )


def _frame(place: CityRuntime, said: RoundSaid, questionnaire: Questionnaire) -> list[Place]:
    """The cases that were closed in the period and came in one of the ways that are asked about, whether or not anybody can be
    reached. A merged case is asked about by the one that it went into."""
    zone = place.info.zone
    cases = Case.objects.filter(
        city=place.info.id,
        merged_into="",
        closed_at__gte=datetime.combine(said.closed_from, time(), zone),
        closed_at__lt=datetime.combine(said.closed_to + timedelta(days=1), time(), zone),
    )
    if questionnaire.sources:
        cases = cases.filter(source__in=questionnaire.sources)
    rows = list(cases.order_by("number").values_list("number", "region")[: MOST_CASES + 1])
    if not rows:
        nothing = Text(
            "这个时段没有符合问卷来源的结案案卷。", "No case of the sources that are asked was closed in that period."
        )
        raise BadInput(Problem(nothing, column="period"))
    if len(rows) > MOST_CASES:
        many = Text(
            "案卷超过 {most} 件，请选短一些的时段。",
            "There are over {most} cases; choose a shorter period.",
            most=MOST_CASES,
        )
        raise BadInput(Problem(many, column="period"))
    return [Place(id=number, stratum=_stratum(place, region, said.strata)) for number, region in rows]


def _stratum(place: CityRuntime, region: str, level: str) -> str:
    try:
        return place.regions.ancestor(region, level) or NOWHERE if region else NOWHERE
    except BadInput:  # a region that the tree no longer has
        return NOWHERE
