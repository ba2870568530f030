"""Tamper evidence for any stream of entries: canonical bytes, hash chains, and a Merkle tree over all hashes of a city.

A *stream* is a kind of history that is only ever added to, such as the events of cases. Each entry's hash covers the entry
and the hash before it in its chain, so a chain whose last hash is known cannot be changed unseen. The Merkle tree (RFC 6962
section 2.1) takes the hashes as its entries; its root at a day's end binds them all, and short proofs show that an entry is
in it (inclusion) and that a later tree only added to it (consistency). Hashes are SHA-256, 32 bytes.
"""

from __future__ import annotations

from yiwang.core.ledger.canonical import canonical
from yiwang.core.ledger.chain import ChainFault, ChainForm, entry_hash, genesis, verify_chain
from yiwang.core.ledger.merkle import (
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

__all__ = [
    "ChainFault",
    "ChainForm",
    "Frontier",
    "NodeReader",
    "canonical",
    "complete_nodes",
    "consistency_proof",
    "entry_hash",
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
