"""What the public portal keeps: who follows a report, ideas with what became of them, and figures for everybody."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

CODE = 40


class Follow(models.Model):
    """A report that somebody follows without an account. Whoever has its link is who reported.

    Attributes:
        uid: Names the reporter in the case's history as ``follow:<uid>``; it opens nothing.
        report, number: The report, and the case that it opened or joined.
        current: The case that is told of: another one after a merger.
        digest: Keyed hash of the link's secret; the secret itself is not kept.
        email: Where to send news; empty for nowhere, and emptied when the person wants no more.
        origin: Scheme and host under which the person came, for the links in messages.
        told: The last event that the person was told of.
    """

    uid = models.CharField(max_length=22, unique=True)
    city = models.CharField(max_length=CODE)
    report = models.CharField(max_length=CODE, unique=True)
    number = models.CharField(max_length=CODE, db_index=True)
    current = models.CharField(max_length=CODE)
    digest = models.CharField(max_length=64)
    email = models.CharField(max_length=200, blank=True)
    english = models.BooleanField(default=False)
    origin = models.CharField(max_length=200, blank=True)
    told = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["current"], condition=~models.Q(email=""), name="follow_told")]


class Silence(models.Model):
    """An address that wants no messages at all: kept as a keyed hash, so that nobody can read it here."""

    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)


class Idea(models.Model):
    """献计献策: a proposal for the city.

    Attributes:
        text: Title in the first line, the rest below; what is shown of it is a `PublicText`.
        author: ``user:7`` or ``visitor:…``, a random name of a browser; never shown.
        supporters, comments: Counts kept with the rows that they count.
    """

    class State(models.TextChoices):
        NEW = "new"
        REVIEW = "review"
        ADOPTED = "adopted"
        DECLINED = "declined"

    city = models.CharField(max_length=CODE)
    text = models.TextField()
    region = models.CharField(max_length=CODE, blank=True)
    author = models.CharField(max_length=80)
    state = models.CharField(max_length=10, choices=State.choices, default=State.NEW)
    supporters = models.PositiveIntegerField(default=0)
    comments = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index("city", models.F("created_at").desc(), models.F("id").desc(), name="idea_new"),
            models.Index("city", models.F("supporters").desc(), models.F("id").desc(), name="idea_supported"),
            models.Index("city", models.F("comments").desc(), models.F("id").desc(), name="idea_discussed"),
        ]


class IdeaSupport(models.Model):
    """One person's support of an idea."""

    idea = models.ForeignKey(Idea, on_delete=models.CASCADE, related_name="support")
    person = models.CharField(max_length=80)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["idea", "person"], name="support_once")]


class IdeaComment(models.Model):
    """What somebody says about an idea."""

    idea = models.ForeignKey(Idea, on_delete=models.CASCADE, related_name="said")
    text = models.TextField()
    author = models.CharField(max_length=80)
    at = models.DateTimeField(default=timezone.now)


class IdeaAnswer(models.Model):
    """The official answer of a unit, which moves the idea to a state. Later ones do not replace earlier ones."""

    idea = models.ForeignKey(Idea, on_delete=models.CASCADE, related_name="answers")
    state = models.CharField(max_length=10, choices=Idea.State.choices)
    text = models.TextField()
    unit = models.CharField(max_length=60, blank=True)
    role = models.CharField(max_length=CODE)
    actor = models.CharField(max_length=80)
    at = models.DateTimeField(default=timezone.now)


class Gathering(models.Model):
    """Up to which report the words of a city's citizens have been looked at for what a moderator should see."""

    city = models.CharField(max_length=CODE, unique=True)
    seen = models.BigIntegerField(default=0)
