"""Checks a city's log: its seals and their days, the events under them, the nodes kept above, and roots that were published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Max

from yiwang.core.cases.merkle import Frontier, complete_nodes, leaf_hash
from yiwang.server.cases import log
from yiwang.server.cases.faults import Fault
from yiwang.server.cases.models import Leaf, LedgerNode, Seal

Nodes = dict[tuple[int, int], bytes]


@dataclass(slots=True)
class LogFound:
    """The outcome: how many seals there are, the newest one's day, which published roots the log has, and faults."""

    seals: int = 0
    day: date | None = None
    published: dict[date, bool] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, kind: str, sentence: str) -> None:
        self.faults.append(Fault(kind, "", 0, sentence))


def check(city: str, *, zone: ZoneInfo, roots: Mapping[date, str]) -> LogFound:
    """Recompute every root and node from the events themselves, and compare published roots with the seals.

    Args:
        city: City.
        zone: Its time zone: a seal's day is a local one.
        roots: Published roots by day, as 64 hexadecimal digits.
    """
    found = LogFound()
    seals = list(Seal.objects.filter(city=city).order_by("size", "day", "id"))
    found.seals, found.day = len(seals), seals[-1].day if seals else None
    nodes: Nodes = {}
    if _check_roots(city, zone, seals, nodes, found):
        _check_nodes(city, nodes, found)
    size = seals[-1].size if seals else 0
    beyond = Leaf.objects.filter(city=city, position__gte=size).count()
    if beyond:
        newest = f"the newest seal, of {found.day}, ends at position {size}" if seals else "there is no seal"
        found.fault("seal", f"A seal is gone: {beyond} events are in the log, and {newest}.")
    _compare(seals, roots, found)
    return found


def _check_roots(city: str, zone: ZoneInfo, seals: list[Seal], nodes: Nodes, found: LogFound) -> bool:
    """Whether all seals are the ones over the events."""
    frontier, before = Frontier(), None
    for seal in seals:
        if seal.first != frontier.size or seal.size <= seal.first:
            found.fault(
                "root",
                f"The seal of {seal.day} begins at {seal.first} and ends at {seal.size}; {frontier.size} events were sealed before.",
            )
            return False
        for part in log.entries(city, seal.first, seal.size):
            leaves = [leaf_hash(entry) for entry in part]
            nodes.update(((level, index), digest) for level, index, digest in complete_nodes(frontier, leaves))
            frontier = frontier.extend(leaves)
        if frontier.size != seal.size:
            found.fault("missing", f"The log up to {seal.day} has {frontier.size} events; {seal.size} were sealed.")
            return False
        if frontier.root() != bytes(seal.root):
            found.fault("root", f"The root of {seal.day} is not the one over its events: history was rewritten.")
            return False
        _check_day(city, zone, seal, before, found)
        before = seal
    return True


def _check_day(city: str, zone: ZoneInfo, seal: Seal, before: Seal | None, found: LogFound) -> None:
    """A seal is of the day of its latest event, or, when it holds late ones only, of the day after the seal before."""
    leaves = Leaf.objects.filter(city=city, position__gte=seal.first, position__lt=seal.size)
    latest = leaves.aggregate(at=Max("event__at"))["at"].astimezone(zone).date()
    earliest = before.day + timedelta(days=1) if before else latest
    right = max(latest, earliest)
    if seal.day != right:
        found.fault("seal", f"The seal over {seal.size} events says that it is of {seal.day}; it is of {right}.")


def _check_nodes(city: str, nodes: Nodes, found: LogFound) -> None:
    kept: Nodes = {
        (height, position): bytes(digest)
        for height, position, digest in LedgerNode.objects.filter(city=city)
        .values_list("height", "position", "hash")
        .iterator(chunk_size=log.BLOCK)
    }
    wrong = sorted(key for key in nodes.keys() | kept.keys() if nodes.get(key) != kept.get(key))
    if wrong:
        height, position = wrong[0]
        state = "missing" if wrong[0] not in kept else "not the one over its events"
        found.fault(
            "node",
            f"{len(wrong)} kept nodes of the log do not fit; the first, {position} at height {height}, is {state}. "
            "`yiwang cases rebuild` makes them anew.",
        )


def _compare(seals: list[Seal], roots: Mapping[date, str], found: LogFound) -> None:
    """Published roots against the seals; a day without a seal of its own has the root of the last one before it."""
    for day, published in sorted(roots.items()):
        seal = next((seal for seal in reversed(seals) if seal.day <= day), None)
        found.published[day] = seal is not None and bytes(seal.root).hex() == published.lower()
        if seal is None:
            found.fault("published", f"A root of {day} was published, but nothing is sealed up to that day.")
        elif not found.published[day]:
            own = "" if seal.day == day else f" (the day has no seal; the last before it is of {seal.day})"
            found.fault(
                "published",
                f"The published root of {day} is not this log's{own}: history up to that day was rewritten or cut off.",
            )
