"""Honours are proposed on what the rule asks for, decided by somebody else, and taken away likewise."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any

from django.db import IntegrityError, transaction

from yiwang.core.inspections.honours import AreaRule, BannerRule, Judgement, judge, months_before
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.refusals import Conflict, NotAllowed, NotPossible
from yiwang.core.kernel.text import Text
from yiwang.server.cities.queries import CityRuntime, runtime
from yiwang.server.honours.models import Honour, HonourEvent
from yiwang.server.inspections.api import scores_of
from yiwang.server.ledger.api import add_event
from yiwang.server.lists.api import newest_red_list
from yiwang.server.people.models import User
from yiwang.server.scrutiny.access import belongs_to

NAME = "honours"
LONGEST = 2000
Rule = AreaRule | BannerRule


def rules_on(place: CityRuntime, day: date) -> list[Rule]:
    """The rules in force on a day: areas, then banners."""
    rules: tuple[Rule, ...] = (*place.pack.honours.areas, *place.pack.honours.banners)
    return [one for one in rules if one.validity.contains(day)]


def judgements(place: CityRuntime, rule: AreaRule, *, today: date) -> dict[str, Judgement]:
    """What the inspections of each region say by a rule; regions that were never inspected are left out."""
    found = scores_of(place, checklist=rule.checklist, since=months_before(today, rule.within_months))
    return {code: judge(rule, scores, today=today) for code, scores in found.items()}


def meeting(place: CityRuntime, rule: Rule, *, today: date) -> dict[str, Judgement | tuple[int, int]]:
    """Who meets a rule, by code: with what the inspections say of an area, or the places on the red list."""
    if isinstance(rule, AreaRule):
        return {code: one for code, one in judgements(place, rule, today=today).items() if one.reached}
    red = newest_red_list(city=place.info.id, rule=rule.list)
    return dict(red.units) if red else {}


def propose(
    place: CityRuntime, *, rule: str, holder: str, text: str = "", by: str, now: datetime | None = None
) -> Honour:
    """Propose who meets the rule.

    Raises:
        BadInput: When there is no such rule or holder, or it does not meet the rule; says what is missing.
        Conflict: When it holds the honour already, or is proposed.
    """
    now = now or datetime.now(UTC)
    today = now.astimezone(place.info.zone).date()
    found = next((one for one in rules_on(place, today) if one.id == rule), None)
    if found is None:
        raise _wrong("rule", Text("没有这条规则。", "There is no such rule."))
    if isinstance(found, AreaRule):
        level, basis = found.level, _of_inspections(place, found, holder, today)
    else:
        level, basis = _of_list(place, found, holder)
    honour = Honour(
        city=place.info.id,
        rule=found.id,
        kind=Honour.Kind.AREA if isinstance(found, AreaRule) else Honour.Kind.BANNER,
        terms=terms_of(found),
        level=level,
        holder=holder,
        basis=basis,
        text=_words(text, needed=False),
        by=by[:150],
        at=now,
    )
    try:
        with transaction.atomic():
            honour.save()
            _tell(honour, "proposed", {"terms": honour.terms, "basis": basis, "text": honour.text}, by=by)
    except IntegrityError:
        raise Conflict(
            Text("已经授予，或正等待决定。", "It is held already, or waits for a decision."), field="holder"
        ) from None
    return honour


def decide(honour: Honour, *, granted: bool, text: str, by: str, now: datetime | None = None) -> Honour:
    """Decide on a proposal: to give the honour, or to take it away.

    A banner of which all are given moves on: who has held one longest gives it back.

    Raises:
        BadInput: Without reasons for a refusal, or with too many words.
        NotAllowed: When the same person proposed it.
        NotPossible: When there is nothing to decide.
    """
    now = now or datetime.now(UTC)
    place = runtime(honour.city)
    today = now.astimezone(place.info.zone).date()
    with transaction.atomic():
        held = _held(honour)
        if held.step not in (Honour.Step.PROPOSED, Honour.Step.DOUBTED):
            raise NotPossible(Text("没有待决定的事项。", "There is nothing to decide."))
        if by == held.by:
            raise NotAllowed(Text("提出人不能自己决定。", "Who proposed it does not decide."))
        giving = held.step == Honour.Step.PROPOSED
        held.decision, held.decided_by, held.decided_at = _words(text, needed=not (giving and granted)), by[:150], now
        if giving and granted and held.kind == Honour.Kind.BANNER:
            _pass_on(held, by=by, now=now, today=today)
        if giving:
            held.step, kind = (Honour.Step.HELD, "granted") if granted else (Honour.Step.REFUSED, "refused")
            held.since = today if granted else None
        else:
            held.step, kind = (Honour.Step.ENDED, "ended") if granted else (Honour.Step.HELD, "kept")
            held.until = today if granted else None
        held.save()
        _tell(held, kind, {"text": held.decision}, by=by)
    return held


def doubt(honour: Honour, *, text: str, by: str, now: datetime | None = None) -> Honour:
    """Propose to take an honour away: of an area that failed its inspections, of a banner at any time.

    Raises:
        BadInput: Without reasons, or with too many words.
        NotPossible: When it is not held, or the inspections do not fail what the rule asks for.
    """
    now = now or datetime.now(UTC)
    place = runtime(honour.city)
    today = now.astimezone(place.info.zone).date()
    words = _words(text)
    with transaction.atomic():
        held = _held(honour)
        if held.step != Honour.Step.HELD:
            raise NotPossible(Text("现在没有持有。", "It is not held now."))
        if held.kind == Honour.Kind.AREA:
            rule = rule_of(held, place)
            found = judgements(place, rule, today=today).get(held.holder)
            if found is None or not found.failed:
                raise NotPossible(
                    Text(
                        "最近的检查没有达到摘牌的条件：须连续 {times} 次低于 {least:g} 分。",
                        "The last inspections do not fail the rule: {times} in a row below {least:g}.",
                        times=rule.delisted_after,
                        least=rule.delisted_below,
                    )
                )
            held.doubt = {"inspections": _scores(found)}
        held.step, held.text, held.by, held.at = Honour.Step.DOUBTED, words, by[:150], now
        held.answer, held.answered_by, held.answered_at = "", "", None
        held.save()
        _tell(held, "doubted", {"text": words, "basis": held.doubt}, by=by)
    return held


def answer(honour: Honour, *, user: User, text: str, now: datetime | None = None) -> Honour:
    """The unit says what it has to say before the honour is taken away.

    Raises:
        BadInput: Without words, or with too many.
        Conflict: When it has answered.
        NotAllowed: When the person holds no post in the unit.
        NotPossible: When nobody proposes to take it away.
    """
    place = runtime(honour.city)
    if not belongs_to(user, place=place, level=honour.level, code=honour.holder):
        raise NotAllowed(Text("只有本单位的人员可以答复。", "Only people of the unit may answer."))
    words = _words(text)
    with transaction.atomic():
        held = _held(honour)
        if held.step != Honour.Step.DOUBTED:
            raise NotPossible(Text("没有待答复的事项。", "There is nothing to answer."))
        if held.answer:
            raise Conflict(Text("已经答复。", "There is an answer already."))
        held.answer, held.answered_by, held.answered_at = words, user.username[:150], now or datetime.now(UTC)
        held.save()
        _tell(held, "answered", {"text": words}, by=user.username)
    return held


def rule_of(honour: Honour, place: CityRuntime) -> AreaRule:
    """The rule by which an area was listed, as it was then."""
    terms = dict(honour.terms)
    return AreaRule(**{**terms, "name": Text.of(terms["name"]), "source": Text.of(terms["source"])})


def terms_of(rule: Rule) -> dict[str, Any]:
    """A rule as it is kept with an honour, without its days."""
    said = {key: value for key, value in asdict(rule).items() if key != "validity"}
    return {**said, "name": dict(rule.name), "source": dict(rule.source)}


def _of_inspections(place: CityRuntime, rule: AreaRule, holder: str, today: date) -> dict[str, Any]:
    found = judgements(place, rule, today=today).get(holder)
    if found is None or not found.reached:
        raise _wrong(
            "holder",
            Text(
                "没有达到授牌条件：{months} 个月内最近 {times} 次检查都须不低于 {least:g} 分。",
                "It does not meet the rule: each of the last {times} inspections within {months} months must reach {least:g}.",
                months=rule.within_months,
                times=rule.inspections,
                least=rule.listed_at,
            ),
        )
    return {"inspections": _scores(found)}


def _of_list(place: CityRuntime, rule: BannerRule, holder: str) -> tuple[str, dict[str, Any]]:
    red = newest_red_list(city=place.info.id, rule=rule.list)
    if red is None or holder not in red.units:
        raise _wrong(
            "holder", Text("不在最近公布的红榜上。", "It does not stand on the red list that was published last.")
        )
    best, worst = red.units[holder]
    return red.level, {"list": rule.list, "period": red.period, "places": [best, worst]}


def _pass_on(honour: Honour, *, by: str, now: datetime, today: date) -> None:
    """Who has held a banner longest gives it back, where all are given."""
    same = Honour.objects.select_for_update().filter(city=honour.city, rule=honour.rule, step=Honour.Step.HELD)
    holders = list(same.order_by("since", "id"))
    for one in holders[: max(0, len(holders) + 1 - int(honour.terms["holders"]))]:
        one.step, one.until, one.decided_by, one.decided_at, one.decision = Honour.Step.ENDED, today, by[:150], now, ""
        one.save()
        _tell(one, "ended", {"to": honour.holder}, by=by)


def _scores(found: Judgement) -> list[list[Any]]:
    return [[one.inspection, f"{one.day}", one.score] for one in found.latest]


def _held(honour: Honour) -> Honour:
    return Honour.objects.select_for_update().get(pk=honour.pk)


def _words(text: str, *, needed: bool = True) -> str:
    words = text.strip()
    if needed and not words:
        raise _wrong("text", Text("请写明理由。", "Say why."))
    if len(words) > LONGEST:
        raise _wrong("text", Text("最多 {most} 字。", "At most {most} characters.", most=LONGEST))
    return words


def _wrong(column: str, message: Text) -> BadInput:
    return BadInput(Problem(message, column=column))


def _tell(honour: Honour, kind: str, said: dict[str, Any], *, by: str) -> None:
    subject = f"{honour.rule}/{honour.holder}"
    add_event(HonourEvent, stream=NAME, city=honour.city, subject=subject, kind=kind, said=said, by=by)
