# ruff: noqa: S608 - names of columns come from the catalogue, values are quoted by the compiler
"""One figure, down to the rows that make it: the cases, or whatever its table is of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from yiwang.core.facts.cases import CASES
from yiwang.core.facts.table import MOMENT, FactTable
from yiwang.core.indicators.definitions import Indicator
from yiwang.core.indicators.expressions import Among, Column, Comparison, Junction, Measure, Missing, Node, Not, Total
from yiwang.core.indicators.scorecard import Cell, Question, dimension_condition, select_indicators
from yiwang.engines import sql
from yiwang.server.cases.api import stands_at
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.facts import files
from yiwang.server.facts.operations import shelf_of
from yiwang.server.facts.sources import tables_of
from yiwang.server.scores.queries import book_of, store_of

SHOWN = 100  # rows on a page


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A figure and its rows.

    Attributes:
        indicator: What is measured.
        cell: The figure.
        table: What it is counted over.
        columns: Facts that its conditions look at.
        rows: Of each row in numerator or denominator: ``key``, ``above`` and ``below`` (what it adds), and the columns.
        more: There are more than are shown.
        as_of: The moment for which is counted.
    """

    indicator: Indicator
    cell: Cell
    table: FactTable
    columns: tuple[str, ...]
    rows: list[dict[str, Any]]
    more: bool
    as_of: datetime


def columns_of(node: Node | None) -> Iterator[str]:
    """Names of the columns in an expression."""
    match node:
        case Column(name=name):
            yield name
        case Comparison(left=left, right=right) | Total(left=left, right=right):
            yield from columns_of(left)
            yield from columns_of(right)
        case Among(left=part) | Missing(left=part) | Not(part=part):
            yield from columns_of(part)
        case Junction(parts=parts):
            for part in parts:
                yield from columns_of(part)


def amount(measure: Measure, as_of: datetime) -> str:
    """What a row adds to a measure, as SQL."""
    whole = "1" if measure.amount is None else sql.text_of(measure.amount, as_of)
    return f"case when {sql.text_of(measure.condition, as_of)} then {whole} else 0 end"


def explain(
    *,
    place: CityRuntime,
    indicator: str,
    only: Mapping[str, str],
    since: date | None = None,
    until: date | None = None,
    offset: int = 0,
    as_of: datetime | None = None,
) -> Explanation:
    """The rows behind a figure.

    Args:
        place: City.
        indicator: Its id.
        only: Dimension → value, as in `queries.scorecard`.
        since, until: First day and the day after the last, by the indicator's basis.
        offset: Skip so many rows.
        as_of: As in `queries.scorecard`.

    Raises:
        NoFacts: When nothing has been counted.
        BadInput: For an indicator or dimension that there is not.
    """
    tables, cases = tables_of(place), store_of(place)
    as_of = as_of or stands_at(city=place.info.id) or cases.refreshed_at
    day = as_of.astimezone(place.info.zone).date()
    found = select_indicators(book_of(place), ids=(indicator,), day=day, tables=tables, by=only)[indicator]
    table, store, shelf = tables[found.table], cases, shelf_of(place, found.table)
    if table.name != CASES:
        store = store_of(place, table.name)
    question = Question(
        measures=tuple(measure for measure in (found.numerator, found.denominator) if measure is not None), groupings=((),),
        day=table.bases[found.basis], period="", since=since, until=until, only=dimension_condition(only, table=table), as_of=as_of,
    )  # fmt: skip
    key = sql.quote(table.key)
    facts = shelf.facts(base=store.base, delta=store.delta) + " as facts"
    measures = [measure for measure in (found.numerator, found.denominator) if measure is not None]
    names = tuple(
        dict.fromkeys(
            name for measure in measures for part in (measure.condition, measure.amount) for name in columns_of(part)
        )
    )
    shown = [f"epoch_us({sql.quote(name)})" if table.kinds[name] == MOMENT else sql.quote(name) for name in names]
    below = amount(found.denominator, as_of) if found.denominator else "0"
    with files.workshop(shelf) as connection:
        totals = list(sql.sums_of(question, connection.execute(sql.query(question, facts=facts)).fetchall()))
        listed = connection.execute(
            f"select {key}, {amount(found.numerator, as_of)} as above, {below} as below{''.join(', ' + name for name in shown)}"
            f" from {facts} where {sql.where_text(question)} and (above <> 0 or below <> 0)"
            f" order by above = 0, {sql.quote(table.order)}, {key} limit {SHOWN + 1} offset {max(0, offset)}"
        ).fetchall()
    sums = totals[0].sums if totals else tuple(0 for _ in measures)
    denominator = sums[1] if found.denominator else None
    return Explanation(
        indicator=found,
        cell=Cell(sums[0], denominator, found.value(sums[0], denominator)),
        table=table,
        columns=names,
        rows=[
            {"key": row[0], "above": row[1], "below": row[2], "facts": list(zip(names, row[3:], strict=True))}
            for row in listed[:SHOWN]
        ],
        more=len(listed) > SHOWN,
        as_of=as_of,
    )
