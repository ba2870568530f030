"""`check_pack` names file, row and column of whatever does not fit together."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from yiwang.core.kernel.errors import Problem
from yiwang.packs import check_pack
from yiwang.packs.check import report_dict

MINI = Path(__file__).parent / "fixtures" / "mini"
TODAY = date(2026, 3, 6)
PROVENANCE = "2020-01-01,,invented,test,"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def append(path: Path, row: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(row + "\n")


def problems_of(folder: Path) -> tuple[Problem, ...]:
    report = check_pack(folder, on=TODAY)
    assert not report.ok
    return report.problems


def has(
    problems: tuple[Problem, ...], *, file: str, words: str, row: int | None = None, column: str | None = None
) -> bool:
    return any(
        p.file == file
        and words in str(p.message)
        and (row is None or p.row == row)
        and (column is None or p.column == column)
        for p in problems
    )


def test_the_toy_pack_is_sound() -> None:
    report = check_pack(MINI, on=TODAY)
    assert report.problems == ()
    assert report.warnings == ()
    assert report.examples == 4
    assert report.counts["units"] == 12
    assert report_dict(report)["ok"] is True


def test_a_pack_that_cannot_be_read_is_a_report_too(tmp_path: Path) -> None:
    report = check_pack(tmp_path)
    assert not report.ok
    assert report.pack is None
    assert report_dict(report)["problems"][0]["file"] == "pack.toml"


def test_where_priorities_are_listed_triage_gives_no_other(pack_copy: Path) -> None:
    listed = '[[priority]]\nid = "normal"\nname = "一般"\nname_en = "normal"\n\n'
    edit(pack_copy / "workflow.toml", "[[stage]]", listed + "[[stage]]")
    problems = problems_of(pack_copy)
    assert has(problems, file="triage.csv", words="Unknown priority 'urgent'", column="priority")
    edit(pack_copy / "workflow.toml", "[[stage]]", listed.replace("normal", "urgent") + "[[stage]]")
    assert check_pack(pack_copy, on=TODAY).ok


@pytest.mark.parametrize(
    ("file", "row", "column", "words", "line"),
    [
        ("limits.csv", "L100,01003,,,,1,work_days,", "category", "Unknown category '01003'", 11),
        ("limits.csv", "L100,1001,,,,1,work_days,", "category", "Unknown category '1001'", 11),
        ("limits.csv", "L100,01001,9,,,1,work_days,", "condition", "Unknown condition '9'", 11),
        ("limits.csv", "L100,,,9003,,1,work_days,", "region", "Unknown region '9003'", 11),
        ("limits.csv", "L100,,,,pressing,1,work_days,", "priority", "Unknown priority 'pressing'", 11),
        ("limits.csv", "L100,01001,2,9001,,one,work_days,", "amount", "no limit", 11),
        ("limits.csv", "L100,01001,2,9001,,1,days,", "unit", "no limit", 11),
        ("routing.csv", "R100,01001,,,DEPT-ROADS,", "unit", "Unknown unit 'DEPT-ROADS'", 8),
        ("routing.csv", "R100,01001,,,SWEEP-{road},", "unit", "unknown level 'road'", 8),
        ("routing.csv", "R100,01001,,,SWEEP-{street,", "unit", "no template", 8),
        ("routing.csv", "R100,01001,,,SWEEP-{community},", "unit", "do not exist for 4 of 4 regions", 8),
        ("triage.csv", "T100,01001,,,normal,handled,CTR-{city},no,", "auto", "Unknown step 'handled'", 9),
        ("triage.csv", "T100,01001,,,normal,suspended,CTR-{city},no,", "auto", "cannot carry", 9),
        ("triage.csv", "T100,01001,,,normal,filed,CTR-{city},maybe,", "verify", "no answer", 9),
        ("triage.csv", "T100,01001,,,normal,filed,CENTRE,no,", "centre", "Unknown unit 'CENTRE'", 9),
    ],
)
def test_rows_that_do_not_fit(pack_copy: Path, file: str, row: str, column: str, words: str, line: int) -> None:
    append(pack_copy / file, row + PROVENANCE)
    problems = problems_of(pack_copy)
    assert has(problems, file=file, words=words, row=line, column=column), [str(p) for p in problems]


def test_a_limit_of_nothing_is_a_limit(pack_copy: Path) -> None:
    append(pack_copy / "limits.csv", "L100,01001,2,9001,,0,work_days," + PROVENANCE)
    assert check_pack(pack_copy, on=TODAY).problems == ()


@pytest.mark.parametrize(
    ("file", "right", "wrong"),
    [
        ("units.csv", "valid_to", "Valid To"),
        ("units.csv", "valid_from", "valid_form"),
        ("regions.csv", "name_en", "Name EN"),
        ("categories.csv", "name_en", "NAME-EN"),
        ("conditions.csv", "closing_en", "Closing En"),
    ],
)
def test_a_misspelt_column_is_told_with_the_right_one(pack_copy: Path, file: str, right: str, wrong: str) -> None:
    header, rest = (pack_copy / file).read_text(encoding="utf-8").split("\n", 1)
    cells = [wrong if cell == right else cell for cell in header.split(",")]
    assert wrong in cells, header
    (pack_copy / file).write_text(",".join(cells) + "\n" + rest, encoding="utf-8")
    report = check_pack(pack_copy, on=TODAY)
    told = [f"{problem}" for problem in (*report.problems, *report.warnings) if problem.file == file]
    assert any(wrong in line and repr(right) in line for line in told) or any(
        right in line and repr(wrong) in line for line in told
    ), told


def test_a_template_that_works_where_the_row_speaks_is_fine(pack_copy: Path) -> None:
    append(
        pack_copy / "units.csv",
        "WATCH-9002,东值守,East watch,department,street,9002,CTR-9002,watch,1,2020-01-01,,invented",
    )
    append(pack_copy / "routing.csv", "R100,01002,9002,,WATCH-{street}," + PROVENANCE)
    assert check_pack(pack_copy, on=TODAY).problems == ()


def test_a_narrower_row_may_take_over_where_a_template_has_no_unit(pack_copy: Path) -> None:
    edit(pack_copy / "units.csv", "SWEEP-9002,东街道环卫所", "CLEAN-9002,东街道环卫所")
    assert has(problems_of(pack_copy), file="routing.csv", words="SWEEP-9002", row=4)
    append(pack_copy / "routing.csv", "R100,02,9002,,CLEAN-9002," + PROVENANCE)
    edit(pack_copy / "examples" / "litter.toml", 'unit = "SWEEP-9002"', 'unit = "CLEAN-9002"')
    assert check_pack(pack_copy, on=TODAY).problems == ()


def test_overlaps_gaps_and_dead_rows(pack_copy: Path) -> None:
    append(pack_copy / "limits.csv", "L100,02,,9002,,3,work_hours," + PROVENANCE)
    edit(pack_copy / "limits.csv", "L001,,,,,7,work_days,2020-01-01", "L001,04,,,,7,work_days,2020-01-01")
    problems = problems_of(pack_copy)
    assert has(problems, file="limits.csv", words="L100 and row L007", row=11)
    assert has(problems, file="limits.csv", words="No row for category '01001'")
    assert has(problems, file="limits.csv", words="Unknown category '04'", row=2)


def test_a_row_that_never_decides(pack_copy: Path) -> None:
    append(pack_copy / "limits.csv", "L100,01001,1,9001,,1,urgent_hours," + PROVENANCE)
    append(pack_copy / "limits.csv", "L101,01001,1,9002,,1,urgent_hours," + PROVENANCE)
    append(pack_copy / "limits.csv", "L102,01001,1,90,,1,urgent_hours," + PROVENANCE)
    append(pack_copy / "limits.csv", "L103,01001,1,9001,urgent,1,urgent_hours," + PROVENANCE)
    append(pack_copy / "limits.csv", "L104,01001,1,9001,normal,1,urgent_hours," + PROVENANCE)
    assert has(problems_of(pack_copy), file="limits.csv", words="Row L100 never decides", row=11)


def test_a_hole_between_two_periods_is_a_warning(pack_copy: Path) -> None:
    edit(pack_copy / "limits.csv", "2020-01-01,2026-01-01", "2020-01-01,2025-12-01")
    report = check_pack(pack_copy, on=TODAY)
    assert has(report.warnings, file="limits.csv", words="31 days between")


def test_categories_that_find_no_unit_where_only_the_city_is_known(pack_copy: Path) -> None:
    edit(pack_copy / "routing.csv", "R001,,,,CTR-{city},2020-01-01", "R001,,,,CTR-{street},2020-01-01")
    assert has(
        problems_of(pack_copy), file="routing.csv", words="No row answers for 2 categories where only the city is known"
    )


def test_units_must_stand_in_line(pack_copy: Path) -> None:
    edit(pack_copy / "units.csv", "department,street,9001,CTR-9001", "department,city,9001,CTR-9002")
    problems = problems_of(pack_copy)
    assert has(problems, file="units.csv", words="its region 9001 is a street", row=7)
    assert has(problems, file="units.csv", words="stands below 'CTR-9002'", row=7)


def test_a_unit_that_ended(pack_copy: Path) -> None:
    edit(pack_copy / "units.csv", "drainage,1,2020-01-01,", "drainage,1,2019-01-01,2020-01-01")
    assert has(problems_of(pack_copy), file="routing.csv", words="'DEPT-WATER' does not exist while", column="unit")


def test_a_calendar_without_the_year(pack_copy: Path) -> None:
    edit(pack_copy / "calendar.toml", "2025, 2026", "2025")
    assert has(problems_of(pack_copy), file="calendar.toml", words="does not know 2026")


def test_examples_say_what_they_got_and_why(pack_copy: Path) -> None:
    edit(pack_copy / "examples" / "litter.toml", 'limit = "4 work_hours"', 'limit = "5 work_hours"')
    edit(pack_copy / "examples" / "urgent.toml", 'unit = "DEPT-WORKS"', 'unit = "DEPT-WATER"')
    problems = problems_of(pack_copy)
    assert {(p.file, p.column) for p in problems} == {
        ("examples/litter.toml", "limit"),
        ("examples/urgent.toml", "unit"),
    }
    litter = next(p for p in problems if p.column == "limit")
    assert "limit is 4 work_hours, expected 5 work_hours" in str(litter.message)
    assert "Row L006" in str(litter.hint)


def test_an_example_about_an_unknown_category(pack_copy: Path) -> None:
    edit(pack_copy / "examples" / "litter.toml", 'category = "02001"', 'category = "2001"')
    assert has(problems_of(pack_copy), file="examples/litter.toml", words="Unknown category '2001'")


def test_a_pack_without_examples_is_warned_about(pack_copy: Path) -> None:
    shutil.rmtree(pack_copy / "examples")
    report = check_pack(pack_copy, on=TODAY)
    assert report.ok
    assert has(report.warnings, file="examples", words="no examples")


def test_unknown_columns_are_warned_about(pack_copy: Path) -> None:
    path = pack_copy / "units.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0] + ",telephone", *(line + "," for line in lines[1:])]) + "\n", encoding="utf-8")
    report = check_pack(pack_copy, on=TODAY)
    assert report.ok
    assert has(report.warnings, file="units.csv", words="not known", column="telephone")
