"""`[[list]]` of `indicators.toml`: what is read, and how faults are said."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest

from yiwang.packs import read_pack
from yiwang.packs.pack import read_all

MINI = Path(__file__).parent / "fixtures" / "mini"


def test_a_rule_is_read() -> None:
    (rule,) = read_pack(MINI).indicators.lists
    assert (rule.id, rule.level, rule.period, rule.red, rule.black) == ("monthly", "street", "month", 1, 1)
    assert (rule.caseload, rule.least, rule.objection_days, rule.confidence) == ("intake", 2.0, 5, "test")


@pytest.mark.parametrize(
    ("before", "after", "column", "message"),
    [
        ('evaluation = "region"\nlevel', 'evaluation = "regions"\nlevel', "evaluation", "There is no evaluation 'regions'."),
        ('level = "street"\nperiod', 'level = "department"\nperiod', "level", "This evaluation does not score 'department'."),
        ('evaluation = "region"\nlevel', 'evaluation = "dispatcher"\nlevel', "level", "This evaluation does not score 'street'."),
        ('caseload = "intake"', 'caseload = "intakes"', "caseload", "There is no indicator 'intakes'."),
        ('caseload = "intake"', 'caseload = "rework_rate"', "caseload", "rework_rate is no count."),
        ('period = "month"', 'period = "week"', "period", None),
        ("red = 1\nblack = 1", "red = 0\nblack = 0", "red", "Both red and black are 0."),
        ("red = 1\nblack = 1", "red = -1\nblack = 1", "red", None),
        ("objection_days = 5", "objection_days = 0", "objection_days", None),
    ],
)  # fmt: skip
def test_faults_are_said_at_their_place(
    tmp_path: Path, before: str, after: str, column: str, message: str | None
) -> None:
    folder = Path(copytree(MINI, tmp_path / "mini"))
    file = folder / "indicators.toml"
    head, mark, rest = file.read_text(encoding="utf-8").partition("[[list]]")
    assert before in rest
    file.write_text(head + mark + rest.replace(before, after, 1), encoding="utf-8")
    found = {problem.column: problem.message.en for problem in read_all(folder).files.problems}
    assert f"list monthly: {column}" in found
    if message:
        assert found[f"list monthly: {column}"] == message
