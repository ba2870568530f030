"""The ledger's door: register a stream, or chain events to one; seal, prove, publish and check it.

Nothing else of this app is to be imported.
"""

from __future__ import annotations

from yiwang.server.ledger.chained import ChainedEvent, add_event, first_broken, stream_of_events
from yiwang.server.ledger.log import LogMismatch, in_log, positions, settled_key, size
from yiwang.server.ledger.log_check import LogCheck, LogFault, check, check_others
from yiwang.server.ledger.nodes import renew as renew_nodes
from yiwang.server.ledger.proofs import day_root, prove
from yiwang.server.ledger.publishing import publish
from yiwang.server.ledger.sealing import seal_days
from yiwang.server.ledger.streams import Entry, Stream, register, stream_of, streams

__all__ = [
    "ChainedEvent",
    "Entry",
    "LogCheck",
    "LogFault",
    "LogMismatch",
    "Stream",
    "add_event",
    "check",
    "check_others",
    "day_root",
    "first_broken",
    "in_log",
    "positions",
    "prove",
    "publish",
    "register",
    "renew_nodes",
    "seal_days",
    "settled_key",
    "size",
    "stream_of",
    "stream_of_events",
    "streams",
]
