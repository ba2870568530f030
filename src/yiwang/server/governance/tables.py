"""The decision tables of an installed pack as rows of text, and what a draft makes of them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from yiwang.core.kernel.errors import Problem
from yiwang.core.kernel.text import Text
from yiwang.core.rules.spec import NOTE_COLUMN, ROW_COLUMN
from yiwang.packs.tables import table_file
from yiwang.server.governance.models import RuleEdit

RULE_TABLES = ("triage", "routing", "limits")
Cells = dict[str, str]


@dataclass(slots=True, kw_only=True)
class Sheet:
    """One table's file: its columns in their order, and its rows."""

    table: str
    columns: list[str]
    rows: list[Cells]

    def by_id(self) -> dict[str, Cells]:
        return {row[ROW_COLUMN]: row for row in self.rows}


@dataclass(slots=True, kw_only=True)
class DraftRow:
    """A row of a draft.

    Attributes:
        id: Its id.
        cells: As the draft has it (as it was, for a removed one).
        state: ``""``, ``changed``, ``new`` or ``removed``.
        base: As it is in force; None for a new one.
        line: Row of the spreadsheet that the draft makes; 0 for a removed one.
        faults: What a check found, by column; under ``""`` what concerns the whole row.
    """

    id: str
    cells: Cells
    state: str = ""
    base: Cells | None = None
    line: int = 0
    faults: dict[str, list[str]] = field(default_factory=dict)


def read_sheet(folder: Path, table: str) -> Sheet:
    """Read a table's file; cells are stripped, as the pack reader does."""
    with (folder / table_file(table)).open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        rows = [
            {key.strip(): (value or "").strip() for key, value in row.items() if isinstance(key, str)} for row in reader
        ]
        columns = [name.strip() for name in reader.fieldnames or []]
    if NOTE_COLUMN not in columns:
        columns.append(NOTE_COLUMN)
    return Sheet(table=table, columns=columns, rows=[row for row in rows if any(row.values())])


def write_sheet(folder: Path, sheet: Sheet) -> None:
    """Write a table's file, in the place of one or of a link to one."""
    path = folder / table_file(sheet.table)
    path.unlink(missing_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, sheet.columns, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(sheet.rows)


def plain(cells: Mapping[str, str] | None, columns: Iterable[str]) -> Cells:
    """Cells of the table's columns, stripped; what compares equal is the same row."""
    return {column: str((cells or {}).get(column, "") or "").strip() for column in columns}


def merge(sheet: Sheet, edits: Iterable[RuleEdit]) -> tuple[list[DraftRow], list[Problem]]:
    """The rows of a draft over those in force, and the conflicts: rows that somebody else changed in the meantime."""
    wanted = {edit.row: edit for edit in edits if edit.table == sheet.table}
    known = sheet.by_id()
    rows, conflicts, line = [], [], 1
    for base in sheet.rows:
        edit = wanted.get(base[ROW_COLUMN])
        row = DraftRow(id=base[ROW_COLUMN], cells=plain(base, sheet.columns), base=plain(base, sheet.columns))
        if edit is not None:
            if edit.before is None or plain(edit.before, sheet.columns) != row.base:
                conflicts.append(
                    _conflict(
                        sheet.table,
                        row.id,
                        Text(
                            "第 {row} 行已被后来生效的另一变更改动。",
                            "The row {row} was changed by another change that took force since.",
                            row=row.id,
                        ),
                    )
                )
            if edit.after is None:
                row.state = "removed"
            else:
                row.cells, row.state = plain(edit.after, sheet.columns), "changed"
        if row.state != "removed":
            line += 1
            row.line = line
        rows.append(row)
    for edit in wanted.values():
        if edit.row in known:
            continue
        if edit.before is not None:
            conflicts.append(
                _conflict(
                    sheet.table,
                    edit.row,
                    Text(
                        "第 {row} 行已被后来生效的另一变更删除。",
                        "The row {row} was removed by another change that took force since.",
                        row=edit.row,
                    ),
                )
            )
        elif edit.after is not None:
            line += 1
            rows.append(DraftRow(id=edit.row, cells=plain(edit.after, sheet.columns), state="new", line=line))
    return rows, conflicts


def _conflict(table: str, row: str, what: Text) -> Problem:
    return Problem(
        what,
        Text(
            "请看过它现在的内容再改，或放弃这处改动。", "Look at it as it is now and edit it again, or drop the edit."
        ),
        table_file(table),
        None,
        row,
    )


def sheet_of(sheet: Sheet, rows: Iterable[DraftRow]) -> Sheet:
    """The file that a draft's rows make."""
    return Sheet(table=sheet.table, columns=sheet.columns, rows=[row.cells for row in rows if row.state != "removed"])


def differences(before: Mapping[str, str] | None, after: Mapping[str, str] | None) -> list[dict[str, str]]:
    """The cells in which two forms of a row differ."""
    names = list(dict.fromkeys([*(after or {}), *(before or {})]))
    return [
        {"column": name, "before": str((before or {}).get(name, "")), "after": str((after or {}).get(name, ""))}
        for name in names
        if (before or {}).get(name, "") != (after or {}).get(name, "")
    ]
