"""Tables that every app may use: background jobs with progress, signs of life, counters of attempts."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class Job(models.Model):
    """A long piece of background work and how far it is.

    Attributes:
        kind: What is done, e.g. ``simulate`` or ``replay``.
        city: City for which; empty for all.
        key: With kind and city, what makes it one and the same job when it is asked for again.
        done, total: Progress in pieces of work; ``total`` is 0 while unknown.
        message, message_en: What it is doing, or why it failed.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    kind = models.CharField(max_length=40)
    city = models.CharField(max_length=40, blank=True)
    key = models.CharField(max_length=80, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    message = models.TextField(blank=True)
    message_en = models.TextField(blank=True)
    parameters = models.JSONField(default=dict)
    result = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "city", "key"], name="job_once")]


class Heartbeat(models.Model):
    """The last sign of life of a background process."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()
    process = models.IntegerField(default=0)


class Attempts(models.Model):
    """Failures within a window, e.g. of signing in under one name."""

    key = models.CharField(max_length=120, primary_key=True)
    count = models.PositiveIntegerField(default=0)
    since = models.DateTimeField()


class IdempotencyKey(models.Model):
    """A key that a client gave with an unsafe call, what it asked, and what it was answered."""

    scope = models.CharField(max_length=120)
    key = models.CharField(max_length=200)
    fingerprint = models.BinaryField(max_length=32)
    answer = models.TextField()
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="idempotency_once")]


class PublicText(models.Model):
    """Something that a citizen or a member of staff wrote, and what everybody may read of it. The original stays.

    A text without a row here is shown with personal data masked; a row is made when a person should look at it.

    Attributes:
        kind, key: What it is the text of, e.g. ``case`` and a case's number (`common.publishing`).
        published: What is shown once somebody has decided; while waiting, the masked text that they were offered.
        kinds: Kinds of personal data that were masked, separated by commas.
        flags: How many readers asked for it to be looked at.
        by, why, at: Who decided last (``user:7``), with which reason, when.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        RELEASED = "released"
        EDITED = "edited"
        WITHHELD = "withheld"

    city = models.CharField(max_length=40)
    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=80)
    original = models.TextField()
    published = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    kinds = models.CharField(max_length=80, blank=True)
    flags = models.PositiveIntegerField(default=0)
    by = models.CharField(max_length=80, blank=True)
    why = models.TextField(blank=True)
    at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="public_text_once")]
        indexes = [models.Index(fields=["city", "state", "id"], name="public_text_waiting")]


class PublicTextDecision(models.Model):
    """One decision about a public text: written once, never changed."""

    text = models.ForeignKey(PublicText, on_delete=models.CASCADE, related_name="decisions")
    state = models.CharField(max_length=10, choices=PublicText.State.choices)
    published = models.TextField(blank=True)
    by = models.CharField(max_length=80)
    by_name = models.CharField(max_length=120, blank=True)
    why = models.TextField(blank=True)
    at = models.DateTimeField(default=timezone.now)
