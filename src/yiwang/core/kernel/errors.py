"""Errors are part of the interface: what was wrong, where (file, row, column), what would be right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from yiwang.core.kernel.text import NO_TEXT, Text


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

    message: Text
    hint: Text = NO_TEXT
    file: str = ""
    row: int | None = None
    column: str = ""

    @property
    def where(self) -> Text:
        """The place in words; no text where the problem names none."""
        parts = []
        if self.file:
            parts.append(Text("{file}", "{file}", file=self.file))
        if self.row is not None:
            parts.append(Text("第 {row} 行", "row {row}", row=self.row))
        if self.column:
            parts.append(Text("{column} 列", "column {column}", column=self.column))
        return Text.join({"zh": "，", "en": ", "}, parts) if parts else NO_TEXT

    @property
    def text(self) -> Text:
        """All of it: the place, what is wrong, what would be right."""
        said = Text.join({"zh": "", "en": " "}, [part for part in (self.message, self.hint) if part])
        return Text("{where}：{said}", "{where}: {said}", where=self.where, said=said) if self.where else said

    def __str__(self) -> str:
        """In English, for logs and the command line."""
        return self.text.into("en")


class YiwangError(Exception):
    """Root of the errors that this package raises on purpose."""

    @property
    def text(self) -> Text:
        """What is wrong, for people."""
        given = self.args[0] if self.args else ""
        return given if isinstance(given, Text) else Text(str(given), str(given))


class NotReady(YiwangError):
    """Something is still being read into memory; ask again in a moment."""


class BadInput(YiwangError):
    """Input that cannot be taken, with every problem found, not only the first."""

    def __init__(self, problems: Iterable[Problem] | Problem | Text) -> None:
        if isinstance(problems, Text):
            problems = Problem(problems)
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    @property
    def text(self) -> Text:
        """All problems, a line for each."""
        return Text.join({"zh": "\n", "en": "\n"}, [problem.text for problem in self.problems])
