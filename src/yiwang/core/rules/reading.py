"""Rows of a spreadsheet into a decision table, with every fault named by file, row and column."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.periods import Validity
from yiwang.core.kernel.text import Text
from yiwang.core.rules.cells import ANY, Cell, CellError, read_cell
from yiwang.core.rules.spec import (
    CONFIDENCE_COLUMN,
    FROM_COLUMN,
    NOTE_COLUMN,
    ROW_COLUMN,
    SOURCE_COLUMN,
    TO_COLUMN,
    TableSpec,
)
from yiwang.core.rules.table import Row, Table

# date.fromisoformat also takes 20220101 and 2022-W01-1, which a spreadsheet and a reader may take for something else.
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def read_table(*, spec: TableSpec, rows: Iterable[Mapping[str, str]], file: str = "", name: str = "") -> Table:
    """Read a decision table.

    Args:
        spec: Its shape.
        rows: One mapping of column to text per row of the spreadsheet, the first being row 2. Rows without any text are
            skipped.
        file: File name used in problems.
        name: Only used in problems when there is no file name.

    Raises:
        BadInput: with every problem found: missing and unknown columns, missing or repeated row ids, cells that cannot
            be read, dates that are none, an end not after its beginning, required outputs and provenance left empty.
    """
    reader = _RowReader(spec, file or name or spec.name)
    found = [row for line, cells in enumerate(rows, start=2) if (row := reader.read(cells, line)) is not None]
    if reader.problems:
        raise BadInput(sorted(reader.problems, key=lambda problem: problem.row or 0))
    return Table(spec=spec, rows=tuple(found), file=file or name or spec.name)


class _RowReader:
    def __init__(self, spec: TableSpec, file: str) -> None:
        self.spec, self.file = spec, file
        self.problems: list[Problem] = []
        self._lines: dict[str, int] = {}
        self._known = {*spec.columns, NOTE_COLUMN}
        self._reported: set[str] = set()

    def fault(self, message: Text, hint: Text, *, line: int, column: str) -> None:
        self.problems.append(Problem(message, hint, self.file, line, column))

    def read(self, cells: Mapping[str, str], line: int) -> Row | None:
        """The row, or what is left of it after its problems were noted; None for an empty line."""
        self._columns(cells, line)
        texts = {column: (cells.get(column) or "").strip() for column in self._known}
        if not any(texts.values()):
            return None
        return Row(
            id=self._id(texts[ROW_COLUMN], line),
            cells=tuple(self._cell(texts[item.name], item.name, line) for item in self.spec.inputs),
            outputs={output: self._output(texts[output], output, line) for output in self.spec.outputs},
            validity=self._validity(texts, line),
            source=self._required_text(texts[SOURCE_COLUMN], SOURCE_COLUMN, line),
            confidence=self._required_text(texts[CONFIDENCE_COLUMN], CONFIDENCE_COLUMN, line),
            note=texts[NOTE_COLUMN],
            line=line,
        )

    def _columns(self, cells: Mapping[str, str], line: int) -> None:
        # csv.DictReader keeps surplus cells under None, whatever the annotation promises.
        surplus = [column for column in cells if not isinstance(column, str)]
        if surplus:
            message = Text("本行的单元格比表头多。", "The row has more cells than the header.")
            hint = Text("含逗号的单元格请加引号。", "Quote a cell that holds a comma.")
            self.fault(message, hint, line=line, column="")
        for column in sorted(set(cells).difference(self._known, surplus, self._reported)):
            known = ", ".join((*self.spec.columns, NOTE_COLUMN))
            hint = Text("可用的列有 {known}。", "Known are {known}.", known=known)
            message = Text("没有「{column}」这一列。", "Unknown column {column!r}.", column=column)
            self.fault(message, hint, line=1, column=column)
            self._reported.add(column)
        for column in self.spec.columns:
            if column not in cells and column not in self._reported:
                columns = ", ".join(self.spec.columns)
                hint = Text("该表须有 {columns}。", "The table needs {columns}.", columns=columns)
                message = Text("缺少「{column}」列。", "The column {column!r} is missing.", column=column)
                self.fault(message, hint, line=1, column=column)
                self._reported.add(column)

    def _id(self, text: str, line: int) -> str:
        if ROW_COLUMN in self._reported:
            return ""
        if not text:
            hint = Text("请给每一行写上自己的编号，例如 L0001。", "Give every row an id of its own, e.g. L0001.")
            self.fault(Text("本行没有编号。", "The row has no id."), hint, line=line, column=ROW_COLUMN)
        elif text in self._lines:
            message = Text(
                "编号「{id}」重复；它已用于第 {line} 行。",
                "The id {id!r} is used again; it belongs to row {line}.",
                id=text,
                line=self._lines[text],
            )
            hint = Text("请给每一行写上自己的编号。", "Give every row an id of its own.")
            self.fault(message, hint, line=line, column=ROW_COLUMN)
        self._lines.setdefault(text, line)
        return text

    def _cell(self, text: str, column: str, line: int) -> Cell:
        match = next(item.match for item in self.spec.inputs if item.name == column)
        try:
            return read_cell(text, match)
        except CellError as error:
            self.fault(error.message, error.hint, line=line, column=column)
            return ANY

    def _output(self, text: str, column: str, line: int) -> str:
        if not text and column in self.spec.required and column not in self._reported:
            message = Text("输出列「{column}」为空。", "The output {column!r} is empty.", column=column)
            hint = Text("每一行都须填写。", "Every row must answer it.")
            self.fault(message, hint, line=line, column=column)
        return text

    def _required_text(self, text: str, column: str, line: int) -> str:
        if not text and column not in self._reported:
            message = Text("本行没有填写 {column}。", "The row has no {column}.", column=column)
            hint = Text("每条规则都要写明依据和可信度。", "Every rule says where it comes from and how sure that is.")
            self.fault(message, hint, line=line, column=column)
        return text

    def _validity(self, texts: Mapping[str, str], line: int) -> Validity:
        start, end = (self._day(texts[column], column, line) for column in (FROM_COLUMN, TO_COLUMN))
        if start is not None and end is not None and end <= start:
            message = Text(
                "本行于 {end} 结束，不晚于开始日 {start}。",
                "The row ends on {end}, not after it begins on {start}.",
                end=end,
                start=start,
            )
            hint = Text(
                "valid_to 是本行不再有效的第一天；没有结束日请留空。",
                "valid_to is the first day on which the row is no longer in force; leave it empty for no end.",
            )
            self.fault(message, hint, line=line, column=TO_COLUMN)
        return Validity(start, end)

    def _day(self, text: str, column: str, line: int) -> date | None:
        if not text:
            return None
        try:
            if _DAY.fullmatch(text):
                return date.fromisoformat(text)
        except ValueError:
            pass
        message = Text("「{text}」不是日期。", "{text!r} is no day.", text=text)
        self.fault(message, Text("请写成 2026-01-31 的形式。", "Write it like 2026-01-31."), line=line, column=column)
        return None
