"""Who was proposed for an honour, who holds it, and how it ended."""

from __future__ import annotations

from django.db import models

from yiwang.server.ledger.api import ChainedEvent


class Honour(models.Model):
    """A demonstration area or a banner, from the proposal to its end.

    Attributes:
        rule: Id of the rule in the pack; ``terms`` is the rule as it was when the honour was proposed.
        kind: ``area`` or ``banner``.
        level: Of the holder: a level of regions, or ``department``. ``holder`` is its code.
        basis: What the proposal rests on: inspections with their scores, or the list and the places on it.
        text, by, at: Of whatever is to be decided now or was proposed last: reasons, who and when.
        answer: What the unit said to it.
        doubt: What a proposal to take it away rests on.
        decision, decided_by, decided_at: Of the last decision.
        since, until: Days on which it was held, in the city.
    """

    class Kind(models.TextChoices):
        AREA = "area"
        BANNER = "banner"

    class Step(models.TextChoices):
        PROPOSED = "proposed"
        HELD = "held"
        DOUBTED = "doubted"
        ENDED = "ended"
        REFUSED = "refused"

    city = models.CharField(max_length=40)
    rule = models.CharField(max_length=40)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    terms = models.JSONField()
    level = models.CharField(max_length=40)
    holder = models.CharField(max_length=60)
    step = models.CharField(max_length=10, choices=Step.choices, default=Step.PROPOSED)
    basis = models.JSONField(default=dict)
    doubt = models.JSONField(default=dict)
    text = models.CharField(max_length=2000, blank=True)
    by = models.CharField(max_length=150)
    at = models.DateTimeField()
    answer = models.CharField(max_length=2000, blank=True)
    answered_by = models.CharField(max_length=150, blank=True)
    answered_at = models.DateTimeField(null=True)
    decision = models.CharField(max_length=2000, blank=True)
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)
    since = models.DateField(null=True)
    until = models.DateField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["city", "rule", "holder"],
                condition=models.Q(step__in=["proposed", "held", "doubted"]),
                name="honour_once",
            )
        ]


class HonourEvent(ChainedEvent):
    """What happened to an honour, which is the subject by rule and holder: ``proposed``, ``granted``, ``refused``, ``doubted``,
    ``answered``, ``kept`` or ``ended``."""
