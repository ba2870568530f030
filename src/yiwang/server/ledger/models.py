"""The log of each stream of a city: which entries are in it and where, its roots day by day, and what is to be published."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

CODE = 40


class Seal(models.Model):
    """The Merkle root of a log at the end of a day.

    Attributes:
        day: Local day; entries of it, and late ones of days before, came in with this seal.
        first, size: Position of the first entry of this seal, and the size of the whole log after it.
        seen: Key up to which everything that could be seen is in the log with this seal.
    """

    stream = models.CharField(max_length=CODE)
    city = models.CharField(max_length=CODE)
    day = models.DateField()
    first = models.PositiveBigIntegerField()
    size = models.PositiveBigIntegerField()
    root = models.BinaryField(max_length=32)
    seen = models.PositiveBigIntegerField()
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["stream", "city", "day"], name="seal_once")]


class ChainEnd(models.Model):
    """The end of a city's chain of a stream; see `chained`. Who adds to the chain holds it until the transaction ends."""

    stream = models.CharField(max_length=CODE)
    city = models.CharField(max_length=CODE)
    digest = models.BinaryField(max_length=32, null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["stream", "city"], name="chain_end_once")]


class Publication(models.Model):
    """A root that is to be published at a target, or was (``sent_at``)."""

    seal = models.ForeignKey(Seal, on_delete=models.CASCADE, related_name="publications")
    target = models.CharField(max_length=500)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    error = models.TextField(default="")

    class Meta:
        indexes = [models.Index(fields=["next_at", "id"], condition=Q(sent_at=None), name="publication_waiting")]


class Leaf(models.Model):
    """The position of a sealed entry in its log. The entry itself, and its hash, stay where their stream keeps them.

    Attributes:
        key: The entry's number in its stream (`streams.Stream`).
    """

    pk = models.CompositePrimaryKey("stream", "city", "position")
    stream = models.CharField(max_length=CODE)
    city = models.CharField(max_length=CODE)
    position = models.PositiveBigIntegerField()
    key = models.PositiveBigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["stream", "city", "key"], name="leaf_once")]


class Node(models.Model):
    """Hash of a complete subtree of the log, kept from a certain height on, so that roots and proofs stay cheap."""

    pk = models.CompositePrimaryKey("stream", "city", "height", "position")
    stream = models.CharField(max_length=CODE)
    city = models.CharField(max_length=CODE)
    height = models.PositiveSmallIntegerField()
    position = models.PositiveBigIntegerField()
    hash = models.BinaryField(max_length=32)
