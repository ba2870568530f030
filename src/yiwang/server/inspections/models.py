"""Campaigns of inspections, their visits, what was found, and the history that the ledger seals."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from yiwang.server.ledger.api import ChainedEvent


class Campaign(models.Model):
    """Inspections of one kind in one period: a plan that was committed to, drawn, carried out and closed.

    Attributes:
        key: Stands in addresses, unique in the city.
        checklist, version, digest: By which version of which checklist, and what that one asks (`Checklist.digest`).
        plan: As `yiwang inspect plan` writes it. Inspectors stand there by codes.
        people: Code of each inspector → user name.
        second_share: Share of the visits that a second person repeats.
        commitment: What was published before the draw.
        seed: 32 bytes as hexadecimal text; secret until the end.
        beacon_value: Value of the public number that the plan names.
        begins, ends: First and last day of the visits, in the city.
    """

    class Step(models.TextChoices):
        COMMITTED = "committed"
        DRAWN = "drawn"
        CLOSED = "closed"
        DROPPED = "dropped"

    city = models.CharField(max_length=40)
    key = models.CharField(max_length=60)
    name = models.CharField(max_length=100)
    name_en = models.CharField(max_length=100, blank=True)
    checklist = models.CharField(max_length=40)
    version = models.CharField(max_length=40)
    digest = models.CharField(max_length=64)
    plan = models.JSONField()
    people = models.JSONField()
    second_share = models.FloatField(default=0.0)
    commitment = models.CharField(max_length=64)
    seed = models.CharField(max_length=64)
    beacon_value = models.CharField(max_length=200, blank=True)
    begins = models.DateField()
    ends = models.DateField()
    step = models.CharField(max_length=10, choices=Step.choices, default=Step.COMMITTED)
    by = models.CharField(max_length=150)
    committed_at = models.DateTimeField(default=timezone.now)
    drawn_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["city", "key"], name="campaign_once")]


class Visit(models.Model):
    """A place that was drawn, and what became of it.

    Attributes:
        place: Code of the region or component. ``turn``: 1, or 2 for the one that repeats it.
        stratum, weight: As it was drawn.
        inspectors: Codes.
        outcome: Empty until it is recorded; see `yiwang.core.inspections.scoring.Outcome`.
        score: Of a hundred; None where there is none.
        lon, lat: Where the phone was; degrees, WGS 84.
        distance: Metres from there to the place; None where either is not known.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="visits")
    place = models.CharField(max_length=40)
    turn = models.PositiveSmallIntegerField(default=1)
    stratum = models.CharField(max_length=40)
    weight = models.FloatField()
    inspectors = models.JSONField(default=list)
    outcome = models.CharField(max_length=10, blank=True)
    score = models.FloatField(null=True)
    note = models.CharField(max_length=1000, blank=True)
    by = models.CharField(max_length=150, blank=True)
    recorded_at = models.DateTimeField(null=True)
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    distance = models.FloatField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["campaign", "place", "turn"], name="visit_once")]


class Finding(models.Model):
    """What a visit found of an item.

    Attributes:
        value: None where the item does not apply.
        met: Whether it counts as met; None where it does not apply.
        case: Number of the case that it opened; None until somebody has looked, empty where none is to be.
    """

    visit = models.ForeignKey(Visit, on_delete=models.CASCADE, related_name="findings")
    item = models.CharField(max_length=40)
    value = models.FloatField(null=True)
    met = models.BooleanField(null=True)
    points = models.FloatField(default=0.0)
    possible = models.FloatField(default=0.0)
    note = models.CharField(max_length=500, blank=True)
    case = models.CharField(max_length=40, null=True)  # noqa: DJ001 - None says that nobody has looked yet

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["visit", "item"], name="finding_once")]
        indexes = [models.Index(fields=["id"], condition=models.Q(case=None), name="finding_without_case")]


class VisitPhoto(models.Model):
    """A photo of a visit, re-encoded."""

    finding = models.ForeignKey(Finding, on_delete=models.CASCADE, related_name="photos")
    path = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    taken_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]


class InspectionEvent(ChainedEvent):
    """What happened in a campaign, which is the subject by its key: ``committed``, ``drawn``, ``visited``, ``closed`` or
    ``dropped``."""
