"""The reader of a city's own files: other spellings, other years, broken rows; nothing is lost silently."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from yiwang.core.kernel.errors import BadInput
from yiwang.packs.files import PackFiles
from yiwang.packs.records.mapping import ReplayMapping, read_mapping, require_mapping
from yiwang.packs.records.reading import (
    RecordReader,
    SourceRecord,
    Vocabulary,
    as_of,
    deadline_agrees,
    expected_flag,
    read_records,
)

REPLAY = """
timezone = "America/New_York"
blank = ["NULL"]
datetime_formats = ["%m/%d/%Y %I:%M:%S %p"]
closed_words = ["Closed"]
[columns]
external_id = ["number", "id"]
opened = ["opened_on"]
deadline = ["due"]
closed = ["closed_on"]
flag = ["on_time"]
status = ["state"]
kind = ["kind"]
group = ["group"]
title = ["title"]
place = ["address"]
district = ["district"]
block = ["block"]
lon = ["x"]
lat = ["y"]
source = ["via"]
queue = ["queue"]
department = ["department"]
closing_text = ["remark"]
[report]
text = "{title}"
place = "{place}"
[source]
other = "other"
[source.values]
"Phone Call" = "phone"
[category]
names = ["{kind}", "{group} (other)"]
other = "X00"
[[condition]]
category = "A01"
field = "title"
pattern = 'danger'
condition = "dangerous"
[region]
codes = ["T{district}{block}", "T{district}"]
[region.part.district]
field = "district"
pattern = '^(?:district )?0*(\\d{1,2})$'
width = 2
[region.part.block]
field = "block"
pattern = '^(\\d)$'
[unit]
names = ["{queue}"]
words = "words.csv"
[department.values]
PW = "WORKS"
[flag]
ontime = "ON"
overdue = "LATE"
no_deadline = "ontime"
[duplicates]
says = ['\\bdup']
unless = ['no dup']
[[duplicates.number]]
pattern = '#(\\d+)'
as = "N{}"
"""
WORDS = "word,unit\nOld lamp queue,LAMPS\n"
HEADER = (
    "number,opened_on,due,closed_on,on_time,state,kind,group,title,address,district,block,x,y,via,queue,"
    "department,remark"
)
ROW = (
    "N1,2011-07-18 10:00:00,2011-07-20 10:00:00,2011-07-19 09:00:00,ON,Closed,Lamp out,Lights,Lamp out,1 Main St,07,3,"
    "-71.1,42.3,Phone Call,Old lamp queue,PW,done"
)


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    (tmp_path / "replay.toml").write_text(REPLAY, encoding="utf-8")
    (tmp_path / "words.csv").write_text(WORDS, encoding="utf-8")
    return tmp_path


def vocabulary() -> Vocabulary:
    return Vocabulary.of(
        categories={"A01": "Lamp out", "A00": "Lights (other)", "X00": "Other"},
        units={"LAMPS": "Lamps", "ROADS": "Roads"},
        regions={"T", "T07", "T073"},
    )


def reading(
    pack: Path, *lines: str, header: str = HEADER, name: str = "file.csv", limit: int | None = None
) -> RecordReader:
    path = pack / name
    content = "\n".join([header, *lines]) + "\n"
    data = content.encode("utf-8")
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    mapping = require_mapping(PackFiles(pack))
    return read_records(path=path, mapping=mapping, vocabulary=vocabulary(), limit=limit)


def one(pack: Path, *lines: str, header: str = HEADER) -> SourceRecord:
    (record,) = reading(pack, *lines, header=header)
    return record


def changed(**cells: str) -> str:
    values = dict(zip(HEADER.split(","), ROW.split(","), strict=True)) | cells
    return ",".join(values.values())


def test_a_row_in_full(pack: Path) -> None:
    record = one(pack, ROW)
    assert record == SourceRecord(
        external_id="N1",
        row=2,
        opened_at=datetime(2011, 7, 18, 14, tzinfo=UTC),
        deadline=datetime(2011, 7, 20, 14, tzinfo=UTC),
        closed_at=datetime(2011, 7, 19, 13, tzinfo=UTC),
        flag="ontime",
        category="A01",
        category_text="Lamp out",
        text="Lamp out",
        place="1 Main St",
        lon=-71.1,
        lat=42.3,
        region="T073",
        source="phone",
        unit="LAMPS",
        unit_text="Old lamp queue",
        department="WORKS",
        closing_text="done",
    )
    assert record.status == "closed"


@pytest.mark.parametrize(
    "text",
    [
        "2011-07-18 10:00",
        "2011-07-18T10:00:00",
        "2011-07-18 10:00:00.000",
        "07/18/2011 10:00:00 AM",
        "2011-07-18T14:00:00Z",
    ],
)
def test_times_in_other_spellings(pack: Path, text: str) -> None:
    assert one(pack, changed(opened_on=text)).opened_at == datetime(2011, 7, 18, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    "header", [HEADER.upper(), HEADER.replace("_", " "), "﻿" + HEADER, HEADER.replace("number", " ID ")]
)
def test_headers_in_other_spellings(pack: Path, header: str) -> None:
    assert one(pack, ROW, header=header) == one(pack, ROW)


def test_columns_more_and_fewer(pack: Path) -> None:
    found = reading(pack, "N1,new,2011-07-18 10:00:00", header="number,photo,opened_on")
    (record,) = found
    assert (record.category, record.region, record.deadline, record.lon) == ("X00", "", None, None)
    assert found.unused == ("photo",)
    assert "deadline" in found.missing


def test_a_file_without_what_is_needed_says_so(pack: Path) -> None:
    with pytest.raises(BadInput, match="No column for opened") as error:
        list(reading(pack, "N1,2011-07-18", header="number,opened_onn"))
    assert "openedonn" in str(error.value)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\x1f\x8bnot gzip at all"])
def test_files_that_are_none(pack: Path, content: bytes) -> None:
    (pack / "file.csv").write_bytes(content)
    mapping = require_mapping(PackFiles(pack))
    with pytest.raises(BadInput):
        list(read_records(path=pack / "file.csv", mapping=mapping, vocabulary=vocabulary()))


def test_a_missing_file_is_named(pack: Path) -> None:
    mapping = require_mapping(PackFiles(pack))
    with pytest.raises(BadInput, match="no such file"):
        list(read_records(path=pack / "none.csv", mapping=mapping, vocabulary=vocabulary()))


def test_a_cut_off_archive_is_named(pack: Path) -> None:
    lines = [changed(number=f"N{number}") for number in range(500)]
    found = reading(pack, *lines, name="file.csv.gz")
    path = pack / "file.csv.gz"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(BadInput, match="cannot be read"):
        list(found)


def test_packed_and_plain_are_the_same(pack: Path) -> None:
    assert list(reading(pack, ROW, name="file.csv.gz")) == list(reading(pack, ROW))


def test_broken_rows_are_counted_and_named(pack: Path) -> None:
    lines = [
        ROW,
        changed(number="", kind="x"),
        changed(number="N2", opened_on="yesterday"),
        changed(number="N3", opened_on="NULL"),
        changed(number="N4", due="soon"),
        changed(number="N5", closed_on="2011-07-17 09:00:00"),
        "N6,too,short",
        ROW,
        changed(number="N7", x="east"),
        "",
        changed(number="N8", x="0", y="0"),
    ]
    found = reading(pack, *lines)
    records = list(found)
    assert [record.external_id for record in records] == ["N1", "N5", "N7", "N8"]
    assert records[1].closed_at == records[1].opened_at
    counts = found.counts
    assert (counts.rows, counts.records, counts.skipped, counts.repeated, counts.odd) == (10, 4, 5, 1, 3)
    assert counts.rows == counts.records + counts.skipped + counts.repeated
    assert [(p.row, p.column) for p in found.problems] == [
        (3, "external_id"), (4, "opened"), (5, "opened"), (6, "deadline"), (7, "closed"), (8, ""), (9, "external_id"),
        (10, "lon"), (12, "lon"),
    ]  # fmt: skip


def test_what_the_pack_does_not_know_is_counted(pack: Path) -> None:
    found = reading(
        pack,
        changed(number="N1", kind="Lamp flickers"),
        changed(number="N2", kind="Flood", group="Water"),
        changed(number="N3", queue="New queue"),
        changed(number="N4", via="Telepathy"),
        changed(number="N5", district="99"),
        changed(number="N6", district="07", block="9"),
        changed(number="N7", queue="roads"),
        changed(number="N8", department="??"),
    )
    records = {record.external_id: record for record in found}
    assert (records["N1"].category, records["N2"].category) == ("A00", "X00")
    assert records["N3"].unit == ""
    assert records["N4"].source == "other"
    assert (records["N5"].region, records["N6"].region) == ("", "T07")
    assert records["N7"].unit == "ROADS"  # by the directory's own name
    assert records["N8"].department == ""
    assert found.counts.other_category == {"Lamp flickers": 1, "Flood": 1}
    assert found.counts.unknown_unit == {"New queue": 1}
    assert found.counts.other_source == {"Telepathy": 1}
    assert found.counts.without_region == 1


@pytest.mark.parametrize("text", ["07", "7", " 7 ", "District 7", "DISTRICT 07"])
def test_spellings_of_a_district(pack: Path, text: str) -> None:
    assert one(pack, changed(district=text)).region == "T073"


def test_conditions_are_told_by_words(pack: Path) -> None:
    assert one(pack, changed(title="DANGEROUS lamp")).condition == "dangerous"
    assert one(pack, changed(title="DANGEROUS lamp", kind="Lamp flickers")).condition == ""


def test_duplicates_as_the_text_says(pack: Path) -> None:
    said = {
        "duplicate of #7": (True, "N7"),
        "Duplicate": (True, ""),
        "no dup of #7": (False, ""),
        "dup of #1 see #2": (True, "N2"),  # its own number is no other request
        "done": (False, ""),
    }
    for text, expected in said.items():
        record = one(pack, changed(remark=text))
        assert (record.says_duplicate, record.duplicate_of) == expected, text


def test_a_status_that_contradicts_the_time_is_noted(pack: Path) -> None:
    found = reading(pack, changed(closed_on=""), changed(number="N2", state="Open"))
    assert [record.status for record in found] == ["open", "closed"]
    assert found.counts.odd == 2


def test_the_limit_stops_early(pack: Path) -> None:
    lines = [changed(number=f"N{number}") for number in range(5)]
    assert len(list(reading(pack, *lines, limit=3))) == 3
    assert list(reading(pack, *lines, limit=0)) == []


def test_flags_follow_the_rule(pack: Path) -> None:
    found = reading(pack, ROW, changed(number="N2", closed_on="2011-08-01 00:00:00", on_time="perhaps"))
    records = list(found)
    assert records[1].flag == ""
    assert found.counts.odd == 1
    mapping = found.mapping
    assert mapping.flag is not None
    drawn = as_of(rule=mapping.flag, mapping=mapping, latest=found.latest)
    assert drawn == records[1].closed_at
    due = records[0].deadline

    flag = partial(expected_flag, deadline=due, closed_at=None, as_of=drawn, rule=mapping.flag)
    assert flag(deadline=None) == "ontime"
    assert flag(closed_at=due) == "ontime"
    assert flag(closed_at=drawn) == "overdue"
    assert flag() == "overdue"
    assert flag(as_of=records[0].opened_at) == "ontime"
    assert flag(as_of=None) == ""


def test_deadlines_agree_to_the_minute() -> None:
    at = datetime(2011, 7, 18, 14, tzinfo=UTC)
    assert deadline_agrees(recorded=None, predicted=None)
    assert not deadline_agrees(recorded=at, predicted=None)
    assert deadline_agrees(recorded=at, predicted=at.replace(minute=1))
    assert not deadline_agrees(recorded=at, predicted=at.replace(minute=1, second=1))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('names = ["{kind}", "{group} (other)"]', 'names = ["{kynd}"]', "unknown field 'kynd'"),
        ("pattern = 'danger'", "pattern = '('", "cannot be read"),
        ("pattern = '^(\\\\d)$'", "pattern = '^\\\\d$'", "captures nothing"),
        ('no_deadline = "ontime"', 'no_deadline = "maybe"', "no answer"),
        ('opened = ["opened_on"]', "", "has no column"),
        ('as = "N{}"', 'as = "N"', "no single"),
        ('words = "words.csv"', 'words = "wordz.csv"', "missing"),
        ('timezone = "America/New_York"', 'timezone = "Mars/Base"', "no time zone"),
        ("[report]", "[reports]", "not known"),
    ],
)
def test_faults_of_the_mapping_are_named(pack: Path, old: str, new: str, message: str) -> None:
    assert old.replace("\\\\", "\\") in REPLAY
    text = REPLAY.replace(old.replace("\\\\", "\\"), new.replace("\\\\", "\\"))
    (pack / "replay.toml").write_text(text, encoding="utf-8")
    files = PackFiles(pack)
    mapping: ReplayMapping | None = read_mapping(files)
    assert mapping is None
    assert any(message in str(problem) for problem in files.problems), files.problems
