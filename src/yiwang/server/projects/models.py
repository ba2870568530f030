"""Projects for people, with their milestones, money, photos and the votes of citizens."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from yiwang.server.ledger.api import ChainedEvent


class Project(models.Model):
    """A project for people 民生实事, from the proposal to its acceptance.

    Attributes:
        key: Unique in the city, by year and number: ``2026-003``.
        name, name_en: As it was proposed; the English one may be empty.
        region: Code of where it is. ``lon``, ``lat`` are its place in degrees (WGS 84), if it has one.
        unit: Code of the unit that is responsible.
        kind: What sort of project, in the city's own words.
        idea: The citizens' idea that it came from: a key of the portal.
        budget_cents: In hundredths of the currency of the city's country; None before it is chosen.
        by, at: Who proposed it, and when.
        decision, decided_by, decided_at: Of the last decision of somebody who assesses the city: to choose or refuse it, to
            accept it or have it done again, or to drop it.
        chosen_at: From then on the public sees it.
        reported_by, reported_at: Who reported it done last.
        votes_until: The last day for votes, in the city.
        round: Counts the times that it was worked on: 1, and one more each time it was reopened.
    """

    class Step(models.TextChoices):
        PROPOSED = "proposed"
        CHOSEN = "chosen"
        REFUSED = "refused"
        UNDER_WAY = "under_way"
        DONE = "done"
        ACCEPTED = "accepted"
        REOPENED = "reopened"
        DROPPED = "dropped"

    city = models.CharField(max_length=40)
    key = models.CharField(max_length=12)
    year = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=120, blank=True)
    kind = models.CharField(max_length=40, blank=True)
    description = models.CharField(max_length=4000)
    region = models.CharField(max_length=40)
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    unit = models.CharField(max_length=60)
    idea = models.BigIntegerField(null=True)
    budget_cents = models.BigIntegerField(null=True)
    step = models.CharField(max_length=10, choices=Step.choices, default=Step.PROPOSED)
    by = models.CharField(max_length=150)
    at = models.DateTimeField()
    decision = models.CharField(max_length=2000, blank=True)
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)
    chosen_at = models.DateTimeField(null=True)
    reported_by = models.CharField(max_length=150, blank=True)
    reported_at = models.DateTimeField(null=True)
    votes_until = models.DateField(null=True)
    round = models.PositiveSmallIntegerField(default=1)

    class Meta:
        ordering = ["-year", "key"]
        constraints = [models.UniqueConstraint(fields=["city", "key"], name="project_once")]
        indexes = [models.Index(fields=["city", "year"], name="project_by_year")]


class Milestone(models.Model):
    """Something that is to be done by a day.

    Attributes:
        due_on, done_on: Days in the city.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="milestones")
    name = models.CharField(max_length=80)
    due_on = models.DateField()
    done_on = models.DateField(null=True)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["due_on", "id"]


class ProjectPhoto(models.Model):
    """A photo of a project, re-encoded; the file lies beside those of cases.

    Attributes:
        milestone: Which it shows, if any.
        round: The project's, when the photo was added.
        taken_at: As the camera says.
    """

    class Moment(models.TextChoices):
        BEFORE = "before"
        DURING = "during"
        AFTER = "after"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="photos")
    milestone = models.ForeignKey(Milestone, on_delete=models.SET_NULL, null=True, related_name="photos")
    moment = models.CharField(max_length=6, choices=Moment.choices)
    round = models.PositiveSmallIntegerField()
    path = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    taken_at = models.DateTimeField(null=True)
    added_at = models.DateTimeField(default=timezone.now)
    by = models.CharField(max_length=150)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["project", "digest"], name="project_photo_once")]


class Spending(models.Model):
    """Money that was spent on a project. An entry is cancelled, never changed.

    Attributes:
        day: On which it was spent, in the city.
        cents: Hundredths of the currency of the city's country.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="spendings")
    day = models.DateField()
    cents = models.BigIntegerField()
    note = models.CharField(max_length=300)
    by = models.CharField(max_length=150)
    added_at = models.DateTimeField(default=timezone.now)
    cancelled_at = models.DateTimeField(null=True)
    cancelled_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["-day", "-id"]


class Acceptance(models.Model):
    """A citizen's vote on a project that was reported done.

    Attributes:
        round: The project's, when it was given.
        person: ``user:7`` or ``visitor:…``, the keyed hash of a random name of a browser; never shown.
        words: Shown to staff only; numbers of telephones and the like are masked before they are kept.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="votes")
    round = models.PositiveSmallIntegerField()
    person = models.CharField(max_length=80)
    good = models.BooleanField()
    words = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["project", "round", "person"], name="project_vote_once")]


class ProjectEvent(ChainedEvent):
    """What happened to a project, which is the subject by its key: ``proposed``, ``chosen``, ``refused``, ``begun``,
    ``milestone_done``, ``photos_added``, ``photo_removed``, ``spent``, ``spending_cancelled``, ``reported_done``, ``voted``,
    ``accepted``, ``reopened`` or ``dropped``. A vote is there with what was voted, without who and without words."""
