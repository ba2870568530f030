"""The ledger's door: register a stream; seal, prove, publish and check it. Nothing else of this app is to be imported."""

from __future__ import annotations

from yiwang.server.ledger.log import LogMismatch, in_log, positions, settled_key, size
from yiwang.server.ledger.log_check import LogCheck, LogFault, check, check_others
from yiwang.server.ledger.nodes import renew as renew_nodes
from yiwang.server.ledger.proofs import day_root, prove
from yiwang.server.ledger.publishing import publish
from yiwang.server.ledger.sealing import seal_days
from yiwang.server.ledger.streams import Entry, Stream, register, stream_of, streams

__all__ = [
    "Entry",
    "LogCheck",
    "LogFault",
    "LogMismatch",
    "Stream",
    "check",
    "check_others",
    "day_root",
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
    "streams",
]
