"""One input of a table turned round: from a fact to the set of rows whose cell matches it.

A set of rows is an integer with bit ``i`` for the ``i``-th best row of the table (``table.best_first``), so the lowest
bit of an intersection is the deciding row. Facts that the same rows match are one **class**; an input has at most one
class more than it has distinct cells (ranges: than bounds), however many facts there are.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from yiwang.core.rules.bits import lowest
from yiwang.core.rules.cells import Anything, Cell, Exact, Match, Members, Prefix, Range, below, read_number
from yiwang.core.rules.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """An input of a table, from facts to classes of facts.

    Attributes:
        match: How cells of this input are compared.
        masks: Rows that match, by class. Class 0 is what no cell names: only empty cells match it.
        free: Rows whose cell is empty; equal to ``masks[0]``.
    """

    match: Match
    masks: tuple[int, ...]
    free: int
    _named: dict[str, int]
    _lengths: tuple[int, ...]
    _bounds: tuple[Decimal, ...]
    _spans: tuple[int, ...]

    def class_of(self, fact: str | None) -> int:
        """The class of a fact; None and the empty text are a missing fact."""
        if not fact:
            return 0
        if self.match is Match.RANGE:
            number = read_number(fact)
            return 0 if number is None else self._spans[bisect_right(self._bounds, number)]
        if self.match is Match.PREFIX:
            for length in self._lengths:
                found = self._named.get(fact[:length])
                if found is not None:
                    return found
            return 0
        return self._named.get(fact, 0)

    def rows_for(self, fact: str | None) -> int:
        """Rows whose cell matches this fact."""
        return self.masks[self.class_of(fact)]

    def representatives(self) -> Iterator[str]:
        """One fact of every class that some text can be in, the missing fact first."""
        yield ""
        if self.match is not Match.RANGE:
            yield from self._named
        elif self._bounds:
            yield format(below(self._bounds[0]), "f")
            yield from (format(bound, "f") for bound in self._bounds)


def build_axis(*, cells: Sequence[Cell], match: Match) -> Axis:
    """An axis from the cells of one input, in the order of the bits."""
    free = sum(1 << bit for bit, cell in enumerate(cells) if isinstance(cell, Anything))
    classes = {free: 0}
    ends = {bound for cell in cells if isinstance(cell, Range) for bound in (cell.low, cell.high)}
    bounds = sorted(bound for bound in ends if bound is not None)
    spans = _spans(cells, bounds, free) if match is Match.RANGE else []
    named = _rows_by_text(cells, match, free)
    for mask in (*spans, *named.values()):
        classes.setdefault(mask, len(classes))
    return Axis(
        match=match,
        masks=tuple(classes),
        free=free,
        _named={text: classes[mask] for text, mask in named.items()},
        _lengths=tuple(sorted({len(text) for text in named}, reverse=True)) if match is Match.PREFIX else (),
        _bounds=tuple(bounds),
        _spans=tuple(classes[mask] for mask in spans),
    )


def _rows_by_text(cells: Sequence[Cell], match: Match, free: int) -> dict[str, int]:
    """Rows by each text that a cell names, shorter prefixes included."""
    own: dict[str, int] = {}
    for bit, cell in enumerate(cells):
        texts = cell.values if isinstance(cell, Members) else [cell.value] if isinstance(cell, Exact | Prefix) else []
        for text in texts:
            own[text] = own.get(text, 0) | 1 << bit
    if match is not Match.PREFIX:
        return {text: mask | free for text, mask in own.items()}
    closed: dict[str, int] = {}
    for text in own:
        mask = free
        for length in range(1, len(text) + 1):
            mask |= own.get(text[:length], 0)
        closed[text] = mask
    return closed


def _spans(cells: Sequence[Cell], bounds: Sequence[Decimal], free: int) -> list[int]:
    """Rows by elementary span: below the first bound, between neighbours, from the last one on."""
    inside = [below(bounds[0]), *bounds] if bounds else [Decimal(0)]
    ranges = [(1 << bit, cell) for bit, cell in enumerate(cells) if isinstance(cell, Range)]
    return [free | sum(bit for bit, cell in ranges if cell.holds(number)) for number in inside]


@dataclass(frozen=True, slots=True, kw_only=True)
class Epochs:
    """Time cut where some row begins or ends: inside an epoch the same rows are in force.

    Attributes:
        bounds: First days of the epochs after the first one, which has no beginning; sorted.
        masks: Rows in force, by epoch; one more than there are bounds.
    """

    bounds: tuple[date, ...]
    masks: tuple[int, ...]

    def epoch_of(self, day: date) -> int:
        return bisect_right(self.bounds, day)

    def first_day(self, epoch: int) -> date | None:
        """First day of an epoch, None for the one without a beginning."""
        return self.bounds[epoch - 1] if epoch else None

    def span(self, start: date | None, end: date | None) -> int:
        """The epochs between two days that are bounds, or open, as a set of bits."""
        first = 0 if start is None else bisect_right(self.bounds, start)
        last = len(self.bounds) if end is None else bisect_right(self.bounds, end) - 1
        return (1 << last + 1) - (1 << first) if last >= first else 0


def build_axes(table: Table) -> tuple[Axis, ...]:
    """An axis per input, in the order of the spec."""
    return tuple(
        build_axis(cells=[row.cells[position] for row in table.best_first], match=item.match)
        for position, item in enumerate(table.spec.inputs)
    )


def build_epochs(table: Table, *, extra: Sequence[date] = ()) -> Epochs:
    """The table's epochs, cut at the extra days too."""
    days = set(extra)
    for row in table.rows:
        days.update(day for day in (row.validity.valid_from, row.validity.valid_to) if day is not None)
    epochs = Epochs(bounds=tuple(sorted(days)), masks=())
    starts: list[int] = [0] * (len(days) + 2)
    for bit, row in enumerate(table.best_first):
        span = epochs.span(row.validity.valid_from, row.validity.valid_to)
        if span:
            # A row is added where its span begins and taken away where it ends.
            starts[lowest(span)] ^= 1 << bit
            starts[span.bit_length()] ^= 1 << bit
    masks, mask = [], 0
    for change in starts[: len(days) + 1]:
        mask ^= change
        masks.append(mask)
    return Epochs(bounds=epochs.bounds, masks=tuple(masks))
