"""One definition as one SQL text: a question becomes one query, in DuckDB's words; other dialects by way of sqlglot.

The query sums at the finest grain first and rolls up from there (sums are additive), so that four levels cost little more
than one. See docs/decisions/0132.
"""

# ruff: noqa: S608 - names of columns come from the checked catalogue, values are quoted here

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

from yiwang.core.facts.table import FLAG, NULLABLE, TEXT
from yiwang.core.indicators.expressions import (
    ALWAYS,
    Among,
    AsOf,
    Column,
    Comparison,
    Junction,
    Literal,
    Measure,
    Missing,
    Node,
    Not,
    Total,
)
from yiwang.core.indicators.scorecard import Question, Sums

FACTS = "facts"
_SIGNS = {"==": "=", "!=": "<>"}


def quote(name: str) -> str:
    """The name of a column, which may be a word of SQL: ``"at"``."""
    return f'"{name}"'


def text_of(node: Node, as_of: datetime) -> str:
    """An expression as SQL that is never null where it is a condition."""
    match node:
        case Column(name=name):
            return quote(name)
        case Literal(value=value):
            return _literal(value)
        case AsOf():
            return f"cast('{as_of.astimezone(UTC).isoformat(' ')}' as timestamptz)"
        case Total(left=left, minus=minus, right=right):
            return f"({text_of(left, as_of)} {'-' if minus else '+'} {text_of(right, as_of)})"
        case Comparison(left=left, operator=sign, right=right):
            compared = f"{text_of(left, as_of)} {_SIGNS.get(sign, sign)} {text_of(right, as_of)}"
            return _false_if_null(compared, left, right)
        case Among(left=left, values=values):
            if not values:
                return "false"
            listed = ", ".join(_literal(literal.value) for literal in values)
            return _false_if_null(f"{text_of(left, as_of)} in ({listed})", left)
        case Missing(left=left):
            if left.kind in NULLABLE:
                return f"({text_of(left, as_of)} is null)"
            return f"({text_of(left, as_of)} = '')" if left.kind == TEXT else "false"
        case Not(part=part):
            return f"(not {text_of(part, as_of)})"
        case Junction(all=every, parts=parts):
            return "(" + (" and " if every else " or ").join(text_of(part, as_of) for part in parts) + ")"
    raise TypeError(node)


def _false_if_null(text: str, *values: Node) -> str:
    """A comparison with what may be missing is false, not null, when it is."""
    nullable = any(isinstance(value, Column) and value.kind in NULLABLE for value in values)
    return f"coalesce({text}, false)" if nullable else f"({text})"


def _literal(value: str | int | float | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)


def measure_text(measure: Measure, as_of: datetime) -> str:
    """A measure as an aggregate."""
    condition = text_of(measure.condition, as_of)
    if measure.amount is None:
        return "count(*)" if measure.condition == ALWAYS else f"count_if({condition})"
    amount = text_of(measure.amount, as_of)
    return f"sum({amount})" if measure.condition == ALWAYS else f"sum(case when {condition} then {amount} else 0 end)"


def period_text(day: str, period: str) -> str:
    """The first day of the period in which a day lies."""
    day = quote(day)
    match period:
        case "":
            return "cast(null as date)"
        case "day":
            return day
        case "half":
            return f"make_date(year({day}), case when month({day}) <= 6 then 1 else 7 end, 1)"
        case _:
            return f"cast(date_trunc('{period}', {day}) as date)"


def where_text(question: Question) -> str:
    """Which rows a question is about."""
    day = quote(question.day)
    where = [f"{day} is not null"]
    where += [f"{day} >= date '{question.since}'"] if question.since else []
    where += [f"{day} < date '{question.until}'"] if question.until else []
    where += [text_of(question.only, question.as_of)] if question.only != ALWAYS else []
    return " and ".join(where)


def query(question: Question, *, facts: str = FACTS) -> str:
    """The query of a question. Its columns: grouping marks, keys, period, then the sums in order."""
    keys = [quote(name) for name in question.keys]
    sums = [f"{measure_text(measure, question.as_of)} as m{index}" for index, measure in enumerate(question.measures)]
    fine_keys = [*keys, f"{period_text(question.day, question.period)} as period"]
    group = [*keys, "period"]
    fine = (
        f"select {', '.join([*fine_keys, *sums])} from {facts} where {where_text(question)} "
        f"group by {', '.join(str(place + 1) for place in range(len(group)))}"
    )
    if len(question.groupings) == 1:
        marks = ["0" for _ in keys]
        return f"select {', '.join([*marks, *group, *(f'm{n}' for n in range(len(sums)))])} from ({fine}) as fine"
    marks = [f"grouping({name})" for name in keys]
    rolled = [f"cast(sum(m{index}) as bigint)" for index in range(len(sums))]
    sets = ", ".join("(" + ", ".join([*map(quote, grouping), "period"]) + ")" for grouping in question.groupings)
    return f"select {', '.join([*marks, *group, *rolled])} from ({fine}) as fine group by grouping sets ({sets})"


def sums_of(question: Question, rows: Iterable[Sequence[Any]]) -> Iterator[Sums]:
    """The rows of `query` as sums."""
    keys = question.keys
    width = len(keys)
    # which columns are rolled up tells the grouping; looked up once a row, since there may be a hundred thousand
    known: dict[tuple[int, ...], tuple[int, list[int]]] = {}
    for index, grouping in enumerate(question.groupings):
        marks = tuple(int(name not in grouping) for name in keys)
        known[marks] = index, [width + keys.index(name) for name in grouping]
    only = next(iter(known.values())) if len(known) == 1 else None
    for row in rows:
        index, columns = only or known[tuple(row[:width])]
        period: date | None = row[2 * width]
        yield Sums(index, tuple([row[column] for column in columns]), period, tuple(row[2 * width + 1 :]))


def facts_text(*, base: Sequence[str], delta: Sequence[str], key: str, reader: str = "read_parquet({})") -> str:
    """A table of facts as a query: what was written last of a key holds.

    Args:
        base: Parquet files with one row a key.
        delta: Files whose rows replace those of the base.
        key: Column that names a row.
        reader: How a list of files is read; ``{}`` stands for it.
    """

    def read(paths: Sequence[str]) -> str:
        listed = ", ".join(_literal(path) for path in paths)
        return "select * from " + reader.format(f"[{listed}]")

    if not base:
        return read(delta)
    if not delta:
        return read(base)
    newer = f"select {quote(key)} from ({read(delta)}) as newer"
    return f"{read(base)} where {quote(key)} not in ({newer}) union all by name {read(delta)}"


SQL_TYPES = {
    TEXT: "VARCHAR", "integer": "BIGINT", FLAG: "BOOLEAN", "float": "DOUBLE", "moment": "TIMESTAMPTZ", "day": "DATE",
}  # fmt: skip
