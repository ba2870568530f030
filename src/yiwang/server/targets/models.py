"""Target letters, what they say of each indicator, and who signed them."""

from __future__ import annotations

from django.db import models

from yiwang.server.ledger.api import ChainedEvent


class Letter(models.Model):
    """What a unit is to reach in a year.

    Attributes:
        unit: Code of the region.
        version: 1, 2 … of the unit and year; a letter in force is only ever replaced by the next.
        owner: Who answers for it in the unit 责任人, by name.
        reasons: Why it replaces the version before; empty for the first.
        parent: The letter of the region above from which it was handed down.
        language: In which its file is written.
        file: The PDF, from when it was issued; each signature is added at its end.
    """

    class Step(models.TextChoices):
        DRAFT = "draft"
        ISSUED = "issued"
        IN_FORCE = "in_force"
        REPLACED = "replaced"
        DROPPED = "dropped"

    city = models.CharField(max_length=40)
    unit = models.CharField(max_length=40)
    year = models.PositiveIntegerField()
    version = models.PositiveIntegerField()
    step = models.CharField(max_length=10, choices=Step.choices, default=Step.DRAFT)
    owner = models.CharField(max_length=100)
    reasons = models.CharField(max_length=2000, blank=True)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="children")
    language = models.CharField(max_length=20, blank=True)
    drafted_at = models.DateTimeField()
    drafted_by = models.CharField(max_length=150)
    issued_at = models.DateTimeField(null=True)
    in_force_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    file = models.BinaryField(null=True)

    class Meta:
        ordering = ["unit", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["city", "unit", "year", "version"], name="letter_version_once"),
            models.UniqueConstraint(
                fields=["city", "unit", "year"], condition=models.Q(step="in_force"), name="letter_in_force_once"
            ),
            models.UniqueConstraint(
                fields=["city", "unit", "year"],
                condition=models.Q(step__in=["draft", "issued"]),
                name="letter_open_once",
            ),
        ]


class Item(models.Model):
    """What a letter says of one indicator.

    Attributes:
        terms: The indicator as it was when the letter was drafted: name, unit, direction, kind, formula, source.
        baseline: None when there was none.
        milestones: Month of the year, as text, → the figure wanted by its end.
    """

    letter = models.ForeignKey(Letter, on_delete=models.CASCADE, related_name="items")
    indicator = models.CharField(max_length=60)
    terms = models.JSONField()
    baseline = models.FloatField(null=True)
    target = models.FloatField()
    milestones = models.JSONField(default=dict)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["letter", "indicator"], name="letter_item_once")]


class Signature(models.Model):
    """One of the two signatures under a letter.

    Attributes:
        side: Who assesses the city, or the unit.
        by, name: User name, and the person's name as it stands in the file.
        digest: SHA-256 of the file with this signature.
    """

    class Side(models.TextChoices):
        ASSESSOR = "assessor"
        UNIT = "unit"

    letter = models.ForeignKey(Letter, on_delete=models.CASCADE, related_name="signatures")
    side = models.CharField(max_length=10, choices=Side.choices)
    by = models.CharField(max_length=150)
    name = models.CharField(max_length=200)
    at = models.DateTimeField()
    digest = models.CharField(max_length=64)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["letter", "side"], name="letter_side_once"),
            models.UniqueConstraint(fields=["letter", "by"], name="letter_signer_once"),
        ]


class TargetEvent(ChainedEvent):
    """What happened to a letter, which is the subject by year, unit and version: ``drafted``, ``changed``, ``issued``, ``signed``,
    ``in_force``, ``replaced`` or ``dropped``."""
