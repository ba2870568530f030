"""Find a named thing by a piece of its name, by pinyin, by the first letters of its pinyin, or by its code.

An index is one long text of folded names in the order of their weight, and a query is a search for a substring in it, which
needs no table, no tokenizer and no background process. What was weighed against it is in `docs/decisions/0167`.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, islice
from typing import Generic, TypeVar

Key = TypeVar("Key")
_END = "\n"  # of a spelling; folding never leaves one inside
_NAME, _CODE, _PINYIN = range(3)  # what it costs to be found by it
_MOST_LOOKED_AT = 2_000  # spellings that hold the longest word, before the best are taken


@dataclass(frozen=True, slots=True)
class Named(Generic[Key]):
    """Something that can be found.

    Attributes:
        key: What the finder gets back.
        names: In every language, the usual one first.
        codes: Found from their beginning only.
        weight: Among names that match equally well the greater stands first.
    """

    key: Key
    names: tuple[str, ...]
    codes: tuple[str, ...] = ()
    weight: float = 0.0


def fold(text: str) -> str:
    """One spelling for what people write in several: full and half width, capitals, accents, blanks and punctuation."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in plain if character.isalnum())


def pinyin(name: str) -> tuple[str, str]:
    """The name's whole pinyin and its first letters, without tones; two empty texts where there is no Chinese in it."""
    if not any("㐀" <= character <= "鿿" for character in name):
        return "", ""
    from pypinyin.seg.mmseg import seg  # its tables take a third of a second, and not every process searches

    syllables = [syllable for word in seg.cut(name) for syllable in _syllables(word)]
    return fold("".join(syllables)), fold("".join(syllable[:1] for syllable in syllables))


@lru_cache(maxsize=50_000)
def _syllables(word: str) -> tuple[str, ...]:
    """How a word is read: the same words come in name after name."""
    from pypinyin import Style, lazy_pinyin

    return tuple(lazy_pinyin([word], style=Style.NORMAL))


class _Spellings:
    """One long text of spellings with who is spelled so: names before codes before pinyin, the weightiest first."""

    def __init__(self, spellings: Sequence[tuple[str, int, int]]) -> None:
        self.owner = [owner for _, owner, _ in spellings]
        self.cost = [cost for _, _, cost in spellings]
        self.start = list(accumulate((len(text) + len(_END) for text, _, _ in spellings), initial=0))[:-1]
        self.text = "".join(f"{text}{_END}" for text, _, _ in spellings)

    def matches(self, word: str, found: dict[int, tuple[int, int]]) -> None:
        """Add whatever has the word, with how well: smaller is better."""
        at = self.text.find(word)
        for _ in range(_MOST_LOOKED_AT):
            if at < 0:
                return
            spelling = bisect_right(self.start, at) - 1
            start, cost = self.start[spelling], self.cost[spelling]
            end = self.text.index(_END, at)
            begins = at == start
            # a code, or two letters of pinyin, only from the beginning
            if begins or cost == _NAME or (cost == _PINYIN and len(word) > 2):
                length = end - start
                rank = (0 if length == len(word) else 1 if begins else 2) * 3 + cost, length
                owner = self.owner[spelling]
                found[owner] = min(found.get(owner, rank), rank)
            at = self.text.find(word, end)


class NameIndex(Generic[Key]):
    """Names to search in; made once, and then only read, by any number of threads.

    Args:
        things: What can be found.
    """

    def __init__(self, things: Iterable[Named[Key]]) -> None:
        self._things = sorted(things, key=lambda thing: -thing.weight)
        every = [
            (text, owner, cost)
            for owner, thing in enumerate(self._things)
            for text, cost in dict.fromkeys(_spellings(thing))
        ]
        # Python keeps a text of Latin letters in one byte each, and searches it several times as fast
        self._latin = _Spellings([spelling for spelling in every if spelling[0].isascii()])
        self._wide = _Spellings([spelling for spelling in every if not spelling[0].isascii()])

    def __len__(self) -> int:
        return len(self._things)

    def find(self, words: str, *, limit: int = 20) -> list[Key]:
        """The best matches, best first. Every word has to occur in some spelling of the thing.

        Whole names come first, then beginnings, then pieces; a name counts more than a code, a code more than pinyin; then
        the shorter name, then the weight decide.
        """
        wanted = sorted((folded for word in words.split() if (folded := fold(word))), key=len, reverse=True)
        if not wanted:
            return [thing.key for thing in self._things[:limit]]
        best: dict[int, tuple[int, int]] = {}
        for word in wanted[:1]:
            if word.isascii():
                self._latin.matches(word, best)
            if not word.isascii() or len(best) < limit:
                self._wide.matches(word, best)
        ranked = (
            owner for owner in sorted(best, key=lambda owner: (best[owner], owner)) if self._has(owner, wanted[1:])
        )
        return [self._things[owner].key for owner in islice(ranked, limit)]

    def _has(self, owner: int, words: Sequence[str]) -> bool:
        if not words:
            return True
        spelled = [text for text, _ in _spellings(self._things[owner])]
        return all(any(word in text for text in spelled) for word in words)


def _spellings(thing: Named[Key]) -> Iterator[tuple[str, int]]:
    """How a thing may be written, each with what it costs to be found by it."""
    for name in thing.names:
        if folded := fold(name):
            yield folded, _NAME
    for code in thing.codes:
        if folded := fold(code):
            yield folded, _CODE
    for name in thing.names:
        for folded in pinyin(name):
            if folded:
                yield folded, _PINYIN
