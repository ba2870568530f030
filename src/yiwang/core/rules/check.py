"""The analysis of a decision table: overlaps, gaps, dead rows and holes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from functools import reduce
from operator import and_, or_

from yiwang.core.kernel.errors import Problem
from yiwang.core.kernel.text import Text
from yiwang.core.rules.axes import Axis, Epochs, build_axes, build_epochs
from yiwang.core.rules.bits import bits, lowest
from yiwang.core.rules.cells import Anything
from yiwang.core.rules.coverage import Coverage, Dimension, Domain, Group, Lifetimes, build_dimensions
from yiwang.core.rules.findings import COMMAS, Finding, Kind, day_before, find_holes, find_overlaps
from yiwang.core.rules.spec import FROM_COLUMN, ROW_COLUMN
from yiwang.core.rules.table import Row, Table

# Gaps listed one by one; the last finding then counts all of them.
MOST_GAPS = 50
_NAMED_ROWS = 5
_WITH = {"zh": "和", "en": " with "}
# Better rows up to which it is found out which of them are needed to cover a dead one.
_MOST_WEIGHED = 32


def check(
    table: Table,
    domain: Domain | None = None,
    *,
    lifetimes: Lifetimes | None = None,
    since: date | None = None,
    until: date | None = None,
) -> list[Problem]:
    """What :func:`analyse` finds, as problems."""
    found = analyse(table, domain, lifetimes=lifetimes, since=since, until=until)
    return [finding.problem for finding in found]


def analyse(
    table: Table,
    domain: Domain | None = None,
    *,
    lifetimes: Lifetimes | None = None,
    since: date | None = None,
    until: date | None = None,
) -> list[Finding]:
    """Find what is wrong with a table as a whole.

    * **Overlap**: two rows equally specific in every input, some facts that both match, and a day on which both are
      in force: only the order of the file would decide. Any text counts as a fact here, whatever the domain.
    * **Gap**, in a complete table: facts of the domain and a day on which no row matches. Each is reported by a
      smallest witness: no fact can be left out of it. At most 50 are listed, and none that contains a listed one.
    * **Dead row**: for no facts of the domain, on no day of its validity, does it decide: either nothing in the domain
      matches it, or wherever it matches some better row is in force (a more specific one, or an equal one above it).
    * **Hole**: a row ends, a later one has the very same conditions, and on days between no such row is in force.
      Inside a hole a more general row decides silently. Where that is meant (a winter rule) pass the finding over.

    Args:
        table: The table.
        domain: Values that facts can take, by input, or by a tuple of inputs whose values belong together, e.g.
            ``{("street", "house"): [("Long Lane", "1"), …], "region": codes}``. An input that is not named can be any
            text or missing. Name every value that can occur, codes of upper levels and ``""`` for unknown included.
        lifetimes: Days on which values exist, by input and value, e.g. of categories that a newer scheme replaced.
            Values that are not named exist always.
        since: First day examined for gaps; by default the first day on which the table has a row.
        until: Day before which gaps are examined; by default there is no end.

    Returns:
        Findings by kind in the order above, each kind in the order of the file.

    Raises:
        BadInput: The domain does not fit the table.
    """
    lives = [life for values in (lifetimes or {}).values() for life in values.values()]
    cuts = [day for life in lives for day in (life.valid_from, life.valid_to) if day is not None]
    cuts += [day for day in (since, until) if day is not None]
    epochs = build_epochs(table, extra=cuts)
    axes = build_axes(table)
    dimensions = build_dimensions(table=table, axes=axes, epochs=epochs, domain=domain, lifetimes=lifetimes)
    spans = [epochs.span(row.validity.valid_from, row.validity.valid_to) for row in table.best_first]
    findings = list(find_overlaps(table))
    if table.spec.complete:
        findings += _Gaps(table, dimensions, epochs, spans, _epochs_to_check(table, epochs, since, until)).find()
    findings += _Dead(table, axes, dimensions, epochs, spans).find()
    findings += find_holes(table)
    order = list(Kind)
    return sorted(findings, key=lambda finding: (order.index(finding.kind), finding.problem.row or 0))


def _epochs_to_check(table: Table, epochs: Epochs, since: date | None, until: date | None) -> int:
    if since is None and table.rows:
        starts = [row.validity.valid_from for row in table.rows]
        since = None if None in starts else min(start for start in starts if start is not None)
    return epochs.span(since, until)


class _Gaps:
    """Searches a table for facts without a row."""

    def __init__(
        self, table: Table, dimensions: Sequence[Dimension], epochs: Epochs, spans: Sequence[int], wanted: int
    ) -> None:
        self.table, self.epochs, self.wanted = table, epochs, wanted
        # Few values first: a gap in one of them is then told once, not again under every value of the others.
        self.dimensions = sorted(dimensions, key=lambda dimension: len(dimension.groups))
        self.coverage = Coverage(levels=[dimension.groups for dimension in self.dimensions], spans=spans)
        self.reach = [dimension.reach for dimension in self.dimensions]
        self.witnesses: list[dict[int, Group]] = []
        # Leave out first what counts least.
        self._leave_out = sorted(range(len(dimensions)), key=lambda place: -dimensions.index(self.dimensions[place]))

    def find(self) -> Iterator[Finding]:
        everything = (1 << len(self.table)) - 1
        total = self.coverage.missing(0, everything, self.wanted)
        if not total:
            return
        for path, epoch in self._leaks([], everything, self.wanted):
            witness = self._smallest(path, epoch)
            self.witnesses.append(witness)
            yield self._finding(witness, epoch)
            if len(self.witnesses) == MOST_GAPS:
                message = Text(
                    "{all:,} 种条件组合中有 {total:,} 种在某些日期没有匹配的行。",
                    "{total:,} of {all:,} combinations of facts find no row on some day.",
                    total=total,
                    all=self.coverage.combinations,
                )
                hint = Text(
                    "只列出 {most} 处缺口；请先补上这些。",
                    "Only {most} gaps are listed; close those first.",
                    most=MOST_GAPS,
                )
                yield Finding(kind=Kind.GAP, problem=Problem(message, hint, self.table.file), count=total)
                return

    def _leaks(self, path: list[Group], rows: int, wanted: int) -> Iterator[tuple[list[Group], int]]:
        """Combinations of groups without a row, each with its first such epoch, unless a witness tells it already."""
        level = len(path)
        if any(
            max(witness, default=-1) < level and all(path[place] is group for place, group in witness.items())
            for witness in self.witnesses
        ):
            return
        if not self.coverage.missing(level, rows, wanted):
            return
        if level == len(self.dimensions):
            yield path, lowest(wanted & ~self.coverage.covered_epochs(rows, wanted))
            return
        for (left, still), groups in self.coverage.below(level, rows, wanted).items():
            for group in groups:
                yield from self._leaks([*path, group], left, still)

    def _smallest(self, path: Sequence[Group], epoch: int) -> dict[int, Group]:
        """Leaves out every fact without which there is still no row, whatever its value."""
        kept = dict(enumerate(path))
        candidates = self.epochs.masks[epoch]
        for place in self._leave_out:
            others = {other: group for other, group in kept.items() if other != place}
            rows = [group.rows for group in others.values()]
            rows += [reach for other, reach in enumerate(self.reach) if other not in others]
            if not reduce(and_, rows, candidates):
                kept = others
        return kept

    def _finding(self, witness: dict[int, Group], epoch: int) -> Finding:
        facts: dict[str, str] = {}
        shown = []
        for place, group in sorted(witness.items()):
            names = self.dimensions[place].names
            facts.update(zip(names, group.example, strict=True))
            told = Text.join(_WITH, [_fact_text(name, fact) for name, fact in zip(names, group.example, strict=True)])
            alike = Text(
                "{facts}（另有 {more} 个同类）", "{facts} (and {more} more like it)", facts=told, more=group.size - 1
            )
            shown.append(alike if group.size > 1 else told)
        day = self.epochs.first_day(epoch)
        if day is None and self.epochs.bounds:
            day = day_before(self.epochs.bounds[0])
        message = Text(
            "{when}，{facts}没有匹配的行。",
            "No row for {facts} {when}.",
            facts=Text.join(COMMAS, shown) if shown else Text("任何情况", "anything"),
            when=Text("在 {day}", "on {day}", day=day) if day else Text("在任何日期", "on any day"),
        )
        hint = Text(
            "请增加一行，或一个将这些单元格留空的通用行；如果不需要，该表就不应写 complete = true。",
            "Add a row, or a general one with these cells empty; if none is needed the table is not complete = true.",
        )
        count = self.coverage.combinations
        for place, group in witness.items():
            count = count // self.dimensions[place].size * group.size
        problem = Problem(message, hint, self.table.file)
        return Finding(kind=Kind.GAP, problem=problem, facts=facts, day=day, count=count)


class _Dead:
    """Searches a table for rows that never decide."""

    def __init__(
        self,
        table: Table,
        axes: Sequence[Axis],
        dimensions: Sequence[Dimension],
        epochs: Epochs,
        spans: Sequence[int],
    ) -> None:
        self.table, self.dimensions, self.epochs, self.spans = table, dimensions, epochs, spans
        self.axes = dict(zip(table.spec.input_names, axes, strict=True))
        self._matching: dict[tuple[int, object], tuple[list[Group], int]] = {}

    def find(self) -> Iterator[Finding]:
        for bit, row in enumerate(self.table.best_first):
            finding = self._examine(bit, row)
            if finding is not None:
                yield finding

    def _examine(self, bit: int, row: Row) -> Finding | None:
        matching = [self._groups(index, bit, row) for index in range(len(self.dimensions))]
        for index, (groups, _) in enumerate(matching):
            if not groups:
                return self._unmet_finding(row, self.dimensions[index].names)
        better = reduce(and_, (reach for _, reach in matching), (1 << bit) - 1)
        better = sum(1 << other for other in bits(better) if self.spans[other] & self.spans[bit])
        levels = [_merge(groups, better, self.spans[bit]) for groups, _ in matching]
        if self._leaks(levels, better, bit):
            return None
        if not self._leaks(levels, 0, bit):
            message = Text(
                "行 {row} 从不起作用：它匹配的内容在其有效期内不存在。",
                "Row {row} never decides: what it matches does not exist on the days of its validity.",
                row=row.id,
            )
            hint = Text("请改正它的日期，或删除该行。", "Correct its dates, or delete the row.")
            return self._finding(row, message, hint, FROM_COLUMN, ())
        return self._cover_finding(row, self._necessary_rows(levels, better, bit))

    def _leaks(self, levels: Sequence[Sequence[Group]], rows: int, bit: int) -> bool:
        """Whether these rows leave open something that the row of this bit matches."""
        return Coverage(levels=levels, spans=self.spans).leaks(0, rows, self.spans[bit])

    def _necessary_rows(self, levels: Sequence[Sequence[Group]], better: int, bit: int) -> int:
        """Better rows without those that are not needed to cover the row."""
        if better.bit_count() > _MOST_WEIGHED:
            return better
        for other in list(bits(better)):
            if not self._leaks(levels, better & ~(1 << other), bit):
                better &= ~(1 << other)
        return better

    def _groups(self, index: int, bit: int, row: Row) -> tuple[list[Group], int]:
        """Groups of a dimension that a row matches, and all rows that match some of them."""
        names = self.dimensions[index].names
        inputs = self.table.spec.input_names
        key = (index, tuple(row.cells[inputs.index(name)] for name in names))
        found = self._matching.get(key)
        if found is None:
            groups = [group for group in self.dimensions[index].groups if group.rows >> bit & 1]
            found = (groups, reduce(or_, (group.rows for group in groups), 0))
            self._matching[key] = found
        return found

    def _unmet_finding(self, row: Row, names: tuple[str, ...]) -> Finding:
        inputs = self.table.spec.input_names
        cells = [(name, row.cells[inputs.index(name)]) for name in names]
        named = [(name, cell) for name, cell in cells if not isinstance(cell, Anything)]
        message = Text(
            "行 {row} 从不起作用：{cells}匹配不到任何可能出现的内容。",
            "Row {row} never decides: {cells} matches nothing that can occur.",
            row=row.id,
            cells=Text.join(_WITH, [_fact_text(name, str(cell)) for name, cell in named]),
        )
        hint = Text(
            "请改正代码（电子表格会丢掉开头的零），或删除该行。",
            "Correct the code (spreadsheets drop leading zeros), or delete the row.",
        )
        return self._finding(row, message, hint, named[0][0] if named else names[0], ())

    def _cover_finding(self, row: Row, better: int) -> Finding:
        ids = tuple(self.table.best_first[place].id for place in bits(better))
        named = ", ".join(ids[:_NAMED_ROWS])
        if len(ids) == 1:
            first = Text("行 {rows} ", "row {rows} comes", rows=named)
        elif len(ids) <= _NAMED_ROWS:
            first = Text("行 {rows} ", "rows {rows} come", rows=named)
        else:
            first = Text(
                "行 {rows} 等 {count} 行",
                "rows {rows} and {more} more come",
                rows=named,
                count=len(ids),
                more=len(ids) - _NAMED_ROWS,
            )
        message = Text(
            "行 {row} 从不起作用：凡是它匹配的情况，都由{first}优先决定。",
            "Row {row} never decides: wherever it matches, {first} first.",
            row=row.id,
            first=first,
        )
        hint = Text("请删除该行，或把它写得更具体。", "Delete it, or make it more specific.")
        return self._finding(row, message, hint, ROW_COLUMN, ids)

    def _finding(self, row: Row, message: Text, hint: Text, column: str, others: tuple[str, ...]) -> Finding:
        problem = Problem(message, hint, self.table.file, row.line, column)
        return Finding(kind=Kind.DEAD, problem=problem, rows=(row.id, *others))


def _fact_text(name: str, fact: str) -> Text:
    if not fact:
        return Text("无 {name}", "no {name}", name=name)
    return Text("{name}「{fact}」", "{name} {fact!r}", name=name, fact=fact)


def _merge(groups: Sequence[Group], rows: int, wanted: int) -> list[Group]:
    """The groups as far as these rows and epochs can tell them apart."""
    found = {(group.rows & rows, group.epochs & wanted): group.example for group in groups}
    return [Group(rows=left, epochs=epochs, example=example, size=1) for (left, epochs), example in found.items()]
