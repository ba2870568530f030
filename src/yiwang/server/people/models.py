"""Who can sign in, in which roles, for which unit and region; tokens for programs."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone


class User(AbstractUser):
    """An account. What it may do in a city stands in its role assignments, nowhere else."""

    display_name = models.CharField(max_length=80, blank=True)
    display_name_en = models.CharField(max_length=80, blank=True)
    demo = models.BooleanField(default=False, help_text="A demonstration account; the sign-in page lists it.")
    # rows of the role assignments (city, unit, region, role), where they were read already; see `queries.posts_of`
    posts: list[tuple[str, ...]] | None = None


class RoleAssignment(models.Model):
    """A role of the city's workflow, held at a unit, within a region prefix (empty: the whole city)."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="assignments")
    city = models.CharField(max_length=40)
    role = models.CharField(max_length=40)
    unit = models.CharField(max_length=60, blank=True)
    region = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "city", "role", "unit", "region"], name="role_once")]


class ApiToken(models.Model):
    """A token for a program. Only its hash is kept; the text is shown once."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80, blank=True)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
