"""Alarms become cases, each alarm exactly once, whatever is killed and however many workers there are.

What is to be done for an alarm is kept before it is done (`causes.plan`), done under a key made of the alarm's id, and then noted
on the alarm. Nothing here closes a case.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q

from yiwang.core.cases.events import SYSTEM_ACTOR, Command
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.instants import SECOND, from_micros
from yiwang.core.kernel.refusals import NotPossible, Refusal
from yiwang.core.kernel.text import Text
from yiwang.core.observations.alarms import Turn
from yiwang.core.observations.conditions import Severity
from yiwang.core.observations.declared import SEVERITIES
from yiwang.packs.sensing import PROPOSE, CaseRule, Rule
from yiwang.server.cases.api import Case, ReportDraft, act_on_case, join_case, report_case
from yiwang.server.cities.queries import CityRuntime, NoSuchCity, runtime
from yiwang.server.common.idempotency import KeyReuse
from yiwang.server.sensing import causes, linking, storms
from yiwang.server.sensing.causes import ORIGIN, Plan, Spot, Step
from yiwang.server.sensing.models import Alarm, Maintenance

BATCH = 500
TRIES = 5
STANDS = (Turn.RAISED.value, Turn.WORSENED.value)
Outcome = Alarm.Outcome
log = logging.getLogger("yiwang.sensing")


def raise_cases(*, at: datetime | None = None, city: str = "") -> int:
    """Do for the alarms that wait what the city's table says; how many were dealt with.

    Args:
        at: Now.
        city: Of one city only.
    """
    at = at or datetime.now(UTC)
    waiting = Alarm.objects.filter(outcome=Outcome.WAITING).filter(Q(look_at=None) | Q(look_at__lte=at))
    if city:
        waiting = waiting.filter(city=city)
    done = 0
    for pk in list(waiting.order_by("id").values_list("id", flat=True)[:BATCH]):
        try:
            done += handle(pk, at=at)
        except Exception:
            log.exception("alarm %s failed; it will be tried again", pk)
    return done


def handle(pk: int, *, at: datetime) -> bool:
    """Deal with one alarm; whether it is done. One that has been dealt with is left alone."""
    alarm = Alarm.objects.filter(pk=pk, outcome=Outcome.WAITING).first()
    if alarm is None:
        return False
    try:
        place = runtime(alarm.city)
    except NoSuchCity:
        return finish([alarm], Outcome.NOTHING, at=at)
    rule = place.pack.sensing.rule_of(alarm.condition)
    try:
        if alarm.turn in STANDS:
            return _stands(alarm, rule, place, at)
        return _passes(alarm, rule, place, at)
    except (Refusal, BadInput) as error:
        log.warning("alarm %s opens no case: %s", pk, error)
        words = error.text
        return finish([alarm], Outcome.FAILED, at=at, problem={"zh": words.into("zh"), "en": words.into("en")})


def finish(
    alarms: list[Alarm],
    outcome: Alarm.Outcome,
    *,
    at: datetime,
    case: str = "",
    problem: Mapping[str, str] | None = None,
) -> bool:
    """Note what became of alarms that wait."""
    waiting = Alarm.objects.filter(pk__in=[one.pk for one in alarms], outcome=Outcome.WAITING)
    waiting.update(outcome=outcome, case=case, problem=problem, done_at=at)
    return True


# --- an alarm that stands -----------------------------------------------------------------------------------------------


def _stands(alarm: Alarm, rule: Rule | None, place: CityRuntime, at: datetime) -> bool:
    before = case_of_episode(alarm)
    if rule is None or rule.case is None or (not before and alarm.severity < SEVERITIES[rule.case.since]):
        return finish([alarm], Outcome.NOTHING, at=at)
    spot = causes.spot_of(alarm, rule.case, place)
    if window := _maintained(spot.thing, from_micros(alarm.time)):
        if _is_over(alarm):
            return finish([alarm], Outcome.MAINTENANCE, at=at)
        if window.end > at:  # one that still stands when the work is done is looked at again
            Alarm.objects.filter(pk=alarm.pk, outcome=Outcome.WAITING).update(look_at=window.end)
            return False
    if before and (now := causes.open_case(alarm.city, before)):
        return _note(alarm, now, spot, place, at, rule=rule)
    if not causes.open_cause(alarm.city, spot.cause) and (storm := storms.storm_of(alarm, rule, place)):
        spot = storm.spot(spot)
        return _settle(alarm, storm.key, spot, rule, place, at, storm=storm)
    return _settle(alarm, spot.cause, spot, rule, place, at)


def _settle(
    alarm: Alarm,
    key: str,
    spot: Spot,
    rule: Rule,
    place: CityRuntime,
    at: datetime,
    storm: storms.Storm | None = None,
) -> bool:
    """Open the case of a cause, join one, or write on the one that is open."""
    policy, case = place.pack.sensing, rule.case
    assert case is not None
    for _ in range(TRIES):
        near = ""
        if storm is None:
            channel = policy.cases.channel
            near = causes.reported_by_people(spot, place=place, within=policy.join_within(case), channel=channel)
        plan = causes.plan(alarm, key, near=near)
        if plan.step is Step.AFTER:
            handle(plan.first, at=at)
            continue
        try:
            return _carry_out(plan, alarm, key, spot, rule, place, at, storm)
        except NotPossible:
            if plan.step is Step.OPEN or (plan.case and causes.open_case(alarm.city, plan.case)):
                raise
            causes.give_up(alarm, key)
    return False


def _carry_out(
    plan: Plan,
    alarm: Alarm,
    key: str,
    spot: Spot,
    rule: Rule,
    place: CityRuntime,
    at: datetime,
    storm: storms.Storm | None,
) -> bool:
    assert rule.case is not None
    draft = _draft(alarm, spot, rule.case, place, storm)
    alarms = [alarm] if storm is None else storm.alarms
    if plan.step is Step.NOTE:
        if storm is not None:
            linking.link_early(storm, plan.case, place, language=language(place), at=at)
        return _note(alarm, plan.case, spot, place, at, rule=rule, storm=storm)
    number = causes.case_reported_as(alarm)
    if not number and plan.step is Step.OPEN:
        number = _report(alarm, draft, at)
    if plan.step is Step.JOIN:
        if not number:
            join_case(
                city=alarm.city, number=plan.case, draft=draft, actor=SYSTEM_ACTOR, key=_key(alarm, "join"), at=at
            )
        causes.settle(alarm, key, plan.case)
        return _note(alarm, plan.case, spot, place, at, rule=rule, outcome=Outcome.JOINED)
    causes.settle(alarm, key, number)
    if storm is not None:
        linking.link_early(storm, number, place, language=language(place), at=at)
    return finish(alarms, Outcome.OPENED, at=at, case=number)


def _report(alarm: Alarm, draft: ReportDraft, at: datetime) -> str:
    try:
        answer = report_case(city=alarm.city, draft=draft, actor=SYSTEM_ACTOR, key=_key(alarm, "report"), at=at)
    except KeyReuse:  # somebody else reported it a moment ago, with words by another version of the table
        return causes.case_reported_as(alarm)
    return str(answer["case"])


def _draft(alarm: Alarm, spot: Spot, case: CaseRule, place: CityRuntime, storm: storms.Storm | None) -> ReportDraft:
    policy = place.pack.sensing
    evidence = observation(alarm, spot)
    if storm is not None:
        words, region = storm.words(place), storm.region
    else:
        words, region = Text("{thing}：{why}", "{thing}: {why}", thing=spot.name, why=Text.of(alarm.why)), alarm.region
    return ReportDraft(
        text=words.into(language(place)),
        category=spot.category,
        lon=spot.lon,
        lat=spot.lat,
        region="" if spot.lon is not None else region,
        crs="wgs84",
        channel=policy.cases.channel,
        component=spot.component,
        evidence={"observation": evidence} if evidence else None,
        origin=ORIGIN,
        external=str(alarm.pk),
        priority=policy.priority_of(case, Severity(alarm.severity)),
    )


# --- an alarm that passes -----------------------------------------------------------------------------------------------


def _passes(alarm: Alarm, rule: Rule | None, place: CityRuntime, at: datetime) -> bool:
    if _earlier_waits(alarm):
        return False
    number = case_of_episode(alarm)
    now = causes.open_case(alarm.city, number) if number else ""
    if not now:
        return finish([alarm], Outcome.NOTHING, at=at, case=number)
    others = _standing(alarm, now)
    if storms.is_storm(alarm.city, now) and (others or alarm.turn != Turn.CLEARED):
        return finish([alarm], Outcome.NOTHING, at=at, case=number)  # of many streams only the last is worth a note
    spot = causes.spot_of(alarm, rule.case if rule else None, place)
    advice = _advice(rule, others) if alarm.turn == Turn.CLEARED else None
    return _note(alarm, now, spot, place, at, advice=advice)


def _advice(rule: Rule | None, others: int) -> Text:
    if others:
        return Text("本案另有 {n} 路报警未解除。", "{n} other alarms of this case still stand.", n=others)
    if rule is not None and rule.case is not None and rule.case.back_to_normal == PROPOSE:
        return Text("监测已恢复正常，建议结案。", "The stream is back to normal; closing the case is proposed.")
    return Text(
        "监测已恢复正常，结案前须派人到现场查看。",
        "The stream is back to normal; somebody must look at the place before the case is closed.",
    )


def _standing(alarm: Alarm, number: str) -> int:
    """How many other alarms of a case stand, with those of cases that were merged into it."""
    merged = Case.objects.filter(city=alarm.city, merged_into=number).values_list("number", flat=True)
    asked = Alarm.objects.filter(city=alarm.city, case__in=[number, *merged], turn__in=STANDS)
    episodes = set(asked.values_list("datastream_id", "condition", "since"))
    episodes.discard((alarm.datastream_id, alarm.condition, alarm.since))
    streams = {pk for pk, _, _ in episodes}
    cleared = Alarm.objects.filter(datastream__in=streams, turn=Turn.CLEARED)
    return len(episodes - set(cleared.values_list("datastream_id", "condition", "since")))


# --- words on a case ----------------------------------------------------------------------------------------------------


def _note(
    alarm: Alarm,
    number: str,
    spot: Spot,
    place: CityRuntime,
    at: datetime,
    *,
    rule: Rule | None = None,
    outcome: Alarm.Outcome = Outcome.NOTED,
    advice: Text | None = None,
    storm: storms.Storm | None = None,
) -> bool:
    """Write on an open case what the stream says, with the reading as evidence; a worse alarm raises the case's priority."""
    payload: dict[str, Any] = {"note": _words(alarm, spot, place, advice, storm).into(language(place))}
    if evidence := observation(alarm, spot):
        payload["evidence"] = {"observation": evidence}
    if rule is not None and rule.case is not None:
        wanted = place.pack.sensing.priority_of(rule.case, Severity(alarm.severity))
        has = Case.objects.filter(number=number).values_list("priority", flat=True).first() or ""
        if _is_more(wanted, has, place, rule.case):
            payload["priority"] = wanted
    command = Command(verb=place.pack.sensing.cases.verb, actor=SYSTEM_ACTOR, payload=payload)
    with suppress(KeyReuse):  # it stands there already, from before a kill; only the priority has been raised since
        act_on_case(number=number, city=alarm.city, command=command, key=_key(alarm, "note"), at=at)
    return finish([alarm] if storm is None else storm.alarms, outcome, at=at, case=number)


def _words(alarm: Alarm, spot: Spot, place: CityRuntime, advice: Text | None, storm: storms.Storm | None) -> Text:
    if storm is not None:
        return storm.words(place)
    parts = [Text("{thing}：{why}", "{thing}: {why}", thing=spot.name, why=Text.of(alarm.why))]
    if alarm.turn == Turn.CLEARED:
        parts.append(Text("历时{duration}。", "It lasted {duration}.", duration=_duration(alarm.time - alarm.since)))
    if advice is not None:
        parts.append(advice)
    return Text.join({"zh": "", "en": " "}, parts)


def _duration(micros: int) -> Text:
    minutes = round(micros / SECOND / 60)
    if minutes < 120:
        return Text(" {n} 分钟", "{n} min", n=minutes)
    if minutes < 48 * 60:
        return Text(" {n:.1f} 小时", "{n:.1f} h", n=minutes / 60)
    return Text(" {n:.1f} 天", "{n:.1f} days", n=minutes / 1440)


def _is_more(wanted: str, has: str, place: CityRuntime, case: CaseRule) -> bool:
    """Whether a priority is more pressing than another, by the order of the workflow's or else of the table's severities."""
    said = case.priority or place.pack.sensing.cases.priority
    order = list(place.rules.workflow.priorities) or [said[name] for name in SEVERITIES if name in said]
    return bool(wanted) and wanted != has and (has not in order or order.index(wanted) > order.index(has))


def observation(alarm: Alarm, spot: Spot) -> dict[str, Any] | None:
    """The reading as a case keeps it as evidence; None for a stream that was never heard of."""
    if alarm.value is None:
        return None
    moment = from_micros(alarm.time).isoformat()
    return {"datastream": spot.stream, "value": alarm.value, "unit": spot.unit, "at": moment}


def language(place: CityRuntime) -> str:
    """The language of what is written on the city's cases."""
    return "zh" if place.info.language.startswith("zh") else "en"


# --- what is known of an alarm ------------------------------------------------------------------------------------------


def case_of_episode(alarm: Alarm) -> str:
    """The case of the alarm's earlier turns; empty when there is none. Its own is not looked at: somebody else may just have
    opened it for the same alarm."""
    turns = _episode(alarm).filter(id__lt=alarm.pk).exclude(case="").order_by("-id")
    return turns.values_list("case", flat=True).first() or ""


def _episode(alarm: Alarm) -> Any:
    return Alarm.objects.filter(datastream=alarm.datastream_id, condition=alarm.condition, since=alarm.since)


def _is_over(alarm: Alarm) -> bool:
    return bool(_episode(alarm).filter(turn=Turn.CLEARED).exists())


def _earlier_waits(alarm: Alarm) -> bool:
    """Whether an earlier turn has not been dealt with, other than one that waits for the end of some maintenance."""
    return bool(_episode(alarm).filter(outcome=Outcome.WAITING, look_at=None, id__lt=alarm.pk).exists())


def _maintained(thing: int, at: datetime) -> Maintenance | None:
    return Maintenance.objects.filter(thing=thing, start__lte=at, end__gt=at).order_by("-end").first()


def maintain(*, thing: int, start: datetime, end: datetime, by: str, reason: str) -> Maintenance:
    """Say that somebody works on a thing: its alarms open no case in that time.

    Raises:
        BadInput: The time ends before it begins, or has no offset.
    """
    if start.tzinfo is None or end.tzinfo is None or end - start <= timedelta(0):
        raise BadInput(
            Text(
                "维护的结束时间须晚于开始时间，且都要带时区。", "Maintenance ends after it begins; both need an offset."
            )
        )
    return Maintenance.objects.create(thing_id=thing, start=start, end=end, by=by, reason=reason)


def _key(alarm: Alarm, what: str) -> str:
    return f"{ORIGIN}-alarm-{alarm.pk:012}-{what}"
