"""Alarms of several streams that hold at once: by thing, by a part of the key, or of the whole city; one case for one cause."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.server.sensing_city import at, forget, install, read, stream, underpass

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.instants import SECOND, from_micros, to_micros
from yiwang.core.observations.alarms import Alarm as Turned
from yiwang.core.observations.alarms import Turn
from yiwang.core.observations.combining import Combiner
from yiwang.core.observations.conditions import Severity
from yiwang.packs.pack import read_pack
from yiwang.server.cases.api import Case
from yiwang.server.cities.queries import runtime
from yiwang.server.sensing.api import (
    Alarm,
    AlarmState,
    CombinationState,
    Datastream,
    DatastreamState,
    Observation,
    Reading,
    ThingState,
    placed_things,
    raise_cases,
    rules_of_stream,
    standing_alarms,
    stream_row,
    tick_silences,
    write_observations,
)

pytestmark = pytest.mark.django_db
SINGLE = """
[[alarm]]
id = "{id}"
kind = "threshold"
name = "{id}"
name_en = "{id}"
unit = "cm"
levels = [{{ severity = "minor", at = 5 }}, {{ severity = "severe", at = 20 }}]
streams = {{ observed = ["{observed}"] }}
"""
RAIN, POWER = SINGLE.format(id="rain", observed="rain"), SINGLE.format(id="power", observed="power")
BY_THING = """
[[alarm]]
id = "flooded_pump"
kind = "combination"
name = "泵站进水"
name_en = "Water at a pump without power"
per = "thing"
within = 60
severity = "severe"
of = [{ condition = "rain", severity = "severe" }, { condition = "power" }]
case = { category = "03001" }
"""
BY_ROAD = """
[[alarm]]
id = "road_and_rain"
kind = "combination"
name = "路段积水"
name_en = "Rain and water on a road"
within = 60
of = [{ stream = "{road}-gauge-*", condition = "rain" }, { stream = "{road}-power", condition = "power" }]
case = { category = "03001" }
"""
ANY_IN_CITY = """
[[alarm]]
id = "trouble"
kind = "combination"
name = "异常"
name_en = "Trouble"
mode = "any"
of = [{ stream = "*", condition = "rain", severity = "severe" }, { stream = "p-?", condition = "power" }]
case = { category = "03001" }
"""


@pytest.fixture
def city(pack_copy: Path, mini: str) -> Iterator[str]:
    yield install(pack_copy, RAIN + POWER + BY_THING + BY_ROAD + ANY_IN_CITY)
    forget()


def turns(condition: str) -> list[tuple[str, float, str]]:
    """Turn, minutes and key of the datastream."""
    found = Alarm.objects.filter(condition=condition).order_by("id").values_list("turn", "time", "datastream__key")
    return [(turn, (from_micros(time) - at(0)) / timedelta(minutes=1), key) for turn, time, key in found]


def test_of_a_thing_its_own_streams_count(city: str) -> None:
    rain, power = stream("a", "rain", thing="pump-1"), stream("b", "power", thing="pump-1")
    elsewhere = stream("c", "power", thing="pump-2")
    read(rain, 0, 30)
    read(elsewhere, 1, 9)
    assert turns("flooded_pump") == []
    read(power, 2, 9)
    assert turns("flooded_pump") == [("raised", 2, "b")]
    read(rain, 3, 6)
    assert turns("flooded_pump") == [("raised", 2, "b")], "eased below what is asked for, and within still counts"
    tick_silences(at=at(4))
    assert turns("flooded_pump")[1:] == []
    tick_silences(at=at(4.1))
    assert turns("flooded_pump")[1:] == [("cleared", 4, "b")]
    alarm = Alarm.objects.filter(condition="flooded_pump").earliest("id")
    assert (alarm.severity, alarm.value, alarm.peak) == (Severity.SEVERE, None, 2)
    assert "all of" in alarm.why["en"]
    assert CombinationState.objects.filter(due__isnull=False).count() == 0


def test_a_combination_stands_on_the_map_with_its_case(city: str) -> None:
    place = runtime("mini")
    rain, power = stream("a", "rain", thing="pump-1"), stream("b", "power", thing="pump-1")
    read(rain, 0, 30)
    read(power, 2, 9)
    raise_cases(at=at(3))
    case = Alarm.objects.filter(condition="flooded_pump").latest("id").case
    found = [one for one in standing_alarms(place) if one.condition.en == "Water at a pump without power"]
    assert [(one.stream, one.severity, one.since, one.case) for one in found] == [
        (power.pk, Severity.SEVERE, at(2), case)
    ]
    assert case
    assert standing_alarms(place, regions=["9001"]) == standing_alarms(place)
    assert standing_alarms(place, regions=["9002"]) == []
    assert [one.state for one in placed_things(place, at=at(3))] == [ThingState.SEVERE]
    read(rain, 4, 1)
    tick_silences(at=at(6))
    assert "Water at a pump without power" not in [one.condition.en for one in standing_alarms(place)]
    assert [one.state for one in placed_things(place, at=at(6))] == [ThingState.MINOR], "the power still fails"


def test_streams_belong_together_by_a_part_of_their_key(city: str) -> None:
    east = [stream(f"east-gauge-{number}", "rain") for number in range(2)]
    east_power, west_power = stream("east-power", "power"), stream("west-power", "power")
    read(east[0], 0, 9)
    read(west_power, 1, 9)
    assert turns("road_and_rain") == []
    read(east_power, 2, 9)
    read(east[1], 3, 9)
    read(east[0], 4, 1)
    tick_silences(at=at(30))
    assert turns("road_and_rain") == [("raised", 2, "east-power")], "the other gauge still holds"
    read(east[1], 40, 1)
    tick_silences(at=at(42))
    assert turns("road_and_rain")[1:] == [("cleared", 41, "east-power")]
    raised = Alarm.objects.get(condition="road_and_rain", turn="raised")
    assert "all of rain (east-gauge-*), power (east-power) hold within 1 min" in raised.why["en"]
    assert set(Alarm.objects.filter(condition="road_and_rain").values_list("group", flat=True)) == {"road=east"}


def test_one_open_case_for_a_group_whichever_stream_decides(city: str) -> None:
    gauge, power = stream("east-gauge-1", "rain"), stream("east-power", "power", lat=31.005)
    for minute, first, second in ((0, gauge, power), (20, power, gauge)):
        read(first, minute, 9)
        read(second, minute + 1, 9)
        raise_cases(at=at(minute + 1))
        for one in (gauge, power):
            read(one, minute + 2, 1)
        tick_silences(at=at(minute + 10))
        raise_cases(at=at(minute + 10))
    found = turns("road_and_rain")
    assert [(turn, key) for turn, _, key in found] == [
        ("raised", "east-power"), ("cleared", "east-power"), ("raised", "east-gauge-1"), ("cleared", "east-gauge-1"),
    ]  # fmt: skip
    assert Case.objects.count() == 1
    outcomes = Alarm.objects.filter(condition="road_and_rain").order_by("id").values_list("outcome", flat=True)
    assert list(outcomes) == ["opened", "noted", "noted", "noted"]
    case = Case.objects.get()
    assert "路段积水" in case.text


def test_a_case_of_a_thing_is_shared_with_its_other_alarms(city: str) -> None:
    under = underpass("1")
    read(under, 0, 20)
    raise_cases(at=at(0))
    thing = "tunnel-1"
    read(stream("a", "rain", thing=thing), 1, 30)
    read(stream("b", "power", thing=thing), 2, 9)
    raise_cases(at=at(2))
    by_thing = Alarm.objects.get(condition="flooded_pump")
    assert (by_thing.outcome, by_thing.case) == ("noted", Case.objects.order_by("id")[0].number)


def test_a_new_or_changed_combination_begins_with_what_stands(city: str, pack_copy: Path) -> None:
    gauge, power = stream("east-gauge-1", "rain"), stream("east-power", "power")
    install(pack_copy, RAIN + POWER)
    read(gauge, 0, 9)
    install(pack_copy, RAIN + POWER + BY_ROAD)
    read(power, 5, 9)
    assert turns("road_and_rain") == [("raised", 5, "east-power")]
    install(pack_copy, RAIN + POWER + BY_ROAD.replace("within = 60", "within = 120"))
    read(gauge, 6, 30)  # worsens
    assert turns("road_and_rain")[1:] == [("cleared", 5, "east-power"), ("raised", 5, "east-power")]
    assert "规则已修改" in Alarm.objects.get(condition="road_and_rain", turn="cleared").why["zh"]


def test_a_combination_that_is_no_longer_declared_is_due_no_more(city: str, pack_copy: Path) -> None:
    gauge, power = stream("east-gauge-1", "rain"), stream("east-power", "power")
    read(gauge, 0, 9)
    read(power, 0, 9)
    read(gauge, 1, 0)
    install(pack_copy, RAIN + POWER)
    assert tick_silences(at=at(9)) == 0
    assert not CombinationState.objects.filter(due__isnull=False).exists()


def test_the_stream_names_the_combinations_that_it_is_part_of(city: str) -> None:
    place = runtime(city)
    row = stream_row(place, stream("west-power", "power").pk)
    assert row is not None
    names = [name.into("en") for name in rules_of_stream(place, row)]
    assert names == ["power", "Water at a pump without power", "Rain and water on a road"]


def test_many_alarms_in_one_batch_cost_few_statements(city: str) -> None:
    """Of one combination of many things: rows are looked up together."""
    pairs = [(stream(f"a{n}", "rain", thing=f"t{n}"), stream(f"b{n}", "power", thing=f"t{n}")) for n in range(10)]
    rows = [Reading(one.pk, to_micros(at(0)), 30.0) for pair in pairs for one in pair]
    with CaptureQueriesContext(connection) as queries:
        write_observations(rows, received=to_micros(at(0)))
    assert len(turns("flooded_pump")) == 10
    about = [one["sql"] for one in queries if "combinationstate" in one["sql"]]
    assert len([one for one in about if one.startswith("SELECT")]) <= 4
    quiet = stream("quiet", "noise")
    with CaptureQueriesContext(connection) as queries:
        read(quiet, 1, 30)
    assert not [one for one in queries if "combination" in one["sql"]]


KEYS = ("p-1", "p-2", "east-gauge-1", "east-gauge-2", "east-power")


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    readings=st.lists(st.tuples(st.sampled_from(KEYS), st.integers(1, 90), st.sampled_from([0, 6, 25])), max_size=30),
    cuts=st.sets(st.integers(0, 30)),
    ticks=st.booleans(),
)
def test_batches_restarts_and_ticks_give_what_one_combiner_gives(
    city: str, readings: list[tuple[str, int, int]], cuts: set[int], ticks: bool
) -> None:
    for model in (Alarm, Observation, AlarmState, CombinationState):
        model.objects.all().delete()
    DatastreamState.objects.update(last_time=None)
    streams = {key: stream(key, "rain" if "gauge" in key else "power") for key in KEYS}
    seconds, batch = 0, list[Reading]()
    for number, (key, gap, value) in enumerate(readings):
        seconds += gap
        batch.append(Reading(streams[key].pk, to_micros(at(seconds / 60)), float(value)))
        if number in cuts:
            write_observations(batch, received=batch[-1].time)
            if ticks:
                tick_silences(at=at(seconds / 60))
            batch = []
    write_observations(batch, received=to_micros(at(seconds / 60)))
    tick_silences(at=at(seconds / 60 + 10))
    policy = runtime(city).pack.sensing
    for condition, group in (("road_and_rain", "road=east"), ("trouble", "")):
        combiner, expected = (
            Combiner(policy.combinations[condition].condition, group=group),
            list[tuple[str, int, float]](),
        )
        fed: list[Turned] = []
        for one in (
            Alarm.objects.filter(condition__in=("rain", "power")).select_related("datastream").order_by("time", "id")
        ):
            turned = Turned(
                Turn(one.turn), one.condition, one.datastream.key, one.time / SECOND, one.value, one.level,
                Severity(one.severity), one.peak, one.since / SECOND,
            )  # fmt: skip
            fed += combiner.feed(turned)
        fed += combiner.advance(at(seconds / 60 + 10).timestamp())
        expected = [(one.turn.value, round(one.time * SECOND), one.peak) for one in fed]
        found = Alarm.objects.filter(condition=condition).order_by("id").values_list("turn", "time", "peak")
        assert list(found) == expected


COMBINATION = '\n[[alarm]]\nid = "both"\nkind = "combination"\nname = "两者"\nname_en = "Both"\n'


@pytest.mark.parametrize(
    ("text", "column", "fault"),
    [
        ('of = [{ stream = "a", condition = "rain" }, { stream = "b", condition = "rainn" }]', "of 2: condition", "rain"),
        ('of = [{ stream = "a", condition = "rain" }, { stream = "b", condition = "both" }]', "of 2: condition", "no alarm"),
        (
            'of = [{ stream = "a", condition = "rain" }, { stream = "b", condition = "power", severity = "extreme" }]',
            "of 2: severity",
            "no worse than severe",
        ),
        ('of = [{ condition = "rain" }, { stream = "b", condition = "power" }]', "of 1: stream", "missing"),
        ('per = "road"\nof = [{ condition = "rain" }, { condition = "power" }]', "per", "thing, city"),
        ('of = [{ stream = "{a}-1", condition = "rain" }, { stream = "b", condition = "power" }]', "of", "different names"),
        ('per = "thing"\nof = [{ condition = "rain" }, { condition = "power" }]\nstreams = { key = ["*"] }', "streams", "no streams"),
    ],
)  # fmt: skip
def test_faults_of_a_combination_are_named(pack_copy: Path, text: str, column: str, fault: str) -> None:
    file = pack_copy / "sensing.toml"
    file.write_text(file.read_text(encoding="utf-8") + RAIN + POWER + COMBINATION + text + "\n", encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        read_pack(pack_copy)
    found = [p for p in caught.value.problems if p.column == f"alarm both: {column}"]
    assert any(fault in f"{p.message.into('en')} {p.hint.into('en')}" for p in found), str(caught.value)


def test_a_datastream_is_no_member_because_of_a_stranger_in_its_group(city: str) -> None:
    one: Datastream = stream("p-1", "power")
    read(one, 0, 9)
    assert turns("trouble") == [("raised", 0, "p-1")]
    assert turns("road_and_rain") == []
