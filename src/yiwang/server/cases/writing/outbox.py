"""Telling others: what waits in the outbox is sent, with patience, and thrown away when it is old.

The row was written with the events, so a process killed between the two cannot lose it; a message can go out twice
when a process dies right after sending, never not at all.

Rows that nobody is told of are done with by the batch. The others are taken for a while (`LEASE`) in a short transaction, and
sent after it: while letters are on their way no lock is held, and another worker takes other rows. What a worker had in hand
when it was killed is due again when that while is over.
"""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Concat

from yiwang.server.cases.models import Case, Outbox, Report
from yiwang.server.cities.queries import NoSuchCity, runtime
from yiwang.server.common.posting import DeliverySkip, Letter, post, wait_after

# For so long rows belong to the worker that took them; it begins no letter in the second half, which is longer than a mail
# server may take for one (a time limit for each of its steps, see `environment.email`).
LEASE = timedelta(minutes=10)
BATCH = 300
SLICE_SECONDS = 60.0
KEPT = timedelta(days=7)
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
log = logging.getLogger("yiwang.outbox")

# Given the rows that are due, the letters to be sent for each, by the row's id. Apps above this one write them.
Correspondent = Callable[[Sequence[Outbox]], Mapping[int, Sequence[Letter]]]
Letters = dict[int, list[Letter]]


def never() -> bool:
    """Nobody asks to stop."""
    return False


def drain(
    *,
    correspondents: Sequence[Correspondent] = (),
    seconds: float = SLICE_SECONDS,
    stop: Callable[[], bool] = never,
) -> int:
    """Send what is due, batch after batch, until nothing is due any more; how many rows were dealt with.

    Args:
        correspondents: Who else has people to tell.
        seconds: No batch is begun after so long.
        stop: Asked between batches and letters; once it is true nothing more is begun.
    """
    until, total = time.monotonic() + seconds, 0
    while not stop() and time.monotonic() < until:
        done = relay(correspondents=correspondents, stop=stop)
        if not done:
            break
        total += done
    return total


def relay(
    *,
    at: datetime | None = None,
    limit: int = BATCH,
    correspondents: Sequence[Correspondent] = (),
    stop: Callable[[], bool] = never,
) -> int:
    """Send one batch of what is due; how many rows were dealt with. Failures are tried again, each time after twice as long.

    Args:
        at: Now.
        limit: Rows dealt with at most.
        correspondents: Who else has people to tell.
        stop: Asked before each letter; once it is true the rest is left for the next.
    """
    at = at or datetime.now(UTC)
    begun = time.monotonic()
    due = Outbox.objects.filter(sent_at=None, next_at__lte=at).order_by("next_at", "id")
    if not due.exists():  # without taking SQLite's only lock
        return 0
    with transaction.atomic():
        if connection.features.has_select_for_update_skip_locked:
            due = due.select_for_update(skip_locked=True, of=("self",))
        rows = list(due[:limit])
        letters, failed = _letters(rows, correspondents)
        busy = letters.keys() | failed.keys()
        Outbox.objects.filter(pk__in=[row.pk for row in rows if row.pk not in busy]).update(sent_at=at)
        Outbox.objects.filter(pk__in=busy).update(next_at=at + LEASE)
    _deliver(
        {row.pk: row for row in rows if row.pk in busy}, letters, failed, at=at,
        stop=lambda: stop() or time.monotonic() - begun > LEASE.total_seconds() / 2,
    )  # fmt: skip
    return len(rows)


def _letters(rows: Sequence[Outbox], correspondents: Sequence[Correspondent]) -> tuple[Letters, dict[int, Exception]]:
    """The letters of each row, and why those of some cannot be written."""
    letters: defaultdict[int, list[Letter]] = defaultdict(list)
    for correspondent in correspondents:
        for pk, written in correspondent(rows).items():
            letters[pk].extend(written)
    failed: dict[int, Exception] = {}
    for row, case, addresses in _closing_rows(rows):
        try:
            words = _words(case)
        except NoSuchCity as error:
            failed[row.pk] = error
            continue
        for address in addresses:
            message = EmailMessage(*words, None, [address])
            letters[row.pk].append(Letter(message=message, sent=partial(_note, row.pk, address)))
    return dict(letters), failed


def _closing_rows(rows: Sequence[Outbox]) -> list[tuple[Outbox, Case, list[str]]]:
    """Rows of which reporters who left an address are to be told: the last of a case that has come to an end.

    An older row of the same case says nothing new. Who has been told already, when another address failed, is left out.
    """
    contacts: defaultdict[str, list[str]] = defaultdict(list)
    reports = Report.objects.filter(case__number__in={row.number for row in rows}, case__closed_at__isnull=False)
    for number, contact in reports.exclude(contact="").order_by("id").values_list("case__number", "contact"):
        if ADDRESS.fullmatch(contact) and contact not in contacts[number]:
            contacts[number].append(contact)
    cases = {case.number: case for case in Case.objects.filter(number__in=list(contacts))} if contacts else {}
    found = []
    for row in rows:
        case = cases.get(row.number)
        if case is not None and row.last == case.seq:
            left = [address for address in contacts[row.number] if _mark(address) not in row.told.split()]
            if left:
                found.append((row, case, left))
    return found


def _mark(address: str) -> str:
    """Stands for an address in `Outbox.told`."""
    return hashlib.sha256(address.encode()).hexdigest()[:16]


def _note(pk: int, address: str) -> None:
    """The address has been told: when another one of the row fails, it is not told again."""
    Outbox.objects.filter(pk=pk).update(told=Concat(F("told"), Value(f" {_mark(address)}")))


def _deliver(
    rows: Mapping[int, Outbox],
    letters: Letters,
    failed: Mapping[int, Exception],
    *,
    at: datetime,
    stop: Callable[[], bool],
) -> None:
    """Send letters, and note for each row what became of it."""
    wrong, left = dict(failed), set()
    for pk, letter, error in post([(pk, letter) for pk, found in letters.items() for letter in found], stop=stop):
        if isinstance(error, DeliverySkip):
            left.add(pk)
            continue
        if error is None:
            try:
                letter.sent()  # what has gone out is not sent again when another one fails
            except Exception as fault:
                error = fault
        if error is not None:
            wrong[pk] = error
    Outbox.objects.filter(pk__in=rows.keys() - wrong.keys() - left).update(sent_at=at, error="")
    Outbox.objects.filter(pk__in=left - wrong.keys()).update(next_at=at)
    for pk, error in wrong.items():
        _postpone(rows[pk], error, at=at)


def _postpone(row: Outbox, error: Exception, *, at: datetime) -> None:
    row.attempts += 1
    row.next_at = at + wait_after(row.attempts)
    row.error = str(error)[:500]
    row.save(update_fields=["attempts", "next_at", "error"])
    log.warning(
        "outbox %s of %s: %s", row.pk, row.number, type(error).__name__
    )  # a server's words may name the address


def _words(case: Case) -> tuple[str, str]:
    """Subject and body, in both languages: who reads it is not known."""
    place = runtime(case.city)
    step = place.rules.workflow.steps[case.step]
    subject = f"{case.number} {step.name.zh} / {step.name.en}"
    body = (
        f"您上报的问题 {case.number}（{place.info.name.zh}）现在是：{step.name.zh}。\n\n"
        f"The problem {case.number} that you reported in {place.info.name.en} is now: {step.name.en}.\n"
    )
    return subject, body


def forget(*, at: datetime | None = None) -> int:
    """Throw away what was sent long ago; how many rows."""
    at = at or datetime.now(UTC)
    return Outbox.objects.filter(sent_at__lt=at - KEPT).delete()[0]
