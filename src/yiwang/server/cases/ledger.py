"""A city's log: seal days, prove that a case is in it. `verifying` looks whether everything fits.

A city's log holds the hashes of its events. A day is sealed when it has ended: the events up to its end that are not in
the log yet come in, ordered by time, number and seq, and the root over the whole log is kept. A late event, say of a
replayed past, comes in with the next seal.
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Max, Min
from django.db.models.functions import Collate

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
from yiwang.core.kernel.errors import BadInput, Problem, YiwangError
from yiwang.core.kernel.text import Text
from yiwang.server.cases import log, nodes, publishing, storage
from yiwang.server.cases.faults import Fault
from yiwang.server.cases.models import Case, Event, Leaf, LedgerNode, Seal
from yiwang.server.cases.nodes import NODE_COLUMNS
from yiwang.server.cases.verifying import Verified, verify
from yiwang.server.places.queries import runtime

__all__ = ["Fault", "LogBroken", "Verified", "day_root", "prove", "seal_days", "verify"]

LEAF_COLUMNS = ("event_id", "city", "position")
GRACE = timedelta(minutes=5)  # after midnight, before a day is sealed
_READ = 2000
_WRITTEN = 5000
_HELD_BYTES = 8 << 20  # of events on their way into the log; what goes beyond lies in a temporary file


class LogBroken(YiwangError):
    """The log is not the one that was sealed, so nothing may be added to it."""


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

    Raises:
        LogBroken: When the events under the newest seal are not the ones that it sealed.
    """
    place = runtime(city)
    at = at or datetime.now(UTC)
    last = until or ((at - GRACE).astimezone(place.info.zone).date() - timedelta(days=1))
    newest = log.newest_seal(city)
    if newest is not None and last <= newest.day:
        return []  # what came in late waits for the next day's seal
    earliest = newest.day + timedelta(days=1) if newest else date.min
    end = datetime.combine(last + timedelta(days=1), time(), place.info.zone)
    start = log.settled(city)
    seen = _seen(city, start=start, end=end)
    frontier = _edge(newest) if newest else Frontier()
    seals: list[Seal] = []
    with closing(_Spool()) as pending:
        with _sorting_on_disk():
            for moment, pk, digest in _unsealed(city, start=start, end=end):
                pending.add(max(moment.astimezone(place.info.zone).date(), earliest), pk, digest)
        for day, entries in pending.days():
            try:
                with transaction.atomic():
                    seal, frontier = _seal_day(city, day, entries, frontier, seen, at)
                    publishing.announce(seal, at=at)
            except _Overtaken:
                break
            except IntegrityError:
                if log.size(city) == frontier.size:
                    raise  # nobody else sealed: something is wrong
                break
            seals.append(seal)
    return seals


def _edge(newest: Seal) -> Frontier:
    """The right edge of the tree under a seal. Kept nodes that do not fit are made anew, so that none is built upon."""
    city, root = newest.city, bytes(newest.root)
    try:
        frontier = frontier_at(nodes=log.reader(city), size=newest.size)
        if frontier.root() == root:
            return frontier
    except (BadInput, LookupError, ValueError):
        pass  # some are missing
    frontier, _ = nodes.renew(city=city)
    if frontier.root() == root:
        return frontier
    raise LogBroken(
        f"The log of {city} is not the one sealed on {newest.day}, so no day is sealed on top of it. "
        f"`yiwang ledger verify {city}` says what was changed."
    )


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


def _seen(city: str, *, start: int, end: datetime) -> int:
    """The event id up to which everything that can be seen will be in the log once all before ``end`` is sealed."""
    largest = Event.objects.filter(city=city).aggregate(n=Max("id"))["n"] or 0
    later = Event.objects.filter(city=city, id__gt=start, at__gte=end, leaf__position__isnull=True)
    first = later.aggregate(n=Min("id"))["n"]
    return largest if first is None else min(largest, first - 1)


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
        completed = [(city, height, position, digest) for height, position, digest in complete_nodes(frontier, leaves)]
        storage.insert_many(LedgerNode, NODE_COLUMNS, completed)
        frontier = frontier.extend(leaves)
    seal = Seal.objects.create(
        city=city, day=day, first=first, size=frontier.size, root=frontier.root(), seen=seen, made_at=at
    )
    return seal, frontier


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
            Problem(
                Text(
                    "到 {day} 为止，{city} 还没有任何一天封存。",
                    "Nothing of {city} was sealed by {day}.",
                    city=city,
                    day=day,
                ),
                Text("每天结束后才封存当天。", "A day is sealed when it has ended."),
                column="day",
            )
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
        raise BadInput(
            Problem(
                Text("没有编号为「{number}」的案卷。", "There is no case {number!r}.", number=number), column="number"
            )
        )
    leaves = Leaf.objects.filter(event__case_id=case["id"], **({} if seq is None else {"event__seq": seq}))
    leaf = leaves.order_by("-event__seq").values("position", "event__seq", "event__hash").first()
    if leaf is None:
        what = (
            Text("案卷 {number} 还没有事件封存。", "No event of {number} has been sealed yet.", number=number)
            if seq is None
            else Text(
                "案卷 {number} 的第 {seq} 个事件还没有封存。",
                "Event {seq} of {number} has not been sealed yet.",
                number=number,
                seq=seq,
            )
        )
        raise BadInput(
            Problem(
                what,
                Text("每天结束后才封存当天。", "A day is sealed when it has ended."),
                column="number",
            )
        )
    return {"number": number, "city": case["city"], "seq": leaf["event__seq"]} | _proof(
        case["city"], leaf["position"], bytes(leaf["event__hash"])
    )


def _proof(city: str, position: int, entry: bytes) -> dict[str, Any]:
    seals = Seal.objects.filter(city=city, size__gt=position).order_by("size")
    sealed, newest = seals[0], seals.order_by("-size")[0]
    read = log.reader(city)
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
