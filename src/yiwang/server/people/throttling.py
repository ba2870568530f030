"""Sign-in waits after several failures for one name or one address. Counted in the database, so every worker knows."""

from __future__ import annotations

import hashlib
import math
from datetime import timedelta

from django.http import HttpRequest
from django.utils import timezone

from yiwang.server.common.models import Attempts

MOST_FAILURES = {"name": 5, "address": 30}
WINDOW = timedelta(minutes=10)


class SignInThrottle:
    """The failures that concern one attempt to sign in."""

    def __init__(self, request: HttpRequest) -> None:
        name = request.POST.get("username", "").strip().casefold()
        address = request.META.get("REMOTE_ADDR", "")
        self.keys = {kind: f"sign-in:{kind}:{_hidden(value)}" for kind, value in (("name", name), ("address", address))}

    def blocked(self) -> bool:
        """Whether there were too many failures lately."""
        return self.minutes() > 0

    def minutes(self) -> int:
        """Minutes to wait; 0 for none."""
        now, wait = timezone.now(), 0
        rows = {row.key: row for row in Attempts.objects.filter(key__in=self.keys.values())}
        for kind, key in self.keys.items():
            row = rows.get(key)
            if row and row.count >= MOST_FAILURES[kind] and (left := row.since + WINDOW - now) > timedelta(0):
                wait = max(wait, math.ceil(left.total_seconds() / 60))
        return wait

    def failed(self) -> None:
        """Count a failure."""
        now = timezone.now()
        for key in self.keys.values():
            row, made = Attempts.objects.get_or_create(key=key, defaults={"count": 1, "since": now})
            if made:
                continue
            if row.since + WINDOW < now:
                row.count, row.since = 0, now
            row.count += 1
            row.save()

    def clear(self) -> None:
        """Forget the failures of the name that has signed in; those of the address stay."""
        Attempts.objects.filter(key=self.keys["name"]).delete()


def _hidden(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()[:32]
