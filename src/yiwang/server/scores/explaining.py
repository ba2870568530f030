# ruff: noqa: S608 - names of columns come from the catalogue, values are quoted by the compiler
"""One figure, down to the cases that make it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from yiwang.core.facts.cases import BASES
from yiwang.core.facts.table import MOMENT, TEXT
from yiwang.core.indicators.definitions import Indicator
from yiwang.core.indicators.expressions import (
    ALWAYS,
    Among,
    Column,
    Comparison,
    Joined,
    Literal,
    Measure,
    Missing,
    Node,
    Not,
    Total,
    both,
)
from yiwang.core.indicators.scorecard import Cell, Question, chosen, column_of
from yiwang.engines import sql
from yiwang.server.cases.recorded import stands_at
from yiwang.server.places.queries import Runtime
from yiwang.server.scores import files, reading
from yiwang.server.scores.queries import book_of, store_of

SHOWN = 100  # cases on a page


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A figure and its cases.

    Attributes:
        indicator: What is measured.
        cell: The figure.
        columns: Facts that its conditions look at.
        cases: Of each case in numerator or denominator: ``number``, ``above`` and ``below`` (what it adds), and the columns.
        more: There are more than are shown.
        as_of: The moment for which is counted.
    """

    indicator: Indicator
    cell: Cell
    columns: tuple[str, ...]
    cases: list[dict[str, Any]]
    more: bool
    as_of: datetime


def looked_at(node: Node | None) -> Iterator[str]:
    """Names of the columns in an expression."""
    match node:
        case Column(name=name):
            yield name
        case Comparison(left=left, right=right) | Total(left=left, right=right):
            yield from looked_at(left)
            yield from looked_at(right)
        case Among(left=part) | Missing(left=part) | Not(part=part):
            yield from looked_at(part)
        case Joined(parts=parts):
            for part in parts:
                yield from looked_at(part)


def amount(measure: Measure, as_of: datetime) -> str:
    """What a case adds to a measure, as SQL."""
    whole = "1" if measure.amount is None else sql.text_of(measure.amount, as_of)
    return f"case when {sql.text_of(measure.condition, as_of)} then {whole} else 0 end"


def explain(
    *,
    place: Runtime,
    indicator: str,
    only: Mapping[str, str],
    since: date | None = None,
    until: date | None = None,
    offset: int = 0,
    as_of: datetime | None = None,
) -> Explained:
    """The cases behind a figure.

    Args:
        place: City.
        indicator: Its id.
        only: Dimension → value, as in `queries.scorecard`.
        since, until: First day and the day after the last, by the indicator's basis.
        offset: Skip so many cases.
        as_of: As in `queries.scorecard`.

    Raises:
        NoFacts: When nothing has been counted.
        BadInput: For an indicator or dimension that there is not.
    """
    store, context = store_of(place), reading.context_of(place)
    as_of = as_of or stands_at(city=place.info.id) or store.refreshed_at
    day = as_of.astimezone(context.zone).date()
    found = chosen(book_of(place), ids=(indicator,), day=day)[indicator]
    wanted: Node = ALWAYS
    for name, value in only.items():
        column = Column(column_of(name, context=context), TEXT)
        wanted = both(wanted, Comparison(column, "==", Literal(value, TEXT)))
    question = Question(
        measures=tuple(measure for measure in (found.numerator, found.denominator) if measure is not None), groupings=((),),
        day=BASES[found.basis], period="", since=since, until=until, only=wanted, as_of=as_of,
    )  # fmt: skip
    facts = files.facts(place.info.id, base=store.base, delta=store.delta) + " as facts"
    measures = [measure for measure in (found.numerator, found.denominator) if measure is not None]
    names = tuple(
        dict.fromkeys(
            name for measure in measures for part in (measure.condition, measure.amount) for name in looked_at(part)
        )
    )
    shown = [f"epoch_us({name})" if context.columns[name] == MOMENT else name for name in names]
    below = amount(found.denominator, as_of) if found.denominator else "0"
    with files.workshop(place.info.id) as connection:
        totals = list(sql.sums_of(question, connection.execute(sql.query(question, facts=facts)).fetchall()))
        listed = connection.execute(
            f"select number, {amount(found.numerator, as_of)} as above, {below} as below{''.join(', ' + name for name in shown)}"
            f" from {facts} where {sql.where_text(question)} and (above <> 0 or below <> 0)"
            f" order by above = 0, opened_at, number limit {SHOWN + 1} offset {max(0, offset)}"
        ).fetchall()
    sums = totals[0].sums if totals else tuple(0 for _ in measures)
    denominator = sums[1] if found.denominator else None
    return Explained(
        indicator=found,
        cell=Cell(sums[0], denominator, found.value(sums[0], denominator)),
        columns=names,
        cases=[
            {"number": row[0], "above": row[1], "below": row[2], "facts": list(zip(names, row[3:], strict=True))}
            for row in listed[:SHOWN]
        ],
        more=len(listed) > SHOWN,
        as_of=as_of,
    )
