"""Reading decision tables: the declaration, the rows, and every fault named with its place."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from yiwang.core.kernel.errors import BadInput
from yiwang.core.rules import Match, Table, TableSpec, read_table
from yiwang.core.rules.cells import CellError, Members, Prefix, Range, intersect, read_cell, read_number

DECLARED: dict[str, Any] = {
    "inputs": [
        {"name": "category", "match": "prefix"},
        {"name": "condition", "match": "exact"},
        {"name": "load", "match": "range"},
        {"name": "channel", "match": "set"},
    ],
    "outputs": ["amount", "unit"],
    "precedence": ["category", "condition", "load", "channel"],
    "complete": True,
    "required": ["unit"],
}
SPEC = TableSpec.from_mapping(DECLARED, name="limits", file="pack.toml")


def row(number: int = 1, **cells: str) -> dict[str, str]:
    base = {"row": f"L{number:04d}", "category": "", "condition": "", "load": "", "channel": "", "amount": "4"}
    origin = {"unit": "work_hours", "valid_from": "2026-01-01", "valid_to": "", "source": "desk", "confidence": "high"}
    return {**base, **origin, **cells}


def faults(*rows: dict[Any, str]) -> list[tuple[int | None, str, str]]:
    with pytest.raises(BadInput) as caught:
        read_table(spec=SPEC, rows=rows, file="limits.csv")
    assert all(problem.file == "limits.csv" and str(problem.hint) for problem in caught.value.problems)
    return [(problem.row, problem.column, str(problem.message)) for problem in caught.value.problems]


def test_a_sound_table_keeps_everything() -> None:
    cells = {"category": " 01001 ", "condition": "1", "load": "0..50", "channel": "app|hotline"}
    table = read_table(spec=SPEC, rows=[row(1, **cells, valid_to="2027-01-01", note="自编"), row(2)], file="limits.csv")
    first = table.row("L0001")
    assert first.cells[0] == Prefix("01001")
    assert first.cells[2] == Range(Decimal(0), Decimal(50))
    assert first.cells[3] == Members(frozenset({"app", "hotline"}))
    assert first.outputs == {"amount": "4", "unit": "work_hours"}
    assert (first.line, first.source, first.confidence, first.note) == (2, "desk", "high", "自编")
    assert str(first.validity.valid_to) == "2027-01-01"
    assert [item.line for item in table.rows] == [2, 3]
    assert len(table) == 2


def test_empty_lines_are_skipped_but_counted() -> None:
    blank = dict.fromkeys(row(), " ")
    assert read_table(spec=SPEC, rows=[row(), blank, row(2)]).row("L0002").line == 4


def test_an_output_may_be_empty_unless_it_is_required() -> None:
    assert read_table(spec=SPEC, rows=[row(amount="")]).rows[0].outputs["amount"] == ""
    assert faults(row(unit=" ")) == [(2, "unit", "The output 'unit' is empty.")]


def test_all_faults_are_told_at_once_in_the_order_of_rows() -> None:
    told = faults(
        row(1, load="50..0", channel="a||b"),
        row(1, valid_from="2026-02-30", category="01*"),
        row(3, valid_to="2026-01-01", source="", confidence=""),
        row(4, row="", load="many"),
    )
    assert [(line, column) for line, column, _ in told] == [
        (2, "load"),
        (2, "channel"),
        (3, "row"),
        (3, "category"),
        (3, "valid_from"),
        (4, "valid_to"),
        (4, "source"),
        (4, "confidence"),
        (5, "row"),
        (5, "load"),
    ]
    assert "belongs to row 2" in told[2][2]


@pytest.mark.parametrize(
    "text", ["2026/01/01", "20260101", "2026-W01-1", "1.1.2026", "2026-1-1", "２０２６-01-01", "46023"]
)
def test_only_plain_iso_days_are_days(text: str) -> None:
    assert faults(row(valid_from=text)) == [(2, "valid_from", f"{text!r} is no day.")]


def test_columns_missing_unknown_and_surplus() -> None:
    short = {key: text for key, text in row().items() if key not in {"load", "source"}}
    told = faults({**short, "load ": "0..5"}, {**short, "row": "L0002", "load ": ""})
    assert [(line, column) for line, column, _ in told] == [(1, "load "), (1, "load"), (1, "source")]
    assert faults({**row(), None: "x"}) == [(2, "", "The row has more cells than the header.")]


def test_a_table_without_rows_is_a_table() -> None:
    assert len(read_table(spec=SPEC, rows=[])) == 0


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("0..", Match.RANGE),
        ("..-1.5", Match.RANGE),
        ("0 .. 1e3", Match.RANGE),
        ("a | b", Match.SET),
        ("Misc. (other)", Match.EXACT),
    ],
)
def test_cells_that_are_right(text: str, match: Match) -> None:
    assert read_cell(text, match).specificity[0] == 1


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("..", Match.RANGE),
        ("5", Match.RANGE),
        ("5..5", Match.RANGE),
        ("1_0..20", Match.RANGE),
        ("nan..1", Match.RANGE),
        ("0..inf", Match.RANGE),
        ("0..1..2", Match.RANGE),
        ("|a", Match.SET),
        ("a|a", Match.SET),
        ("a.*|b", Match.SET),
        ("a|b", Match.EXACT),
        ("01*", Match.PREFIX),
        ("^01", Match.PREFIX),
        ("\\d+", Match.PREFIX),
    ],
)
def test_cells_that_are_wrong(text: str, match: Match) -> None:
    with pytest.raises(CellError) as caught:
        read_cell(text, match)
    assert caught.value.hint


def test_ranges_are_exact_decimals_and_half_open() -> None:
    cell = read_cell("0.1..0.3", Match.RANGE)
    assert [
        fact for fact in ("0.0999", "0.1", "0.10", "0.29999999999999999999", "0.3", "", "x") if cell.matches(fact)
    ] == [
        "0.1",
        "0.10",
        "0.29999999999999999999",
    ]
    # In binary floating point 0.3 - 0.1 and 0.4 - 0.2 differ; here the two are equally wide.
    assert cell.specificity == read_cell("0.2..0.4", Match.RANGE).specificity
    assert (
        cell.specificity > read_cell("0.1..0.31", Match.RANGE).specificity > read_cell("0..", Match.RANGE).specificity
    )
    assert not intersect(cell, read_cell("0.3..", Match.RANGE))


def test_numbers_are_read_strictly() -> None:
    assert read_number(" 1e3 ") == 1000
    assert [
        text for text in ("", "1,5", "1_0", "NaN", "Infinity", "٣", "1e999", "0x1") if read_number(text) is not None
    ] == []


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"precedence": ["category", "condition", "load"]}, "precedence"),
        ({"precedence": ["category", "category", "condition", "load", "channel"]}, "precedence"),
        ({"precedence": "category"}, "precedence"),
        ({"outputs": []}, "outputs"),
        ({"outputs": ["amount", "unit", "source"]}, "inputs"),
        ({"outputs": ["amount", "unit", "load"]}, "inputs"),
        ({"inputs": [{"name": "category", "match": "regex"}]}, "inputs[0]"),
        ({"inputs": [{"name": "category"}]}, "inputs[0]"),
        ({"inputs": ["category"]}, "inputs[0]"),
        ({"inputs": [], "precedence": []}, "inputs"),
        ({"complete": "yes"}, "complete"),
        ({"required": ["price"]}, "required"),
        ({"extra": 1}, "extra"),
    ],
)
def test_a_faulty_declaration_names_its_key(change: dict[str, Any], column: str) -> None:
    with pytest.raises(BadInput) as caught:
        TableSpec.from_mapping({**DECLARED, **change}, name="limits", file="pack.toml")
    problems = caught.value.problems
    assert f"tables.limits.{column}" in {problem.column for problem in problems}
    assert all(problem.file == "pack.toml" and str(problem.hint) for problem in problems)


def test_the_declaration_is_read() -> None:
    assert SPEC.name == "limits"
    assert SPEC.input_names == ("category", "condition", "load", "channel")
    assert SPEC.complete
    assert SPEC.columns == (
        "row",
        *SPEC.input_names,
        "amount",
        "unit",
        "valid_from",
        "valid_to",
        "source",
        "confidence",
    )
    assert isinstance(read_table(spec=SPEC, rows=[row()]), Table)
