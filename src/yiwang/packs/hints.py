"""What would be right: suggestions for a code or name that is not known."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date
from difflib import get_close_matches

ISO_HINT = "Write year-month-day, e.g. 2026-03-01."


def did_you_mean(word: str, known: Collection[str], lead: str = "Did you mean") -> str:
    """A sentence naming the nearest known word, or nothing when none is near.

    Capitals and what stands between the parts of a name make no difference: ``Valid To`` is near ``valid_to``.
    """
    folded = {_folded(other): other for other in known}
    near = get_close_matches(word, list(known), n=1, cutoff=0.75)
    near = near or [folded[other] for other in get_close_matches(_folded(word), list(folded), n=1, cutoff=0.75)]
    if not near:
        return ""
    return f"{lead} {near[0]!r}?" if lead == "Did you mean" else f"{lead} {near[0]!r}."


def _folded(word: str) -> str:
    return re.sub(r"[\s_-]+", "_", word.strip().casefold())


def code_hint(code: str, known: Collection[str], *, where: str) -> str:
    """Why a code may be unknown: a spreadsheet ate its zeros or rounded it, or a slip of the keyboard.

    Args:
        code: The code that is not known.
        known: The codes that are.
        where: The file that lists them.
    """
    if re.fullmatch(r"\d+(\.\d+)?[eE]\+?\d+", code):
        return "A spreadsheet turned the code into a number: format the column as text."
    if code.isdigit():
        for width in {len(other) for other in known if len(other) > len(code)}:
            if code.zfill(width) in known:
                return f"A spreadsheet dropped the leading zeros of {code.zfill(width)!r}: format the column as text."
    if code.endswith(".0") and code[:-2] in known:
        return f"A spreadsheet turned {code[:-2]!r} into a number: format the column as text."
    return did_you_mean(code, known) or f"The known codes are in {where}."


def date_hint(text: str) -> str:
    """What an ISO date would be for the ways spreadsheets write one."""
    parts = re.fullmatch(r"(\d{4})[/.年-](\d{1,2})[/.月-](\d{1,2})日?", text)
    if parts:
        try:
            return f"Write {date(int(parts[1]), int(parts[2]), int(parts[3])).isoformat()}."
        except ValueError:
            return "There is no such day."
    return ISO_HINT
