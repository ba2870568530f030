"""Periodic tasks that belong to no other app."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from yiwang.server.common import idempotency, operations, throttling

ATTEMPTS_KEPT = timedelta(days=2)  # longer than any limit looks back


def forget_keys() -> int:
    """Answers kept for repeated calls, after `YIWANG_KEY_DAYS`."""
    return idempotency.forget(older_than=timedelta(days=settings.YIWANG_KEY_DAYS))


def forget_attempts() -> int:
    """Counts of attempts that no limit looks back at."""
    return throttling.forget(older_than=ATTEMPTS_KEPT)


def requeue_lost_jobs() -> int:
    """Jobs whose worker is gone are put back into the queue."""
    return operations.requeue_lost_jobs(older_than_seconds=operations.LOST_AFTER_SECONDS)
