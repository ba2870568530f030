"""Conditions from tables: what is read, and that every fault is named with its key in both languages."""

from __future__ import annotations

import tomllib
from math import inf
from pathlib import Path
from typing import Any

import pytest

from yiwang.core.kernel.errors import BadInput
from yiwang.core.observations.conditions import (
    Combination,
    Confidence,
    Direction,
    Level,
    Member,
    Mode,
    Pattern,
    Rate,
    Severity,
    Silence,
    Threshold,
)
from yiwang.core.observations.declared import read_condition, read_conditions

ALARMS = Path(__file__).resolve().parents[1] / "fixtures" / "alarms.toml"
PLAIN: dict[str, Any] = {
    "id": "water",
    "kind": "threshold",
    "name": "积水",
    "name_en": "Water",
    "unit": "cm",
    "levels": [{"severity": "minor", "at": 15, "clear": 12}, {"severity": "severe", "at": 27}],
}
PAIR = [{"stream": "a", "condition": "water"}, {"stream": "b", "condition": "rain", "severity": "severe"}]


def test_a_threshold_with_its_defaults() -> None:
    read = read_condition(PLAIN)
    assert isinstance(read, Threshold)
    assert (read.id, read.name.zh, read.name.en, read.unit) == ("water", "积水", "Water", "cm")
    assert read.levels == (Level(Severity.MINOR, 15, 12), Level(Severity.SEVERE, 27, None))
    assert (read.hold, read.count, read.clear_for, read.ends_after) == (0, 1, 0, inf)
    assert (read.direction, read.confidence) == (Direction.ABOVE, Confidence.LOW)


def test_each_kind_with_its_keys() -> None:
    rate = read_condition({**PLAIN, "kind": "rate", "per": 60, "for": 30, "direction": "either", "count": 2})
    assert isinstance(rate, Rate)
    assert (rate.per, rate.hold, rate.count, rate.direction) == (60, 30, 2, Direction.EITHER)
    pattern = read_condition({**PLAIN, "kind": "pattern", "weeks": 4, "least": 3, "min_spread": 2, "logarithmic": True})
    assert isinstance(pattern, Pattern)
    assert (pattern.weeks, pattern.least, pattern.min_spread, pattern.logarithmic) == (4, 3, 2, True)
    silence = read_condition({**PLAIN, "kind": "silence", "levels": [{"severity": "minor", "at": 600}]})
    assert isinstance(silence, Silence)
    both = read_condition(
        {
            "id": "both",
            "kind": "combination",
            "name": "同时",
            "name_en": "Both",
            "of": PAIR,
            "mode": "any",
            "within": 60,
        }
    )
    assert isinstance(both, Combination)
    assert both.of == (Member("a", "water"), Member("b", "rain", Severity.SEVERE))
    assert (both.mode, both.within) == (Mode.ANY, 60)


@pytest.mark.parametrize(
    ("change", "place", "english", "chinese"),
    [
        ({"kind": "treshold"}, "kind", "'treshold' cannot be used. One of: threshold, rate", "可写：threshold"),
        ({"kind": None}, "kind", "is missing", "缺少"),
        ({"fro": 3}, "fro", "no key 'fro'. Did you mean for?", "没有「fro」"),
        ({"per": 3}, "per", "no key 'per'", "没有「per」"),
        ({"name_en": ""}, "name_en", "is missing", "中英文"),
        ({"id": ""}, "id", "cannot be used", "不为空"),
        ({"for": -1}, "for", "-1 cannot be used. Write a number of at least 0", "不小于 0"),
        ({"for": "60"}, "for", "'60' cannot be used", "不可用"),
        ({"for": True}, "for", "True cannot be used", "不可用"),
        ({"for": float("nan")}, "for", "nan cannot be used", "不可用"),
        ({"count": 1.5}, "count", "a whole number of at least 1", "整数"),
        ({"ends_after": 0}, "ends_after", "a number above 0", "大于 0"),
        ({"direction": "up"}, "direction", "One of: above, below, either", "above"),
        ({"confidence": "sure"}, "confidence", "One of: high, medium, low", "high"),
        ({"levels": []}, "levels", "There is no level", "没有任何一级"),
        ({"levels": 15}, "levels", "Give a list of tables", "表的列表"),
        ({"levels": [{"at": 3}]}, "levels 1: severity", "is missing", "缺少"),
        ({"levels": [{"severity": "minor"}]}, "levels 1: at", "is missing. Write a number", "缺少"),
        ({"levels": [{"severity": "minor", "at": 3, "celar": 2}]}, "levels 1: celar", "Did you mean clear", "celar"),
        ({"levels": [{"severity": "minor", "at": 3, "clear": 4}]}, "levels", "is worse than 3", "更严重"),
        (
            {"levels": [{"severity": "minor", "at": 9}, {"severity": "severe", "at": 3}]},
            "levels",
            "3 (severe) is not worse than 9",
            "没有比前一级",
        ),
        ({"direction": "below"}, "levels", "is worse than 15", "更严重"),
        ({"kind": "pattern"}, "min_spread", "no least spread", "最小离散度"),
        ({"kind": "silence", "unit": "s"}, "levels", "Give seconds above 0, and no clear", "不写 clear"),
    ],
)
def test_a_fault_is_named_with_its_key_in_both_languages(
    change: dict[str, Any], place: str, english: str, chinese: str
) -> None:
    table = {key: value for key, value in {**PLAIN, **change}.items() if value is not None}
    with pytest.raises(BadInput) as caught:
        read_conditions([table], "sensing.toml")
    problem = next(one for one in caught.value.problems if one.column.endswith(f": {place}"))
    assert problem.file == "sensing.toml"
    assert english in problem.text.into("en")
    assert chinese in problem.text.into("zh")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"of": PAIR[:1]}, "of"),
        ({"of": "a"}, "of"),
        ({"of": [{"stream": "a"}, PAIR[1]]}, "of 1: condition"),
        ({"of": [PAIR[0], {**PAIR[1], "severity": "bad"}]}, "of 2: severity"),
        ({"mode": "most"}, "mode"),
        ({"within": -1}, "within"),
        ({"levels": []}, "levels"),
    ],
)
def test_faults_of_a_combination(change: dict[str, Any], place: str) -> None:
    table = {"id": "both", "kind": "combination", "name": "同时", "name_en": "Both", "of": PAIR, **change}
    with pytest.raises(BadInput) as caught:
        read_condition(table)
    assert [one.column for one in caught.value.problems] == [f"alarm both: {place}"]


def test_all_faults_of_all_tables_are_told_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        read_conditions([{**PLAIN, "for": -1, "count": 0}, {**PLAIN, "id": "other", "unit": 3}, PLAIN, PLAIN])
    assert [one.column for one in caught.value.problems] == [
        "alarm water: for",
        "alarm water: count",
        "alarm other: unit",
        "alarm water: id",
    ]


def test_the_default_alarms_say_where_their_numbers_come_from() -> None:
    read = read_conditions(tomllib.loads(ALARMS.read_text(encoding="utf-8"))["alarm"], ALARMS.name)
    assert len(read) >= 12
    for condition in read:
        assert condition.source.zh, condition.id
        assert condition.source.en, condition.id
        if condition.confidence is Confidence.HIGH:
            assert "engineering judgement" not in condition.source.en.split(";")[0]
