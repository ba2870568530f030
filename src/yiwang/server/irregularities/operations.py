"""A month is looked through, units answer, somebody else judges. None of it changes a score, a list or a case."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from yiwang.core.indicators.lists import Period, period_of
from yiwang.core.irregularities import leads as core
from yiwang.core.irregularities.looking import look
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.refusals import Conflict, NotAllowed, NotPossible
from yiwang.core.kernel.text import Text
from yiwang.server.cities.queries import CityRuntime, runtime
from yiwang.server.common.app import Progress
from yiwang.server.common.models import Job
from yiwang.server.common.operations import ask_job
from yiwang.server.irregularities.gathering import gather, span_of
from yiwang.server.irregularities.models import WORDS, IrregularityEvent, Lead, Look
from yiwang.server.irregularities.queries import NAME, belongs
from yiwang.server.ledger.api import add_event
from yiwang.server.people.models import User


def look_through(place: CityRuntime, *, period: str, by: str, now: datetime | None = None) -> Look:
    """Look through a month that has ended, and keep its leads. A second look brings them up to date.

    What somebody has answered or judged stays as it was when they read it.

    Raises:
        BadInput: When that is no month.
        NotPossible: When it has not ended.
    """
    now = now or datetime.now(UTC)
    asked = _ended_month(place, period, now)
    rows = gather(place=place, period=asked)
    found, tests = look(rows, city=place.info.id, period=asked.name, zone=place.info.zone)
    examined = {
        "closings": len(rows.closings),
        "suspensions": len(rows.suspensions),
        "filings": len(rows.filings),
        "reclassifications": len(rows.reclassifications),
        "verifications": len(rows.verifications),
        "clock_readings": len(rows.clock_readings),
        "photos": sum(one.after for one in rows.photo_prints),
        "persons": len(rows.persons),
    }
    with transaction.atomic():
        made, _ = Look.objects.update_or_create(
            city=place.info.id, period=asked.name,
            defaults={"tests": tests, "examined": examined, "looked_at": now, "looked_by": by[:150]},
        )  # fmt: skip
        held = {
            (one.kind, one.unit): one
            for one in Lead.objects.select_for_update().filter(city=place.info.id, period=asked.name)
        }
        for lead in found:
            _keep(lead, held.pop((lead.kind.value, lead.unit), None), city=place.info.id, by=by, now=now)
        for gone in held.values():
            if gone.stands:
                gone.stands = False
                gone.save(update_fields=["stands"])
    return made


def ask_for_look(place: CityRuntime, *, period: str, by: str, now: datetime | None = None) -> None:
    """Have the worker look through a month.

    Raises:
        BadInput: When that is no month.
        NotPossible: When it has not ended.
    """
    asked = _ended_month(place, period, now or datetime.now(UTC))
    ask_job(kind=NAME, city=place.info.id, key=asked.name, parameters={"by": by}, again=True)


def look_job(job: Job, progress: Progress) -> dict[str, Any]:
    """A month looked through by the worker. Killed in the middle it is begun anew, since nothing is kept before the end."""
    made = look_through(runtime(job.city), period=job.key, by=str(job.parameters.get("by", "")))
    return {"tests": made.tests}


def answer(lead: Lead, *, user: User, text: str, now: datetime | None = None) -> Lead:
    """The unit says what it has to say, once.

    Raises:
        BadInput: Without words, or with too many.
        Conflict: When it has answered.
        NotAllowed: When the person holds no post in the unit.
        NotPossible: When somebody has judged.
    """
    if not belongs(user, lead, place=runtime(lead.city)):
        raise NotAllowed(Text("只有该单位的人员可以说明。", "Only people of the unit may answer."))
    words = _words(text)
    with transaction.atomic():
        held = Lead.objects.select_for_update().get(pk=lead.pk)
        if held.judgement:
            raise NotPossible(Text("已经认定。", "It has been judged."))
        if held.answer:
            raise Conflict(Text("已经说明过。", "There is an answer already."))
        held.answer, held.answered_by, held.answered_at = words, user.username[:150], now or datetime.now(UTC)
        held.save()
        _tell(held, "answered", {"text": words}, by=user.username)
    return held


def judge(lead: Lead, *, user: User, judgement: str, reason: str, now: datetime | None = None) -> Lead:
    """Somebody who does not belong to the unit says what the lead is worth.

    Raises:
        BadInput: Without words, with too many, or with another judgement.
        NotAllowed: When the person belongs to the unit.
        NotPossible: When it has been judged.
    """
    if judgement not in Lead.Judgement.values:
        raise BadInput(Problem(Text("请选择认定结果。", "Choose a judgement."), column="judgement"))
    if belongs(user, lead, place=runtime(lead.city)):
        raise NotAllowed(Text("本单位的线索由其他人认定。", "Who belongs to the unit does not judge its leads."))
    words = _words(reason)
    with transaction.atomic():
        held = Lead.objects.select_for_update().get(pk=lead.pk)
        if held.judgement:
            raise NotPossible(Text("已经认定。", "It has been judged."))
        if held.answered_by == user.username:
            raise NotAllowed(Text("作出说明的人不能自己认定。", "Who answered does not judge."))
        held.judgement, held.reason = judgement, words
        held.judged_by, held.judged_at = user.username[:150], now or datetime.now(UTC)
        held.save()
        _tell(held, "judged", {"judgement": judgement, "text": words}, by=user.username)
    return held


def _ended_month(place: CityRuntime, period: str, now: datetime) -> Period:
    try:
        asked = period_of(period, "month")
    except ValueError:
        wrong = Text("「{period}」不是月份。", "{period!r} is no month.", period=period[:20])
        raise BadInput(Problem(wrong, Text("例如 2026-11。", "For example 2026-11."), column="period")) from None
    if span_of(asked, place=place).after > now:
        raise NotPossible(Text("{period} 还没有结束。", "{period} has not ended yet.", period=asked.name))
    return asked


def figures_of(lead: core.Lead) -> dict[str, Any]:
    """A lead's figures as they are kept."""
    return {
        "observed": lead.observed,
        "trials": lead.trials,
        "expected": lead.expected,
        "rate": lead.rate,
        "p_value": lead.p_value,
        "q_value": lead.q_value,
        "data": dict(lead.data),
    }


def _keep(lead: core.Lead, held: Lead | None, *, city: str, by: str, now: datetime) -> None:
    figures, cases = figures_of(lead), list(lead.cases)
    if held is None:
        held = Lead(city=city, kind=lead.kind.value, unit=lead.unit, period=lead.period, found_at=now)
    elif held.answer or held.judgement or (held.stands and held.figures == figures and held.cases == cases):
        return
    held.figures, held.cases, held.stands = figures, cases, True
    held.save()
    told = {name: figures[name] for name in ("observed", "trials", "expected", "rate", "p_value", "q_value")}
    _tell(held, "found", {**told, "cases": cases}, by=by)


def _words(text: str) -> str:
    words = text.strip()
    if not words:
        raise BadInput(Problem(Text("请写明理由。", "Say why."), column="text"))
    if len(words) > WORDS:
        raise BadInput(Problem(Text("最多 {most} 字。", "At most {most} characters.", most=WORDS), column="text"))
    return words


def _tell(lead: Lead, kind: str, said: dict[str, Any], *, by: str) -> None:
    subject = f"{lead.period}/{lead.kind}/{lead.unit}"
    add_event(IrregularityEvent, stream=NAME, city=lead.city, subject=subject, kind=kind, said=said, by=by)
