"""`inspections.toml`: what is read, and how faults are said."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from shutil import copytree

import pytest

from yiwang.core.inspections.checklists import Counted, Measured, Photo, YesNo, in_force
from yiwang.packs import read_pack
from yiwang.packs.pack import read_all

MINI = Path(__file__).parent / "fixtures" / "mini"
WUXI = Path(__file__).resolve().parents[2] / "packs" / "wuxi"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(copytree(MINI, tmp_path / "mini"))


def problems(folder: Path, *changes: tuple[str, str]) -> list[tuple[str, str]]:
    """Column and English message of what is wrong once some words of the file are others."""
    file = folder / "inspections.toml"
    text = file.read_text(encoding="utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    file.write_text(text, encoding="utf-8")
    found = read_all(folder).files.problems
    assert {problem.file for problem in found} <= {"inspections.toml"}
    return [(problem.column, problem.message.en) for problem in found]


def test_a_checklist_is_read_with_its_items() -> None:
    checklists = read_pack(MINI).checklists
    assert [(one.id, one.version) for one in checklists] == [("streets", "2025"), ("streets", "2026")]
    assert in_force(checklists, on=date(2025, 6, 1))["streets"].version == "2025"
    streets = in_force(checklists, on=date(2026, 6, 1))["streets"]
    assert streets.possible == 100
    assert [item.measure for item in streets.items] == [
        Measured("g/m2", 5.0, 15.0, 0.0, 500.0), Counted(10.0, 40.0, 1), YesNo()
    ]  # fmt: skip
    assert [item.photo for item in streets.items] == [Photo.NEVER, Photo.FAILED, Photo.NEVER]
    assert dict(streets.groups["clean"]) == {"zh": "清洁", "en": "Clean"}


def test_a_pack_without_the_file_has_none(folder: Path) -> None:
    (folder / "inspections.toml").unlink()
    (folder / "honours.toml").unlink()  # its areas stand on a checklist
    assert read_pack(folder).checklists == ()


def test_wuxi_has_checklists_that_say_where_they_come_from() -> None:
    pack = read_pack(WUXI)
    assert {one.id: one.possible for one in pack.checklists} == {
        "demonstration_area": 100, "street_cleanliness": 100, "public_toilets": 100
    }  # fmt: skip
    for one in pack.checklists:
        assert one.confidence
        assert one.source.zh
        assert one.source.en


@pytest.mark.parametrize(
    ("changes", "column", "message"),
    [
        ([('level = "community"', 'level = "comunity"')], "checklist streets: level", "There is no level 'comunity'."),
        ([('level = "community"\nvalid_to', "valid_to")], "checklist streets: level", "Give one of level and component."),
        (
            [('level = "community"\nvalid_to', 'component = "09"\nvalid_to')],
            "checklist streets: component",
            "There is no class of components '09'.",
        ),
        ([('category = "02001"', 'category = "2001"')], "checklist streets: item litter: category", "There is no category '2001'."),
        ([('group = "orderly"', 'group = "order"')], "checklist streets: item stalls: group", "The checklist has no group 'order'."),
        ([('unit = "g/m2"', 'unit = "grams"')], "checklist streets: item dust: unit", None),
        ([("limit = 5\n", "")], "checklist streets: item dust: limit", "The key is missing."),
        ([("none = 15", "none = 5")], "checklist streets: item dust: none", "limit and none are the same."),
        ([("points = 20", "points = 20\noff = 3")], "checklist streets: item stalls: off", "An item of kind yes_no has no off."),
        ([("points = 20", "points = 0")], "checklist streets: item stalls: points", None),
        ([('id = "stalls"', 'id = "dust"')], "checklist streets: item", "'dust' stands there more than once."),
        ([('version = "2026"', 'version = "2025"')], "checklist streets: version", None),
        (
            [("valid_from = 2026-01-01", "valid_from = 2025-12-31")],
            "checklist streets: valid_from",
            "The versions '2025' and '2026' are in force at the same time.",
        ),
        ([('photo = "failed"', 'photo = "perhaps"')], "checklist streets: item litter: photo", None),
        ([('kind = "counted"\noff = 10\nallowed', 'kind = "weighed"\noff = 10\nallowed')], "checklist streets: item litter: kind", None),
    ],
)  # fmt: skip
def test_faults_are_said_at_their_place(
    folder: Path, changes: list[tuple[str, str]], column: str, message: str | None
) -> None:
    found = dict(problems(folder, *changes))
    assert column in found
    if message is not None:
        assert found[column] == message


def test_a_checklist_without_items_is_refused(folder: Path) -> None:
    (folder / "honours.toml").unlink()
    file = folder / "inspections.toml"
    file.write_text('[[checklist]]\nid = "a"\nversion = "1"\nname = "甲"\nname_en = "A"\nlevel = "city"\n', "utf-8")
    (fault,) = read_all(folder).files.problems
    assert fault.message.en == "The checklist has no items."
    assert re.search(r"\[\[checklist.item\]\]", fault.hint.en)
