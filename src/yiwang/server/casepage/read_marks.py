"""Which cases somebody has not read as they are now: somebody else did something after the event that they saw last.

A row for a person and a case says up to which event it was read. It is kept for `KEPT`; a mark lasts no longer either, so a row
that was thrown away never brings one back. What one did oneself, through whatever door, leaves no mark.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from django.db.models import F, Max, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from yiwang.server.casepage.models import CaseRead
from yiwang.server.cases.api import Event

KEPT = timedelta(days=60)


class Unread(Enum):
    """New to the person, or changed since they opened it."""

    NEW = "new"
    CHANGED = "changed"


def unread(
    *, user: Any, case_ids: Iterable[int], at: datetime, read_before: QuerySet[Any] | None = None
) -> dict[int, Unread]:
    """The marks of cases, by their ids: one query.

    Args:
        user: Who looks.
        case_ids: Of the cases that are shown.
        at: Now.
        read_before: A query for one moment; what happened up to it counts as read.
    """
    seen = CaseRead.objects.filter(user_id=user.pk, case_id=OuterRef("case_id")).values("seq")[:1]
    newer = (
        Event.objects.filter(case_id__in=list(case_ids), at__gt=at - KEPT)
        .exclude(actor=f"user:{user.pk}")
        .annotate(seen=Coalesce(Subquery(seen), Value(0)))
        .filter(seq__gt=F("seen"))
    )
    if read_before is not None:
        newer = newer.annotate(before=Subquery(read_before)).filter(Q(before=None) | Q(at__gt=F("before")))
    found = newer.order_by().values("case_id").annotate(last=Max("seen")).values_list("case_id", "last")
    return {case: Unread.CHANGED if last else Unread.NEW for case, last in found}
