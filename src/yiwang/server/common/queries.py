"""Reads the tables that every app shares."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from yiwang.core.kernel.text import Text
from yiwang.server.common.models import Heartbeat, Job

# what kinds of jobs are called
NAMES = {
    "simulate": Text("模拟一个月的运行", "Simulating a month"),
    "replay": Text("回放真实记录", "Replaying real records"),
    "facts": Text("统计案卷事实", "Counting case facts"),
    "irregularities": Text("疑点核查", "Looking for irregularities"),
    "install": Text("安装城市包", "Installing a pack"),
    "dry-run": Text("规则试算", "Dry run of rules"),
}


def jobs(*, city: str = "", most: int = 10) -> list[dict[str, Any]]:
    """A city's jobs: what is going on, then what ended last."""
    query = Job.objects.filter(city=city) if city else Job.objects.all()
    rows = query.order_by("-updated_at").values(
        "id", "kind", "city", "key", "state", "done", "total", "message", "message_en", "result", "updated_at"
    )
    found = [
        {
            **row,
            "name": names.zh,
            "name_en": names.en,
        }
        for row in rows[:most]
        for names in (NAMES.get(row["kind"]) or Text(row["kind"], row["kind"]),)
    ]
    return sorted(found, key=lambda job: job["state"] not in {"running", "queued"})


IMPORTS = ("simulate", "replay")
"""Kinds of jobs that write a city's past: until they have ended, what is counted is half of it."""


def is_importing(*, city: str) -> bool:
    """Whether records are being written into a city's past, or are about to be."""
    return Job.objects.filter(city=city, kind__in=IMPORTS, state__in=(Job.State.QUEUED, Job.State.RUNNING)).exists()


def last_import_at(*, city: str) -> datetime | None:
    """When the last such job ended; None where there was none."""
    ended = Job.objects.filter(city=city, kind__in=IMPORTS, state__in=(Job.State.DONE, Job.State.FAILED))
    return ended.order_by("-updated_at").values_list("updated_at", flat=True).first()


def queued_jobs() -> list[dict[str, Any]]:
    """Jobs that wait, the oldest first."""
    waiting = Job.objects.filter(state=Job.State.QUEUED).order_by("id")
    return [dict(row) for row in waiting.values("id", "kind", "city", "parameters")]


def last_beat(name: str) -> datetime | None:
    """The last sign of life of a background process."""
    return Heartbeat.objects.filter(name=name).values_list("at", flat=True).first()


def seconds_since_beat(name: str) -> float | None:
    """How long ago that was."""
    at = last_beat(name)
    return (timezone.now() - at).total_seconds() if at else None
