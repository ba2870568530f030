"""The case log as process mining sees it: traces of events, without contacts, texts or names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


class LogEvent(NamedTuple):
    """One event of a trace.

    Attributes:
        seq: Its place in the case, from 1.
        at: When it happened (aware).
        verb: Id of what was done.
        actor: Who did it, already a pseudonym unless the reader may know.
        role: In which role.
        unit: Unit for which they acted; empty for citizens and the system.
        from_step, to_step: Steps before and after.
        from_holder, holder: Units that had and have the case.
    """

    seq: int
    at: datetime
    verb: str
    actor: str
    role: str
    unit: str
    from_step: str
    to_step: str
    from_holder: str
    holder: str


class LogReport(NamedTuple):
    """A report behind a case: ``first`` is the one that opened it."""

    number: str
    at: datetime
    region: str
    source: str
    first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCase:
    """A case with its trace, events in their order.

    Attributes:
        number, category, condition, region, source, priority, step, level: As the case has them now.
        opened_at, closed_at: When it was opened and ended; ``closed_at`` is None while it is open.
        overdue: Whether it was late.
        merged_into: Number of the case that took it in; empty for none.
        part_of: Number of the case that it was split from; empty for none.
    """

    number: str
    category: str
    condition: str
    region: str
    source: str
    priority: str
    step: str
    level: str
    opened_at: datetime
    closed_at: datetime | None
    overdue: bool
    merged_into: str
    part_of: str
    events: Sequence[LogEvent]
    reports: Sequence[LogReport] = ()


def stamp(moment: datetime) -> str:
    """A moment as ISO 8601 in the zone that it carries, to the microsecond only where it has some."""
    return moment.isoformat()
