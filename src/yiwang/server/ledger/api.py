"""The ledger's door: register a stream; seal, prove, publish and check it. Nothing else of this app is to be imported."""

from __future__ import annotations

from yiwang.server.ledger.log import LogBroken, in_log, positions, settled, size
from yiwang.server.ledger.nodes import renew as renew_nodes
from yiwang.server.ledger.proofs import day_root, prove
from yiwang.server.ledger.publishing import publish
from yiwang.server.ledger.sealed import LogFault, LogFound, check, check_others
from yiwang.server.ledger.sealing import seal_days
from yiwang.server.ledger.streams import Entry, Stream, named, register, streams

__all__ = [
    "Entry",
    "LogBroken",
    "LogFault",
    "LogFound",
    "Stream",
    "check",
    "check_others",
    "day_root",
    "in_log",
    "named",
    "positions",
    "prove",
    "publish",
    "register",
    "renew_nodes",
    "seal_days",
    "settled",
    "size",
    "streams",
]
