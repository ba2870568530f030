"""Tamper evidence: a hash chain per case, and a Merkle tree over all events of a city.

Each event's hash covers the event and the hash before it, so a case whose last hash is known cannot be changed unseen.
The Merkle tree (RFC 6962 section 2.1) takes the event hashes as its entries; its root at a day's end binds them all,
and short proofs show that an event is in it (inclusion) and that a later tree only added to it (consistency).
The tree's functions stand in `merkle` and are named here too. Hashes are SHA-256, 32 bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

import orjson

from yiwang.core.cases.merkle import (
    Frontier,
    NodeReader,
    complete_nodes,
    consistency_proof,
    frontier_at,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text

__all__ = [
    "EVENT_FIELDS",
    "ChainFault",
    "Frontier",
    "NodeReader",
    "canonical",
    "complete_nodes",
    "consistency_proof",
    "event_hash",
    "event_record",
    "frontier_at",
    "genesis",
    "inclusion_proof",
    "leaf_hash",
    "node_hash",
    "root",
    "verify_chain",
    "verify_consistency",
    "verify_inclusion",
]

_WHO = ("actor", "actor_name", "actor_unit", "role")
_WHERE = ("from_step", "to_step", "from_holder", "holder")
EVENT_FIELDS = ("number", "seq", "at", "verb", *_WHO, *_WHERE, "reason", "payload")
_EVENT_DOMAIN = b"yiwang-event-v1\0"
_CASE_DOMAIN = b"yiwang-case-v1\0"
_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME
Rows = Sequence[tuple[Mapping[str, Any], bytes]]  # events with their stored hashes
_LARGEST_FLOAT = 2.0**53  # beyond it databases give a number back in another form


def canonical(value: Mapping[str, Any]) -> bytes:
    """The one byte string of a JSON object: keys sorted, no spaces, UTF-8, times in UTC with microseconds.

    What a database gives back after storing the object has the same bytes as long as its times are told as times.

    Raises:
        BadInput: When something in it is no JSON: another type, a key that is no text, a time without a zone, a number
            that is not finite or too large to survive a database (integers beyond 64 bits, floats beyond 2**53).
    """
    try:
        return orjson.dumps(
            value if _floats_stand(value) else _with_plain_zeros(value), default=_plain, option=_OPTIONS
        )
    except TypeError as error:
        raise BadInput(
            Text("事件无法写成规范形式：{error}。", "An event cannot be put in canonical form: {error}.", error=error)
        ) from error


def _floats_stand(value: Any) -> bool:
    """Whether every float can be written as it is: False for a minus zero, an error for what is no number.

    orjson writes what is not finite as null without a word, so it has to be looked for. This runs for every event.
    """
    pending, stand = [value], True
    while pending:
        item = pending.pop()
        kind = type(item)
        if kind is str or kind is int:
            continue
        if kind is dict:
            pending += item.values()
        elif kind is float:
            if not -_LARGEST_FLOAT <= item <= _LARGEST_FLOAT:
                raise BadInput(
                    Text(
                        "事件中不能有数值 {number!r}：它不是有限数或过大。",
                        "The number {number!r} cannot stand in an event: it is not finite or too large.",
                        number=item,
                    )
                )
            stand = stand and (item != 0 or math.copysign(1, item) > 0)
        elif kind is list or kind is tuple:
            pending += item
        elif item is not None and isinstance(item, Mapping):
            pending += item.values()
    return stand


def _with_plain_zeros(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _with_plain_zeros(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_with_plain_zeros(item) for item in value]
    return value + 0.0 if isinstance(value, float) else value


def _plain(value: Any) -> Any:
    """What orjson does not know: times in RFC 3339, UTC, microseconds; mappings that are no dict."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError(f"{value.isoformat()} has no time zone")
        return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no JSON type")


def event_record(source: object) -> dict[str, Any]:
    """The hashed fields of anything that has them as attributes: an event, or a row of the event table."""
    return {name: getattr(source, name) for name in EVENT_FIELDS}


def genesis(number: str) -> bytes:
    """What stands before the first event of a case. It depends on the case number, so events cannot change cases."""
    return sha256(_CASE_DOMAIN + number.encode()).digest()


def event_hash(*, event: Mapping[str, Any], previous: bytes) -> bytes:
    """Hash of an event and of all before it in its case.

    Args:
        event: The event's fields (`event_record`).
        previous: Hash of the event before; `genesis` for the first.

    Raises:
        BadInput: When the event has no canonical form or ``previous`` is no hash.
    """
    if len(previous) != 32:
        raise BadInput(
            Text("哈希值应为 32 字节，而不是 {bytes} 字节。", "A hash has 32 bytes, not {bytes}.", bytes=len(previous))
        )
    return sha256(_EVENT_DOMAIN + previous + canonical(event)).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainFault:
    """The first thing that is wrong with a case's history.

    Attributes:
        kind: ``altered``, ``missing``, ``reordered``, ``extra`` or ``truncated``.
        seq: Which event.
        sentence: What is wrong, in English.
    """

    kind: str
    seq: int
    sentence: str


def verify_chain(
    *,
    number: str,
    events: Iterable[Mapping[str, Any]],
    hashes: Iterable[bytes | None],
    head_hash: bytes,
    head_seq: int,
) -> ChainFault | None:
    """Check the history of one case from its first event.

    A history that was rewritten from some event to its end, head included, is consistent in itself; the roots of the
    Merkle tree, kept elsewhere, are what finds it.

    Args:
        number: The case.
        events: Its events as stored (`event_record`), in the order of ``seq``.
        hashes: The hash stored with each of them.
        head_hash: The hash that the case says its last event has.
        head_seq: The number of events that the case says it has.

    Returns:
        The first fault, or None.
    """
    rows = [(event, bytes(stored or b"")) for event, stored in zip(events, hashes, strict=True)]
    previous = genesis(number)
    for position, (event, stored) in enumerate(rows):
        seq = position + 1
        if event.get("seq") != seq:
            return _misnumbered(rows, position)
        if seq > head_seq:
            return _fault("extra", seq, f"Event {seq} is one too many: case {number} has {head_seq}.")
        if not _fits(event, stored, previous, number):
            return _mismatch(rows, position, previous, number, head_hash)
        previous = stored
    if len(rows) < head_seq:
        gone = len(rows) + 1
        return _fault("truncated", gone, f"Event {gone} and all after it are gone: case {number} has {head_seq}.")
    if previous != head_hash:
        return _fault("altered", head_seq, f"Event {head_seq} has another hash than case {number} ends in.")
    return None


def _fits(event: Mapping[str, Any], stored: bytes, previous: bytes, number: str, seq: int | None = None) -> bool:
    """Whether an event (were its place ``seq``) belongs after ``previous`` with the hash stored for it."""
    if event.get("number") != number:
        return False
    try:
        return event_hash(event=event if seq is None else {**event, "seq": seq}, previous=previous) == stored
    except BadInput:
        return False


def _misnumbered(rows: Rows, position: int) -> ChainFault:
    seq, found = position + 1, rows[position][0].get("seq")
    if any(event.get("seq") == seq for event, _ in rows[position + 1 :]):
        return _fault("reordered", seq, f"Event {seq} stands behind event {found}.")
    if isinstance(found, int) and found <= position:
        return _fault("extra", found, f"There is more than one event {found}.")
    return _fault("missing", seq, f"Event {seq} is missing; event {found} follows on event {position}.")


def _mismatch(rows: Rows, position: int, previous: bytes, number: str, head_hash: bytes) -> ChainFault:
    """Name what happened where the hash of an event is wrong although the numbers run on.

    Whoever removes, adds or swaps events will number the others anew. Their stored hashes still tell: without the added
    event, or with their old numbers, they fit again.
    """
    seq, after = position + 1, rows[position + 1 :]
    here = rows[position][1]
    altered = f"Event {seq} or its hash is not what was recorded"
    altered += f", or event {position} was rewritten with its hash." if position else "."
    if after and _fits(*after[0], here, number):
        return _fault("altered", seq, altered)
    if after and after[-1][1] == head_hash and _continue(after, previous, number, seq):
        return _fault("extra", seq, f"Event {seq} was put in; without it the events after it fit.")
    for later, (event, stored) in enumerate(after, start=seq + 1):
        if _fits(event, stored, previous, number, seq):
            return _fault("reordered", seq, f"The event that now has number {later} was recorded as event {seq}.")
    if after and _fits(*after[0], here, number, seq + 2):
        return _fault("missing", seq, f"Event {seq} is missing; the one that now has its number came after it.")
    return _fault("altered", seq, altered)


def _continue(rows: Rows, previous: bytes, number: str, seq: int) -> bool:
    """Whether events, numbered from ``seq``, are a chain from ``previous``."""
    for event, stored in rows:
        if not _fits(event, stored, previous, number, seq):
            return False
        previous, seq = stored, seq + 1
    return True


def _fault(kind: str, seq: int, sentence: str) -> ChainFault:
    return ChainFault(kind=kind, seq=seq, sentence=sentence)
