"""Looks at everything a city keeps of its cases and names what does not fit its events, and its events their seals.

This finds every change that leaves something behind which tells otherwise. It cannot find what an owner of the database
changed everywhere at once: only a root that was published before can, so roots can be given to compare with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import Any

import orjson
from django.db import connection, transaction
from django.db.models import Count, Sum

from yiwang.core.cases.events import Event
from yiwang.core.cases.ledger import STREAM, event_record, verify_chain
from yiwang.core.kernel.errors import BadInput
from yiwang.server.cases.api import COMPARED, EVENT_COLUMNS, Case, Tally, derive_row, differences, event_of
from yiwang.server.cases.api import Event as EventRow
from yiwang.server.cities.queries import CityRuntime, runtime
from yiwang.server.ledger import api
from yiwang.server.verification import witnesses
from yiwang.server.verification.faults import Fault

_READ = 2000


@dataclass(slots=True)
class VerificationReport:
    """The outcome of a verification: ``first`` is None when everything fits.

    Attributes:
        unsealed: Events that are under no root yet: whoever owns the database can change them unseen.
        sealed_day: Day of the newest seal; None when there is none.
        published: Roots that were given, by day, and whether the log has them.
    """

    city: str
    cases: int = 0
    events: int = 0
    seals: int = 0
    unsealed: int = 0
    sealed_day: date | None = None
    published: dict[date, bool] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    @property
    def first(self) -> Fault | None:
        return self.faults[0] if self.faults else None

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able form."""
        return {
            "city": self.city,
            "cases": self.cases,
            "events": self.events,
            "seals": self.seals,
            "unsealed": self.unsealed,
            "sealed_day": self.sealed_day.isoformat() if self.sealed_day else None,
            "published": [{"day": day.isoformat(), "matches": same} for day, same in sorted(self.published.items())],
            "sound": not self.faults,
            "faults": [{"kind": f.kind, "number": f.number, "seq": f.seq, "sentence": f.sentence} for f in self.faults],
        }


def verify(
    *,
    city: str,
    roots: Mapping[date, str] | None = None,
    most_faults: int = 20,
    progress: Callable[[int], None] | None = None,
) -> VerificationReport:
    """Check every case against its events, every photo, count and report, and every seal.

    Args:
        city: City.
        roots: Published roots by day, as 64 hexadecimal digits.
        most_faults: Stop after so many.
        progress: Called with the number of cases done so far.
    """
    place, found = runtime(city), VerificationReport(city)
    with _one_moment():
        for faults, count in _cases(place):
            found.cases += 1
            found.events += count
            found.faults += faults
            if len(found.faults) >= most_faults:
                break
            if progress and found.cases % 1000 == 0:
                progress(found.cases)
        else:
            found.faults += [*_orphans(city), *_tally_faults(city)]
        log_found = api.check(stream=STREAM, city=city, roots=roots)
        found.faults += [Fault(fault.kind, "", 0, fault.sentence) for fault in log_found.faults]
        found.seals, found.sealed_day, found.published = log_found.seals, log_found.day, log_found.published
        found.unsealed = EventRow.objects.filter(~api.in_log(stream=STREAM, city=city), city=city).count()
    # what contradicts a published root weighs more than anything that the database says of itself
    found.faults.sort(key=lambda fault: fault.kind != "published")
    del found.faults[most_faults:]
    return found


@contextmanager
def _one_moment() -> Iterator[None]:
    """See the database as it is at one moment, so that what is written meanwhile is no contradiction."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    else:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")  # Django's own would take the pen
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")


# --- cases --------------------------------------------------------------------------------------------------------


def _cases(place: CityRuntime) -> Iterator[tuple[list[Fault], int]]:
    """Every case of a city in the order of its number, with its faults and the number of its events."""
    last = ""
    while True:
        query = Case.objects.filter(city=place.info.id, number__gt=last).order_by("number")
        part = list(query.values(*COMPARED)[:_READ])
        if not part:
            return
        last = part[-1]["number"]
        ids = [row["id"] for row in part]
        beside = witnesses.of_cases(ids)
        stored = EventRow.objects.filter(case_id__in=ids).order_by("case_id", "seq", "id").values("id", *EVENT_COLUMNS)
        by_case = {case: list(group) for case, group in groupby(stored, key=lambda row: row["case_id"])}
        for row in part:
            own = by_case.get(row["id"], [])
            yield _case_faults(row, own, beside, place), len(own)


def _case_faults(
    row: dict[str, Any], stored: list[dict[str, Any]], beside: witnesses.Witnesses, place: CityRuntime
) -> list[Fault]:
    number = row["number"]
    try:
        events = [event_of(item, number=number) for item in stored]
    except orjson.JSONDecodeError:
        seq = next(item["seq"] for item in stored if not _is_json(item["payload"]))
        return [Fault("altered", number, seq, f"Event {seq} of {number} has a payload that is no JSON.")]
    fault = verify_chain(
        number=number,
        events=[event_record(event) for event in events],
        hashes=[bytes(item["hash"]) for item in stored],
        head_hash=bytes(row["head"]),
        head_seq=row["seq"],
    )
    if fault is not None:
        return [Fault(fault.kind, number, fault.seq, fault.sentence)]
    if any(item["city"] != row["city"] for item in stored):
        return [Fault("altered", number, 0, f"An event of {number} is said to be of another city.")]
    return [*_row_faults(row, events, place), *beside.faults(row, events)]


def _row_faults(row: dict[str, Any], events: list[Event], place: CityRuntime) -> Iterator[Fault]:
    number = row["number"]
    try:
        names = differences(row, derive_row(events, head=bytes(row["head"]), place=place))
    except (BadInput, KeyError, ValueError, TypeError) as error:
        yield Fault("row", number, 0, f"The row of {number} cannot be read: {error}")
        return
    if names:
        yield Fault("row", number, 0, f"The row of {number} differs from its events in: {', '.join(names)}.")


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _orphans(city: str) -> Iterator[Fault]:
    """Events whose case is gone, and events that the seals have passed by."""
    lost = EventRow.objects.filter(city=city, case__number=None).values_list("case_id", "seq").first()
    if lost:
        yield Fault("missing", "", lost[1], f"The case of an event (row {lost[0]}) is gone.")
    settled = api.settled_key(stream=STREAM, city=city)
    left = EventRow.objects.filter(~api.in_log(stream=STREAM, city=city), city=city, id__lte=settled)
    if out := left.order_by("id").values_list("case__number", "seq").first():
        number, seq = out
        yield Fault("unsealed", number or "", seq, f"Event {seq} of {number} is in no seal and never will be.")


def _tally_faults(city: str) -> Iterator[Fault]:
    """The counts by region, step and lateness against the cases themselves."""
    key = ("region", "step", "late")
    kept = {
        tuple(row[name] for name in key): row["n"]
        for row in Tally.objects.filter(city=city).values(*key).annotate(n=Sum("count"))
        if row["n"]
    }
    cases = Case.objects.filter(city=city).values("region", "step", "overdue").annotate(n=Count("id"))
    counted = {(row["region"], row["step"], row["overdue"]): row["n"] for row in cases}
    for region, step, late in sorted(kept.keys() | counted.keys()):
        told, real = kept.get((region, step, late), 0), counted.get((region, step, late), 0)
        if told != real:
            what = f"cases at {step} in {region or 'no region'}{', late' if late else ''}"
            yield Fault("tally", "", 0, f"The counts tell of {told} {what}; there are {real}.")
