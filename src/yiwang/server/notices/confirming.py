"""An e-mail address is confirmed before notices go to it: one letter with a signed link, and nothing else until it was followed.

The letter is the worker's to send, with the patience that notices have: the page only notes that one is due
(`Recipient.confirm_at`). The link names the address, so that it is of no use once another one was given.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.crypto import constant_time_compare, salted_hmac

from yiwang.server.cities.queries import NoSuchCity, runtime
from yiwang.server.common import throttling
from yiwang.server.common.language import say
from yiwang.server.common.posting import DeliverySkip, Letter, post, wait_after
from yiwang.server.common.throttling import Limit
from yiwang.server.notices import queries
from yiwang.server.notices.channels import EmailChannel
from yiwang.server.notices.models import Recipient, Subscription

VALID_FOR = timedelta(days=3)
LEASE = timedelta(minutes=10)
BATCH = 40
# nobody is flooded through us, and nobody tries many addresses
TO_ADDRESS = Limit(kind="notices-confirm", most=3, window=timedelta(hours=1))
BY_ACCOUNT = Limit(kind="notices-confirm-account", most=10, window=timedelta(days=1))
_SALT = "yiwang.notices.confirm"
log = logging.getLogger("yiwang.notices")


def slow_down(*, user: int, email: str) -> None:
    """Count a letter of confirmation before it is asked for.

    Raises:
        TooOften: So many were sent to the address, or by the account.
    """
    throttling.check(BY_ACCOUNT, str(user))
    throttling.slow_down(TO_ADDRESS, email.casefold())
    throttling.count(BY_ACCOUNT, str(user))


def ask_again(recipient: Recipient) -> None:
    """Have the letter sent once more, to an address that is not confirmed yet.

    Raises:
        TooOften: As for :func:`slow_down`.
    """
    if recipient.email and recipient.email_confirmed_at is None:
        slow_down(user=recipient.user_id, email=recipient.email)
        Recipient.objects.filter(pk=recipient.pk).update(confirm_at=timezone.now(), confirm_attempts=0)


def ticket(recipient: Recipient) -> str:
    """What the link of the letter carries: signed, of one address, good for `VALID_FOR`."""
    return signing.dumps([recipient.pk, _digest(recipient.email)], salt=_SALT, compress=False)


def of_ticket(text: str, *, city: str) -> Recipient | None:
    """Whose address a link confirms; None where it is none of ours, has expired, or another address was given since."""
    try:
        pk, digest = signing.loads(text, salt=_SALT, max_age=VALID_FOR)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    found = Recipient.objects.filter(pk=pk, city=city, user__is_active=True).exclude(email="").first()
    return found if found and constant_time_compare(_digest(found.email), str(digest)) else None


def confirm(recipient: Recipient) -> None:
    """The address is theirs: notices go there from now on. Safe to repeat."""
    with transaction.atomic():
        unconfirmed = Recipient.objects.filter(pk=recipient.pk, email=recipient.email, email_confirmed_at=None)
        if unconfirmed.update(email_confirmed_at=timezone.now(), confirm_at=None, confirm_attempts=0):
            waiting = Subscription.objects.filter(
                user_id=recipient.user_id, city=recipient.city, channel=EmailChannel.id
            )
            waiting.update(told=queries.newest_id(), until=0)


def _digest(email: str) -> str:
    return salted_hmac(_SALT, email.casefold(), algorithm="sha256").hexdigest()[:32]


# --- the letter -------------------------------------------------------------------------------------------------------


def send(stop: Callable[[], bool], *, at: datetime | None = None) -> int:
    """Send the letters of confirmation that are due; how many went out. No transaction is open meanwhile."""
    if not EmailChannel().available():
        return 0
    total = 0
    while not stop():
        at_ = at or datetime.now(UTC)
        claimed = _claim(at_)
        if not claimed:
            break
        letters = [(index, Letter(message=_letter(one), sent=_nothing)) for index, one in enumerate(claimed)]
        for index, _, error in post(letters, stop=stop):
            total += error is None
            _settle(claimed[index], error, at=at_)
    return total


def _claim(at: datetime) -> list[Recipient]:
    """Some that are due, for a while ours: a worker that is killed leaves them to another."""
    due = Recipient.objects.filter(confirm_at__lte=at, email_confirmed_at=None, user__is_active=True).exclude(email="")
    mine = []
    for row in due.order_by("confirm_at", "id")[:BATCH]:
        if _of(row).update(confirm_at=at + LEASE):
            row.confirm_at = at + LEASE
            mine.append(row)
    return mine


def _settle(row: Recipient, error: Exception | None, *, at: datetime) -> None:
    if error is None:
        _of(row).update(confirm_at=None, confirm_attempts=0)
    elif isinstance(error, DeliverySkip):
        _of(row).update(confirm_at=at)
    else:
        attempts = min(row.confirm_attempts + 1, 1000)
        _of(row).update(confirm_at=at + wait_after(attempts), confirm_attempts=attempts)
        log.warning("confirmation of an address, recipient %s: %s", row.pk, type(error).__name__)


def _of(row: Recipient) -> QuerySet[Recipient]:
    """The row, as long as it is as it was read: another address may have been given, or another worker may have it."""
    return Recipient.objects.filter(pk=row.pk, confirm_at=row.confirm_at, email=row.email)


def _letter(recipient: Recipient) -> EmailMessage:
    known = dict(settings.LANGUAGES)
    with translation.override(recipient.language if recipient.language in known else settings.LANGUAGE_CODE):
        try:
            city = say(runtime(recipient.city).info.name)
        except NoSuchCity:
            city = recipient.city
        link = f"{recipient.origin}{reverse('notices-confirm', args=[recipient.city, ticket(recipient)])}"
        subject = say("{city}：请确认接收通知的邮箱", "{city}: confirm your address for notices", city=city)
        lines = [
            say(
                "有人在{city}的城市管理平台上填写了这个邮箱，用来接收办理通知。",
                "Somebody gave this address for notices of the city platform of {city}.",
                city=city,
            ),
            say(
                "如果是您本人，请在 {days} 天内打开下面的链接确认；确认之前不会发送通知。",
                "If it was you, open the link below within {days} days to confirm it; no notices are sent before.",
                days=VALID_FOR.days,
            ),
            "",
            link,
            "",
            say("如果不是您，不用理会这封邮件。", "If it was not you, ignore this message."),
            "",
        ]
    headers = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
    return EmailMessage(subject, "\n".join(lines), None, [recipient.email], headers=headers)


def _nothing() -> None:
    """The books are kept by `send`."""
