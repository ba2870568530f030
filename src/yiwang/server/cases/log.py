"""A city's log as it is stored: the hashes of its sealed events in their order, the nodes kept above them, its size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import Max

from yiwang.core.cases.merkle import leaf_hash
from yiwang.server.cases.models import Leaf, LedgerNode, Seal

# A transaction of ours lasts seconds; one begun before an earlier seal has ended by then.
SETTLED = timedelta(minutes=10)
BLOCK = 5000


def entries(city: str, first: int, size: int) -> Iterator[list[bytes]]:
    """Hashes of the log's events from a position to the size, in their order, block by block."""
    for start in range(first, size, BLOCK):
        query = Leaf.objects.filter(city=city, position__gte=start, position__lt=min(start + BLOCK, size))
        yield [bytes(entry) for entry in query.order_by("position").values_list("event__hash", flat=True)]


def reader(city: str) -> Any:
    """Reads leaf hashes and stored nodes by ranges, for proofs."""

    def read(level: int, start: int, stop: int) -> Sequence[bytes]:
        if level == 0:
            return [leaf_hash(entry) for part in entries(city, start, stop) for entry in part]
        query = LedgerNode.objects.filter(city=city, height=level, position__gte=start, position__lt=stop)
        return [bytes(digest) for digest in query.order_by("position").values_list("hash", flat=True)]

    return read


def newest_seal(city: str) -> Seal | None:
    """The seal over the whole log."""
    return Seal.objects.filter(city=city).order_by("-size", "-day").first()


def settled(city: str) -> int:
    """An event id up to which everything is in the log and nothing can appear any more.

    ``seen`` of a seal says: what could be seen up to here is in the log. Ids are given out before transactions end, so an
    event may still appear behind it. What was under way when one seal was made had ended when a seal was made `SETTLED`
    later, and that one looked again from further back; so the smaller ``seen`` of the two holds for good.
    """
    newest = newest_seal(city)
    if newest is None:
        return 0
    before = Seal.objects.filter(city=city, made_at__lt=newest.made_at - SETTLED).order_by("-size", "-day").first()
    return min(newest.seen, before.seen) if before else 0


def size(city: str) -> int:
    """How many events are under the newest seal."""
    return Seal.objects.filter(city=city).aggregate(n=Max("size"))["n"] or 0
