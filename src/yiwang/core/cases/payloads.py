"""What a command may carry into history: known fields only, each checked. Contact data and the like never get there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from yiwang.core.cases.fields import ALSO_CALLED, ASKED, CARRIED, CASE_FIELDS, CORRECTABLE, Field
from yiwang.core.cases.readers import (
    Unreadable,
    check_number,
    read_code,
    read_moment,
    read_stars,
    read_text,
    read_texts,
)
from yiwang.core.kernel.text import Text


def _read_parts(value: object) -> list[dict[str, Any]]:
    if value is None or value == "":
        return []
    if isinstance(value, str):  # a form's text area: one part a line
        value = [{"text": line} for line in value.splitlines() if line.strip()]
    if not isinstance(value, list | tuple) or not all(isinstance(part, Mapping) for part in value):
        raise Unreadable(Text("应为各部分的列表", "it must be a list of parts, each with a text"))
    check_number(len(value))
    return [payload_fields(part, CORRECTABLE) for part in value]


# what a command carries beside the fields of the case
_COMMAND = (
    Field(name="reason", reader=read_text, label=Text("理由", "a reason"), asked=True),
    Field(name="note", reader=read_text, label=Text("说明", "a note"), asked=True),
    Field(name="opinion", reader=read_text, label=Text("意见", "an opinion"), asked=True),
    Field(name="result", reader=read_text, label=Text("处置结果", "a result"), asked=True),
    Field(name="reply", reader=read_text, label=Text("答复市民", "a reply to the citizen"), asked=True),
    Field(name="unit", reader=read_code, label=Text("单位", "a unit"), asked=True),
    Field(name="person", reader=read_code, label=Text("经办人", "a person"), asked=True),
    Field(name="units", reader=read_texts, label=Text("会办单位", "the assisting units"), asked=True),
    Field(name="until", reader=read_code, label=Text("截止日期", "a date"), asked=True),
    Field(name="into", reader=read_code, label=Text("并入的案卷", "the case to merge into"), asked=True),
    Field(name="parts", reader=_read_parts, label=Text("各部分", "the parts"), asked=True),
    Field(name="stars", reader=read_stars, label=Text("星级", "stars"), asked=True),
    Field(name="photos", reader=read_texts, label=Text("照片", "a photo")),
    Field(name="number", reader=read_code, label=Text("案卷号", "the case's number")),
    Field(name="numbers", reader=read_texts, label=Text("案卷号", "the numbers of the cases")),
    Field(name="flags", reader=read_texts, label=Text("定位标记", "flags of the place")),
    Field(name="external", reader=read_code, label=Text("外部编号", "a number elsewhere")),
    Field(name="deadline", reader=read_moment, label=Text("截止时间", "a deadline")),
)
FIELDS: Mapping[str, Field] = {**{one.name: one for one in _COMMAND}, **CASE_FIELDS}
# what a verb of a workflow may require or have in its form; pictures are asked for one by one
REQUIREMENTS = frozenset((*(one.name for one in _COMMAND if one.asked), *ASKED, "photo"))
# what people may give with a verb: never flags, numbers or recorded deadlines, which are ours to say
BY_PEOPLE = frozenset((*(one.name for one in _COMMAND if one.asked), *ASKED, *CARRIED, "lon", "lat", "crs"))


def field_name(name: str) -> Text:
    """A field's name for people; its id where it has none."""
    return FIELDS[name].label if name in FIELDS else Text(name, name)


def payload_fields(payload: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """The named fields of a payload that are given and not empty, as they enter history.

    Raises:
        Invalid: For the first that cannot be read.
    """
    found: dict[str, Any] = {}
    for called, value in payload.items():
        name = ALSO_CALLED.get(called, called)
        if name in names:
            read = FIELDS[name].read(value)
            if read is not None and read != "" and read != []:
                found[name] = read
    return found
