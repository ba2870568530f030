"""The oracle: every row looked at, one after the other, in plain Python. Slow and obvious; the others must agree with it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any

from yiwang.core.indicators.expressions import (
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
from yiwang.core.indicators.scorecard import Question, Sums, first_day

Row = Mapping[str, Any]
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


class MemoryEngine:
    """Sums over rows that are held in memory.

    Args:
        rows: The facts, one mapping of column → value a row.
    """

    name = "memory"

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = list(rows)

    def answer(self, question: Question) -> Iterable[Sums]:
        totals: dict[tuple[int, tuple[str, ...], date | None], list[int]] = {}
        for row in self.rows:
            day = row[question.day]
            if day is None or not _is_within(day, question) or not value_of(question.only, row, question.as_of):
                continue
            start = first_day(day, question.period) if question.period else None
            amounts = [amount_of(measure, row, question.as_of) for measure in question.measures]
            for position, grouping in enumerate(question.groupings):
                key = (position, tuple(row[name] for name in grouping), start)
                sums = totals.setdefault(key, [0] * len(amounts))
                for index, amount in enumerate(amounts):
                    sums[index] += amount
        for (position, values, start), sums in totals.items():
            yield Sums(position, values, start, tuple(sums))


def _is_within(day: date, question: Question) -> bool:
    return (question.since is None or question.since <= day) and (question.until is None or day < question.until)


def amount_of(measure: Measure, row: Row, as_of: datetime) -> int:
    """What a row adds to a measure."""
    if not value_of(measure.condition, row, as_of):
        return 0
    return 1 if measure.amount is None else int(value_of(measure.amount, row, as_of))


def value_of(node: Node, row: Row, as_of: datetime) -> Any:
    """The value of an expression for a row. A comparison with what is missing is false."""
    match node:
        case Column(name=name):
            return row[name]
        case Literal(value=value):
            return value
        case AsOf():
            return as_of
        case Total(left=left, minus=minus, right=right):
            first, second = value_of(left, row, as_of), value_of(right, row, as_of)
            return first - second if minus else first + second
        case Comparison(left=left, operator=sign, right=right):
            first, second = value_of(left, row, as_of), value_of(right, row, as_of)
            return False if first is None or second is None else _COMPARE[sign](first, second)
        case Among(left=left, values=values):
            found = value_of(left, row, as_of)
            return found is not None and any(found == literal.value for literal in values)
        case Missing(left=left):
            return value_of(left, row, as_of) in (None, "")
        case Not(part=part):
            return not value_of(part, row, as_of)
        case Junction(all=every, parts=parts):
            answers = (value_of(part, row, as_of) for part in parts)
            return all(answers) if every else any(answers)
    raise TypeError(node)
