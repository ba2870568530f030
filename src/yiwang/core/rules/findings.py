"""What the analysis of a decision table can find, and the two kinds that need only the table: overlaps and holes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise

from yiwang.core.kernel.errors import Problem
from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.core.rules.cells import Anything, Cell, Exact, Members, Prefix, Range, below, intersect
from yiwang.core.rules.spec import FROM_COLUMN, ROW_COLUMN
from yiwang.core.rules.table import Row, Table

COMMAS = {"zh": "、", "en": ", "}
_DAY = timedelta(days=1)


class Kind(StrEnum):
    """Kinds of findings; :func:`yiwang.core.rules.analyse` defines each."""

    OVERLAP = "overlap"
    GAP = "gap"
    DEAD = "dead"
    HOLE = "hole"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found.

    Attributes:
        kind: What it is.
        problem: The same as a sentence with its place.
        rows: Ids of the rows concerned, the one to look at first in front; empty for a gap.
        facts: A witness: for a gap the facts that suffice for finding no row whatever the others are; for an overlap
            facts that both rows match. A missing fact is an empty text.
        day: A day on which the witness holds; None when it holds on any day.
        count: Combinations of facts that a gap concerns, or rows that the overlap concerns.
    """

    kind: Kind
    problem: Problem
    rows: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    day: date | None = None
    count: int = 1


def find_overlaps(table: Table) -> Iterator[Finding]:
    """Overlaps, one finding for each row that overlaps with rows above it; see :func:`yiwang.core.rules.analyse`."""
    buckets: dict[tuple[object, ...], list[Row]] = defaultdict(list)
    for row in table.rows:
        same = [cell for cell in row.cells if not isinstance(cell, Range | Members)]
        buckets[(row.rank(table.spec), *same)].append(row)
    for bucket in buckets.values():
        for index, row in enumerate(bucket):
            above = [other for other in bucket[:index] if _meet(row, other)]
            if above:
                yield _overlap(table, row, above)


def _meet(one: Row, other: Row) -> bool:
    return one.validity.overlaps(other.validity) and all(map(intersect, one.cells, other.cells))


def _overlap(table: Table, row: Row, above: list[Row]) -> Finding:
    other = above[0]
    names = table.spec.input_names
    facts = {name: _common(*cells) for name, *cells in zip(names, row.cells, other.cells, strict=True)}
    day = _common_day(row, other)
    more = Text("等 {count} 行", " and {more} more", count=len(above), more=len(above) - 1)
    shown = [Text("{name}「{fact}」", "{name} {fact!r}", name=name, fact=fact) for name, fact in facts.items() if fact]
    message = Text(
        "行 {row} 与行 {other}（第 {line} 行）{more}同样具体，{when}都匹配{facts}。",
        "Row {row} and row {other} (row {line}){more} are equally specific and both match {facts}{when}.",
        row=row.id,
        other=other.id,
        line=other.line,
        more=more if len(above) > 1 else NO_TEXT,
        facts=Text.join(COMMAS, shown) if shown else Text("任何情况", "any facts"),
        when=Text("在 {day} ", " on {day}", day=day) if day else NO_TEXT,
    )
    hint = (
        Text("请删除其中一行。", "Delete one.")
        if row.outputs == other.outputs
        else Text(
            "请把其中一行写得更具体，或让一行在另一行开始前结束。",
            "Make one more specific, or end one before the other begins.",
        )
    )
    return Finding(
        kind=Kind.OVERLAP,
        problem=Problem(message, hint, table.file, row.line, ROW_COLUMN),
        rows=(row.id, *(other.id for other in above)),
        facts=facts,
        day=day,
        count=len(above),
    )


def _common(one: Cell, other: Cell) -> str:
    """A fact that two cells match, which intersect."""
    if isinstance(one, Anything):
        one, other = other, one
    if isinstance(one, Prefix | Exact):
        longer = other.value if isinstance(other, Prefix | Exact) else ""
        return max(one.value, longer, key=len)
    if isinstance(one, Members):
        return min(one.values & other.values if isinstance(other, Members) else one.values)
    if isinstance(one, Range):
        ranges = [cell for cell in (one, other) if isinstance(cell, Range)]
        lows = [cell.low for cell in ranges if cell.low is not None]
        highs = [cell.high for cell in ranges if cell.high is not None]
        return format(max(lows) if lows else below(min(highs)), "f")
    return ""


def day_before(day: date) -> date | None:
    """The day before, None before the first day that a date can hold."""
    return day - _DAY if day > date.min else None


def _common_day(one: Row, other: Row) -> date | None:
    starts = [row.validity.valid_from for row in (one, other) if row.validity.valid_from is not None]
    ends = [row.validity.valid_to for row in (one, other) if row.validity.valid_to is not None]
    if starts:
        return max(starts)
    return day_before(min(ends)) if ends else None


def find_holes(table: Table) -> Iterator[Finding]:
    """Holes between rows of the same conditions; see :func:`yiwang.core.rules.analyse`."""
    lines: dict[tuple[Cell, ...], list[Row]] = defaultdict(list)
    for row in table.rows:
        lines[row.cells].append(row)
    for line in lines.values():
        line.sort(key=lambda row: row.validity.valid_from or date.min)
        latest = line[0]
        for _, row in pairwise(line):
            start, end = row.validity.valid_from, latest.validity.valid_to
            if start is not None and end is not None and end < start:
                yield _hole(table, latest, row, end, start)
            if end is not None and (row.validity.valid_to is None or row.validity.valid_to > end):
                latest = row


def _hole(table: Table, before: Row, after: Row, end: date, start: date) -> Finding:
    days = (start - end).days
    message = Text(
        "行 {before} 于 {end} 结束，条件相同的行 {after} 于 {start} 开始：其间{days}两行都不生效。",
        "Row {before} ends on {end} and row {after}, with the same conditions, begins on {start}: "
        "on {days} between, neither is in force.",
        before=before.id,
        end=end,
        after=after.id,
        start=start,
        days=Text("一天", "the day") if days == 1 else Text(" {count} 天", "{count} days", count=days),
    )
    hint = Text(
        "valid_to 是一行不再有效的第一天：请让下一行的 valid_from 写同一天。",
        "valid_to is the first day on which a row is no longer in force: give the next row that same day as valid_from.",
    )
    return Finding(
        kind=Kind.HOLE,
        problem=Problem(message, hint, table.file, after.line, FROM_COLUMN),
        rows=(after.id, before.id),
        day=end,
        count=days,
    )
