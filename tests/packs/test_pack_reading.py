"""A pack becomes core objects; whatever is wrong with it is named, all of it at once."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.packs import check_pack, find_pack, pack_folders, read_pack

MINI = Path(__file__).parent / "fixtures" / "mini"


def problems_of(folder: Path) -> list[Problem]:
    with pytest.raises(BadInput) as caught:
        read_pack(folder)
    return list(caught.value.problems)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_everything_of_the_toy_pack_is_there() -> None:
    pack = read_pack(MINI)
    assert (pack.id, pack.info.name.zh, pack.info.name.en, pack.info.simulated) == ("mini", "小城", "Mini", True)
    assert [level.id for level in pack.info.levels] == ["city", "street", "community"]
    assert [region.code for region in pack.regions.chain("900101")] == ["90", "9001", "900101"]
    assert pack.categories["01001"].name.en == "Manhole cover fault"
    assert set(pack.catalogue.schemes) == {"mini-2026", "mini-2010"}
    assert [m.to_code for m in pack.catalogue.translate(scheme="mini-2010", code="C0101", to="mini-2026")] == ["01001"]
    assert pack.conditions["01001", "1"].closing.en == "Put back"
    assert pack.units.get("COM-900101") is not None
    assert [unit.code for unit in pack.units.above("COM-900101")] == ["CTR-9001", "CTR-90"]
    assert set(pack.tables) == {"triage", "routing", "limits"}
    assert pack.workflow.opening().id == "report"
    assert pack.calendar.is_workday(date(2026, 3, 6))
    assert not pack.calendar.is_workday(date(2026, 1, 1))
    assert len(pack.examples) == 4
    assert len(pack.digest) == 64
    assert pack.simulation is None
    assert pack.replay is None


def test_two_reads_have_one_digest_and_a_change_another(pack_copy: Path) -> None:
    before = read_pack(pack_copy).digest
    assert read_pack(MINI).digest == before
    edit(pack_copy / "limits.csv", "4,work_hours", "5,work_hours")
    assert read_pack(pack_copy).digest != before


def test_how_a_pack_was_made_is_no_part_of_it(pack_copy: Path) -> None:
    before = read_pack(pack_copy)
    (pack_copy / "provenance").mkdir()
    (pack_copy / "provenance" / "limits.py").write_text("print('made')", encoding="utf-8")
    after = read_pack(pack_copy)
    assert (after.digest, after.files) == (before.digest, before.files)


def test_numbers() -> None:
    info = read_pack(MINI).info
    assert info.format_case_number(day=date(2026, 3, 6), serial=7) == "MN2026030600007"
    assert info.format_report_number(day=date(2026, 3, 6), serial=7) == "MNR2026030600007"


def test_faults_of_all_files_come_at_once(pack_copy: Path) -> None:
    edit(pack_copy / "pack.toml", 'country = "CN"', 'country = "China"')
    edit(pack_copy / "regions.csv", "900101,西南社区", "90010,西南社区")
    edit(pack_copy / "categories.csv", "01001,component", "01001,thing")
    edit(pack_copy / "units.csv", "9001,CTR-90,coordination", "9009,CTR-90,coordination")
    edit(pack_copy / "limits.csv", "L001", "")
    edit(pack_copy / "calendar.toml", 'fallback = "error"', 'fallback = "guess"')
    edit(pack_copy / "workflow.toml", 'start = "reported"', 'start = "nowhere"')
    files = {problem.file for problem in problems_of(pack_copy)}
    assert files >= {
        "pack.toml",
        "regions.csv",
        "categories.csv",
        "units.csv",
        "limits.csv",
        "calendar.toml",
        "workflow.toml",
    }


def test_a_fact_that_nobody_knows(pack_copy: Path) -> None:
    path = pack_copy / "pack.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("channel", "chanel"), encoding="utf-8")
    path = pack_copy / "triage.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("channel", "chanel"), encoding="utf-8")
    problem = problems_of(pack_copy)[0]
    assert problem.column == "tables.triage.inputs"
    assert "'channel'" in str(problem.hint)


@pytest.mark.parametrize(
    ("old", "new", "column", "words"),
    [
        ('id = "mini"', 'id = "Mini City"', "id", "no id"),
        ('timezone = "Asia/Shanghai"', 'timezone = "Asia/Peking"', "timezone", "no time zone"),
        ('crs = "wgs84"', 'crs = "gcj-03"', "crs", "coordinate system"),
        (
            'case_number = "MN{date:%Y%m%d}{serial:05d}"',
            'case_number = "MN{date:%Y%m%d}"',
            "case_number",
            "same number twice",
        ),
        (
            'case_number = "MN{date:%Y%m%d}{serial:05d}"',
            'case_number = "MN{day}{serial}"',
            "case_number",
            "cannot be filled",
        ),
        ('case_number = "MN{date:%Y%m%d}{serial:05d}"', 'case_number = "小{serial:05d}"', "case_number", "gives"),
        ("simulated = true", 'simulated = "true"', "simulated", "neither true nor false"),
        ('scheme = "mini-2026"', 'scheme = "mini-2027"', "scheme", "no categories"),
        ('scheme = "mini-2026"', 'schema = "mini-2026"', "schema", "not known"),
        ("width = 6", "width = 4", "level 3: width", "not more than 4"),
        ("code_width = 9", "code_width = 6", "grid.code_width", "no place"),
        ("lat = 31.01", "lat = 310.1", "default_points 1: lon", "no place on Earth"),
        ('notice_en = "An invented city for tests."', "", "notice_en", "missing or empty"),
        ('outputs = ["unit"]', 'outputs = ["units"]', "tables.routing.outputs", "'unit' is missing"),
        (
            '{ name = "priority", match = "exact" }',
            '{ name = "urgency", match = "exact" }',
            "tables.routing.precedence",
            "priority",
        ),
        ("[tables.limits]", "[tables.limit]", "tables", "'limits' is not declared"),
        ("[tables.limits]", "[tables]\nlimit = 3\n[tables.limits]", "tables.limit", "A table is expected"),
        ("size_m = 100", "size_m = 100\norigin = [120.3]", "grid.origin", "no place"),
    ],
)
def test_faults_of_pack_toml(pack_copy: Path, old: str, new: str, column: str, words: str) -> None:
    edit(pack_copy / "pack.toml", old, new)
    found = [problem for problem in problems_of(pack_copy) if problem.file == "pack.toml"]
    assert any(problem.column == column and words in str(problem.message) for problem in found), [str(p) for p in found]


@pytest.mark.parametrize(
    ("file", "old", "new", "row", "column", "words"),
    [
        ("units.csv", "COM-900101,西南社区", "COM-900102,西南社区", 11, "code", "stands twice"),
        ("units.csv", ",CTR-90,works", ",CTR-99,works", 5, "parent", "Unknown parent 'CTR-99'"),
        ("units.csv", "city,90,,coordination", "city,90,CTR-9001,coordination", 2, "parent", "above itself"),
        (
            "units.csv",
            "West Street sweepers,department",
            "West Street sweepers,team",
            7,
            "kind",
            "Unknown kind 'team'",
        ),
        ("units.csv", "department,street,9001", "department,,9001", 7, "level", "has no level"),
        ("units.csv", "department,street,9001", "department,street,", 7, "region", "has no region"),
        ("units.csv", "works,2,", "works,two,", 5, "crews", "no number of crews"),
        ("categories.csv", "01001,component", "01002,component", 3, "code", "stands twice"),
        ("categories.csv", "01001,component", "01001,part", 2, "kind", "Unknown kind"),
        ("categories.csv", "01001,invented", "01009,invented", 7, "replaced_by", "unknown category"),
        ("categories.csv", "2010-01-01,2020-01-01", "2010/01/01,2020-01-01", 7, "valid_from", "no date"),
        ("categories.csv", "2010-01-01,2020-01-01", "2020-01-01,2020-01-01", 7, "valid_to", "never in force"),
        ("category_mappings.csv", "C0101", "C0199", 2, "from_code", "Unknown category"),
        ("category_mappings.csv", "renamed", "same", 2, "relation", "Unknown relation"),
        ("conditions.csv", "02001,1", "2001,1", 4, "category", "Unknown category '2001'"),
        ("limits.csv", "2020-01-01,2026-01-01", "2026-01-01,2026-01-01", 5, "valid_to", "ends on"),
        ("limits.csv", "L009", "L001", 10, "row", "used again"),
        ("regions.csv", "9001,西街道,West Street", "9001,西街道,", 3, "name_en", "empty"),
    ],
)
def test_faults_of_csv_files(pack_copy: Path, file: str, old: str, new: str, row: int, column: str, words: str) -> None:
    edit(pack_copy / file, old, new)
    found = [problem for problem in problems_of(pack_copy) if problem.file == file]
    assert any((p.row, p.column) == (row, column) and words in str(p.message) for p in found), [str(p) for p in found]


@pytest.mark.parametrize(
    ("old", "new", "column", "words"),
    [
        ('[["08:00", "12:00"], ["14:00", "18:00"]]', '[["08:00", "25:00"]]', "periods", "no times"),
        ('[["08:00", "12:00"], ["14:00", "18:00"]]', "[]", "periods", "missing"),
        ('[["08:00", "12:00"], ["14:00", "18:00"]]', '[["14:00", "12:00"]]', "", ""),
        ("years = [2023, 2024, 2025, 2026]", "years = []", "years", "No years"),
        ("years = [2023, 2024, 2025, 2026]", 'years = ["2023"]', "years", "no list of years"),
        ('holidays = "CN"', 'holidays = "XX"', "holidays", "no country"),
        ("extra_holidays = []", "extra_holidays = [2026-13-01]", "", ""),
        ("extra_holidays = []", 'extra_holidays = ["2026-02-30"]', "extra_holidays", "no date"),
        ('fallback = "error"', 'fallbak = "error"', "fallbak", "not known"),
    ],
)
def test_faults_of_the_calendar(pack_copy: Path, old: str, new: str, column: str, words: str) -> None:
    edit(pack_copy / "calendar.toml", old, new)
    found = [problem for problem in problems_of(pack_copy) if problem.file == "calendar.toml"]
    assert any((not column or column == p.column) and words in str(p.message) for p in found), [str(p) for p in found]


def test_arrivals_are_read_and_checked(pack_copy: Path) -> None:
    path = pack_copy / "calendar.toml"
    with path.open("a", encoding="utf-8") as file:
        file.write('[arrivals]\nclosing = "17:00"\nopening = "08:30"\n')
    arrivals = read_pack(pack_copy).calendar.arrivals
    assert arrivals is not None
    assert arrivals.free_day == "same_time"
    edit(path, 'opening = "08:30"', 'opening = "18:30"')
    assert any("arrivals." in problem.column for problem in problems_of(pack_copy))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('at = "2026-03-06T17:00:00+08:00"', 'at = "2026-03-06T17:00:00"', "no offset"),
        ('at = "2026-03-06T17:00:00+08:00"', 'at = "yesterday"', "no moment"),
        ("lat = 31.005", "", "two numbers"),
        ('unit = "SWEEP-9001"', 'units = "SWEEP-9001"', "not known"),
        ('deadline = "2026-03-09T11:00:00+08:00"', 'deadline = "Monday"', "no moment"),
    ],
)
def test_faults_of_examples(pack_copy: Path, old: str, new: str, words: str) -> None:
    edit(pack_copy / "examples" / "litter.toml", old, new)
    problems = problems_of(pack_copy)
    assert {problem.file for problem in problems} == {"examples/litter.toml"}
    assert any(words in str(problem.message) for problem in problems), [str(p) for p in problems]


def test_no_folder_and_no_pack(tmp_path: Path) -> None:
    assert "There is no folder" in str(problems_of(tmp_path / "nowhere")[0])
    assert problems_of(tmp_path)[0].file == "pack.toml"


def test_packs_are_found_by_path_and_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_pack(str(MINI)) == MINI
    assert find_pack("mini", MINI.parent) == MINI
    monkeypatch.chdir(tmp_path)
    shutil.copytree(MINI, tmp_path / "packs" / "toy")
    assert "toy" in pack_folders()
    assert find_pack("toy") == Path("packs/toy")
    with pytest.raises(BadInput, match=r"There is no pack 'tooy'.*Did you mean 'toy'"):
        find_pack("tooy")
    with pytest.raises(BadInput, match=r"holds no pack\.toml"):
        find_pack("packs")


def test_texts_of_a_pack_may_be_in_further_languages(pack_copy: Path) -> None:
    edit(pack_copy / "pack.toml", 'name_en = "Mini"', 'name_en = "Mini"\n"name_zh-Hant" = "小城（繁）"')
    edit(pack_copy / "workflow.toml", 'name_en = "Citizen"', 'name_en = "Citizen"\n"name_zh-Hant" = "市民（繁）"')
    rows = (pack_copy / "categories.csv").read_text(encoding="utf-8").splitlines()
    texts = [f"{row},{'name_zh-Hant' if number == 0 else f'類別{number}'}" for number, row in enumerate(rows)]
    (pack_copy / "categories.csv").write_text("\n".join(texts) + "\n", encoding="utf-8")
    report = check_pack(pack_copy)
    assert report.problems == report.warnings == ()
    pack = read_pack(pack_copy)
    assert pack.info.name.into("zh-Hant") == "小城（繁）"
    assert "市民（繁）" in {role.name.into("zh-Hant") for role in pack.workflow.roles.values()}
    first = next(iter(pack.categories.values()))
    assert (first.name.into("zh-Hant"), first.name.into("fr")) == ("類別1", first.name.en)


def test_a_language_of_no_text_is_an_unknown_column(pack_copy: Path) -> None:
    edit(pack_copy / "categories.csv", "scheme,code", "scheme_fr,code")
    assert "scheme_fr" in " ".join(
        str(problem) for problem in check_pack(pack_copy).problems + check_pack(pack_copy).warnings
    )
