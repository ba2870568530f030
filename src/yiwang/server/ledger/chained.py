"""Events of an app as one chain for each city: each digest binds what an event says and all that came before it.

An app derives its table from `ChainedEvent`, adds to it by `add_event` and brings the stream that `stream_of_events` makes of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.db import connection, models
from django.db.models import Max, Min

from yiwang.core.kernel.text import Text
from yiwang.core.ledger import entry_hash, genesis
from yiwang.server.ledger.models import ChainEnd
from yiwang.server.ledger.streams import Entry, Stream


class ChainedEvent(models.Model):
    """Something that happened, never changed.

    Attributes:
        subject: What it happened to, by a key that is unique in the city.
        kind: What happened.
        by: User name of who did it.
        said: What is bound, as JSON.
        digest: Of all this, and of all before it in the city.
    """

    city = models.CharField(max_length=40)
    subject = models.CharField(max_length=100)
    at = models.DateTimeField()
    kind = models.CharField(max_length=20)
    by = models.CharField(max_length=150)
    said = models.JSONField()
    digest = models.BinaryField(max_length=32)

    class Meta:
        abstract = True
        ordering = ("id",)
        indexes = (models.Index(fields=["city", "at", "id"], name="%(class)s_by_time"),)


Event = TypeVar("Event", bound=ChainedEvent)


def add_event(
    model: type[Event], *, stream: str, city: str, subject: str, kind: str, said: Mapping[str, Any], by: str
) -> Event:
    """Add an event to a city's chain, within the transaction of what it tells of. Another writer of the chain waits."""
    if not connection.in_atomic_block:
        raise RuntimeError("An event is written with what it tells of.")
    ChainEnd.objects.get_or_create(stream=stream, city=city)
    end = ChainEnd.objects.select_for_update().get(stream=stream, city=city)
    event = model(city=city, subject=subject, at=datetime.now(UTC), kind=kind, by=by[:150], said=dict(said))
    end.digest = event.digest = _digest(
        event, stream, bytes(end.digest) if end.digest else genesis(stream=stream, chain=city)
    )
    end.save(update_fields=["digest"])
    event.save()
    return event


def first_broken(model: type[Event], *, stream: str, city: str) -> int | None:
    """Id of the first event of a city whose digest is not that of what it says and of what came before; None when all are."""
    before = genesis(stream=stream, chain=city)
    for event in model._default_manager.filter(city=city).order_by("id").iterator():
        if _digest(event, stream, before) != bytes(event.digest):
            return int(event.pk)
        before = bytes(event.digest)
    return None


def _digest(event: ChainedEvent, stream: str, previous: bytes) -> bytes:
    entry = {"subject": event.subject, "at": event.at, "kind": event.kind, "by": event.by, "said": event.said}
    return entry_hash(stream=stream, entry=entry, previous=previous)


def stream_of_events(model: type[ChainedEvent], *, name: str, title: Text) -> Stream:
    """The stream of a table of events, for `YiwangApp.streams`."""
    rows: Any = model._default_manager

    def entries(*, city: str, after: int, end: datetime) -> Iterator[Entry]:
        found = rows.filter(city=city, id__gt=after, at__lt=end).order_by("at", "id")
        for pk, at, digest in found.values_list("id", "at", "digest"):
            yield at, pk, bytes(digest)

    def lookup(*, city: str, keys: Sequence[int]) -> Mapping[int, tuple[datetime, bytes]]:
        found = rows.filter(city=city, id__in=keys).values_list("id", "at", "digest")
        return {pk: (at, bytes(digest)) for pk, at, digest in found}

    def seen(*, city: str, after: int, end: datetime) -> int:
        later = rows.filter(city=city, id__gt=after, at__gte=end).aggregate(first=Min("id"))["first"]
        if later is not None:
            return int(later) - 1
        return int(rows.filter(city=city).aggregate(last=Max("id"))["last"] or 0)

    return Stream(name=name, title=title, entries=entries, lookup=lookup, seen=seen)
