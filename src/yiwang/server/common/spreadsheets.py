"""Cells of files that people open in a spreadsheet."""

from __future__ import annotations

# what a spreadsheet takes for the beginning of a formula, in wide characters too
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would take a text for a formula, and might do what it says."""
    return text.startswith(_FORMULAS)


def harmless(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would take for a formula."""
    return f"'{text}" if is_formula(text) else text
