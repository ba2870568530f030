"""The background worker: clocks, outbox, seals, tallies, simulated cities, and long jobs.

The loop does the small, regular things; each is safe to be done by two workers at once and to be killed in the middle.
Long jobs run as django-tasks in a thread of their own, so that a simulated month does not hold up a deadline.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import close_old_connections
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from yiwang.server.cases.api import (
    drain_outbox,
    forget_old_contacts,
    forget_sent,
    index_words,
    never,
    recount_all,
    sum_up_tallies,
    tick_city,
)
from yiwang.server.common import idempotency, queries, throttling
from yiwang.server.common import operations as common
from yiwang.server.field import waiting_photos
from yiwang.server.ledger import api as ledger
from yiwang.server.people.operations import forget_sessions
from yiwang.server.places.queries import cities
from yiwang.server.portal import forms, gathering, mailing
from yiwang.server.portal import operations as followers
from yiwang.server.provision import simulation
from yiwang.server.provision.rule_changes import take_force
from yiwang.server.provision.tasks import run_job
from yiwang.server.scores import tasks as scores

HEARTBEAT = "worker"
PAUSE_SECONDS = 0.5
LAST_LETTERS_SECONDS = 10.0  # what is in hand when the worker is told to stop is given so long
ATTEMPTS_KEPT = timedelta(days=2)  # longer than any limit looks back
log = logging.getLogger("yiwang.worker")


@dataclass(slots=True)
class Chore:
    """Something done every so many seconds."""

    name: str
    every: float
    do: Callable[[], object]
    next: float = 0.0
    apart: bool = False  # in a thread of its own: it waits for others, and nothing else shall wait for it

    def run_if_due(self, now: float) -> None:
        """Do it when its time has come. One that fails is logged and tried again at its next turn."""
        if now < self.next:
            return
        self.next = now + self.every
        try:
            self.do()
        except Exception:
            log.exception("%s failed; it will be tried again", self.name)


def forget_keys() -> int:
    """Answers kept for repeated calls, after `YIWANG_KEY_DAYS`."""
    return idempotency.forget(older_than=timedelta(days=settings.YIWANG_KEY_DAYS))


def forget_contacts() -> int:
    """Contacts of reporters, `YIWANG_CONTACT_DAYS` after the end of their case; 0 keeps them."""
    days = int(settings.YIWANG_CONTACT_DAYS)
    return forget_old_contacts(older_than=timedelta(days=days)) if days else 0


def chores(stop: Callable[[], bool] = never) -> list[Chore]:
    """Everything regular, and how often. ``stop`` is asked by those that may be long at it."""
    return [
        Chore("heartbeat", 5, lambda: common.beat(HEARTBEAT)),
        Chore("jobs", 2, start_jobs),
        Chore("tick", 2, tick_city),
        Chore("simulated cities", 5, simulation.live),
        Chore("changes of rules", 3, take_force),
        Chore("deadlines by the calendar", 24 * 3600, recount_all),
        Chore("old sessions", 3600, forget_sessions),
        Chore("outbox", 1, lambda: drain_outbox(correspondents=[mailing.letters], stop=stop), apart=True),
        Chore("words", 5, index_words),
        Chore("tallies", 120, lambda: [sum_up_tallies(city=info.id) for info in cities()]),
        Chore("facts", 30, scores.refresh_all),
        Chore("public words", 30, gathering.gather),
        Chore("seals", 600, seal_all),
        Chore("roots", 60, ledger.publish),
        Chore("outbox cleaning", 3600, forget_sent),
        Chore("drafts", 3600, forms.forget_drafts),
        Chore("photos of phones", 3600, waiting_photos.forget),
        Chore("old addresses", 3600, followers.forget_addresses),
        Chore("old keys", 3600, forget_keys),
        Chore("old contacts", 6 * 3600, forget_contacts),
        Chore("old attempts", 3600, lambda: throttling.forget(older_than=ATTEMPTS_KEPT)),
        Chore("lost jobs", 30, lambda: common.requeue_lost_jobs(older_than_seconds=common.LOST_AFTER_SECONDS)),
    ]


def start_jobs() -> None:
    """Hand the next job to the task queue; one at a time, so that a job said to be running is."""
    if any(job["state"] == "running" for job in queries.jobs(most=100)):
        return
    for job in queries.queued_jobs():
        if common.claim_job(job=job["id"]):
            run_job.enqueue(job["id"])
            return


def seal_all() -> None:
    """Seal the days that have ended. A city with a job under way waits: its past is still being written."""
    busy = {job["city"] for job in queries.jobs(most=100) if job["state"] in {"queued", "running"}}
    for info in cities():
        if info.id in busy:
            continue
        for stream in ledger.streams():
            try:
                ledger.seal_days(stream=stream.name, city=info.id)
            except ledger.LogBroken as error:  # the days of other logs are sealed all the same
                log.error("%s", error)


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
