"""Cells of files that people open in a spreadsheet."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

from xlsxwriter import Workbook

# what a spreadsheet takes for the beginning of a formula, in wide characters too
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would take a text for a formula, and might do what it says."""
    return text.startswith(_FORMULAS)


def harmless(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would take for a formula."""
    return f"'{text}" if is_formula(text) else text


def workbook(header: Sequence[str], rows: Iterable[Sequence[str | float | None]]) -> bytes:
    """A workbook of one sheet with a head that stays in sight: numbers are numbers, texts are never formulas, None is empty."""
    made = io.BytesIO()
    with Workbook(made, {"in_memory": True}) as book:
        bold, quoted = book.add_format({"bold": True}), book.add_format({"quote_prefix": True})
        sheet = book.add_worksheet()
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, max(0, len(header) - 1), 16)
        sheet.write_row(0, 0, header, bold)
        for line, row in enumerate(rows, 1):
            for at, cell in enumerate(row):
                if isinstance(cell, str):
                    sheet.write_string(line, at, cell, quoted if is_formula(cell) else None)
                elif cell is not None:
                    sheet.write_number(line, at, cell)
    return made.getvalue()
