"""`simulated.toml`: nothing without it, things at their places, every fault named, and the shipped table."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from yiwang.core.observations.alarms import Turn
from yiwang.core.observations.detecting import detector
from yiwang.core.observations.simulating import FLOOD, PUMP, Order, due, simulate
from yiwang.packs import check_pack, read_pack
from yiwang.packs.pack import Pack

MINI = Path(__file__).parent / "fixtures" / "mini"
WUXI = Path(__file__).resolve().parents[2] / "packs" / "wuxi"
DAY = date(2026, 3, 2)
STREAM = 'streams = [{ kind = "tilt", observed = "tilt", every = 300 }]\n'
HEAD = '[[group]]\nid = "cover"\nname = "模拟井盖"\nname_en = "Simulated cover"\n'
INSIDE = "points = [[120.003, 31.003], [120.004, 31.003]]\n"
GOOD = HEAD + INSIDE + STREAM


@pytest.fixture(scope="module")
def wuxi() -> Pack:
    return read_pack(WUXI)


def test_without_the_file_nothing_is_simulated() -> None:
    assert read_pack(MINI).simulated_sensors is None


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (INSIDE, [(120.003, 31.003), (120.004, 31.003)]),
        ("along = [[120.002, 31.003], [120.004, 31.003]]\ncount = 3\n", [(120.002, 31.003), (120.003, 31.003), (120.004, 31.003)]),
        ("along = [[120.002, 31.003], [120.004, 31.003]]\n", [(120.003, 31.003)]),
    ],
)  # fmt: skip
def test_things_stand_at_points_or_along_a_line(
    pack_copy: Path, where: str, expected: list[tuple[float, float]]
) -> None:
    (pack_copy / "simulated.toml").write_text(HEAD + where + STREAM, encoding="utf-8")
    pack = read_pack(pack_copy)
    assert pack.simulated_sensors is not None
    things = list(pack.simulated_sensors.things(pack.regions.on(DAY)))
    assert [(round(one.lon, 6), round(one.lat, 6)) for one in things] == expected
    assert [one.key for one in things] == [f"sim-cover-{number}" for number in range(1, len(expected) + 1)]
    assert things[0].name.into("en") == "Simulated cover 1"
    assert things[0].streams[0][0].key == "sim-cover-1-tilt"


def test_things_are_scattered_over_the_communities_of_a_region(pack_copy: Path) -> None:
    (pack_copy / "simulated.toml").write_text(HEAD + 'regions = ["9001"]\ncount = 7\n' + STREAM, encoding="utf-8")
    pack = read_pack(pack_copy)
    assert pack.simulated_sensors is not None
    things = list(pack.simulated_sensors.things(pack.regions.on(DAY)))
    assert things == list(pack.simulated_sensors.things(pack.regions.on(DAY)))
    locator = pack.locator(on=DAY)
    assert {locator.locate(one.lon, one.lat).code for one in things} == {"900101", "900102"}
    assert len({(one.lon, one.lat) for one in things}) == 7


@pytest.mark.parametrize(
    ("text", "column", "fault"),
    [
        (GOOD.replace('"tilt", obs', '"tild", obs'), "group cover: streams 1: kind", "tilt"),
        (GOOD.replace("every = 300", "every = 5"), "group cover: streams 1: every", "too small"),
        (GOOD.replace("every = 300", 'every = "300"'), "group cover: streams 1: every", "whole number"),
        (GOOD.replace('observed = "tilt", ', ""), "group cover: streams 1: observed", "missing"),
        (GOOD.replace('"cover"', '"Cover 1"'), "group cover: id", "small letters"),
        (GOOD + GOOD, "group cover: id", "taken"),
        (HEAD + STREAM, "group cover: regions", "missing"),
        (GOOD + 'regions = ["9001"]\n', "group cover: regions", "exactly one"),
        (HEAD + "points = [[31.003]]\n" + STREAM, "group cover: points", "longitude"),
        (HEAD + "along = [[120.003, 31.003]]\n" + STREAM, "group cover: along", "no line"),
        (HEAD + INSIDE + "streams = []\n", "group cover: streams", "missing"),
        (GOOD.replace("}]", '}, { kind = "tilt", observed = "b", every = 60 }]'), "group cover: streams", "twice"),
        (GOOD + "[group.faults]\nstuck = 2\n", "group cover: faults.stuck", "too large"),
        (GOOD + "[group.faults]\nhours = 48\n", "group cover: faults.hours", "too large"),
        ("seed = -1\n" + GOOD, "seed", "at least 0"),
        (GOOD + "colour = 3\n", "group cover: colour", "not known"),
        (HEAD + 'regions = ["9009"]\n' + STREAM, "group cover: regions", "9009"),
        (HEAD + "points = [[31.003, 120.003]]\n" + STREAM, "group cover: points", "longitude"),
        (HEAD + "points = [[31.003, 12.003]]\n" + STREAM, "group cover: points", "outside the city"),
        (HEAD + "along = [[120.003, 31.003], [121, 32]]\ncount = 2\n" + STREAM, "group cover: along", "outside"),
    ],
)  # fmt: skip
def test_faults_are_named(pack_copy: Path, text: str, column: str, fault: str) -> None:
    (pack_copy / "simulated.toml").write_text(text, encoding="utf-8")
    problems = check_pack(pack_copy, on=DAY, with_examples=False).problems
    assert [(one.file, one.column.replace("Cover 1", "cover")) for one in problems] == [("simulated.toml", column)]
    assert fault in f"{problems[0].message.en} {problems[0].hint.en}"


def test_a_silence_rule_may_leave_streams_out(pack_copy: Path) -> None:
    file = pack_copy / "sensing.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('{ key = ["underpass-*"] }', '{ key = ["*"], but_not = ["lamp"] }'), encoding="utf-8")
    policy = read_pack(pack_copy).sensing
    assert [one.condition.id for one in policy.rules_for(key="x", observed="tilt")] == ["underpass_silent"]
    assert policy.rules_for(key="x", observed="lamp") == ()


def test_the_shipped_table_lies_in_the_city_and_says_that_it_is_simulated(wuxi: Pack) -> None:
    assert wuxi.simulated_sensors is not None
    things = list(wuxi.simulated_sensors.things(wuxi.regions.on(DAY)))
    locator = wuxi.locator(on=DAY)
    assert all(locator.locate(one.lon, one.lat).code for one in things)
    assert all("模拟" in one.name.into("zh") and "Simulated" in one.name.into("en") for one in things)
    assert sum(len(one.streams) for one in things) in range(280, 320)


def test_its_streams_are_those_that_its_rules_are_for(wuxi: Pack) -> None:
    assert wuxi.simulated_sensors is not None
    judged = {
        rule.condition.id
        for thing in wuxi.simulated_sensors.things(wuxi.regions.on(DAY))
        for stream, observed in thing.streams
        for rule in wuxi.sensing.rules_for(key=stream.key, observed=observed)
    }
    assert judged >= {
        "underpass_water", "underpass_rise", "cover_tilt", "bin_fill", "lamp_circuit", "toilet_ammonia", "noise_day",
        "air_pm25", "sensor_silent",
    }  # fmt: skip


def test_a_flood_raises_its_alarms_within_minutes_and_the_pump_ends_them(wuxi: Pack) -> None:
    assert wuxi.simulated_sensors is not None
    for thing in wuxi.simulated_sensors.things(wuxi.regions.on(DAY)):
        levels = [stream for stream, _ in thing.streams if stream.kind == "water_level"]
        if not levels:
            continue
        at = 1_781_000_000
        orders = [
            Order(kind=FLOOD, site=thing.key, at=at, minutes=20, rain=60),
            Order(kind=PUMP, site=thing.key, at=at + 1800),
        ]
        times = due(levels[0], after=at - 1200, until=at + 3 * 3600)
        said = [(t, v) for t, v in zip(times, simulate(levels[0], times, orders), strict=True) if not np.isnan(v)]
        turns = {}
        for rule in ("underpass_water", "underpass_rise"):
            judge = detector(wuxi.sensing.alarms[rule].condition)
            turns[rule] = [one for t, v in said for one in judge.feed(float(t), float(v))]
        if not turns["underpass_water"]:
            continue  # the instrument was silent or stuck at the time, which the table says may be
        assert max(one.level for one in turns["underpass_water"]) == 4
        assert turns["underpass_water"][-1].turn is Turn.CLEARED
        first = min(one.time for one in turns["underpass_rise"] if one.level == 2)
        assert first - at <= 120, "a case within two minutes"
        return
    pytest.fail("no underpass was heard")
