"""Characters of what people write: which are kept, and which are the same to somebody who searches."""

from __future__ import annotations

import unicodedata

# Letters and symbols by their Unicode category that nobody sees: Hangul and Khmer fillers, the blank Braille pattern, the
# grapheme joiner. `str.isprintable` lets them through.
BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
KEPT = frozenset("\n\t\u3000")  # line breaks, tabs, and the space of Chinese text, which are not printable
_VARIATION = frozenset(map(chr, range(0xFE00, 0xFE10)))  # how the character before is drawn; nothing alone


def clean(text: str) -> str:
    """The text without control characters, bidirectional overrides and characters that nobody sees, and trimmed.

    What cannot be seen cannot be judged either: an override shows ``txt.exe`` as ``exe.txt``, and a note of zero-width
    spaces looks empty. A text that holds nothing else comes out empty.
    """
    if text.isascii() and text.isprintable():
        return text.strip()
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(one for one in text if (one in KEPT or one.isprintable()) and one not in BLANK).strip()
    return kept if any(one not in _VARIATION for one in kept) else ""


def fold(text: str) -> str:
    """The text as searches compare it: width, ligatures and case do not matter (NFKC, then case folding, then NFKC)."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
