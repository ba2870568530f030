"""Reads a city's log, a chunk of cases at a time: whatever the size of the log, memory holds one chunk."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import eq, itemgetter
from typing import Any

import numpy as np
import orjson
from django.db import connection

from yiwang.core.cases.events import SYSTEM
from yiwang.core.cases.fields import DECIDING
from yiwang.core.mining.flow import Columns, Ints
from yiwang.core.mining.log import LogCase, LogEvent, LogReport
from yiwang.server.cases.api import Case, Event, Report, within
from yiwang.server.cities.queries import runtime
from yiwang.server.common.selecting import select

CHUNK = 2000  # cases
CASE = (
    "id", "number", *DECIDING.values(), "step", "level", "opened_at", "closed_at",
    "overdue", "merged_into", "rest",
)  # fmt: skip
EVENT = ("case_id", "seq", "at", "verb", "actor", "role", "actor_unit", "from_step", "to_step", "from_holder", "holder")
REPORT = ("case_id", "number", "at", "region", "source")
# the sign keeps both databases from taking an index on the city and sorting the whole of it for every chunk
BY_ID = "WHERE id > %s AND id <= %s AND city || '' = %s ORDER BY id LIMIT %s"
Progress = Callable[[int, int], None]


def last_case(city: str) -> int:
    """Id of the newest case: what comes after it is left for another time. 0 when there is none."""
    return int(Case.objects.filter(city=city).order_by("-id").values_list("id", flat=True).first() or 0)


def count_cases(city: str) -> int:
    return Case.objects.filter(city=city).count()


def log_cases(
    *, city: str, pseudonym: Callable[[str], str], progress: Progress | None = None, chunk: int = CHUNK
) -> Iterator[LogCase]:
    """Every case of a city with its events and reports, in the order in which they were written.

    Args:
        city: Which city.
        pseudonym: Word for an actor.
        progress: Told how many cases are done, of how many.
        chunk: Cases held at a time; each costs three queries along an index.
    """
    total, done, last, end = count_cases(city) if progress else 0, 0, 0, last_case(city)
    while True:
        rows = select(Case, CASE, BY_ID, [last, end, city, chunk])
        if not rows:
            return
        span = [rows[0][0], rows[-1][0]]
        events, reports = _events(span, pseudonym), _reports(span)
        for row in rows:
            yield _case(row, events.pop(row[0], []), reports.pop(row[0], []))
        last, done = span[1], done + len(rows)
        if progress:
            progress(done, total)


def _case(row: tuple[Any, ...], events: list[LogEvent], reports: list[LogReport]) -> LogCase:
    values = dict(zip(CASE[1:-1], row[1:-1], strict=True))
    return LogCase(**values, part_of=orjson.loads(row[-1]).get("part_of") or "", events=events, reports=reports)


def _events(span: list[int], pseudonym: Callable[[str], str]) -> dict[int, list[LogEvent]]:
    # by case alone: its city is the case's, and the one index on events leads along case and place in it
    found: defaultdict[int, list[LogEvent]] = defaultdict(list)
    tail = "WHERE case_id BETWEEN %s AND %s ORDER BY case_id, seq"
    for case, seq, at, verb, actor, role, unit, from_step, to_step, from_holder, holder in select(
        Event, EVENT, tail, span
    ):
        found[case].append(
            LogEvent(seq, at, verb, pseudonym(actor), role, unit, from_step, to_step, from_holder, holder)
        )
    return found


def _reports(span: list[int]) -> dict[int, list[LogReport]]:
    found: defaultdict[int, list[LogReport]] = defaultdict(list)
    for case, number, at, region, source in select(
        Report, REPORT, "WHERE case_id BETWEEN %s AND %s ORDER BY case_id, id", span
    ):
        found[case].append(LogReport(number, at, region, source, not found[case]))
    return found


# --- columns ----------------------------------------------------------------------------------------------------------

IDS_AT_ONCE = 500
SECONDS = {
    "sqlite": '(julianday("at") - 2440587.5) * 86400.0',
    "postgresql": 'extract(epoch FROM "at")::float8',
}


def chosen_cases(
    *, city: str, start: datetime | None, end: datetime | None, region: str = ""
) -> tuple[Ints, list[Any]]:
    """Ids, growing, and hashes of the last event of the cases opened from ``start`` up to ``end`` in a region, all below it and what it
    has replaced."""
    query = Case.objects.filter(city=city)
    if start is not None:
        query = query.filter(opened_at__gte=start)
    if end is not None:
        query = query.filter(opened_at__lt=end)
    if region:
        query = within(query, region, place=runtime(city))
    rows = list(query.order_by().values_list("id", "head").iterator(chunk_size=10_000))
    rows.sort(key=itemgetter(0))
    return np.array([row[0] for row in rows], dtype=np.int64), [row[1] for row in rows]


def newest_event(city: str) -> datetime | None:
    """When the city's newest case last changed: up to then its log speaks, be it live or a record of years ago."""
    found = Event.objects.filter(case_id=last_case(city)).order_by("-seq").values_list("at", flat=True).first()
    return found


@dataclass(slots=True)
class Codes:
    """Steps, holders and roles by number, in the order in which they were met."""

    steps: dict[str, int] = field(default_factory=dict)
    holders: dict[str, int] = field(default_factory=dict)
    roles: dict[str, int] = field(default_factory=dict)

    def copy(self) -> Codes:
        """Another one that grows on its own."""
        return Codes(dict(self.steps), dict(self.holders), dict(self.roles))

    def as_json(self) -> dict[str, list[str]]:
        """Names in the order of their numbers."""
        return {"steps": list(self.steps), "holders": list(self.holders), "roles": list(self.roles)}

    @classmethod
    def from_json(cls, said: Mapping[str, Sequence[str]]) -> Codes:
        """What `as_json` gave."""
        return cls(*({name: at for at, name in enumerate(said[key])} for key in ("steps", "holders", "roles")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """Events of whole cases as columns, each case's together and in their order.

    Attributes:
        case: Id of the case. ``at``: seconds since 1970.
        step, holder: After the event. ``role``: of who acted. All by `Codes`.
        same: Whether the holder is the one from before.
    """

    case: Ints
    at: Any
    step: Any
    holder: Any
    role: Any
    same: Any

    @staticmethod
    def joined(parts: Sequence[Happened]) -> Happened:
        """Several, by growing id of the case."""
        if len(parts) == 1:
            return parts[0]
        whole = {name: np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS}
        order = np.argsort(whole["case"], kind="stable")
        return Happened(**{name: column[order] for name, column in whole.items()})


COLUMNS = ("case", "at", "step", "holder", "role", "same")


def happened(cases: Sequence[int], codes: Codes) -> Happened:
    """Events of cases from the database: one query for five hundred cases each.

    Args:
        cases: Ids, growing.
        codes: Grows by what is met.
    """
    case, at, step, holder, role, same = array("q"), array("d"), array("h"), array("l"), array("h"), bytearray()
    table = Event._meta.db_table
    with connection.cursor() as cursor:
        for begin in range(0, len(cases), IDS_AT_ONCE):
            ids = cases[begin : begin + IDS_AT_ONCE]
            cursor.execute(
                f'SELECT case_id, {SECONDS[connection.vendor]}, to_step, holder, role, from_holder FROM "{table}" '  # noqa: S608 - our own names
                f"WHERE case_id IN ({', '.join(['%s'] * len(ids))}) ORDER BY case_id, seq",
                ids,
            )
            rows = cursor.fetchall()
            if not rows:
                continue
            of, moments, to_steps, units, roles, before = zip(*rows, strict=True)
            case.extend(of)
            at.extend(moments)
            step.extend([codes.steps.setdefault(name, len(codes.steps)) for name in to_steps])
            holder.extend([codes.holders.setdefault(name, len(codes.holders)) for name in units])
            role.extend([codes.roles.setdefault(name, len(codes.roles)) for name in roles])
            same.extend(map(eq, before, units))
    return Happened(
        case=np.array(case, dtype=np.int64),
        at=np.round(np.array(at, dtype=np.float64), 3),  # SQLite's days are exact to a twentieth of a millisecond
        step=np.array(step, dtype=np.int16),
        holder=np.array(holder, dtype=np.int32),
        role=np.array(role, dtype=np.int16),
        same=np.array(same, dtype=np.bool_),
    )


def flow_columns(found: Happened, codes: Codes, *, in_hand: frozenset[tuple[str, str]]) -> Columns:
    """Events as the bottleneck page works on them.

    Args:
        found, codes: See `Happened`.
        in_hand: Steps and roles, see `in_hand_roles`.
    """
    steps, roles = list(codes.steps), list(codes.roles)
    keeps = np.array([[(step, role) in in_hand for role in roles] for step in steps], dtype=np.bool_)
    return Columns(
        case=found.case,
        at=found.at,
        step=found.step.astype(np.int64),
        holder=found.holder.astype(np.int64),
        person=found.role != codes.roles.get(SYSTEM, -1),
        in_hand=(keeps[found.step, found.role] & found.same) if keeps.size else np.zeros(0, dtype=np.bool_),
        steps=steps,
        holders=list(codes.holders),
    )
