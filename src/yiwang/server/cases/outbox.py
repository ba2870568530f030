"""Telling others: what waits in the outbox is sent, with patience, and thrown away when it is old.

The row was written with the events, so a process killed between the two cannot lose it; a message can go out twice
when a process dies right after sending, never not at all.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.core.mail import EmailMessage, send_mail
from django.db import connection, transaction

from yiwang.server.cases.models import Case, Outbox, Report
from yiwang.server.places.queries import NoSuchCity, runtime

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=6)
KEPT = timedelta(days=7)
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
log = logging.getLogger("yiwang.outbox")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message that others write about a row, and what is done once it has gone out."""

    message: EmailMessage
    sent: Callable[[], object]


# Given the rows that are due, the letters to be sent for each, by the row's id. Apps above this one write them.
Correspondent = Callable[[Sequence[Outbox]], Mapping[int, Sequence[Letter]]]


def relay(*, at: datetime | None = None, limit: int = 500, correspondents: Sequence[Correspondent] = ()) -> int:
    """Send what is due; how many rows were dealt with. Failures are tried again, each time after twice as long.

    Args:
        at: Now.
        limit: Rows dealt with at most.
        correspondents: Who else has people to tell.
    """
    at = at or datetime.now(UTC)
    with transaction.atomic():
        waiting = Outbox.objects.select_for_update(skip_locked=True, of=("self",)) if _skips() else Outbox.objects
        rows = list(waiting.filter(sent_at=None, next_at__lte=at).order_by("next_at", "id")[:limit])
        concerned = _concerned(rows)
        letters: dict[int, list[Letter]] = {}
        for correspondent in correspondents:
            for pk, written in correspondent(rows).items():
                letters.setdefault(pk, []).extend(written)
        quiet = [row.pk for row in rows if row.number not in concerned and row.pk not in letters]
        Outbox.objects.filter(pk__in=quiet).update(sent_at=at)
        for row in rows:
            if row.number in concerned or row.pk in letters:
                _send(row, concerned.get(row.number), letters.get(row.pk, ()), at)
    return len(rows)


def _skips() -> bool:
    return connection.features.has_select_for_update_skip_locked


def _concerned(rows: list[Outbox]) -> dict[str, tuple[Case, list[str]]]:
    """Cases that have come to an end and whose reporters left an address, by number."""
    numbers = {row.number for row in rows}
    contacts: dict[int, list[str]] = {}
    reports = Report.objects.filter(case__number__in=numbers, case__closed_at__isnull=False).exclude(contact="")
    for case_id, contact in reports.values_list("case_id", "contact"):
        if ADDRESS.fullmatch(contact):
            contacts.setdefault(case_id, []).append(contact)
    return {case.number: (case, contacts[case.pk]) for case in Case.objects.filter(pk__in=contacts)}


def _send(row: Outbox, concerned: tuple[Case, list[str]] | None, letters: Sequence[Letter], at: datetime) -> None:
    try:
        for letter in letters:
            letter.message.send()
            letter.sent()  # what has gone out is not sent again when a later one fails
        if concerned and row.last == concerned[0].seq:  # an older row of the same case says nothing new
            for address in concerned[1]:
                send_mail(*_words(concerned[0]), None, [address])
    except (OSError, NoSuchCity) as error:
        row.attempts += 1
        row.next_at = at + min(LONGEST_WAIT, FIRST_WAIT * 2**row.attempts)
        row.error = str(error)[:500]
        log.warning("outbox %s of %s: %s", row.pk, row.number, error)
    else:
        row.sent_at, row.error = at, ""
    row.save(update_fields=["attempts", "next_at", "error", "sent_at"])


def _words(case: Case) -> tuple[str, str]:
    """Subject and body, in both languages: who reads it is not known."""
    place = runtime(case.city)
    step = place.rules.workflow.steps[case.step]
    subject = f"{case.number} {step.name} / {step.name_en}"
    body = (
        f"您上报的问题 {case.number}（{place.info.name}）现在是：{step.name}。\n\n"
        f"The problem {case.number} that you reported in {place.info.name_en} is now: {step.name_en}.\n"
    )
    return subject, body


def forget(*, at: datetime | None = None) -> int:
    """Throw away what was sent long ago; how many rows."""
    at = at or datetime.now(UTC)
    return Outbox.objects.filter(sent_at__lt=at - KEPT).delete()[0]
