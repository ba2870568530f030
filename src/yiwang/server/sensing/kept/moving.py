"""Observations that are older than a day move from the database into the files of the lake.

For a day (UTC) of a city: files are written with what the database has of it, over what older files say; then the day's row
names them, in one statement; then the database's rows that the files repeat are taken away, some streams at a time. Who is
killed in between leaves files that nobody names, or rows that the files repeat: whoever reads lets the row count, so nothing is
seen twice, and the next run goes on. What comes late for a day that has moved stays in the database until a run finds it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db import connection, transaction

from yiwang.core.kernel.instants import DAY, from_micros, to_micros
from yiwang.core.kernel.refusals import Unknown
from yiwang.core.observations import kept
from yiwang.core.observations.kept import NONE, Observed
from yiwang.core.observations.rollups import Rollups, merge, roll_up
from yiwang.server.sensing.kept import days as kept_days
from yiwang.server.sensing.kept import lake
from yiwang.server.sensing.models import KeptDay
from yiwang.server.sensing.writing import hold_states

log = logging.getLogger("yiwang.sensing")
Progress = Callable[[int, int], None]
STREAMS = 250  # whose rows are taken away in one transaction
DENSE = 4  # readings a minute from which roll-ups of minutes are worth their file
_TRIES = 5
SELECTED = (
    f"o.id, o.datastream_id, o.phenomenon_time, coalesce(o.phenomenon_end, {NONE}), o.value, o.result,"
    f" coalesce(o.result_time, {NONE}), o.received_time, o.quality, coalesce(o.feature_id, {NONE}), o.more"
)
Parts = dict[str, dict[str, str]]


@dataclass(slots=True)
class Moved:
    """What a run has done.

    Attributes:
        days: Days of which files were written.
        rows: Rows taken out of the database.
        dropped: Among them those of days of which single observations are no longer kept.
    """

    days: int = 0
    rows: int = 0
    dropped: int = 0


class Interrupted(Exception):
    """Somebody took observations away while files were being written, again and again."""


def move_days(city: str, *, before: datetime, progress: Progress = lambda _, __: None) -> Moved:
    """Move every whole day of a city that ended by ``before``.

    Args:
        city: City.
        before: A moment with an offset.
        progress: Takes the days that are done, and 0 for their unknown total.
    """
    moved = Moved()
    for done, day in enumerate(days_in_database(city, before=before), start=1):
        move_day(city, day, moved)
        progress(done, 0)
    return moved


def days_in_database(city: str, *, before: datetime) -> Iterator[int]:
    """The whole days that ended by a moment and of which the database has observations, in order."""
    end = to_micros(before) // DAY * DAY
    at: int | None = None
    while (first := _first_time(city, at, end)) is not None:
        yield first // DAY
        at = (first // DAY + 1) * DAY


def _first_time(city: str, at: int | None, end: int) -> int | None:
    """Time of the earliest observation from a moment on and before another: a look into the index for each stream."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(first) FROM (SELECT (SELECT min(o.phenomenon_time) FROM sensing_observation o"
            " WHERE o.datastream_id = d.id AND o.phenomenon_time >= %s) AS first"
            " FROM sensing_datastream d WHERE d.city = %s) AS firsts",
            [-(2**62) if at is None else at, city],
        )
        (first,) = cursor.fetchone()
    return first if first is not None and first < end else None


def move_day(city: str, day: int, moved: Moved) -> None:
    """Move a day of a city, given in days since 1970; what was done is added to ``moved``."""
    for _ in range(_TRIES):
        row = kept_days.begin(city, day)
        if row.files and lake.RAW not in row.files:
            moved.dropped += (gone := _take_away(city, day, None))
            moved.rows += gone
            return
        files, rows = _write_files(row)
        if files == row.files:
            break
        if kept_days.publish(row, files=files, rows=rows):
            moved.days += 1
            break
    else:
        raise Interrupted(f"{city} {lake.day_folder(day)}")
    moved.rows += _take_away(city, day, files)


def _write_files(row: KeptDay) -> tuple[Parts, int]:
    """New files for the buckets of which the database says anything new; all files of the day, and the observations in them."""
    files: Parts = {kind: dict(names) for kind, names in row.files.items()}
    total = row.rows
    for bucket in range(lake.BUCKETS):
        label = lake.bucket_of(bucket)
        later = _rows_of(row.city, row.day, "d.id %% %s = %s", [lake.BUCKETS, bucket])
        if not len(later):
            continue
        before = _raw(row.city, row.day, row.files, label)
        if kept.settled(before, later).size == len(later):
            continue
        rows = kept.merged(before, later)
        total += len(rows) - len(before)
        for kind, name in write_day(row.city, row.day, label, rows).items():
            files.setdefault(kind, {})[label] = name
    return files, total


def write_day(city: str, day: int, bucket: str, rows: Observed) -> dict[str, str]:
    """Write the observations of a bucket on a day, and their roll-ups; kind → name of the file.

    Minutes get a file only where it is shorter than the observations themselves, of which minutes can be made at any time.
    """
    where = lake.day_folder(day)
    names = {lake.RAW: lake.write_raw(city, where, bucket, rows)}
    for kind, found in rolled(rows).items():
        if kind != "minute" or len(rows) >= DENSE * len(found):
            names[kind] = lake.write_rollups(city, where, kind, bucket, found)
    return names


def rolled(rows: Observed) -> dict[str, Rollups]:
    """Roll-ups of each kind, each made of those of the shorter."""
    found: dict[str, Rollups] = {}
    shorter: Rollups | None = None
    for kind, step in lake.STEPS.items():
        shorter = (
            roll_up(rows.stream, rows.time, rows.value, rows.quality, step=step)
            if shorter is None
            else merge([shorter], step=step)
        )
        found[kind] = shorter
    return found


def _raw(city: str, day: int, files: Mapping[str, Mapping[str, str]], bucket: str | None = None) -> Observed:
    names = files.get(lake.RAW, {})
    parts = [lake.Part(name, (day,)) for label, name in names.items() if bucket in (None, label)]
    return lake.read_raw(city, parts, start=day * DAY, end=(day + 1) * DAY)


def _rows_of(city: str, day: int, which: str, given: Sequence[int]) -> Observed:
    """What the database has of a day for the streams that are meant."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {SELECTED} FROM sensing_observation o WHERE o.datastream_id IN"  # noqa: S608 - our own columns
            f" (SELECT d.id FROM sensing_datastream d WHERE d.city = %s AND {which})"
            " AND o.phenomenon_time >= %s AND o.phenomenon_time < %s",
            [city, *given, day * DAY, (day + 1) * DAY],
        )
        return as_columns(cursor.fetchall())


def as_columns(rows: Sequence[Sequence[object]]) -> Observed:
    """Rows of the database, with the columns of `SELECTED`, as columns; JSON in one spelling."""
    return kept.observed([(*row[:5], _spelt(row[5]), *row[6:10], _spelt(row[10])) for row in rows])


def _spelt(said: object) -> str:
    return "" if said is None else json.dumps(json.loads(str(said)), sort_keys=True, ensure_ascii=False)


def _take_away(city: str, day: int, files: Parts | None) -> int:
    """Take out of the database what the files repeat (all of the day's where there are none); how many rows."""
    gone = 0
    for bucket in range(lake.BUCKETS):
        label = lake.bucket_of(bucket)
        streams = _streams_with_rows(city, day, bucket)
        held = kept.observed([]) if files is None or not streams else _raw(city, day, files, label)
        for start in range(0, len(streams), STREAMS):
            part = streams[start : start + STREAMS]
            try:
                gone += _take_away_of(city, day, part, None if files is None else held)
            except Unknown:
                log.info("A datastream of %s went while its day was moved; the next run goes on", city)
    return gone


@transaction.atomic
def _take_away_of(city: str, day: int, streams: Sequence[int], held: Observed | None) -> int:
    """Nobody changes the rows in between: whoever writes observations holds the same states."""
    hold_states(streams)
    marks = ", ".join(["%s"] * len(streams))
    rows = _rows_of(city, day, f"d.id IN ({marks})", streams)
    ids = rows.id if held is None else kept.settled(held.only(np.isin(held.stream, streams)), rows)
    with connection.cursor() as cursor:
        if ids.size == len(rows):
            cursor.execute(
                f"DELETE FROM sensing_observation WHERE datastream_id IN ({marks})"  # noqa: S608 - marks only
                " AND phenomenon_time >= %s AND phenomenon_time < %s",
                [*streams, day * DAY, (day + 1) * DAY],
            )
        else:
            cursor.executemany("DELETE FROM sensing_observation WHERE id = %s", [[pk] for pk in ids.tolist()])
    return int(ids.size)


def _streams_with_rows(city: str, day: int, bucket: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT d.id FROM sensing_datastream d WHERE d.city = %s AND d.id %% %s = %s AND EXISTS"
            " (SELECT 1 FROM sensing_observation o WHERE o.datastream_id = d.id"
            " AND o.phenomenon_time >= %s AND o.phenomenon_time < %s) ORDER BY d.id",
            [city, lake.BUCKETS, bucket, day * DAY, (day + 1) * DAY],
        )
        return [pk for (pk,) in cursor.fetchall()]


def planned(city: str, *, before: datetime) -> list[dict[str, object]]:
    """What `move_days` would move, by day; nothing is written."""
    there = kept_days.published(city)
    found = []
    for day in days_in_database(city, before=before):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM sensing_observation o WHERE o.datastream_id IN"
                " (SELECT d.id FROM sensing_datastream d WHERE d.city = %s)"
                " AND o.phenomenon_time >= %s AND o.phenomenon_time < %s",
                [city, day * DAY, (day + 1) * DAY],
            )
            (rows,) = cursor.fetchone()
        found.append({"day": f"{from_micros(day * DAY):%Y-%m-%d}", "rows": rows, "again": day in there})
    return found
