"""`planning.toml`: what is read, and how faults are said."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest

from yiwang.core.planning.queues.screening import ScreeningRules
from yiwang.core.planning.values import by_id
from yiwang.packs import read_pack
from yiwang.packs.pack import read_all

ROOT = Path(__file__).resolve().parents[2]
MINI = Path(__file__).parent / "fixtures" / "mini"
VALUE = """
[[value]]
id = "pooling"
name = "混采比例"
name_en = "People per tube"
value = 10
low = 5
high = 20
unit = "people/tube"
source = "虚构"
source_en = "invented"
confidence = "test"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = Path(copytree(MINI, tmp_path / "mini"))
    (made / "planning.toml").write_text(VALUE, encoding="utf-8")
    return made


def test_a_pack_needs_none_and_has_what_it_says(folder: Path) -> None:
    assert read_pack(MINI).planning == ()
    (one,) = read_pack(folder).planning
    assert (one.id, one.value, one.low, one.high, one.unit) == ("pooling", 10, 5, 20, "people/tube")
    assert (one.name.zh, one.source.en, one.confidence) == ("混采比例", "invented", "test")


@pytest.mark.parametrize("pack", sorted((ROOT / "packs").glob("*/planning.toml")), ids=lambda path: path.parent.name)
def test_a_shipped_pack_has_all_that_screening_asks_for(pack: Path) -> None:
    values = by_id(read_pack(pack.parent).planning)
    ScreeningRules(**{name: values[name].value for name in ScreeningRules.__slots__})
    assert all(one.source.zh and one.source.en and one.confidence for one in values.values())


@pytest.mark.parametrize(
    ("old", "new", "column", "words"),
    [
        ("value = 10", "value = 30", "value pooling: value", "30 is not between 5 and 20"),
        ("low = 5", 'low = "5"', "value pooling: low", "'5' is no number"),
        ("high = 20\n", "", "value pooling: high", "missing"),
        ('source_en = "invented"\n', "", "value pooling: source_en", "missing"),
        ('unit = "people/tube"', "units = 1", "value pooling: units", "not known"),
    ],
)
def test_faults_name_their_key(folder: Path, old: str, new: str, column: str, words: str) -> None:
    assert old in VALUE
    (folder / "planning.toml").write_text(VALUE.replace(old, new), encoding="utf-8")
    found = [(one.file, one.column, one.message.en) for one in read_all(folder).files.problems]
    assert [one for one in found if one[:2] == ("planning.toml", column) and words in one[2]], found


def test_a_value_stands_there_once(folder: Path) -> None:
    (folder / "planning.toml").write_text(VALUE + VALUE, encoding="utf-8")
    assert "stands there twice" in read_all(folder).files.problems[0].message.en


PEOPLE = """
[[people]]
region = "{region}"
people = {people}
year = 2020
source = "虚构"
source_en = "invented"
confidence = "test"
"""


def test_counts_of_people_name_regions_that_exist(folder: Path) -> None:
    known = next(iter(read_pack(MINI).regions)).code
    (folder / "planning.toml").write_text(VALUE + PEOPLE.format(region=known, people=1200), encoding="utf-8")
    (one,) = read_pack(folder).people
    assert (one.region, one.people, one.year, one.source.en) == (known, 1200, 2020, "invented")
    wrong = PEOPLE.format(region="nowhere", people=-1) + PEOPLE.format(region=known, people=1) * 2
    (folder / "planning.toml").write_text(VALUE + wrong, encoding="utf-8")
    said = [str(one) for one in read_all(folder).files.problems]
    assert len(said) == 3
    assert any("'nowhere' does not exist" in one for one in said)
    assert any("fewer than 0 people" in one for one in said)


@pytest.mark.parametrize("pack", sorted((ROOT / "packs").glob("*/planning.toml")), ids=lambda path: path.parent.name)
def test_counts_of_a_shipped_pack_say_where_they_come_from(pack: Path) -> None:
    for one in read_pack(pack.parent).people:
        assert one.source.zh
        assert one.source.en
        assert one.confidence in ("census", "estimate")
