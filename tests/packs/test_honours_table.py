"""`honours.toml`: what is read, and how faults are said."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest

from yiwang.packs import read_pack
from yiwang.packs.pack import read_all

MINI = Path(__file__).parent / "fixtures" / "mini"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(copytree(MINI, tmp_path / "mini"))


def faults(folder: Path, old: str, new: str) -> list[tuple[str, str]]:
    file = folder / "honours.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    found = read_all(folder).files.problems
    assert {problem.file for problem in found} <= {"honours.toml"}
    return [(problem.column, problem.message.en) for problem in found]


def test_what_is_read() -> None:
    rules = read_pack(MINI).honours
    assert [(one.id, one.level, one.inspections) for one in rules.areas] == [("model_street", "community", 2)]
    assert [(one.id, one.list, one.holders) for one in rules.banners] == [("banner", "monthly", 1)]


def test_a_pack_needs_none(folder: Path) -> None:
    (folder / "honours.toml").unlink()
    assert read_pack(folder).honours.areas == ()


@pytest.mark.parametrize(
    ("old", "new", "column", "words"),
    [
        ('checklist = "streets"', 'checklist = "street"', "area model_street: checklist", "No checklist 'street'"),
        ("delisted_below = 60", "delisted_below = 90", "area model_street: delisted_below", "is above listed_at"),
        ("listed_at = 80", "listed_at = 101", "area model_street: listed_at", "101"),
        ("inspections = 2", "inspections = 0", "area model_street: inspections", "0"),
        ('list = "monthly"', 'list = "weekly"', "banner banner: list", "There is no list 'weekly'"),
        ('name_en = "Banner"\n', "", "banner banner: name_en", "missing"),
    ],
)
def test_faults_name_their_key(folder: Path, old: str, new: str, column: str, words: str) -> None:
    found = faults(folder, old, new)
    assert [one for one in found if one[0] == column and words in one[1]], found


def test_two_versions_of_a_rule_must_not_overlap(folder: Path) -> None:
    file = folder / "honours.toml"
    text = file.read_text(encoding="utf-8")
    area = text[: text.index("[[banner]]")]
    file.write_text(area + text, encoding="utf-8")
    assert "two rules in force" in read_all(folder).files.problems[0].message.en
