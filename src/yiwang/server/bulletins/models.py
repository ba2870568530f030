"""What shifts leave to one another: a draft per unit that changes, and hand-overs and signatures that never do."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class HandoverDraft(models.Model):
    """The notes that the shift on duty at a unit is writing.

    Attributes:
        version: Grows with each save and each hand-over: who saves says which one they saw.
        note: For the whole.
        notes: By number of case.
        by, by_name: Who saved last (``user:7``).
    """

    city = models.CharField(max_length=40)
    unit = models.CharField(max_length=60)
    version = models.PositiveIntegerField(default=0)
    note = models.TextField(blank=True)
    notes = models.JSONField(default=dict)
    by = models.CharField(max_length=80, blank=True)
    by_name = models.CharField(max_length=120, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["city", "unit"], name="handover_draft_once")]


class Handover(models.Model):
    """What a shift handed over. Written once; the database refuses to alter it.

    Attributes:
        hours: How long the next shift is: what falls due within it was shown.
        snapshot: What was open then: ``counts`` by kind, and ``cases`` with their light, kinds and notes.
    """

    city = models.CharField(max_length=40)
    unit = models.CharField(max_length=60)
    at = models.DateTimeField(default=timezone.now)
    by = models.CharField(max_length=80)
    by_name = models.CharField(max_length=120)
    hours = models.PositiveSmallIntegerField()
    note = models.TextField(blank=True)
    snapshot = models.JSONField()

    class Meta:
        indexes = [models.Index(fields=["city", "unit", "-id"], name="handover_of_unit")]


class HandoverSignature(models.Model):
    """Who took over, and when: one for each hand-over, by somebody else. Written once."""

    handover = models.OneToOneField(Handover, on_delete=models.PROTECT, related_name="signature")
    at = models.DateTimeField(default=timezone.now)
    by = models.CharField(max_length=80)
    by_name = models.CharField(max_length=120)
    note = models.TextField(blank=True)
