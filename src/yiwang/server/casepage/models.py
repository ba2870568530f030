"""What people keep of the cases: views under a name, and which case they have read up to which event."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone


class SavedView(models.Model):
    """A named query of the list of cases or of a desk.

    Attributes:
        user: Who made it.
        role: The desk; empty for the list of cases.
        query: The query part of the address, with codes.
        unit: The unit with which it is shared; empty for a private one.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    city = models.CharField(max_length=40)
    role = models.CharField(max_length=40, blank=True)
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000)
    unit = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "city", "role", "name"], name="saved_view_once"),
            models.UniqueConstraint(
                fields=["city", "role", "unit", "name"], condition=~models.Q(unit=""), name="shared_view_once"
            ),
        ]


class CaseRead(models.Model):
    """Up to which event of a case somebody has read it. One row for a person and a case; old ones are thrown away."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    case = models.ForeignKey("cases.Case", on_delete=models.CASCADE, related_name="+")
    seq = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "case"], name="case_read_once")]
