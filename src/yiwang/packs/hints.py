"""What would be right: suggestions for a code or name that is not known."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import date
from difflib import get_close_matches

from yiwang.core.kernel.text import NO_TEXT, Text

ISO_HINT = Text("请写成「年-月-日」，例如 2026-03-01。", "Write year-month-day, e.g. 2026-03-01.")


def did_you_mean(word: str, known: Collection[str]) -> Text:
    """A sentence naming the nearest known word, or nothing when none is near.

    Capitals and what stands between the parts of a name make no difference: ``Valid To`` is near ``valid_to``.
    """
    near = _nearest(word, known)
    return Text("是不是「{near}」？", "Did you mean {near!r}?", near=near) if near else NO_TEXT


def header_has(column: str, header: Collection[str]) -> Text:
    """A sentence naming the column of a header that is nearest to a missing one, or nothing when none is near."""
    near = _nearest(column, header)
    return Text("表头中有「{near}」。", "The header has {near!r}.", near=near) if near else NO_TEXT


def one_of(known: Iterable[str]) -> Text:
    """A sentence listing what may be written."""
    return Text("可填：{known}。", "One of {known}.", known=", ".join(known))


def _nearest(word: str, known: Collection[str]) -> str:
    folded = {_fold(other): other for other in known}
    near = get_close_matches(word, list(known), n=1, cutoff=0.75)
    near = near or [folded[other] for other in get_close_matches(_fold(word), list(folded), n=1, cutoff=0.75)]
    return near[0] if near else ""


def _fold(word: str) -> str:
    return re.sub(r"[\s_-]+", "_", word.strip().casefold())


def code_hint(code: str, known: Collection[str], *, where: str) -> Text:
    """Why a code may be unknown: a spreadsheet ate its zeros or rounded it, or a slip of the keyboard.

    Args:
        code: The code that is not known.
        known: The codes that are.
        where: The file that lists them.
    """
    if re.fullmatch(r"\d+(\.\d+)?[eE]\+?\d+", code):
        return Text(
            "电子表格把代码变成了数字：请把该列设为文本格式。",
            "A spreadsheet turned the code into a number: format the column as text.",
        )
    if code.isdigit():
        for width in {len(other) for other in known if len(other) > len(code)}:
            if code.zfill(width) in known:
                return Text(
                    "电子表格去掉了「{code}」开头的零：请把该列设为文本格式。",
                    "A spreadsheet dropped the leading zeros of {code!r}: format the column as text.",
                    code=code.zfill(width),
                )
    if code.endswith(".0") and code[:-2] in known:
        return Text(
            "电子表格把「{code}」变成了数字：请把该列设为文本格式。",
            "A spreadsheet turned {code!r} into a number: format the column as text.",
            code=code[:-2],
        )
    return did_you_mean(code, known) or Text("已有的代码见 {where}。", "The known codes are in {where}.", where=where)


def date_hint(text: str) -> Text:
    """What an ISO date would be for the ways spreadsheets write one."""
    parts = re.fullmatch(r"(\d{4})[/.年-](\d{1,2})[/.月-](\d{1,2})日?", text)
    if parts:
        try:
            day = date(int(parts[1]), int(parts[2]), int(parts[3]))
            return Text("请写成 {day}。", "Write {day}.", day=day.isoformat())
        except ValueError:
            return Text("没有这一天。", "There is no such day.")
    return ISO_HINT
