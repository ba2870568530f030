"""Editions of red and black lists, who stands on them, and what was objected."""

from __future__ import annotations

from django.db import models

from yiwang.server.ledger.api import ChainedEvent


class Edition(models.Model):
    """The lists of a rule for a period.

    Attributes:
        rule: Id of the rule in the pack; ``terms`` is the rule as it was when notice was given.
        period: ``2026-03``, ``2026-Q1`` or ``2026``.
        ranked: How many units were ranked; ``left_out`` those whose caseload was too small, by code.
        facts_at: The moment for which the facts held.
        objections_until: The last day for objections, in the city.
    """

    class Step(models.TextChoices):
        NOTICED = "noticed"
        PUBLISHED = "published"
        WITHDRAWN = "withdrawn"

    city = models.CharField(max_length=40)
    rule = models.CharField(max_length=40)
    period = models.CharField(max_length=10)
    terms = models.JSONField()
    ranked = models.PositiveIntegerField()
    left_out = models.JSONField(default=list)
    facts_at = models.DateTimeField()
    step = models.CharField(max_length=10, choices=Step.choices, default=Step.NOTICED)
    noticed_at = models.DateTimeField()
    noticed_by = models.CharField(max_length=150)
    objections_until = models.DateField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            # one that was withdrawn makes room for another
            models.UniqueConstraint(
                fields=["city", "rule", "period"], condition=~models.Q(step="withdrawn"), name="edition_once"
            )
        ]


class ListEntry(models.Model):
    """A unit on a list.

    Attributes:
        unit: Code of the region or department.
        best, worst: The places that it may truly have.
        caseload: Its figure of the rule's caseload.
        objection, decision: What was said; the moments and names beside them.
        upheld: Whether the objection was upheld: then the unit is off the list. None while that is not decided.
    """

    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="entries")
    colour = models.CharField(max_length=5)
    unit = models.CharField(max_length=40)
    score = models.FloatField()
    best = models.PositiveIntegerField()
    worst = models.PositiveIntegerField()
    caseload = models.FloatField()
    objection = models.CharField(max_length=2000, blank=True)
    objected_by = models.CharField(max_length=150, blank=True)
    objected_at = models.DateTimeField(null=True)
    upheld = models.BooleanField(null=True)
    decision = models.CharField(max_length=2000, blank=True)
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["edition", "unit"], name="list_entry_once")]


class ListEvent(ChainedEvent):
    """What happened to an edition, which is the subject by rule and period: ``noticed``, ``objected``, ``decided``,
    ``published`` or ``withdrawn``."""
