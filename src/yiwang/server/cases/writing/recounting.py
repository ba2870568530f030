"""Open deadlines after the calendar changed: a new calendar.toml, or a year that the holiday library has learnt."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from django.db import transaction

from yiwang.core.cases.evolve import evolve
from yiwang.core.cases.recounting import recount
from yiwang.core.kernel.errors import BadInput
from yiwang.server.cases.models import Case
from yiwang.server.cases.storage import rows
from yiwang.server.cases.writing import operations
from yiwang.server.cities.queries import CityRuntime, cities, runtime
from yiwang.server.common import sql

BATCH = 500
log = logging.getLogger("yiwang.recounting")


def recount_all(*, at: datetime | None = None) -> int:
    """Every city's; the worker does it when it starts, since a new release may know more holidays, and once a day."""
    return sum(recount_deadlines(city=info.id, at=at) for info in cities())


def recount_deadlines(*, city: str, at: datetime | None = None) -> int:
    """Put the deadline of every open case where its running clocks end by the calendar now in force.

    Each batch is one transaction under the cases' locks; a case whose deadline is right gets no event, so doing it again, or two
    workers at once, changes nothing.

    Args:
        city: City.
        at: When; now by default.

    Returns:
        How many deadlines moved.
    """
    place, moved, last = runtime(city), 0, 0
    while True:
        query = Case.objects.filter(city=city, closed_at=None, deadline__isnull=False, id__gt=last).order_by("id")
        part = list(query.values_list("id", "number")[:BATCH])
        if not part:
            return moved
        last = part[-1][0]
        moved += _batch([number for _, number in part], place, at or datetime.now(UTC))


def _batch(numbers: list[str], place: CityRuntime, at: datetime) -> int:
    with transaction.atomic():
        changes = []
        for row in rows.load(numbers, lock=True).values():
            state = rows.state_of(row)
            try:
                event = recount(state, rules=place.rules, calendar=place.calendar, at=at)
            except BadInput as error:
                log.warning("case %s: its deadline cannot be counted anew: %s", row["number"], error)
                continue
            if event is not None:
                change = operations.Change(
                    state=evolve(state, event), events=[event], row=row, flag=row["flag"], head=row["head"]
                )
                changes.append(change)
        if changes:
            ids = [change.row["id"] for change in changes if change.row is not None]
            # a replayed past asks nothing of the clock, and goes on asking nothing
            asleep = list(Case.objects.filter(id__in=ids, next_due=None).values_list("id", flat=True))
            sql.run(operations.write_statements(changes, place))
            Case.objects.filter(id__in=asleep).update(next_due=None)
    return len(changes)
