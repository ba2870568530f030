"""Problems say the place, what is wrong and what would be right, in each language."""

from __future__ import annotations

import pytest

from yiwang.core.cases.units import Unit, UnitDirectory
from yiwang.core.cases.workflow import read_workflow
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text


def test_a_problem_is_one_text_with_its_place_and_its_hint() -> None:
    problem = Problem(Text("没有编号。", "The row has no id."), Text("请补上。", "Add it."), "a.csv", 3, "row")
    assert problem.text.zh == "a.csv，第 3 行，row 列：没有编号。请补上。"
    assert problem.text.en == str(problem) == "a.csv, row 3, column row: The row has no id. Add it."


def test_a_problem_without_a_place_or_a_hint_says_only_what_is_wrong() -> None:
    assert (Problem(Text("不对。", "Wrong.")).text.zh, str(Problem(Text("不对。", "Wrong.")))) == ("不对。", "Wrong.")


def test_bad_input_says_every_problem_on_a_line_of_its_own() -> None:
    with pytest.raises(BadInput) as caught:
        UnitDirectory([Unit(code=code, name=Text(code), parent="Z") for code in ("A", "B")])
    assert caught.value.text.en == str(caught.value)
    assert caught.value.text.zh.splitlines() == [
        f"units.csv：单位 {code} 的上级 Z 不存在。请写本文件中的单位。" for code in ("A", "B")
    ]


def test_a_problem_inside_another_is_said_in_the_same_language() -> None:
    with pytest.raises(BadInput) as caught:
        read_workflow({"escalation": [{"clock": "main", "verb": "remind", "at": "+3 moons"}]})
    said = next(problem for problem in caught.value.problems if problem.column == "escalation.at")
    assert said.text.zh.removeprefix("workflow.toml，escalation.at 列：").startswith(
        "第 1 条升级规则：「3 moons」不是时限；请写数量和 "
    )
    assert str(said.message).startswith("escalation number 1: '3 moons' is no limit; ")
