"""Observations: each of them once, whatever comes twice, late, ahead of time or in disorder; from files as they really are."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.narrowing import present

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.instants import SECOND, from_micros, to_micros
from yiwang.core.kernel.refusals import Unknown
from yiwang.core.observations.quality import Quality
from yiwang.server.cities.queries import runtime
from yiwang.server.sensing.api import (
    Datastream,
    DatastreamState,
    Observation,
    Reading,
    StreamSaid,
    datastream_of,
    find_or_make,
    latest_of,
    load_readings,
    load_streams,
    series,
    write_observations,
)

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
RECEIVED = to_micros(NOW)
MINUTE = 60 * SECOND


@pytest.fixture
def level(mini: str) -> Datastream:
    """The water level of an underpass."""
    return make("underpass-1:level")


def make(key: str) -> Datastream:
    said = StreamSaid(key=key, name=key, observed="water level", unit="cm", lon=120.003, lat=31.003)
    return find_or_make(runtime("mini"), said)[0]


def at(minutes: float) -> int:
    return RECEIVED - 60 * MINUTE + round(minutes * MINUTE)


def write(*said: tuple[Datastream, float, float]) -> dict[str, int]:
    written = write_observations(
        [Reading(one.pk, at(minutes), value) for one, minutes, value in said], received=RECEIVED
    )
    return {
        "judged": len(written.judged),
        "new": written.new,
        "duplicates": written.duplicates,
        "corrected": written.corrected,
    }


def kept(stream: Datastream) -> list[tuple[int, float | None, int]]:
    rows = Observation.objects.filter(datastream=stream).order_by("phenomenon_time")
    return [((row.phenomenon_time - at(0)) // MINUTE, row.value, row.quality) for row in rows]


# --- one observation a moment ---------------------------------------------------------------------------------------------


def test_what_is_newer_goes_in_and_is_the_latest(level: Datastream) -> None:
    assert write((level, 1, 3.0), (level, 2, 4.0)) == {"judged": 2, "new": 2, "duplicates": 0, "corrected": 0}
    state = DatastreamState.objects.get(datastream=level)
    assert (state.first_time, state.last_time, state.value) == (at(1), at(2), 4.0)


def test_the_same_again_changes_nothing(level: Datastream) -> None:
    write((level, 1, 3.0), (level, 2, 4.0))
    assert write((level, 1, 3.0), (level, 2, 4.0), (level, 3, 5.0))["duplicates"] == 2
    assert kept(level) == [(1, 3.0, 0), (2, 4.0, 0), (3, 5.0, 0)]


def test_another_result_for_the_same_moment_corrects_it(level: Datastream) -> None:
    write((level, 1, 3.0), (level, 2, 4.0))
    assert write((level, 2, 4.5)) == {"judged": 0, "new": 0, "duplicates": 0, "corrected": 1}
    assert kept(level) == [(1, 3.0, 0), (2, 4.5, Quality.CORRECTED)]
    assert DatastreamState.objects.get(datastream=level).value == 4.5


def test_twice_in_one_batch(level: Datastream) -> None:
    assert write((level, 1, 3.0), (level, 1, 3.0), (level, 1, 3.5)) == {
        "judged": 1,
        "new": 1,
        "duplicates": 1,
        "corrected": 1,
    }
    assert kept(level) == [(1, 3.5, Quality.CORRECTED)]


def test_what_is_older_is_kept_and_is_not_the_latest(level: Datastream) -> None:
    write((level, 5, 3.0))
    assert write((level, 2, 1.0))["judged"] == 0
    assert kept(level) == [(2, 1.0, Quality.OUT_OF_ORDER), (5, 3.0, 0)]
    state = DatastreamState.objects.get(datastream=level)
    assert (state.first_time, state.last_time, state.value) == (at(2), at(5), 3.0)


def test_what_is_ahead_of_the_clock_is_kept_and_does_not_hide_what_comes_after(level: Datastream) -> None:
    write((level, 60 + 6, 9.0))
    assert write((level, 59, 3.0))["judged"] == 1
    assert kept(level) == [(59, 3.0, 0), (66, 9.0, Quality.FUTURE)]
    assert write((level, 66, 9.0))["duplicates"] == 1


def test_a_clock_that_is_a_little_ahead_is_right_enough(level: Datastream) -> None:
    assert write((level, 60 + 1, 3.0))["judged"] == 1


def test_words_and_truth_values(level: Datastream) -> None:
    write_observations(
        [Reading(level.pk, at(1), None, result="open"), Reading(level.pk, at(2), None, result=False)], received=RECEIVED
    )
    again = write_observations(
        [Reading(level.pk, at(2), None, result=False), Reading(level.pk, at(1), None, result="shut")], received=RECEIVED
    )
    assert (again.duplicates, again.corrected) == (1, 1)
    assert list(Observation.objects.order_by("phenomenon_time").values_list("value", "result")) == [
        (None, "shut"),
        (None, False),
    ]
    assert [one["value"] for one in latest_of("mini")] == [False]


def test_a_stream_that_there_is_not_writes_nothing(level: Datastream) -> None:
    with pytest.raises(Unknown, match="999999"):
        write_observations([Reading(level.pk, at(1), 1.0), Reading(999999, at(1), 1.0)], received=RECEIVED)
    assert not Observation.objects.exists()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 1), st.integers(50, 70), st.sampled_from([1.0, 2.0])), max_size=12),
        max_size=4,
    )
)
def test_any_order_and_any_batches_leave_the_last_word_for_each_moment(
    level: Datastream, batches: Sequence[Sequence[tuple[int, int, float]]]
) -> None:
    streams = [level, make("underpass-2:level")]
    Observation.objects.all().delete()
    DatastreamState.objects.update(first_time=None, last_time=None, value=None, result=None, received_time=None)
    obvious: dict[tuple[int, int], float] = {}
    for batch in batches:
        written = write(*((streams[one], minute, value) for one, minute, value in batch))
        assert sum(written.values()) - written["judged"] == len(batch)
        obvious |= {(one, minute): value for one, minute, value in batch}
    assert {(n, minute): value for n, one in enumerate(streams) for minute, value, _ in kept(one)} == obvious
    for n, one in enumerate(streams):
        known = [minute for stream, minute in obvious if stream == n and minute <= 62]
        state = DatastreamState.objects.get(datastream=one)
        assert state.last_time == (at(max(known)) if known else None)
        assert state.value == (obvious[n, max(known)] if known else None)
        assert state.first_time == (at(min(known)) if known else None)


@pytest.mark.parametrize(("key", "most"), [("level-1", 5), ("underpass-1:level", 7)])
def test_what_a_batch_costs(mini: str, django_assert_max_num_queries: object, key: str, most: int) -> None:
    """One look at the states, one insert, one update, however many readings; where rules judge, a look and a write more."""
    stream = make(key)
    runtime("mini")
    readings = [Reading(stream.pk, at(1) + n, n / 100) for n in range(40)]
    with django_assert_max_num_queries(most):  # type: ignore[operator]
        write_observations(readings, received=RECEIVED)


def test_a_series(level: Datastream) -> None:
    write(*((level, minute, float(minute)) for minute in range(10)))
    since, until = from_micros(at(3)), from_micros(at(6))
    assert [value for _, value, _ in series(level.pk, since=since, until=until)] == [3.0, 4.0, 5.0]


# --- files ----------------------------------------------------------------------------------------------------------------

STREAMS = """stream,name,lon,lat,what,unit,thing,least,greatest
u1:level,Underpass 1,120.003,31.003,water level,cm,u1,0,300
u1:rain,Rain at underpass 1,120.003,31.003,rain,mm,u1,,
far,Somewhere else,0,0,water level,cm,,,
"""
READINGS = """time,stream,value,unit
2026-03-01T08:00:00+08:00,u1:level,3.5,cm
2026-03-01T08:01:00+08:00,u1:level,0.04,m
2026-03-01T08:00:00+08:00,u1:rain,0.2,
2026-03-01T08:02:00,u1:level,5,cm
2026-03-01T08:03:00+08:00,u1:levle,5,cm
2026-03-01T08:04:00+08:00,u1:level,nan,cm
2026-03-01T08:05:00+08:00,u1:level,6,furlong2
2026-03-01T08:06:00+08:00,u1:level,7
"""


@pytest.fixture
def streams(mini: str, tmp_path: Path) -> Path:
    path = tmp_path / "streams.csv"
    path.write_text(STREAMS)
    return path


def test_a_file_of_streams(streams: Path) -> None:
    place = runtime("mini")
    assert load_streams(place, streams).new == 3
    level = datastream_of(city="mini", key="u1:level")
    rain = datastream_of(city="mini", key="u1:rain")
    assert level.thing_id == rain.thing_id
    assert (level.least, level.greatest, level.unit["symbol"]) == (0.0, 300.0, "cm")
    here = level.thing.locations.get()
    assert (here.lon, here.lat, bool(here.region)) == (120.003, 31.003, True)
    assert datastream_of(city="mini", key="far").thing.locations.get().region == ""
    again = load_streams(place, streams)
    assert (again.new, again.duplicates) == (0, 3)
    assert level.thing.historical_locations.count() == 1


def test_rows_of_streams_that_cannot_be_used_are_named(mini: str, tmp_path: Path) -> None:
    path = tmp_path / "streams.csv"
    path.write_text("stream,name,lon,lat\na,A,200,31\na,B,120,31\n,C,120,31\n")
    loaded = load_streams(runtime("mini"), path)
    assert [(one.row, one.column) for one in loaded.problems] == [(2, "lon"), (3, "stream"), (4, "stream")]


def test_a_file_of_readings_is_taken_up_once_and_its_faults_are_named(streams: Path, tmp_path: Path) -> None:
    place = runtime("mini")
    load_streams(place, streams)
    path = tmp_path / "readings.csv.gz"
    path.write_bytes(gzip.compress(READINGS.encode()))
    loaded = load_readings(place, path, now=NOW)
    assert (loaded.rows, loaded.new, loaded.refused) == (8, 3, 5)
    assert [(one.row, one.column) for one in loaded.problems] == [
        (5, "time"), (6, "stream"), (7, "value"), (8, "unit"), (9, ""),
    ]  # fmt: skip
    assert "u1:level" in loaded.problems[1].text.into("zh")
    level = datastream_of(city="mini", key="u1:level")
    assert [value for _, value, _ in series(level.pk)] == [3.5, pytest.approx(4.0)]
    again = load_readings(place, path, now=NOW + timedelta(days=1))
    assert (again.new, again.duplicates) == (0, 3)


def test_a_file_of_readings_as_parquet(streams: Path, tmp_path: Path) -> None:
    place = runtime("mini")
    load_streams(place, streams)
    path = tmp_path / "readings.parquet"
    table = duckdb.sql(
        "SELECT TIMESTAMPTZ '2026-03-01 00:00:00+00' + to_minutes(i::int) AS time, 'u1:level' AS stream, i + 0.5 AS value"
        " FROM range(50000) t(i)"
    )
    present(table).write_parquet(str(path))
    assert load_readings(place, path, now=NOW + timedelta(days=60)).new == 50_000
    rows = series(datastream_of(city="mini", key="u1:level").pk, most=3)
    assert next((moment.isoformat(), value) for moment, value, _ in rows) == ("2026-03-01T00:00:00+00:00", 0.5)


@pytest.mark.parametrize(("name", "content"), [("a.csv", "when,stream,value\n1,2,3\n"), ("a.parquet", "no parquet")])
def test_a_file_that_is_none(mini: str, tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(BadInput, match=name):
        load_readings(runtime("mini"), path, now=NOW)


def test_a_table_of_observations_has_one_index_that_grows(mini: str) -> None:
    """Each further index of the largest table is paid for with every reading."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, "sensing_observation")
    indexes = {tuple(one["columns"]) for one in found.values() if one["index"] or one["unique"] or one["primary_key"]}
    assert indexes == {("id",), ("datastream_id", "phenomenon_time"), ("feature_id",)}
    assert present(Observation._meta.get_field("value"))
