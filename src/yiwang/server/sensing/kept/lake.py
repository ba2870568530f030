# ruff: noqa: S608 - names of columns are our own, paths too
"""The files of the lake: older observations and roll-ups as Parquet, by city, day or month, and bucket of streams.

A file is never changed: it is written under a name that nobody has used, and holds from the moment when a `KeptDay` names it.
Inside it rows are ordered by stream and time, so that the statistics of a row group say whether a stream is in it.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from yiwang.core.kernel.instants import DAY, from_micros
from yiwang.core.observations import kept, rollups
from yiwang.core.observations.kept import NONE, Observed
from yiwang.core.observations.rollups import HOUR, MINUTE, Rollups

if TYPE_CHECKING:
    import duckdb

RAW = "raw"
STEPS: Mapping[str, int] = {"minute": MINUTE, "hour": HOUR, "day": DAY}
BUCKETS = 8
"""Over so many files a day streams are spread by their ids. Another number would need every file written anew."""
GROUP = 10_240  # rows of a row group
KEEP_SECONDS = 3600  # files that no longer hold, for those who are still reading them
_ABSENT: Mapping[str, str] = {
    "end": str(NONE), "result_time": str(NONE), "feature": str(NONE), "result": "''", "more": "''"
}  # fmt: skip
_base: duckdb.DuckDBPyConnection | None = None
_lock = Lock()


@dataclass(frozen=True, slots=True)
class Part:
    """A file and those of its days that hold; what it says of other days has been replaced."""

    name: str
    days: tuple[int, ...]


def bucket_of(stream: int) -> str:
    """The bucket of a datastream."""
    return f"{stream % BUCKETS:02d}"


def folder(city: str) -> Path:
    """Where a city's files are."""
    return Path(settings.YIWANG_HOME, "lake", "observations", f"city={city}")


def day_folder(day: int) -> str:
    """Folder for the files of one day, given in days since 1970, inside the city's."""
    return f"day={from_micros(day * DAY):%Y-%m-%d}"


def month_folder(day: int) -> str:
    """Folder for the files of the month in which a day lies."""
    return f"month={from_micros(day * DAY).date().isoformat()[:7]}"


# --- writing --------------------------------------------------------------------------------------------------------------


def write_raw(city: str, where: str, bucket: str, rows: Observed) -> str:
    """Write observations into a folder of the city; the file's name. It is on the disk as a whole when this returns."""
    columns = {name: getattr(rows, name) for name in kept.NAMES}
    return _write(city, f"{where}/{RAW}.bucket={bucket}", columns, [_written(name, columns[name]) for name in columns])


def write_rollups(city: str, where: str, kind: str, bucket: str, rows: Rollups) -> str:
    """Write roll-ups into a folder of the city; the file's name. It is on the disk as a whole when this returns."""
    columns = {name: getattr(rows, name) for name in rollups.COLUMNS}
    return _write(city, f"{where}/{kind}.bucket={bucket}", columns, [_written(name, columns[name]) for name in columns])


def _written(name: str, column: NDArray[Any]) -> str:
    """What a column is in a file: nothing where it stands for nothing."""
    if column.dtype == np.float64:
        return f'case when isnan("{name}") then null else "{name}" end as "{name}"'
    if name in _ABSENT:
        return f'nullif("{name}", {_ABSENT[name]}) as "{name}"'
    return f'"{name}"'


def _write(city: str, stem: str, columns: Mapping[str, NDArray[Any]], asked: Sequence[str]) -> str:
    name = f"{stem}.{time.time_ns():x}{secrets.token_hex(2)}.parquet"
    path = folder(city) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    raw = path.with_suffix(".part")
    with _cursor() as cursor:
        cursor.register("given", {name: column.copy() for name, column in columns.items()})  # it takes no views
        cursor.execute(
            f"copy (select {', '.join(asked)} from given) to '{raw}'"
            f" (format parquet, compression zstd, row_group_size {GROUP}, parquet_version v2)"
        )
        cursor.unregister("given")
    with raw.open("rb+") as file:
        os.fsync(file.fileno())
    raw.replace(path)
    for made in (path.parent, path.parent.parent):
        _keep_names(made)
    return name


def _keep_names(made: Path) -> None:
    """A name in a folder outlives a power cut only when the folder has been written too."""
    handle = os.open(made, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# --- reading --------------------------------------------------------------------------------------------------------------


def read_raw(
    city: str, parts: Sequence[Part], *, streams: Collection[int] | None = None, start: int | None = None,
    end: int | None = None,
) -> Observed:  # fmt: skip
    """Observations of some streams (all by default) from ``start`` and before ``end``, ordered by stream and time."""
    asked = [
        f'coalesce("{name}", \'nan\'::double) as "{name}"'
        if name == "value"
        else f'coalesce("{name}", {_ABSENT[name]}) as "{name}"'
        if name in _ABSENT
        else f'"{name}"'
        for name in kept.NAMES
    ]
    found = _read(city, parts, asked, "time", streams, start, end)
    if found is None:
        return kept.observed([])
    return Observed(**{name: np.asarray(found[name], kept.KINDS[name]) for name in kept.NAMES})


def read_rollups(
    city: str, parts: Sequence[Part], *, streams: Collection[int] | None = None, start: int, end: int
) -> Rollups:
    """Roll-ups of some streams (all by default) that begin from ``start`` on and before ``end``, ordered by stream and start."""
    asked = [
        f'coalesce("{name}", \'nan\'::double) as "{name}"' if rollups.kind_of(name) is np.float64 else f'"{name}"'
        for name in rollups.COLUMNS
    ]
    found = _read(city, parts, asked, "start", streams, start, end)
    if found is None:
        return rollups.nothing()
    columns: dict[str, Any] = {name: np.asarray(found[name], rollups.kind_of(name)) for name in rollups.COLUMNS}
    return Rollups(**columns)


def _read(
    city: str, parts: Sequence[Part], asked: Sequence[str], moment: str, streams: Collection[int] | None,
    start: int | None, end: int | None,
) -> dict[str, NDArray[Any]] | None:  # fmt: skip
    if not parts or (streams is not None and not streams):
        return None
    wanted = "true"
    given: list[Any] = []
    if streams is not None and len(streams) == 1:
        wanted = f"stream = {int(next(iter(streams)))}"
    elif streams is not None:
        wanted, given = "stream in (select unnest(?::bigint[]))", [list(streams)]
    if start is not None:
        wanted += f' and "{moment}" >= {int(start)}'
    if end is not None:
        wanted += f' and "{moment}" < {int(end)}'
    sources = " union all ".join(_sources(folder(city), parts, moment))
    text = f'select {", ".join(asked)} from ({sources}) as kept where {wanted} order by stream, "{moment}"'
    with _cursor() as cursor:
        return dict(cursor.execute(text, given).fetchnumpy())


def _sources(root: Path, parts: Sequence[Part], moment: str) -> list[str]:
    """A query for each file of which not every day may hold, and one for all that are of a single day."""
    single = [str(root / part.name) for part in parts if part.name.startswith("day=")]
    found = [f"select * from read_parquet({single!r})"] if single else []
    for part in parts:
        if not part.name.startswith("day="):
            low, high = min(part.days), max(part.days)
            within = f'"{moment}" >= {low * DAY} and "{moment}" < {(high + 1) * DAY}'
            if len(part.days) <= high - low:  # some have been replaced
                within += f' and "{moment}" // {DAY} in ({", ".join(map(str, part.days))})'
            found.append(f"select * from read_parquet('{root / part.name}') where {within}")
    return found


def _cursor() -> duckdb.DuckDBPyConnection:
    """A connection of this caller's own to the process's database in memory, which remembers what it has read of files."""
    global _base
    with _lock:
        if _base is None:
            from yiwang.engines.duckdb import connect  # most who read a stream need no file

            _base = connect()
            atexit.register(_close)
            _base.execute("set preserve_insertion_order = true")
            _base.execute("set parquet_metadata_cache = true")  # a file is never changed
        return _base.cursor()


def _close() -> None:
    global _base
    if _base is not None:
        _base.close()
        _base = None


def retire(city: str, names: Collection[str]) -> None:
    """Files that no longer hold stay for an hour from now on."""
    for name in names:
        with contextlib.suppress(FileNotFoundError):
            os.utime(folder(city) / name)


def sweep(city: str, *, named: Collection[str], at: float | None = None) -> int:
    """Remove files that no day has named for an hour, and folders that are empty; how many files."""
    now, gone = time.time() if at is None else at, 0
    for path in folder(city).glob("*/*"):
        if f"{path.parent.name}/{path.name}" not in named and now - path.stat().st_mtime > KEEP_SECONDS:
            path.unlink(missing_ok=True)
            gone += 1
    for path in folder(city).glob("*"):
        if now - path.stat().st_mtime > KEEP_SECONDS and not any(path.iterdir()):
            path.rmdir()
    return gone
