"""One definition, three engines: worked examples whose figures were counted by hand."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.case_driver import mini
from tests.engines.tables import AS_OF, day, fact, parquet

from yiwang.core.indicators.definitions import IndicatorBook
from yiwang.core.indicators.scorecard import Engine, ScoreRow, Wish, score
from yiwang.core.kernel.errors import BadInput
from yiwang.engines.duckdb import DuckDBEngine
from yiwang.engines.memory import MemoryEngine

WEST, EAST = {"region_street": "9001"}, {"region_street": "9002"}
SWEEP = {"unit": "SWEEP-9001", "department": "SWEEP-9001"}
CASES = [
    # closed in time, 2 h of handling, 5 stars, dispatched in time by Li
    fact("A", **WEST, **SWEEP, opened_at=day("03-02"), filed_at=day("03-02"), dispatched_at=day("03-02"), disposed_at=day("03-03"),
         deadline_at=day("03-04"), closed_at=day("03-03"), end_kind="closed", located=True, rating=5, ratings=1, main_clock="stopped",
         stage_handle_work_s=7200, clock_dispatching_done=1, post_dispatcher="user:li", recurrences=2),
    # closed late and once sent back, filed in March, closed in April; dispatched late by Li, then again in time
    fact("B", **WEST, **SWEEP, opened_at=day("02-28"), filed_at=day("03-01"), dispatched_at=day("03-01"), disposed_at=day("04-02"),
         deadline_at=day("03-05"), closed_at=day("04-02"), end_kind="closed", located=True, overdue=True, reworks=1, main_clock="stopped",
         stage_handle_work_s=3600, clock_dispatching_done=2, clock_dispatching_late=1, post_dispatcher="user:li"),
    # late, but an appeal lifted it
    fact("C", **EAST, department="DEPT-WATER", opened_at=day("03-10"), filed_at=day("03-10"), disposed_at=day("03-20"),
         deadline_at=day("03-15"), closed_at=day("03-20"), end_kind="closed", overdue=True, penalty_lifted=True, main_clock="stopped"),
    # open, and its clock has run out by the moment that is counted for
    fact("D", **EAST, department="DEPT-WATER", opened_at=day("03-11"), filed_at=day("03-11"),
         deadline_at=day("03-12"), main_clock="running"),
    # open and in time; nobody has handled it
    fact("E", **EAST, department="DEPT-WATER", opened_at=day("03-30"), filed_at=day("03-30"),
         deadline_at=day("05-01"), main_clock="running"),
    # rejected; nobody knows where
    fact("F", opened_at=day("03-12"), closed_at=day("03-12"), end_kind="rejected"),
]  # fmt: skip

# by, only → key: (numerator, denominator, value) of an indicator
EXPECTED: list[tuple[tuple[str, ...], dict[str, str], str, dict[tuple[str, ...], tuple[int, int | None, float | None]]]] = [
    ((), {}, "intake", {(): (6, None, 6.0)}),
    ((), {}, "filing_rate", {(): (5, 6, 500 / 6)}),
    (("month",), {}, "intake", {
        ("2026-02",): (1, None, 1.0), ("2026-03",): (5, None, 5.0), ("2026-04",): (0, None, 0.0), ("2026-05",): (0, None, 0.0)}),
    (("street",), {}, "closing_on_time", {("9001",): (1, 2, 50.0), ("9002",): (1, 2, 50.0), ("",): (0, 0, None)}),
    (("street",), {}, "due_in_time", {("9001",): (1, 2, 50.0), ("9002",): (0, 2, 0.0), ("",): (0, 0, None)}),
    (("street",), {}, "satisfaction_rate", {("9001",): (1, 1, 100.0), ("9002",): (0, 0, None), ("",): (0, 0, None)}),
    (("street",), {}, "recurrence_rate", {("9001",): (1, 2, 50.0), ("9002",): (0, 0, None), ("",): (0, 0, None)}),
    (("street",), {}, "rework_rate", {("9001",): (1, 2, 50.0), ("9002",): (0, 1, 0.0), ("",): (0, 0, None)}),
    (("street", "quarter"), {}, "handle_hours", {("9001", "2026-Q1"): (7200, 1, 2.0),
        ("9001", "2026-Q2"): (3600, 1, 1.0), ("9002", "2026-Q1"): (0, 1, 0.0),
        ("9002", "2026-Q2"): (0, 0, None), ("", "2026-Q1"): (0, 0, None)}),
    (("department",), {"street": "9002"}, "closing_on_time", {("DEPT-WATER",): (1, 2, 50.0)}),
    (("post_dispatcher",), {}, "dispatching_on_time", {("user:li",): (2, 3, 200 / 3)}),
    (("half",), {}, "closing_on_time", {("2026-H1",): (2, 4, 50.0)}),
    (("week",), {"street": "9001"}, "rework_rate", {("2026-W09",): (0, 0, None), ("2026-W10",): (0, 1, 0.0), ("2026-W14",): (1, 1, 100.0)}),
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("facts")


@pytest.fixture(scope="module", params=["memory", "duckdb", "spark"])
def engine(request: pytest.FixtureRequest, folder: Path) -> Engine:
    if request.param == "memory":
        return MemoryEngine(CASES)
    old = [{**row, "reworks": row["reworks"] + 7, "department": "NOBODY"} for row in CASES[1:3]]
    base = parquet([*old, CASES[0], *CASES[3:]], folder / f"{request.param}-base.parquet")
    delta = parquet(CASES[1:3], folder / f"{request.param}-delta.parquet")  # what was written last holds
    if request.param == "duckdb":
        return DuckDBEngine(base=[base], key="number", delta=[delta])
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, which is not here")
    pytest.importorskip("pyspark", reason="pyspark is not installed")
    from yiwang.engines.spark import SparkEngine

    return SparkEngine(base=[base], key="number", delta=[delta], master="local[1]")


def of_cases() -> IndicatorBook:
    """What the toy city counts of its cases; these tests have rows of no other table."""
    book = mini()[0].indicators
    return replace(book, indicators=tuple(one for one in book.indicators if one.table == "cases"))


def counted(engine: Engine, by: tuple[str, ...], **more: Any) -> list[ScoreRow]:
    pack = mini()[0]
    return score(
        Wish(by=by, as_of=AS_OF, **more),
        book=of_cases(),
        tables=pack.fact_tables(),
        engines={"cases": engine},
        zone=pack.info.zone,
    )


@pytest.mark.parametrize(
    ("by", "only", "indicator", "expected"), EXPECTED, ids=[f"{'-'.join(row[0])}:{row[2]}" for row in EXPECTED]
)
def test_figures_counted_by_hand(engine: Engine, by: Any, only: Any, indicator: str, expected: Any) -> None:
    rows = counted(engine, by, only=only)
    found = {tuple(row.keys.values()): row.cells[indicator] for row in rows}
    assert {key: (cell.numerator, cell.denominator, cell.value) for key, cell in found.items()} == expected


def test_a_composite_leaves_out_what_has_no_data(engine: Engine) -> None:
    rows = {row.keys["street"]: row.composites["region"] for row in counted(engine, ("street",))}
    # 0.5 × 50 + 0.3 × (100 − 50) + 0.2 × 100
    assert (rows["9001"].score, rows["9001"].grade) == (60.0, "C")
    # three reports: the step of at most ten, 50: 0.5 × 50 + 0.3 × 100 + 0.2 × 50
    assert (rows["9002"].score, rows["9002"].grade) == (65.0, "C")
    assert (rows[""].score, rows[""].grade) == (None, "")
    assert rows[""].known_share == pytest.approx(0.2)


def test_several_levels_in_one_pass_give_what_each_gives_alone(engine: Engine) -> None:
    pack = mini()[0]
    sets = [("city",), ("street",), ("street", "department"), ("department",)]
    together = score(
        Wish(by=("month",), as_of=AS_OF),
        book=of_cases(),
        tables=pack.fact_tables(),
        engines={"cases": engine},
        zone=pack.info.zone,
        groupings=sets,
    )
    alone = [row for one in sets for row in counted(engine, (*one, "month"))]
    assert [(dict(row.keys), row.cells) for row in together] == [(dict(row.keys), row.cells) for row in alone]


def test_days_cut_by_the_basis_of_each_indicator(engine: Engine) -> None:
    from datetime import date

    (row,) = counted(engine, (), since=date(2026, 3, 2), until=date(2026, 3, 11))
    assert row.cells["intake"].numerator == 2  # A and C were reported then
    assert (row.cells["closing_on_time"].numerator, row.cells["closing_on_time"].denominator) == (2, 2)
    assert (row.cells["due_in_time"].numerator, row.cells["due_in_time"].denominator) == (1, 2)  # A and B fell due then


def test_an_unknown_dimension_or_indicator_is_named(engine: Engine) -> None:
    with pytest.raises(BadInput, match="Nothing can be counted by 'planet'"):
        counted(engine, ("planet",))
    with pytest.raises(BadInput, match="no indicator 'luck'"):
        counted(engine, (), indicators=("luck",))
    with pytest.raises(BadInput, match="one period at a time"):
        counted(engine, ("month", "year"))
