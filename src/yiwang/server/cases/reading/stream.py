"""The events of cases as a stream of the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from django.db import connection
from django.db.models import Max, Min
from django.db.models.functions import Collate

from yiwang.core.cases.ledger import STREAM
from yiwang.core.kernel.text import Text
from yiwang.server.cases.models import Event
from yiwang.server.ledger import api as log

_READ = 2000


def _entries(*, city: str, after: int, end: datetime) -> Iterator[log.Entry]:
    """Events by time, number and seq, block by block: the database sorts, and leaves out what it knows to be sealed."""
    by_code_point = Collate("case__number", "C" if connection.vendor == "postgresql" else "BINARY")
    query = Event.objects.filter(~log.in_log(stream=STREAM, city=city), city=city, id__gt=after, at__lt=end)
    ordered = query.order_by("at", by_code_point, "seq", "id")
    for at, event, digest in ordered.values_list("at", "id", "hash").iterator(chunk_size=_READ):
        yield at, event, bytes(digest)


def _lookup(*, city: str, keys: Sequence[int]) -> Mapping[int, tuple[datetime, bytes]]:
    rows = Event.objects.filter(id__in=keys, city=city).values_list("id", "at", "hash")
    return {event: (at, bytes(digest)) for event, at, digest in rows}


def _complete_upto(*, city: str, after: int, end: datetime) -> int:
    largest = Event.objects.filter(city=city).aggregate(n=Max("id"))["n"] or 0
    first = Event.objects.filter(city=city, id__gt=after, at__gte=end).aggregate(n=Min("id"))["n"]
    return largest if first is None else min(largest, first - 1)


EVENTS = log.Stream(name=STREAM, title=Text("案卷", "cases"), entries=_entries, lookup=_lookup, seen=_complete_upto)
