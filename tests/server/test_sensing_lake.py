"""Observations in the database and in the lake together are those that were written, whatever came when and moved when."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.server.sensing_city import underpass

from yiwang.cli import main
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.instants import DAY, SECOND, from_micros, to_micros
from yiwang.core.kernel.refusals import Conflict
from yiwang.core.observations.quality import Quality
from yiwang.core.observations.rollups import HOUR
from yiwang.packs.sensing import Keep
from yiwang.server.cities.queries import runtime
from yiwang.server.sensing.api import (
    Datastream,
    DatastreamState,
    KeptDay,
    Observation,
    Reading,
    change_observation,
    delete_observations,
    keep_city,
    rollup_of,
    series,
    series_points,
    try_rules,
    write_observations,
)
from yiwang.server.sensing.kept import days as kept_days
from yiwang.server.sensing.kept import keeping, lake, moving, reading

pytestmark = pytest.mark.django_db
FIRST = datetime(2026, 1, 30, tzinfo=UTC)
START = to_micros(FIRST)
QUARTER = 900 * SECOND
NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Any) -> Path:
    settings.YIWANG_HOME = tmp_path
    return tmp_path


@pytest.fixture
def streams(mini: str) -> list[Datastream]:
    return [underpass(str(number)) for number in range(3)]


def write(stream: Datastream, *said: tuple[int, float], received: int | None = None) -> None:
    """Readings of so many quarter hours after the beginning, which arrive at once or when it is said."""
    for quarter, value in said:
        at = START + quarter * QUARTER
        write_observations([Reading(stream.pk, at, value)], received=received or at, judge=False)


def fill(streams: Sequence[Datastream], days: int = 3) -> None:
    readings = [
        Reading(stream.pk, START + quarter * QUARTER, float((quarter * 7 + place * 11) % 50))
        for quarter in range(0, days * 96, 4)
        for place, stream in enumerate(streams)
    ]
    write_observations(readings, received=START + days * DAY, judge=False)


def shown(stream: Datastream) -> list[tuple[int, float | None, int]]:
    return [((to_micros(at) - START) // QUARTER, value, quality) for at, value, quality in series(stream.pk)]


def move(days: int = 60) -> moving.Moved:
    return moving.move_days("mini", before=FIRST + timedelta(days=days))


def everything(streams: Sequence[Datastream], width: int = 4 * HOUR) -> list[Any]:
    """All that pages ask of the streams."""
    return [
        [shown(one) for one in streams],
        [series_points(one.pk, start=START, end=START + 3 * DAY, width=width) for one in streams],
    ]


# --- moving changes nothing that anybody sees -----------------------------------------------------------------------------


@pytest.mark.parametrize("width", [4 * HOUR, DAY, HOUR, 3600 * SECOND // 60, 777 * SECOND, 4 * DAY])
def test_what_moves_looks_the_same(streams: list[Datastream], width: int) -> None:
    fill(streams)
    before = everything(streams, width)
    count = Observation.objects.count()
    moved = move(2)
    assert (moved.days, moved.rows, moved.dropped) == (2, count * 2 // 3, 0)
    assert Observation.objects.count() == count // 3
    assert everything(streams, width) == before
    assert move(2) == moving.Moved()
    keeping.compact("mini", now=NOW)
    assert everything(streams, width) == before


def test_all_columns_come_back(streams: list[Datastream]) -> None:
    said = Reading(
        streams[0].pk, START, None, result={"状态": [1, None, "积水"]}, end=START + 5, result_time=START + 7,
        more={"parameters": {"b": 1, "a": "é"}}, quality=int(Quality.STUCK),
    )  # fmt: skip
    write_observations([said, Reading(streams[0].pk, START + 1, 0.1)], received=START + 9, judge=False)
    pk = Observation.objects.order_by("phenomenon_time").values_list("id", flat=True)[0]
    move()
    found = reading.observations(streams[0].pk)
    assert (found.id[0], found.end[0], found.result_time[0]) == (pk, START + 5, START + 7)
    assert (found.received[0], found.quality[0]) == (START + 9, Quality.STUCK)
    assert json.loads(found.result[0]) == said.result
    assert json.loads(found.more[0]) == said.more
    assert np.isnan(found.value[0])
    assert found.value[1] == 0.1


def test_the_files_are_ordinary_parquet_and_sorted(streams: list[Datastream], home: Path) -> None:
    fill(streams)
    move()
    files = home / "lake" / "observations" / "city=mini" / "day=2026-01-30"
    rows = (
        duckdb.connect()
        .execute(f"select stream, time from read_parquet('{files}/raw.*') where stream = {streams[1].pk}")
        .fetchall()
    )
    assert len(rows) == 24
    assert rows == sorted(rows)


# --- what comes late ------------------------------------------------------------------------------------------------------


def test_late_data_are_seen_at_once_and_rewrite_their_day(streams: list[Datastream]) -> None:
    stream = streams[0]
    write(stream, (0, 1.0), (4, 2.0), (200, 3.0))
    move()
    late = START + 90 * DAY
    write(stream, (4, 2.0), (0, 9.0), (2, 5.0), received=late)  # the same again, a correction, and one that was missing
    marks = int(Quality.LATE | Quality.OUT_OF_ORDER)
    expected = [(0, 9.0, int(Quality.CORRECTED)), (2, 5.0, marks), (4, 2.0, 0), (200, 3.0, 0)]
    assert shown(stream) == expected
    points = series_points(stream.pk, start=START, end=START + DAY, width=DAY)
    assert points == [(0, 3, 16.0 / 3, 2.0, 9.0)]
    moved = move()
    assert (moved.days, moved.rows, Observation.objects.count()) == (1, 3, 0)
    assert shown(stream) == expected
    assert series_points(stream.pk, start=START, end=START + DAY, width=DAY) == points
    assert KeptDay.objects.get(day=START // DAY).rows == 3


def test_a_day_that_only_repeats_is_not_written_again(streams: list[Datastream]) -> None:
    write(streams[0], (0, 1.0), (4, 2.0))
    move()
    files = KeptDay.objects.get().files
    write(streams[0], (0, 1.0), received=START + 9 * DAY)
    assert move() == moving.Moved(days=0, rows=1, dropped=0)
    assert KeptDay.objects.get().files == files


def test_back_to_the_first_value_stays_marked(streams: list[Datastream]) -> None:
    write(streams[0], (0, 1.0), (4, 2.0))
    move()
    write(streams[0], (0, 3.0), (0, 1.0), received=START + 9 * DAY)
    assert shown(streams[0])[0] == (0, 1.0, int(Quality.CORRECTED))
    move()
    assert shown(streams[0])[0] == (0, 1.0, int(Quality.CORRECTED))


def test_late_data_in_a_month_that_was_made_one_file(streams: list[Datastream]) -> None:
    fill(streams, days=3)  # 30 January to 1 February
    move()
    assert keeping.compact("mini", now=NOW) > 0
    names = KeptDay.objects.get(day=START // DAY).files
    assert all(name.startswith("month=2026-01/") for of in names.values() for name in of.values())
    write(streams[0], (1, 77.0), received=START + 80 * DAY)
    before = everything(streams)
    move()
    assert everything(streams) == before
    found = rollup_of(runtime("mini"), since=FIRST, until=FIRST + timedelta(days=2), step=timedelta(days=1))
    assert found.count.tolist() == [25, 24, 24, 24, 24, 24]
    assert found.greatest[0] == 77.0


# --- taking away ----------------------------------------------------------------------------------------------------------


def test_single_observations_of_a_day_in_the_lake_are_not_taken_away(streams: list[Datastream]) -> None:
    write(streams[0], (0, 1.0), (100, 2.0))
    move()
    write(streams[0], (0, 5.0), received=START + 9 * DAY)
    pk = Observation.objects.get().pk
    with pytest.raises(Conflict):
        delete_observations(pk=pk)
    with pytest.raises(Conflict):
        change_observation(pk, {"phenomenon_time": START + 50 * DAY})
    change_observation(pk, {"value": 6.0})
    assert shown(streams[0])[0][:2] == (0, 6.0)


def test_one_that_is_taken_away_while_its_day_moves_does_not_come_back(
    streams: list[Datastream], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(streams[0], (0, 1.0), (1, 2.0))
    pk = Observation.objects.order_by("phenomenon_time").first()
    assert pk is not None
    written = lake.write_raw

    def interrupted(*arguments: Any) -> str:
        monkeypatch.setattr(lake, "write_raw", written)
        delete_observations(pk=pk.pk)
        return written(*arguments)

    monkeypatch.setattr(lake, "write_raw", interrupted)
    move()
    assert [row[:2] for row in shown(streams[0])] == [(1, 2.0)]
    assert Observation.objects.count() == 0


def test_a_correction_that_comes_while_its_day_moves_is_not_lost(
    streams: list[Datastream], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(streams[0], (0, 1.0), (1, 2.0))
    written = lake.write_raw

    def interrupted(*arguments: Any) -> str:
        monkeypatch.setattr(lake, "write_raw", written)
        write(streams[0], (0, 8.0), received=START + QUARTER)
        return written(*arguments)

    monkeypatch.setattr(lake, "write_raw", interrupted)
    move()
    assert shown(streams[0]) == [(0, 8.0, int(Quality.CORRECTED)), (1, 2.0, 0)]
    assert Observation.objects.count() == 1  # of the next run
    move()
    assert shown(streams[0]) == [(0, 8.0, int(Quality.CORRECTED)), (1, 2.0, 0)]
    assert Observation.objects.count() == 0


def test_the_state_of_a_stream_knows_what_lies_in_the_lake(streams: list[Datastream]) -> None:
    write(streams[0], (0, 1.0), (96, 2.0), (300, 3.0))
    move(2)
    delete_observations(phenomenon_time=START + 300 * QUARTER)
    state = DatastreamState.objects.get(datastream=streams[0])
    assert (state.first_time, state.last_time, state.value) == (START, START + 96 * QUARTER, 2.0)


# --- how long -------------------------------------------------------------------------------------------------------------


def test_what_is_no_longer_kept_leaves_its_roll_ups(streams: list[Datastream], home: Path) -> None:
    fill(streams)
    move()
    whole = [series_points(one.pk, start=START, end=START + 3 * DAY, width=HOUR) for one in streams]
    rule = Keep(days_in_database=1, raw_days=5, minute_days=10, hour_days=20)
    later = FIRST + timedelta(days=1)
    assert keeping.expire("mini", rule, now=later + timedelta(days=5)) == 1
    assert set(KeptDay.objects.get(day=START // DAY).files) == {"minute", "hour", "day"}
    minutes = series_points(streams[0].pk, start=START, end=START + DAY, width=60 * SECOND)
    assert len(minutes) == 24
    assert series(streams[0].pk)[0][0] == from_micros(START + DAY)
    assert [series_points(one.pk, start=START, end=START + 3 * DAY, width=HOUR) for one in streams] == whole
    assert keeping.expire("mini", rule, now=later + timedelta(days=30)) == 6
    assert {name for row in KeptDay.objects.all() for name in row.files} == {"day"}
    assert series_points(streams[0].pk, start=START, end=START + DAY, width=HOUR)[0][:2] == (0, 24)
    assert lake.sweep("mini", named=kept_days.all_names("mini")) == 0, "somebody may still be reading"
    assert lake.sweep("mini", named=kept_days.all_names("mini"), at=NOW.timestamp() + 10**9) > 0
    assert series_points(streams[0].pk, start=START, end=START + DAY, width=DAY)[0][1] == 24
    write(streams[0], (1, 5.0), received=START + 60 * DAY)
    assert series(streams[0].pk) == []
    assert move() == moving.Moved(days=0, rows=1, dropped=1)


def test_a_city_without_a_rule_keeps_all_and_the_job_is_asked_for_once_a_day(
    streams: list[Datastream], monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(streams)
    assert keeping.ask_all(at=NOW) == 0
    with pytest.raises(BadInput, match="keep"):
        keep_city(runtime("mini"), now=NOW)
    policy = runtime("mini").pack.sensing
    monkeypatch.setitem(policy.__dict__, "keep", Keep(days_in_database=30))
    assert [keeping.ask_all(at=NOW), keeping.ask_all(at=NOW)] == [1, 0]
    from yiwang.server.common.app import jobs
    from yiwang.server.common.models import Job

    done = jobs()[keeping.KIND](Job.objects.get(), lambda _, __: None)
    assert (done["days"], done["rows"]) == (3, 216)
    assert Observation.objects.count() == 0


# --- who asks -------------------------------------------------------------------------------------------------------------


def test_the_dry_run_judges_both(streams: list[Datastream]) -> None:
    fill(streams)
    before = list(try_rules(runtime("mini"), now=NOW))
    move(2)
    after = list(try_rules(runtime("mini"), now=NOW))
    assert after == before
    assert {one.readings for one in after} == {72}


def test_roll_ups_of_a_region(streams: list[Datastream]) -> None:
    fill(streams)
    place = runtime("mini")
    asked = partial(rollup_of, place, since=FIRST, until=FIRST + timedelta(days=3), step=timedelta(hours=6))
    before = asked()
    assert len(before) == 3 * 12
    move(2)
    code = streams[0].thing.locations.get().region
    after = asked(region=code)
    assert {name: column.tolist() for name, column in vars_of(after).items()} == {
        name: column.tolist() for name, column in vars_of(before).items()
    }
    assert len(asked(region="nowhere")) == 0
    assert set(asked(streams=[streams[1].pk, 10**9]).stream.tolist()) == {streams[1].pk}
    with pytest.raises(ValueError, match="step"):
        rollup_of(place, since=FIRST, until=NOW, step=timedelta(0))


def vars_of(found: Any) -> dict[str, Any]:
    return {name: getattr(found, name) for name in ("stream", "start", "count", "total", "first", "last", "unjudged")}


def run(*arguments: str) -> Any:
    result = CliRunner().invoke(main, ["sensing", "keep", "mini", *arguments, "--json"])
    return json.loads(result.output) if result.exit_code == 0 else result


def test_by_the_command_line(streams: list[Datastream]) -> None:
    fill(streams)
    planned = run("--before", "2026-02-01", "--dry-run")
    assert planned == [
        {"day": "2026-01-30", "rows": 72, "again": False},
        {"day": "2026-01-31", "rows": 72, "again": False},
    ]
    assert Observation.objects.count() == 216
    assert run("--before", "2026-02-01")["rows"] == 144
    assert run("--before", "2026-02-01", "--dry-run") == []
    for wrong, word in (("2999-01-01", "not come"), ("soon", "2026-03-01")):
        refused = run("--before", wrong)
        assert refused.exit_code != 0
        assert word in refused.output + str(refused.exception)
    assert run().exit_code != 0


# --- whatever the order ---------------------------------------------------------------------------------------------------

STEP = st.one_of(
    st.tuples(st.just("write"), st.integers(0, 2), st.integers(0, 300), st.integers(0, 3)),
    st.tuples(st.just("move"), st.integers(1, 5), st.just(0), st.just(0)),
    st.tuples(st.just("compact"), st.just(0), st.just(0), st.just(0)),
)


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, max_size=25))
def test_both_together_are_what_was_written(streams: list[Datastream], steps: list[tuple[str, int, int, int]]) -> None:
    """The oracle: a stream has one value a moment, the last one that was written, marked where there was another before."""
    Observation.objects.all().delete()
    KeptDay.objects.all().delete()
    DatastreamState.objects.update(
        first_time=None, last_time=None, value=None, result=None, received_time=None, first_result_time=None,
        last_result_time=None,
    )  # fmt: skip
    known: list[dict[int, tuple[float, bool]]] = [{}, {}, {}]
    for what, one, quarter, value in steps:
        if what == "move":
            move(one)
        elif what == "compact":
            keeping.compact("mini", now=NOW)
        else:
            write(streams[one], (quarter, float(value)), received=START + 4 * DAY)
            before = known[one].get(quarter)
            corrected = before is not None and (before[1] or before[0] != value)
            known[one][quarter] = (float(value), corrected)
    for stream, said in zip(streams, known, strict=True):
        found = [(at, value, bool(quality & Quality.CORRECTED)) for at, value, quality in shown(stream)]
        assert found == [(at, *said[at]) for at in sorted(said)]
        points = series_points(stream.pk, start=START, end=START + 4 * DAY, width=HOUR)
        hours = {at // 4 for at in said}
        assert [(at, count) for at, count, *_ in points] == [
            (hour, sum(at // 4 == hour for at in said)) for hour in sorted(hours)
        ]
