"""Files as offices hand them in: encodings, separators, workbooks, broken quotes, numbers that a spreadsheet has eaten."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tests.packs.test_records import HEADER, REPLAY, ROW, WORDS, changed, vocabulary

from yiwang.core.kernel.errors import BadInput
from yiwang.packs.files import PackFiles
from yiwang.packs.records.mapping import read_mapping, require_mapping
from yiwang.packs.records.reading import RecordReader, read_records


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    (tmp_path / "replay.toml").write_text(REPLAY, encoding="utf-8")
    (tmp_path / "words.csv").write_text(WORDS, encoding="utf-8")
    return tmp_path


def of_bytes(pack: Path, data: bytes, name: str = "file.csv") -> RecordReader:
    (pack / name).write_bytes(data)
    return read_records(path=pack / name, mapping=require_mapping(PackFiles(pack)), vocabulary=vocabulary())


def of_lines(pack: Path, *lines: str, encoding: str = "utf-8") -> RecordReader:
    return of_bytes(pack, "\n".join([HEADER, *lines, ""]).encode(encoding))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gbk", "gb18030"])
def test_chinese_is_read_in_the_encodings_of_offices(pack: Path, encoding: str) -> None:
    (record,) = of_lines(pack, changed(title="清扬路口路灯不亮，已三天"), encoding=encoding)
    assert record.text == "清扬路口路灯不亮，已三天"


@pytest.mark.parametrize("text", ["Café déjà", "Straße", "über Nacht", "élève"])
def test_what_is_no_known_encoding_is_refused_with_the_bytes_place(pack: Path, text: str) -> None:
    line = changed(title=text)
    data = f"{HEADER}\n{ROW}\n{line}\n".encode("latin-1")
    place = next(index for index, byte in enumerate(data) if byte > 127)
    with pytest.raises(BadInput, match=f"byte {place} is 0x{data[place]:02X}") as error:
        list(of_bytes(pack, data))
    assert error.value.problems[0].row == 3


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("first", ["", "sep={}\n"])
def test_any_usual_separator(pack: Path, separator: str, first: str) -> None:
    text = first.format(separator) + f"{HEADER}\n{ROW}\n".replace(",", separator)
    (record,) = of_bytes(pack, text.encode())
    assert (record.external_id, record.region) == ("N1", "T073")
    assert record.row == (3 if first else 2)


def test_a_workbook_is_read_as_its_csv(pack: Path) -> None:
    path = pack / "file.xlsx"
    workbook(path, [HEADER.split(","), ROW.split(",")])
    reader = read_records(path=path, mapping=require_mapping(PackFiles(pack)), vocabulary=vocabulary())
    assert list(reader) == list(of_lines(pack, ROW))


def test_numbers_and_days_of_a_workbook(pack: Path) -> None:
    path = pack / "file.xlsx"
    workbook(path, [["number", "opened_on", "district"], [101000312345, "2011-07-18", 7], [1.5e17, "2011-07-18", 7]])
    reader = read_records(path=path, mapping=require_mapping(PackFiles(pack)), vocabulary=vocabulary())
    (record,) = reader
    assert (record.external_id, record.region) == ("101000312345", "T07")
    assert any("lost digits" in line for line in reader.fault_lines())


def test_an_archive_that_is_no_workbook_is_refused_with_words(pack: Path) -> None:
    with zipfile.ZipFile(pack / "file.zip", "w") as archive:
        archive.writestr("file.csv", HEADER)
    reader = read_records(path=pack / "file.zip", mapping=require_mapping(PackFiles(pack)), vocabulary=vocabulary())
    with pytest.raises(BadInput, match="ZIP archive"):
        list(reader)


def test_an_unclosed_quote_costs_its_own_row_only(pack: Path) -> None:
    lines = [changed(number=f"N{number}") for number in range(2, 6)]
    quoted = changed(number="N7", title='"Lamp, out"')
    found = of_lines(pack, ROW, changed(number="N8", title='"Lamp out'), *lines, quoted)
    assert [record.external_id for record in found] == ["N1", "N2", "N3", "N4", "N5", "N7"]
    assert (found.counts.rows, found.counts.skipped) == (7, 1)
    assert "quotation mark is not closed" in found.fault_lines()[-1]


def test_a_cell_over_several_lines_is_one_row(pack: Path) -> None:
    found = of_lines(pack, changed(title='"Lamp\nout, quite"'), changed(number="N2"))
    assert [record.text for record in found] == ["Lamp out, quite", "Lamp out"]


@pytest.mark.parametrize(
    "text", ["9999-12-31 23:59:59", "1969-12-31 10:00:00", "0001-01-01 00:00:00", "2250-01-01 00:00:00"]
)
@pytest.mark.parametrize("name", ["opened_on", "due", "closed_on"])
def test_a_time_that_nobody_can_count_costs_its_own_row_only(pack: Path, name: str, text: str) -> None:
    found = of_lines(pack, ROW, changed(number="N2", **{name: text}), changed(number="N3"))
    assert [record.external_id for record in found] == ["N1", "N3"]
    (problem,) = found.problems
    assert (problem.row, text in str(problem.message)) == (3, True)


@pytest.mark.parametrize("number", ["1.01E+11", "1,01E+11", "1E+11", "1.01e11"])
def test_a_number_that_a_spreadsheet_has_rounded_is_refused(pack: Path, number: str) -> None:
    found = of_lines(pack, changed(number=f'"{number}"'), changed(number="12E34"))
    assert [record.external_id for record in found] == ["12E34"]
    assert "format the column as text" in found.fault_lines()[-1]


def test_a_number_that_no_column_can_hold_is_refused(pack: Path) -> None:
    found = of_lines(pack, changed(number="9" * 81), changed(number="9" * 80))
    assert [len(record.external_id) for record in found] == [80]
    assert found.counts.skipped == 1


def test_columns_that_the_file_lacks_are_told_in_one_line(pack: Path) -> None:
    header = HEADER.replace("queue", "queues").replace("remark", "said")
    found = of_bytes(pack, f"{header}\n{ROW}\n".encode())
    assert len(list(found)) == 1
    (line,) = found.fault_lines()
    assert "no column for queue, closing_text" in line
    assert "'queues'" in line


def test_equal_problems_are_one_line_with_their_number(pack: Path) -> None:
    found = of_lines(pack, *(changed(number=f"N{number}", opened_on=f"day {number}") for number in range(4000)))
    assert list(found) == []
    (line,) = found.fault_lines()
    assert "row 2" in line
    assert "3,999 more like it" in line


def test_projected_coordinates_by_their_epsg_code(pack: Path) -> None:
    (pack / "replay.toml").write_text('crs = "EPSG:2249"\n' + REPLAY, encoding="utf-8")  # Massachusetts, US feet
    (record,) = of_lines(pack, changed(x="775000", y="2956000"))
    assert record.lon == pytest.approx(-71.0587, abs=0.005)
    assert record.lat == pytest.approx(42.3594, abs=0.005)
    (far,) = of_lines(pack, changed(x="1e30", y="2956000"))
    assert far.lon is None


def test_a_system_that_is_none_is_named(pack: Path) -> None:
    (pack / "replay.toml").write_text('crs = "EPSG:1"\n' + REPLAY, encoding="utf-8")
    files = PackFiles(pack)
    assert read_mapping(files) is None
    assert any("no coordinate system" in str(problem) for problem in files.problems)


def test_every_row_of_a_spoilt_file_is_a_record_or_left_out(pack: Path) -> None:
    """200 files, each spoilt in its own way: rows are records, or left out with a reason."""
    for seed in range(200):
        lines = spoilt(random.Random(seed))
        found = of_lines(pack, *lines)
        records, counts = list(found), found.counts
        assert counts.rows == counts.records + counts.skipped + counts.repeated == len(lines), seed
        assert len(records) == counts.records
        assert len(found.problems) >= counts.skipped + counts.repeated


def spoilt(chance: random.Random) -> list[str]:
    """Rows, some of which are spoilt."""
    ways: list[Callable[[str], str]] = [
        lambda number: changed(number=number),
        lambda number: changed(number=number),
        lambda number: changed(number="N1"),
        lambda number: changed(number=""),
        lambda number: changed(number="1.01E+11"),
        lambda number: changed(number=number, opened_on="9999-12-31"),
        lambda number: changed(number=number, due="soon"),
        lambda number: changed(number=number, closed_on="1900-01-01"),
        lambda number: changed(number=number, x="east"),
        lambda number: changed(number=number, title='"never closed'),
        lambda number: changed(number=number, title='"closed"twice'),
        lambda number: changed(number=number) + ",more",
        lambda number: number,
        lambda number: changed(number=number, kind="unheard of", via="unheard of"),
    ]
    return [chance.choice(ways)(f"N{number}") for number in range(chance.randint(1, 30))]


def workbook(path: Path, table: Sequence[Sequence[object]]) -> None:
    """The smallest workbook that holds a table."""
    rows = "".join(
        f'<row r="{number}">' + "".join(_cell(value) for value in line) + "</row>"
        for number, line in enumerate(table, 1)
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{office}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="one" sheetId="1" r:id="r1"/>'
        "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{office}/worksheet" '
        'Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>',
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')


def _cell(value: object) -> str:
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
    return f"<c><v>{value!r}</v></c>"
