"""Readings of bins that say how full they are."""

from __future__ import annotations

from django.db import models


class Reading(models.Model):
    """What a bin said once.

    Attributes:
        city, bin: Which bin, by its code.
        at: When it was read.
        full: How full it was, from 0 to 1.
        region, lon, lat: Where the bin stands: the code of its region, and the point in WGS 84.
        case: Number of the case that the reading opened; empty when it opened none, None until somebody has looked.
        digest: Of the reading and of all before it in the city, for the ledger.
    """

    city = models.CharField(max_length=40)
    bin = models.CharField(max_length=40)
    at = models.DateTimeField()
    full = models.FloatField()
    region = models.CharField(max_length=40)
    lon = models.FloatField()
    lat = models.FloatField()
    case = models.CharField(max_length=40, null=True)  # noqa: DJ001 - None says that nobody has looked yet
    digest = models.BinaryField(max_length=32)
