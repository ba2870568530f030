"""Errors are part of the interface: what was wrong, where (file, row, column), what would be right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in some input.

    Attributes:
        message: What is wrong, in a sentence that quotes the offending value.
        hint: What would be right.
        file: File name relative to its pack or the path as the user gave it.
        row: 1-based row as a spreadsheet shows it (the header is row 1).
        column: Column or key.
    """

    message: str
    hint: str = ""
    file: str = ""
    row: int | None = None
    column: str = ""

    def __str__(self) -> str:
        place = self.file
        if self.row is not None:
            place += f", row {self.row}" if place else f"row {self.row}"
        if self.column:
            place += f", column {self.column}" if place else f"column {self.column}"
        text = f"{place}: {self.message}" if place else self.message
        return f"{text} {self.hint}".rstrip() if self.hint else text


class YiwangError(Exception):
    """Root of the errors that this package raises on purpose."""


class BadInput(YiwangError):
    """Input that cannot be taken, with every problem found, not only the first."""

    def __init__(self, problems: Iterable[Problem] | Problem | str) -> None:
        if isinstance(problems, str):
            problems = Problem(problems)
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
