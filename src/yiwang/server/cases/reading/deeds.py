"""What one account has done to cases since a moment, for lists of a person's own day."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from yiwang.core.cases.events import Actor
from yiwang.server.cases.models import Event
from yiwang.server.common import idempotency

_FIELDS = (
    "at", "verb", "seq", "case_id", "case__number", "case__step", "case__category", "case__region", "case__address", "case__holder",
)  # fmt: skip


def deeds_since(*, city: str, actor: Actor, since: datetime, most: int) -> list[dict[str, Any]]:
    """The last things that an account did, newest first, each with its case as it stands: two queries.

    Events have no index on their time or actor (every write would pay for it), so the cases are found by the keys under which
    the account's commands came. A call of the API without a key is kept under one of our own (`idempotency.own_key`).

    Args:
        city: City.
        actor: One capacity of the account; all of them count.
        since: From when on.
        most: At most so many.
    """
    numbers = idempotency.cases_since(actor=actor, since=since)
    if not numbers:
        return []
    done = Event.objects.filter(case__number__in=numbers, case__city=city, actor=actor.id, at__gte=since)
    rows = done.order_by("-at", "-id").values(*_FIELDS)[:most]
    return [{name.removeprefix("case__"): value for name, value in row.items()} for row in rows]
