"""Changes of rules on their way into force: drafts, the rows that they alter, and everything that was done with them.

The rules themselves are the installed pack; a change becomes part of it only by being installed as a new version.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone


class RuleChange(models.Model):
    """A change of a city's rules, from draft to force.

    Attributes:
        kind: ``rows`` alters rows of the decision tables; ``pack`` replaces the whole pack.
        author: Who writes and submits it; nobody else may edit it.
        approver: Who let it pass or refused it: never the author, which the database checks too.
        revision: Grows with every edit; whoever approves names the one that was read.
        base_version: Version of the pack in force when the draft was begun.
        effective_at: When it is to take force; None for as soon as it is approved.
        check_result: What the last check found, with the revision and the version that it was made for.
        dry_run: What the last dry run found, likewise.
        installed_version: Version of the pack that it became.
        undoes: The change that this one takes back.
        folder, digest: For ``pack``: the proposed pack, relative to the data folder, and its digest.
    """

    class Kind(models.TextChoices):
        ROWS = "rows"
        PACK = "pack"

    class State(models.TextChoices):
        DRAFT = "draft"
        SUBMITTED = "submitted"
        APPROVED = "approved"
        TAKING = "taking"
        IN_FORCE = "in_force"
        REFUSED = "refused"
        WITHDRAWN = "withdrawn"
        FAILED = "failed"

    city = models.CharField(max_length=40)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.ROWS)
    title = models.CharField(max_length=120)
    reason = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    approver = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    revision = models.PositiveIntegerField(default=0)
    base_version = models.PositiveIntegerField()
    effective_at = models.DateTimeField(null=True)
    note = models.TextField(blank=True)
    check_result = models.JSONField(default=dict)
    dry_run = models.JSONField(default=dict)
    installed_version = models.PositiveIntegerField(null=True)
    undoes = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    folder = models.CharField(max_length=200, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    submitted_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    taken_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(approver__isnull=True) | ~Q(approver=F("author")), name="rule_change_two_people"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "taking", "in_force", "failed"]) | Q(approver__isnull=False),
                name="rule_change_approved_by_somebody",
            ),
        ]
        indexes = [models.Index(fields=["city", "-created_at"], name="rule_change_city")]


class RuleEdit(models.Model):
    """One row that a change adds, alters or removes.

    Attributes:
        table, row: Which row, by its id.
        before: Its cells when it was edited; None for a new row. A row that somebody else has changed since is a conflict.
        after: Its cells from then on; None to remove it.
    """

    change = models.ForeignKey(RuleChange, on_delete=models.CASCADE, related_name="edits")
    table = models.CharField(max_length=40)
    row = models.CharField(max_length=120)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["change", "table", "row"], name="rule_edit_once")]


class RuleChangeStep(models.Model):
    """Something that was done with a change. Rows are only ever added; the database refuses to alter one."""

    change = models.ForeignKey(RuleChange, on_delete=models.PROTECT, related_name="steps")
    at = models.DateTimeField(default=timezone.now)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    action = models.CharField(max_length=20)
    detail = models.JSONField(default=dict)
