"""Tamper evidence over the database: verify every chain and root, seal days, prove that a case is in the log.

A city's log holds the hashes of its events. A day is sealed when it has ended: the events up to its end that are not in
the log yet come in, ordered by time, number and seq, and the root over the whole log is kept. A late event, say of a
replayed past, comes in with the next seal.
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

import orjson
from django.db import IntegrityError, connection, transaction
from django.db.models import Max, Min
from django.db.models.functions import Collate

from yiwang.core.cases.evolve import fold
from yiwang.core.cases.ledger import event_record, verify_chain
from yiwang.core.cases.merkle import (
    Frontier,
    complete_nodes,
    consistency_proof,
    frontier_at,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.server.cases import rows, storage
from yiwang.server.cases.models import Case, Event, Leaf, LedgerNode, Seal
from yiwang.server.places.queries import runtime

NODE_COLUMNS = ("city", "height", "position", "hash")
LEAF_COLUMNS = ("event_id", "city", "position")
# A transaction of ours lasts seconds; one begun before an earlier seal has ended by then.
SETTLED = timedelta(minutes=10)
GRACE = timedelta(minutes=5)  # after midnight, before a day is sealed
_READ = 2000
_WRITTEN = 5000
_HELD_BYTES = 8 << 20  # of events on their way into the log; what goes beyond lies in a temporary file


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that does not fit.

    Attributes:
        kind: ``altered``, ``missing``, ``reordered``, ``extra``, ``truncated`` (events of a case), ``row`` (the case's
            row says something else than its events), ``root`` (a sealed root), ``unsealed`` (an event that a seal should hold).
        number: The case; empty for the log as a whole.
        seq: The event; 0 when it concerns no single one.
        sentence: What is wrong.
    """

    kind: str
    number: str
    seq: int
    sentence: str


@dataclass(slots=True)
class Verified:
    """The outcome of a verification: ``first`` is None when everything fits."""

    city: str
    cases: int = 0
    events: int = 0
    seals: int = 0
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
            "sound": not self.faults,
            "faults": [{"kind": f.kind, "number": f.number, "seq": f.seq, "sentence": f.sentence} for f in self.faults],
        }


# --- verifying ----------------------------------------------------------------------------------------------------


def verify(*, city: str, most_faults: int = 20, progress: Callable[[int], None] | None = None) -> Verified:
    """Check every case's chain against its row, and every sealed root against the events.

    Args:
        city: City.
        most_faults: Stop after so many.
        progress: Called with the number of cases done so far.
    """
    found = Verified(city)
    for fault, count in _case_faults(city):
        found.cases += 1
        found.events += count
        if fault is not None:
            found.faults.append(fault)
            if len(found.faults) >= most_faults:
                return found
        if progress and found.cases % 1000 == 0:
            progress(found.cases)
    found.faults += _orphans(city)
    _verify_seals(city, found)
    del found.faults[most_faults:]
    return found


def _case_faults(city: str) -> Iterator[tuple[Fault | None, int]]:
    """Every case of a city in the order of its number, with the first fault of each."""
    last = ""
    while True:
        part = list(Case.objects.filter(city=city, number__gt=last).order_by("number").values(*rows.LOADED)[:_READ])
        if not part:
            return
        last = part[-1]["number"]
        events = (
            Event.objects.filter(case_id__in=[row["id"] for row in part])
            .order_by("case_id", "seq", "id")
            .values("id", *rows.EVENT_COLUMNS)
        )
        by_case = {case: list(group) for case, group in groupby(events, key=lambda row: row["case_id"])}
        for row in part:
            own = by_case.get(row["id"], [])
            yield _case_fault(row, own), len(own)


def _case_fault(row: dict[str, Any], stored: list[dict[str, Any]]) -> Fault | None:
    number = row["number"]
    try:
        events = [rows.event_of(item, number=number) for item in stored]
    except orjson.JSONDecodeError:
        seq = next(item["seq"] for item in stored if not _is_json(item["payload"]))
        return Fault("altered", number, seq, f"Event {seq} of {number} has a payload that is no JSON.")
    fault = verify_chain(
        number=number,
        events=[event_record(event) for event in events],
        hashes=[bytes(item["hash"]) for item in stored],
        head_hash=bytes(row["head"]),
        head_seq=row["seq"],
    )
    if fault is not None:
        return Fault(fault.kind, number, fault.seq, fault.sentence)
    if any(item["city"] != row["city"] for item in stored):
        return Fault("altered", number, 0, f"An event of {number} is said to be of another city.")
    try:
        folded, current = fold(events), rows.state_of(row)
    except BadInput as error:
        return Fault("row", number, 0, f"The row of {number} cannot be read: {error}")
    if folded != current:
        return Fault(
            "row",
            number,
            0,
            f"The row of {number} differs from its events in: {', '.join(_differences(folded, current))}.",
        )
    return None


def _differences(folded: Any, current: Any) -> list[str]:
    one, other = folded.to_dict(), current.to_dict()
    return [name for name in one if one[name] != other[name]] or ["form"]


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _orphans(city: str) -> list[Fault]:
    """Events whose case is gone, sealed events that are gone, and events that the seals have passed by."""
    lost = Event.objects.filter(city=city, case__number=None).values_list("case_id", "seq").first()
    faults = [Fault("missing", "", lost[1], f"The case of an event (row {lost[0]}) is gone.")] if lost else []
    gone = (
        Leaf.objects.filter(city=city, event__seq__isnull=True)
        .values_list("position", flat=True)
        .order_by("position")
        .first()
    )
    if gone is not None:
        faults.append(Fault("missing", "", 0, f"The event at position {gone} of the log is gone."))
    left = Event.objects.filter(city=city, id__lte=_settled(city), leaf__position__isnull=True)
    if out := left.order_by("id").values_list("case__number", "seq").first():
        number, seq = out
        faults.append(Fault("unsealed", number or "", seq, f"Event {seq} of {number} is in no seal and never will be."))
    return faults


def _verify_seals(city: str, found: Verified) -> None:
    """Recompute every root from the events themselves."""
    frontier = Frontier()
    for seal in Seal.objects.filter(city=city).order_by("size", "day"):
        found.seals += 1
        if seal.first != frontier.size:
            found.faults.append(
                Fault("root", "", 0, f"The seal of {seal.day} begins at {seal.first}, not at {frontier.size}.")
            )
            return
        for part in _entries(city, seal.first, seal.size):
            frontier = frontier.extend(leaf_hash(entry) for entry in part)
        if frontier.size != seal.size:
            found.faults.append(
                Fault(
                    "missing", "", 0, f"The log up to {seal.day} has {frontier.size} events; {seal.size} were sealed."
                )
            )
            return
        if frontier.root() != bytes(seal.root):
            found.faults.append(
                Fault("root", "", 0, f"The root of {seal.day} is not the one over its events: history was rewritten.")
            )
            return


def _entries(city: str, first: int, size: int) -> Iterator[list[bytes]]:
    """Hashes of the log's events from a position to the size, in their order, block by block."""
    for start in range(first, size, _WRITTEN):
        query = Leaf.objects.filter(city=city, position__gte=start, position__lt=min(start + _WRITTEN, size))
        yield [bytes(entry) for entry in query.order_by("position").values_list("event__hash", flat=True)]


# --- sealing ------------------------------------------------------------------------------------------------------


def seal_days(*, city: str, at: datetime | None = None, until: date | None = None) -> list[Seal]:
    """Seal every day that has ended and is not sealed yet; days on which nothing came in get no seal.

    The events are read and put in order before any lock is taken, through a file that holds what does not fit into a
    few megabytes; each day is then one transaction. A sealer that is killed has sealed whole days, and one that finds
    that another was quicker leaves the rest to it.

    Args:
        city: City.
        at: Now.
        until: Seal up to this day; by default up to yesterday, a few minutes after midnight.
    """
    place = runtime(city)
    at = at or datetime.now(UTC)
    last = until or ((at - GRACE).astimezone(place.info.zone).date() - timedelta(days=1))
    newest = Seal.objects.filter(city=city).order_by("-size", "-day").first()
    if newest is not None and last <= newest.day:
        return []  # what came in late waits for the next day's seal
    earliest = newest.day + timedelta(days=1) if newest else date.min
    end = datetime.combine(last + timedelta(days=1), time(), place.info.zone)
    start = _settled(city)
    seen = _seen(city, start=start, end=end)
    frontier = frontier_at(nodes=_reader(city), size=newest.size) if newest else Frontier()
    seals: list[Seal] = []
    with closing(_Spool()) as pending:
        with _sorting_on_disk():
            for moment, pk, digest in _unsealed(city, start=start, end=end):
                pending.add(max(moment.astimezone(place.info.zone).date(), earliest), pk, digest)
        for day, entries in pending.days():
            try:
                with transaction.atomic():
                    seal, frontier = _seal_day(city, day, entries, frontier, seen, at)
            except _Overtaken:
                break
            except IntegrityError:
                if _size(city) == frontier.size:
                    raise  # nobody else sealed: something is wrong
                break
            seals.append(seal)
    return seals


class _Overtaken(Exception):
    """Another process has sealed in the meantime."""


class _Spool:
    """Events on their way into the log: put in in its order, given back day by day, held in little memory."""

    _RECORD = struct.Struct("<iq32s")  # the day's ordinal, the event's id, its hash

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_HELD_BYTES)  # noqa: SIM115 - closed by its owner

    def add(self, day: date, pk: int, digest: bytes) -> None:
        self._file.write(self._RECORD.pack(day.toordinal(), pk, digest))

    def days(self) -> Iterator[tuple[date, Iterator[tuple[int, bytes]]]]:
        """Each day with its events (id, hash); a day's are to be read before the next day is asked for."""
        self._file.seek(0)
        for ordinal, records in groupby(self._records(), key=itemgetter(0)):
            yield date.fromordinal(ordinal), ((pk, digest) for _, pk, digest in records)

    def _records(self) -> Iterator[tuple[int, int, bytes]]:
        while block := self._file.read(self._RECORD.size * _READ):
            yield from self._RECORD.iter_unpack(block)

    def close(self) -> None:
        self._file.close()


def _unsealed(city: str, *, start: int, end: datetime) -> Iterator[tuple[datetime, int, bytes]]:
    """Events before a moment that are not in the log, in its order, block by block: the database sorts."""
    by_code_point = Collate("case__number", "C" if connection.vendor == "postgresql" else "BINARY")
    query = Event.objects.filter(city=city, id__gt=start, at__lt=end, leaf__position__isnull=True)
    ordered = query.order_by("at", by_code_point, "seq", "id").values_list("at", "id", "hash")
    for at, event, digest in ordered.iterator(chunk_size=_READ):
        yield at, event, bytes(digest)


@contextmanager
def _sorting_on_disk() -> Iterator[None]:
    """SQLite otherwise sorts in memory, however many rows there are (our connections ask it to)."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA temp_store = FILE")
        try:
            yield
        finally:
            cursor.execute("PRAGMA temp_store = MEMORY")


def _settled(city: str) -> int:
    """An event id up to which everything is in the log and nothing can appear any more.

    ``seen`` of a seal says: what could be seen up to here is in the log. Ids are given out before transactions end, so an
    event may still appear behind it. What was under way when one seal was made had ended when a seal was made `SETTLED`
    later, and that one looked again from further back; so the smaller ``seen`` of the two holds for good.
    """
    newest = Seal.objects.filter(city=city).order_by("-size", "-day").first()
    if newest is None:
        return 0
    before = Seal.objects.filter(city=city, made_at__lt=newest.made_at - SETTLED).order_by("-size", "-day").first()
    return min(newest.seen, before.seen) if before else 0


def _seen(city: str, *, start: int, end: datetime) -> int:
    """The event id up to which everything that can be seen will be in the log once all before ``end`` is sealed."""
    largest = Event.objects.filter(city=city).aggregate(n=Max("id"))["n"] or 0
    later = Event.objects.filter(city=city, id__gt=start, at__gte=end, leaf__position__isnull=True)
    first = later.aggregate(n=Min("id"))["n"]
    return largest if first is None else min(largest, first - 1)


def _size(city: str) -> int:
    return Seal.objects.filter(city=city).aggregate(n=Max("size"))["n"] or 0


def _seal_day(
    city: str, day: date, entries: Iterator[tuple[int, bytes]], frontier: Frontier, seen: int, at: datetime
) -> tuple[Seal, Frontier]:
    """Give a day's events their positions, keep the nodes they complete and the root; the caller holds the transaction."""
    # one sealer at a time: the newest seal's row is the lock; of two first sealers one fails on the unique day
    newest = Seal.objects.select_for_update().filter(city=city).order_by("-size", "-day").first()
    first = frontier.size
    if (newest.size if newest else 0) != first:
        raise _Overtaken
    while part := list(islice(entries, _WRITTEN)):
        leaves = [leaf_hash(digest) for _, digest in part]
        storage.insert_many(
            Leaf, LEAF_COLUMNS, [(pk, city, frontier.size + offset) for offset, (pk, _) in enumerate(part)]
        )
        nodes = [(city, height, position, digest) for height, position, digest in complete_nodes(frontier, leaves)]
        storage.insert_many(LedgerNode, NODE_COLUMNS, nodes)
        frontier = frontier.extend(leaves)
    seal = Seal.objects.create(
        city=city, day=day, first=first, size=frontier.size, root=frontier.root(), seen=seen, made_at=at
    )
    return seal, frontier


def _reader(city: str) -> Any:
    """Reads leaf hashes and stored nodes by ranges, for proofs."""

    def read(level: int, start: int, stop: int) -> Sequence[bytes]:
        if level == 0:
            return [leaf_hash(entry) for part in _entries(city, start, stop) for entry in part]
        query = LedgerNode.objects.filter(city=city, height=level, position__gte=start, position__lt=stop)
        return [bytes(digest) for digest in query.order_by("position").values_list("hash", flat=True)]

    return read


# --- proving ------------------------------------------------------------------------------------------------------


def day_root(*, city: str, day: date) -> dict[str, Any]:
    """The root of a city's log at the end of a day: its own seal, or the last before it.

    Raises:
        BadInput: When nothing was sealed by then.
    """
    runtime(city)
    seal = Seal.objects.filter(city=city, day__lte=day).order_by("-size", "-day").first()
    if seal is None:
        raise BadInput(
            Problem(f"Nothing of {city} was sealed by {day}.", "A day is sealed when it has ended.", column="day")
        )
    return {
        "city": city, "day": day.isoformat(), "sealed_day": seal.day.isoformat(), "size": seal.size,
        "root": bytes(seal.root).hex(), "sealed_at": seal.made_at.isoformat(),
    }  # fmt: skip


def prove(*, number: str, seq: int | None = None) -> dict[str, Any]:
    """Proof that an event of a case, and with it all before it, is in the log, and that the log has only grown since.

    It shows that the event stands under the root of the day that sealed it (``sealed``, ``proof``), and that this log is
    the beginning of the one under the newest root (``newest``, ``consistency``). Whoever has the events can check both
    with `verify_chain`, `verify_inclusion` and `verify_consistency` alone, see `docs/reference/ledger.md`.

    Args:
        number: The case.
        seq: The event; by default the newest that is sealed.

    Raises:
        BadInput: When there is no such case, or the event has not been sealed yet.
    """
    case = Case.objects.filter(number=number).values("id", "city").first()
    if case is None:
        raise BadInput(Problem(f"There is no case {number!r}.", column="number"))
    leaves = Leaf.objects.filter(event__case_id=case["id"], **({} if seq is None else {"event__seq": seq}))
    leaf = leaves.order_by("-event__seq").values("position", "event__seq", "event__hash").first()
    if leaf is None:
        what = "No event" if seq is None else f"No event {seq}"
        raise BadInput(
            Problem(f"{what} of {number} has been sealed yet.", "A day is sealed when it has ended.", column="number")
        )
    return {"number": number, "city": case["city"], "seq": leaf["event__seq"]} | _proof(
        case["city"], leaf["position"], bytes(leaf["event__hash"])
    )


def _proof(city: str, position: int, entry: bytes) -> dict[str, Any]:
    seals = Seal.objects.filter(city=city, size__gt=position).order_by("size")
    sealed, newest = seals[0], seals.order_by("-size")[0]
    read = _reader(city)
    inclusion = inclusion_proof(nodes=read, index=position, size=sealed.size)
    consistency = consistency_proof(nodes=read, old_size=sealed.size, new_size=newest.size)
    old_root, new_root = bytes(sealed.root), bytes(newest.root)
    holds = verify_inclusion(
        leaf=leaf_hash(entry), index=position, size=sealed.size, proof=inclusion, root=old_root
    ) and verify_consistency(
        old_size=sealed.size, new_size=newest.size, old_root=old_root, new_root=new_root, proof=consistency
    )
    return {
        "event_hash": entry.hex(),
        "position": position,
        "sealed": {"day": sealed.day.isoformat(), "size": sealed.size, "root": old_root.hex()},
        "proof": [step.hex() for step in inclusion],
        "newest": {"day": newest.day.isoformat(), "size": newest.size, "root": new_root.hex()},
        "consistency": [step.hex() for step in consistency],
        "verified": holds,
    }
