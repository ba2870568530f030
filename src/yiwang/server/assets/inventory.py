"""The components of a city as columns in memory: what the map's tiles are made of.

A process reads a city's components once, in the order of their Morton codes, and afterwards only those that are new or were
changed, whenever the version of the inventory has moved on. 28 bytes a component; codes and names stay in the database
(`docs/decisions/0182`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from yiwang.core.kernel.codes import Codes
from yiwang.core.kernel.errors import NotReady
from yiwang.core.kernel.text import Text
from yiwang.core.space.tiles import from_morton
from yiwang.server.assets.models import GONE, State
from yiwang.server.assets.versions import version_of

STATES = tuple(state.value for state in State)
GONE_STATES = tuple(STATES.index(state) for state in GONE)
_CHUNK = 50_000
_ASKED = 500
_AT_ONCE = 50_000  # components that are read within a request
_QUICK = 0.05  # seconds that a look may take at each question
_SIGN = np.uint64(1 << 63)  # between a Morton code and how the database holds it
_ROWS = "SELECT id, cell, kind, state FROM assets_component WHERE city = %s"
_beginning = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """Components as columns of one length, ascending by Morton code. Nothing in it is changed: a later version is another one.

    Attributes:
        version: Of the inventory: what is in it when it was read.
        code: Morton code of the place.
        x, y: Map units, see `yiwang.core.space.tiles`.
        kind: Number of the class among ``kinds``.
        state: Index into `STATES`.
        newest, newest_change: The largest ids of a component and of a change that are in it.
    """

    version: int
    kinds: Codes
    id: NDArray[np.int64]
    code: NDArray[np.uint64]
    x: NDArray[np.uint32]
    y: NDArray[np.uint32]
    kind: NDArray[np.int16]
    state: NDArray[np.int8]
    newest: int
    newest_change: int

    def __len__(self) -> int:
        return len(self.id)


class Inventory:
    """One city's components in this process."""

    def __init__(self, city: str) -> None:
        self.city = city
        self._kinds = Codes()
        self._seen: Components | None = None
        self._lock = threading.Lock()
        self._look_again = 0.0
        self._reader: threading.Thread | None = None

    def fresh(self) -> Components:
        """The components as of now; while much is written, as of a few moments ago.

        Raises:
            NotReady: When the first reading of a large city is under way, in a thread of its own.
        """
        seen = self._seen or self._first()
        if seen.version == version_of(self.city) or time.monotonic() < self._look_again:
            return seen
        return self.look()

    def look(self) -> Components:
        """Read what has been written since the last look."""
        with self._lock:
            began = time.monotonic()
            version, seen = version_of(self.city), self._seen
            if seen is None or version < seen.version:  # less than was seen: another database was put in its place
                seen = self._read_all(version)
            elif version > seen.version:
                seen = self._followed(seen, version)
            self._seen = seen
            ended = time.monotonic()
            # while a large file is being taken up, looking may not become all that the process does
            self._look_again = ended + (5 * (ended - began) if ended - began > _QUICK else 0.0)
            return seen

    def _first(self) -> Components:
        with _beginning:
            if self._seen is not None:
                return self._seen
            if self._reader is None or not self._reader.is_alive():
                if _one("SELECT coalesce(max(id), 0) FROM assets_component", []) < _AT_ONCE:
                    return self.look()
                self._reader = threading.Thread(target=self._read_alone, name=f"inventory-{self.city}", daemon=True)
                self._reader.start()
        raise NotReady(
            Text(
                "正在读入 {city} 的部件，启动后需要几秒钟。",
                "The components of {city} are being read; this takes some seconds after a start.",
                city=self.city,
            )
        )

    def _read_alone(self) -> None:
        try:
            self.look()
        finally:
            connection.close()  # this thread's own

    def _read_all(self, version: int) -> Components:
        self._kinds = Codes()
        # before the rows: who changes one that was read already is followed at the next look
        change = self._newest_change()
        parts = [self._columns_of(rows) for rows in _chunks(_ROWS, [self.city])]
        return _ordered(parts, version=version, kinds=self._kinds, newest_change=change)

    def _followed(self, seen: Components, version: int) -> Components:
        statement = (
            "SELECT change.id, component.id FROM assets_componentchange AS change "
            "JOIN assets_component AS component ON component.id = change.component_id "
            "WHERE change.id > %s AND component.city = %s"
        )
        changes = [row for rows in _chunks(statement, [seen.newest_change, self.city]) for row in rows]
        changed = np.unique(np.array([component for _, component in changes], dtype=np.int64))
        changed = changed[changed <= seen.newest]
        parts = [self._columns_of(rows) for rows in _chunks(f"{_ROWS} AND id > %s", [self.city, seen.newest])]
        for start in range(0, len(changed), _ASKED):
            asked = changed[start : start + _ASKED].tolist()
            marks = ", ".join(["%s"] * len(asked))
            parts += [self._columns_of(rows) for rows in _chunks(f"{_ROWS} AND id IN ({marks})", [self.city, *asked])]
        left = ~np.isin(seen.id, changed)
        old = tuple(column[left] for column in (seen.id, seen.code, seen.kind, seen.state))
        newest_change = max([seen.newest_change, *(change for change, _ in changes)])
        return _ordered([old, *parts], version=version, kinds=self._kinds, newest_change=newest_change)

    def _columns_of(self, rows: Sequence[tuple[Any, ...]]) -> tuple[NDArray[Any], ...]:
        ids, cells, kinds, states = zip(*rows, strict=True)
        return (
            np.array(ids, dtype=np.int64),
            np.array(cells, dtype=np.int64).view(np.uint64) ^ _SIGN,
            self._kinds.numbers(kinds).astype(np.int16),
            np.fromiter(map(STATES.index, states), np.int8, count=len(states)),
        )

    def _newest_change(self) -> int:
        """The city's own: another city's may be larger than one of ours that is not yet to be seen."""
        statement = (
            "SELECT change.id FROM assets_componentchange AS change "
            "JOIN assets_component AS component ON component.id = change.component_id "
            "WHERE component.city = %s ORDER BY change.id DESC LIMIT 1"
        )
        return _one(statement, [self.city])


def _ordered(
    parts: Sequence[tuple[NDArray[Any], ...]], *, version: int, kinds: Codes, newest_change: int
) -> Components:
    empty = tuple(np.empty(0, kind) for kind in (np.int64, np.uint64, np.int16, np.int8))
    ids, codes, classes, states = (np.concatenate(columns) for columns in zip(empty, *parts, strict=True))
    order = np.argsort(codes, kind="stable")
    codes = codes[order]
    x, y = from_morton(codes)
    return Components(
        version=version, kinds=kinds, id=ids[order], code=codes, x=x.astype(np.uint32), y=y.astype(np.uint32), kind=classes[order],
        state=states[order], newest=int(ids.max(initial=0)), newest_change=newest_change,
    )  # fmt: skip


_lock = threading.Lock()
_inventories: dict[str, Inventory] = {}


def inventory(city: str) -> Inventory:
    """The inventory of an installed city in this process."""
    with _lock:
        return _inventories.setdefault(city, Inventory(city))


def forget() -> None:
    """Read everything again: when a test has another database."""
    with _lock:
        _inventories.clear()


def _chunks(statement: str, values: Sequence[Any]) -> Iterator[list[tuple[Any, ...]]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement, values)
        while rows := cursor.fetchmany(_CHUNK):
            yield rows


def _one(statement: str, values: Sequence[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
    return int(row[0]) if row else 0
