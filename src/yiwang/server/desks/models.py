"""What the desks remember of people."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class DeskPreference(models.Model):
    """How somebody has their desk.

    Attributes:
        layout: ``board``, or empty for the list.
        read_before: What happened before this moment counts as read.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    city = models.CharField(max_length=40)
    role = models.CharField(max_length=40)
    layout = models.CharField(max_length=10, blank=True)
    read_before = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "city", "role"], name="desk_preference_once")]
