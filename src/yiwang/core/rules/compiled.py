"""A decision table compiled for speed; its answers are those of the row-by-row reading.

One at a time: every input maps its fact to the set of rows that match (a dictionary look-up, see
:mod:`yiwang.core.rules.axes`); the sets are intersected, and the lowest bit left is the deciding row. In bulk, see
:mod:`yiwang.core.rules.bulk`.

Instances may be shared by threads: what is written after construction are caches, whose entries depend on their key
alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yiwang.core.rules.axes import Axis, Epochs, build_axes, build_epochs
from yiwang.core.rules.bulk import BulkDecider
from yiwang.core.rules.columns import Column
from yiwang.core.rules.decision import Decision
from yiwang.core.rules.table import Facts, Row, Table

# Caches are emptied beyond so many entries, so that a stream of ever new facts cannot fill the memory.
_CACHE_ENTRIES = 100_000


class _RowsByFact(dict[str | None, int]):
    """Rows that match a fact, remembered."""

    def __init__(self, axis: Axis) -> None:
        self._axis = axis

    def __missing__(self, fact: str | None) -> int:
        if len(self) >= _CACHE_ENTRIES:
            self.clear()
        rows = self[fact] = self._axis.rows_for(fact)
        return rows


class _RowsByDay(dict[date, int]):
    """Rows in force on a day, remembered."""

    def __init__(self, epochs: Epochs) -> None:
        self._epochs = epochs

    def __missing__(self, day: date) -> int:
        if isinstance(day, datetime):
            raise TypeError("Rules are in force by day: pass the city's local date, not a time.")
        if len(self) >= _CACHE_ENTRIES:
            self.clear()
        rows = self[day] = self._epochs.masks[self._epochs.epoch_of(day)]
        return rows


class CompiledTable:
    """A compiled decision table; make one with :func:`compile_table`.

    Attributes:
        table: What it was compiled from.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self._axes = build_axes(table)
        self._epochs = build_epochs(table)
        self._rows_by_day = _RowsByDay(self._epochs)
        self._rows_by_fact = tuple(
            (name, _RowsByFact(axis)) for name, axis in zip(table.spec.input_names, self._axes, strict=True)
        )
        self._bulk = BulkDecider(table, self._axes, self._epochs)

    def __reduce__(self) -> tuple[type[CompiledTable], tuple[Table]]:
        return (CompiledTable, (self.table,))

    @property
    def name(self) -> str:
        return self.table.name

    @property
    def rows(self) -> tuple[Row, ...]:
        """Rows in the order of the file: what the indexes of :meth:`decide_many` point to."""
        return self.table.rows

    def decide(self, facts: Facts, on: date) -> Decision | None:
        """The same answer as ``table.decide``.

        Args:
            facts: Text by input name; a missing fact counts as unknown and meets only empty cells. Others are ignored.
            on: The city's local date.
        """
        mask = self._rows_by_day[on]
        for name, rows in self._rows_by_fact:
            mask &= rows[facts.get(name)]
        return Decision(self.table, mask) if mask else None

    def matching_rows(self, facts: Facts, on: date) -> Iterator[Row]:
        """Every row that matches, best first: the same as ``table.matching_rows``."""
        decision = self.decide(facts, on)
        return iter(decision.rows if decision is not None else ())

    def decide_many(self, columns: Mapping[str, Column], on: date | NDArray[Any]) -> NDArray[np.int32]:
        """Decide on many records at once.

        Args:
            columns: One column per input, all of one length: a :class:`DictColumn` (fastest), or an array of text
                (``U``, ``T`` or objects; None and the empty text are a missing fact). An input without a column is a
                missing fact everywhere.
            on: One day for all, or a day per record: an array of ``datetime64`` or of day numbers (``date.toordinal``).

        Returns:
            int32, shape (records,): index into :attr:`rows` of the deciding row, -1 where none matches.

        Raises:
            BadInput: Columns of different length, of a wrong type, or none at all.
        """
        return self._bulk.decide(columns, on)


def compile_table(table: Table) -> CompiledTable:
    """Compile a table. Costs milliseconds for hundreds of rows; do it once per version of a pack."""
    return CompiledTable(table)
