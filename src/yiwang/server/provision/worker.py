"""The background worker: the periodic tasks that the apps bring (clocks, outbox, seals, facts …), and long jobs.

The loop does the small, regular things; each is safe to be done by two workers at once and to be killed in the middle.
Long jobs run as django-tasks in a thread of their own, so that a simulated month does not hold up a deadline.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from django.db import close_old_connections
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from yiwang.server.common import app, queries
from yiwang.server.common import operations as common
from yiwang.server.common.app import Chore, Stop
from yiwang.server.provision.chores import start_jobs

HEARTBEAT = "worker"
PAUSE_SECONDS = 0.5
LAST_LETTERS_SECONDS = 10.0  # what is in hand when the worker is told to stop is given so long


def never() -> bool:
    """The worker goes on."""
    return False


def chores(stop: Stop = never) -> list[Chore]:
    """Everything regular that the apps bring, after the sign of life."""
    return [Chore("heartbeat", 5, lambda: common.beat(HEARTBEAT)), *app.chores(stop)]


def run(stop: Callable[[], bool], *, once: bool = False) -> None:
    """Work until ``stop()`` is true, finishing the piece in hand.

    Args:
        stop: Asked between pieces of work.
        once: Do everything that is due now, jobs included, and return.
    """
    if once:
        _once()
        return
    worker = _task_worker(batch=False)
    thread = threading.Thread(target=worker.run, name="tasks", daemon=True)
    thread.start()
    regular = chores(stop)
    apart = [
        threading.Thread(target=_keep_doing, args=([chore], stop), daemon=True) for chore in regular if chore.apart
    ]
    for thread in apart:
        thread.start()
    _keep_doing([chore for chore in regular if not chore.apart], stop)
    worker.running = False
    for thread in apart:  # the letters in hand
        thread.join(LAST_LETTERS_SECONDS)


def _keep_doing(regular: list[Chore], stop: Callable[[], bool]) -> None:
    while not stop():
        close_old_connections()
        for chore in regular:
            chore.run_if_due(time.monotonic())
            if stop():
                break
        time.sleep(PAUSE_SECONDS)


def _once() -> None:
    for chore in chores():
        chore.do()
    while queries.queued_jobs() or DBTaskResult.objects.ready().exists():
        start_jobs()
        _task_worker(batch=True).run()


def _task_worker(*, batch: bool) -> Worker:
    # what a killed worker had in hand is begun again through its job, so its task is only marked as failed
    for lost in DBTaskResult.objects.running():
        lost.set_failed(RuntimeError("its worker is gone"))
    return Worker(
        queue_names=["default"],
        interval=1.0,
        batch=batch,
        backend_name="default",
        startup_delay=False,
        max_tasks=None,
        worker_id=f"yiwang-{time.time_ns()}",
        excluded_queue_names=[],
    )
