"""Writes to the tables that every app shares: progress of jobs, signs of life."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, connection
from django.db.models import Q
from django.utils import timezone

from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.server.common.models import Heartbeat, Job

LOST_AFTER_SECONDS = 120
"""A running job of which nothing was heard for so long is nobody's any more: its process was killed."""
ALIVE_SECONDS = 20.0
log = logging.getLogger("yiwang.jobs")


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


def begin_job(*, kind: str, city: str, key: str, parameters: dict[str, Any]) -> int | None:
    """A job that this process does itself, at once; the worker goes on with it should this process be killed.

    Returns:
        The job's id; None when somebody is at work on the same kind, city and key.
    """
    begun: dict[str, Any] = {
        "state": Job.State.RUNNING, "parameters": parameters, "done": 0, "total": 0, "message": "", "message_en": "",
        "result": {}, "updated_at": timezone.now(),
    }  # fmt: skip
    job, made = Job.objects.get_or_create(kind=kind, city=city, key=key, defaults=begun)
    if made:
        return job.pk
    free = ~Q(state=Job.State.RUNNING) | Q(updated_at__lt=timezone.now() - timedelta(seconds=LOST_AFTER_SECONDS))
    return job.pk if Job.objects.filter(free, pk=job.pk).update(**begun) else None


@contextmanager
def keep_alive(*, job: int, every_seconds: float = ALIVE_SECONDS) -> Iterator[None]:
    """Say regularly that a running job is being worked on, however long it has nothing to tell."""
    over = threading.Event()

    def tell() -> None:
        try:
            while not over.wait(every_seconds):
                try:
                    Job.objects.filter(pk=job, state=Job.State.RUNNING).update(updated_at=timezone.now())
                except DatabaseError:
                    log.warning("job %s: its sign of life could not be written; tried again", job, exc_info=True)
        finally:
            connection.close()  # this thread's own

    teller = threading.Thread(target=tell, name=f"job-{job}", daemon=True)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()


def progress(*, job: int, done: int, total: int = 0, said: Text = NO_TEXT) -> None:
    """Say how far a job is."""
    changes: dict[str, Any] = {"done": done, "total": total, "updated_at": timezone.now(), "state": Job.State.RUNNING}
    if said:
        changes |= {"message": said.zh, "message_en": said.en}
    Job.objects.filter(pk=job).update(**changes)


def finish(*, job: int, result: dict[str, Any] | None = None, said: Text = NO_TEXT) -> None:
    """A job is done."""
    Job.objects.filter(pk=job).update(
        state=Job.State.DONE, result=result or {}, message=said.zh, message_en=said.en, updated_at=timezone.now()
    )


def fail(*, job: int, why: Text) -> None:
    """A job could not be done."""
    Job.objects.filter(pk=job).update(
        state=Job.State.FAILED, message=why.zh, message_en=why.en, updated_at=timezone.now()
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
