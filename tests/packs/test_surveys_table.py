"""`surveys.toml`: what is read, and how faults are said."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest

from yiwang.core.surveys.questionnaires import Choice, Counts, FreeWords, Measure, Scale, YesNo
from yiwang.packs import read_pack
from yiwang.packs.pack import read_all

MINI = Path(__file__).parent / "fixtures" / "mini"
WUXI = Path(__file__).resolve().parents[2] / "packs" / "wuxi"

EMPTY = """[[questionnaire]]
id = "b"
version = "1"
name = "b"
name_en = "b"

[[questionnaire.question]]"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(copytree(MINI, tmp_path / "mini"))


def problems(folder: Path, *changes: tuple[str, str]) -> list[tuple[str, str]]:
    """Column and English message of what is wrong once some words of the file are others."""
    file = folder / "surveys.toml"
    text = file.read_text(encoding="utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    file.write_text(text, encoding="utf-8")
    found = read_all(folder).files.problems
    assert {problem.file for problem in found} <= {"surveys.toml"}
    return [(problem.column, problem.message.en) for problem in found]


def test_a_questionnaire_is_read_with_its_questions() -> None:
    (one,) = read_pack(MINI).questionnaires
    assert (one.id, one.version, one.tries, one.least_response) == ("after_closing", "2026", 2, 0.5)
    assert one.sources == {"public", "hotline", "inspector"}
    called, settled, content, words = one.questions
    assert (called.kind, content.kind, words.kind) == (YesNo(), Scale(4), FreeWords())
    assert isinstance(settled.kind, Choice)
    assert [option.counts for option in settled.kind.options] == [Counts.YES, Counts.NO, Counts.NEITHER]
    assert [question.measures for question in one.questions] == [*Measure, None]
    assert [question.required for question in one.questions] == [True, True, True, False]


def test_a_pack_without_the_file_has_none(folder: Path) -> None:
    (folder / "surveys.toml").unlink()
    assert read_pack(folder).questionnaires == ()


def test_wuxi_has_a_questionnaire_that_says_where_it_comes_from() -> None:
    (one,) = read_pack(WUXI).questionnaires
    assert one.confidence == "reference default"
    assert one.source.zh
    assert one.source.en
    assert all(one.measuring(measure) for measure in Measure)


@pytest.mark.parametrize(
    ("changes", "column", "message"),
    [
        ([('measures = "resolved"', 'measures = "responded"')], "measures", "'responded' stands there more than once."),
        ([('id = "settled"', 'id = "contacted"')], "question", "'contacted' stands there more than once."),
        ([('counts = "yes"', 'counts = "no"')], "question settled: option", "No option counts as yes."),
        ([('kind = "scale"', 'kind = "words"')], "question content: measures", "Words of one's own measure no rate."),
        ([('kind = "words"', 'kind = "words"\nyes_from = 3')], "question words: yes_from", "A question of kind words"),
        ([('id = "unresolved"', 'id = "resolved"')], "question settled: option", "'resolved' stands there more than"),
        ([('kind = "scale"', 'kind = "choice"')], "question content: option", "There must be two options at least."),
        (
            [(f'measures = "{one}"\n', "") for one in ("responded", "resolved", "satisfied")],
            "question",
            "No question measures",
        ),
        ([("least_response = 0.5", "least_response = 50")], "least_response", ""),
        ([("tries = 2", "tries = 0")], "tries", ""),
        ([('kind = "scale"', 'kind = "stars"')], "question content: kind", ""),
        ([("[[questionnaire.question]]", EMPTY)], "question", "The questionnaire has no questions."),
    ],
)  # fmt: skip
def test_a_fault_is_named(folder: Path, changes: list[tuple[str, str]], column: str, message: str) -> None:
    found = problems(folder, *changes)
    assert any(where.endswith(column) and message in said for where, said in found), found


def test_two_versions_are_never_in_force_on_one_day(folder: Path) -> None:
    text = (folder / "surveys.toml").read_text(encoding="utf-8")
    (folder / "surveys.toml").write_text(text + text.replace('"2026"', '"2027"'), encoding="utf-8")
    assert problems(folder) == [
        ("questionnaire after_closing: valid_from", "The versions '2026' and '2027' are in force at the same time.")
    ]
