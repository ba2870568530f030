"""Readings are judged in the transaction that writes them; silence by the clock; a file of the past raises nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.server.sensing_city import at, read, turns, underpass

from yiwang.core.kernel.instants import SECOND, to_micros
from yiwang.core.observations.detecting import detector
from yiwang.server.cities.queries import runtime
from yiwang.server.sensing.api import (
    Alarm,
    AlarmState,
    Observation,
    Reading,
    StreamSaid,
    find_or_make,
    load_readings,
    tick_silences,
    write_observations,
)

pytestmark = pytest.mark.django_db
RAISED, WORSENED, EASED, CLEARED = "raised", "worsened", "eased", "cleared"


def water() -> list[str]:
    return [turn for condition, turn, _, _ in turns() if condition == "underpass_water"]


def test_an_alarm_rises_worsens_eases_and_clears(mini: str) -> None:
    stream = underpass()
    for minute, value in enumerate([1, 6, 16, 30, 20, 10, 2]):
        read(stream, minute, value)
    assert water() == [RAISED, WORSENED, WORSENED, EASED, EASED, CLEARED]
    alarm = Alarm.objects.filter(turn=CLEARED).get()
    assert (alarm.peak, alarm.value, alarm.version) == (30, 2, 1)
    assert (alarm.time - alarm.since) == 5 * 60 * SECOND
    assert "已恢复正常" in alarm.why["zh"]
    assert "back to normal" in alarm.why["en"]
    assert alarm.region.startswith("90")


def test_a_stream_in_another_unit_is_converted(mini: str) -> None:
    stream = underpass(unit="m")
    read(stream, 0, 0.10)
    read(stream, 1, 0.20)
    assert water() == [RAISED, WORSENED]
    assert Alarm.objects.order_by("id").first().value == pytest.approx(10)  # type: ignore[union-attr]


def test_a_stream_in_a_unit_of_another_kind_is_not_judged(mini: str) -> None:
    read(underpass(unit="kg"), 0, 90)
    assert water() == []


def test_what_is_not_declared_costs_no_statement(mini: str) -> None:
    said = StreamSaid(key="bin-1", name="bin-1", observed="fill", unit="%")
    other = find_or_make(runtime("mini"), said)[0]
    declared = underpass()
    counts = []
    for stream in (other, declared):
        read(stream, 0, 1)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            read(stream, 1, 1)
        counts.append(len([one for one in queries if "alarm" in one["sql"]]))
    assert counts[0] == 0 < counts[1]


def test_a_transaction_that_is_rolled_back_leaves_no_alarm_and_is_judged_again(mini: str) -> None:
    stream = underpass()
    read(stream, 0, 6)
    with transaction.atomic():
        read(stream, 1, 16)
        transaction.set_rollback(True)
    assert water() == [RAISED]
    read(stream, 1, 16)
    assert water() == [RAISED, WORSENED]


def test_twice_in_one_batch_and_out_of_order_is_judged_once(mini: str) -> None:
    stream = underpass()
    when = to_micros(at(0))
    rows = [Reading(stream.pk, when, 6.0), Reading(stream.pk, when, 6.0), Reading(stream.pk, when - SECOND, 30.0)]
    write_observations(rows, received=when)
    write_observations(rows, received=when)
    assert water() == [RAISED]


def test_silence_is_raised_by_the_clock_at_the_moment_when_it_was_long_enough(mini: str) -> None:
    stream = underpass()
    read(stream, 0, 1)
    assert tick_silences(at=at(60)) == 0
    assert tick_silences(at=at(95)) == 1
    assert tick_silences(at=at(96)) == 0
    alarm = Alarm.objects.get()
    assert (alarm.condition, alarm.turn, alarm.time) == ("underpass_silent", RAISED, to_micros(at(60)))
    read(stream, 100, 1)
    assert turns()[-1][:2] == ("underpass_silent", CLEARED)


def test_a_file_of_the_past_raises_nothing(mini: str, tmp_path: Path) -> None:
    underpass()
    file = tmp_path / "past.csv"
    file.write_text("time,stream,value\n2026-03-01T00:00:00+08:00,underpass-1,40\n", encoding="utf-8")
    assert load_readings(runtime("mini"), file, now=at(0)).new == 1
    assert Observation.objects.count() == 1
    assert turns() == []


def test_a_rule_that_has_changed_begins_anew_and_ends_what_stood(mini: str) -> None:
    stream = underpass()
    read(stream, 0, 6)
    AlarmState.objects.filter(condition="underpass_water").update(digest="former")
    read(stream, 1, 7)
    assert water() == [RAISED, CLEARED, RAISED]
    assert "规则已修改" in Alarm.objects.get(turn=CLEARED).why["zh"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    readings=st.lists(st.tuples(st.integers(1, 90), st.sampled_from([0, 4, 5, 11, 15, 20, 27, 40])), max_size=30),
    cuts=st.sets(st.integers(0, 30)),
)
def test_batches_and_restarts_give_what_one_detector_gives(
    mini: str, readings: list[tuple[int, int]], cuts: set[int]
) -> None:
    """State goes through the database between batches; a detector that lives on must find the same."""
    Alarm.objects.all().delete()
    Observation.objects.all().delete()
    AlarmState.objects.all().delete()
    stream = underpass(f"h{Alarm.objects.count()}-{id(readings)}-{len(readings)}")
    rules = runtime("mini").pack.sensing.alarms
    expected, batch, minute = [], [], 0
    judges = [detector(rule.condition, stream=stream.key) for rule in rules.values()]
    for number, (gap, value) in enumerate(readings):
        minute += gap
        moment = to_micros(at(minute))
        batch.append(Reading(stream.pk, moment, float(value)))
        for judge in judges:
            expected += [
                (one.condition, one.turn.value, round(one.time * SECOND), one.peak)
                for one in judge.feed(moment / SECOND, value)
            ]
        if number in cuts:
            write_observations(batch, received=moment)
            batch = []
    write_observations(batch, received=to_micros(at(minute)))
    found = Alarm.objects.filter(datastream=stream).values_list("condition", "turn", "time", "peak")
    assert sorted(found) == sorted(expected)
