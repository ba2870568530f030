"""A scorecard: what is asked of an engine, and what its sums become. Engines only sum whole numbers; everything that
divides, grades or weighs is here, once, so that three engines cannot differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from typing import NamedTuple, Protocol

from yiwang.core.facts.table import DEPARTMENT, POST, REGION, TEXT, Dimension, FactTable
from yiwang.core.indicators.definitions import Composite, Indicator, IndicatorBook, composite
from yiwang.core.indicators.expressions import ALWAYS, Column, Comparison, Literal, Measure, Node, both
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text

PERIODS = ("day", "week", "month", "quarter", "half", "year")
Tables = Mapping[str, FactTable]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What one pass over the facts is to sum.

    Attributes:
        measures: What is summed.
        groupings: Sets of columns; for each set there is a sum for every combination of their values.
        day: Column of the local day that gives the period, and by which ``since`` and ``until`` cut.
        period: One of `PERIODS`, or empty for one period of all.
        since, until: First day, and the day after the last; None is open.
        only: Condition that every row must fulfil.
        as_of: The moment for which is counted.
    """

    measures: tuple[Measure, ...]
    groupings: tuple[tuple[str, ...], ...]
    day: str
    period: str
    since: date | None
    until: date | None
    only: Node
    as_of: datetime

    @property
    def keys(self) -> tuple[str, ...]:
        """Every column of the groupings, once."""
        return tuple(dict.fromkeys(name for grouping in self.groupings for name in grouping))


class Sums(NamedTuple):
    """The sums of one group: which grouping, the values of its columns, the first day of the period, one sum a measure."""

    grouping: int
    values: tuple[str, ...]
    period: date | None
    sums: tuple[int, ...]


class Engine(Protocol):
    """Answers questions over one table of facts of a city."""

    name: str

    def answer(self, question: Question) -> Iterable[Sums]: ...


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure: never without what it was divided from, so that its uncertainty can be told."""

    numerator: int
    denominator: int | None
    value: float | None


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """The figures of one group.

    Attributes:
        keys: Dimension → value, in the order asked for; a period is written like 2011-07, 2011-W27, 2011-Q3.
        cells: Indicator → figure.
        composites: Evaluation → score and grade.
    """

    keys: Mapping[str, str]
    cells: Mapping[str, Cell]
    composites: Mapping[str, Composite] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to see.

    Attributes:
        by: Dimensions of the tables, and at most one of `PERIODS`.
        indicators: Ids; empty for all.
        since, until: Days that cut the basis of each indicator.
        only: Dimension → value that a row must have; a region's is a code of its level.
        as_of: The moment for which is counted.
    """

    by: tuple[str, ...]
    as_of: datetime
    indicators: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    only: Mapping[str, str] = field(default_factory=dict)


def dimension_of(name: str, *, tables: Tables) -> Dimension:
    """The dimension of a name, by the first table that has it.

    Raises:
        BadInput: When none has it; names those that there are.
    """
    for table in tables.values():
        if name in table.dimensions:
            return table.dimensions[name]
    known = dict.fromkeys(known for table in tables.values() for known in table.dimensions)
    raise BadInput(
        Problem(
            Text("不能按「{dimension}」统计。", "Nothing can be counted by {dimension!r}.", dimension=name),
            _one_of([*known, *PERIODS]),
            column="by",
        )
    )


def _one_of(words: Iterable[str]) -> Text:
    return Text("可选 {words}。", "One of {words}.", words=", ".join(words))


def select_indicators(
    book: IndicatorBook, *, ids: Sequence[str], day: date, tables: Tables, by: Iterable[str] = ()
) -> dict[str, Indicator]:
    """The indicators asked for, of those in force. When none is named, all whose table has every dimension.

    Args:
        book: All.
        ids: Those asked for.
        day: When they must be in force.
        tables: The city's tables of facts.
        by: Dimensions that are grouped by or cut by.

    Raises:
        BadInput: For an indicator that there is not, one whose table cannot be counted so, or an unknown dimension.
    """
    known, dimensions = book.in_force(day), [name for name in by if name not in PERIODS]
    for name in dimensions:
        dimension_of(name, tables=tables)
    for name in ids:
        if name not in known:
            raise BadInput(
                Problem(
                    Text("没有指标「{indicator}」。", "There is no indicator {indicator!r}.", indicator=name),
                    _one_of(known),
                    column="indicator",
                )
            )
        table = tables[known[name].table]
        for dimension in dimensions:
            if dimension not in table.dimensions:
                raise BadInput(
                    Problem(
                        Text(
                            "指标「{indicator}」不能按「{dimension}」统计。",
                            "The indicator {indicator!r} cannot be counted by {dimension!r}.",
                            indicator=name,
                            dimension=dimension,
                        ),
                        _one_of([*table.dimensions, *PERIODS]),
                        column="by",
                    )
                )
    if ids:
        return {name: known[name] for name in ids}
    return {name: one for name, one in known.items() if set(dimensions) <= tables[one.table].dimensions.keys()}


def score(
    wish: Wish,
    *,
    book: IndicatorBook,
    tables: Tables,
    engines: Mapping[str, Engine],
    zone: tzinfo,
    groupings: Sequence[Sequence[str]] = (),
) -> list[ScoreRow]:
    """Count a scorecard.

    Args:
        wish: What is wanted; ``wish.by`` may name a period beside other dimensions.
        book: The city's indicators.
        tables: Its tables of facts by name.
        engines: Table → who sums its rows; one for the table of every indicator that is asked for.
        zone: The city's time zone.
        groupings: Several sets of dimensions (without the period) counted in the same pass; by default the one in
            ``wish.by``.

    Returns:
        Rows in the order of their groupings and keys. A group with nothing in it has no row.

    Raises:
        BadInput: For a dimension or indicator that there is not.
    """
    period = [name for name in wish.by if name in PERIODS]
    if len(period) > 1:
        raise BadInput(
            Problem(
                Text("一次只能按一种周期统计。", "There is one period at a time."),
                Text("请从 {periods} 中选一个。", "Choose one of {periods}.", periods=", ".join(period)),
                column="by",
            )
        )
    plain = [tuple(name for name in wish.by if name not in PERIODS)]
    sets = [tuple(one) for one in groupings] or plain
    today = wish.as_of.astimezone(zone).date()
    indicators = select_indicators(
        book, ids=wish.indicators, day=today, tables=tables, by=dimensions_of(wish, groupings)
    )
    things = [[dimension_of(name, tables=tables) for name in one] for one in sets]
    found: dict[tuple[int, tuple[str, ...], date | None], dict[str, Cell]] = {}
    for table, question, members in questions(wish, indicators, sets, tables, period[0] if period else ""):
        places = {measure: index for index, measure in enumerate(question.measures)}
        for group in engines[table.name].answer(question):
            named = zip(things[group.grouping], group.values, strict=True)
            if any(thing.object == POST and not value for thing, value in named):
                continue  # nobody acted in that post
            cells = found.setdefault((group.grouping, group.values, group.period), {})
            for indicator in members:
                over = None if indicator.denominator is None else group.sums[places[indicator.denominator]]
                above = group.sums[places[indicator.numerator]]
                cells[indicator.id] = Cell(above, over, indicator.value(above, over))
    rows = []
    for (grouping, values, start), cells in sorted(found.items(), key=_order):
        keys = dict(zip(sets[grouping], values, strict=True))
        if period:
            spelled = label(start, period[0]) if start else ""
            at = wish.by.index(period[0]) if not groupings else len(keys)
            items = list(keys.items())
            keys = dict([*items[:at], (period[0], spelled), *items[at:]])
        full = {name: cells.get(name) or _empty_cell(indicator) for name, indicator in indicators.items()}
        rows.append(ScoreRow(keys, full, composites(book, things[grouping], indicators, full, start or today)))
    return rows


def dimensions_of(wish: Wish, groupings: Sequence[Sequence[str]] = ()) -> tuple[str, ...]:
    """Every dimension that a wish groups or cuts by, once, without the period."""
    grouped = [name for grouping in groupings for name in grouping] or list(wish.by)
    return tuple(dict.fromkeys(name for name in (*grouped, *wish.only) if name not in PERIODS))


def _order(item: tuple[tuple[int, tuple[str, ...], date | None], object]) -> tuple[int, tuple[str, ...], date]:
    grouping, values, start = item[0]
    return grouping, values, start or date.min


def _empty_cell(indicator: Indicator) -> Cell:
    """No row of the group falls into the period by the indicator's own basis."""
    return Cell(0, None if indicator.denominator is None else 0, indicator.value(0, 0))


def questions(
    wish: Wish,
    indicators: Mapping[str, Indicator],
    groupings: Sequence[Sequence[str]],
    tables: Tables,
    period: str,
) -> Iterable[tuple[FactTable, Question, list[Indicator]]]:
    """One question for each table and basis among the indicators, each measure in it once; ``groupings`` are of dimensions."""
    for table in tables.values():
        own = [indicator for indicator in indicators.values() if indicator.table == table.name]
        for basis, day in table.bases.items():
            members = [indicator for indicator in own if indicator.basis == basis]
            if not members:
                continue
            measures = dict.fromkeys(
                measure for one in members for measure in (one.numerator, one.denominator) if measure is not None
            )
            columns = tuple(tuple(table.dimensions[name].column for name in one) for one in groupings)
            yield (
                table,
                Question(
                    measures=tuple(measures), groupings=columns, day=day, period=period, since=wish.since, until=wish.until,
                    only=dimension_condition(wish.only, table=table), as_of=wish.as_of,
                ),
                members,
            )  # fmt: skip


def dimension_condition(only: Mapping[str, str], *, table: FactTable) -> Node:
    """The condition that a row of a table has the values of some of its dimensions."""
    found: Node = ALWAYS
    for name, value in only.items():
        column = Column(table.dimensions[name].column, TEXT)
        found = both(found, Comparison(column, "==", Literal(value, TEXT)))
    return found


def composites(
    book: IndicatorBook,
    things: Sequence[Dimension],
    indicators: Mapping[str, Indicator],
    cells: Mapping[str, Cell],
    day: date,
) -> dict[str, Composite]:
    """The evaluations that fit what a row is about: a person in a post, else a department, else a region."""
    post = next((thing.member for thing in things if thing.object == POST), "")
    if post:
        kind = POST
    elif any(thing.object == DEPARTMENT for thing in things):
        kind = DEPARTMENT
    elif all(thing.object == REGION for thing in things):
        kind = REGION
    else:
        return {}
    level = things[-1].member if things and kind == REGION else ""
    grading, values = book.grading(day), {name: cell.value for name, cell in cells.items()}
    return {
        evaluation.id: composite(evaluation, indicators=indicators, values=values, grading=grading)
        for evaluation in book.evaluations_of(object=kind, post=post, level=level, day=day)
    }


# --- periods ----------------------------------------------------------------------------------------------------------


def first_day(day: date, period: str) -> date:
    """The first day of the period in which a day lies; weeks begin on Monday (ISO 8601)."""
    match period:
        case "day":
            return day
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "quarter":
            return day.replace(month=3 * ((day.month - 1) // 3) + 1, day=1)
        case "half":
            return day.replace(month=1 if day.month <= 6 else 7, day=1)
        case _:
            return day.replace(month=1, day=1)


def label(start: date, period: str) -> str:
    """A period by its first day, as people write it."""
    match period:
        case "day":
            return start.isoformat()
        case "week":
            year, week, _ = start.isocalendar()
            return f"{year}-W{week:02d}"
        case "month":
            return f"{start:%Y-%m}"
        case "quarter":
            return f"{start.year}-Q{(start.month + 2) // 3}"
        case "half":
            return f"{start.year}-H{1 if start.month <= 6 else 2}"
        case _:
            return str(start.year)
