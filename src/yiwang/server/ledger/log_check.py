"""Checks a log: its seals and their days, the entries under them, the nodes kept above, and roots that were published."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from yiwang.core.ledger import Frontier, complete_nodes, leaf_hash
from yiwang.server.cities.queries import runtime
from yiwang.server.ledger import log
from yiwang.server.ledger.models import Leaf, Seal
from yiwang.server.ledger.nodes import Nodes, stored_nodes
from yiwang.server.ledger.streams import streams


@dataclass(frozen=True, slots=True)
class LogFault:
    """Something in a log that does not fit.

    Attributes:
        kind: ``root``, ``seal``, ``node``, ``missing`` (an entry, or its place) or ``published`` (a root that was published
            is not this log's).
        sentence: What is wrong, in English.
    """

    kind: str
    sentence: str


@dataclass(slots=True)
class LogCheck:
    """The outcome: how many seals there are, the newest one's day, which published roots the log has, and faults."""

    seals: int = 0
    day: date | None = None
    published: dict[date, bool] = field(default_factory=dict)
    faults: list[LogFault] = field(default_factory=list)

    def fault(self, kind: str, sentence: str) -> None:
        """Add one."""
        self.faults.append(LogFault(kind, sentence))

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able form."""
        return {
            "seals": self.seals,
            "sealed_day": self.day.isoformat() if self.day else None,
            "published": [{"day": day.isoformat(), "matches": same} for day, same in sorted(self.published.items())],
            "sound": not self.faults,
            "faults": [{"kind": fault.kind, "sentence": fault.sentence} for fault in self.faults],
        }


def check(*, stream: str, city: str, roots: Mapping[date, str] | None = None) -> LogCheck:
    """Recompute every root and node from the entries themselves, and compare published roots with the seals.

    Args:
        stream, city: The log.
        roots: Published roots by day, as 64 hexadecimal digits.
    """
    found, zone = LogCheck(), runtime(city).info.zone
    seals = list(Seal.objects.filter(stream=stream, city=city).order_by("size", "day", "id"))
    found.seals, found.day = len(seals), seals[-1].day if seals else None
    nodes: Nodes = {}
    if _check_roots(seals, zone, nodes, found):
        _check_nodes(nodes, stored_nodes(stream, city), found)
    size = seals[-1].size if seals else 0
    beyond = Leaf.objects.filter(stream=stream, city=city, position__gte=size).count()
    if beyond:
        newest = f"the newest seal, of {found.day}, ends at position {size}" if seals else "there is no seal"
        found.fault("seal", f"A seal is gone: {beyond} entries are in the log, and {newest}.")
    _compare(seals, roots or {}, found)
    return found


def check_others(
    *, city: str, known: Container[str], roots: Mapping[str, Mapping[date, str]] | None = None
) -> dict[str, LogCheck]:
    """Check the logs of a city in all streams that have an entry in it or a published root.

    Args:
        city: City.
        known: Streams to leave out, because their own app looks at them more closely.
        roots: Published roots by stream and day. Roots of a stream that is not registered are a fault of that stream.
    """
    found, roots = {}, roots or {}
    registered = [stream.name for stream in streams()]
    for name in registered:
        if name not in known and (name in roots or _has_begun(name, city)):
            found[name] = check(stream=name, city=city, roots=roots.get(name))
    for name in sorted(roots):
        if name not in registered:
            found[name] = LogCheck()
            found[name].fault("published", f"Roots of {name} were published, and this ledger has no such stream.")
    return found


def _has_begun(stream: str, city: str) -> bool:
    return any(model.objects.filter(stream=stream, city=city).exists() for model in (Seal, Leaf))


def _check_roots(seals: list[Seal], zone: ZoneInfo, nodes: Nodes, found: LogCheck) -> bool:
    """Whether all seals are the ones over the entries."""
    frontier, before = Frontier(), None
    for seal in seals:
        if seal.first != frontier.size or seal.size <= seal.first:
            found.fault(
                "root",
                f"The seal of {seal.day} begins at {seal.first} and ends at {seal.size}; {frontier.size} entries were sealed before.",
            )
            return False
        latest = datetime.min.replace(tzinfo=zone)
        try:
            for part in log.entries(seal.stream, seal.city, seal.first, seal.size):
                latest = max(latest, *(moment for moment, _ in part))
                leaves = [leaf_hash(digest) for _, digest in part]
                nodes.update(((level, index), digest) for level, index, digest in complete_nodes(frontier, leaves))
                frontier = frontier.extend(leaves)
        except log.MissingEntry as gone:
            found.fault(
                "missing", f"The entry at position {gone.position} of the log is gone; it was sealed on {seal.day}."
            )
            return False
        if frontier.root() != bytes(seal.root):
            found.fault("root", f"The root of {seal.day} is not the one over its entries: history was rewritten.")
            return False
        _check_day(seal, latest.astimezone(zone).date(), before, found)
        before = seal
    return True


def _check_day(seal: Seal, latest: date, before: Seal | None, found: LogCheck) -> None:
    """A seal is of the day of its latest entry, or, when it holds late ones only, of the day after the seal before."""
    right = max(latest, before.day + timedelta(days=1)) if before else latest
    if seal.day != right:
        found.fault("seal", f"The seal over {seal.size} entries says that it is of {seal.day}; it is of {right}.")


def _check_nodes(nodes: Nodes, kept: Nodes, found: LogCheck) -> None:
    wrong = sorted(key for key in nodes.keys() | kept.keys() if nodes.get(key) != kept.get(key))
    if wrong:
        height, position = wrong[0]
        state = "missing" if wrong[0] not in kept else "not the one over its entries"
        found.fault(
            "node",
            f"{len(wrong)} kept nodes of the log do not fit; the first, {position} at height {height}, is {state}. "
            "`yiwang cases rebuild` makes them anew.",
        )


def _compare(seals: list[Seal], roots: Mapping[date, str], found: LogCheck) -> None:
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
