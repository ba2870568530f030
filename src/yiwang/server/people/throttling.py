"""Sign-in waits after several failures. Counted in the database, so every worker process knows, whichever is asked.

Three counters: for one name from one address (a person who forgot), for one address (somebody trying names), and for one name
from anywhere (many machines trying one account). The last is high, so that nobody can lock somebody else out with a few tries.
"""

from __future__ import annotations

import hashlib
import math
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone

from yiwang.server.common.models import Attempts
from yiwang.server.common.throttling import caller

MOST_FAILURES = {"pair": 5, "address": 30, "name": 50}
WINDOW = timedelta(minutes=10)


class SignInThrottle:
    """The failures that concern one attempt to sign in."""

    def __init__(self, request: HttpRequest) -> None:
        name = request.POST.get("username", "").strip().casefold()
        address = caller(request).network
        values = {"pair": f"{name}\n{address}", "address": address, "name": name}
        self.keys = {kind: f"sign-in:{kind}:{_digest(value)}" for kind, value in values.items()}

    def begin(self) -> int:
        """Count the attempt before the password is looked at; minutes to wait, 0 when it may be looked at.

        Counting first means that attempts sent all at once are not all let through by workers that have not yet heard of
        one another's failures.
        """
        now = timezone.now()
        for key in self.keys.values():
            _count(key, now)
        return self.minutes(now)

    def minutes(self, now: datetime | None = None) -> int:
        """Minutes to wait; 0 for none."""
        now, wait = now or timezone.now(), 0
        rows = {row.key: row for row in Attempts.objects.filter(key__in=self.keys.values())}
        for kind, key in self.keys.items():
            row = rows.get(key)
            if row and row.count > MOST_FAILURES[kind] and (left := row.since + WINDOW - now) > timedelta(0):
                wait = max(wait, math.ceil(left.total_seconds() / 60))
        return wait

    def forget_failures(self) -> None:
        """Forget the failures of this name from this address; this attempt was none for the other counters."""
        Attempts.objects.filter(key=self.keys["pair"]).delete()
        others = [self.keys["address"], self.keys["name"]]
        Attempts.objects.filter(key__in=others, count__gt=0).update(count=F("count") - 1)


def _count(key: str, now: datetime) -> None:
    running = Attempts.objects.filter(key=key, since__gt=now - WINDOW)
    if running.update(count=F("count") + 1):
        return
    if Attempts.objects.filter(key=key, since__lte=now - WINDOW).update(count=1, since=now):
        return
    try:
        with transaction.atomic():
            Attempts.objects.create(key=key, count=1, since=now)
    except IntegrityError:  # another worker was first
        running.update(count=F("count") + 1)


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()[:32]
