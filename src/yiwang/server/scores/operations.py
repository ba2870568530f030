# ruff: noqa: S608 - names of columns come from the catalogue, paths are our own
"""Keeping the facts: counted anew from all events, or only where something happened since; both give the same rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
from django.db import IntegrityError, transaction

from yiwang.core.facts.cases import FactContext
from yiwang.core.facts.table import Row
from yiwang.server.cases.models import Case
from yiwang.server.places.queries import Runtime, runtime
from yiwang.server.scores import files, reading
from yiwang.server.scores.models import FactStore

# Ids are given out before transactions end, so an event may appear behind one that was seen already. A transaction of
# ours lasts seconds: what was under way ten minutes ago has ended. So every refresh looks from where the newest mark
# that old stood; what it finds unchanged there costs a look at the sequence number.
SETTLED = timedelta(minutes=10)
# Behind what was seen when all was counted anew something may appear too; so many ids are looked at again then.
OVERLAP = (10_000, 1000)  # of events, of reports
MOST_CASES = 4000  # counted in one refresh, about two seconds
COMPACT_ROWS = 20_000  # in the delta, before it goes into the base
PART_ROWS = 5000  # held in memory while everything is counted anew, some 50 MB

Progress = Callable[[int, int], None]


def must_rebuild(*, place: Runtime, store: FactStore | None) -> str:
    """Why the facts must be counted anew; empty where a refresh will do."""
    if store is None:
        return "there are none yet"
    if store.digest != reading.digest_of(place):
        return "the pack's levels, units, categories, steps or posts have changed"
    if not files.all_there(place.info.id, store.base, store.delta):
        return "files are missing"
    if store.marks and store.marks[-1][1] > reading.newest(city=place.info.id)[0]:
        return "the database is older than the facts"
    return ""


def refresh(*, city: str, at: datetime | None = None) -> dict[str, Any]:
    """Bring the facts of a city up to date; counts them anew where that is needed.

    Args:
        city: City.
        at: Now.

    Returns:
        ``cases`` there are, ``changed`` rows, ``rebuilt`` with the reason or empty, ``complete``: nothing was left for the
        next refresh.
    """
    place, at = runtime(city), at or datetime.now(UTC)
    store = FactStore.objects.filter(city=city).first()
    if why := must_rebuild(place=place, store=store):
        return rebuild(city=city, at=at) | {"rebuilt": why}
    assert store is not None
    upto = reading.newest(city=city)
    with files.workshop(city) as connection:
        there = files.facts(city, base=store.base, delta=store.delta)
        stale: dict[int, None] = {}
        for cases in reading.touched(city=city, since=_settled(store.marks, at), upto=upto):
            stale |= dict.fromkeys(_stale(connection, there, cases))
            if len(stale) >= MOST_CASES:
                break
        complete = len(stale) < MOST_CASES
        values, changed = _changes(connection, place, store, list(stale)[:MOST_CASES])
    if complete:
        values |= {"marks": _marked(store.marks, at, upto), "refreshed_at": at}
    if not _replace(store, values):
        return {"city": city, "cases": store.cases, "changed": 0, "rebuilt": "", "complete": False}
    if changed:
        _sweep(city)
    return {
        "city": city, "cases": values.get("cases", store.cases), "changed": changed, "rebuilt": "", "complete": complete,
    }  # fmt: skip


def _settled(marks: Sequence[Sequence[Any]], at: datetime) -> tuple[int, int]:
    old = [mark for mark in marks if datetime.fromisoformat(mark[0]) <= at - SETTLED]
    mark = old[-1] if old else marks[0]
    return mark[1], mark[2]


def _marked(marks: Sequence[Sequence[Any]], at: datetime, upto: tuple[int, int]) -> list[Sequence[Any]]:
    """The marks with a new one, at most one a minute beside the newest that has settled."""
    old = [mark for mark in marks if datetime.fromisoformat(mark[0]) <= at - SETTLED]
    young = [mark for mark in marks if datetime.fromisoformat(mark[0]) > at - SETTLED]
    kept = [*old[-1:], *young]
    if young and at - datetime.fromisoformat(young[-1][0]) < timedelta(minutes=1):
        return kept  # an earlier mark says less, never too much
    return [*kept, [at.isoformat(), *upto]]


def _changes(
    connection: duckdb.DuckDBPyConnection, place: Runtime, store: FactStore, cases: Sequence[int]
) -> tuple[dict[str, Any], int]:
    """Write the rows of some cases; the store's new values, and how many rows changed."""
    city, context = place.info.id, reading.context_of(place)
    there = files.facts(city, base=store.base, delta=store.delta)
    rows: list[Row] = []
    for part in range(0, len(cases), reading.PART):
        rows += reading.fact_rows(cases[part : part + reading.PART], place=place)
    if not rows:
        return {}, 0
    fresh = files.folder(city) / files.new_name("fresh")
    files.write_rows(connection, rows, context=context, path=fresh)
    new = f"read_parquet('{fresh}')"
    recounted = files.recount(connection, there=there, fresh=new, latitude=context.latitude)
    also = f"union all select * from {there} as old where number in (select number from recounted)" if recounted else ""
    connection.execute(
        "create or replace temp table changed as select both_.* replace (counted.n as recurrences)"
        f" from (select * from {new} {also}) as both_ join counted using (number)"
    )
    changed = _one(connection, "select count(*) from changed")
    name = files.new_name("delta")
    earlier = (
        f"union all select * from read_parquet({files.paths(city, store.delta)!r})"
        " where number not in (select number from changed)"
        if store.delta
        else ""
    )
    connection.execute(
        f"copy (select * from changed {earlier}) to '{files.folder(city) / name}' (format parquet, compression zstd)"
    )
    fresh.unlink()
    count = _one(connection, f"select count(*) from read_parquet('{files.folder(city) / name}')")
    values = {
        "delta": [name],
        "delta_rows": count,
        "cases": store.cases + changed - recounted - files.known(connection),
    }
    if count > COMPACT_ROWS:
        values |= _compacted(connection, city, store.base, [name])
    return values, changed


def _stale(connection: duckdb.DuckDBPyConnection, there: str, cases: Sequence[reading.Touched]) -> list[int]:
    """Those of the cases whose row is not there or is of an earlier event or report."""
    numbers = [case.number for case in cases]
    connection.execute("create or replace temp table asked as select unnest(?::varchar[]) as number", [numbers])
    rows = connection.execute(
        f"select number, seq, reports from {there} as old where number in (select number from asked)"
    ).fetchall()
    known = {number: (seq, reports) for number, seq, reports in rows}
    return [
        case.id
        for case in cases
        if (row := known.get(case.number)) is None or row[0] != case.seq or case.reports not in (None, row[1])
    ]


def _compacted(
    connection: duckdb.DuckDBPyConnection, city: str, base: Mapping[str, Sequence[str]], delta: Sequence[str]
) -> dict[str, Any]:
    """The base with the delta in it: only the months that it concerns are written anew."""
    rows = f"read_parquet({files.paths(city, delta)!r})"
    months = [
        month
        for (month,) in connection.execute(f"select distinct strftime(opened_day, '%Y-%m') from {rows}").fetchall()
    ]
    concerned = {month: base[month] for month in months if month in base}
    merged = files.facts(city, base=concerned, delta=delta) + " as merged"
    return {
        "base": {**base, **files.split_by_month(connection, merged, city=city)},
        "delta": [],
        "delta_rows": 0,
    }


def rebuild(*, city: str, at: datetime | None = None, progress: Progress | None = None) -> dict[str, Any]:
    """Count every case anew from its events.

    Args:
        city: City.
        at: Now.
        progress: Called with cases done and cases in all.
    """
    place, at = runtime(city), at or datetime.now(UTC)
    context = reading.context_of(place)
    before = FactStore.objects.filter(city=city).first()
    upto = reading.newest(city=city)
    total, done = Case.objects.filter(city=city).count(), 0
    parts: list[Path] = []
    with files.workshop(city) as connection:
        waiting: list[Row] = []
        for cases in reading.every_case(city=city):
            waiting += reading.fact_rows(cases, place=place)
            done += len(cases)
            if len(waiting) >= PART_ROWS:
                parts.append(_part(connection, waiting, context, city))
                waiting = []
            if progress:
                progress(done, max(total, done))
        if waiting or not parts:
            parts.append(_part(connection, waiting, context, city))
        listed = [str(path) for path in parts]
        relation = f"read_parquet({listed!r})"
        files.count_all(connection, relation, latitude=context.latitude)
        whole = (
            "(select facts.* replace (coalesce(counted.n, 0) as recurrences)"
            f" from {relation} as facts left join counted using (number)) as whole"
        )
        base = files.split_by_month(connection, whole, city=city)
        delta: list[str] = []
        if not base:  # a city without cases still has its columns
            delta = [files.new_name("delta")]
            connection.execute(f"copy (select * from {relation}) to '{files.folder(city) / delta[0]}' (format parquet)")
    for path in parts:
        path.unlink()
    values = {
        "digest": reading.digest_of(place), "base": base, "delta": delta, "delta_rows": 0, "marks": [_earlier(at, upto)],
        "cases": done, "refreshed_at": at,
    }  # fmt: skip
    if before is not None:
        _replace(before, values)
    else:
        try:
            with transaction.atomic():
                FactStore.objects.create(city=city, version=1, **values)
        except IntegrityError:
            pass  # somebody else counted at the same time; theirs is as good
    _sweep(city)
    return {"city": city, "cases": done, "changed": done, "rebuilt": "asked for", "complete": True}


def _earlier(at: datetime, upto: tuple[int, int]) -> list[Any]:
    return [at.isoformat(), max(0, upto[0] - OVERLAP[0]), max(0, upto[1] - OVERLAP[1])]


def _part(connection: duckdb.DuckDBPyConnection, rows: Sequence[Row], context: FactContext, city: str) -> Path:
    path = files.folder(city) / files.new_name("part")
    files.write_rows(connection, rows, context=context, path=path)
    return path


def _replace(store: FactStore, values: Mapping[str, Any]) -> bool:
    """Let other files hold, unless somebody else was quicker."""
    changed = FactStore.objects.filter(city=store.city, version=store.version).update(
        version=store.version + 1, **values
    )
    return bool(changed)


def _sweep(city: str) -> None:
    store = FactStore.objects.filter(city=city).first()
    if store is not None:
        files.sweep(city, keep=[*(name for month in store.base.values() for name in month), *store.delta])


def _one(connection: duckdb.DuckDBPyConnection, text: str) -> int:
    row = connection.execute(text).fetchone()
    return int(row[0]) if row else 0
