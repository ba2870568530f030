"""Observations and roll-ups wherever they lie: the newest in the database, older ones in the lake.

The database is always asked first, in one statement, and the days in the lake afterwards. What had been taken out of the database
by then is in the files that the days name; what is in both counts once, see `yiwang.core.observations.kept`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from math import gcd
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import Max, Min

from yiwang.core.kernel.instants import DAY
from yiwang.core.observations import kept, rollups
from yiwang.core.observations.kept import Observed
from yiwang.core.observations.quality import NOT_JUDGED
from yiwang.core.observations.rollups import Rollups, coarsest, merge, roll_up
from yiwang.server.sensing.kept import days as kept_days
from yiwang.server.sensing.kept import lake
from yiwang.server.sensing.kept.days import Published
from yiwang.server.sensing.kept.lake import Part
from yiwang.server.sensing.kept.moving import SELECTED, as_columns
from yiwang.server.sensing.models import Observation

_ROLLED = (
    "WITH found AS (SELECT datastream_id AS stream, phenomenon_time / %s AS day,"
    " (phenomenon_time - %s) / %s AS point, min(phenomenon_time) AS start, count(value) AS n,"
    " sum(value) AS total, min(value) AS least, max(value) AS greatest,"
    " min(CASE WHEN value IS NOT NULL THEN phenomenon_time END) AS first_at,"
    " max(CASE WHEN value IS NOT NULL THEN phenomenon_time END) AS last_at,"
    " sum(CASE WHEN quality & %s <> 0 THEN 1 ELSE 0 END) AS unjudged FROM sensing_observation"
    " WHERE datastream_id IN ({marks}) AND phenomenon_time >= %s AND phenomenon_time < %s"
    " GROUP BY datastream_id, 2, 3)"
    " SELECT stream, start, n, coalesce(total, 0), least, greatest, a.value, b.value, unjudged FROM found"
    " LEFT JOIN sensing_observation a ON a.datastream_id = stream AND a.phenomenon_time = first_at"
    " LEFT JOIN sensing_observation b ON b.datastream_id = stream AND b.phenomenon_time = last_at"
)
_WIDEST = 64 * DAY
_STREAMS = 2000  # named in one statement
_EARLIEST, _LATEST = -4_000_000 * DAY, 4_000_000 * DAY  # some eleven thousand years


def observations(stream: int, *, start: int | None = None, end: int | None = None) -> Observed:
    """The observations of a datastream from ``start`` and before ``end`` (microseconds), the earliest first."""
    low, high = _EARLIEST if start is None else start, _LATEST if end is None else end
    city = kept_days.city_of(stream)
    later = _in_database([stream], low, high)
    days = kept_days.published(city, first=low // DAY, last=high // DAY)
    return kept.merged(_in_lake(city, days.values(), [stream], low, high), _of_raw_days(later, days))


def walk(stream: int, *, start: int | None = None, end: int | None = None, latest: bool = False) -> Iterator[Observed]:
    """The observations of a datastream from ``start`` and before ``end`` (microseconds), some days at a time, more of them
    each time; the earliest days first, or the latest. Those of each part are in ascending order."""
    asked = Observation.objects.filter(datastream=stream).aggregate(
        first=Min("phenomenon_time"), last=Max("phenomenon_time")
    )
    low, high = (_LATEST, _EARLIEST) if asked["first"] is None else (asked["first"], asked["last"] + 1)
    days = kept_days.span([kept_days.city_of(stream)])
    if days is not None:
        low, high = min(low, days[0] * DAY), max(high, (days[1] + 1) * DAY)
    low, high = max(low, low if start is None else start), min(high, high if end is None else end)
    width = DAY
    while low < high:
        part = (max(low, high - width), high) if latest else (low, min(high, low + width))
        yield observations(stream, start=part[0], end=part[1])
        low, high = (low, part[0]) if latest else (part[1], high)
        width = min(2 * width, _WIDEST)


def _of_raw_days(later: Observed, days: dict[int, Published]) -> Observed:
    """Without what came late for days of which single observations are no longer kept."""
    closed = [day for day, one in days.items() if lake.RAW not in one.files]
    return later.only(~np.isin(later.time // DAY, closed)) if closed else later


def _in_lake(city: str, days: Iterable[Published], streams: Collection[int], start: int, end: int) -> Observed:
    parts = kept_days.parts_of(days, lake.RAW, {lake.bucket_of(one) for one in streams})
    return lake.read_raw(city, parts, streams=streams, start=start, end=end)


def _in_database(streams: Sequence[int], start: int, end: int) -> Observed:
    marks = ", ".join(["%s"] * len(streams))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {SELECTED} FROM sensing_observation o WHERE o.datastream_id IN ({marks})"  # noqa: S608 - our own columns
            " AND o.phenomenon_time >= %s AND o.phenomenon_time < %s",
            [*streams, start, end],
        )
        return as_columns(cursor.fetchall())


# --- roll-ups -------------------------------------------------------------------------------------------------------------


def rolled_up(city: str, streams: Sequence[int], *, start: int, end: int, width: int) -> Rollups:
    """Roll-ups of datastreams of a city, of ``width`` microseconds each, from ``start`` and before ``end``.

    Made of the longest roll-ups that fit into the points. Where a day has only longer ones left, each stands in the point in
    which it begins. A point without readings is left out.
    """
    fresh = _rolled_in_database(streams, start, end, width)
    days = kept_days.published(city, first=start // DAY, last=(end - 1) // DAY)
    clean, mixed = _split(fresh, days)
    parts = [clean, *_rolled_in_lake(city, days.values(), streams, start, end, width, without=mixed)]
    if mixed:
        both = _of_both(city, mixed, start, end)
        if both is None:
            return rolled_up(city, streams, start=start, end=end, width=width)
        parts.append(roll_up(both.stream, both.time, both.value, both.quality, step=width, origin=start))
    return merge(parts, step=width, origin=start)


def _split(fresh: Rollups, days: Mapping[int, Published]) -> tuple[Rollups, dict[int, list[int]]]:
    """The database's roll-ups of days that only it has, and by day the streams that have observations in both."""
    at = fresh.start // DAY
    in_lake = np.isin(at, list(days))
    mixed: dict[int, list[int]] = defaultdict(list)
    for day, stream in sorted(set(zip(at[in_lake].tolist(), fresh.stream[in_lake].tolist(), strict=True))):
        if lake.RAW in days[day].files:
            mixed[day].append(stream)
    return fresh.only(~in_lake), dict(mixed)


def _rolled_in_database(streams: Sequence[int], start: int, end: int, width: int) -> Rollups:
    """Parts of points, none of which crosses midnight; each begins with its first observation."""
    rows: list[Sequence[Any]] = []
    with connection.cursor() as cursor:
        for begin in range(0, len(streams), _STREAMS):
            part = streams[begin : begin + _STREAMS]
            cursor.execute(
                _ROLLED.format(marks=", ".join(["%s"] * len(part))),
                [DAY, start, width, int(NOT_JUDGED), *part, start, end],
            )
            rows += cursor.fetchall()
    if not rows:
        return rollups.nothing()
    named = zip(rollups.COLUMNS, zip(*rows, strict=True), strict=True)
    columns: dict[str, Any] = {name: np.array(column, rollups.kind_of(name)) for name, column in named}
    return Rollups(**columns)


def _rolled_in_lake(
    city: str, days: Iterable[Published], streams: Sequence[int], start: int, end: int, width: int,
    *, without: Mapping[int, Collection[int]],
) -> Iterator[Rollups]:  # fmt: skip
    buckets = {lake.bucket_of(one) for one in streams}
    for kind, parts in _chosen(days, buckets, start, end, width).items():
        if kind == lake.RAW:
            rows = lake.read_raw(city, parts, streams=streams, start=start, end=end)
            found = roll_up(rows.stream, rows.time, rows.value, rows.quality, step=1)
        else:
            found = lake.read_rollups(city, parts, streams=streams, start=start, end=end)
        for day, of in without.items():
            found = found.only((found.start // DAY != day) | ~np.isin(found.stream, list(of)))
        yield found


def _chosen(
    days: Iterable[Published], buckets: Collection[str], start: int, end: int, width: int
) -> dict[str, list[Part]]:
    """The files to read by kind: for each day and bucket the longest roll-ups that fit, or the shortest of those left."""
    found: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    whole = gcd(width, end - start)
    for one in days:
        for bucket in buckets:
            kinds = {kind: names[bucket] for kind, names in one.files.items() if bucket in names}
            if not kinds:
                continue
            steps = {lake.STEPS[kind]: kind for kind in kinds if kind != lake.RAW}
            longest = coarsest(start=start, width=whole, kept=steps)
            kind = steps[longest] if longest else lake.RAW if lake.RAW in kinds else steps[min(steps)]
            found[kind][kinds[kind]].append(one.day)
    return {kind: [Part(name, tuple(held)) for name, held in names.items()] for kind, names in found.items()}


def _of_both(city: str, mixed: Mapping[int, Collection[int]], start: int, end: int) -> Observed | None:
    """Observations of streams on days of which both have some; None where those in the lake have just gone."""
    first, last = min(mixed), max(mixed)
    low, high = max(start, first * DAY), min(end, (last + 1) * DAY)
    streams = sorted({one for of in mixed.values() for one in of})
    later = _in_database(streams, low, high)
    days = kept_days.published(city, first=first, last=last)
    if any(lake.RAW not in days[day].files for day in mixed):
        return None
    both = kept.merged(_in_lake(city, [days[day] for day in mixed], streams, low, high), later)
    wanted = np.zeros(len(both), np.bool_)
    for day, of in mixed.items():
        wanted |= (both.time // DAY == day) & np.isin(both.stream, list(of))
    return both.only(wanted)
