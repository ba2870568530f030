"""The scorecard over real cases tiled to any size: every indicator × four levels × department × month.

    python -m bench score                                     # YIWANG_BENCH_CASES cases, a million by default
    python -m bench.score --cases 1e7 --peers duckdb pandas   # the big one
    python -m bench.score --curve --picture                   # cost against size, drawn into docs/reference/images

The cases are those of a real city's hotline (the data of ../shared if they are there, else the extract in the pack),
replayed through the loop, counted, and laid beside each other with their numbers and days moved. Peers answer the same
question from the same Parquet files in the same run: the best query that we could write by hand, pandas, PostgreSQL.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CITY = "boston"
REAL = ROOT.parent / "shared" / "data" / "boston311" / "boston_311_2011_jul_oct.csv.gz"
REAL = REAL if REAL.is_file() else Path("/work/shared/data/boston311/boston_311_2011_jul_oct.csv.gz")
EXTRACT = ROOT / "packs" / CITY / "demo" / "requests.csv.gz"
CASES = int(float(os.environ.get("YIWANG_BENCH_CASES", "1e6")))
WORK = Path(os.environ.get("YIWANG_BENCH_FOLDER") or Path(tempfile.gettempdir()) / "yiwang-bench-score")
SERVER = os.environ.get("YIWANG_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432")
AS_OF = datetime(2026, 11, 24, tzinfo=UTC)
PICTURE = ROOT / "docs" / "reference" / "images" / "score-cost.webp"
STEPS, STEP_DAYS = 6, 123  # tiles are moved by so many days, so that 24 months come out of four
NEW_EVENTS = 1000


# --- the cases ----------------------------------------------------------------------------------------------------


def real_home() -> Path:
    """A data folder with the city replayed and counted; made once."""
    home = WORK / "home"
    if (home / "done").is_file():
        return home
    home.mkdir(parents=True, exist_ok=True)
    source = REAL if REAL.is_file() else EXTRACT
    for arguments in (
        ["manage", "migrate", "-v0"],
        ["pack", "install", f"packs/{CITY}"],
        ["replay", CITY, str(source)],
        ["score", CITY],
    ):
        yiwang(home, *arguments)
    (home / "done").touch()
    return home


def yiwang(home: Path, *arguments: str) -> str:
    environment = {**os.environ, "YIWANG_HOME": str(home), "YIWANG_DEBUG": "1"}
    environment.pop("YIWANG_DATABASE_URL", None)
    command = [sys.executable, "-m", "yiwang.cli", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout


def tiles(cases: int) -> Path:
    """A folder with the facts of so many cases; made once for each size."""
    folder = WORK / f"facts-{cases}"
    if (folder / "done").is_file():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    connection = _connect()
    # files that no longer hold may still lie there: the newest of each month is the one that does
    newest = {
        path.name[:12]: str(path) for path in sorted((real_home() / "facts" / CITY / "cases").glob("base-*.parquet"))
    }
    real = f"read_parquet({list(newest.values())!r})"
    connection.execute(f"create temp table real as select * from {real} order by number")
    (there,) = connection.execute("select count(*) from real").fetchone()
    days = [
        row[0] for row in connection.execute(f"describe select * from {real}").fetchall() if row[0].endswith("_day")
    ]
    # one file a tile, each in the order of the real one: rows that repeat must not lie beside each other, or every
    # engine would find long runs of equal values that no city has
    for tile in range(-(-cases // there)):
        moved = ", ".join(f"{day} + {tile % STEPS * STEP_DAYS} as {day}" for day in days)
        connection.execute(
            f"copy (select * replace (number || '-{tile}' as number, {moved}) from real)"
            f" to '{folder}/facts-{tile:03d}.parquet' (format parquet, compression zstd)"
        )
    (folder / "done").touch()
    return folder


def files(folder: Path) -> list[str]:
    return [str(path) for path in sorted(folder.glob("*.parquet"))]


def _connect() -> Any:
    from yiwang.engines.duckdb import connect

    return connect(memory="4GB", spill=WORK / "spill")


# --- the question -------------------------------------------------------------------------------------------------


def question() -> Any:
    from yiwang.core.indicators.scorecard import Wish, questions
    from yiwang.packs import read_pack

    pack = read_pack(ROOT / "packs" / CITY)
    wish = Wish(by=("month",), as_of=AS_OF)
    groupings = [(level.id, "department") for level in pack.info.levels]
    ((_, asked, _),) = questions(wish, pack.indicators.in_force(AS_OF.date()), groupings, pack.fact_tables(), "month")
    return asked


def _key(row: Any) -> tuple[Any, ...]:
    return tuple("" if value is None else str(value) for value in row)


def total(rows: list[tuple[Any, ...]]) -> list[int]:
    """What every answer must agree in: each sum over all groups, and how many groups there are."""
    return [len(rows), *(int(sum(column)) for column in zip(*rows, strict=True))]


def by_duckdb(folder: Path) -> tuple[float, list[int]]:
    """Ours, rows and all, as the page and the command get them."""
    from yiwang.engines.duckdb import DuckDBEngine

    asked, engine = question(), DuckDBEngine(base=files(folder), key="number", connection=_connect())
    started = time.perf_counter()
    found = list(engine.answer(asked))
    return time.perf_counter() - started, total([one.sums for one in found])


def by_hand(folder: Path) -> tuple[float, list[int]]:
    text = (Path(__file__).parent / "score_by_hand.sql").read_text(encoding="utf-8")
    text = text.replace("{facts}", f"read_parquet({files(folder)!r})").replace(
        "{as_of}", f"timestamptz '{AS_OF.isoformat(' ')}'"
    )
    connection = _connect()
    started = time.perf_counter()
    rows = connection.execute(text).fetchall()
    return time.perf_counter() - started, total([row[11:] for row in rows])


COLUMNS = (
    "region_city", "region_district", "region_ward", "region_precinct", "department", "opened_day", "end_kind", "filed_at",
    "dispatched_at", "disposed_at", "overdue", "penalty_lifted", "main_clock", "deadline_at", "source", "kind", "departments", "returns",
    "located", "reworks", "handlers", "handovers", "extensions", "suspensions", "supervisions", "appeals", "recurrences", "reopens",
    "responded_at", "response_s", "rating", "ratings", "wall_s", "stage_collect_work_s", "stage_file_work_s", "stage_dispatch_work_s",
    "stage_handle_work_s", "stage_feedback_work_s", "stage_close_work_s", "level_city_work_s", "level_district_work_s",
    "level_ward_work_s", "level_precinct_work_s",
)  # fmt: skip
LEVELS = ("region_city", "region_district", "region_ward", "region_precinct")


def by_pandas(folder: Path) -> tuple[float, list[int]]:
    """As a careful analyst would: only the columns needed, keys as categories, the finest grain first."""
    import numpy as np
    import pandas as pd
    import pyarrow.parquet as pq

    started = time.perf_counter()
    keys = [*LEVELS, "department"]
    f = pq.read_table(
        files(folder), columns=list(COLUMNS), read_dictionary=[*keys, "end_kind", "main_clock", "source", "kind"]
    ).to_pandas()
    end, late_at = f.end_kind, pd.Timestamp(AS_OF)
    counted, ended = ~end.isin(["rejected", "void", "merged"]), end == "closed"
    filed, sent, done = f.filed_at.notna(), f.dispatched_at.notna(), f.disposed_at.notna()
    late = (f.overdue & ~f.penalty_lifted) | ((f.main_clock == "running") & (f.deadline_at < late_at))
    public, accurate = f.source.isin(["phone", "web", "app", "twitter"]), (f.departments <= 1) & (f.returns == 0)
    should = counted & filed & (ended | done | late)
    timed = counted & (f.deadline_at.notna() | f.overdue)
    handled = counted & done & (f.handlers > 0)
    flags: list[Any] = [
        np.ones(len(f), dtype=bool), filed & counted, ended, counted, filed & (end != "void"), filed, sent & counted, sent &
        counted & accurate, counted & done, counted & filed & (done | late), timed & done & ~late, timed & filed & (done | late),
        timed & done & late, ended & filed, should, timed & ended & filed & ~late, timed & should, timed & ended & filed & late,
        timed & ended & ~late, timed & ended, end == "", (end == "") & late & ~done, handled & (f.reworks > 0), handled,
        f.reworks.where(counted & done, 0), counted & (f.returns > 0), counted & sent, f.handovers.where(counted & filed, 0),
        counted & filed, counted & (f.extensions > 0), counted & (f.suspensions > 0), counted & (f.supervisions > 0), counted &
        (f.appeals > 0), counted & f.overdue, counted & public & filed, counted & public & filed & (f.kind == "component"), ended
        & f.located & (f.recurrences > 0), ended & f.located, counted & (f.reopens > 0), counted & (ended | (f.reopens > 0)),
        public & counted & f.responded_at.notna() & (f.response_s <= 86400), public & counted, counted & (f.rating >= 3), counted
        & (f.ratings > 0), counted & (f.rating >= 4), f.rating.where(counted, 0), counted & (f.rating > 0), f.wall_s.where(ended,
        0), ended, *(f[name].where(ended, 0) for name in COLUMNS if name.endswith("_work_s")),
    ]  # fmt: skip
    table = pd.DataFrame({f"m{place}": np.asarray(values) for place, values in enumerate(flags)})
    names = list(table.columns)
    for name in keys:
        table[name] = f[name].values
    day = pd.to_datetime(f.opened_day)
    table["period"] = (day.dt.year * 12 + day.dt.month).astype("int32")
    del f, flags
    fine = table.groupby([*keys, "period"], observed=True, sort=False)[names].sum().reset_index()
    rolled = [fine.groupby([level, "department", "period"], observed=True, sort=False)[names].sum() for level in LEVELS]
    rows = [row for one in rolled for row in one.itertuples(index=False, name=None)]
    return time.perf_counter() - started, total(rows)


def by_postgresql(folder: Path) -> tuple[float, list[int]]:
    """The hand-written query on a table of the columns needed, analysed, with all that the machine gives it."""
    import psycopg

    name = f"facts_bench_{os.getpid()}"
    with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as server:
        server.execute(f"create database {name}")
    try:
        with psycopg.connect(f"{SERVER}/{name}", autocommit=True) as connection:
            kinds = {"VARCHAR": "text", "BIGINT": "bigint", "BOOLEAN": "boolean", "DATE": "date"}
            duck = _connect()
            described = dict(
                row[:2]
                for row in duck.execute(
                    f"describe select {', '.join(COLUMNS)} from read_parquet({files(folder)!r})"
                ).fetchall()
            )
            columns = ", ".join(f"{column} {kinds.get(kind, 'timestamptz')}" for column, kind in described.items())
            connection.execute(f"create unlogged table facts ({columns})")
            for path in files(folder):
                table = Path(path).with_suffix(".csv")
                duck.execute(
                    f"copy (select {', '.join(COLUMNS)} from read_parquet('{path}')) to '{table}' (format csv, header false, nullstr '\\N')"
                )
                with (
                    table.open("rb") as source,
                    connection.cursor().copy("copy facts from stdin (format csv, null '\\N')") as copy,
                ):
                    while block := source.read(1 << 20):
                        copy.write(block)
                table.unlink()
            connection.execute("vacuum analyze facts")
            connection.execute("set work_mem = '256MB'")
            connection.execute("set max_parallel_workers_per_gather = 2")
            connection.execute("set jit = on")
            text = (Path(__file__).parent / "score_by_hand.sql").read_text(encoding="utf-8")
            text = text.replace("{facts}", "facts").replace("{as_of}", f"timestamptz '{AS_OF.isoformat(' ')}'")
            text = _in_postgresql(text)
            started = time.perf_counter()
            rows = connection.execute(text).fetchall()
            return time.perf_counter() - started, total([row[11:] for row in rows])
    finally:
        with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as server:
            server.execute(f"drop database if exists {name} with (force)")


def _in_postgresql(text: str) -> str:
    import re

    text = re.sub(r"count_if\(((?:[^()]|\([^()]*\))*)\)", r"count(*) filter (where \1)", text)
    return text.replace("group by all", "group by 1, 2, 3, 4, 5, 6")


PEERS: dict[str, Callable[[Path], tuple[float, list[int]]]] = {
    "duckdb": by_duckdb, "by hand": by_hand, "pandas": by_pandas, "postgresql": by_postgresql,
}  # fmt: skip


def measured(peer: str, folder: Path, *, times: int = 1) -> dict[str, Any]:
    """A peer in a process of its own: seconds (the best of so many), peak memory, and what it found."""
    best: dict[str, Any] = {}
    for _ in range(times):
        command = [sys.executable, "-m", "bench.score", "--one", peer, "--folder", str(folder)]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        found = json.loads(done.stdout.splitlines()[-1])
        if not best or found["seconds"] < best["seconds"]:
            best = found
    return best


# --- one thousand new events --------------------------------------------------------------------------------------


def refreshing(copies: int) -> dict[str, Any]:
    """Counting all anew against counting what a thousand new events touched, on the real city so many times over.

    The database is copied; the copies of cases and events keep everything but their numbers. The new events are notes.
    """
    import shutil

    home = WORK / f"home-{copies}"
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(real_home(), home)
    done = subprocess.run(
        [sys.executable, "-m", "bench.score", "--refresh", str(copies)], cwd=ROOT, check=True, capture_output=True, text=True,
        env={**os.environ, "YIWANG_HOME": str(home), "YIWANG_DEBUG": "1", "DJANGO_SETTINGS_MODULE": "yiwang.server.settings"},
    )  # fmt: skip
    shutil.rmtree(home, ignore_errors=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _refresh_here(copies: int) -> dict[str, Any]:
    import django

    django.setup()
    from django.db import connection

    from yiwang.core.cases.events import Actor, Command
    from yiwang.server.cases.models import Case, Event
    from yiwang.server.cases.writing import operations as cases
    from yiwang.server.facts import operations

    with connection.cursor() as cursor:
        for table, own in (("cases_case", "id"), ("cases_event", "case_id"), ("cases_report", "case_id")):
            cursor.execute(f"select max(id) from {'cases_case' if own == 'case_id' else table}")
            (shift,) = cursor.fetchone()
            names = [
                column.name
                for column in connection.introspection.get_table_description(cursor, table)
                if column.name != "id" or own == "id"
            ]
            cursor.execute(f"create temp table original as select * from {table}")
            for copy in range(1, copies):
                values = [
                    f"{name} + {shift * copy if own == 'id' else _shift(cursor) * copy}" if name == own
                    else f"{name} || '-{copy}'" if name in {"number", "external"}
                    else _elsewhere(copy) if name == "payload"
                    else name
                    for name in names
                ]  # fmt: skip
                cursor.execute(f"insert into {table} ({', '.join(names)}) select {', '.join(values)} from original")
            cursor.execute("drop table original")
            if table == "cases_case":
                global _cases
                _cases = shift
    started = time.perf_counter()
    operations.rebuild(city=CITY)
    rebuilt = time.perf_counter() - started
    actor = Actor(id="user:1", name="bench", roles=frozenset({"manager", "operator"}), unit="HOTLINE")
    touched = 0
    newest = list(
        Case.objects.filter(city=CITY, closed_at=None)
        .order_by("-opened_at")
        .values_list("number", flat=True)[:NEW_EVENTS]
    )
    for number in newest:
        cases.act(number=number, command=Command(verb="note", actor=actor, payload={"note": "seen"}))
        touched += 1
    times = []
    for _ in range(1):
        started = time.perf_counter()
        said = operations.refresh(city=CITY)
        times.append(time.perf_counter() - started)
    return {
        "cases": Case.objects.count(), "events": Event.objects.count(), "rebuild": rebuilt, "refresh": min(times),
        "changed": said["changed"],
        "new_events": touched, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }  # fmt: skip


def _elsewhere(copy: int) -> str:
    """The payload with its place moved by whole tens of degrees: copies at one place would all recur to each other."""
    lon, lat = copy % 7, 1 + copy // 7
    return f"""replace(replace(payload, '"lon":-7', '"lon":-{lon or 8}'), '"lat":4', '"lat":{lat if lat < 4 else lat + 1}')"""


_cases = 0


def _shift(_: Any) -> int:
    return _cases


# --- the table and the picture ------------------------------------------------------------------------------------


def run(
    cases: int = CASES, peers: tuple[str, ...] = ("duckdb", "by hand", "pandas", "postgresql"), times: int = 2
) -> list[dict[str, Any]]:
    """The rows for ``make bench``."""
    folder = tiles(cases)
    found = {}
    for peer in peers:
        try:
            found[peer] = measured(peer, folder, times=times)
        except subprocess.CalledProcessError as error:
            print(f"{peer}: {error.stderr[-800:]}", file=sys.stderr)
    ours = found["duckdb"]
    for peer, one in found.items():
        if one["total"] != ours["total"]:
            raise AssertionError(f"{peer} counted something else: {one['total'][:6]} instead of {ours['total'][:6]}")
    rows = []
    for peer, one in found.items():
        words = (
            f"{one['cpu']:.1f} s of processor"
            if peer == "duckdb"
            else f"{peer}: {one['seconds']:.1f} s ({one['cpu']:.1f} of processor here), peak {one['peak_mb'] / 1024:.1f} GiB"
        )
        peak = f"peak {ours['peak_mb'] / 1024:.1f} GiB"
        rows.append(
            {
                "name": f"scorecard of {cases:,} cases, 4 levels × department × month ({ours['total'][0]:,} rows), {peak}",
                "value": ours["seconds"],
                "unit": "s",
                "peer": words,
                "ratio": None if peer == "duckdb" else one["seconds"] / ours["seconds"],
            }
        )
    return rows


def refresh_rows(copies: int) -> list[dict[str, Any]]:
    found = refreshing(copies)
    return [
        {
            "name": f"facts after {found['new_events']:,} new events ({found['changed']:,} rows) among {found['cases']:,} cases",
            "value": found["refresh"],
            "unit": "s",
            "peer": f"counting {found['events']:,} events anew: {found['rebuild']:.0f} s",
            "ratio": found["rebuild"] / found["refresh"],
        }
    ]


def curve(sizes: list[int]) -> Iterator[tuple[int, float, float]]:
    for size in sizes:
        found = measured("duckdb", tiles(size))
        yield (
            size,
            found["cpu"],
            found["peak_mb"] / 1024,
        )  # seconds of processor: they hardly depend on who else is working


def draw(points: list[tuple[int, float, float]], refresh: dict[str, Any] | None = None) -> None:
    """Cost against size, both axes in powers of ten."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
    sizes = [point[0] for point in points]
    for axes, values, words in (
        (left, [point[1] for point in points], "seconds of processor"),
        (right, [point[2] for point in points], "peak memory, GiB"),
    ):
        axes.plot(sizes, values, "o-", color="#0b6b58")
        axes.set_xscale("log")
        axes.set_xlabel("cases")
        axes.set_ylabel(words)
        axes.grid(True, which="major", alpha=0.3)
        for size, value in zip(sizes, values, strict=True):
            axes.annotate(
                f"{value:.2g}", (size, value), textcoords="offset points", xytext=(0, 7), ha="center", fontsize=8
            )
    left.set_yscale("log")
    right.set_ylim(0, 1.25 * max(point[2] for point in points))
    figure.suptitle("Full scorecard by DuckDB: all indicators × 4 levels × department × month")
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PICTURE, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=float, default=CASES)
    parser.add_argument("--peers", nargs="*", default=list(PEERS))
    parser.add_argument("--times", type=int, default=2)
    parser.add_argument("--curve", action="store_true")
    parser.add_argument("--sizes", type=float, nargs="*", default=[1e5, 3e5, 1e6, 3e6, 1e7])
    parser.add_argument("--picture", action="store_true")
    parser.add_argument("--copies", type=int, help="measure refreshing on so many copies of the city")
    parser.add_argument("--one", choices=list(PEERS), help=argparse.SUPPRESS)
    parser.add_argument("--refresh", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        started = time.process_time()
        seconds, found = PEERS[asked.one](asked.folder)
        cpu = time.process_time() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"seconds": seconds, "cpu": cpu, "total": found, "peak_mb": peak}))
    elif asked.refresh:
        print(json.dumps(_refresh_here(asked.refresh)))
    elif asked.curve:
        points = []
        for point in curve([int(size) for size in asked.sizes]):
            print(f"{point[0]:>12,} cases {point[1]:8.2f} s of processor {point[2]:6.2f} GiB", flush=True)
            points.append(point)
        if asked.picture:
            draw(points)
    elif asked.copies:
        print(json.dumps(refresh_rows(asked.copies), indent=1))
    else:
        print(json.dumps(run(int(asked.cases), tuple(dict.fromkeys(["duckdb", *asked.peers])), asked.times), indent=1))


if __name__ == "__main__":
    main()
