"""What happened in campaigns, as the ledger seals it: the stream ``inspections``, one chain for each city."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import Max, Min

from yiwang.core.kernel.text import Text
from yiwang.core.ledger import entry_hash, genesis
from yiwang.server.inspections.models import Campaign, InspectionChain, InspectionEvent
from yiwang.server.ledger.api import Entry, Stream

NAME = "inspections"


def write_event(campaign: Campaign, kind: str, said: Mapping[str, Any], *, by: str) -> InspectionEvent:
    """Add an event to a city's chain, within the transaction of what it tells of. Another writer of the city waits."""
    if not connection.in_atomic_block:
        raise RuntimeError("An event is written with what it tells of.")
    InspectionChain.objects.get_or_create(city=campaign.city)
    chain = InspectionChain.objects.select_for_update().get(pk=campaign.city)
    at = datetime.now(UTC)
    entry = {"campaign": campaign.key, "at": at, "kind": kind, "by": by, "said": dict(said)}
    before = bytes(chain.digest) if chain.digest else genesis(stream=NAME, chain=campaign.city)
    chain.digest = entry_hash(stream=NAME, entry=entry, previous=before)
    chain.save(update_fields=["digest"])
    return InspectionEvent.objects.create(
        city=campaign.city,
        campaign=campaign,
        at=at,
        kind=kind,
        by=by[:150],
        said=dict(said),
        digest=chain.digest,
    )


def broken(city: str) -> int | None:
    """Id of the first event of a city whose digest is not that of what it says and of what came before; None when all are."""
    before = genesis(stream=NAME, chain=city)
    for one in InspectionEvent.objects.filter(city=city).select_related("campaign").order_by("id").iterator():
        entry = {"campaign": one.campaign.key, "at": one.at, "kind": one.kind, "by": one.by, "said": one.said}
        if entry_hash(stream=NAME, entry=entry, previous=before) != bytes(one.digest):
            return int(one.pk)
        before = bytes(one.digest)
    return None


def _entries(*, city: str, after: int, end: datetime) -> Iterator[Entry]:
    found = InspectionEvent.objects.filter(city=city, id__gt=after, at__lt=end).order_by("at", "id")
    for pk, at, digest in found.values_list("id", "at", "digest"):
        yield at, pk, bytes(digest)


def _lookup(*, city: str, keys: Sequence[int]) -> Mapping[int, tuple[datetime, bytes]]:
    found = InspectionEvent.objects.filter(city=city, id__in=keys).values_list("id", "at", "digest")
    return {pk: (at, bytes(digest)) for pk, at, digest in found}


def _seen(*, city: str, after: int, end: datetime) -> int:
    later = InspectionEvent.objects.filter(city=city, id__gt=after, at__gte=end).aggregate(first=Min("id"))["first"]
    if later is not None:
        return int(later) - 1
    return InspectionEvent.objects.filter(city=city).aggregate(last=Max("id"))["last"] or 0


STREAM = Stream(
    name=NAME, title=Text("检查考评", "inspections"), entries=_entries, lookup=_lookup, seen=_seen
)  # fmt: skip
