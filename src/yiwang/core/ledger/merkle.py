"""A Merkle tree after RFC 6962 section 2.1: growing, proving, checking.

In the tree, *leaf hash* means the hash of an entry with its prefix, and every function takes leaf hashes, never entries.
A *node* is a complete subtree, named by its level (leaves are level 0) and its index from the left on that level; nodes of
the levels 8, 16, 24 … are worth storing, so that no proof reads more than a few blocks of 256 hashes however large the
tree. Hashes are SHA-256, 32 bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text

STORED_LEVELS = 8  # nodes are stored on every eighth level
_BLOCK = 1 << STORED_LEVELS


class NodeReader(Protocol):
    """Hashes of complete subtrees."""

    def __call__(self, level: int, start: int, stop: int) -> Sequence[bytes] | None:
        """Hashes of the nodes ``start`` to ``stop`` (excluded) of a level: 0 for leaves, or a multiple of 8.

        Returns:
            All of them, or None when this level is not stored; then they are made from the next lower one.
        """


def leaf_hash(entry: bytes) -> bytes:
    """Leaf hash of an entry (RFC 6962 section 2.1)."""
    return sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node (RFC 6962 section 2.1)."""
    return sha256(b"\1" + left + right).digest()


def root(leaves: Iterable[bytes]) -> bytes:
    """Root over leaf hashes (RFC 6962 section 2.1); SHA-256 of nothing for an empty tree."""
    return Frontier().extend(leaves).root()


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontier:
    """All that is needed to add to a tree: the roots of its complete subtrees along the right edge.

    Attributes:
        size: Number of leaves.
        peaks: Root of the complete subtree for each bit that is set in ``size``, the largest first.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.peaks) != self.size.bit_count() or any(len(peak) != 32 for peak in self.peaks):
            raise BadInput(
                Text(
                    "有 {size} 个叶子的树不会有这 {peaks} 个峰。",
                    "A tree of {size} leaves does not have these {peaks} peaks.",
                    size=self.size,
                    peaks=len(self.peaks),
                )
            )

    def append(self, leaf: bytes) -> Frontier:
        """The tree with one more leaf hash."""
        return self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> Frontier:
        """The tree with more leaf hashes."""
        peaks, size = list(self.peaks), self.size
        for leaf in leaves:
            _push(peaks, size, leaf)
            size += 1
        return Frontier(size=size, peaks=tuple(peaks))

    def root(self) -> bytes:
        """Root of the tree."""
        return _root_of_peaks(self.peaks) if self.peaks else sha256().digest()

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able form, hashes in hexadecimal."""
        return {"size": self.size, "peaks": [peak.hex() for peak in self.peaks]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Frontier:
        """Read back what `to_dict` wrote. Raises `BadInput` when it cannot be read."""
        try:
            return cls(size=int(data["size"]), peaks=tuple(bytes.fromhex(peak) for peak in data["peaks"]))
        except (KeyError, ValueError, TypeError) as error:
            raise BadInput(
                Text("存储的树无法读取：{error!r}。", "A stored tree cannot be read: {error!r}.", error=error)
            ) from error


def complete_nodes(frontier: Frontier, leaves: Iterable[bytes]) -> Iterator[tuple[int, int, bytes]]:
    """The nodes worth storing that further leaf hashes complete, as (level, index, hash): levels 8, 16, 24 …"""
    peaks, size = list(frontier.peaks), frontier.size
    for leaf in leaves:
        before = _push(peaks, size, leaf)
        size += 1
        yield from ((level, (size >> level) - 1, node) for level, node in before if level % STORED_LEVELS == 0)


def _push(peaks: list[bytes], size: int, leaf: bytes) -> list[tuple[int, bytes]]:
    """Add a leaf to the peaks of a tree of some size; the nodes above leaves that it completes, lowest first."""
    if not size & 1:
        peaks.append(leaf)
        return []
    completed, node, level = [], leaf, 0
    while size >> level & 1:
        node = node_hash(peaks.pop(), node)
        level += 1
        completed.append((level, node))
    peaks.append(node)
    return completed


def _root_of_peaks(peaks: Sequence[bytes]) -> bytes:
    node = peaks[-1]
    for peak in reversed(peaks[:-1]):
        node = node_hash(peak, node)
    return node


# --- proofs -----------------------------------------------------------------------------------------------------------


def inclusion_proof(*, nodes: NodeReader | Sequence[bytes], index: int, size: int) -> list[bytes]:
    """Audit path of a leaf (RFC 6962 section 2.1.1), from the leaf's sibling upwards.

    Args:
        nodes: Where hashes are read, or simply the leaf hashes.
        index: The leaf, from 0.
        size: Leaves in the tree for which it is to be shown; later ones are not looked at.

    Raises:
        BadInput: When the leaf is not in a tree of that size.
    """
    if not 0 <= index < size:
        raise BadInput(
            Text(
                "有 {size} 个叶子的树中没有叶子 {index}。",
                "Leaf {index} is not in a tree of {size} leaves.",
                index=index,
                size=size,
            )
        )
    blocks = _Blocks(nodes, size)
    path: list[bytes] = []
    start, stop = 0, size
    while stop - start > 1:
        middle = start + _left_size(stop - start)
        if index < middle:
            path.append(blocks.root(middle, stop))
            stop = middle
        else:
            path.append(blocks.root(start, middle))
            start = middle
    return path[::-1]


def consistency_proof(*, nodes: NodeReader | Sequence[bytes], old_size: int, new_size: int) -> list[bytes]:
    """Proof that a tree is the beginning of a later one (RFC 6962 section 2.1.2).

    It is empty when the sizes are equal or the old tree is.

    Raises:
        BadInput: When the old tree is the larger one.
    """
    if not 0 <= old_size <= new_size:
        raise BadInput(
            Text(
                "有 {old} 个叶子的树不是有 {new} 个叶子的树的开头部分。",
                "A tree of {old} leaves is not the beginning of one of {new}.",
                old=old_size,
                new=new_size,
            )
        )
    if old_size in {0, new_size}:
        return []
    blocks = _Blocks(nodes, new_size)
    path: list[bytes] = []
    start, stop, whole = 0, new_size, True  # whole: the old tree's root is known to whoever checks
    while stop != old_size:
        middle = start + _left_size(stop - start)
        if old_size <= middle:
            path.append(blocks.root(middle, stop))
            stop = middle
        else:
            path.append(blocks.root(start, middle))
            start, whole = middle, False
    if not whole:
        path.append(blocks.root(start, stop))
    return path[::-1]


def frontier_at(*, nodes: NodeReader | Sequence[bytes], size: int) -> Frontier:
    """The frontier of a stored tree of a size, to add to it: some 256 hashes are read for each eight levels."""
    blocks, start, peaks = _Blocks(nodes, size), 0, []
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            peaks.append(blocks.root(start, start + (1 << level)))
            start += 1 << level
    return Frontier(size=size, peaks=tuple(peaks))


def verify_inclusion(*, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether a proof shows that a leaf hash is at an index of the tree (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    here, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if here & 1 or here == last:
            node = node_hash(sibling, node)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and node == root


def verify_consistency(
    *, old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether a proof shows that the new tree begins with the old one (RFC 9162 section 2.1.4.2)."""
    if old_size == new_size:
        return not proof and old_root == new_root
    if old_size == 0:
        return new_size > 0 and not proof and old_root == sha256().digest()
    if not 0 < old_size < new_size:
        return False
    path = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    if not path or not proof:
        return False
    here, last = old_size - 1, new_size - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and old == old_root and new == new_root


def _left_size(size: int) -> int:
    """The largest power of two below a size of at least 2."""
    return 1 << ((size - 1).bit_length() - 1)


class _Blocks:
    """Roots of parts of a tree, from blocks of 256 nodes that are each read once."""

    def __init__(self, nodes: NodeReader | Sequence[bytes], size: int) -> None:
        self._read = nodes if callable(nodes) else _reader_of(nodes)
        self._size = size
        self._known: dict[tuple[int, int], Sequence[bytes]] = {}

    def root(self, start: int, stop: int) -> bytes:
        """Root over the leaves ``[start, stop)``, a part that occurs in a proof."""
        peaks = []
        while start < stop:
            level = (stop - start).bit_length() - 1
            peaks.append(self._node(level, start >> level))
            start += 1 << level
        return _root_of_peaks(peaks)

    def _node(self, level: int, index: int) -> bytes:
        base = level - level % STORED_LEVELS
        first = index << (level - base)
        block, offset = divmod(first, _BLOCK)
        hashes = self._block(base, block)[offset : offset + (1 << (level - base))]
        while len(hashes) > 1:
            hashes = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes), 2)]
        return hashes[0]

    def _block(self, level: int, block: int) -> Sequence[bytes]:
        found = self._known.get((level, block))
        if found is None:
            start, stop = block * _BLOCK, min((block + 1) * _BLOCK, self._size >> level)
            read = self._read(level, start, stop)
            if read is None and level:
                read = [self._node_from_below(level, index) for index in range(start, stop)]
            if read is None or len(read) != stop - start:
                raise BadInput(
                    Text(
                        "树的第 {level} 层哈希值 {start} 至 {stop} 不全。",
                        "The tree's hashes {start} to {stop} of level {level} are not all there.",
                        start=start,
                        stop=stop,
                        level=level,
                    )
                )
            found = self._known[level, block] = read
        return found

    def _node_from_below(self, level: int, index: int) -> bytes:
        hashes = self._block(level - STORED_LEVELS, index)
        return _root_of_peaks(Frontier().extend(hashes).peaks)


def _reader_of(leaves: Sequence[bytes]) -> NodeReader:
    return lambda level, start, stop: None if level else leaves[start:stop]
