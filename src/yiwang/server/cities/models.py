"""Cities and the packs installed for them.

Regions, units, categories and rules are read from the installed copy of the pack, which is one folder per version in
the data folder: files that a person can read stay the one truth, and every process holds them in memory.
"""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class City(models.Model):
    """A tenant: the pack in force. ``id`` is the pack's id."""

    id = models.CharField(max_length=40, primary_key=True)
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    version = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    position = models.PositiveIntegerField(default=0)
    installed_at = models.DateTimeField(default=timezone.now)


class PackVersion(models.Model):
    """One installed version of a city's pack.

    Attributes:
        source_digest: Digest of the pack as it was given: the same pack again changes nothing.
        digest: Digest of the installed copy, which also keeps what the new pack dropped.
        folder: The copy, relative to the data folder.
        origin: ``pack`` for a pack that was installed, ``rules`` for a change of rules decided on the pages.
        note: What brought it, for people.
    """

    class Origin(models.TextChoices):
        PACK = "pack"
        RULES = "rules"

    city = models.ForeignKey(City, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    source_digest = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    folder = models.CharField(max_length=200)
    retained = models.JSONField(
        default=dict, help_text="Codes that the pack no longer names and that were kept, by file."
    )
    installed_at = models.DateTimeField(default=timezone.now)
    origin = models.CharField(max_length=10, choices=Origin.choices, default=Origin.PACK)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["city", "version"], name="pack_version_once")]
