"""Files of a list of cases for spreadsheets: the same rows, words and columns as the page shows the same reader.

A file is made in a temporary one, a page of the list at a time, and only then sent: memory stays that of a page, an error is
an error page and not half a file, and what was read is on record before anybody has it.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, NamedTuple

from xlsxwriter import Workbook

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.server.casepage.columns import Cell, Column, with_names
from yiwang.server.cases.api import (
    CaseFilters,
    Readers,
    count_cases_up_to,
    estimates_among,
    list_page,
    shown_row,
)
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.formatting import moment_text, number_text
from yiwang.server.common.language import say
from yiwang.server.common.spreadsheets import harmless, is_formula

MOST_ROWS = 50_000
CHUNK = 500
LONGEST_CELL = 32_767  # characters, of a cell of a workbook
ESTIMATE = Text("截止为估计", "Deadline is an estimate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What is to be written: whose list, by which filters, at which moment, in which columns."""

    readers: Readers
    place: CityRuntime
    filters: CaseFilters
    columns: Sequence[Column]
    at: datetime

    def header(self) -> list[str]:
        """The names of the columns, in the reader's language."""
        names = [say(column.name) for column in self.columns]
        return [*names, say(ESTIMATE)] if self.has_deadlines else names

    @property
    def has_deadlines(self) -> bool:
        return any(column.id == "deadline" for column in self.columns)

    def rows(self) -> Iterator[list[Cell]]:
        """The rows, a page of the list at a time. Words go on record page by page, before the file is sent."""
        cursor, left = "", MOST_ROWS
        words = any(column.id == "words" for column in self.columns)
        while left:
            page = list_page(
                readers=self.readers, place=self.place, filters=self.filters, cursor=cursor, limit=min(CHUNK, left),
                at=self.at,
            )  # fmt: skip
            left -= len(page.items)
            if words:
                numbers = [row["number"] for row in page.items if self.readers.of_row(row).staff]
                self.readers.record(numbers=numbers, what="words, masked", purpose="export of a list")
            estimated = estimates_among(page.items, place=self.place)
            for item in page.items:
                yield self._cells(item, estimated=item["id"] in estimated)
            if page.next is None:
                return
            cursor = page.next

    def _cells(self, item: dict[str, Any], *, estimated: bool) -> list[Cell]:
        row = with_names(shown_row(item, runtime=self.place, at=self.at, estimated=estimated), place=self.place)
        cells = [self._local(column.cell(row)) for column in self.columns]
        return [*cells, say("是", "yes") if estimated else ""] if self.has_deadlines else cells

    def _local(self, cell: Cell) -> Cell:
        """Times by the city's clocks, without a zone, as spreadsheets have them."""
        return cell.astimezone(self.place.info.zone).replace(tzinfo=None) if isinstance(cell, datetime) else cell


def check_size(export: Export) -> None:
    """Refuse what would not be the whole list.

    Raises:
        BadInput: When there are more than `MOST_ROWS`.
    """
    if count_cases_up_to(MOST_ROWS, place=export.place, filters=export.filters, at=export.at) > MOST_ROWS:
        raise BadInput(
            Problem(
                Text("符合条件的案卷超过 {most} 件。", "More than {most} cases match.", most=number_text(MOST_ROWS)),
                Text(
                    "一次最多导出 {most} 件，请缩小筛选范围，如按上报时间分批导出。",
                    "At most {most} go into one file: narrow the filter, by time of report say.",
                    most=number_text(MOST_ROWS),
                ),
            )
        )


def as_file(export: Export, kind: str) -> IO[bytes]:
    """The list in a temporary file, at its beginning; whoever gets it closes it.

    Raises:
        BadInput: When there are more rows than `MOST_ROWS`.
    """
    check_size(export)
    with ExitStack() as unless_done:
        made = unless_done.enter_context(tempfile.TemporaryFile())
        KINDS[kind].write(export, made)
        made.seek(0)
        unless_done.pop_all()
    return made


def _write_csv(export: Export, made: IO[bytes]) -> None:
    """CSV in UTF-8 with a byte order mark, as spreadsheets want it."""
    text = io.TextIOWrapper(made, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(export.header())
    for row in export.rows():
        writer.writerow([moment_text(c) if isinstance(c, datetime) else harmless(c or "") for c in row])
    text.detach()


def _write_xlsx(export: Export, made: IO[bytes]) -> None:
    """A workbook with one sheet. Times are times, texts are never formulas."""
    with Workbook(made, {"constant_memory": True}) as book:
        bold = book.add_format({"bold": True})
        time = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        quoted = book.add_format({"quote_prefix": True})
        sheet = book.add_worksheet()
        sheet.freeze_panes(1, 1)
        for at, column in enumerate(export.columns):
            sheet.set_column(at, at, 40 if column.id == "words" else 18)
        for at, name in enumerate(export.header()):
            sheet.write_string(0, at, name, bold)
        for line, row in enumerate(export.rows(), 1):
            for at, cell in enumerate(row):
                if isinstance(cell, datetime):
                    sheet.write_datetime(line, at, cell, time)
                elif cell:
                    sheet.write_string(line, at, cell[:LONGEST_CELL], quoted if is_formula(cell) else None)


class Kind(NamedTuple):
    """A kind of file: what writes it, and its media type."""

    write: Callable[[Export, IO[bytes]], None]
    media_type: str


KINDS = {
    "csv": Kind(_write_csv, "text/csv; charset=utf-8"),
    "xlsx": Kind(_write_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}
