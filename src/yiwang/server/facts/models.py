"""Where the facts of a city are: Parquet files in the data folder, by table, and which of them hold."""

from __future__ import annotations

from django.db import models


class FactStore(models.Model):
    """The files of one table of facts of a city that hold now. Files are never changed; a refresh names others.

    Attributes:
        table: Name of the table.
        digest: Of what a row depends on beside what is recorded; with another one all rows are counted anew.
        version: Grows with every change; whoever refreshes must find the one that it began with.
        base: Month → files, one row a key.
        delta: Files whose rows replace those of the base.
        delta_rows: How many.
        months: Those in which there are rows, of the base or the delta, in order.
        marks: ``[moment, id, id …]``: up to which ids of its source everything that could be seen then has been counted.
        rows: How many rows there are.
        refreshed_at: The moment for which the facts hold.
    """

    city = models.CharField(max_length=40)
    table = models.CharField(max_length=40)
    digest = models.CharField(max_length=64)
    version = models.PositiveBigIntegerField()
    base = models.JSONField(default=dict)
    delta = models.JSONField(default=list)
    delta_rows = models.PositiveBigIntegerField(default=0)
    months = models.JSONField(default=list)
    marks = models.JSONField(default=list)
    rows = models.PositiveBigIntegerField(default=0)
    refreshed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["city", "table"], name="one_store_a_table")]
