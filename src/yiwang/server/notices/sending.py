"""Sends what somebody wants by a channel too: one message for all that has gathered, outside their quiet hours.

A subscription is claimed for a while (`LEASE`), as rows of the outbox are: one that a killed worker had in hand is due again
when that is over, and the same message, under the same id, goes out. So a message can go out twice, never not at all, and a
gateway that remembers ids shows it once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from yiwang.core.kernel.text import Text
from yiwang.server.cities.queries import CityRuntime, NoSuchCity, runtime
from yiwang.server.common.formatting import moment_text
from yiwang.server.common.language import language, say
from yiwang.server.common.posting import wait_after
from yiwang.server.notices import channels, queries, showing
from yiwang.server.notices.channels import Channel, Message, Outcome
from yiwang.server.notices.models import Recipient, Subscription
from yiwang.server.notices.operations import GATHERED
from yiwang.server.notices.queries import Mine

LEASE = timedelta(minutes=10)  # longer than a call to the gateway or a few letters may take
BATCH = 40
SHOWN = 10  # notices that a message lists; it says how many more there are
log = logging.getLogger("yiwang.notices")


def send(stop: Callable[[], bool], *, at: datetime | None = None) -> int:
    """Send what is due by every channel, batch after batch; how many messages went out."""
    total = 0
    for channel in channels.available():
        while not stop():
            done, sent = send_batch(channel, at=at or datetime.now(UTC))
            total += sent
            if not done:
                break
    return total


def send_batch(channel: Channel, *, at: datetime) -> tuple[int, int]:
    """One batch of a channel: how many subscriptions were dealt with, and how many messages went out.

    No transaction is open while others are spoken to.
    """
    due = Subscription.objects.filter(channel=channel.id, next_at__lte=at).order_by("next_at", "id")
    claimed = []
    for row in due.select_related("user")[:BATCH]:
        # another worker may have it in hand by now
        if Subscription.objects.filter(pk=row.pk, next_at=row.next_at).update(next_at=at + LEASE):
            row.next_at = at + LEASE
            claimed.append(row)
    packed: list[tuple[Subscription, Message]] = []
    for row in claimed:
        message = _prepare(row, channel, at=at)
        if message is not None:
            packed.append((row, message))
    outcomes = channel.send([message for _, message in packed]) if packed else []
    for (row, message), outcome in zip(packed, outcomes, strict=True):
        _settle(row, message, outcome, at=at)
    return len(claimed), sum(not (one.failed or one.refused) for one in outcomes)


def _prepare(row: Subscription, channel: Channel, *, at: datetime) -> Message | None:
    """The message for a subscription; None where none is to go out now, and the row says when to look again."""
    recipient = Recipient.objects.filter(user_id=row.user_id, city=row.city).first()
    try:
        place = runtime(row.city)
    except NoSuchCity:
        recipient = None
    if recipient is None or not row.user.is_active or not recipient.reached_at(channel.contact):
        _rest(row)
        return None
    wakes = end_of_quiet(recipient, place=place, at=at)
    if wakes is not None:
        _of(row).update(next_at=wakes)
        return None
    gathered = _gathered(row, place)
    if gathered is None:
        _rest(row)
        return None
    return _message(row, gathered, recipient, channel, place)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gathered:
    """The newest notices of a message, and how many there are."""

    items: list[dict[str, Any]]
    count: int
    until: int


def _gathered(row: Subscription, place: CityRuntime) -> _Gathered | None:
    """What has come since the last message, in the kinds that are wanted and not read yet; up to the same notice as in an
    attempt that failed."""
    if not row.until:
        row.until = queries.newest_id()
        _of(row).update(until=row.until)
    own = Mine(user=row.user_id, city=row.city, addressees=queries.addressees(row.user, place=place))
    if own.addressees:
        read_to = Recipient.objects.filter(user_id=row.user_id, city=row.city).values_list("read_to", flat=True).first()
        own = replace(own, read_to=max(row.told, read_to or 0))
    waiting = [own.unread(query).filter(id__lte=row.until) for query in own.each(kinds=row.kinds.split())]
    count = sum(query.count() for query in waiting)
    if not count:
        return None
    items: list[dict[str, Any]] = [dict(item) for query in waiting for item in query.order_by("-id").values()[:SHOWN]]
    items.sort(key=lambda item: -item["id"])
    return _Gathered(items=items[:SHOWN], count=count, until=row.until)


def _message(
    row: Subscription, gathered: _Gathered, recipient: Recipient, channel: Channel, place: CityRuntime
) -> Message | None:
    known = dict(settings.LANGUAGES)
    with translation.override(recipient.language if recipient.language in known else settings.LANGUAGE_CODE):
        lines = [line for line in showing.lines(gathered.items, user=row.user, place=place) if line["may_read"]]
        if not lines:
            _of(row).update(told=gathered.until, until=0, next_at=datetime.now(UTC))
            return None
        city = say(place.info.name)
        first, more = lines[0], gathered.count - len(lines)
        title = (
            f"{first['number']} {first['text']}"
            if gathered.count == 1
            else say("{city}：{n} 条通知", "{city}: {n} notices", city=city, n=gathered.count)
        )
        link = f"{recipient.origin}{reverse('notices', args=[row.city])}" if recipient.origin else ""
        text = [_sentence(line, place) for line in lines]
        if more > 0:
            text.append(say("另有 {n} 条，请到平台查看。", "{n} more are in the product.", n=more))
        if link:
            text += ["", link]
        return Message(
            id=f"{row.city}-{row.pk}-{row.told}-{gathered.until}",
            to=recipient.reached_at(channel.contact),
            title=" ".join(title.split()),
            text="\n".join([*text, ""]),
            link=link,
            city=row.city,
            language=language(),
            count=gathered.count,
        )


def _sentence(line: dict[str, Any], place: CityRuntime) -> str:
    when = line["at"].astimezone(place.calendar.zone)
    said = Text("{number} {text}（{category}，{step}）{when}", "{number} {text} ({category}, {step}) {when}")
    return say(
        said, number=line["number"], text=line["text"], category=line["category"], step=line["step"],
        when=moment_text(when),
    )  # fmt: skip


def _settle(row: Subscription, message: Message, outcome: Outcome, *, at: datetime) -> None:
    """Note what became of a message."""
    if outcome.failed:
        row.attempts = min(row.attempts + 1, 1000)
        wait = wait_after(row.attempts)
        _of(row).update(attempts=row.attempts, next_at=at + wait, error=_kept(outcome.failed))
        log.warning("notices by %s, subscription %s: %s", row.channel, row.pk, outcome.detail or "failed")
        return
    # a number that is refused is not tried again with this message: the person reads why, and the notices, in the product
    changes = {"told": row.until, "until": 0, "attempts": 0, "error": _kept(outcome.refused), "next_at": at + GATHERED}
    if not outcome.refused:
        changes["sent_at"] = at
    _of(row).update(**changes)


def _kept(text: Text) -> str:
    """A text as it is stored: an empty one for none, else the Chinese and the English words."""
    return f"{text.into('zh')}\n{text.into('en')}" if text else ""


def _rest(row: Subscription) -> None:
    """Nothing to send: the subscription sleeps until it is woken; it is looked at again if it has been woken meanwhile."""
    done = {"told": max(row.told, row.until), "until": 0, "attempts": 0}
    if not _of(row).filter(woken=row.woken).update(next_at=None, **done):
        _of(row).update(next_at=datetime.now(UTC), **done)


def _of(row: Subscription) -> Any:
    """The row, as long as it is ours: settings may have been changed, or another worker may have taken it over."""
    return Subscription.objects.filter(pk=row.pk, next_at=row.next_at)


def end_of_quiet(recipient: Recipient, *, place: CityRuntime, at: datetime) -> datetime | None:
    """When the quiet hours in which a moment lies end, by the city's clock; None where it lies in none."""
    start, end = recipient.quiet_from, recipient.quiet_to
    local = at.astimezone(place.calendar.zone)
    minute = local.hour * 60 + local.minute
    quiet = start <= minute < end if start < end else (start != end and (minute >= start or minute < end))
    if not quiet:
        return None
    day = local.date() + timedelta(days=int(start > end and minute >= start))
    return datetime.combine(day, time(end // 60, end % 60), tzinfo=place.calendar.zone).astimezone(UTC)
