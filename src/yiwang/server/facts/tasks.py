"""What the worker does for the score."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from yiwang.server.cities.queries import cities, runtime
from yiwang.server.common import operations as common
from yiwang.server.common import queries
from yiwang.server.common.app import Progress
from yiwang.server.common.models import Job
from yiwang.server.facts import operations
from yiwang.server.facts.sources import sources

KIND = "facts"
AT_ONCE = 2000  # rows that the loop itself counts anew; more are a job beside it


def refresh_all(*, at: datetime | None = None) -> int:
    """Bring every table of facts of every city up to date; how many rows changed.

    Counting a large city anew takes minutes and would hold up the clocks, so it becomes a job, one for each table.
    """
    at, changed = at or datetime.now(UTC), 0
    busy = {
        (job["city"], job["key"])
        for job in queries.jobs(most=100)
        if job["kind"] == KIND and job["state"] in {"queued", "running"}
    }
    for info in cities():
        for source in sources():
            if (info.id, source.name) in busy:
                continue
            store = operations.store_in(info.id, source.name)
            why = operations.must_rebuild(place=runtime(info.id), source=source, store=store)
            if why and source.size(info.id) > AT_ONCE:
                common.ask_job(kind=KIND, city=info.id, key=source.name, again=True)
                continue
            changed += operations.refresh(city=info.id, table=source.name, at=at)["changed"]
    return changed


def rebuild_job(job: Job, progress: Progress) -> dict[str, Any]:
    """A table of facts counted anew, as a job."""
    return operations.rebuild(city=job.city, table=job.key, progress=progress)
