"""The nodes kept above a city's log: no more than a shortcut, so they can be made anew from the events at any time."""

from __future__ import annotations

from django.db import transaction

from yiwang.core.cases.merkle import Frontier, complete_nodes, leaf_hash
from yiwang.server.cases import log, storage
from yiwang.server.cases.models import LedgerNode, Seal

NODE_COLUMNS = ("city", "height", "position", "hash")
Nodes = dict[tuple[int, int], bytes]


def renew(*, city: str, dry_run: bool = False) -> tuple[Frontier, int]:
    """Put right what is kept of a city's log.

    Args:
        city: City.
        dry_run: Only count.

    Returns:
        The edge of the tree over all sealed events, and how many nodes were wrong, missing or too many.
    """
    with transaction.atomic():
        list(Seal.objects.select_for_update().filter(city=city).order_by("-size", "-day")[:1])  # no sealer meanwhile
        right, frontier = _computed(city)
        kept = {
            (height, position): (pk, bytes(digest))
            for pk, height, position, digest in LedgerNode.objects.filter(city=city).values_list(
                "id", "height", "position", "hash"
            )
        }
        wrong = [key for key in right.keys() | kept.keys() if right.get(key) != kept.get(key, (0, None))[1]]
        if not dry_run:
            gone = [kept[key][0] for key in wrong if key in kept]
            for start in range(0, len(gone), log.BLOCK):
                LedgerNode.objects.filter(id__in=gone[start : start + log.BLOCK]).delete()
            made = [(city, *key, right[key]) for key in sorted(wrong) if key in right]
            storage.insert_many(LedgerNode, NODE_COLUMNS, made)
    return frontier, len(wrong)


def _computed(city: str) -> tuple[Nodes, Frontier]:
    found: Nodes = {}
    frontier = Frontier()
    for part in log.entries(city, 0, log.size(city)):
        leaves = [leaf_hash(entry) for entry in part]
        found.update(((level, index), digest) for level, index, digest in complete_nodes(frontier, leaves))
        frontier = frontier.extend(leaves)
    return found, frontier
