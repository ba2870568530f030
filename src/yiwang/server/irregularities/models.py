"""Leads of irregularities with what the unit answered and how a person judged; looks that found them; hashes of photos."""

from __future__ import annotations

from django.db import models

from yiwang.server.ledger.api import ChainedEvent

WORDS = 2000


class Look(models.Model):
    """A month of a city that was looked through, the last time.

    Attributes:
        period: ``2026-11``.
        tests: How many tests were made: among so many, chance alone makes some rare.
        examined: How much there was to look at, by kind.
    """

    city = models.CharField(max_length=40)
    period = models.CharField(max_length=7)
    tests = models.PositiveIntegerField()
    examined = models.JSONField(default=dict)
    looked_at = models.DateTimeField()
    looked_by = models.CharField(max_length=150)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["city", "period"], name="look_once")]


class Lead(models.Model):
    """What was found of a unit in a period; see `yiwang.core.irregularities.leads.Lead`.

    Attributes:
        figures: ``observed``, ``trials``, ``expected``, ``rate``, ``p_value``, ``q_value`` and ``data``.
        cases: Numbers of the cases behind it.
        stands: Whether the last look found it still.
        answer: What the unit says of it.
        judgement: What somebody made of it who does not belong to the unit; empty while nobody has.
    """

    class Judgement(models.TextChoices):
        FOUNDED = "founded"
        UNFOUNDED = "unfounded"
        UNCLEAR = "unclear"

    city = models.CharField(max_length=40)
    kind = models.CharField(max_length=20)
    unit = models.CharField(max_length=60)
    period = models.CharField(max_length=7)
    figures = models.JSONField()
    cases = models.JSONField(default=list)
    found_at = models.DateTimeField()
    stands = models.BooleanField(default=True)
    answer = models.CharField(max_length=WORDS, blank=True)
    answered_by = models.CharField(max_length=150, blank=True)
    answered_at = models.DateTimeField(null=True)
    judgement = models.CharField(max_length=10, choices=Judgement.choices, blank=True)
    reason = models.CharField(max_length=WORDS, blank=True)
    judged_by = models.CharField(max_length=150, blank=True)
    judged_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-period", "kind", "unit"]
        constraints = [models.UniqueConstraint(fields=["city", "period", "kind", "unit"], name="lead_once")]


class Fingerprint(models.Model):
    """Perceptual hashes of a photo of a case, hexadecimal; both empty where the picture shows too little, or is gone."""

    photo = models.PositiveBigIntegerField(primary_key=True)
    phash = models.CharField(max_length=16, blank=True)
    dhash = models.CharField(max_length=16, blank=True)


class IrregularityEvent(ChainedEvent):
    """What happened to a lead, which is the subject by period, kind and unit: ``found``, ``answered`` or ``judged``."""
