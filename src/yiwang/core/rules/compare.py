"""What a change of rules would do to records: two versions of a table decide on the same columns and are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yiwang.core.rules.columns import Column
from yiwang.core.rules.compiled import CompiledTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Records that go from one row to another.

    Attributes:
        old_row: Id of the deciding row before, None where none matched.
        new_row: Id of the deciding row after, None where none matches.
        count: Number of records.
        old_outputs: Answers before, empty without a row.
        new_outputs: Answers after.
    """

    old_row: str | None
    new_row: str | None
    count: int
    old_outputs: Mapping[str, str]
    new_outputs: Mapping[str, str]

    @property
    def changes_answer(self) -> bool:
        """Whether the answer changes, not only the row that gives it."""
        return self.old_outputs != self.new_outputs or (self.old_row is None) != (self.new_row is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two versions of a table on the same records.

    Attributes:
        total: Number of records.
        changed: int64, records (their places) whose answer changes, ascending.
        old_rows: int32, index of the deciding row per record before, -1 for none; into ``old.rows``.
        new_rows: The same after; into ``new.rows``.
        changes: Pairs of different rows, most records first; also pairs that answer the same.
    """

    total: int
    changed: NDArray[np.int64]
    old_rows: NDArray[np.int32]
    new_rows: NDArray[np.int32]
    changes: tuple[Change, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Records by what happens to them.

        ``total`` = ``same`` + ``changed`` answers; of the changed those that ``gained`` or ``lost`` a row altogether,
        of the same those that ``moved`` to a row of another id.
        """
        changed = [change for change in self.changes if change.changes_answer]
        return {
            "total": self.total,
            "same": self.total - len(self.changed),
            "changed": len(self.changed),
            "gained": sum(change.count for change in changed if change.old_row is None),
            "lost": sum(change.count for change in changed if change.new_row is None),
            "moved": sum(change.count for change in self.changes if not change.changes_answer),
        }


def compare(
    *, old: CompiledTable, new: CompiledTable, columns: Mapping[str, Column], on: date | NDArray[Any]
) -> Comparison:
    """Decide with both versions and compare the answers; for ``yiwang rules dry-run``.

    Args:
        old: The version in force.
        new: The version proposed. It may have other inputs and outputs.
        columns: Facts of the records; see :meth:`CompiledTable.decide_many`.
        on: Day or days on which to decide; the same for both.

    Raises:
        BadInput: see :meth:`CompiledTable.decide_many`.
    """
    before, after = old.decide_many(columns, on), new.decide_many(columns, on)
    width = len(new.rows) + 1
    pairs = (before.astype(np.int64) + 1) * width + after + 1
    size = (len(old.rows) + 1) * width
    counts = np.bincount(pairs, minlength=size)
    alters = np.zeros(size, dtype=bool)
    changes = []
    for pair in np.flatnonzero(counts).tolist():
        change = _change(old, new, pair // width - 1, pair % width - 1, int(counts[pair]))
        alters[pair] = change.changes_answer
        if change.changes_answer or change.old_row != change.new_row:
            changes.append(change)
    changes.sort(key=lambda change: (-change.count, change.old_row or "", change.new_row or ""))
    return Comparison(
        total=len(before),
        changed=np.flatnonzero(alters[pairs]),
        old_rows=before,
        new_rows=after,
        changes=tuple(changes),
    )


def _change(old: CompiledTable, new: CompiledTable, old_index: int, new_index: int, count: int) -> Change:
    before = old.rows[old_index] if old_index >= 0 else None
    after = new.rows[new_index] if new_index >= 0 else None
    return Change(
        old_row=before.id if before else None,
        new_row=after.id if after else None,
        count=count,
        old_outputs=before.outputs if before else {},
        new_outputs=after.outputs if after else {},
    )
