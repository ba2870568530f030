from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Any

from django.core.signals import request_started
from django.db import connections

from yiwang.server.common.app import Chore, Phase, Stop, YiwangApp

RESTED_SECONDS = 5.0
_used = threading.local()  # as connections are


def check_after_rest(**_: Any) -> None:
    """Ask a database that is elsewhere whether it is still there, but not before each of many calls in a row."""
    now = time.monotonic()
    if now - getattr(_used, "last", 0.0) < RESTED_SECONDS:
        for connection in connections.all(initialized_only=True):
            connection.health_check_done = True  # type: ignore[attr-defined]
    _used.last = now


class CommonConfig(YiwangApp):
    name = "yiwang.server.common"
    label = "common"
    backup_excludes = ("static", "cache")

    def chores(self, stop: Stop) -> Iterable[Chore]:
        from yiwang.server.common import chores

        yield Chore("old keys", 3600, chores.forget_keys, Phase.CLEANS)
        yield Chore("old attempts", 3600, chores.forget_attempts, Phase.CLEANS)
        yield Chore("lost jobs", 30, chores.requeue_lost_jobs, Phase.CLEANS)

    def ready(self) -> None:
        from yiwang.server.common import checks  # noqa: F401 - registers itself

        request_started.connect(check_after_rest, dispatch_uid="check-after-rest")
