# ruff: noqa: S608 - names of columns come from the catalogue, paths are our own
"""Keeping the facts: counted anew from all events, or only where something happened since; both give the same rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
from django.db import IntegrityError, transaction

from yiwang.core.facts.cases import CASES
from yiwang.core.facts.table import Row
from yiwang.engines.sql import quote
from yiwang.server.cities.queries import CityRuntime, runtime
from yiwang.server.facts import files
from yiwang.server.facts.files import Shelf
from yiwang.server.facts.models import FactStore
from yiwang.server.facts.sources import ChangedRow, Changes, FactSource, context_of, source_of, tables_of

# Ids are given out before transactions end, so an event may appear behind one that was seen already. A transaction of
# ours lasts seconds: what was under way ten minutes ago has ended. So every refresh looks from where the newest mark
# that old stood; what it finds unchanged there costs a look at the sequence number.
SETTLED = timedelta(minutes=10)
# Behind what was seen when all was counted anew something may appear too; so many ids of each kind are looked at again then.
OVERLAP = 10_000
MOST_ROWS = 4000  # counted in one refresh, about two seconds for cases
COMPACT_ROWS = 20_000  # in the delta, before it goes into the base
PART_ROWS = 5000  # held in memory while everything is counted anew, some 50 MB

Progress = Callable[[int, int], None]


def must_rebuild(*, place: CityRuntime, source: FactSource, store: FactStore | None) -> str:
    """Why a table must be counted anew; empty where a refresh will do."""
    if store is None:
        return "there are none yet"
    shelf = shelf_of(place, source.name)
    if store.digest != shelf.table.digest:
        return "the pack's levels, units, categories, steps or posts have changed"
    if not shelf.all_there(store.base, store.delta):
        return "files are missing"
    newest = source.newest(place.info.id)
    if store.marks and store.marks[-1][1] > newest[0]:
        return "the database is older than the facts"
    if source.changes is None and store.marks[-1][1:] != list(newest):
        return "something was recorded"
    return ""


def shelf_of(place: CityRuntime, table: str) -> Shelf:
    """Where the files of a table of a city are."""
    return Shelf(city=place.info.id, table=tables_of(place)[table])


def store_in(city: str, table: str) -> FactStore | None:
    """What holds of a table, whatever it was made from."""
    return FactStore.objects.filter(city=city, table=table).first()


def refresh_measured(*, city: str, at: datetime | None = None) -> dict[str, Any]:
    """Bring every table that the city's indicators are counted over up to date; what `refresh` says of the cases."""
    measured = {one.table for one in runtime(city).pack.indicators.indicators} - {CASES}
    for table in sorted(measured):
        refresh(city=city, table=table, at=at)
    return refresh(city=city, at=at)


def refresh(*, city: str, table: str = CASES, at: datetime | None = None) -> dict[str, Any]:
    """Bring a table of facts of a city up to date; counts it anew where that is needed.

    Args:
        city: City.
        table: Name of the table.
        at: Now.

    Returns:
        ``rows`` there are, ``changed`` rows, ``rebuilt`` with the reason or empty, ``complete``: nothing was left for the
        next refresh.
    """
    place, source, at = runtime(city), source_of(table), at or datetime.now(UTC)
    store = store_in(city, table)
    if why := must_rebuild(place=place, source=source, store=store):
        return rebuild(city=city, table=table, at=at) | {"rebuilt": why}
    assert store is not None
    values: dict[str, Any] = {}
    complete, changed = True, 0
    upto = source.newest(city)
    if source.changes is not None:
        shelf = shelf_of(place, table)
        with files.workshop(shelf) as connection:
            there = shelf.facts(base=store.base, delta=store.delta)
            stale: dict[int, None] = {}
            for part in source.changes.changed_rows(city=city, since=_settled_mark(store.marks, at), upto=upto):
                stale |= dict.fromkeys(
                    _stale_ids(connection, there, part, key=quote(shelf.table.key), changes=source.changes)
                )
                if len(stale) >= MOST_ROWS:
                    break
            complete = len(stale) < MOST_ROWS
            rows = source.changes.rows(list(stale)[:MOST_ROWS], place=place)
            values, changed = _changes(connection, place, store, rows)
    if complete:
        values |= {"marks": _add_mark(store.marks, at, upto), "refreshed_at": at}
    if not _replace(store, values):
        return {"city": city, "rows": store.rows, "changed": 0, "rebuilt": "", "complete": False}
    if changed:
        _sweep(shelf_of(place, table))
    return {
        "city": city, "rows": values.get("rows", store.rows), "changed": changed, "rebuilt": "", "complete": complete,
    }  # fmt: skip


def _settled_mark(marks: Sequence[Sequence[Any]], at: datetime) -> tuple[int, ...]:
    old = [mark for mark in marks if datetime.fromisoformat(mark[0]) <= at - SETTLED]
    mark = old[-1] if old else marks[0]
    return tuple(mark[1:])


def _add_mark(marks: Sequence[Sequence[Any]], at: datetime, upto: tuple[int, ...]) -> list[Sequence[Any]]:
    """The marks with a new one, at most one a minute beside the newest that has settled."""
    old = [mark for mark in marks if datetime.fromisoformat(mark[0]) <= at - SETTLED]
    young = [mark for mark in marks if datetime.fromisoformat(mark[0]) > at - SETTLED]
    kept = [*old[-1:], *young]
    if young and at - datetime.fromisoformat(young[-1][0]) < timedelta(minutes=1):
        return kept  # an earlier mark says less, never too much
    return [*kept, [at.isoformat(), *upto]]


def _changes(
    connection: duckdb.DuckDBPyConnection, place: CityRuntime, store: FactStore, rows: Sequence[Row]
) -> tuple[dict[str, Any], int]:
    """Write rows that are new or otherwise; the store's new values, and how many rows changed."""
    if not rows:
        return {}, 0
    shelf, derived = shelf_of(place, store.table), source_of(store.table).derived
    there, key = shelf.facts(base=store.base, delta=store.delta), quote(shelf.table.key)
    fresh = shelf.folder / files.new_name("fresh")
    files.write_rows(connection, rows, table=shelf.table, path=fresh)
    new, others = f"read_parquet('{fresh}')", 0
    known = _one(connection, f"select count(*) from {there} as old where {key} in (select {key} from {new})")
    changed_rows = f"select * from {new}"
    if derived is not None:
        others = derived.recount(connection, there=there, fresh=new, context=context_of(place))
        also = f"union all select * from {there} as old where {key} in (select {key} from recounted)" if others else ""
        changed_rows = (
            f"select both_.* replace (counted.n as {quote(derived.column)})"
            f" from (select * from {new} {also}) as both_ join counted using ({key})"
        )
    connection.execute(f"create or replace temp table changed as {changed_rows}")
    changed = _one(connection, "select count(*) from changed")
    name = files.new_name("delta")
    earlier = (
        f"union all select * from read_parquet({shelf.paths(store.delta)!r})"
        f" where {key} not in (select {key} from changed)"
        if store.delta
        else ""
    )
    connection.execute(
        f"copy (select * from changed {earlier}) to '{shelf.folder / name}' (format parquet, compression zstd)"
    )
    fresh.unlink()
    count = _one(connection, f"select count(*) from read_parquet('{shelf.folder / name}')")
    months = {*store.months, *_months(connection, f"read_parquet('{shelf.folder / name}')", shelf)}
    values = {
        "delta": [name], "delta_rows": count, "rows": store.rows + changed - others - known, "months": sorted(months),
    }  # fmt: skip
    if count > COMPACT_ROWS:
        values |= _compact(connection, shelf, store.base, [name])
    return values, changed


def _stale_ids(
    connection: duckdb.DuckDBPyConnection, there: str, found: Sequence[ChangedRow], *, key: str, changes: Changes
) -> list[int]:
    """Those of the records whose row is not there or is of earlier."""
    keys = [one.key for one in found]
    connection.execute(f"create or replace temp table asked as select unnest(?::varchar[]) as {key}", [keys])
    rows = connection.execute(
        f"select {', '.join((key, *map(quote, changes.versions)))} from {there} as old where {key} in (select {key} from asked)"
    ).fetchall()
    known = {row[0]: row[1:] for row in rows}
    return [
        one.id
        for one in found
        if (row := known.get(one.key)) is None
        or any(now not in (None, then) for now, then in zip(one.versions, row, strict=True))
    ]


def _compact(
    connection: duckdb.DuckDBPyConnection, shelf: Shelf, base: Mapping[str, Sequence[str]], delta: Sequence[str]
) -> dict[str, Any]:
    """The base with the delta in it: only the months that it concerns are written anew."""
    rows = f"read_parquet({shelf.paths(delta)!r})"
    concerned = {month: base[month] for month in _months(connection, rows, shelf) if month in base}
    merged = shelf.facts(base=concerned, delta=delta) + " as merged"
    return {
        "base": {**base, **files.split_by_month(connection, merged, shelf=shelf)},
        "delta": [],
        "delta_rows": 0,
    }


def rebuild(
    *, city: str, table: str = CASES, at: datetime | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """Count every row of a table anew.

    Args:
        city: City.
        table: Name of the table.
        at: Now.
        progress: Called with rows done and rows in all.
    """
    place, source, at = runtime(city), source_of(table), at or datetime.now(UTC)
    shelf, before = shelf_of(place, table), store_in(city, table)
    upto = source.newest(city)
    total, done = source.size(city), 0
    parts: list[Path] = []
    with files.workshop(shelf) as connection:
        waiting: list[Row] = []
        for rows in source.rows(place):
            waiting += rows
            done += len(rows)
            if len(waiting) >= PART_ROWS:
                parts.append(_part(connection, waiting, shelf))
                waiting = []
            if progress:
                progress(done, max(total, done))
        if waiting or not parts:
            parts.append(_part(connection, waiting, shelf))
        relation = f"read_parquet({[str(path) for path in parts]!r})"
        whole = f"{relation} as facts"
        if source.derived is not None:
            source.derived.count_all(connection, relation, context=context_of(place))
            whole = (
                f"(select facts.* replace (coalesce(counted.n, 0) as {quote(source.derived.column)})"
                f" from {relation} as facts left join counted using ({quote(shelf.table.key)})) as whole"
            )
        base = files.split_by_month(connection, whole, shelf=shelf)
        delta: list[str] = []
        if not base:  # a city without rows still has its columns
            delta = [files.new_name("delta")]
            connection.execute(f"copy (select * from {relation}) to '{shelf.folder / delta[0]}' (format parquet)")
    for path in parts:
        path.unlink()
    # a source that cannot tell what changed is compared with the mark itself
    mark = _earlier(at, upto) if source.changes is not None else [at.isoformat(), *upto]
    values = {
        "digest": shelf.table.digest, "base": base, "months": sorted(base), "delta": delta, "delta_rows": 0,
        "marks": [mark], "rows": done, "refreshed_at": at,
    }  # fmt: skip
    if before is not None:
        _replace(before, values)
    else:
        try:
            with transaction.atomic():
                FactStore.objects.create(city=city, table=table, version=1, **values)
        except IntegrityError:
            pass  # somebody else counted at the same time; theirs is as good
    _sweep(shelf)
    return {"city": city, "rows": done, "changed": done, "rebuilt": "asked for", "complete": True}


def _earlier(at: datetime, upto: tuple[int, ...]) -> list[Any]:
    return [at.isoformat(), *(max(0, newest - OVERLAP) for newest in upto)]


def _part(connection: duckdb.DuckDBPyConnection, rows: Sequence[Row], shelf: Shelf) -> Path:
    path = shelf.folder / files.new_name("part")
    files.write_rows(connection, rows, table=shelf.table, path=path)
    return path


def _replace(store: FactStore, values: Mapping[str, Any]) -> bool:
    """Let other files hold, unless somebody else was quicker."""
    changed = FactStore.objects.filter(pk=store.pk, version=store.version).update(version=store.version + 1, **values)
    return bool(changed)


def _sweep(shelf: Shelf) -> None:
    store = store_in(shelf.city, shelf.table.name)
    if store is not None:
        files.sweep(shelf, keep=[*(name for month in store.base.values() for name in month), *store.delta])


def _months(connection: duckdb.DuckDBPyConnection, relation: str, shelf: Shelf) -> list[str]:
    """The months of the rows of a relation."""
    found = connection.execute(f"select distinct strftime({quote(shelf.table.month)}, '%Y-%m') from {relation}")
    return [month for (month,) in found.fetchall()]


def _one(connection: duckdb.DuckDBPyConnection, text: str) -> int:
    row = connection.execute(text).fetchone()
    return int(row[0]) if row else 0
