"""What of a case goes into the ledger: the fields of its events, chained by its number in the stream ``cases``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from yiwang.core.ledger import chain
from yiwang.core.ledger.chain import ChainFault, ChainForm

_WHO = ("actor", "actor_name", "actor_unit", "role")
_WHERE = ("from_step", "to_step", "from_holder", "holder")
EVENT_FIELDS = ("number", "seq", "at", "verb", *_WHO, *_WHERE, "reason", "payload")
STREAM = "cases"
FORM = ChainForm(stream=STREAM, key="number", entry="event", chain="case")


def event_record(source: object) -> dict[str, Any]:
    """The hashed fields of anything that has them as attributes: an event, or a row of the event table."""
    return {name: getattr(source, name) for name in EVENT_FIELDS}


def genesis(number: str) -> bytes:
    """What stands before the first event of a case."""
    return chain.genesis(stream=STREAM, chain=number)


def event_hash(*, event: Mapping[str, Any], previous: bytes) -> bytes:
    """Hash of an event (`event_record`) and of all before it in its case; see `yiwang.core.ledger.entry_hash`."""
    return chain.entry_hash(stream=STREAM, entry=event, previous=previous)


def verify_chain(
    *,
    number: str,
    events: Iterable[Mapping[str, Any]],
    hashes: Iterable[bytes | None],
    head_hash: bytes,
    head_seq: int,
) -> ChainFault | None:
    """Check the history of one case from its first event; see `yiwang.core.ledger.verify_chain`.

    Args:
        number: The case.
        events: Its events as stored (`event_record`), in the order of ``seq``.
        hashes: The hash stored with each of them.
        head_hash: The hash that the case says its last event has.
        head_seq: The number of events that the case says it has.

    Returns:
        The first fault, or None.
    """
    return chain.verify_chain(
        form=FORM, chain=number, entries=events, hashes=hashes, head_hash=head_hash, head_seq=head_seq
    )
