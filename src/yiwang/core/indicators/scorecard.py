"""A scorecard: what is asked of an engine, and what its sums become. Engines only sum whole numbers; everything that
divides, grades or weighs is here, once, so that three engines cannot differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple, Protocol

from yiwang.core.facts.cases import BASES, FactContext
from yiwang.core.facts.table import TEXT
from yiwang.core.indicators.definitions import Composite, Indicator, IndicatorBook, composite
from yiwang.core.indicators.expressions import ALWAYS, Column, Comparison, Literal, Measure, Node, both
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text

PERIODS = ("day", "week", "month", "quarter", "half", "year")
DIMENSIONS = (
    "department", "unit", "centre", "category", "major", "kind", "condition", "source", "opener", "priority", "grid", "unit_level",
)  # fmt: skip
_POST, _REGION = "post_", "region_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What one pass over the facts is to sum.

    Attributes:
        measures: What is summed.
        groupings: Sets of columns; for each set there is a sum for every combination of their values.
        day: Column of the local day that gives the period, and by which ``since`` and ``until`` cut.
        period: One of `PERIODS`, or empty for one period of all.
        since, until: First day, and the day after the last; None is open.
        only: Condition that every case must fulfil.
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
    """Answers questions over the facts of a city."""

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
        by: Dimensions: level ids, `DIMENSIONS`, ``post_<role>``, and at most one of `PERIODS`.
        indicators: Ids; empty for all.
        since, until: Days that cut the basis of each indicator.
        only: Column → value that a case must have; a region's is a code of its level.
        as_of: The moment for which is counted.
    """

    by: tuple[str, ...]
    as_of: datetime
    indicators: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    only: Mapping[str, str] = field(default_factory=dict)


def column_of(dimension: str, *, context: FactContext) -> str:
    """The column of a dimension.

    Raises:
        BadInput: When there is none; names those that there are.
    """
    levels = {level: f"{_REGION}{level}" for level, _ in context.levels}
    if dimension in levels:
        return levels[dimension]
    column = dimension if dimension in context.columns else ""
    if column in DIMENSIONS or (column.startswith((_POST, _REGION)) and context.columns.get(column) == TEXT):
        return column
    known = [*levels, *DIMENSIONS, *(f"{_POST}{post}" for post in context.posts), *PERIODS]
    raise BadInput(
        Problem(
            Text("不能按「{dimension}」统计。", "Nothing can be counted by {dimension!r}.", dimension=dimension),
            _one_of(known),
            column="by",
        )
    )


def _one_of(words: Iterable[str]) -> Text:
    return Text("可选 {words}。", "One of {words}.", words=", ".join(words))


def chosen(book: IndicatorBook, *, ids: Sequence[str], day: date) -> dict[str, Indicator]:
    """The indicators asked for, of those in force; all when none is named.

    Raises:
        BadInput: For one that there is not.
    """
    known = book.in_force(day)
    for name in ids:
        if name not in known:
            raise BadInput(
                Problem(
                    Text("没有指标「{indicator}」。", "There is no indicator {indicator!r}.", indicator=name),
                    _one_of(known),
                    column="indicator",
                )
            )
    return {name: known[name] for name in ids} if ids else known


def score(
    wish: Wish, *, book: IndicatorBook, context: FactContext, engine: Engine, groupings: Sequence[Sequence[str]] = ()
) -> list[ScoreRow]:
    """Count a scorecard.

    Args:
        wish: What is wanted; ``wish.by`` may name a period beside other dimensions.
        book, context: The city's indicators and columns.
        engine: Who sums.
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
    columns = [tuple(column_of(name, context=context) for name in one) for one in sets]
    indicators = chosen(book, ids=wish.indicators, day=wish.as_of.astimezone(context.zone).date())
    found: dict[tuple[int, tuple[str, ...], date | None], dict[str, Cell]] = {}
    for question, members in questions(wish, indicators, columns, context, period[0] if period else ""):
        places = {measure: place for place, measure in enumerate(question.measures)}
        for group in engine.answer(question):
            names = columns[group.grouping]
            if any(name.startswith(_POST) and not value for name, value in zip(names, group.values, strict=True)):
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
        full = {name: cells.get(name) or _nothing(indicator) for name, indicator in indicators.items()}
        day = start or wish.as_of.astimezone(context.zone).date()
        rows.append(ScoreRow(keys, full, composites(book, columns[grouping], indicators, full, day)))
    return rows


def _order(item: tuple[tuple[int, tuple[str, ...], date | None], object]) -> tuple[int, tuple[str, ...], date]:
    grouping, values, start = item[0]
    return grouping, values, start or date.min


def _nothing(indicator: Indicator) -> Cell:
    """No case of the group falls into the period by the indicator's own basis."""
    return Cell(0, None if indicator.denominator is None else 0, indicator.value(0, 0))


def questions(
    wish: Wish,
    indicators: Mapping[str, Indicator],
    groupings: Sequence[tuple[str, ...]],
    context: FactContext,
    period: str,
) -> Iterable[tuple[Question, list[Indicator]]]:
    """One question for each basis among the indicators, each measure in it once."""
    only: Node = ALWAYS
    for name, value in wish.only.items():
        only = both(only, Comparison(Column(column_of(name, context=context), TEXT), "==", Literal(value, TEXT)))
    for basis, day in BASES.items():
        members = [indicator for indicator in indicators.values() if indicator.basis == basis]
        if not members:
            continue
        measures = dict.fromkeys(
            measure for one in members for measure in (one.numerator, one.denominator) if measure is not None
        )
        yield (
            Question(
                measures=tuple(measures), groupings=tuple(groupings), day=day, period=period, since=wish.since, until=wish.until,
                only=only, as_of=wish.as_of,
            ),
            members,
        )  # fmt: skip


def composites(
    book: IndicatorBook,
    columns: Sequence[str],
    indicators: Mapping[str, Indicator],
    cells: Mapping[str, Cell],
    day: date,
) -> dict[str, Composite]:
    """The evaluations that fit what a row is about: a person in a post, else a department, else a region."""
    post = next((name.removeprefix(_POST) for name in columns if name.startswith(_POST)), "")
    if post:
        kind = "post"
    elif "department" in columns or "unit" in columns:
        kind = "department"
    elif all(name.startswith(_REGION) for name in columns):
        kind = "region"
    else:
        return {}
    level = columns[-1].removeprefix(_REGION) if columns and kind == "region" else ""
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
