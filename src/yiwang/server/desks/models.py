"""What people keep at their desks."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone


class SavedFilter(models.Model):
    """A filter of a work queue under a name, of one person in one city. ``query`` is the address's query part."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_filters")
    city = models.CharField(max_length=40)
    role = models.CharField(max_length=40)
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=400)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "city", "role", "name"], name="saved_filter_once")]
