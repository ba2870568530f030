"""What a command may carry into history: known fields only, each checked. Contact data and the like never get there.

History is hashed and kept for ever, so what enters it must be plain: text without control characters that a database
refuses, finite numbers, lists of bounded length.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from yiwang.core.kernel.characters import clean
from yiwang.core.kernel.refusals import Invalid
from yiwang.core.kernel.text import Text

LONGEST_TEXT = 10_000  # characters; a code or number is far shorter
LONGEST_CODE = 200
MOST_ITEMS = 200

FIELD_NAMES: Mapping[str, Text] = {
    "reason": Text("理由", "a reason"),
    "note": Text("说明", "a note"),
    "photos": Text("照片", "a photo"),
    "unit": Text("单位", "a unit"),
    "category": Text("类别", "a category"),
    "condition": Text("立案条件", "a filing condition"),
    "region": Text("区域", "a region"),
    "place": Text("地点", "a place"),
    "priority": Text("缓急", "a priority"),
    "until": Text("截止日期", "a date"),
    "into": Text("并入的案卷", "the case to merge into"),
    "units": Text("会办单位", "the assisting units"),
    "parts": Text("各部分", "the parts"),
    "stars": Text("星级", "stars"),
    "opinion": Text("意见", "an opinion"),
    "result": Text("处置结果", "a result"),
    "reply": Text("答复市民", "a reply to the citizen"),
    "number": Text("案卷号", "the case's number"),
    "numbers": Text("案卷号", "the numbers of the cases"),
    "text": Text("情况描述", "a description"),
    "lon": Text("经度", "a longitude"),
    "lat": Text("纬度", "a latitude"),
}


def field_name(name: str) -> Text:
    """A field's name for people; its id where it has none."""
    return FIELD_NAMES.get(name) or Text(name, name)


def _wrong(name: str, why: Text) -> Invalid:
    return Invalid(
        Text(
            "「{what}」有误：{why}。",
            "There is something wrong with {what} ({name}): {why}.",
            what=field_name(name),
            name=name,
            why=why,
        ),
        field=name,
    )


def read_text(name: str, value: object, longest: int = LONGEST_TEXT) -> str:
    """A text as it is kept (`characters.clean`); empty for None.

    Raises:
        Invalid: It is no text, or too long.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _wrong(name, Text("应为文字", "it must be a text"))
    text = clean(value)
    if len(text) > longest:
        raise _wrong(name, Text("最长 {longest} 字", "at most {longest} characters", longest=longest))
    return text


def _code(name: str, value: object) -> str:
    return read_text(name, value, LONGEST_CODE)


def _texts(name: str, value: object) -> list[str]:
    if value is None:
        return []
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list | tuple):
        raise _wrong(name, Text("应为列表", "it must be a list of texts"))
    if len(items) > MOST_ITEMS:
        raise _wrong(name, Text("最多 {most} 项", "at most {most} items", most=MOST_ITEMS))
    return [text for item in items if (text := _code(name, item))]


def _degrees(name: str, value: object) -> float | None:
    if value is None or value == "":
        return None
    largest = 180 if name == "lon" else 90
    try:
        degrees = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        degrees = math.nan
    if not -largest <= degrees <= largest:
        raise _wrong(name, Text("应为 ±{largest} 以内的度数", "it must be degrees within ±{largest}", largest=largest))
    return degrees


def _stars(name: str, value: object) -> int | None:
    if value is None or value == "":
        return None
    number = int(value) if isinstance(value, str) and value.isdecimal() and len(value) == 1 else value
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= 5:
        raise _wrong(name, Text("请给 1 到 5 星", "give 1 to 5 stars"))
    return number


PART_FIELDS = ("text", "category", "condition", "region", "grid", "lon", "lat", "place", "priority")


def _parts(name: str, value: object) -> list[dict[str, Any]]:
    if value is None or value == "":
        return []
    if isinstance(value, str):  # a form's text area: one part a line
        value = [{"text": line} for line in value.splitlines() if line.strip()]
    if not isinstance(value, list | tuple) or not all(isinstance(part, Mapping) for part in value):
        raise _wrong(name, Text("应为各部分的列表", "it must be a list of parts, each with a text"))
    if len(value) > MOST_ITEMS:
        raise _wrong(name, Text("最多 {most} 项", "at most {most} items", most=MOST_ITEMS))
    return [carried(part, PART_FIELDS) for part in value]


READERS: Mapping[str, Callable[[str, object], Any]] = {
    **dict.fromkeys(("reason", "note", "opinion", "result", "reply", "text", "place"), read_text),
    **dict.fromkeys(
        (
            "unit", "category", "condition", "region", "grid", "priority", "until", "into", "number", "source", "city",
            "reporter", "external", "part_of",
        ),
        _code,
    ),
    **dict.fromkeys(("photos", "units", "numbers", "flags"), _texts),
    **dict.fromkeys(("lon", "lat"), _degrees),
    "stars": _stars,
    "parts": _parts,
}  # fmt: skip


def carried(payload: Mapping[str, Any], names: frozenset[str] | tuple[str, ...]) -> dict[str, Any]:
    """The named fields of a payload that are given and not empty, as they enter history.

    Raises:
        Invalid: For the first that cannot be read.
    """
    found: dict[str, Any] = {}
    for name, value in payload.items():
        if name in names:
            read = READERS[name](name, value)
            if read is not None and read != "" and read != []:
                found[name] = read
    return found


def read_moment(name: str, value: object) -> datetime | None:
    """A recorded moment in UTC; None for None.

    Raises:
        Invalid: It is no ISO 8601 moment, or has no offset.
    """
    if value is None:
        return None
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)  # type: ignore[arg-type]
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        raise _wrong(name, Text("应为带时区的时间", "it must be a moment such as 2026-03-06T17:00:00+08:00")) from None
    raise _wrong(name, Text("缺少时区", "it has no offset from UTC"))
