"""The traps of files that people save from spreadsheets: encodings, separators, quotation marks, lost zeros, wrong dates."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.packs import read_pack
from yiwang.packs.files import PackFiles, decode
from yiwang.packs.hints import code_hint, date_hint

MINI = Path(__file__).parent / "fixtures" / "mini"


def problems_of(folder: Path) -> list[Problem]:
    with pytest.raises(BadInput) as caught:
        read_pack(folder)
    return list(caught.value.problems)


def only_problem(folder: Path) -> Problem:
    problems = problems_of(folder)
    assert len(problems) == 1, [str(problem) for problem in problems]
    return problems[0]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_byte_order_marks_and_windows_line_ends_change_nothing(pack_copy: Path, encoding: str, newline: str) -> None:
    for path in [*pack_copy.glob("*.csv"), *pack_copy.glob("*.toml")]:
        text = path.read_text(encoding="utf-8").replace("\n", newline)
        path.write_bytes(text.encode(encoding))
    pack = read_pack(pack_copy)
    assert pack.regions["900101"].name.zh == "西南社区"
    assert pack.info.name.zh == "小城"


@pytest.mark.parametrize("name", ["units.csv", "pack.toml", "limits.csv"])
def test_gbk_is_named(pack_copy: Path, name: str) -> None:
    path = pack_copy / name
    text = path.read_text(encoding="utf-8").replace("invented", "虚构")
    path.write_bytes(text.encode("gbk"))
    problem = next(problem for problem in problems_of(pack_copy) if problem.file == name)
    assert "GBK" in str(problem.message)
    assert "UTF-8" in str(problem.hint)
    assert problem.row is not None


def test_utf_16_is_named(pack_copy: Path) -> None:
    path = pack_copy / "units.csv"
    path.write_bytes(path.read_text(encoding="utf-8").encode("utf-16"))
    assert any("UTF-16" in str(problem.message) for problem in problems_of(pack_copy))


def test_other_bytes_are_no_text() -> None:
    with pytest.raises(BadInput, match="not UTF-8"):
        decode(b"a,b\n\xff\xfd\xfc")
    with pytest.raises(BadInput, match="NUL"):
        decode(b"a\x00b")


def test_replacement_characters_are_lost_text(pack_copy: Path) -> None:
    edit(pack_copy / "units.csv", "市政处", "市�处")
    assert "lost in a conversion" in str(only_problem(pack_copy).message)


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_are_named(pack_copy: Path, separator: str) -> None:
    path = pack_copy / "conditions.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",", separator), encoding="utf-8")
    problem = next(problem for problem in problems_of(pack_copy) if problem.file == "conditions.csv")
    assert "not separated by commas" in str(problem.message)


def test_a_row_with_a_cell_too_few_or_too_many(pack_copy: Path) -> None:
    edit(pack_copy / "categories.csv", "mini-2026,01002,component", "mini-2026,01002")
    edit(pack_copy / "conditions.csv", "成堆的垃圾", "成堆,的垃圾")
    problems = problems_of(pack_copy)
    assert ("categories.csv", 3) in {(problem.file, problem.row) for problem in problems}
    surplus = next(problem for problem in problems if problem.file == "conditions.csv")
    assert surplus.row == 4
    assert "10 cells, the header 8" in str(surplus.message) or "9 cells, the header 8" in str(surplus.message)


def test_header_faults(pack_copy: Path) -> None:
    edit(pack_copy / "units.csv", "name_en,kind", "name_en,name_en")
    problems = problems_of(pack_copy)
    assert {(str(problem.message), problem.column) for problem in problems if problem.file == "units.csv"} == {
        ("The column stands twice in the header.", "name_en"),
        ("The column is missing.", "kind"),
    }


def test_a_misspelt_column_is_recognised(pack_copy: Path) -> None:
    edit(pack_copy / "limits.csv", "amount", "ammount")
    problems = [problem for problem in problems_of(pack_copy) if problem.file == "limits.csv"]
    assert any(problem.column == "amount" and "'ammount'" in str(problem.hint) for problem in problems)
    assert any(problem.column == "ammount" and "'amount'" in str(problem.hint) for problem in problems)


def test_quotation_marks(pack_copy: Path) -> None:
    edit(pack_copy / "conditions.csv", "成堆的垃圾", '"成堆的垃圾, 或 ""半堆"""')
    assert read_pack(pack_copy).conditions["02001", "1"].text.zh == '成堆的垃圾, 或 "半堆"'
    edit(pack_copy / "conditions.csv", '""半堆"""', '"半堆')
    problem = problems_of(pack_copy)[0]
    assert (problem.file, problem.row) == ("conditions.csv", 4)
    assert "quotation mark" in str(problem.hint)


def test_empty_rows_at_the_end_are_a_spreadsheets_habit_within_they_are_a_fault(pack_copy: Path) -> None:
    path = pack_copy / "units.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + ",,,,,,,,,,,\n\n,,,\n", encoding="utf-8")
    assert len(read_pack(pack_copy).units) == 12
    lines = text.splitlines()
    path.write_text("\n".join([*lines[:3], "", *lines[3:]]), encoding="utf-8")
    assert [(p.file, p.row) for p in problems_of(pack_copy)][:1] == [("units.csv", 4)]


def test_toml_faults_name_the_line(pack_copy: Path) -> None:
    edit(pack_copy / "calendar.toml", 'holidays = "CN"', "holidays = CN")
    problem = only_problem(pack_copy)
    assert (problem.file, problem.row) == ("calendar.toml", 2)


def test_broken_outlines(pack_copy: Path) -> None:
    path = pack_copy / "regions.geojson.gz"
    whole = path.read_bytes()
    path.write_bytes(whole[:50])
    assert "gzip" in str(only_problem(pack_copy).message)
    path.write_bytes(gzip.compress(b'{"type": "FeatureCollection"}'))
    assert "FeatureCollection" in str(only_problem(pack_copy).message)
    path.write_bytes(gzip.compress(b"[1,"))
    assert "JSON" in str(only_problem(pack_copy).message)


def test_plain_geojson_will_do(pack_copy: Path) -> None:
    packed = pack_copy / "regions.geojson.gz"
    (pack_copy / "regions.geojson").write_bytes(gzip.decompress(packed.read_bytes()))
    packed.unlink()
    assert read_pack(pack_copy).regions["9001"].geometry is not None


def test_missing_files(pack_copy: Path) -> None:
    (pack_copy / "calendar.toml").rename(pack_copy / "calender.toml")
    problem = only_problem(pack_copy)
    assert problem.file == "calendar.toml"
    assert "calender.toml" in str(problem.hint)


def test_the_digest_is_of_names_and_content_and_not_of_left_overs(pack_copy: Path) -> None:
    before = PackFiles(pack_copy).digest()
    (pack_copy / ".DS_Store").write_bytes(b"x")
    (pack_copy / "units.csv~").write_bytes(b"x")
    (pack_copy / "~$units.csv").write_bytes(b"x")
    assert PackFiles(pack_copy).digest() == before
    (pack_copy / "notes.md").write_text("x")
    assert PackFiles(pack_copy).digest() != before


def test_hints_for_codes_that_a_spreadsheet_damaged() -> None:
    known = ["01001", "02001", "320205001002"]
    assert "leading zeros of '01001'" in str(code_hint("1001", known, where="categories.csv"))
    assert "number" in str(code_hint("3.20205E+11", known, where="regions.csv"))
    assert "'01001'" in str(code_hint("01011", known, where="categories.csv"))
    assert "categories.csv" in str(code_hint("zzz", known, where="categories.csv"))


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("2026/3/1", "Write 2026-03-01."),
        ("2026年3月1日", "Write 2026-03-01."),
        ("2026/2/30", "There is no such day."),
        ("soon", "Write year-month-day, e.g. 2026-03-01."),
    ],
)
def test_hints_for_dates(text: str, hint: str) -> None:
    assert str(date_hint(text)) == hint


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("编号,名称\n".encode("gb18030"), "GBK (GB 18030), not UTF-8. Byte 0 is 0xB1"),
        (b"code,name\nx,Caf\xe9\n", "not UTF-8. Byte 15 is 0xE9"),
        (b"PK\x03\x04....", "a workbook or an archive"),
        (b"\xff\xfec\x00", "UTF-16"),
    ],
)
def test_what_is_no_utf8_is_named_with_the_byte(content: bytes, told: str) -> None:
    with pytest.raises(BadInput, match=re.escape(told)):
        decode(content)
