"""What `bench.lake` does inside Django, one mode a process: ``python bench/_lake_steps.py MODE …``."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import django

django.setup()

import duckdb  # noqa: E402
import numpy as np  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402

from yiwang.core.kernel.instants import DAY, SECOND, from_micros, to_micros  # noqa: E402
from yiwang.core.observations.kept import NONE, Observed  # noqa: E402
from yiwang.core.observations.rollups import HOUR  # noqa: E402
from yiwang.server.cities.queries import runtime  # noqa: E402
from yiwang.server.sensing.api import (  # noqa: E402
    Datastream,
    DatastreamState,
    KeptDay,
    StreamSaid,
    find_or_make,
    rollup_of,
    series,
    series_points,
    streams_of,
)
from yiwang.server.sensing.kept import keeping, lake, moving  # noqa: E402

MINI = Path(__file__).resolve().parents[1] / "tests" / "packs" / "fixtures" / "mini"
START = datetime(2025, 1, 1, tzinfo=UTC)
FIRST, QUARTERS, WIDTH = to_micros(START) // DAY, 96, 900 * SECOND
SEED = 20261130


def install(streams: str) -> dict[str, Any]:
    """The toy city and its streams."""
    from yiwang.server.provision.operations import install_pack

    call_command("migrate", verbosity=0)
    install_pack(MINI)
    said = StreamSaid(key="0", name="0", observed="water level", unit="cm", lon=120.003, lat=31.003)
    first, _ = find_or_make(runtime("mini"), said)
    made = Datastream.objects.bulk_create(
        Datastream(
            city="mini", key=str(n), name=str(n), thing=first.thing, sensor=first.sensor,
            observed_property=first.observed_property, unit=first.unit,
        )
        for n in range(1, int(streams))
    )  # fmt: skip
    DatastreamState.objects.bulk_create(DatastreamState(datastream=one) for one in made)
    return {}


def a_day(day: int, streams: np.ndarray[Any, np.dtype[np.int64]], first_id: int) -> Observed:
    """A day of quarter hours of some streams: a course over the day, noise, and messages that take some seconds."""
    rng = np.random.default_rng([SEED, day, int(streams[0])])
    size = streams.size * QUARTERS
    time_ = np.tile(day * DAY + np.arange(QUARTERS) * WIDTH, streams.size)
    course = np.tile(20 + 5 * np.sin(np.arange(QUARTERS) / QUARTERS * 2 * np.pi), streams.size)
    nothing, empty = np.full(size, NONE), np.full(size, "", np.object_)
    return Observed(
        id=first_id + np.arange(size), stream=np.repeat(streams, QUARTERS), time=time_, end=nothing,
        value=(course + rng.normal(0, 1, size)).round(1), result=empty, result_time=nothing,
        received=time_ + rng.integers(1, 9, size) * SECOND, quality=np.zeros(size, np.int64), feature=nothing, more=empty,
    )  # fmt: skip


def fill(days: str) -> dict[str, Any]:
    """All days through the mover's own writer, and the peer's plain files."""
    ids = np.array(streams_of("mini"))
    began, rows, peer = time.perf_counter(), 0, 0.0
    plain = Path(settings.YIWANG_HOME, "plain")
    plain.mkdir()
    for day in range(FIRST, FIRST + int(days)):
        files: dict[str, dict[str, str]] = {}
        parts = []
        for bucket in range(lake.BUCKETS):
            observed = a_day(day, ids[ids % lake.BUCKETS == bucket], rows)
            rows += len(observed)
            for kind, name in moving.write_day("mini", day, lake.bucket_of(bucket), observed).items():
                files.setdefault(kind, {})[lake.bucket_of(bucket)] = name
            parts.append(observed)
        KeptDay.objects.create(city="mini", day=day, files=files, rows=ids.size * QUARTERS)
        paused = time.perf_counter()
        _plain(plain / f"{day}.parquet", parts)
        peer += time.perf_counter() - paused
    keeping.compact("mini", now=from_micros((FIRST + int(days) + 62) * DAY))
    seconds = time.perf_counter() - began - peer
    lake.sweep("mini", named=_named(), at=time.time() + 10**6)
    held = sum(path.stat().st_size for path in lake.folder("mini").rglob("*.parquet"))
    return {"rows": rows, "seconds": seconds, "bytes": held}


def _named() -> set[str]:
    from yiwang.server.sensing.kept import days as kept_days

    return kept_days.all_names("mini")


def _plain(path: Path, parts: list[Observed]) -> None:
    given = {name: np.concatenate([getattr(one, name) for one in parts]) for name in ("stream", "time", "value")}
    order = np.lexsort((given["stream"], given["time"]))  # as they come in
    columns = {name: column[order] for name, column in given.items()}
    with duckdb.connect() as base:
        base.register("given", columns)
        base.execute(f"copy (select * from given) to '{path}' (format parquet, compression zstd)")


def ask(days: str) -> dict[str, Any]:
    """Milliseconds of each question, ours and the peer's."""
    count = int(days)
    end = FIRST + count
    stream = streams_of("mini")[len(streams_of("mini")) // 2]
    place, plain = runtime("mini"), f"read_parquet('{Path(settings.YIWANG_HOME, 'plain')}/*.parquet')"
    day = FIRST + count // 2
    since = from_micros(day * DAY)
    figures = "count(value), avg(value), min(value), max(value)"
    questions: dict[str, tuple[Callable[[], Any], str]] = {
        f"a stream's {count} days in points of a day": (
            lambda: series_points(stream, start=FIRST * DAY, end=end * DAY, width=DAY),
            f"select time // {DAY} d, {figures} from {plain} where stream = {stream} group by d",
        ),
        f"a stream's {count} days in points of three hours": (
            lambda: series_points(stream, start=FIRST * DAY, end=end * DAY, width=3 * HOUR),
            f"select time // {3 * HOUR} d, {figures} from {plain} where stream = {stream} group by d",
        ),
        "a stream's day, every observation": (
            lambda: series(stream, since=since, until=since + timedelta(days=1)),
            f"select time, value from {plain} where stream = {stream} and time >= {day * DAY}"
            f" and time < {(day + 1) * DAY} order by time",
        ),
        "a day of all streams by hours": (
            lambda: rollup_of(place, since=since, until=since + timedelta(days=1), step=timedelta(hours=1)),
            f"select stream, time // {HOUR} h, {figures} from {plain} where time >= {day * DAY}"
            f" and time < {(day + 1) * DAY} group by stream, h",
        ),
    }
    with duckdb.connect() as base:
        return {
            name: (_median(ours), _median(lambda text=peer: base.execute(text).fetchnumpy()))  # type: ignore[misc]
            for name, (ours, peer) in questions.items()
        }


def _median(work: Callable[[], Any]) -> float:
    taken = []
    for _ in range(5):
        began = time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


if __name__ == "__main__":
    modes: dict[str, Callable[..., dict[str, Any]]] = {"install": install, "fill": fill, "ask": ask}
    print(json.dumps(modes[sys.argv[1]](*sys.argv[2:])))
