"""Holds back who calls too often. Counted in the database, so that every worker knows; addresses are kept as hashes only."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone

from yiwang.core.cases.events import Refusal
from yiwang.server.common.models import Attempts


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most so many calls of a kind within a window."""

    kind: str
    most: int
    window: timedelta


class TooOften(Refusal):
    """More calls than the limit allows."""

    code = "too-many"
    status = 429

    def __init__(self, wait: timedelta) -> None:
        minutes = max(1, math.ceil(wait.total_seconds() / 60))
        super().__init__(f"太频繁了，请过 {minutes} 分钟再试。", f"That was too often; try again in {minutes} minutes.")
        self.seconds = max(1, math.ceil(wait.total_seconds()))


def caller(request: HttpRequest) -> str:
    """The address that called; behind our own proxy, the one that the proxy saw."""
    forwarded = request.headers.get("X-Forwarded-For", "") if settings.YIWANG_HTTPS else ""
    return forwarded.rsplit(",", 1)[-1].strip() or str(request.META.get("REMOTE_ADDR", ""))


def check(limit: Limit, who: str) -> None:
    """Refuse when the limit is used up, without counting.

    Raises:
        TooOften: With the time to wait.
    """
    row = Attempts.objects.filter(key=_key(limit, who)).values_list("count", "since").first()
    if row and row[0] >= limit.most and (left := row[1] + limit.window - timezone.now()) > timedelta(0):
        raise TooOften(left)


def count(limit: Limit, who: str) -> None:
    """Count a call."""
    key, now = _key(limit, who), timezone.now()
    Attempts.objects.filter(key=key, since__lte=now - limit.window).update(count=0, since=now)
    if not Attempts.objects.filter(key=key).update(count=F("count") + 1):
        row, made = Attempts.objects.get_or_create(key=key, defaults={"count": 1, "since": now})
        if not made:
            Attempts.objects.filter(pk=row.pk).update(count=F("count") + 1)


def slow_down(limit: Limit, who: str) -> None:
    """Count a call, or refuse it.

    Raises:
        TooOften: With the time to wait.
    """
    if limit.most:
        check(limit, who)
        count(limit, who)


def forget(*, older_than: timedelta) -> int:
    """Throw away counts that hold nobody back any more; how many."""
    return Attempts.objects.filter(since__lt=timezone.now() - older_than).delete()[0]


def _key(limit: Limit, who: str) -> str:
    return f"{limit.kind}:{hashlib.sha256(who.encode()).hexdigest()[:32]}"
