"""Which faults are the machine's and pass: a full disk."""

from __future__ import annotations

import errno

from django.db import OperationalError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def is_full(error: BaseException | None) -> bool:
    """Whether there was no room on a disk: the data folder's, the database's."""
    if isinstance(error, OSError):
        return error.errno in FULL
    said = str(error).lower()
    return isinstance(error, OperationalError) and any(words in said for words in ("is full", "no space left"))
