"""The analysis of whole tables on worked examples: overlaps, gaps, dead rows, holes."""

from __future__ import annotations

from datetime import date

import pytest

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.periods import Validity
from yiwang.core.rules import Domain, Finding, Kind, Table, TableSpec, analyse, check, read_table


def table_of(*lines: str, complete: bool = True) -> Table:
    """Rows of ``id category region priority [valid_from [valid_to]]``, ``-`` for an empty cell."""
    spec = TableSpec.from_mapping(
        {
            "inputs": [
                {"name": "category", "match": "prefix"},
                {"name": "region", "match": "prefix"},
                {"name": "priority", "match": "exact"},
            ],
            "outputs": ["unit"],
            "precedence": ["category", "region", "priority"],
            "complete": complete,
        },
        name="routing",
    )
    names = ("row", "category", "region", "priority", "valid_from", "valid_to")
    rows = []
    for line in lines:
        cells = ["" if cell == "-" else cell for cell in (*line.split(), "-", "-")[:6]]
        rows.append({**dict(zip(names, cells, strict=True)), "unit": "U", "source": "desk", "confidence": "high"})
    return read_table(spec=spec, rows=rows, file="routing.csv")


DOMAIN: Domain = {
    "category": ["01001", "01002", "02001"],
    "region": ["32", "3201", "3202"],
    "priority": ["normal", "urgent"],
}


def of_kind(kind: Kind, found: list[Finding]) -> list[Finding]:
    return [finding for finding in found if finding.kind is kind]


def test_a_sound_table_has_no_problem() -> None:
    table = table_of("R1 - - -", "R2 01 - -", "R3 01 3201 -", "R4 01001 - urgent", "R5 - - urgent")
    assert check(table, DOMAIN) == []
    assert check(table) == []


def test_an_overlap_names_both_rows_and_a_witness() -> None:
    table = table_of("R1 01 - - 2026-01-01", "R2 - - -", "R3 01 - - 2026-03-01", "R4 02 - -")
    (finding,) = of_kind(Kind.OVERLAP, analyse(table))
    assert finding.rows == ("R3", "R1")
    assert finding.day == date(2026, 3, 1)
    assert finding.facts == {"category": "01", "region": "", "priority": ""}
    problem = finding.problem
    assert (problem.file, problem.row, problem.column) == ("routing.csv", 4, "row")
    assert "R1 (row 2)" in str(problem.message)
    assert "2026-03-01" in str(problem.message)


def test_rows_that_differ_in_what_decides_do_not_overlap() -> None:
    assert of_kind(Kind.OVERLAP, analyse(table_of("R1 01 - -", "R2 - 32 -", "R3 01 32 -", "R4 - - urgent"))) == []
    # One ends on the day on which the other begins.
    assert of_kind(Kind.OVERLAP, analyse(table_of("R1 01 - - - 2026-01-01", "R2 01 - - 2026-01-01 -"))) == []


def test_a_gap_is_told_by_as_few_facts_as_suffice() -> None:
    table = table_of("R1 01 - - 2026-01-01", "R2 02 - urgent 2026-01-01", "R3 02 3201 normal 2026-01-01")
    found = of_kind(Kind.GAP, analyse(table, DOMAIN))
    told = sorted(tuple(sorted(finding.facts.items())) for finding in found)
    assert told == [(("category", "02001"), ("priority", "normal"), ("region", "32"))]
    assert found[0].count == 2
    assert found[0].day == date(2026, 1, 1)
    assert "region '32' (and 1 more like it)" in str(found[0].problem.message)
    missing = of_kind(Kind.GAP, analyse(table_of("R1 01 - -"), DOMAIN))
    assert [finding.facts for finding in missing] == [{"category": "02001"}]
    assert missing[0].count == 6


def test_a_table_that_need_not_be_complete_has_no_gaps() -> None:
    assert of_kind(Kind.GAP, analyse(table_of("R1 01 - -", complete=False), DOMAIN)) == []


def test_an_empty_complete_table_is_one_gap() -> None:
    (finding,) = analyse(table_of(), DOMAIN)
    assert finding.facts == {}
    assert finding.count == 18
    assert str(finding.problem.message) == "No row for anything on any day."


def test_gaps_begin_with_the_table_or_where_the_caller_says() -> None:
    table = table_of("R1 - - - 2026-01-01 2026-06-01", "R2 - - - 2026-06-02 -")
    (gap,) = of_kind(Kind.GAP, analyse(table, DOMAIN))
    assert gap.day == date(2026, 6, 1)
    assert of_kind(Kind.GAP, analyse(table, DOMAIN, until=date(2026, 6, 1))) == []
    assert of_kind(Kind.GAP, analyse(table, DOMAIN, since=date(2026, 6, 2))) == []
    assert [finding.day for finding in of_kind(Kind.GAP, analyse(table, DOMAIN, since=date(2025, 1, 1)))] == [
        date(2025, 1, 1)
    ]


def test_a_table_that_runs_out_has_a_gap() -> None:
    (gap,) = of_kind(Kind.GAP, analyse(table_of("R1 - - - 2026-01-01 2027-01-01"), DOMAIN))
    assert gap.day == date(2027, 1, 1)


def test_values_count_only_while_they_exist() -> None:
    table = table_of("R1 01 - - 2024-01-01 2026-01-01", "R2 02 - - 2026-01-01 -")
    assert of_kind(Kind.GAP, analyse(table, DOMAIN))
    lifetimes = {
        "category": {
            "01001": Validity(None, date(2026, 1, 1)),
            "01002": Validity(date(2024, 1, 1), date(2026, 1, 1)),
            "02001": Validity(date(2026, 1, 1), None),
        }
    }
    assert analyse(table, DOMAIN, lifetimes=lifetimes) == []
    late = table_of("R1 01 - - 2026-01-01", "R2 - - - 2024-01-01")
    (dead,) = of_kind(Kind.DEAD, analyse(late, DOMAIN, lifetimes=lifetimes))
    assert dead.rows == ("R1",)
    assert (dead.problem.row, dead.problem.column) == (2, "valid_from")


def test_inputs_whose_values_belong_together() -> None:
    table = table_of("R1 01001 - normal", "R2 01002 - urgent", "R3 02 - -")
    pairs = [("01001", "normal"), ("01002", "urgent"), ("02001", "")]
    joint: Domain = {("category", "priority"): pairs, "region": ["32"]}
    assert analyse(table, joint) == []
    (gap,) = analyse(table, {**joint, ("category", "priority"): [*pairs, ("01002", "normal")]})
    assert gap.facts == {"category": "01002", "priority": "normal"}
    never = table_of("R1 01001 - urgent", "R2 - - -")
    (dead,) = analyse(never, joint)
    assert "category '01001' with priority 'urgent' matches nothing" in str(dead.problem.message)


def test_dead_by_better_rows_together() -> None:
    table = table_of("R1 01 - -", "R2 01001 - -", "R3 01002 - -", "R4 - - -")
    (dead,) = of_kind(Kind.DEAD, analyse(table, DOMAIN))
    assert dead.rows == ("R1", "R2", "R3")
    assert (dead.problem.row, dead.problem.column) == (2, "row")
    assert "rows R2, R3 come first" in str(dead.problem.message)
    # Any text may be a category: then 01009 keeps R1 alive.
    assert of_kind(Kind.DEAD, analyse(table)) == []


def test_dead_only_if_covered_on_all_of_its_days() -> None:
    rows = ["R1 01 - - 2026-01-01 2026-12-01", "R2 01001 - - - 2026-06-01", "R3 01002 - - - -", "R4 - - - - -"]
    assert of_kind(Kind.DEAD, analyse(table_of(*rows), DOMAIN)) == []
    more = [*rows, "R5 01001 - - 2026-06-01 -"]
    assert [finding.rows[0] for finding in of_kind(Kind.DEAD, analyse(table_of(*more), DOMAIN))] == ["R1"]


def test_dead_because_nothing_in_the_domain_matches() -> None:
    table = table_of("R1 - - -", "R2 1001 - -", "R3 01 3301 -")
    first, second = of_kind(Kind.DEAD, analyse(table, DOMAIN))
    assert (first.problem.row, first.problem.column) == (3, "category")
    assert (second.problem.row, second.problem.column) == (4, "region")
    assert "'1001'" in str(first.problem.message)


def test_a_row_with_an_equal_one_above_it_overlaps_and_is_dead() -> None:
    found = analyse(table_of("R1 - - -", "R2 - - -"), DOMAIN)
    assert [(finding.kind, finding.rows[0]) for finding in found] == [(Kind.OVERLAP, "R2"), (Kind.DEAD, "R2")]


def test_a_hole_is_a_day_lost_between_two_rows() -> None:
    table = table_of("R0 - - -", "R1 01 - - 2026-01-01 2026-12-31", "R2 01 - - 2027-01-01 -")
    (hole,) = analyse(table, DOMAIN)
    assert hole.kind is Kind.HOLE
    assert hole.day == date(2026, 12, 31)
    assert hole.count == 1
    assert (hole.problem.row, hole.problem.column) == (4, "valid_from")
    assert "the day between" in str(hole.problem.message)


def test_a_long_row_bridges_the_hole_of_two_short_ones() -> None:
    rows = ["R1 01 - - 2026-01-01 2027-01-01", "R2 01 - - 2026-02-01 2026-03-01", "R3 01 - - 2026-06-01 -"]
    assert of_kind(Kind.HOLE, analyse(table_of(*rows))) == []


def test_many_gaps_are_counted_not_listed() -> None:
    table = table_of(*(f"R{number} {number:03d} 3201 -" for number in range(100)))
    domain: Domain = {
        "category": [f"{number:03d}" for number in range(100)],
        "region": ["3201", "3202"],
        "priority": ["normal"],
    }
    assert len(of_kind(Kind.GAP, analyse(table, domain))) == 1
    sparse = table_of(*(f"R{number} {number:03d} 32{number:02d} -" for number in range(100)))
    wide: Domain = {
        "category": domain["category"],
        "region": [f"32{number:02d}" for number in range(100)],
        "priority": ["normal"],
    }
    found = of_kind(Kind.GAP, analyse(sparse, wide))
    assert len(found) == 51
    assert found[-1].count == 9900
    assert "9,900 of 10,000" in str(found[-1].problem.message)


@pytest.mark.parametrize(
    "domain",
    [
        {"weather": ["rain"]},
        {"category": []},
        {"category": ["01"], ("category", "region"): [("01", "32")]},
        {("category", "region"): ["01"]},
    ],
)
def test_a_domain_that_does_not_fit_is_refused(domain: Domain) -> None:
    with pytest.raises(BadInput):
        analyse(table_of("R1 - - -"), domain)
