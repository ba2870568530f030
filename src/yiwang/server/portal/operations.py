"""Writes of the portal: reports that are followed by a secret link, what their holders do, what moderators decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from yiwang.core.cases.events import Actor, Command
from yiwang.core.cases.workflow import Verb
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.refusals import NotAllowed, NotPossible, Unknown
from yiwang.core.kernel.text import Text
from yiwang.packs.portal import BEFORE
from yiwang.server.cases.api import Case, ReportDraft, act_on_case, join_case, outsider, report_case
from yiwang.server.cities.queries import CityRuntime, runtime
from yiwang.server.common import idempotency, publishing, throttling
from yiwang.server.common.masking import redact
from yiwang.server.common.models import PublicText, PublicTextDecision
from yiwang.server.common.throttling import Caller
from yiwang.server.portal import links, originals
from yiwang.server.portal.models import Follow, Gathering, Silence

LONGEST_WHY = 400
RENEWED_FOR = timedelta(minutes=10)  # so long an answer may be lost on the way and asked for again
ADDRESS_KEPT = timedelta(days=90)  # after the end: until then it may be opened again


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportReceipt:
    """A report that was taken: the answer, its follow, and the secret, which is shown now and never again.

    The secret is empty where the same report came again after `RENEWED_FOR`: its link has been given, and whoever knows the
    key by now need not be who reported.
    """

    answer: dict[str, Any]
    follow: Follow
    secret: str


def citizen(follow: Follow) -> Actor:
    """The holder of a report's link, as the core's actor."""
    return outsider(follow.city, id=f"follow:{follow.uid}")


# --- reporting and joining ----------------------------------------------------------------------------------------


def report(
    *,
    city: str,
    draft: ReportDraft,
    key: str,
    caller: Caller,
    scope: str = "",
    join: str = "",
    email: str = "",
    english: bool = False,
    origin: str = "",
    good_photos_only: bool = False,
) -> ReportReceipt:
    """Take a citizen's report, or add it to an open case, with a link by which only this person can follow it.

    Args:
        city: City.
        draft: What is reported.
        key: Idempotency key of the form: sent twice it is one report, whose link is renewed for those whom the first answer did
            not reach.
        caller: From where the citizen calls: the same key from elsewhere is another report.
        scope: Of the key, where one caller comes by several ways.
        join: Number of the open case that it is about; empty for a new one.
        email: Where to send news; empty for nowhere.
        english: Whether news begin in English.
        origin: Scheme and host for the links in messages.
        good_photos_only: As for `cases.operations.report`; for a new report.

    Raises:
        Refusal, BadInput: As `cases.operations.report` and `cases.joining.join` say.
    """
    throttling.slow_reports(caller)
    idempotency.check(key, stranger=True)
    uid = links.uid_of(f"{city}:{scope}:{caller.pseudonym}:{key}")
    actor = outsider(city, id=f"follow:{uid}")
    secret = links.new_secret()
    if email and Silence.objects.filter(digest=links.address_digest(email)).exists():
        email = ""
    with transaction.atomic():
        if join:
            answer = join_case(city=city, number=join, draft=draft, actor=actor, key=key)
        else:
            answer = report_case(
                city=city,
                draft=replace(draft, channel="public"),
                actor=actor,
                key=key,
                good_photos_only=good_photos_only,
            )
        kept = {
            "city": city, "report": answer["number"], "number": answer["case"], "current": answer["case"],
            "digest": links.digest_of(secret, uid=uid), "email": email, "english": english, "origin": origin[:200],
            "told": answer["seq"] if join else 0,
        }  # fmt: skip
        follow, new = Follow.objects.get_or_create(uid=uid, defaults=kept)
        if not new and follow.created_at > timezone.now() - RENEWED_FOR:
            follow.digest = kept["digest"]
            follow.save(update_fields=["digest"])
        elif not new:
            secret = ""
        kind, number = (publishing.REPORT, answer["number"]) if join else (publishing.CASE, answer["case"])
        offer(place=runtime(city), kind=kind, texts={number: draft.text})
    return ReportReceipt(answer=answer, follow=follow, secret=secret)


# --- what the holder of a link may do -----------------------------------------------------------------------------


def verb_of(place: CityRuntime, effect: str) -> Verb | None:
    """The citizen's verb for an effect (``rate``, ``reopen``) in the city's workflow."""
    workflow = place.rules.workflow
    return next(
        (verb for verb in workflow.by_effect(effect) if workflow.outside_roles().intersection(verb.roles)), None
    )


def act(
    *,
    follow: Follow,
    effect: str,
    payload: Mapping[str, Any],
    photos: Sequence[Any] = (),
    key: str = "",
    reporter: str,
) -> dict[str, Any]:
    """Rate or reopen, as the holder of the report's link and nobody else.

    Args:
        follow: The report.
        effect: ``rate`` or ``reopen``.
        payload: ``stars`` and ``note``, or ``reason``.
        photos: Pictures.
        key: Idempotency key.
        reporter: The case's reporter, as read.

    Raises:
        Refusal: Why it cannot be done.
    """
    place = runtime(follow.city)
    verb = verb_of(place, effect)
    if verb is None or effect not in {"rate", "reopen"}:
        raise NotPossible(Text("这个城市的流程里没有这一步。", "This city's workflow has no such step."))
    actor = citizen(follow)
    if reporter != actor.id:  # whatever the pack's verb says of who may
        raise NotAllowed(
            Text(
                "只有最先上报的人可以这样做；您可以另行上报。",
                "Only the person who reported it first may do this; you can make a report of your own.",
            ),
        )
    return act_on_case(
        number=follow.current, city=follow.city, command=Command(verb=verb.id, actor=actor, payload=dict(payload)),
        photos=photos, key=key,
    )  # fmt: skip


def set_email(*, follow: Follow, email: str, told: int, current: str) -> bool:
    """Give, change or take away the address for news; False when that address wants no messages at all."""
    if email and Silence.objects.filter(digest=links.address_digest(email)).exists():
        return False
    Follow.objects.filter(pk=follow.pk).update(email=email, told=told, current=current)
    return True


def unsubscribe(*, follow: Follow, everything: bool) -> None:
    """No more messages about a report; or none at all to its address, now and later."""
    email = follow.email
    with transaction.atomic():
        Follow.objects.filter(pk=follow.pk).update(email="")
        if everything and email:
            Silence.objects.get_or_create(digest=links.address_digest(email))
            Follow.objects.filter(email__iexact=email).update(email="")


def forget_addresses(*, at: datetime | None = None) -> int:
    """Throw away the addresses of those whose case ended long ago: nothing more will be told; how many."""
    before = (at or timezone.now()) - ADDRESS_KEPT
    ended = Case.objects.filter(number=OuterRef("current"), closed_at__lt=before)
    return Follow.objects.exclude(email="").filter(Exists(ended)).update(email="")


def record_notice(*, follow: int, seq: int) -> None:
    """The person has been told of everything up to an event."""
    Follow.objects.filter(pk=follow, told__lt=seq).update(told=seq)


def lead_on(*, follow: int, current: str, told: int) -> None:
    """The case has been merged into another one: from now on the person is told of that one."""
    Follow.objects.filter(pk=follow).update(current=current, told=told)


# --- moderation ---------------------------------------------------------------------------------------------------


def offer(*, place: CityRuntime, kind: str, texts: Mapping[str, str], always: bool = False) -> int:
    """Put texts before a moderator: those in which something was masked, or all (``always``, or a city that releases first)."""
    rows = []
    for key, text in texts.items():
        found = redact(text)
        if text and (always or found.kinds or place.pack.portal.moderation == BEFORE):
            rows.append(
                PublicText(
                    city=place.info.id, kind=kind, key=key, original=text, published=found.text,
                    kinds=",".join(found.kinds),
                )
            )  # fmt: skip
    if rows:
        PublicText.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def flag(*, place: CityRuntime, kind: str, key: str) -> None:
    """A reader asks a moderator to look at a text.

    Raises:
        Unknown: When there is no such text.
    """
    text = originals.original(city=place.info.id, kind=kind, key=key)
    if not text:
        raise Unknown(Text("没有这段文字。", "There is no such text."))
    offer(place=place, kind=kind, texts={key: text}, always=True)
    PublicText.objects.filter(kind=kind, key=key).update(flags=F("flags") + 1)


def decide(
    *, place: CityRuntime, kind: str, key: str, state: str, published: str, why: str, by: str, by_name: str = ""
) -> PublicText:
    """A moderator's decision. The original is kept as it was written, and each decision stays on record.

    Args:
        place: City.
        kind, key: The text.
        state: ``released`` (as masked), ``edited`` (as ``published`` says) or ``withheld``.
        published: The public version, when edited.
        why: The reason; needed for anything but releasing.
        by, by_name: Who decides.

    Raises:
        Unknown: When there is no such text.
        BadInput: When the state is none, or the reason or the text is missing.
    """
    original = originals.original(city=place.info.id, kind=kind, key=key)
    if not original:
        raise Unknown(Text("没有这段文字。", "There is no such text."))
    states = PublicText.State
    if state not in {states.RELEASED, states.EDITED, states.WITHHELD}:
        raise BadInput(
            Problem(
                Text("「{state}」不是有效的决定。", "{state!r} is no decision.", state=state),
                Text("应为 released、edited 或 withheld。", "released, edited or withheld."),
                column="state",
            )
        )
    if state != states.RELEASED and not why:
        raise BadInput(Problem(Text("请写明理由。", "A reason is needed."), column="why"))
    if state == states.EDITED and not published:
        raise BadInput(
            Problem(
                Text("请写公开的文字，或选择不公开。", "Write the public text, or withhold it."), column="published"
            )
        )
    shown = {states.RELEASED: redact(original).text, states.EDITED: published}.get(states(state), "")
    now = timezone.now()
    with transaction.atomic():
        offer(place=place, kind=kind, texts={key: original}, always=True)
        row = PublicText.objects.select_for_update().get(kind=kind, key=key)
        row.original, row.published, row.state, row.flags = original, shown, state, 0
        row.by, row.why, row.at = by, why[:LONGEST_WHY], now
        row.save()
        PublicTextDecision.objects.create(
            text=row, state=state, published=shown, by=by, by_name=by_name, why=why[:LONGEST_WHY], at=now
        )
    return row


def record_gathering(*, city: str, seen: int) -> None:
    """Reports up to an id have been looked at."""
    Gathering.objects.update_or_create(city=city, defaults={"seen": seen})
