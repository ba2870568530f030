"""Seals the days of a log.

A log holds the digests of a stream's entries. A day is sealed when it has ended: the entries up to its end that are not in
the log yet come in, in the order that the stream gives, and the root over the whole log is kept. A late entry, say of a
replayed past, comes in with the next seal.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice

from django.db import IntegrityError, connection, transaction

from yiwang.core.kernel.errors import BadInput
from yiwang.core.ledger import Frontier, complete_nodes, frontier_at, leaf_hash
from yiwang.server.cities.queries import cities, runtime
from yiwang.server.common import queries as jobs
from yiwang.server.common.sql import insert_many
from yiwang.server.ledger import log, nodes, publishing
from yiwang.server.ledger.log import LogMismatch
from yiwang.server.ledger.models import Leaf, Node, Seal
from yiwang.server.ledger.nodes import NODE_COLUMNS
from yiwang.server.ledger.spool import Spool
from yiwang.server.ledger.streams import Entry, Stream, stream_of, streams

LEAF_COLUMNS = ("stream", "city", "position", "key")
GRACE = timedelta(minutes=5)  # after midnight, before a day is sealed
_WRITTEN = 5000
_log = logging.getLogger("yiwang.worker")


class _Overtaken(Exception):
    """Another process has sealed in the meantime."""


def seal_days(*, stream: str, city: str, at: datetime | None = None, until: date | None = None) -> list[Seal]:
    """Seal every day that has ended and is not sealed yet; days on which nothing came in get no seal.

    The entries are read and put in order before any lock is taken, through a file that holds what does not fit into a
    few megabytes; each day is then one transaction. A sealer that is killed has sealed whole days, and one that finds
    that another was quicker leaves the rest to it.

    Args:
        stream, city: The log.
        at: Now.
        until: Seal up to this day; by default up to yesterday, a few minutes after midnight.

    Raises:
        LogMismatch: When the entries under the newest seal are not the ones that it sealed.
        BadInput: When there is no such stream or city.
    """
    source, zone = stream_of(stream), runtime(city).info.zone
    at = at or datetime.now(UTC)
    last = until or ((at - GRACE).astimezone(zone).date() - timedelta(days=1))
    newest = log.newest_seal(stream, city)
    if newest is not None and last <= newest.day:
        return []  # what came in late waits for the next day's seal
    earliest = newest.day + timedelta(days=1) if newest else date.min
    end = datetime.combine(last + timedelta(days=1), time(), zone)
    after = log.settled_key(stream=stream, city=city)
    seen = source.seen(city=city, after=after, end=end)
    frontier = _edge(newest) if newest else Frontier()
    seals: list[Seal] = []
    with closing(Spool()) as pending:
        with _sorting_on_disk():
            for moment, key, digest in _unsealed_entries(source, city, after=after, end=end):
                pending.add(max(moment.astimezone(zone).date(), earliest), key, digest)
        for day, entries in pending.days():
            seal = Seal(stream=stream, city=city, day=day, first=frontier.size, seen=seen, made_at=at)
            try:
                with transaction.atomic():
                    frontier = _seal_day(seal, entries, frontier)
                    publishing.announce(seal, at=at)
            except _Overtaken:
                break
            except IntegrityError:
                if log.size(stream, city) == seal.first:
                    raise  # nobody else sealed: something is wrong
                break
            seals.append(seal)
    return seals


def _edge(newest: Seal) -> Frontier:
    """The right edge of the tree under a seal. Kept nodes that do not fit are made anew, so that none is built upon."""
    stream, city, root = newest.stream, newest.city, bytes(newest.root)
    try:
        frontier = frontier_at(nodes=log.reader(stream, city), size=newest.size)
        if frontier.root() == root:
            return frontier
    except (BadInput, LookupError, ValueError, log.LogMismatch):
        pass  # some are missing
    frontier, _ = nodes.renew(stream=stream, city=city)
    if frontier.root() == root:
        return frontier
    raise log.LogMismatch(
        f"The log of {stream} of {city} is not the one sealed on {newest.day}, so no day is sealed on top of it. "
        f"`yiwang ledger verify {city}` says what was changed."
    )


def _unsealed_entries(source: Stream, city: str, *, after: int, end: datetime) -> Iterator[Entry]:
    """Entries before a moment that are not in the log, in its order."""
    entries = source.entries(city=city, after=after, end=end)
    if not Leaf.objects.filter(stream=source.name, city=city, key__gt=after).exists():
        yield from entries
        return
    while part := list(islice(entries, log.KEYS)):
        placed = log.positions(stream=source.name, city=city, keys=[key for _, key, _ in part])
        yield from (entry for entry in part if entry[1] not in placed)


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


def _seal_day(seal: Seal, entries: Iterator[tuple[int, bytes]], frontier: Frontier) -> Frontier:
    """Give a day's entries their positions, keep the nodes they complete and the root; the caller holds the transaction."""
    log_of = (seal.stream, seal.city)
    # one sealer at a time: the newest seal's row is the lock; of two first sealers one fails on the unique day
    earlier = Seal.objects.select_for_update().filter(stream=seal.stream, city=seal.city)
    newest = earlier.order_by("-size", "-day").first()
    if (newest.size if newest else 0) != seal.first:
        raise _Overtaken
    while part := list(islice(entries, _WRITTEN)):
        leaves = [leaf_hash(digest) for _, digest in part]
        placed = [(*log_of, frontier.size + offset, key) for offset, (key, _) in enumerate(part)]
        insert_many(Leaf, LEAF_COLUMNS, placed)
        insert_many(Node, NODE_COLUMNS, [(*log_of, *node) for node in complete_nodes(frontier, leaves)])
        frontier = frontier.extend(leaves)
    seal.size, seal.root = frontier.size, frontier.root()
    seal.save(force_insert=True)
    return frontier


def seal_all() -> None:
    """Seal the days that have ended. A city with a job under way waits: its past is still being written."""
    busy = {job["city"] for job in jobs.jobs(most=100) if job["state"] in {"queued", "running"}}
    for info in cities():
        if info.id in busy:
            continue
        for stream in streams():
            try:
                seal_days(stream=stream.name, city=info.id)
            except LogMismatch as error:  # the days of other logs are sealed all the same
                _log.error("%s", error)
