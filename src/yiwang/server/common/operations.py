"""Writes to the tables that every app shares: progress of jobs, signs of life."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from django.utils import timezone

from yiwang.server.common.models import Heartbeat, Job


def ask_job(
    *, kind: str, city: str = "", key: str = "", parameters: dict[str, Any] | None = None, again: bool = False
) -> tuple[Job, bool]:
    """A job to be done, and whether it is new. The same kind, city and key is one job, however often it is asked for.

    Args:
        again: Queue it once more when it has ended.
    """
    job, made = Job.objects.get_or_create(kind=kind, city=city, key=key, defaults={"parameters": parameters or {}})
    if not made and again and job.state in {Job.State.DONE, Job.State.FAILED}:
        job.parameters = parameters or {}
        job.state, job.done, job.total, job.message, job.message_en, job.result = Job.State.QUEUED, 0, 0, "", "", {}
        job.updated_at = timezone.now()
        job.save()
        return job, True
    return job, made


def claim_job(*, job: int) -> bool:
    """Take a queued job; False when another process has it."""
    changed = Job.objects.filter(pk=job, state=Job.State.QUEUED).update(
        state=Job.State.RUNNING, updated_at=timezone.now()
    )
    return changed == 1


def progress(*, job: int, done: int, total: int = 0, message: str = "", message_en: str = "") -> None:
    """Say how far a job is."""
    changes: dict[str, Any] = {"done": done, "total": total, "updated_at": timezone.now(), "state": Job.State.RUNNING}
    if message or message_en:
        changes |= {"message": message, "message_en": message_en}
    Job.objects.filter(pk=job).update(**changes)


def finish(*, job: int, result: dict[str, Any] | None = None, message: str = "", message_en: str = "") -> None:
    """A job is done."""
    Job.objects.filter(pk=job).update(
        state=Job.State.DONE, result=result or {}, message=message, message_en=message_en, updated_at=timezone.now()
    )


def fail(*, job: int, message: str, message_en: str = "") -> None:
    """A job could not be done; the message says why."""
    Job.objects.filter(pk=job).update(
        state=Job.State.FAILED, message=message, message_en=message_en or message, updated_at=timezone.now()
    )


def requeue_lost_jobs(*, older_than_seconds: float) -> int:
    """Queue again what a process had begun and has said nothing of for too long: it was killed."""
    limit = timezone.now() - timedelta(seconds=older_than_seconds)
    return Job.objects.filter(state=Job.State.RUNNING, updated_at__lt=limit).update(
        state=Job.State.QUEUED, updated_at=timezone.now()
    )


def beat(name: str) -> None:
    """A sign of life."""
    Heartbeat.objects.update_or_create(name=name, defaults={"at": timezone.now(), "process": os.getpid()})
