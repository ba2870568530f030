"""A second table of facts beside the cases: declared once, brought by its app, counted alike by every engine."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from tests.case_driver import MINI

from yiwang.core.facts.cases import FactContext
from yiwang.core.facts.table import (
    DAY,
    FLAG,
    INTEGER,
    MOMENT,
    TEXT,
    FactColumn,
    FactTable,
    Row,
    region_codes,
    region_columns,
    region_dimensions,
)
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.packs.check import check_pack
from yiwang.server.facts import files, operations, tasks
from yiwang.server.facts.models import FactStore
from yiwang.server.facts.sources import ChangedRow, FactSource, context_of, register, unregister
from yiwang.server.scores import exporting, queries
from yiwang.server.scores.explaining import explain

ZONE = ZoneInfo("Asia/Shanghai")
INDICATORS = """
[[indicator]]
id = "rounds"
table = "rounds"
name = "检查数"
name_en = "Inspections"
meaning = "检查的次数"
meaning_en = "Everything inspected"
numerator = "True"
unit = "count"
direction = "none"
basis = "inspected"
source = "invented"
confidence = "test"

[[indicator]]
id = "pass_rate"
table = "rounds"
name = "合格率"
name_en = "Pass rate"
meaning = "检查合格的份额"
meaning_en = "Share of rounds that were passed"
numerator = "fine"
denominator = "True"
unit = "percent"
direction = "up"
basis = "inspected"
source = "invented"
confidence = "test"

[[indicator]]
id = "mean_points"
table = "rounds"
name = "平均得分"
name_en = "Mean points"
meaning = "每次检查的平均得分"
meaning_en = "Points of an inspection"
numerator = "sum(points)"
denominator = "True"
unit = "points"
direction = "up"
basis = "inspected"
source = "invented"
confidence = "test"
"""
# what was inspected: number, when, where, passed, points
LIST: list[tuple[str, str, str, bool, int]] = [
    ("I1", "2026-03-02T09:00+08:00", "900101", True, 90),
    ("I2", "2026-03-02T10:00+08:00", "900101", False, 40),
    ("I3", "2026-03-31T23:59+08:00", "9002", True, 80),
    ("I4", "2026-04-01T00:00+08:00", "9001", True, 70),
    ("I5", "2026-04-02T00:00+08:00", "", False, 10),
]


def rounds(context: FactContext) -> FactTable:
    """The table, as an app would declare it."""
    columns = (
        FactColumn("key", TEXT, Text("编号", "Number")),
        FactColumn("at", MOMENT, Text("检查时间", "Inspected at")),
        FactColumn("day", DAY, Text("检查日", "day of inspection")),
        FactColumn("region", TEXT, Text("区域", "Region")),
        *region_columns(context.levels),
        FactColumn("passed", FLAG, Text("合格", "Passed")),
        FactColumn("points", INTEGER, Text("得分", "Points")),
    )
    return FactTable(
        name="rounds", label=Text("检查", "rounds"), key="key", columns=columns, bases={"inspected": "day"},
        dimensions=region_dimensions(context.levels), month="day", order="at",
    )  # fmt: skip


class Inspections:
    """Rows from a list, as an app would make them from its own records."""

    versions: tuple[str, ...] = ("points",)

    def __init__(self) -> None:
        self.records = list(LIST)

    def row(self, record: tuple[str, str, str, bool, int], place: Any) -> Row:
        key, at, region, passed, points = record
        context, moment = context_of(place), datetime.fromisoformat(at)
        codes = region_codes(region, levels=context.levels, root=context.root)
        blank = rounds(context).blank
        return blank | codes | {
            "key": key, "at": moment, "day": moment.astimezone(ZONE).date(), "region": region, "passed": passed, "points": points,
        }  # fmt: skip

    def every(self, place: Any) -> Iterator[list[Row]]:
        for record in self.records:
            yield [self.row(record, place)]

    def newest(self, city: str) -> tuple[int, ...]:
        return (len(self.records),)

    def changed_rows(
        self, *, city: str, since: tuple[int, ...], upto: tuple[int, ...]
    ) -> Iterator[Sequence[ChangedRow]]:
        yield [
            ChangedRow(number, record[0], (record[4],))
            for number, record in enumerate(self.records, start=1)
            if since[0] < number <= upto[0]
        ]

    def rows(self, ids: Sequence[int], *, place: Any) -> list[Row]:
        return [self.row(self.records[number - 1], place) for number in ids]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The toy city's pack with indicators over rounds."""
    target = Path(shutil.copytree(MINI, tmp_path / "mini"))
    path = target / "indicators.toml"
    text = path.read_text(encoding="utf-8").replace("[terms]\n", '[terms]\nfine = "passed and points >= 60"\n')
    path.write_text(text + INDICATORS, encoding="utf-8")
    return target


@pytest.fixture(params=["anew", "follows"])
def kept(request: pytest.FixtureRequest) -> Iterator[Inspections]:
    """The table brought by its app: with every row made anew, or following what was written."""
    found = Inspections()
    changes = found if request.param == "follows" else None
    register(
        FactSource(
            name="rounds", table=rounds, rows=found.every, size=lambda city: len(found.records), newest=found.newest,
            changes=changes,
        )
    )  # fmt: skip
    yield found
    unregister("rounds")


@pytest.fixture
def both(kept: Inspections, folder: Path, report: Callable[..., Any]) -> Iterator[str]:
    """A city with three cases and five rounds, counted; `report` has installed the toy city."""
    from yiwang.server.cities import queries as places
    from yiwang.server.provision.operations import install_pack

    install_pack(folder)
    places.forget()
    places._installed.runtimes.clear()  # another pack of the same name and version may have been read
    report(at=datetime(2026, 3, 2, 1, tzinfo=UTC))
    report(at=datetime(2026, 3, 3, 1, tzinfo=UTC))
    report(at=datetime(2026, 4, 3, 1, tzinfo=UTC))
    tasks.refresh_all()
    yield "mini"
    places._installed.runtimes.clear()


def place_of(city: str) -> Any:
    from yiwang.server.cities.queries import runtime

    return runtime(city)


def rows_kept(city: str) -> dict[str, Row]:
    place = place_of(city)
    store, shelf = queries.store_of(place, "rounds"), operations.shelf_of(place, "rounds")
    with files.workshop(shelf) as connection:
        relation = shelf.facts(base=store.base, delta=store.delta) + " as facts"
        found = files.rows_of(connection, relation, table=shelf.table)
    rows = {row["key"]: row for row in found}
    assert len(rows) == len(found), "a row stands twice"
    return rows


@pytest.mark.django_db(transaction=True)
def test_figures_of_two_tables_stand_side_by_side_by_region(both: str) -> None:
    asked = ("intake", "rounds", "pass_rate", "mean_points")
    cards = [
        queries.scorecard(place=place_of(both), by=("street", "month"), indicators=asked, engine_name=name)
        for name in ("duckdb", "memory")
    ]
    assert cards[0].rows == cards[1].rows
    found = {tuple(row.keys.values()): [cell.value for cell in row.cells.values()] for row in cards[0].rows}
    assert found == {
        ("9001", "2026-03"): [2.0, 2.0, 50.0, 65.0],
        ("9001", "2026-04"): [1.0, 1.0, 100.0, 70.0],
        ("9002", "2026-03"): [0.0, 1.0, 100.0, 80.0],
        ("", "2026-04"): [0.0, 1.0, 0.0, 10.0],
    }
    assert cards[0].rows_of == {"cases": 3, "rounds": 5}
    cut = queries.scorecard(
        place=place_of(both), by=(), indicators=asked, only={"street": "9001"}, since=date(2026, 4, 1)
    )
    assert [cell.value for cell in cut.rows[0].cells.values()] == [1.0, 1.0, 100.0, 70.0]


@pytest.mark.django_db(transaction=True)
def test_what_a_table_cannot_be_counted_by_is_left_out_or_refused(both: str) -> None:
    card = queries.scorecard(place=place_of(both), by=("department",))
    assert "intake" in card.indicators
    assert not {"rounds", "pass_rate"} & set(card.indicators)
    with pytest.raises(BadInput, match="'pass_rate' cannot be counted by 'department'") as error:
        queries.scorecard(place=place_of(both), by=("department",), indicators=("pass_rate",))
    assert "street" in str(error.value.problems[0].hint)
    with pytest.raises(BadInput, match="Nothing can be counted by 'planet'"):
        queries.scorecard(place=place_of(both), by=("planet",))


@pytest.mark.django_db(transaction=True)
def test_kept_up_to_date_is_the_same_as_counted_anew(both: str, kept: Inspections) -> None:
    assert operations.refresh(city=both, table="rounds")["changed"] == 0, "nothing was recorded since"
    cases = FactStore.objects.get(city=both, table="cases").version
    kept.records.append(("I6", "2026-05-05T12:00+08:00", "900101", True, 61))
    kept.records[1] = ("I2", "2026-03-02T10:00+08:00", "900101", True, 95)  # put right
    assert operations.refresh(city=both, table="rounds")["rows"] == 6
    found = rows_kept(both)
    assert (found["I6"]["region_street"], found["I2"]["points"]) == ("9001", 95)
    months = ["2026-03", "2026-04", "2026-05"]
    assert FactStore.objects.get(city=both, table="rounds").months == months, "a month of the delta is one"
    operations.rebuild(city=both, table="rounds")
    assert rows_kept(both) == found
    assert FactStore.objects.get(city=both, table="cases").version == cases, "the other table was left alone"


@pytest.mark.django_db(transaction=True)
def test_a_figure_is_explained_down_to_the_rows_of_its_table(both: str, client: Client) -> None:
    found = explain(place=place_of(both), indicator="pass_rate", only={"street": "9001"})
    assert (found.cell.numerator, found.cell.denominator) == (2, 3)
    assert [(row["key"], row["above"]) for row in found.rows] == [("I1", 1), ("I4", 1), ("I2", 0)]
    english = {"accept-language": "en"}
    asked = {"level": "street", "month": "2026-03", "key": "9001"}
    text = client.get("/mini/score/pass_rate", asked, headers=english).content.decode()
    assert "50.0%" in text
    assert "day of inspection" in text
    assert {"I1", "I2"} <= set(re.findall(r"<td[^>]*>(I\d)</td>", text)), "no link: it is no case"
    assert "<code>points</code>" in text
    league = client.get("/mini/score", {"level": "department", "month": ""}, headers=english)
    assert league.status_code == 200
    file = client.get("/mini/score.csv", {"level": "street", "month": "2026-03"}, headers=english)
    heads = next(csv.reader([file.content.decode("utf-8-sig").splitlines()[0]]))
    assert {"Pass rate", "Pass rate, denominator"} <= set(heads)


@pytest.mark.django_db(transaction=True)
def test_the_tables_have_folders_of_their_own_and_go_into_a_lake_each(both: str, tmp_path: Path) -> None:
    import duckdb

    place = place_of(both)
    folders = {operations.shelf_of(place, name).folder for name in ("cases", "rounds")}
    assert len(folders) == 2
    assert all(any(one.glob("*.parquet")) for one in folders)
    said = exporting.export_parquet(city=both, path=tmp_path / "lake", table="rounds")
    assert (said["rows"], said["months"]) == (5, 2)
    text = f"select distinct city from read_parquet('{tmp_path}/lake/*/*/*.parquet', hive_partitioning=true)"
    assert duckdb.connect().execute(text).fetchall() == [("mini",)]


@pytest.mark.django_db(transaction=True)
def test_the_score_waits_until_every_table_is_counted(both: str, client: Client) -> None:
    FactStore.objects.filter(table="rounds").delete()
    with pytest.raises(queries.NoFacts):
        queries.scorecard(place=place_of(both), by=("street",), indicators=("pass_rate",))
    assert "yiwang score mini" in client.get("/mini/score").content.decode()
    card = queries.scorecard(place=place_of(both), by=("street",), indicators=("intake",))
    assert card.rows, "what is counted over the cases alone needs them alone"


FAULTS = [
    ('table = "rounds"', 'table = "round"', "indicator rounds: table", "rounds"),
    ('numerator = "fine"', 'numerator = "overdue"', "indicator pass_rate: numerator", "The columns are key, at"),
    ('numerator = "fine"', 'numerator = "late"', "indicator pass_rate: numerator", "no column or term 'late'"),
    ('basis = "inspected"', 'basis = "opened"', "indicator rounds: basis", "inspected"),
    ('unit = "count"', 'unit = "cases"', "indicator rounds: unit", 'unit = "count"'),
    ('"passed and points', '"passed and score', "terms.fine", "no column or term"),
    (
        '{ indicator = "dispatching_on_time", weight',
        '{ indicator = "pass_rate", weight',
        "evaluation dispatcher: part 1: indicator",
        "cannot be counted by 'dispatcher'",
    ),
]


@pytest.mark.parametrize(("old", "new", "entry", "words"), FAULTS)
def test_a_fault_of_a_table_is_named_by_its_entry(
    kept: Inspections, folder: Path, old: str, new: str, entry: str, words: str
) -> None:
    assert not [one for one in check_pack(folder, on=date(2026, 3, 2)).problems if one.file == "indicators.toml"]
    path = folder / "indicators.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new) if "evaluation" in entry else text.replace(old, new, 1), encoding="utf-8")
    found = check_pack(folder, on=date(2026, 3, 2)).problems
    said = [f"{p.message!s} {p.hint!s}" for p in found if (p.file, p.column) == ("indicators.toml", entry)]
    assert any(words in one for one in said), [(p.column, str(p.message), str(p.hint)) for p in found]


def test_without_its_app_the_table_is_not_known(folder: Path) -> None:
    found = check_pack(folder, on=date(2026, 3, 2)).problems
    said = {p.column: f"{p.message!s} {p.hint!s}" for p in found if p.file == "indicators.toml"}
    assert "One of cases" in said["indicator pass_rate: table"]


GOOD: dict[str, Any] = {
    "name": "t", "label": Text("", ""), "key": "k", "bases": {"on": "d"}, "month": "d", "order": "k",
    "columns": (FactColumn("k", TEXT, Text("", "")), FactColumn("d", DAY, Text("", ""))),
}  # fmt: skip
WRONG = [
    ({"name": "t; drop"}, "cannot name"),
    ({"key": "n"}, "no column 'n' of kind text"),
    ({"bases": {"on": "k"}}, "no column 'k' of kind day"),
    ({"month": "k"}, "no column 'k' of kind day"),
    ({"order": "when"}, "no column 'when'"),
    ({"columns": (*GOOD["columns"], GOOD["columns"][0])}, "stands twice"),
]


@pytest.mark.parametrize(("change", "words"), WRONG)
def test_a_table_that_contradicts_itself_is_not_made(change: dict[str, Any], words: str) -> None:
    FactTable(**GOOD)
    with pytest.raises(ValueError, match=words):
        FactTable(**(GOOD | change))
