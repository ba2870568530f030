"""Notices, what of them has been read, and by which way else somebody wants them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

CODE = 40


class Notice(models.Model):
    """Something that happened to a case and concerns a person or a unit. A unit's is one row, however many people read it.

    Ids are given in the order in which transactions end (`operations.take_note` sees to it), so "all up to this one" is exact.

    Attributes:
        addressee: ``user:7`` or ``unit:CODE``.
        seq: The event. An addressee is told of it once.
        kind: Of `kinds.KINDS`.
        actor: Who did it; they are not told.
        at: When it happened; ``created_at`` when the notice was made.
    """

    city = models.CharField(max_length=CODE)
    addressee = models.CharField(max_length=70)
    number = models.CharField(max_length=CODE)
    seq = models.PositiveIntegerField()
    kind = models.CharField(max_length=20)
    verb = models.CharField(max_length=CODE)
    actor = models.CharField(max_length=80)
    at = models.DateTimeField()
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["number", "seq", "addressee"], name="notice_once")]
        indexes = [models.Index("city", "addressee", models.F("id").desc(), name="notice_addressee")]


class ReadMark(models.Model):
    """That somebody has read a notice that is newer than their `Recipient.read_to`."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="marks")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "notice"], name="read_mark_once")]


class Recipient(models.Model):
    """Somebody in a city as they want to be told.

    Attributes:
        read_to: Every notice up to this id has been read.
        email, phone: Where messages go. Personal data: shown masked, in clear on request and then on record.
        email_confirmed_at: When the owner of ``email`` followed the link that was sent there; null: nothing else goes there.
        confirm_at: When the letter with that link is to be sent, or tried again; null while none is due.
        quiet_from, quiet_to: Minutes of the city's day between which nothing is sent; equal for no quiet hours.
        language: Of messages, as Django names it.
        origin: Scheme and host of links in messages.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    city = models.CharField(max_length=CODE)
    read_to = models.PositiveBigIntegerField(default=0)
    email = models.CharField(max_length=200, blank=True)
    email_confirmed_at = models.DateTimeField(null=True)
    confirm_at = models.DateTimeField(null=True)
    confirm_attempts = models.PositiveSmallIntegerField(default=0)
    phone = models.CharField(max_length=64, blank=True)
    quiet_from = models.PositiveSmallIntegerField(default=0)
    quiet_to = models.PositiveSmallIntegerField(default=0)
    language = models.CharField(max_length=20, blank=True)
    origin = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "city"], name="recipient_once")]
        indexes = [
            models.Index(fields=["confirm_at"], condition=Q(confirm_at__isnull=False), name="recipient_confirm_due")
        ]

    def reached_at(self, contact: str) -> str:
        """The address or number to which messages go by a field of this row; empty for an e-mail address not confirmed."""
        if contact == "email" and self.email_confirmed_at is None:
            return ""
        return str(getattr(self, contact))


class Subscription(models.Model):
    """That somebody wants some kinds by a channel too. One row, in which all that waits for them is gathered.

    Attributes:
        kinds: Ids between spaces, with one before the first and after the last.
        told: The last notice that went out.
        until: The last notice of the message in hand, 0 for none: after a failure the same message is tried again.
        next_at: When it is to be looked at; null while nothing waits. While a worker has it in hand, when it is another's.
        woken: Raised whenever something comes, so that nothing is missed that comes while a message is on its way.
        error: Why the last try failed, in words for people.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    city = models.CharField(max_length=CODE)
    channel = models.CharField(max_length=20)
    kinds = models.CharField(max_length=200)
    told = models.PositiveBigIntegerField(default=0)
    until = models.PositiveBigIntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    woken = models.PositiveBigIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    error = models.TextField(default="", db_default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "city", "channel"], name="subscription_once")]
        indexes = [
            models.Index(fields=["channel", "next_at"], condition=Q(next_at__isnull=False), name="subscription_due")
        ]
