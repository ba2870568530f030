"""What somebody told the simulated sensors to do."""

from __future__ import annotations

from django.db import models


class SimulationOrder(models.Model):
    """What somebody told the simulated sensors of a city: an event that changes what they say from then on.

    Attributes:
        site: Key of the thing.
        kind: ``flood`` or ``pump``, see `yiwang.core.observations.simulating.Order`.
        at: From when, in microseconds.
        minutes, rain: How long it rains, and how hard in mm/h; 0 for a pump.
    """

    class Kind(models.TextChoices):
        FLOOD = "flood"
        PUMP = "pump"

    city = models.CharField(max_length=40)
    site = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    at = models.BigIntegerField()
    minutes = models.FloatField(default=0)
    rain = models.FloatField(default=0)

    class Meta:
        indexes = [models.Index(fields=["city", "at"], name="simulation_order_at")]
