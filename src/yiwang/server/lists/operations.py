"""Notice is given of lists, units object, somebody else decides, and the lists are published."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from yiwang.core.indicators.lists import ListRule, Ranked, listed, period_of
from yiwang.core.indicators.scorecard import ScoreRow
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.refusals import Conflict, NotAllowed, NotPossible
from yiwang.core.kernel.text import Text
from yiwang.server.cities.queries import CityRuntime, runtime
from yiwang.server.ledger.api import add_event
from yiwang.server.lists.models import Edition, ListEntry, ListEvent
from yiwang.server.people.models import User
from yiwang.server.scores import queries as scores
from yiwang.server.scrutiny.access import belongs_to

NAME = "lists"
LONGEST = 2000


def rule_of(place: CityRuntime, rule: str, *, on: date) -> ListRule | None:
    """The version of a rule that is in force on a day."""
    return next((one for one in place.pack.indicators.lists if one.id == rule and one.validity.contains(on)), None)


def give_notice(place: CityRuntime, *, rule: str, period: str, by: str, now: datetime | None = None) -> Edition:
    """Make the lists of a period and give notice of them: from now on units may object.

    Figures are those of the period, judged for the moment at which it ended.

    Raises:
        BadInput: When there is no such rule or period, or it has not been counted up to its end.
        Conflict: When notice has been given.
        NotPossible: When the period has not ended.
    """
    now = now or datetime.now(UTC)
    today = now.astimezone(place.info.zone).date()
    known = next((one for one in place.pack.indicators.lists if one.id == rule), None)
    if known is None:
        raise BadInput(
            Problem(Text("没有榜单「{rule}」。", "There is no list {rule!r}.", rule=rule[:40]), column="rule")
        )
    try:
        asked = period_of(period, known.period)
    except ValueError:
        hint = {"month": "2026-03", "quarter": "2026-Q1", "year": "2026"}[known.period]
        wrong = Text("「{period}」不是时段。", "{period!r} is no period.", period=period[:20])
        raise BadInput(
            Problem(wrong, Text("例如 {hint}。", "For example {hint}.", hint=hint), column="period")
        ) from None
    held = rule_of(place, rule, on=asked.first)
    if held is None:
        raise BadInput(Problem(Text("那时没有这条规则。", "The rule was not in force then."), column="period"))
    if asked.after > today:
        raise NotPossible(Text("{period} 还没有结束。", "{period} has not ended yet.", period=period))
    end = datetime.combine(asked.after, time(), tzinfo=place.info.zone)
    card = scores.scorecard(place=place, by=(held.level,), since=asked.first, until=asked.after, as_of=end)
    if card.facts_at < end:
        raise BadInput(Problem(Text("统计还没有到时段末。", "It has not been counted up to the end of the period.")))
    enough: list[ScoreRow] = []
    left_out: list[ScoreRow] = []
    for row in card.rows:
        composite, load = row.composites.get(held.evaluation), row.cells.get(held.caseload)
        if not row.keys[held.level] or composite is None or composite.score is None:
            continue
        large = load is not None and (load.value or 0) >= held.least
        (enough if large else left_out).append(row)
    stood = scores.standings_of(replace(card, rows=enough), place=place, ranked=[held.evaluation])
    units = []
    loads: dict[str, float] = {}
    for row, own in zip(enough, stood, strict=True):
        standing, key = own.get(held.evaluation), row.keys[held.level]
        loads[key] = float(row.cells[held.caseload].value or 0)
        score = row.composites[held.evaluation].score
        assert score is not None
        units.append(Ranked(key=key, score=score, place=standing.place if standing else None))
    found = listed(units, held)
    edition = Edition(
        city=place.info.id,
        rule=held.id,
        period=asked.name,
        terms=terms_of(held),
        ranked=len(units),
        left_out=sorted(row.keys[held.level] for row in left_out),
        facts_at=card.facts_at,
        noticed_at=now,
        noticed_by=by[:150],
        objections_until=today + timedelta(days=held.objection_days),
    )
    try:
        with transaction.atomic():
            edition.save()
            entries = [
                ListEntry(
                    edition=edition,
                    colour=one.colour.value,
                    unit=one.unit.key,
                    score=one.unit.score,
                    best=one.unit.place.best,
                    worst=one.unit.place.worst,
                    caseload=loads[one.unit.key],
                )
                for one in found
                if one.unit.place is not None
            ]
            ListEntry.objects.bulk_create(entries)
            told = {
                "terms": edition.terms,
                "ranked": edition.ranked,
                "left_out": edition.left_out,
                "entries": [[one.colour, one.unit, one.score, one.best, one.worst, one.caseload] for one in entries],
                "objections_until": f"{edition.objections_until}",
            }
            _tell(edition, "noticed", told, by=by)
    except IntegrityError:
        raise Conflict(
            Text("{period} 已经公示过。", "Notice of {period} has been given already.", period=period)
        ) from None
    return edition


def object_to(entry: ListEntry, *, user: User, text: str, now: datetime | None = None) -> ListEntry:
    """A unit objects to being on a list, or to how.

    Raises:
        BadInput: Without words, or with too many.
        Conflict: When it has objected already.
        NotAllowed: When the person holds no post in the unit.
        NotPossible: When the days for objections are over.
    """
    now = now or datetime.now(UTC)
    place = runtime(entry.edition.city)
    if not belongs(user, entry, place=place):
        raise NotAllowed(Text("只有榜上单位的人员可以提出异议。", "Only people of the unit may object."))
    words = _words(text)
    with transaction.atomic():
        held = _held(entry)
        today = now.astimezone(place.info.zone).date()
        if held.edition.step != Edition.Step.NOTICED or today > held.edition.objections_until:
            raise NotPossible(Text("异议期已过。", "The days for objections are over."))
        if held.objection:
            raise Conflict(Text("已经提出过异议。", "There is an objection already."))
        held.objection, held.objected_by, held.objected_at = words, user.username[:150], now
        held.save()
        _tell(held.edition, "objected", {"unit": held.unit, "text": words}, by=user.username)
    return held


def decide_objection(entry: ListEntry, *, upheld: bool, text: str, by: str, now: datetime | None = None) -> ListEntry:
    """Decide on an objection. One that is upheld takes the unit off the list.

    Raises:
        BadInput: Without words, or with too many.
        NotAllowed: When the same person gave the notice or objected.
        NotPossible: When there is nothing to decide, or the lists have been published.
    """
    now, words = now or datetime.now(UTC), _words(text)
    with transaction.atomic():
        held = _held(entry)
        if held.edition.step != Edition.Step.NOTICED or not held.objection or held.upheld is not None:
            raise NotPossible(Text("没有待决定的异议。", "There is no objection to decide on."))
        if by in (held.edition.noticed_by, held.objected_by):
            raise NotAllowed(
                Text("公示人和提出异议的人不能自己决定。", "Who gave the notice or objected does not decide.")
            )
        held.upheld, held.decision, held.decided_by, held.decided_at = upheld, words, by[:150], now
        held.save()
        _tell(held.edition, "decided", {"unit": held.unit, "upheld": upheld, "text": words}, by=by)
    return held


def publish(edition: Edition, *, by: str, now: datetime | None = None) -> Edition:
    """Publish lists once the days for objections are over and all of them are decided.

    Raises:
        NotPossible: Before that, or when the edition has ended.
    """
    now = now or datetime.now(UTC)
    place = runtime(edition.city)
    with transaction.atomic():
        held = Edition.objects.select_for_update().get(pk=edition.pk)
        if held.step != Edition.Step.NOTICED:
            raise NotPossible(Text("这一期已经结束。", "This edition has ended."))
        if now.astimezone(place.info.zone).date() <= held.objections_until:
            raise NotPossible(
                Text("异议期到 {day}。", "Objections may come until {day}.", day=f"{held.objections_until}")
            )
        if held.entries.exclude(objection="").filter(upheld=None).exists():
            raise NotPossible(Text("还有异议没有决定。", "There are objections to decide on."))
        return _end(held, Edition.Step.PUBLISHED, by=by, now=now)


def withdraw(edition: Edition, *, by: str, now: datetime | None = None) -> Edition:
    """Withdraw lists of which notice was given in error; notice can then be given anew.

    Raises:
        NotPossible: When the edition has ended.
    """
    with transaction.atomic():
        held = Edition.objects.select_for_update().get(pk=edition.pk)
        if held.step != Edition.Step.NOTICED:
            raise NotPossible(Text("这一期已经结束。", "This edition has ended."))
        return _end(held, Edition.Step.WITHDRAWN, by=by, now=now or datetime.now(UTC))


def belongs(user: Any, entry: ListEntry, *, place: CityRuntime) -> bool:
    """Whether somebody holds a post in a listed unit."""
    return belongs_to(user, place=place, level=entry.edition.terms["level"], code=entry.unit)


def terms_of(rule: ListRule) -> dict[str, Any]:
    """A rule as it is kept with an edition and shown to everybody."""
    return {
        "name": dict(rule.name),
        "evaluation": rule.evaluation,
        "level": rule.level,
        "period": rule.period,
        "red": rule.red,
        "black": rule.black,
        "caseload": rule.caseload,
        "least": rule.least,
        "objection_days": rule.objection_days,
        "source": rule.source,
        "source_en": rule.source_en,
        "confidence": rule.confidence,
    }


def _end(edition: Edition, step: str, *, by: str, now: datetime) -> Edition:
    edition.step, edition.ended_at = step, now
    edition.save(update_fields=["step", "ended_at"])
    standing = [[one.colour, one.unit] for one in edition.entries.all() if not one.upheld]
    _tell(edition, step, {"entries": standing}, by=by)
    return edition


def _held(entry: ListEntry) -> ListEntry:
    """The entry with its edition, neither of which somebody else changes meanwhile."""
    edition = Edition.objects.select_for_update().get(pk=entry.edition_id)
    held = ListEntry.objects.select_for_update().get(pk=entry.pk)
    held.edition = edition
    return held


def _words(text: str) -> str:
    words = text.strip()
    if not words:
        raise BadInput(Problem(Text("请写明理由。", "Say why."), column="text"))
    if len(words) > LONGEST:
        raise BadInput(Problem(Text("最多 {most} 字。", "At most {most} characters.", most=LONGEST), column="text"))
    return words


def _tell(edition: Edition, kind: str, said: dict[str, Any], *, by: str) -> None:
    subject = f"{edition.rule}/{edition.period}"
    add_event(ListEvent, stream=NAME, city=edition.city, subject=subject, kind=kind, said=said, by=by)
