"""Texts that occur often, as small numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import count, islice

import numpy as np
from numpy.typing import NDArray


class Codes:
    """Texts that occur often, as small numbers."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._numbers: defaultdict[str, int] = defaultdict(count().__next__)

    def numbers(self, texts: Sequence[str]) -> NDArray[np.int32]:
        """The numbers of texts, new ones for those not seen before."""
        found = np.fromiter(map(self._numbers.__getitem__, texts), np.int32, count=len(texts))
        self.texts += islice(self._numbers, len(self.texts), None)
        return found

    def number_of(self, text: str) -> int:
        """The number of a text, -1 when no row has it."""
        return self._numbers.get(text, -1)

    def beginning(self, prefixes: tuple[str, ...]) -> NDArray[np.bool_]:
        """For each number, whether its text begins with any of these."""
        return np.array([text.startswith(prefixes) for text in self.texts], dtype=np.bool_)
