"""Entries on their way into a log, held in little memory."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Iterator
from datetime import date
from itertools import groupby
from operator import itemgetter

_READ = 2000
_HELD_BYTES = 8 << 20  # what goes beyond lies in a temporary file


class Spool:
    """Entries put in in their order, and given back day by day. Its owner closes it."""

    _RECORD = struct.Struct("<iq32s")  # the day's ordinal, the entry's key, its digest

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_HELD_BYTES)  # noqa: SIM115 - closed by its owner

    def add(self, day: date, key: int, digest: bytes) -> None:
        """Put an entry behind the others."""
        self._file.write(self._RECORD.pack(day.toordinal(), key, digest))

    def days(self) -> Iterator[tuple[date, Iterator[tuple[int, bytes]]]]:
        """Each day with its entries (key, digest); a day's are to be read before the next day is asked for."""
        self._file.seek(0)
        for ordinal, records in groupby(self._records(), key=itemgetter(0)):
            yield date.fromordinal(ordinal), ((key, digest) for _, key, digest in records)

    def _records(self) -> Iterator[tuple[int, int, bytes]]:
        while block := self._file.read(self._RECORD.size * _READ):
            yield from self._RECORD.iter_unpack(block)

    def close(self) -> None:
        """Throw away what is held."""
        self._file.close()
