"""What the ledger has to know of a stream, and the streams that apps bring.

A stream is a kind of history that is only ever added to. Each of its entries has a key (an integer that grows as entries
are written), a moment, and a digest of 32 bytes that binds its content, such as `yiwang.core.ledger.entry_hash`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Protocol

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.server.common.app import installed_apps

Entry = tuple[datetime, int, bytes]  # moment (aware), key, digest


class Entries(Protocol):
    """Reads the entries that may have to be sealed."""

    def __call__(self, *, city: str, after: int, end: datetime) -> Iterator[Entry]:
        """Entries with a key above ``after`` and a moment before ``end``, in the order of the log.

        The order begins with the moment and is the same whenever it is asked for. They come one by one, in bounded memory.
        Entries that are in the log already may be among them or not; a table can leave them out by `log.in_log`, which is
        quicker after a large import.
        """


class Lookup(Protocol):
    """Reads entries by their keys."""

    def __call__(self, *, city: str, keys: Sequence[int]) -> Mapping[int, tuple[datetime, bytes]]:
        """Moment and digest by key, as they are stored now; a key without an entry is left out. At most a few hundred keys.

        A stream that must delete what its entries say keeps the moment and the digest of each, so that the log stays whole.
        """


class Extent(Protocol):
    """Says how far everything is over."""

    def __call__(self, *, city: str, after: int, end: datetime) -> int:
        """The largest key that can be seen now, or, when entries above ``after`` have a moment of ``end`` or later, the key
        before the smallest of theirs; 0 when there is no entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A stream, as the app that owns its entries brings it.

    Attributes:
        name: Its name, e.g. ``cases``; see `yiwang.core.ledger.ChainForm`.
        title: What people call it.
        entries, lookup, seen: How the ledger reads it.
    """

    name: str
    title: Text
    entries: Entries
    lookup: Lookup
    seen: Extent


_registered: dict[str, Stream] = {}


@lru_cache(maxsize=1)
def _brought() -> Mapping[str, Stream]:
    """The streams of the apps, asked for when somebody first wants one: Django's start stays quick."""
    return {stream.name: stream for app in installed_apps() for stream in app.streams()}


def _known() -> Mapping[str, Stream]:
    return {**_brought(), **_registered}


def register(stream: Stream) -> None:
    """Make a stream known that no app brings. The same one may be registered again; another of its name is an error of the
    program."""
    if _known().get(stream.name, stream) != stream:
        raise ValueError(f"Two streams are named {stream.name!r}.")
    _registered[stream.name] = stream


def streams() -> list[Stream]:
    """All streams, in the order of their names."""
    known = _known()
    return [known[name] for name in sorted(known)]


def stream_of(name: str) -> Stream:
    """The stream of a name.

    Raises:
        BadInput: When no app brings one of this name.
    """
    try:
        return _known()[name]
    except KeyError:
        raise BadInput(
            Text("账本中没有「{name}」这个流。", "The ledger has no stream {name!r}.", name=name),
        ) from None
