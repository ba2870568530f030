"""Random small decision tables: every fast path and every analysis against brute force."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from itertools import combinations, product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from yiwang.core.kernel.periods import Validity
from yiwang.core.rules import (
    DictColumn,
    InputSpec,
    Kind,
    Match,
    Table,
    TableSpec,
    analyse,
    compare,
    compile_table,
    read_table,
)
from yiwang.core.rules.axes import build_axes, build_epochs
from yiwang.core.rules.bulk import BulkDecider

Combinations = dict[str | tuple[str, ...], list[str] | list[tuple[str, ...]]]

# The brute force takes its time.
relaxed = settings(deadline=None)

FIRST = date(2024, 2, 26)
DAYS = [FIRST + timedelta(days=count) for count in range(9)]
SPANS = [(None, None), (0, None), (3, None), (None, 5), (0, 3), (3, 5), (4, 8), (5, 6)]
CELLS = {
    Match.EXACT: ["", "", "a", "b", "ab"],
    Match.PREFIX: ["", "0", "01", "012", "02", "1"],
    Match.RANGE: ["", "0..1", "0.5..1.5", "0..2", "..1", "1..", "1..1e1", "-3..0", "0..1.0"],
    Match.SET: ["", "p", "p|q", "q|r", "p|q|r", "r"],
}
# One text at least in every class that the cells above make.
FACTS = {
    Match.EXACT: ["", "a", "b", "ab", "z"],
    Match.PREFIX: ["", "0", "01", "012", "0123", "02", "013", "1", "10", "2"],
    Match.RANGE: [
        "",
        "-4",
        "-3",
        "-0.5",
        "0",
        "0.5",
        "0.75",
        "1",
        "1.25",
        "1.50",
        "2",
        "9.99",
        "10",
        "11",
        "1_0",
        "nan",
        "x",
    ],
    Match.SET: ["", "p", "q", "r", "s", "p|q"],
}


def spec_of(kinds: tuple[Match, ...], precedence: tuple[int, ...], complete: bool = True) -> TableSpec:
    inputs = tuple(InputSpec(name=f"i{place}", match=kind) for place, kind in enumerate(kinds))
    return TableSpec(
        name="random",
        inputs=inputs,
        outputs=("answer",),
        precedence=tuple(inputs[place].name for place in precedence),
        complete=complete,
    )


@st.composite
def tables(draw: st.DrawFn, most_rows: int = 7, most_inputs: int = 3) -> Table:
    kinds = tuple(draw(st.lists(st.sampled_from(list(Match)), min_size=1, max_size=most_inputs)))
    spec = spec_of(kinds, tuple(draw(st.permutations(range(len(kinds))))))
    rows = []
    for number in range(draw(st.integers(0, most_rows))):
        start, end = draw(
            st.sampled_from([(None, None), (0, None), (3, None), (None, 5), (0, 3), (3, 5), (4, 8), (5, 6)])
        )
        cells = {item.name: draw(st.sampled_from(CELLS[item.match])) for item in spec.inputs}
        rows.append(
            {
                "row": f"R{number}",
                **cells,
                "answer": draw(st.sampled_from(["x", "y"])),
                "valid_from": "" if start is None else DAYS[start].isoformat(),
                "valid_to": "" if end is None else DAYS[end].isoformat(),
                "source": "drawn",
                "confidence": "none",
            }
        )
    return read_table(spec=spec, rows=rows)


def universe(table: Table) -> Iterator[dict[str, str]]:
    names = table.spec.input_names
    for values in product(*(FACTS[item.match] for item in table.spec.inputs)):
        yield dict(zip(names, values, strict=True))


def asked(table: Table) -> list[tuple[dict[str, str], date]]:
    """Every question of a small table, a sample of a larger one's."""
    questions = list(product(universe(table), DAYS))
    return questions if len(questions) <= 150 else random.Random(len(table)).sample(questions, 150)


@relaxed
@given(tables())
def test_every_way_of_asking_gives_the_reading(table: Table) -> None:
    compiled = compile_table(table)
    for facts, day in asked(table):
        reading = table.reading(facts, day)
        slow, fast = table.decide(facts, day), compiled.decide(facts, day)
        assert (slow and slow.row) == (fast and fast.row) == reading
        if slow is not None and fast is not None:
            assert slow == fast
            assert list(table.matching_rows(facts, day)) == list(compiled.matching_rows(facts, day)) == list(slow.rows)
            without = Table(spec=table.spec, rows=tuple(row for row in table.rows if row.id != slow.row_id))
            second = without.reading(facts, day)
            assert slow.runner_up == (second.id if second else None)


@relaxed
@given(tables(), st.sampled_from(["dict", "object", "text"]), st.booleans())
def test_bulk_gives_what_one_at_a_time_gives(table: Table, form: str, one_day: bool) -> None:
    compiled = compile_table(table)
    questions = asked(table)
    if one_day:
        questions = [(facts, DAYS[3]) for facts, _ in questions]
    columns: dict[str, DictColumn | np.ndarray] = {}
    for name in table.spec.input_names:
        texts = [facts[name] for facts, _ in questions]
        columns[name] = (
            DictColumn.encode(texts) if form == "dict" else np.array(texts, dtype=object if form == "object" else str)
        )
    days = DAYS[3] if one_day else np.array([day.toordinal() for _, day in questions])
    wanted = []
    for facts, day in questions:
        decision = compiled.decide(facts, day)
        wanted.append(-1 if decision is None else [row.id for row in compiled.rows].index(decision.row_id))
    answers = compiled.decide_many(columns, days)
    assert answers.dtype == np.int32
    assert answers.tolist() == wanted
    assert compiled.decide_many(columns, days).tolist() == wanted  # from the kept answers
    without_answers = BulkDecider(table, build_axes(table), build_epochs(table), largest=0)
    assert without_answers.decide(columns, days).tolist() == wanted


def overlapping_pairs(table: Table) -> set[tuple[str, str]]:
    names = table.spec.input_names
    pairs = set()
    for one, other in combinations(table.rows, 2):
        if one.rank(table.spec) != other.rank(table.spec):
            continue
        for facts, day in product(universe(table), days_of(-1, 9)):
            if one.matches(facts=facts, names=names, on=day) and other.matches(facts=facts, names=names, on=day):
                pairs.add((other.id, one.id))
                break
    return pairs


@relaxed
@given(tables(most_inputs=2))
def test_overlaps_are_exactly_those_of_brute_force(table: Table) -> None:
    found = [finding for finding in analyse(table) if finding.kind is Kind.OVERLAP]
    assert {(finding.rows[0], above) for finding in found for above in finding.rows[1:]} == overlapping_pairs(table)
    for finding in found:
        rows = [table.row(row_id) for row_id in finding.rows[:2]]
        day = finding.day or FIRST
        assert all(row.matches(facts=finding.facts, names=table.spec.input_names, on=day) for row in rows)
        assert compile_table(table).decide(finding.facts, day) is not None


@relaxed
@given(tables(), st.randoms(use_true_random=False))
def test_without_overlaps_the_order_of_rows_does_not_matter(table: Table, rng: random.Random) -> None:
    overlapping = {row_id for finding in analyse(table) if finding.kind is Kind.OVERLAP for row_id in finding.rows}
    rows = [row for row in table.rows if row.id not in overlapping]
    straight = Table(spec=table.spec, rows=tuple(rows))
    rng.shuffle(rows)
    shuffled = Table(spec=table.spec, rows=tuple(rows))
    for facts, day in asked(table):
        assert straight.reading(facts, day) == shuffled.reading(facts, day)
        one, other = compile_table(straight).decide(facts, day), compile_table(shuffled).decide(facts, day)
        assert (one and one.rows) == (other and other.rows)


def test_a_tie_is_told_and_decided_by_the_order_of_the_file() -> None:
    row = {"i0": "a", "valid_from": "", "valid_to": "", "source": "s", "confidence": "c"}
    rows = [{**row, "row": "late", "answer": "x"}, {**row, "row": "early", "answer": "y"}]
    table = read_table(spec=spec_of((Match.EXACT,), (0,)), rows=rows)
    decision = table.decide({"i0": "a"}, FIRST)
    assert decision is not None
    assert decision.row_id == "late"
    assert decision.tie
    assert all(entry.tie for entry in decision.trace)


@st.composite
def domains(draw: st.DrawFn, table: Table) -> Combinations:
    """A domain over some of the inputs, once in a while two of them joined."""
    names = list(table.spec.input_names)
    kinds = {item.name: item.match for item in table.spec.inputs}
    domain: Combinations = {}
    if len(names) > 1 and draw(st.booleans()):
        pair = tuple(names[:2])
        both: list[tuple[str, ...]] = list(product(FACTS[kinds[pair[0]]], FACTS[kinds[pair[1]]]))
        domain[pair] = draw(st.lists(st.sampled_from(both), min_size=1, max_size=6))
        names = names[2:]
    for name in names:
        if draw(st.booleans()):
            domain[name] = draw(st.lists(st.sampled_from(FACTS[kinds[name]]), min_size=1, max_size=5))
    return domain


def facts_of(table: Table, domain: Combinations) -> list[dict[str, str]]:
    parts: list[list[dict[str, str]]] = []
    named: set[str] = set()
    for key, values in domain.items():
        keys = (key,) if isinstance(key, str) else key
        named.update(keys)
        tuples = [(value,) if isinstance(value, str) else value for value in dict.fromkeys(values)]
        parts.append([dict(zip(keys, value, strict=True)) for value in tuples])
    free = [item for item in table.spec.inputs if item.name not in named]
    parts += [[{item.name: value} for value in FACTS[item.match]] for item in free]
    return [{name: value for part in chosen for name, value in part.items()} for chosen in product(*parts)]


def days_of(first: int, last: int) -> list[date]:
    return [FIRST + timedelta(days=count) for count in range(first, last)]


@relaxed
@given(st.data())
def test_gaps_are_exactly_those_of_brute_force(data: st.DataObject) -> None:
    table = data.draw(tables(most_inputs=2))
    domain = data.draw(domains(table))
    names = table.spec.input_names
    some = data.draw(st.sampled_from(names))
    kind = next(item.match for item in table.spec.inputs if item.name == some)
    lifetimes = {}
    if any(some == key or some in key for key in domain):
        value = data.draw(st.sampled_from(FACTS[kind]))
        lifetimes = {some: {value: data.draw(st.sampled_from([Validity(DAYS[2], DAYS[4]), Validity(None, DAYS[5])]))}}
    since, until = data.draw(st.sampled_from([(None, None), (DAYS[1], None), (None, DAYS[4]), (DAYS[2], DAYS[7])]))

    starts = [row.validity.valid_from for row in table.rows if row.validity.valid_from is not None]
    always = not starts or len(starts) < len(table.rows)
    begin = since or (FIRST - timedelta(days=1) if always else min(starts))
    examined = [day for day in days_of(-1, 9) if begin <= day and (until is None or day < until)]

    def exists(facts: dict[str, str], day: date) -> bool:
        return all(
            life.contains(day)
            for name, lives in lifetimes.items()
            for value, life in lives.items()
            if facts[name] == value
        )

    gaps = {
        (tuple(facts[name] for name in names), day)
        for facts in facts_of(table, domain)
        for day in examined
        if exists(facts, day) and table.reading(facts, day) is None
    }
    found = [f for f in analyse(table, domain, lifetimes=lifetimes, since=since, until=until) if f.kind is Kind.GAP]
    assert bool(found) == bool(gaps)
    everything = facts_of(table, domain)
    dimensions = [{key} if isinstance(key, str) else set(key) for key in domain]
    dimensions += [{name} for name in names if not any(name in dimension for dimension in dimensions)]
    for finding in found:
        day = finding.day or FIRST
        concerned = [facts for facts in everything if alike(table, dimensions, finding.facts, facts)]
        assert concerned
        assert all(table.reading(facts, day) is None for facts in concerned)
        assert any(exists(facts, day) for facts in concerned)
        for dimension in dimensions:
            if dimension & finding.facts.keys():
                rest = {name: value for name, value in finding.facts.items() if name not in dimension}
                shorter = [facts for facts in everything if alike(table, dimensions, rest, facts)]
                assert any(table.reading(facts, day) is not None for facts in shorter)
    if len(found) < 50:
        explained = [finding.facts for finding in found]
        for values, _ in gaps:
            facts = dict(zip(names, values, strict=True))
            assert any(alike(table, dimensions, finding, facts) for finding in explained), (facts, explained)


def alike(table: Table, dimensions: list[set[str]], witness: Mapping[str, str], facts: Mapping[str, str]) -> bool:
    """Whether the same rows match these facts as match the witness, in every dimension that it names."""
    names = table.spec.input_names

    def matching(dimension: set[str], values: Mapping[str, str]) -> list[bool]:
        return [all(row.cells[names.index(name)].matches(values[name]) for name in dimension) for row in table.rows]

    named = [dimension for dimension in dimensions if dimension & witness.keys()]
    return all(matching(dimension, witness) == matching(dimension, facts) for dimension in named)


@relaxed
@given(st.data())
def test_dead_rows_are_exactly_those_of_brute_force(data: st.DataObject) -> None:
    table = data.draw(tables(most_inputs=2))
    domain = data.draw(domains(table))
    deciding = set()
    for facts, day in product(facts_of(table, domain), days_of(-1, 9)):
        row = table.reading(facts, day)
        if row is not None:
            deciding.add(row.id)
    found = [finding for finding in analyse(table, domain) if finding.kind is Kind.DEAD]
    assert {finding.rows[0] for finding in found} == {row.id for row in table.rows} - deciding
    for finding in found:
        # The rows named suffice to keep it from deciding.
        rows = tuple(row for row in table.rows if row.id in finding.rows)
        few = Table(spec=table.spec, rows=rows)
        for facts, day in product(facts_of(table, domain), days_of(-1, 9)):
            row = few.reading(facts, day)
            assert row is None or row.id != finding.rows[0]


@relaxed
@given(tables(most_inputs=2))
def test_holes_are_days_between_rows_of_the_same_conditions(table: Table) -> None:
    wanted = set()
    for row in table.rows:
        line = [other for other in table.rows if other.cells == row.cells]
        covered = [day for day in days_of(-1, 9) if any(other.validity.contains(day) for other in line)]
        if not covered:
            continue
        for day in days_of(-1, 9):
            before = day - timedelta(days=1)
            if covered[0] < day < covered[-1] and day not in covered and before in covered:
                wanted.add((row.cells, day))
    found = [finding for finding in analyse(table) if finding.kind is Kind.HOLE]
    assert {(table.row(finding.rows[0]).cells, finding.day) for finding in found} == wanted
    assert len(found) == len(wanted)


@relaxed
@given(tables(most_inputs=2), tables(most_inputs=2), st.integers(0, 8))
def test_comparison_counts_what_one_by_one_shows(old: Table, new: Table, day: int) -> None:
    names = ["i0", "i1"]
    facts = [
        dict(zip(names, texts, strict=True))
        for texts in product(["", "a", "01", "1", "p"], ["", "b", "02", "0.5", "q"])
    ]
    columns = {name: DictColumn.encode([one[name] for one in facts]) for name in names}
    result = compare(old=compile_table(old), new=compile_table(new), columns=columns, on=DAYS[day])
    changed, moved, gained, lost = [], 0, 0, 0
    for place, one in enumerate(facts):
        before, after = old.reading(one, DAYS[day]), new.reading(one, DAYS[day])
        if (before and before.outputs) != (after and after.outputs):
            changed.append(place)
            gained += before is None
            lost += after is None
        elif before is not None and after is not None and before.id != after.id:
            moved += 1
    assert result.changed.tolist() == changed
    counts = {
        "total": 25,
        "same": 25 - len(changed),
        "changed": len(changed),
        "gained": gained,
        "lost": lost,
        "moved": moved,
    }
    assert result.counts == counts
    assert sum(change.count for change in result.changes) == len(changed) + moved
