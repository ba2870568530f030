"""Periodic tasks of provision: jobs are begun, simulated cities live on, changed rules take force."""

from __future__ import annotations

from yiwang.server.common import operations as common
from yiwang.server.common import queries
from yiwang.server.provision.rule_changes import take_force
from yiwang.server.provision.simulation import live
from yiwang.server.provision.tasks import run_job

__all__ = ["live", "start_jobs", "take_force"]


def start_jobs() -> None:
    """Hand the next job to the task queue; one at a time, so that a job said to be running is."""
    if any(job["state"] == "running" for job in queries.jobs(most=100)):
        return
    for job in queries.queued_jobs():
        if common.claim_job(job=job["id"]):
            run_job.enqueue(job["id"])
            return
