"""A city's own file of past requests, read in the words of its pack: typed records for the replay and for measurements.

The file is CSV or a workbook (:mod:`yiwang.packs.records.file`), read as a stream. A row that cannot be used is reported
with its number and column, counted and left out; nothing is lost silently, and nothing is repaired by guessing. What the
file's columns, words and habits mean stands in the pack's `replay.toml` (:mod:`yiwang.packs.records.mapping`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.packs.files import uneven_row
from yiwang.packs.hints import did_you_mean, header_has
from yiwang.packs.records.file import Row, open_rows
from yiwang.packs.records.flags import MomentReader, as_of, deadline_agrees, expected_flag
from yiwang.packs.records.mapping import REQUIRED_FIELDS, ReplayMapping, plain
from yiwang.packs.records.model import Counts, SourceRecord, Vocabulary
from yiwang.packs.records.row import RowReader

__all__ = [
    "Counts",
    "MomentReader",
    "RecordReader",
    "SourceRecord",
    "Vocabulary",
    "as_of",
    "deadline_agrees",
    "expected_flag",
    "read_records",
]

# Problems kept with their place; beyond it they are only counted, so that a broken file cannot fill the memory.
MAX_PROBLEMS = 1000


def read_records(
    *, path: Path | str, mapping: ReplayMapping, vocabulary: Vocabulary, limit: int | None = None
) -> RecordReader:
    """A stream of a file's records.

    Args:
        path: CSV file, plain or gzip-packed, or a workbook.
        mapping: What `replay.toml` says.
        vocabulary: What the pack can call things.
        limit: Stop after so many records.
    """
    return RecordReader(path=Path(path), mapping=mapping, vocabulary=vocabulary, limit=limit)


class RecordReader:
    """A stream of a file's records; iterate once, then read what else was found.

    Attributes:
        counts: What became of the rows so far.
        problems: The first faults, each with file, row and column.
        latest: Latest moment at which anything was opened or closed so far; what :func:`as_of` rests on.
        missing: Fields of the mapping for which the file has no column.
        present: Fields of the mapping for which it has one.
        unused: Columns of the file that the mapping does not ask for.
    """

    def __init__(self, *, path: Path, mapping: ReplayMapping, vocabulary: Vocabulary, limit: int | None = None) -> None:
        self.path = path
        self.mapping = mapping
        self.limit = limit
        self.counts = Counts()
        self.problems: list[Problem] = []
        self.latest: datetime | None = None
        self.missing: tuple[str, ...] = ()
        self.present: tuple[str, ...] = ()
        self.unused: tuple[str, ...] = ()
        self._vocabulary = vocabulary
        self._kinds: dict[tuple[str, str, str], tuple[Problem, int]] = {}

    def __iter__(self) -> Iterator[SourceRecord]:
        """The records in the file's order.

        Raises:
            BadInput: When the file cannot be opened, unpacked or read as text, is empty, or lacks a column that nothing
                can replace.
        """
        if self.limit is not None and self.limit <= 0:
            return
        with open_rows(self.path, score=self._score) as rows:
            yield from self._records(rows)

    def note(self, row: int, column: str, message: Text, hint: Text = NO_TEXT) -> None:
        """Remember a fault of a row."""
        problem = Problem(message, hint, str(self.path), row, column)
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)
        kind = (column, re.sub(r"'[^']*'|\"[^\"]*\"|[-+.\w]*\d[-+.:\w]*", "·", str(message)), str(hint))
        first, count = self._kinds.get(kind, (problem, 0))
        self._kinds[kind] = (first, count + 1)

    def leave_out(self, row: int, column: str, message: Text, hint: Text = NO_TEXT) -> None:
        """Count a row that cannot be used, and say why."""
        self.counts.skipped += 1
        self.note(row, column, message, hint or Text("此行不予读取。", "The row is left out."))

    def fault_lines(self) -> list[str]:
        """Every kind of fault in a line: where it stood first, and how often it stood in all."""
        lines = []
        for problem, count in self._kinds.values():
            lines.append(str(problem) if count == 1 else f"{problem} (and {count - 1:,} more like it)")
        return lines

    # --- rows ---------------------------------------------------------------------------------------------------------

    def _records(self, rows: Iterator[Row]) -> Iterator[SourceRecord]:
        header = next(rows, None)
        if header is None:
            hint = Text("第一行应为列名。", "Its first row names the columns.")
            raise BadInput(Problem(Text("文件为空。", "The file is empty."), hint, str(self.path), 1))
        read = RowReader(self, at=self._read_header(header), vocabulary=self._vocabulary)
        width = len(header.cells)
        for row in rows:
            self.counts.rows += 1
            if row.fault:
                self.leave_out(row.number, "", row.fault)
                continue
            if len(row.cells) != width:
                self.leave_out(row.number, "", uneven_row(len(row.cells), width))
                continue
            record = read(row.number, row.cells)
            if record is None:
                continue
            self.counts.records += 1
            yield record
            if self.limit is not None and self.counts.records >= self.limit:
                return

    def _score(self, header: list[str]) -> int:
        """How many columns of the mapping a header has."""
        names = {plain(cell) for cell in header}
        return sum(not names.isdisjoint(aliases) for aliases in self.mapping.columns.values())

    def _read_header(self, row: Row) -> dict[str, int]:
        """Where each field stands."""
        header = [cell.removeprefix("\ufeff").strip() for cell in row.cells]
        names = [plain(cell) for cell in header]
        position: dict[str, int] = {}
        for name, aliases in self.mapping.columns.items():
            known = next((alias for alias in aliases if alias in names), None)
            if known is not None:
                position[name] = names.index(known)
        taken = set(position.values())
        self.present = tuple(position)
        self.missing = tuple(name for name in self.mapping.columns if name not in position)
        self.unused = tuple(cell for index, cell in enumerate(header) if index not in taken)
        lacking = [name for name in REQUIRED_FIELDS if name in self.missing]
        if lacking:
            raise BadInput([self._lack(name, header) for name in lacking])
        if self.missing:
            hints = (
                did_you_mean(self.mapping.columns[name][0], list(map(plain, self.unused))) for name in self.missing
            )
            near = list(dict.fromkeys(hint for hint in hints if hint))
            stay_empty = Text(
                "这些内容将留空；如果列改了名，请把新列名加入 replay.toml 的 columns。",
                "They stay empty; if a column has a new name, add it to replay.toml under columns.",
            )
            message = Text(
                "文件中没有以下内容的列：{missing}。",
                "The file has no column for {missing}.",
                missing=", ".join(self.missing),
            )
            self.note(row.number, "", message, Text.join({"zh": "", "en": " "}, near) if near else stay_empty)
        return position

    def _lack(self, name: str, header: Sequence[str]) -> Problem:
        aliases = self.mapping.columns[name]
        hint = header_has(aliases[0], [plain(cell) for cell in header]) or Text(
            "表头中有 {header}；请在 replay.toml 的 columns.{name} 中写明对应的列。",
            "The header has {header}; name the right one in replay.toml under columns.{name}.",
            header=", ".join(header[:12]),
            name=name,
        )
        message = Text(
            "没有 {name} 对应的列（{aliases}）。",
            "No column for {name} ({aliases}).",
            name=name,
            aliases=", ".join(aliases),
        )
        return Problem(message, hint, str(self.path), 1)
