"""Deletes on schedule what may be deleted without touching history: how to reach those who reported.

A contact stands only in the report's row, never in an event (`core/cases/payloads.py` knows no such field), so emptying
it leaves every hash as it is. What people wrote and who acted stand inside hashed events: decision 0089 says what would
be needed to delete those.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from yiwang.server.cases.models import Report

BATCH = 5_000


def forget_contacts(*, older_than: timedelta, at: datetime | None = None) -> int:
    """Empty the contacts of reports whose case ended longer ago; how many. An open case keeps them, and one that was
    opened again counts from its new end."""
    before, gone = (at or datetime.now(UTC)) - older_than, 0
    ended = Report.objects.exclude(contact="").filter(case__closed_at__lt=before)
    while ids := list(ended.order_by("id").values_list("id", flat=True)[:BATCH]):
        gone += Report.objects.filter(id__in=ids).update(contact="")
    return gone
