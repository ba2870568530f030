"""The nodes kept above a log: no more than a shortcut, so they can be made anew from the entries at any time."""

from __future__ import annotations

from django.db import transaction

from yiwang.core.ledger import Frontier, complete_nodes, leaf_hash
from yiwang.server.common.sql import insert_many
from yiwang.server.ledger import log
from yiwang.server.ledger.models import Node, Seal

NODE_COLUMNS = ("stream", "city", "height", "position", "hash")
Nodes = dict[tuple[int, int], bytes]


def renew(*, stream: str, city: str, dry_run: bool = False) -> tuple[Frontier, int]:
    """Put right what is kept of a log. While entries of it are gone, nothing is changed: `sealed.check` names them.

    Args:
        stream, city: The log.
        dry_run: Only count.

    Returns:
        The edge of the tree over all sealed entries, and how many nodes were wrong, missing or too many.
    """
    logs = Node.objects.filter(stream=stream, city=city)
    with transaction.atomic():
        seals = Seal.objects.select_for_update().filter(stream=stream, city=city)
        list(seals.order_by("-size", "-day")[:1])  # no sealer meanwhile
        try:
            right, frontier = _compute(stream, city)
        except log.MissingEntry:
            return Frontier(), 0
        kept = stored_nodes(stream, city)
        wrong = [key for key in right.keys() | kept.keys() if right.get(key) != kept.get(key)]
        if not dry_run:
            for height, position in wrong:
                logs.filter(height=height, position=position).delete()
            made = [(stream, city, *key, right[key]) for key in sorted(wrong) if key in right]
            insert_many(Node, NODE_COLUMNS, made)
    return frontier, len(wrong)


def stored_nodes(stream: str, city: str) -> Nodes:
    """The nodes of a log as they are stored: one for 256 entries."""
    rows = Node.objects.filter(stream=stream, city=city).values_list("height", "position", "hash")
    return {(height, position): bytes(digest) for height, position, digest in rows.iterator(chunk_size=log.BLOCK)}


def _compute(stream: str, city: str) -> tuple[Nodes, Frontier]:
    found: Nodes = {}
    frontier = Frontier()
    for part in log.entries(stream, city, 0, log.size(stream, city)):
        leaves = [leaf_hash(digest) for _, digest in part]
        found.update(((level, index), digest) for level, index, digest in complete_nodes(frontier, leaves))
        frontier = frontier.extend(leaves)
    return found, frontier
