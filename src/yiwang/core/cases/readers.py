"""How a value that somebody gives is read before it enters history.

History is hashed and kept for ever, so what enters it must be plain: text without control characters that a database
refuses, finite numbers, lists of bounded length.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime

from yiwang.core.kernel.characters import clean
from yiwang.core.kernel.text import Text

LONGEST_TEXT = 10_000  # characters; a code or number is far shorter
LONGEST_CODE = 200
MOST_ITEMS = 200


class Unreadable(Exception):
    """A value cannot be taken; ``why`` says what it must be."""

    def __init__(self, why: Text) -> None:
        super().__init__(why)
        self.why = why


def read_text(value: object, longest: int = LONGEST_TEXT) -> str:
    """A text as it is kept (`characters.clean`); empty for None."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Unreadable(Text("应为文字", "it must be a text"))
    text = clean(value)
    if len(text) > longest:
        raise Unreadable(Text("最长 {longest} 字", "at most {longest} characters", longest=longest))
    return text


def read_code(value: object) -> str:
    """A code, a number of a case, a name of a thing: a short text."""
    return read_text(value, LONGEST_CODE)


def read_texts(value: object) -> list[str]:
    """Short texts; one alone may stand without a list."""
    if value is None:
        return []
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list | tuple):
        raise Unreadable(Text("应为列表", "it must be a list of texts"))
    check_number(len(items))
    return [text for item in items if (text := read_code(item))]


def check_number(items: int) -> None:
    """Refuse a list that is too long."""
    if items > MOST_ITEMS:
        raise Unreadable(Text("最多 {most} 项", "at most {most} items", most=MOST_ITEMS))


def read_longitude(value: object) -> float | None:
    """Degrees east of Greenwich, within ±180; None for nothing."""
    return _degrees(value, 180)


def read_latitude(value: object) -> float | None:
    """Degrees north of the equator, within ±90; None for nothing."""
    return _degrees(value, 90)


def _degrees(value: object, largest: int) -> float | None:
    if value is None or value == "":
        return None
    try:
        degrees = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        degrees = math.nan
    if not -largest <= degrees <= largest:
        raise Unreadable(Text("应为 ±{largest} 以内的度数", "it must be degrees within ±{largest}", largest=largest))
    return degrees


def read_stars(value: object) -> int | None:
    """A rating of 1 to 5; None for nothing."""
    if value is None or value == "":
        return None
    number = int(value) if isinstance(value, str) and value.isdecimal() and len(value) == 1 else value
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= 5:
        raise Unreadable(Text("请给 1 到 5 星", "give 1 to 5 stars"))
    return number


def read_moment(value: object) -> datetime | None:
    """A recorded moment in UTC; None for None."""
    if value is None:
        return None
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unreadable(Text("应为带时区的时间", "it must be a moment such as 2026-03-06T17:00:00+08:00")) from None
    raise Unreadable(Text("缺少时区", "it has no offset from UTC"))
