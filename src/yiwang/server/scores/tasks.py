"""What the worker does for the score."""

from __future__ import annotations

from datetime import UTC, datetime

from yiwang.server.cases.models import Case
from yiwang.server.common import operations as common
from yiwang.server.common import queries
from yiwang.server.places.queries import cities, runtime
from yiwang.server.scores import operations
from yiwang.server.scores.models import FactStore

KIND = "facts"
AT_ONCE = 2000  # cases that the loop itself counts anew; more are a job beside it


def refresh_all(*, at: datetime | None = None) -> int:
    """Bring the facts of every city up to date; how many rows changed.

    Counting a large city anew takes minutes and would hold up the clocks, so it becomes a job.
    """
    at, changed = at or datetime.now(UTC), 0
    busy = {
        job["city"] for job in queries.jobs(most=100) if job["kind"] == KIND and job["state"] in {"queued", "running"}
    }
    for info in cities():
        if info.id in busy:
            continue
        store = FactStore.objects.filter(city=info.id).first()
        why = operations.must_rebuild(place=runtime(info.id), store=store)
        if why and Case.objects.filter(city=info.id)[AT_ONCE:].exists():
            common.ask_job(kind=KIND, city=info.id, key="rebuild", again=True)
            continue
        changed += operations.refresh(city=info.id, at=at)["changed"]
    return changed
