"""Writes notices from what is in the outbox, what of them has been read, and how somebody wants to be told.

A notice is kept in the transaction that marks its row of the outbox as dealt with: a worker that is killed keeps none of a
batch or all, and what is told twice is one row by its unique key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.server.cases.api import Outbox
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.posting import Letter
from yiwang.server.notices import confirming, queries
from yiwang.server.notices.channels import Channel
from yiwang.server.notices.deriving import Draft, addressed, drafts
from yiwang.server.notices.kinds import KINDS
from yiwang.server.notices.models import Notice, ReadMark, Recipient, Subscription
from yiwang.server.notices.queries import Mine

KEPT = timedelta(days=90)
GATHERED = timedelta(seconds=60)  # what comes within this time goes out as one message
MOST_MARKED = 500
_LOCK = 0x79776E  # PostgreSQL's advisory lock under which notices are inserted
_BATCH = 5000
EMAIL = re.compile(r"[^@\s<>\",;]+@[^@\s<>\",;]+\.[^@\s<>\",;]+")
PHONE = re.compile(r"[A-Za-z0-9+][A-Za-z0-9@._+-]{4,63}")


def take_note(rows: Sequence[Outbox]) -> Mapping[int, Sequence[Letter]]:
    """Keep what rows of the outbox tell whom, and wake the channels that somebody wants it by. A correspondent of the outbox:
    it has no letters, so that no mail server stands between a row and its notices."""
    found = drafts(rows)
    if found:
        keep(found, at=timezone.now())
    return {}


def keep(found: Sequence[Draft], *, at: datetime) -> None:
    """Keep notices, each once, inside the caller's transaction."""
    with transaction.atomic():
        if (
            connection.vendor == "postgresql"
        ):  # ids in the order in which transactions end; SQLite has one writer anyway
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        Notice.objects.bulk_create(
            [
                Notice(
                    city=draft.city, addressee=draft.addressee, number=draft.number, seq=draft.seq, kind=draft.kind,
                    verb=draft.verb, actor=draft.actor, at=draft.at, created_at=at,
                )
                for draft in found
            ],
            ignore_conflicts=True,
        )  # fmt: skip
        for city in sorted({draft.city for draft in found}):
            _wake([draft for draft in found if draft.city == city], city=city, at=at)


def _wake(found: Sequence[Draft], *, city: str, at: datetime) -> None:
    """One statement, however many are told."""
    persons, units = addressed(found)
    who = Q(user_id__in=persons) | Q(user__assignments__city=city, user__assignments__unit__in=units)
    wanted = Q()
    for kind in sorted({draft.kind for draft in found}):
        wanted |= Q(kinds__contains=f" {kind} ")
    woken = Subscription.objects.filter(who, wanted, city=city).values("pk")
    Subscription.objects.filter(pk__in=woken).update(
        woken=F("woken") + 1, next_at=Coalesce(F("next_at"), Value(at + GATHERED))
    )


# --- read ---------------------------------------------------------------------------------------------------------


def mark_read(own: Mine, ids: Iterable[int]) -> int:
    """Mark notices as read, of those given that are somebody's own; how many were not yet."""
    asked = [pk for pk in dict.fromkeys(ids) if 0 < pk < queries.MOST_ID][:MOST_MARKED]
    new = [pk for query in own.each() for pk in own.unread(query.filter(id__in=asked)).values_list("id", flat=True)]
    ReadMark.objects.bulk_create([ReadMark(user_id=own.user, notice_id=pk) for pk in new], ignore_conflicts=True)
    return len(new)


def mark_all_read(own: Mine, *, until: int) -> None:
    """Mark everything up to an id as read: the newest that was shown, so that what has come since stays unread."""
    until = min(until, queries.newest_id())
    if until <= own.read_to or not own.addressees:
        return
    with transaction.atomic():
        Recipient.objects.get_or_create(user_id=own.user, city=own.city)
        Recipient.objects.filter(user_id=own.user, city=own.city, read_to__lt=until).update(read_to=until)
        ReadMark.objects.filter(user_id=own.user, notice__city=own.city, notice_id__lte=until).delete()


# --- settings -----------------------------------------------------------------------------------------------------


def save_settings(
    *,
    user: Any,
    place: CityRuntime,
    chosen: Mapping[str, Iterable[str]],
    contacts: Mapping[str, str],
    quiet: tuple[str, str],
    channels: Sequence[Channel],
    language: str,
    origin: str,
) -> None:
    """Keep how somebody wants to be told. A channel begins with what comes from now on.

    Args:
        user: Account.
        place: City.
        chosen: Kinds by channel.
        contacts: ``email`` and ``phone``; what is left out stays as it is, an empty text deletes it.
        quiet: From and to, ``22:00`` in the city's time; both empty for none.
        channels: Those that can be chosen.
        language: Of messages, as Django names it.
        origin: Scheme and host of links in messages.

    An e-mail address that was not there before is to be confirmed first (`confirming`).

    Raises:
        BadInput: Something cannot be taken; nothing was changed. ``column`` names the field.
        TooOften: Too many letters of confirmation were asked for; nothing was changed.
    """
    city, problems = place.info.id, list[Problem]()
    recipient = Recipient.objects.filter(user_id=user.pk, city=city).first() or Recipient(user_id=user.pk, city=city)
    before = recipient.email
    for name, pattern, hint in (("email", EMAIL, _EMAIL_HINT), ("phone", PHONE, _PHONE_HINT)):
        if name not in contacts:
            continue
        said = contacts[name].strip() if name == "email" else re.sub(r"[\s()-]", "", contacts[name])
        if said and (len(said) > 200 or not pattern.fullmatch(said)):
            problems.append(Problem(Text("这里不能这样写。", "This cannot be used."), hint, column=name))
        setattr(recipient, name, said)
    minutes = [_minutes(text) for text in quiet]
    if None in minutes or bool(quiet[0].strip()) != bool(quiet[1].strip()):
        hint = Text("两个都写成 22:00 这样，或都不写。", "Write both like 22:00, or neither.")
        problems.append(
            Problem(Text("免打扰时段不完整或有误。", "The quiet hours are not complete."), hint, column="quiet")
        )
    wanted = {channel.id: [kind for kind in KINDS if kind in set(chosen.get(channel.id, ()))] for channel in channels}
    for channel in channels:
        if wanted[channel.id] and not getattr(recipient, channel.contact):
            lacks = Text("选了「{name}」就要写发到哪里。", "“{name}” is chosen: say where it goes.", name=channel.name)
            problems.append(
                Problem(lacks, Text("请填写，或取消选择。", "Fill it in, or choose nothing."), column=channel.contact)
            )
    if problems:
        raise BadInput(problems)
    recipient.quiet_from, recipient.quiet_to = minutes[0] or 0, minutes[1] or 0
    recipient.language, recipient.origin = language[:20], origin[:200]
    if recipient.email != before:
        if recipient.email:
            confirming.slow_down(user=user.pk, email=recipient.email)
        recipient.email_confirmed_at, recipient.confirm_attempts = None, 0
        recipient.confirm_at = timezone.now() if recipient.email else None
    with transaction.atomic():
        _save_recipient(recipient, addressed=recipient.email != before)
        for channel in channels:
            _subscribe(user.pk, city, channel.id, wanted[channel.id])


_EMAIL_HINT = Text("请写成 name@example.org。", "Write name@example.org.")
_PHONE_HINT = Text("请写手机号，或网关给您的账号。", "Write a phone number, or the name that the gateway knows you by.")


def _save_recipient(recipient: Recipient, *, addressed: bool) -> None:
    """All but what has been read, and unless there is another address what is confirmed: both may have moved on meanwhile."""
    names = ["phone", "quiet_from", "quiet_to", "language", "origin"]
    if addressed:
        names += ["email", "email_confirmed_at", "confirm_at", "confirm_attempts"]
    said = {name: getattr(recipient, name) for name in names}
    Recipient.objects.update_or_create(user_id=recipient.user_id, city=recipient.city, defaults=said)


def _subscribe(user: int, city: str, channel: str, wanted: Sequence[str]) -> None:
    mine = Subscription.objects.filter(user_id=user, city=city, channel=channel)
    if not wanted:
        mine.delete()
        return
    words = f" {' '.join(wanted)} "
    _, made = Subscription.objects.get_or_create(
        user_id=user, city=city, channel=channel, defaults={"kinds": words, "told": queries.newest_id()}
    )
    if not made:
        mine.filter(next_at=None).update(told=queries.newest_id(), until=0)  # kinds chosen now begin now
        mine.filter(attempts__gt=0, next_at__isnull=False).update(
            next_at=timezone.now()
        )  # a changed address is tried at once
        mine.update(kinds=words, attempts=0, error="")


def _minutes(text: str) -> int | None:
    """Minutes since midnight; 0 for no text, None for one that is no time."""
    if not text.strip():
        return 0
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text.strip(), re.ASCII)
    return int(found[1]) * 60 + int(found[2]) if found else None


# --- housekeeping -------------------------------------------------------------------------------------------------


def forget(*, at: datetime | None = None) -> int:
    """Delete notices older than `KEPT`, and where those are told who cannot sign in any more; how many notices."""
    at, total = at or timezone.now(), 0
    while True:
        old = list(
            Notice.objects.filter(created_at__lt=at - KEPT).order_by("created_at").values_list("id", flat=True)[:_BATCH]
        )
        if not old:
            break
        total += Notice.objects.filter(id__in=old).delete()[1].get("notices.Notice", 0)
    Subscription.objects.filter(user__is_active=False).delete()
    gone = Recipient.objects.filter(user__is_active=False).exclude(email="", phone="")
    gone.update(email="", phone="", email_confirmed_at=None, confirm_at=None)
    return total
