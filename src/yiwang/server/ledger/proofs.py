"""Roots of days, and proofs that an entry is in a log and that the log has only grown since."""

from __future__ import annotations

from datetime import date
from typing import Any

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.ledger import consistency_proof, inclusion_proof, leaf_hash, verify_consistency, verify_inclusion
from yiwang.server.cities.queries import runtime
from yiwang.server.ledger import log
from yiwang.server.ledger.models import Leaf, Seal
from yiwang.server.ledger.streams import stream_of


def day_root(*, stream: str, city: str, day: date) -> dict[str, Any]:
    """The root of a log at the end of a day: its own seal, or the last before it.

    Raises:
        BadInput: When nothing was sealed by then, or there is no such stream or city.
    """
    runtime(city)
    stream_of(stream)
    seals = Seal.objects.filter(stream=stream, city=city, day__lte=day)
    seal = seals.order_by("-size", "-day").first()
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
        "city": city, "stream": stream, "day": day.isoformat(), "sealed_day": seal.day.isoformat(), "size": seal.size,
        "root": bytes(seal.root).hex(), "sealed_at": seal.made_at.isoformat(),
    }  # fmt: skip


def prove(*, stream: str, city: str, key: int) -> dict[str, Any] | None:
    """Proof that an entry is in a log, and that the log has only grown since.

    It shows that the entry stands under the root of the day that sealed it (``sealed``, ``proof``), and that this log is
    the beginning of the one under the newest root (``newest``, ``consistency``). Whoever has the entry can check both
    with `verify_inclusion` and `verify_consistency` alone, see `docs/reference/ledger.md`.

    Args:
        stream, city: The log.
        key: The entry.

    Returns:
        The proof with hashes in hexadecimal and ``verified``, whether it holds; None when the entry is not in the log.

    Raises:
        LogMismatch: When the entry is in the log and gone from its stream, or a part of the log is gone.
    """
    leaf = Leaf.objects.filter(stream=stream, city=city, key=key).values_list("position", flat=True).first()
    return None if leaf is None else _proof(stream, city, leaf, key)


def _proof(stream: str, city: str, position: int, key: int) -> dict[str, Any]:
    if (entry := stream_of(stream).lookup(city=city, keys=[key]).get(key)) is None:
        raise log.MissingEntry(stream, city, position)
    _, digest = entry
    seals = Seal.objects.filter(stream=stream, city=city, size__gt=position).order_by("size")
    sealed, newest = seals.first(), seals.last()
    if sealed is None or newest is None:
        raise log.LogMismatch(f"The seal over position {position} of the log of {stream} of {city} is gone.")
    read = log.reader(stream, city)
    inclusion = inclusion_proof(nodes=read, index=position, size=sealed.size)
    consistency = consistency_proof(nodes=read, old_size=sealed.size, new_size=newest.size)
    old_root, new_root = bytes(sealed.root), bytes(newest.root)
    holds = verify_inclusion(
        leaf=leaf_hash(digest), index=position, size=sealed.size, proof=inclusion, root=old_root
    ) and verify_consistency(
        old_size=sealed.size, new_size=newest.size, old_root=old_root, new_root=new_root, proof=consistency
    )
    return {
        "stream": stream,
        "city": city,
        "entry_hash": digest.hex(),
        "position": position,
        "sealed": {"day": sealed.day.isoformat(), "size": sealed.size, "root": old_root.hex()},
        "proof": [step.hex() for step in inclusion],
        "newest": {"day": newest.day.isoformat(), "size": newest.size, "root": new_root.hex()},
        "consistency": [step.hex() for step in consistency],
        "verified": holds,
    }
