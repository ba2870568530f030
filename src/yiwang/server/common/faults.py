"""Which faults are the machine's and pass: a full disk. Knows no framework, so that the command line can ask as well."""

from __future__ import annotations

import errno
from collections.abc import Iterator

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# SQLite says FULL for a full disk only; for a used-up quota or the largest file it says that a write failed, or that the
# index of its journal (-shm) could not be given a size.
_SQLITE_FULL = frozenset({"SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMOPEN", "SQLITE_IOERR_SHMSIZE"})
_POSTGRESQL_FULL = "53100"


def is_full(error: BaseException | None) -> bool:
    """Whether there was no room on a disk: the data folder's, the database's, that of the file that is written.

    Args:
        error: A fault as it was raised, or as a framework or a library handed it on (its causes are looked at).
    """
    return any(_says_full(each) for each in _with_causes(error))


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__


def _says_full(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in FULL
    # codes, where the driver gives them: words depend on the server's language
    if getattr(error, "sqlstate", None) == _POSTGRESQL_FULL or getattr(error, "sqlite_errorname", "") in _SQLITE_FULL:
        return True
    said = str(error).lower()
    of_database = any(kind.__name__ == "OperationalError" for kind in type(error).__mro__)
    return of_database and any(words in said for words in ("is full", "no space left"))
