"""Deciding by a table: what is more specific, reasons, columns, templates, comparison of two versions."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.narrowing import present

from yiwang.core.kernel.errors import BadInput
from yiwang.core.rules import (
    DictColumn,
    Table,
    TableSpec,
    compare,
    compile_table,
    fill_template,
    first_fillable,
    placeholders,
    read_table,
)

DAY = date(2026, 6, 1)
SPEC = TableSpec.from_mapping(
    {
        "inputs": [
            {"name": "category", "match": "prefix"},
            {"name": "region", "match": "prefix"},
            {"name": "load", "match": "range"},
            {"name": "channel", "match": "set"},
        ],
        "outputs": ["unit"],
        "precedence": ["category", "region", "load", "channel"],
    },
    name="routing",
)
ROWS = """
R1 | -     | -      | -      | -               | CITY              | - | -
R2 | 01    | -      | -      | -               | ROADS             | - | -
R3 | 01001 | -      | -      | -               | COVERS            | - | 2026-01-01
R4 | 01001 | -      | -      | -               | COVERS-NEW        | 2026-01-01 | -
R5 | 01    | 320205 | -      | -               | ROADS-{district}  | - | -
R6 | 01    | 320205 | 0..50  | -               | LIGHT-{street}    | - | -
R7 | 01    | 320205 | 0..100 | -               | HEAVY             | - | -
R8 | -     | -      | -      | sensor;app      | DESK              | - | -
R9 | -     | -      | -      | sensor;app;post | FRONT             | - | -
"""


def table_of(text: str, spec: TableSpec = SPEC) -> Table:
    rows = []
    for line in text.strip().splitlines():
        cells = [cell.strip().replace(";", "|") for cell in line.split(" | ")]
        cells = ["" if cell == "-" else cell for cell in cells]
        names = ("row", *spec.input_names, *spec.outputs, "valid_from", "valid_to")
        rows.append({**dict(zip(names, cells, strict=True)), "source": "desk", "confidence": "high"})
    return read_table(spec=spec, rows=rows, file="routing.csv")


TABLE = table_of(ROWS)
COMPILED = compile_table(TABLE)


@pytest.mark.parametrize("ask", [TABLE, COMPILED], ids=["table", "compiled"])
@pytest.mark.parametrize(
    ("category", "region", "load", "channel", "rows"),
    [
        ("", "", "", "", "R1"),
        ("99", "3202", "", "", "R1"),
        ("01", "3202", "", "", "R2 R1"),
        ("01001", "320205", "10", "", "R4 R6 R7 R5 R2 R1"),
        ("01002", "320205001", "10", "", "R6 R7 R5 R2 R1"),
        ("01002", "320205001", "50", "", "R7 R5 R2 R1"),
        ("01002", "320205001", "100", "", "R5 R2 R1"),
        ("01002", "320205001", "much", "", "R5 R2 R1"),
        ("02", "", "", "app", "R8 R9 R1"),
        ("02", "", "", "post", "R9 R1"),
    ],
)
def test_the_most_specific_row_decides(
    ask: Table, category: str, region: str, load: str, channel: str, rows: str
) -> None:
    facts = {"category": category, "region": region, "load": load, "channel": channel, "weather": "rain"}
    decision = ask.decide(facts, DAY)
    assert decision is not None
    wanted = rows.split()
    assert [row.id for row in decision.rows] == [row.id for row in ask.matching_rows(facts, DAY)] == wanted
    assert decision.row_id == decision.row.id == wanted[0]
    assert decision.runner_up == (wanted[1] if len(wanted) > 1 else None)
    assert not decision.tie
    stated = {name: fact for name, fact in facts.items() if fact}
    assert ask.decide(stated, DAY) == decision
    # no text at all, which the types forbid and a caller with a row of a database may still hand in
    assert ask.decide({name: facts.get(name) or None for name in SPEC.input_names}, DAY) == decision  # type: ignore[misc]


@pytest.mark.parametrize("ask", [TABLE, COMPILED], ids=["table", "compiled"])
def test_the_day_decides_which_row_is_in_force(ask: Table) -> None:
    def unit(day: date) -> str:
        decision = ask.decide({"category": "01001"}, day)
        assert decision is not None
        return decision.outputs["unit"]

    assert unit(date(2025, 12, 31)) == "COVERS"
    assert unit(date(2026, 1, 1)) == "COVERS-NEW"


@pytest.mark.parametrize("ask", [TABLE, COMPILED], ids=["table", "compiled"])
def test_a_time_is_no_day(ask: Table) -> None:
    with pytest.raises(TypeError):
        ask.decide({"category": "01001"}, datetime(2026, 1, 1, tzinfo=UTC))


def test_no_row_is_no_decision() -> None:
    table = table_of("R1 | 01 | - | - | - | X | 2026-01-01 | 2026-02-01")
    for ask in (table, compile_table(table)):
        assert ask.decide({"category": "02"}, date(2026, 1, 5)) is None
        assert ask.decide({"category": "01"}, date(2026, 2, 1)) is None
        assert list(ask.matching_rows({"category": "01"}, date(2025, 12, 31))) == []


def test_reasons_name_the_input_that_told_the_rows_apart() -> None:
    decision = COMPILED.decide({"category": "01001", "region": "320205", "load": "10"}, DAY)
    assert decision is not None
    assert [(entry.row.id, entry.place, entry.is_winner, entry.input) for entry in decision.trace] == [
        ("R4", 1, True, "category"),
        ("R6", 2, False, "category"),
        ("R7", 3, False, "category"),
        ("R5", 4, False, "category"),
        ("R2", 5, False, "category"),
        ("R1", 6, False, "category"),
    ]
    assert str(decision.trace[0].reason) == "category 01001 is longer than 01 of R6"
    assert str(decision.trace[5].reason) == "it leaves category open, R4 names 01001"
    english, chinese = ([why.into(language) for why in decision.why()] for language in ("en", "zh-hans"))
    assert english[0] == (
        "Row R4 (line 5), for category 01001, decides: category 01001 is longer than 01 of R6. "
        "Source: desk (confidence: high)."
    )
    assert chinese[0] == "第5行 R4（类别 01001）采用：类别 01001 比 R6 的 01 更长。依据：desk（可信度：high）。"
    assert chinese[5].startswith("第2行 R1（无条件）未采用：未限定类别，而 R4 限定为 01001。")
    assert len(english) == len(chinese) == 6


@pytest.mark.parametrize(
    ("facts", "reason", "reason_zh"),
    [
        ({"category": "01", "region": "320205", "load": "1"}, "load 0..50 is narrower than 0..100 of R7", "范围更窄"),
        ({"channel": "app"}, "channel app|sensor is smaller than app|post|sensor of R9", "集合更小"),
        ({"category": "01"}, "it names category 01, which R1 leaves open", "限定了类别 01，而 R1 未限定"),
        ({}, "no other row matches", "没有其他行匹配"),
    ],
)
def test_reasons_by_kind_of_match(facts: dict[str, str], reason: str, reason_zh: str) -> None:
    decision = TABLE.decide(facts, DAY)
    assert decision is not None
    assert str(decision.trace[0].reason) == reason
    assert reason_zh in decision.trace[0].reason.zh


def test_columns_in_every_form_give_the_same() -> None:
    texts: dict[str, list[str | None]] = {
        "category": ["01001", "01", None, "01002"],
        "region": ["", "320205", "x", "320205001"],
        "load": ["1", "", None, "7"],
    }
    wanted = [3, 4, 0, 5]
    coded = {name: DictColumn.encode(values) for name, values in texts.items()}
    objects = {name: np.array(values, dtype=object) for name, values in texts.items()}
    fixed = {name: np.array([value or "" for value in values]) for name, values in texts.items()}
    mixed: dict[str, DictColumn | NDArray[Any]] = {**coded, "region": objects["region"], "load": fixed["load"]}
    forms: tuple[Mapping[str, DictColumn | NDArray[Any]], ...] = (coded, objects, fixed, mixed)
    for columns in forms:
        answers = COMPILED.decide_many(columns, DAY)
        assert answers.dtype == np.int32
        assert answers.tolist() == wanted
    assert [COMPILED.rows[index].id for index in wanted] == ["R4", "R5", "R1", "R6"]


def test_days_by_record() -> None:
    category = DictColumn(np.array([0, 0, -1]), ["01001"])
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 1)]
    numbers = np.array([day.toordinal() for day in days])
    for form in (
        numbers,
        numbers.astype(np.int32),
        np.array(days, dtype="datetime64[D]"),
        np.array(days, dtype="datetime64[s]"),
    ):
        assert COMPILED.decide_many({"category": category}, form).tolist() == [2, 3, 0]


def test_values_need_not_be_distinct_nor_used() -> None:
    column = DictColumn(np.array([1, 0, 2], dtype=np.int64), ["01", "01", "01001", "unused"])
    assert COMPILED.decide_many({"category": column}, DAY).tolist() == [1, 1, 3]
    assert DictColumn.encode(["b", None, "a", "b"]).codes.tolist() == [0, -1, 1, 0]


def test_columns_without_records_and_columns_that_no_input_asks_for() -> None:
    empty = DictColumn(np.array([], dtype=np.int32), [])
    assert COMPILED.decide_many({"category": empty}, DAY).shape == (0,)
    assert COMPILED.decide_many({"weather": np.array(["rain", "sun"])}, DAY).tolist() == [0, 0]


def test_more_records_than_a_block_holds() -> None:
    count = 100_000
    column = DictColumn((np.arange(count) % 3).astype(np.int32), ["01001", "01", "99"])
    answers = COMPILED.decide_many({"category": column}, DAY)
    assert np.array_equal(answers, np.array([3, 1, 0])[np.arange(count) % 3])


@pytest.mark.parametrize(
    ("columns", "on"),
    [
        ({}, DAY),
        ({"category": np.array(["a"]), "region": np.array(["a", "b"])}, DAY),
        ({"category": np.array(["a"])}, np.array([1, 2])),
        ({"category": np.array([1])}, DAY),
        ({"category": np.array([["a"]])}, DAY),
        ({"category": np.array(["a"])}, np.array(["2026-01-01"])),
        ({"category": np.array(["a"])}, np.array([np.datetime64("NaT")])),
    ],
)
def test_columns_that_do_not_fit_are_refused(columns: dict[str, np.ndarray], on: date | np.ndarray) -> None:
    with pytest.raises(BadInput):
        COMPILED.decide_many(columns, on)


@pytest.mark.parametrize("codes", [[-2], [1], [0.5], [[0]]])
def test_codes_outside_the_values_are_refused(codes: list[float]) -> None:
    with pytest.raises(BadInput):
        DictColumn(np.array(codes), ["a"])


def test_bulk_refuses_a_time_for_a_day() -> None:
    with pytest.raises(TypeError):
        COMPILED.decide_many({"category": np.array(["a"])}, datetime(2026, 1, 1, tzinfo=UTC))


def test_more_rows_than_a_word_has_bits() -> None:
    lines = [f"R{number} | {number:03d} | - | - | - | U{number} | - | -" for number in range(300)]
    table = table_of("\n".join([*lines, "LAST | - | - | - | - | NONE | - | -"]))
    compiled = compile_table(table)
    texts = [f"{number:03d}" for number in range(0, 400, 7)]
    answers = compiled.decide_many({"category": np.array(texts)}, DAY)
    assert [compiled.rows[index] for index in answers.tolist()] == [
        table.reading({"category": text}, DAY) for text in texts
    ]


def test_a_compiled_table_can_be_sent_to_another_process() -> None:
    copy = pickle.loads(pickle.dumps(COMPILED))
    decision = copy.decide({"category": "01"}, DAY)
    assert decision.row_id == "R2"
    assert pickle.loads(pickle.dumps(decision)).why() == decision.why()


def test_threads_share_one_compiled_table() -> None:
    compiled = compile_table(TABLE)
    facts = [{"category": f"{number % 40:02d}", "region": f"3202{number % 7:02d}"} for number in range(3000)]
    columns = {name: DictColumn.encode([fact[name] for fact in facts]) for name in ("category", "region")}

    def work(_: int) -> tuple[list[str], list[int]]:
        return [present(compiled.decide(fact, DAY)).row_id for fact in facts], compiled.decide_many(
            columns, DAY
        ).tolist()

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(work, range(8)))
    assert all(result == results[0] for result in results)


def test_templates() -> None:
    codes = {"city": "3202", "district": "320205", "street": ""}
    assert fill_template("SWEEP-{district}-{city}", codes=codes) == "SWEEP-320205-3202"
    assert fill_template("SWEEP-{street}", codes=codes) is None
    assert fill_template("SWEEP-{village}", codes=codes) is None
    assert fill_template("SWEEP", codes={}) == "SWEEP"
    assert placeholders("{city}{district}") == ("city", "district")


@pytest.mark.parametrize("template", ["SWEEP-{street", "SWEEP-}", "{}", "{0}", "{street!r}", "{{street}}", "{a.b}"])
def test_broken_templates_are_refused(template: str) -> None:
    with pytest.raises(BadInput):
        fill_template(template, codes={"street": "1"})


def test_the_next_best_row_answers_where_a_template_cannot_be_filled() -> None:
    decision = COMPILED.decide({"category": "01002", "region": "320205", "load": "10"}, DAY)
    assert decision is not None
    found = first_fillable(decision.rows, output="unit", codes={"city": "3202", "district": "320205"})
    assert found is not None
    assert (found[0].id, found[1]) == ("R7", "HEAVY")
    below = first_fillable(decision.rows, output="unit", codes={"street": "320205001"})
    assert below is not None
    assert (below[0].id, below[1]) == ("R6", "LIGHT-320205001")
    assert first_fillable([], output="unit", codes={}) is None


def test_two_versions_compared() -> None:
    new = table_of(
        ROWS.replace("COVERS-NEW", "COVERS-2").replace("R2 |", "R2b |") + "R10 | 02 | - | - | - | PARKS | - | -"
    )
    old = table_of("\n".join(line for line in ROWS.strip().splitlines() if not line.startswith("R1 ")))
    columns = {"category": DictColumn.encode(["01001", "01", "01", "02", "03", "01001"])}
    result = compare(old=compile_table(old), new=compile_table(new), columns=columns, on=DAY)
    assert result.counts == {"total": 6, "same": 2, "changed": 4, "gained": 2, "lost": 0, "moved": 2}
    assert result.changed.tolist() == [0, 3, 4, 5]
    told = [(change.old_row, change.new_row, change.count, change.changes_answer) for change in result.changes]
    assert told == [("R2", "R2b", 2, False), ("R4", "R4", 2, True), (None, "R1", 1, True), (None, "R10", 1, True)]
    assert result.changes[1].old_outputs == {"unit": "COVERS-NEW"}
    assert result.changes[1].new_outputs == {"unit": "COVERS-2"}
    assert [old.rows[index].id if index >= 0 else None for index in result.old_rows.tolist()][3] is None
