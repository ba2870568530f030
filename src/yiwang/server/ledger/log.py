"""A log as it is stored: the digests of its sealed entries in their order, the nodes kept above them, its size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, Max, OuterRef

from yiwang.core.kernel.errors import YiwangError
from yiwang.core.ledger import leaf_hash
from yiwang.server.ledger.models import Leaf, Node, Seal
from yiwang.server.ledger.streams import Stream, stream_of

# A transaction of ours lasts seconds; one begun before an earlier seal has ended by then.
SETTLED = timedelta(minutes=10)
BLOCK = 5000
KEYS = 500  # asked for at once: SQLite as some ship it takes 999 values in a statement


class LogMismatch(YiwangError):
    """The log is not the one that was sealed, so nothing may be added to it or proved by it."""


class MissingEntry(LogMismatch):
    """An entry that is in the log is no longer in its stream, or its place in the log is gone.

    Attributes:
        position: Its place.
    """

    def __init__(self, stream: str, city: str, position: int) -> None:
        super().__init__(f"The entry at position {position} of the log of {stream} of {city} is gone.")
        self.position = position


def entries(stream: str, city: str, first: int, size: int) -> Iterator[list[tuple[datetime, bytes]]]:
    """Moments and digests of a log's entries from a position to the size, in their order, block by block.

    Raises:
        MissingEntry: At the first that is not there.
    """
    source = stream_of(stream)
    leaves = Leaf.objects.filter(stream=stream, city=city)
    for start in range(first, size, BLOCK):
        stop = min(start + BLOCK, size)
        query = leaves.filter(position__gte=start, position__lt=stop).order_by("position")
        placed = list(query.values_list("position", "key"))
        for expected, (position, _) in enumerate(placed, start=start):
            if position != expected:
                raise MissingEntry(stream, city, expected)
        if len(placed) < stop - start:
            raise MissingEntry(stream, city, start + len(placed))
        yield list(_lookup_entries(source, city, placed))


def _lookup_entries(source: Stream, city: str, placed: Sequence[tuple[int, int]]) -> Iterator[tuple[datetime, bytes]]:
    for start in range(0, len(placed), KEYS):
        part = placed[start : start + KEYS]
        found = source.lookup(city=city, keys=[key for _, key in part])
        for position, key in part:
            if key not in found:
                raise MissingEntry(source.name, city, position)
            yield found[key]


def reader(stream: str, city: str) -> Any:
    """Reads leaf hashes and stored nodes by ranges, for proofs."""

    def read(level: int, start: int, stop: int) -> Sequence[bytes]:
        if level == 0:
            return [leaf_hash(digest) for part in entries(stream, city, start, stop) for _, digest in part]
        query = Node.objects.filter(
            stream=stream, city=city, height=level, position__gte=start, position__lt=stop
        ).order_by("position")
        return [bytes(digest) for digest in query.values_list("hash", flat=True)]

    return read


def newest_seal(stream: str, city: str) -> Seal | None:
    """The seal over the whole log."""
    return Seal.objects.filter(stream=stream, city=city).order_by("-size", "-day").first()


def settled_key(*, stream: str, city: str) -> int:
    """A key up to which everything is in the log and nothing can appear any more.

    ``seen`` of a seal says: what could be seen up to here is in the log. Keys are given out before transactions end, so an
    entry may still appear behind it. What was under way when one seal was made had ended when a seal was made `SETTLED`
    later, and that one looked again from further back; so the smaller ``seen`` of the two holds for good.
    """
    newest = newest_seal(stream, city)
    if newest is None:
        return 0
    earlier = Seal.objects.filter(stream=stream, city=city, made_at__lt=newest.made_at - SETTLED)
    before = earlier.order_by("-size", "-day").first()
    return min(newest.seen, before.seen) if before else 0


def size(stream: str, city: str) -> int:
    """How many entries are under the newest seal."""
    return Seal.objects.filter(stream=stream, city=city).aggregate(n=Max("size"))["n"] or 0


def positions(*, stream: str, city: str, keys: Sequence[int]) -> dict[int, int]:
    """Places in the log by key, of those of some entries that are in it."""
    found: dict[int, int] = {}
    for start in range(0, len(keys), KEYS):
        query = Leaf.objects.filter(stream=stream, city=city, key__in=keys[start : start + KEYS])
        found.update(query.values_list("key", "position"))
    return found


def in_log(*, stream: str, city: str, key: str = "id") -> Exists:
    """A condition for a query of the rows of a stream: whether each is in the log.

    Args:
        stream, city: The log.
        key: Column of the row that is the entry's key.
    """
    return Exists(Leaf.objects.filter(stream=stream, city=city, key=OuterRef(key)))
