"""Decision tables: one at a time and over columns, against the row-by-row reading and a plain dictionary.

The tables are made up but shaped like a city's: 400 categories of five digits with conditions, 1,345 regions on four levels.
``limits`` has 600 rows by category, condition and priority; ``routing`` has 2,000 rows by category, region and channel in two
periods of validity, with about half a million different combinations of what its cells name.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np

from yiwang.core.rules import CompiledTable, DictColumn, Domain, Table, TableSpec, analyse, compile_table, read_table

DAY = date(2026, 6, 1)
CATEGORIES = [f"{major:02d}{minor:03d}" for major in range(1, 21) for minor in range(1, 21)]
DISTRICTS = [f"3299{number:02d}" for number in range(1, 8)]
STREETS = [f"{code}{number:03d}" for code in DISTRICTS for number in range(1, 14)]
COMMUNITIES = [f"{code}{number:03d}" for code in STREETS for number in range(1, 15)]
REGIONS = ["3299", *DISTRICTS, *STREETS, *COMMUNITIES][:1345]
CHANNELS = ["", "hotline", "app", "inspector", "sensor"]
PRIORITIES = ["normal", "urgent"]
CONDITIONS = ["", "1", "2", "3"]

Facts = dict[str, str]


def _row(row: int, cells: Facts, start: str = "2020-01-01", end: str = "") -> Facts:
    base = {"row": f"R{row:04d}", "category": "", "condition": "", "region": "", "channel": "", "priority": ""}
    return {**base, **cells, "valid_from": start, "valid_to": end, "source": "bench", "confidence": "made up"}


def limits() -> Table:
    spec = _spec("limits", [("category", "prefix"), ("condition", "exact"), ("priority", "exact")], ["amount", "unit"])
    cells: list[Facts] = [{}] + [{"category": f"{major:02d}"} for major in range(1, 21)]
    cells += [{"category": code, "condition": condition} for condition in ("", "1") for code in CATEGORIES]
    cells = [*cells[:599], {"priority": "urgent"}]
    return _table(
        spec, [_row(number, {**cell, "amount": "4", "unit": "work_hours"}) for number, cell in enumerate(cells)]
    )


def routing() -> Table:
    rng = random.Random(7)
    inputs = [("category", "prefix"), ("region", "prefix"), ("channel", "exact")]
    spec = _spec("routing", inputs, ["unit"])
    pairs = {("", "")} | {(code, "") for code in CATEGORIES} | {("", code) for code in REGIONS[:600]}
    while len(pairs) < 2000:
        pairs.add((rng.choice(CATEGORIES), rng.choice(REGIONS)))
    rows = []
    for number, (category, region) in enumerate(sorted(pairs)):
        start = "2020-01-01" if rng.random() < 0.9 else "2026-01-01"
        rows.append(_row(number, {"category": category, "region": region, "unit": f"U{number}"}, start))
    return _table(spec, rows)


def _spec(name: str, inputs: list[tuple[str, str]], outputs: list[str]) -> TableSpec:
    mapping = {
        "inputs": [{"name": column, "match": match} for column, match in inputs],
        "outputs": outputs,
        "precedence": [column for column, _ in inputs],
        "complete": True,
    }
    return TableSpec.from_mapping(mapping, name=name)


def _table(spec: TableSpec, rows: list[Facts]) -> Table:
    known = {*spec.columns}
    return read_table(spec=spec, rows=[{key: text for key, text in row.items() if key in known} for row in rows])


def records(count: int, seed: int = 1) -> dict[str, DictColumn]:
    """Columns of random facts, every value equally frequent: harder on caches than a city, where few make most."""
    rng = np.random.default_rng(seed)
    values = {
        "category": CATEGORIES,
        "condition": CONDITIONS,
        "region": REGIONS,
        "channel": CHANNELS,
        "priority": PRIORITIES,
    }
    return {
        name: DictColumn(rng.integers(0, len(texts), count).astype(np.int32), texts) for name, texts in values.items()
    }


def as_facts(columns: dict[str, DictColumn], count: int) -> list[Facts]:
    texts = {name: [column.values[code] for code in column.codes[:count].tolist()] for name, column in columns.items()}
    return [dict(zip(texts, values, strict=True)) for values in zip(*texts.values(), strict=True)]


def rate(work: Callable[[], object], count: int, repeats: int = 3) -> float:
    """Items a second, the best of some repeats."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return count / best


def _one_by_one(table: CompiledTable | Table, questions: list[Facts]) -> Callable[[], None]:
    decide = table.decide

    def work() -> None:
        for facts in questions:
            decide(facts, DAY)

    return work


def _reading(table: Table, questions: list[Facts]) -> Callable[[], None]:
    def work() -> None:
        for facts in questions:
            table.reading(facts, DAY)

    return work


def _dictionary(compiled: CompiledTable, questions: list[Facts]) -> Callable[[], None]:
    """The bound: every combination of the questions solved beforehand and kept under the tuple of its facts."""
    names = compiled.table.spec.input_names
    answers = {tuple(facts[name] for name in names): compiled.decide(facts, DAY) for facts in questions}

    def work() -> None:
        for facts in questions:
            answers[tuple([facts[name] for name in names])]

    return work


def _line(name: str, value: float, unit: str, peer: str, against: float) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "peer": f"{peer}: {against:,.3g}", "ratio": value / against}


def _single(table: Table, columns: dict[str, DictColumn]) -> list[dict[str, Any]]:
    name, compiled = table.name, compile_table(table)
    questions = as_facts(columns, 200_000)
    slow = rate(_reading(table, questions[:40]), 40, repeats=1)
    fresh = rate(_one_by_one(compile_table(table), questions), len(questions), repeats=1)
    warm = rate(_one_by_one(compiled, questions), len(questions))
    bound = rate(_dictionary(compiled, questions), len(questions))
    return [
        _line(f"rules, {name}: one at a time", warm, "decisions/s", "row-by-row reading", slow),
        _line(f"rules, {name}: one at a time", warm, "decisions/s", "dictionary of solved combinations", bound),
        _line(f"rules, {name}: one at a time, every cache cold", fresh, "decisions/s", "row-by-row reading", slow),
    ]


def _bulk(table: Table, columns: dict[str, DictColumn]) -> list[dict[str, Any]]:
    name, compiled, count = table.name, compile_table(table), len(columns["category"])
    questions = as_facts(columns, 200_000)
    one = rate(_one_by_one(compiled, questions), len(questions))
    peer = "compiled one at a time"
    cold = rate(lambda: compile_table(table).decide_many(columns, DAY), count, repeats=1)
    warm = rate(lambda: compiled.decide_many(columns, DAY), count)
    days = np.random.default_rng(2).integers(date(2025, 1, 1).toordinal(), DAY.toordinal(), count)
    dated = rate(lambda: compiled.decide_many(columns, days), count)
    part = count // 8
    texts = {key: np.array(column.values, dtype=object)[column.codes[:part]] for key, column in columns.items()}
    fixed = {key: column.astype(str) for key, column in texts.items()}
    plain = rate(lambda: compiled.decide_many(texts, DAY), part, repeats=2)
    wide = rate(lambda: compiled.decide_many(fixed, DAY), part, repeats=2)
    return [
        _line(f"rules, {name}: coded columns, one day", warm, "decisions/s", peer, one),
        _line(f"rules, {name}: coded columns, a day each", dated, "decisions/s", peer, one),
        _line(f"rules, {name}: coded columns, compiling and every combination new", cold, "decisions/s", peer, one),
        _line(f"rules, {name}: columns of str objects", plain, "decisions/s", peer, one),
        _line(f"rules, {name}: columns of fixed-width text", wide, "decisions/s", peer, one),
    ]


def _analysis(table: Table) -> dict[str, Any]:
    domain: Domain = {"category": CATEGORIES, "region": REGIONS, "channel": CHANNELS}
    start = time.perf_counter()
    analyse(table, domain)
    seconds = time.perf_counter() - start
    full = len(CATEGORIES) * len(REGIONS) * len(CHANNELS)
    name = f"rules, {table.name}: analysis of {len(table):,} rows over {full:,} combinations"
    slow = rate(_reading(table, as_facts(records(20), 20)), 20, repeats=1)
    return _line(name, full / seconds, "combinations/s", "row-by-row reading of each", slow)


def run() -> list[dict[str, Any]]:
    """Measure; see the module's docstring. Takes about a minute."""
    columns = records(4_000_000)
    rows: list[dict[str, Any]] = []
    for table in (limits(), routing()):
        rows += _single(table, columns)
        rows += _bulk(table, columns)
    rows.append(_analysis(routing()))
    return rows
