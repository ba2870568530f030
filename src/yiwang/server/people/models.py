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
    must_change_password = models.BooleanField(
        default=False, help_text="Somebody else knows the password; it must be changed before anything else."
    )
    tours = models.JSONField(default=list, blank=True, help_text="Tours that were taken or declined.")
    # rows of the role assignments (city, unit, region, role), where they were read already; see `queries.posts_of`
    posts: list[tuple[str, ...]] | None = None
    # what the token that this account came with may be used for; None for a session, which may do whatever the account may
    scopes: frozenset[str] | None = None


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
    """A token for a program. Only its hash is kept; the text is shown once.

    Attributes:
        scopes: What it may be used for, separated by blanks: ``read``, ``report``, ``act``; never more than its account may.
        expires_at: When it ends.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80, blank=True)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.CharField(max_length=40, default="read report act")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)


class AccountChange(models.Model):
    """What was done to an account, by whom. Rows are only ever added; the database refuses to alter one.

    Attributes:
        actor: Who did it; None for a command on the server.
        subject: The account.
        city: For which city; empty where it concerns the account as a whole.
        action: ``create``, ``enable``, ``disable``, ``password`` (set by somebody else), ``own_password``, ``give_role``,
            ``take_role``.
        detail: What it was and what it became.
    """

    at = models.DateTimeField(default=timezone.now)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    subject = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    city = models.CharField(max_length=40, blank=True)
    action = models.CharField(max_length=20)
    detail = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["city", "-at"], name="account_change_city")]


class PersonalDataRead(models.Model):
    """That somebody was shown personal data. Rows are only ever added; the database refuses to alter one.

    Attributes:
        subject: Whose: numbers of cases or reports, separated by blanks.
        what: Which data, e.g. ``contact``.
        purpose: For what.
        count: How many subjects one view showed.
    """

    at = models.DateTimeField(default=timezone.now)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    city = models.CharField(max_length=40)
    subject = models.TextField()
    what = models.CharField(max_length=120)
    purpose = models.CharField(max_length=200)
    count = models.PositiveIntegerField(default=1)

    class Meta:
        indexes = [models.Index(fields=["city", "-at"], name="personal_read_city")]
