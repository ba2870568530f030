"""Where a city's case facts are: Parquet files in the data folder, and which of them hold."""

from __future__ import annotations

from django.db import models


class FactStore(models.Model):
    """The files with the facts of a city that hold now. Files are never changed; a refresh names others.

    Attributes:
        digest: Of what a row depends on beside the events; with another one all rows are counted anew.
        version: Grows with every change; whoever refreshes must find the one that it began with.
        base: Month of opening → files, one row a case.
        delta: Files whose rows replace those of the base.
        delta_rows: How many.
        marks: ``[moment, event id, report id]``: up to which ids everything that could be seen then has been counted.
        cases: How many cases there are.
        refreshed_at: The moment for which the facts hold.
    """

    city = models.CharField(max_length=40, primary_key=True)
    digest = models.CharField(max_length=64)
    version = models.PositiveBigIntegerField()
    base = models.JSONField(default=dict)
    delta = models.JSONField(default=list)
    delta_rows = models.PositiveBigIntegerField(default=0)
    marks = models.JSONField(default=list)
    cases = models.PositiveBigIntegerField(default=0)
    refreshed_at = models.DateTimeField()
