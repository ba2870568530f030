"""`sensing.toml`: nothing without it, which streams a rule is for, priorities by severity, and every fault named."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from yiwang.core.kernel.errors import BadInput
from yiwang.core.observations.conditions import Severity
from yiwang.packs import check_pack, read_pack
from yiwang.packs.sensing import Keep, SensingPolicy

MINI = Path(__file__).parent / "fixtures" / "mini"
WUXI = Path(__file__).resolve().parents[2] / "packs" / "wuxi"
DAY = date(2026, 3, 2)
GOOD = '[cases]\nverb = "sensed"\n'
ALARM = (
    '[[alarm]]\nid = "water"\nkind = "threshold"\nname = "水"\nname_en = "Water"\nunit = "cm"\n'
    'levels = [{ severity = "minor", at = 5 }]\n'
)
STREAMS = 'streams = { key = ["u-*"] }\n'


def test_without_the_file_nothing_is_judged(pack_copy: Path) -> None:
    (pack_copy / "sensing.toml").unlink()
    assert read_pack(pack_copy).sensing == SensingPolicy()


def test_streams_by_property_and_key() -> None:
    policy = read_pack(MINI).sensing
    assert [rule.condition.id for rule in policy.rules_for(key="underpass-7", observed="water level")] == [
        "underpass_water",
        "underpass_silent",
    ]
    assert [rule.condition.id for rule in policy.rules_for(key="underpass-7", observed="rain")] == ["underpass_silent"]
    assert policy.rules_for(key="river-7", observed="water level") == ()


def test_a_severity_without_a_priority_takes_that_of_the_next_milder() -> None:
    policy = read_pack(MINI).sensing
    case = policy.alarms["underpass_water"].case
    assert case is not None
    assert [policy.priority_of(case, one) for one in Severity] == ["normal", "normal", "urgent", "urgent"]


def test_what_is_remembered_is_told_from_what_another_rule_remembers(pack_copy: Path) -> None:
    before = read_pack(pack_copy).sensing.alarms["underpass_water"].digest
    file = pack_copy / "sensing.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("at = 15", "at = 14"), encoding="utf-8")
    assert read_pack(pack_copy).sensing.alarms["underpass_water"].digest != before
    assert read_pack(MINI).sensing.alarms["underpass_water"].digest == before


@pytest.mark.parametrize(
    ("text", "column", "fault"),
    [
        ('[cases]\nverb = "sense"\n', "cases.verb", "sensed"),
        ('[cases]\nverb = "note"\n', "cases.verb", "cannot write"),
        (GOOD + 'priority = { minor = "norml" }\n', "cases.priority.minor", "norml"),
        (GOOD + 'priority = { mnor = "normal" }\n', "cases.priority", "minor"),
        (GOOD + 'colour = "red"\n', "cases.colour", "not known"),
        (GOOD + "[storm]\nmore_than = 0\n", "storm.more_than", "too small"),
        (GOOD + '[storm]\nlevel = "district"\n', "storm.level", "level"),
        (GOOD + ALARM, "alarm water: streams", "for no stream"),
        (GOOD + ALARM + STREAMS + 'case = { category = "3001" }\n', "alarm water: case.category", "leading zeros"),
        (GOOD + ALARM + STREAMS + 'case = { category = "03001", from = "bad" }\n', "alarm water: case.from", "bad"),
        (
            GOOD + ALARM + STREAMS + 'case = { category = "03001", back_to_normal = "close" }\n',
            "alarm water: case.back_to_normal",
            "propose",
        ),
        (
            GOOD + ALARM + STREAMS + 'case = { category = "03001", join_within = -1 }\n',
            "alarm water: case.join_within",
            "too small",
        ),
        (ALARM + STREAMS + 'case = { category = "03001" }\n', "cases.verb", "no verb"),
        (GOOD + ALARM.replace("at = 5", "at = true") + STREAMS, "alarm water: levels 1: at", "cannot be used"),
        (GOOD + ALARM.replace("threshold", "rate") + STREAMS, "alarm water: reads_in", "missing"),
        (GOOD + ALARM.replace("threshold", "pattern") + STREAMS, "alarm water: min_spread", "no least spread"),
        (GOOD + "alarm = 3\n", "cases.alarm", "not known"),
        ("[keep]\ndays_in_database = 0\n", "keep.days_in_database", "too small"),
        ("[keep]\nraw_days = -1\n", "keep.raw_days", "too small"),
        ("[keep]\nraw_days = 10\n", "keep.raw_days", "shorter than days_in_database = 30"),
        ("[keep]\nminute_days = 90\n", "keep.minute_days", "shorter than raw_days = 0"),
        ("[keep]\nraw_days = 60\nminute_days = 90\nhour_days = 89\n", "keep.hour_days", "at least minute_days"),
        ("[keep]\ndays = 3\n", "keep.days", "not known"),
        ("alarm = 3\n", "alarm", "list of tables"),
    ],
)  # fmt: skip
def test_faults_are_named(pack_copy: Path, text: str, column: str, fault: str) -> None:
    (pack_copy / "sensing.toml").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        read_pack(pack_copy)
    assert [(one.file, one.column) for one in caught.value.problems] == [("sensing.toml", column)]
    assert fault in str(caught.value)


def test_how_long_observations_are_kept(pack_copy: Path) -> None:
    assert read_pack(pack_copy).sensing.keep is None
    file = pack_copy / "sensing.toml"
    file.write_text(
        file.read_text(encoding="utf-8") + "\n[keep]\nraw_days = 400\nminute_days = 400\n", encoding="utf-8"
    )
    assert read_pack(pack_copy).sensing.keep == Keep(days_in_database=30, raw_days=400, minute_days=400, hour_days=0)


def test_all_faults_at_once(pack_copy: Path) -> None:
    wrong = (
        ALARM
        + 'case = { category = "9", from = "bad" }\n'
        + ALARM.replace("water", "rain").replace("at = 5", 'at = "x"')
    )
    (pack_copy / "sensing.toml").write_text(GOOD + wrong, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        read_pack(pack_copy)
    columns = {one.column for one in caught.value.problems}
    assert {
        "alarm water: streams",
        "alarm water: case.category",
        "alarm water: case.from",
        "alarm rain: levels 1: at",
    } <= columns


def test_a_unit_that_nobody_knows_is_found_by_the_check(pack_copy: Path) -> None:
    text = (GOOD + ALARM + STREAMS).replace('"cm"', '"%LEL"')
    (pack_copy / "sensing.toml").write_text(text, encoding="utf-8")
    (problem,) = check_pack(pack_copy, on=DAY, with_examples=False).problems
    assert (problem.file, problem.column) == ("sensing.toml", "alarm water: reads_in")


def test_each_alarm_of_the_shipped_table_says_who_says_so() -> None:
    policy = read_pack(WUXI).sensing
    assert {"cover_tilt", "bin_fill", "underpass_water", "lamp_circuit", "gas", "bridge_strain"} <= policy.alarms.keys()
    assert all(rule.condition.source.zh and rule.condition.source.en for rule in policy.alarms.values())
