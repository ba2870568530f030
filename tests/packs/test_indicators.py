"""`indicators.toml`: every fault is named by file and entry."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from yiwang.packs import read_pack
from yiwang.packs.check import check_pack

HERE = Path(__file__).parent
PACKS = HERE.parents[1] / "packs"


FAULTS = [
    # replaced, by what → entry that is named, words of the message or hint
    ('numerator = "True"', 'numerator = "reworked > 0"', "indicator intake: numerator", "Did you mean reworks?"),
    ('numerator = "rating >= 4"', 'numerator = "rating"', "indicator satisfaction_rate: numerator", "no condition"),
    ('numerator = "rating >= 4"', 'numerator = "rating >= \'4\'"', "indicator satisfaction_rate: numerator", "compared"),
    ('numerator = "rating >= 4"', 'numerator = "len(unit) > 4"', "indicator satisfaction_rate: numerator", "not understood"),
    ('numerator = "rating >= 4"', 'numerator = "rating >= "', "indicator satisfaction_rate: numerator", "cannot be read"),
    ('denominator = "ratings > 0"\n', "", "indicator satisfaction_rate: denominator", "needs a denominator"),
    ('unit = "cases"', 'unit = "percent"', "indicator intake: denominator", "needs a denominator"),
    ('unit = "hours"', 'unit = "hour"', "indicator handle_hours: unit", "hours"),
    ('basis = "due"', 'basis = "deadline"', "indicator due_in_time: basis", "One of opened"),
    ('meaning = "返工的份额"\n', "", "indicator rework_rate: meaning", "missing"),
    ('numerator = "sum(stage_handle_work_s)"', 'numerator = "sum(lon)"', "indicator handle_hours: numerator", "whole numbers"),
    ('verified = ["verify"]', 'verified = ["verified"]', "moments.verified", "no verb"),
    ("counted = ", "number = ", "terms.number", "is a column"),
    ('pick = "handled"', 'pick = "all"', "choice should_close: pick", "no option"),
    ("weight = 0.5 }", "weight = 0.4 }", "evaluation region: parts", "sum to 0.9"),
    ('indicator = "rework_rate", weight', 'indicator = "reworks", weight', "evaluation region: part 2: indicator", "no indicator"),
    (", up_to = [[2, 100], [10, 50]]", "", "evaluation region: part 3: indicator", "no score of 0 to 100"),
    ("[[2, 100], [10, 50]]", "[[10, 100], [2, 50]]", "evaluation region: part 3: up_to", "out of order"),
    ('post = "dispatcher"', 'post = "mayor"', "evaluation dispatcher: post", "no post"),
    ('id = "E", least = 0', 'id = "E", least = 5', "grading 1: grades", "cover 0 to 100"),
    ('id = "filing_rate"', 'id = "intake"', "indicator", "stands twice"),
    ('id = "filing_rate"', 'id = "filing_rate"\nweight = 1', "indicator filing_rate: weight", "not known"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "entry", "words"), FAULTS)
def test_a_fault_is_named_by_its_entry(pack_copy: Path, old: str, new: str, entry: str, words: str) -> None:
    path = pack_copy / "indicators.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    found = check_pack(pack_copy, on=date(2026, 3, 2)).problems
    said = [f"{p.message!s} {p.hint!s}" for p in found if (p.file, p.column) == ("indicators.toml", entry)]
    assert any(words in one for one in said), [(p.column, str(p.message), str(p.hint)) for p in found]


def test_a_pack_without_the_file_measures_nothing(pack_copy: Path) -> None:
    (pack_copy / "indicators.toml").unlink()
    (pack_copy / "honours.toml").unlink()  # banners go to lists, which stand there
    assert read_pack(pack_copy).indicators.indicators == ()


WANTED = [
    "intake", "filed", "valid_report_rate", "filing_rate", "filing_accuracy", "dispatch_accuracy", "disposal_rate",
    "disposal_on_time", "closing_rate", "closing_on_time", "rework_rate", "return_rate", "suspension_rate", "supervision_rate",
    "missed_report_rate", "public_report_rate", "response_rate", "resolution_rate", "satisfaction_rate", "recurrence_rate",
]  # fmt: skip


@pytest.mark.parametrize("pack", ["wuxi", "boston"])
def test_both_packs_measure_what_a_city_is_judged_by(pack: str) -> None:
    found = read_pack(PACKS / pack)
    book = found.indicators
    known = book.in_force(date(2026, 3, 2))
    assert set(WANTED) <= set(known)
    assert {f"hours_{stage}" for stage in ("dispatch", "handle", "close")} <= set(known)
    assert {f"hours_level_{level.id}" for level in found.info.levels} <= set(known)
    assert {evaluation.object for evaluation in book.evaluations} == {"region", "department", "post"}
    assert [grade.id for grade in book.gradings[0].grades] == list("ABCDE")
    assert all(one.source and one.confidence for one in book.indicators), "nobody says who says so"
