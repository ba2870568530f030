"""Decision tables: rows with conditions, outputs and a period of validity; the most specific row that matches decides.

How two matching rows are ranked: their cells are compared input by input in the order of the table's precedence, and
at the first input where one cell is more specific than the other that row wins. Longer prefixes, narrower ranges and
smaller sets are more specific, an empty cell least. Rows equal in every input tie; then the one that stands first in
the file decides and the trace says so. :func:`yiwang.core.rules.check` reports every possible tie beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from yiwang.core.kernel.periods import Validity
from yiwang.core.rules.cells import Cell, Specificity
from yiwang.core.rules.decision import Decision
from yiwang.core.rules.spec import TableSpec

Facts = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One rule.

    Attributes:
        id: Unique in its table.
        cells: Conditions, one per input in the order of the spec.
        outputs: Answers by output column, as text.
        validity: Days on which it is in force.
        source: Where the rule comes from.
        confidence: How sure that is.
        note: Free text.
        line: Row of the spreadsheet, the header being 1.
    """

    id: str
    cells: tuple[Cell, ...]
    outputs: Mapping[str, str]
    validity: Validity
    source: str = ""
    confidence: str = ""
    note: str = ""
    line: int = 0

    def matches(self, *, facts: Facts, names: tuple[str, ...], on: date) -> bool:
        """Whether every cell matches its fact and the row is in force on this day. A missing fact is an empty text."""
        return self.validity.contains(on) and all(
            cell.matches(facts.get(name) or "") for cell, name in zip(self.cells, names, strict=True)
        )

    def rank(self, spec: TableSpec) -> tuple[Specificity, ...]:
        """The cells' specificity in order of precedence: the larger tuple is the more specific row."""
        return tuple(self.cells[position].specificity for position in spec.ranking)


class Table:
    """A table of rules that passed :func:`yiwang.core.rules.read_table`.

    Attributes:
        spec: Its shape.
        rows: In the order of the file.
        best_first: The same rows, most specific first, ties in the order of the file.
        file: Where it was read from, for problems.
    """

    def __init__(self, *, spec: TableSpec, rows: tuple[Row, ...], file: str = "") -> None:
        self.spec = spec
        self.rows = rows
        self.file = file
        ranks = [row.rank(spec) for row in rows]
        # Sorting is stable, and reverse keeps it so: ties stay in the order of the file.
        order = sorted(range(len(rows)), key=ranks.__getitem__, reverse=True)
        self.best_first: tuple[Row, ...] = tuple(rows[index] for index in order)
        self._names = spec.input_names
        self._by_id = {row.id: row for row in rows}

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def name(self) -> str:
        return self.spec.name

    def row(self, row_id: str) -> Row:
        """The row of this id.

        Raises:
            KeyError: There is none.
        """
        return self._by_id[row_id]

    def matching_rows(self, facts: Facts, on: date) -> Iterator[Row]:
        """Every row that matches these facts on this day, best first."""
        return (row for row in self.best_first if row.matches(facts=facts, names=self._names, on=on))

    def decide(self, facts: Facts, on: date) -> Decision | None:
        """The decision on these facts by the rows in force on this day, or None when no row matches.

        Args:
            facts: Text by input name; a missing fact counts as unknown and meets only empty cells. Others are ignored.
            on: The city's local date.
        """
        names = self._names
        places = (index for index, row in enumerate(self.best_first) if row.matches(facts=facts, names=names, on=on))
        matched = sum(1 << index for index in places)
        return Decision(self, matched) if matched else None

    def reading(self, facts: Facts, on: date) -> Row | None:
        """The deciding row by reading all of them from the top: slow and obvious; faster ways are tested against it."""
        best: Row | None = None
        for row in self.rows:
            if row.matches(facts=facts, names=self._names, on=on) and (
                best is None or row.rank(self.spec) > best.rank(self.spec)
            ):
                best = row
        return best
