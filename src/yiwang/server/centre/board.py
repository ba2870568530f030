"""Every case of a city as columns in memory: what the map's tiles and the command centre's figures are counted from.

A process reads a city's cases once and then follows its events: each look asks for events that were not seen yet and
reads the rows of their cases again. So a tile over a million cases costs no walk through a table, and what is shown is
at most `LOOK_SECONDS` old. Kept small: about a hundred bytes a case; texts stay in the database (`docs/decisions/0100`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from itertools import islice
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from yiwang.core.kernel.codes import Codes
from yiwang.core.kernel.errors import NotReady
from yiwang.core.kernel.text import Text
from yiwang.core.space.tiles import cells_of, morton, run_of, to_map
from yiwang.server.cases.api import UNPLACED, Case
from yiwang.server.common.selecting import columns as quoted

LOOK_SECONDS = 1.0
SETTLED_SECONDS = 120.0  # an event's id is given out before its transaction ends: so long it may still appear
NEVER = 1 << 62  # a time that does not come
_TAIL = 20_000  # new cases kept beside the ordered ones until it pays to order again
_CHUNK = 50_000
_ASKED = 500
_AT_ONCE = 50_000  # cases that are read within a request
_beginning = threading.Lock()
_BEHIND = 50_000  # ids behind the newest event where one that is being written may still appear
_TIMES = ("opened_at", "filed_at", "closed_at", "deadline")
_CODED = ("step", "category", "region", "holder")
_READ = ("id", "seq", "lon", "lat", "flag", "overdue", "rating", *_TIMES, *_CODED)


class BoardNotReady(NotReady):
    """The cases are still being read into memory; ask again in a moment."""


@dataclass(slots=True, kw_only=True)
class Columns:
    """Cases as columns of one length.

    Attributes:
        code: Morton code; those without a place have the largest.
        x, y: Map units, see `yiwang.core.space.tiles`.
        placed: Whether the case has a place: a point, and not a stand-in for one or one outside the city.
        opened, filed, closed, deadline: Seconds since 1970 UTC; `NEVER` where there is none.
        overdue: What the case recorded of itself.
        rating: Stars that it was given; 0 for none.
        step, category, region, holder: Numbers of `Codes`.
    """

    id: NDArray[np.int64]
    seq: NDArray[np.int32]
    code: NDArray[np.uint64]
    x: NDArray[np.uint64]
    y: NDArray[np.uint64]
    placed: NDArray[np.bool_]
    overdue: NDArray[np.bool_]
    rating: NDArray[np.int8]
    opened: NDArray[np.int64]
    filed: NDArray[np.int64]
    closed: NDArray[np.int64]
    deadline: NDArray[np.int64]
    step: NDArray[np.int32]
    category: NDArray[np.int32]
    region: NDArray[np.int32]
    holder: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.id)

    def take(self, rows: Any) -> Columns:
        """Some rows."""
        return Columns(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    @classmethod
    def concat(cls, parts: Sequence[Columns]) -> Columns:
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in cls.names()})

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return tuple(field.name for field in fields(cls))


class Board:
    """One city's cases in this process.

    Attributes:
        codes: What the numbers in the coded columns stand for.
        columns: The cases: the first ``ordered`` by Morton code, up to ``base`` those without a place, then the newest.
        version: How many events the cases have had: the same in every process that has seen the same.
        counted: What others have counted from this board and keep for the next who asks.
        features: GeoJSON of cases that were asked for; see `open_features`.
        apart: Points that are no place, by what was asked, each with the version it was counted at; see `apart_of`.
    """

    def __init__(self, city: str) -> None:
        self.city = city
        self.codes = {name: Codes() for name in _CODED}
        self.columns: Columns = self._columns_of([])
        self.ordered = self.base = self.version = 0
        self.counted: dict[Any, Any] = {}
        self.features: dict[int, tuple[int, bytes]] = {}
        self.apart: dict[tuple[Any, ...], tuple[int, list[dict[str, Any]]]] = {}
        self._lock = threading.RLock()
        self._look_again = float("-inf")
        self._newest = 0  # event of any city at the last look
        self._reader: threading.Thread | None = None
        self._mark = -1  # below it no event can appear any more
        self._seen: dict[int, float] = {}  # events above the mark, and when they were seen
        self._by_id: tuple[NDArray[np.int64], NDArray[np.int64]] = (np.empty(0, np.int64), np.empty(0, np.int64))

    @contextmanager
    def fresh(self, *, at_once: bool = False) -> Iterator[Board]:
        """The board as of now, to oneself: take out of it what is needed and let go.

        Args:
            at_once: Also what was written in the last `LOOK_SECONDS`, so that who writes sees it. (On PostgreSQL an event
                whose number was given out before another's may still be seen those seconds later.)

        Raises:
            BoardNotReady: When the first reading of a large city is under way, in a thread of its own.
        """
        if self._mark < 0:
            self._begin()
        with self._lock:
            if time.monotonic() >= self._look_again or (at_once and _newest_event() > self._newest):
                self.look()
            yield self

    def _begin(self) -> None:
        """Read a small city at once and a large one in the background, so that no request waits for it."""
        with _beginning:
            if self._mark >= 0:
                return
            if self._reader is None or not self._reader.is_alive():
                if _one("SELECT coalesce(max(id), 0) FROM cases_case", []) < _AT_ONCE:
                    self.look()
                    return
                self._reader = threading.Thread(target=self._read_alone, name=f"board-{self.city}", daemon=True)
                self._reader.start()
        raise BoardNotReady(
            Text(
                "正在读入 {city} 的案卷，启动后需要几秒钟。",
                "The cases of {city} are being read; this takes some seconds after a start.",
                city=self.city,
            )
        )

    def _read_alone(self) -> None:
        try:
            self.look()
        finally:
            connection.close()  # this thread's own

    def look(self) -> None:
        """Read what has happened since the last look."""
        with self._lock:
            began = time.monotonic()
            self._newest = _newest_event()
            if self._mark < 0:
                self._read_all()
            else:
                self._follow()
            ended = time.monotonic()
            # while a month is being written in bulk, looking may not become all that the process does
            self._look_again = ended + max(LOOK_SECONDS, 5 * (ended - began))

    def in_tile(self, *, zoom: int, column: int, row: int) -> NDArray[np.int64]:
        """The rows of the cases inside a tile."""
        columns = self.columns
        run = run_of(columns.code[: self.ordered], zoom=zoom, column=column, row=row)
        late = np.arange(self.base, len(columns))
        late = late[columns.placed[late]]
        cells = cells_of(columns.code[late], zoom=zoom, depth=0)
        this = morton(np.array([column], dtype=np.uint64), np.array([row], dtype=np.uint64))[0]
        return np.concatenate([np.arange(run.start, run.stop), late[cells == this]])

    def _read_all(self) -> None:
        newest = self._newest
        parts = [self._columns_of(rows) for rows in _chunks(*_cases("city = %s", [self.city]))]
        if parts:
            self.columns = Columns.concat(parts)
        self._order()
        self._mark = newest if _one_pen() else max(0, newest - _BEHIND)
        self._follow()  # what happened while the cases were being read

    def _events(self) -> list[tuple[int, int]]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT id, case_id FROM cases_event WHERE id > %s AND city = %s", [self._mark, self.city])
            return list(cursor.fetchall())

    def _follow(self) -> None:
        now = time.monotonic()
        found = [(event, case) for event, case in self._events() if event not in self._seen]
        if found:
            self._read_again(sorted({case for _, case in found}))
            self._seen.update((event, now) for event, _ in found)
        settled_before = now if _one_pen() else now - SETTLED_SECONDS
        if settled := [event for event, seen_at in self._seen.items() if seen_at <= settled_before]:
            self._mark = max(settled)
            self._seen = {event: seen_at for event, seen_at in self._seen.items() if event > self._mark}

    def _read_again(self, cases: Sequence[int]) -> None:
        new, moved = [], False
        for start in range(0, len(cases), _ASKED):
            asked = cases[start : start + _ASKED]
            for rows in _chunks(*_cases(f"id IN ({', '.join(['%s'] * len(asked))})", asked)):
                part = self._columns_of(rows)
                at = self._rows_of(part.id)
                there = np.flatnonzero(at >= 0)
                moved |= bool((part.code[there] != self.columns.code[at[there]]).any())
                for name in Columns.names():
                    getattr(self.columns, name)[at[there]] = getattr(part, name)[there]
                new.append(part.take(at < 0))
        self.columns = Columns.concat([self.columns, *new])
        if moved or len(self.columns) - self.base > _TAIL:
            self._order()
        else:
            self._number()

    def _rows_of(self, cases: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where cases stand, -1 for those not read yet."""
        ids, rows = self._by_id
        if not len(ids):
            return np.full(len(cases), -1, dtype=np.int64)
        at = np.minimum(np.searchsorted(ids, cases), len(ids) - 1)
        return np.where(ids[at] == cases, rows[at], -1)

    def _order(self) -> None:
        self.columns = self.columns.take(np.argsort(self.columns.code, kind="stable"))
        self.base = len(self.columns)
        self.ordered = int(np.count_nonzero(self.columns.placed))
        self._number()

    def _number(self) -> None:
        by_id = np.argsort(self.columns.id, kind="stable")
        self._by_id = (self.columns.id[by_id], by_id)
        self.version = int(self.columns.seq.sum(dtype=np.int64))

    def _columns_of(self, rows: Sequence[tuple[Any, ...]]) -> Columns:
        values = dict(zip(_READ, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(_READ, ())
        lon, lat = (np.array(values[name], dtype=np.float64) for name in ("lon", "lat"))
        believed = np.fromiter((flag not in UNPLACED for flag in values["flag"]), np.bool_, count=len(rows))
        placed = np.isfinite(lon) & np.isfinite(lat) & believed
        x, y = to_map(np.where(placed, lon, 0.0), np.where(placed, lat, 0.0))
        coded = {name: self.codes[name].numbers(values[name]) for name in _CODED}
        return Columns(
            id=np.array(values["id"], dtype=np.int64),
            seq=np.array(values["seq"], dtype=np.int32),
            code=np.where(placed, morton(x, y), np.uint64(2**64 - 1)),
            x=x,
            y=y,
            placed=placed,
            overdue=np.array(values["overdue"], dtype=np.bool_),
            rating=np.array(values["rating"], dtype=np.int8),
            opened=np.array(values["opened_at"], dtype=np.int64),
            filed=np.array(values["filed_at"], dtype=np.int64),
            closed=np.array(values["closed_at"], dtype=np.int64),
            deadline=np.array(values["deadline"], dtype=np.int64),
            **coded,
        )


_lock = threading.Lock()
_boards: dict[str, Board] = {}


def board(city: str) -> Board:
    """The board of an installed city in this process."""
    with _lock:
        return _boards.setdefault(city, Board(city))


def forget() -> None:
    """Read everything again: when a test has another database."""
    with _lock:
        _boards.clear()


def numbers_of(cases: Sequence[int]) -> dict[int, str]:
    """Numbers of cases by id."""
    found: dict[int, str] = {}
    waiting = iter(cases)
    while part := list(islice(waiting, _ASKED)):
        found.update(Case.objects.filter(id__in=part).values_list("id", "number"))
    return found


def _cases(where: str, values: Sequence[Any]) -> tuple[str, Sequence[Any]]:
    """The statement that reads cases in `_READ`'s order, times as seconds."""
    seconds = (
        "CAST(strftime('%%s', {0}) AS INTEGER)"
        if connection.vendor == "sqlite"
        else "CAST(floor(extract(epoch FROM {0})) AS bigint)"
    )
    listed = ", ".join(
        f"coalesce({seconds.format(f'{name}')}, {NEVER})" if name in _TIMES else quoted(Case, (name,)) for name in _READ
    )
    return f"SELECT {listed} FROM cases_case WHERE {where}", values  # noqa: S608 - our own names


def _chunks(statement: str, values: Sequence[Any]) -> Iterator[list[tuple[Any, ...]]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement, values)
        while rows := cursor.fetchmany(_CHUNK):
            yield rows


def _newest_event() -> int:
    return _one("SELECT coalesce(max(id), 0) FROM cases_event", [])


def _one(statement: str, values: Sequence[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def _one_pen() -> bool:
    """Whether writers take turns, so that an event with a smaller id never appears later."""
    return connection.vendor == "sqlite"
