"""The passing of time: one query finds the cases at which something is due, and the system does it, case by case."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime

from django.db import transaction

from yiwang.core.cases.deadlines import due, next_due
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Conflict, Refusal
from yiwang.server.cases.models import Case
from yiwang.server.cases.storage import rows
from yiwang.server.cases.writing import operations
from yiwang.server.cities.queries import NoSuchCity, runtime

BATCH = 500
log = logging.getLogger("yiwang.tick")


def tick(*, at: datetime | None = None, city: str = "", limit: int = BATCH) -> int:
    """Do what has become due by ``at``; how many commands were done.

    Each command is its own transaction, taken only if nothing has happened since what is due was read. So a tick that
    is killed leaves the rest to the next one, and of two that run at once one does it.
    """
    at = at or datetime.now(UTC)
    waiting = Case.objects.filter(next_due__lte=at)
    if city:
        waiting = waiting.filter(city=city)
    done = 0
    for number in list(waiting.order_by("next_due").values_list("number", flat=True)[:limit]):
        done += _run(number, at)
    return done


def _run(number: str, at: datetime) -> int:
    with transaction.atomic():
        row = rows.load([number], lock=True).get(number)
        if row is None:
            return 0
        try:
            place = runtime(row["city"])
        except NoSuchCity:
            return 0
        commands = due(rows.state_of(row), rules=place.rules, calendar=place.calendar, at=at)
    done, seq = 0, row["seq"]
    for command in commands:
        try:
            answer = operations.act(
                number=number, city=place.info.id, command=replace(command, expected_seq=seq), at=at
            )
        except Conflict:
            return done  # somebody, or another tick, acted in between, and with that said when to look again
        except (Refusal, BadInput) as error:
            log.warning("case %s: %s was not taken: %s", number, command.verb, error)
            _postpone(number)
            break
        done, seq = done + 1, answer["seq"]
    if not commands:
        _postpone(number)
    return done


def _postpone(number: str) -> None:
    """Compute the next moment anew where the stored one led to nothing, so that a case is not looked at for ever."""
    with transaction.atomic():
        row = rows.load([number], lock=True)[number]
        place = runtime(row["city"])
        moment = next_due(rows.state_of(row), rules=place.rules, calendar=place.calendar)
        now = datetime.now(UTC)
        Case.objects.filter(pk=row["id"]).update(next_due=moment if moment is None or moment > now else None)
