"""A hash chain: each entry's hash covers the entry and the hash before it, under the name of its stream.

The name of the stream goes into every hash, so what was recorded in one stream can never be shown as an entry of another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.core.ledger.canonical import canonical

_ENTRY_DOMAIN = b"yiwang-entry-v2\0"
_CHAIN_DOMAIN = b"yiwang-chain-v2\0"
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}", re.ASCII)  # no zero byte, so no two names begin alike before it
Rows = Sequence[tuple[Mapping[str, Any], bytes]]  # entries with their stored hashes


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainForm:
    """How the chains of a stream look.

    Attributes:
        stream: Name of the stream: at most 40 of a-z, 0-9, ``_`` and ``-``, beginning with a letter.
        key: Field of an entry that names the chain to which it belongs. Its place in the chain, from 1, is in ``seq``.
        entry, chain: What an entry and a chain are called in English sentences, e.g. ``event`` and ``case``.

    Raises:
        BadInput: When the stream has no such name.
    """

    stream: str
    key: str
    entry: str = "entry"
    chain: str = "chain"

    def __post_init__(self) -> None:
        _domain(self.stream)


@lru_cache(maxsize=64)
def _domain(stream: str) -> bytes:
    if not _NAME.fullmatch(stream):
        raise BadInput(
            Text(
                "「{stream}」不能作为账本流的名称：只能用 a-z、0-9、_ 和 -，以字母开头，最多 40 个字符。",
                "{stream!r} cannot name a stream: use a-z, 0-9, _ and -, a letter first, at most 40 characters.",
                stream=stream,
            )
        )
    return stream.encode() + b"\0"


def genesis(*, stream: str, chain: str) -> bytes:
    """What stands before the first entry of a chain. It depends on both names, so entries cannot change chains."""
    return sha256(_CHAIN_DOMAIN + _domain(stream) + chain.encode()).digest()


def entry_hash(*, stream: str, entry: Mapping[str, Any], previous: bytes) -> bytes:
    """Hash of an entry and of all before it in its chain, 32 bytes.

    Args:
        stream: Name of the stream.
        entry: The entry's fields.
        previous: Hash of the entry before; `genesis` for the first.

    Raises:
        BadInput: When the entry has no canonical form or ``previous`` is no hash.
    """
    if len(previous) != 32:
        raise BadInput(
            Text("哈希值应为 32 字节，而不是 {bytes} 字节。", "A hash has 32 bytes, not {bytes}.", bytes=len(previous))
        )
    return sha256(_ENTRY_DOMAIN + _domain(stream) + previous + canonical(entry)).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainFault:
    """The first thing that is wrong with a chain.

    Attributes:
        kind: ``altered``, ``missing``, ``reordered``, ``extra`` or ``truncated``.
        seq: Which entry.
        sentence: What is wrong, in English.
    """

    kind: str
    seq: int
    sentence: str


def verify_chain(
    *,
    form: ChainForm,
    chain: str,
    entries: Iterable[Mapping[str, Any]],
    hashes: Iterable[bytes | None],
    head_hash: bytes,
    head_seq: int,
) -> ChainFault | None:
    """Check one chain from its first entry.

    A chain that was rewritten from some entry to its end, head included, is consistent in itself; the roots of the
    Merkle tree, kept elsewhere, are what finds it.

    Args:
        form: How the chains of its stream look.
        chain: Name of the chain.
        entries: Its entries as stored, in the order of ``seq``.
        hashes: The hash stored with each of them.
        head_hash: The hash that the chain is said to end in; `genesis` for a chain without entries.
        head_seq: The number of entries that it is said to have.

    Returns:
        The first fault, or None.
    """
    return _Check(form, chain, [(e, bytes(h or b"")) for e, h in zip(entries, hashes, strict=True)]).fault(
        head_hash, head_seq
    )


@dataclass(frozen=True, slots=True)
class _Check:
    """One chain, looked at."""

    form: ChainForm
    chain: str
    rows: Rows

    def fault(self, head_hash: bytes, head_seq: int) -> ChainFault | None:
        rows, whole = self.rows, f"{self.form.chain} {self.chain}"
        previous = genesis(stream=self.form.stream, chain=self.chain)
        for position, (entry, stored) in enumerate(rows):
            seq = position + 1
            if entry.get("seq") != seq:
                return self._numbering_fault(position)
            if seq > head_seq:
                return self._fault("extra", seq, f"{self._name(seq)} is one too many: {whole} has {head_seq}.")
            if not self._fits(entry, stored, previous):
                return self._mismatch(position, previous, head_hash)
            previous = stored
        if len(rows) < head_seq:
            gone = len(rows) + 1
            return self._fault(
                "truncated", gone, f"{self._name(gone)} and all after it are gone: {whole} has {head_seq}."
            )
        if previous != head_hash:
            return self._fault("altered", head_seq, f"{self._name(head_seq)} has another hash than {whole} ends in.")
        return None

    def _name(self, seq: Any) -> str:
        return f"{self.form.entry.capitalize()} {seq}"

    def _fits(self, entry: Mapping[str, Any], stored: bytes, previous: bytes, seq: int | None = None) -> bool:
        """Whether an entry (were its place ``seq``) belongs after ``previous`` with the hash stored for it."""
        if entry.get(self.form.key) != self.chain:
            return False
        shown = entry if seq is None else {**entry, "seq": seq}
        try:
            return entry_hash(stream=self.form.stream, entry=shown, previous=previous) == stored
        except BadInput:
            return False

    def _numbering_fault(self, position: int) -> ChainFault:
        seq, found, noun = position + 1, self.rows[position][0].get("seq"), self.form.entry
        if any(entry.get("seq") == seq for entry, _ in self.rows[position + 1 :]):
            return self._fault("reordered", seq, f"{self._name(seq)} stands behind {noun} {found}.")
        if isinstance(found, int) and found <= position:
            return self._fault("extra", found, f"There is more than one {noun} {found}.")
        return self._fault(
            "missing", seq, f"{self._name(seq)} is missing; {noun} {found} follows on {noun} {position}."
        )

    def _mismatch(self, position: int, previous: bytes, head_hash: bytes) -> ChainFault:
        """Name what happened where the hash of an entry is wrong although the numbers run on.

        Whoever removes, adds or swaps entries will number the others anew. Their stored hashes still tell: without the
        added entry, or with their old numbers, they fit again.
        """
        seq, after, noun = position + 1, self.rows[position + 1 :], self.form.entry
        here = self.rows[position][1]
        altered = f"{self._name(seq)} or its hash is not what was recorded"
        altered += f", or {noun} {position} was rewritten with its hash." if position else "."
        if after and self._fits(*after[0], here):
            return self._fault("altered", seq, altered)
        if after and after[-1][1] == head_hash and self._continue(after, previous, seq):
            return self._fault("extra", seq, f"{self._name(seq)} was put in; without it those after it fit.")
        for later, (entry, stored) in enumerate(after, start=seq + 1):
            if self._fits(entry, stored, previous, seq):
                return self._fault(
                    "reordered", seq, f"The {noun} that now has number {later} was recorded as {noun} {seq}."
                )
        if after and self._fits(*after[0], here, seq + 2):
            return self._fault(
                "missing", seq, f"{self._name(seq)} is missing; the one that now has its number came after it."
            )
        return self._fault("altered", seq, altered)

    def _continue(self, rows: Rows, previous: bytes, seq: int) -> bool:
        """Whether entries, numbered from ``seq``, are a chain from ``previous``."""
        for entry, stored in rows:
            if not self._fits(entry, stored, previous, seq):
                return False
            previous, seq = stored, seq + 1
        return True

    @staticmethod
    def _fault(kind: str, seq: int, sentence: str) -> ChainFault:
        return ChainFault(kind=kind, seq=seq, sentence=sentence)
