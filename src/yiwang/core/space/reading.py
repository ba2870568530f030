"""From the rows of a `regions.csv` to regions, with every fault in them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date

from yiwang.core.kernel.errors import Problem
from yiwang.core.kernel.periods import Validity
from yiwang.core.kernel.text import Text, text_of
from yiwang.core.space.geometry import Shape
from yiwang.core.space.regions import Level, Region

_CODE = re.compile(r"[0-9A-Za-z_-]+")


def read_regions(
    *,
    rows: Sequence[Mapping[str, str]],
    levels: Sequence[Level],
    shapes: Mapping[str, Shape] | None = None,
    file: str = "regions.csv",
) -> tuple[list[Region], list[Problem]]:
    """Read regions and find every fault.

    Args:
        rows: Mappings with the columns code, name, name_en, level, parent, official_code, valid_from, valid_to,
            predecessors, source, confidence. Missing columns count as empty.
        levels: The pack's levels, from the city down.
        shapes: Geometry by code.
        file: Name used in problems.

    Returns:
        The regions whose own row is sound, and the problems: code missing, doubled, or with characters that no path
        may hold; unknown level; width not the level's; unknown parent, parent not one level up, code not beginning
        with the parent's; unknown predecessor or itself; dates that are no dates or run backwards; life outside the
        parent's; a predecessor
        that began after its successor had ended; a geometry without a region. A predecessor may live on beside its
        successor: a region that gives a part away keeps its code, and one that takes another in may be older than it.
    """
    reader = _Reader(levels=levels, shapes=shapes or {}, file=file)
    for number, row in enumerate(rows, start=2):
        reader.read(row, number)
    reader.check_links()
    return list(reader.regions.values()), reader.problems


class _Reader:
    def __init__(self, *, levels: Sequence[Level], shapes: Mapping[str, Shape], file: str) -> None:
        self.depth = {level.id: depth for depth, level in enumerate(levels)}
        self.levels = levels
        self.shapes = shapes
        self.file = file
        self.regions: dict[str, Region] = {}
        self.row_of: dict[str, int] = {}
        self.problems: list[Problem] = []
        self.faulty: set[str] = set()
        self.check_levels()

    def fault(self, message: Text, hint: Text, row: int | None, column: str) -> None:
        self.problems.append(Problem(message, hint=hint, file=self.file, row=row, column=column))

    def check_levels(self) -> None:
        for above, below in zip(self.levels, self.levels[1:], strict=False):
            if below.width <= above.width:
                self.problems.append(
                    Problem(
                        Text(
                            "层级「{level}」的编码长度是 {width}，上一级「{above}」是 {upper}。",
                            "Level {level!r} has width {width}, its upper level {above!r} has {upper}.",
                            level=below.id,
                            width=below.width,
                            above=above.id,
                            upper=above.width,
                        ),
                        hint=Text("编码长度自市级向下递增。", "Widths grow from the city down."),
                        file="pack.toml",
                        column="level.width",
                    )
                )

    def read(self, row: Mapping[str, str], number: int) -> None:
        code = _cell(row, "code")
        if not code:
            message = Text("有区域没有编码。", "A region has no code.")
            self.fault(message, Text("请给每一行写上编码。", "Give each row a code."), number, "code")
            return
        before = len(self.problems)
        if code in self.row_of:
            self.fault(
                Text(
                    "编码「{code}」已用于第 {row} 行。",
                    "Code {code!r} is already used in row {row}.",
                    code=code,
                    row=self.row_of[code],
                ),
                Text("编码不能重复。", "Codes are unique."),
                number,
                "code",
            )
            return
        self.row_of[code] = number
        if not _CODE.fullmatch(code):
            message = Text(
                "编码「{code}」含有不允许的字符。", "Code {code!r} holds characters that no path may.", code=code
            )
            self.fault(message, Text("只能用字母、数字、- 和 _。", "Letters, digits, - and _."), number, "code")
        level = _cell(row, "level")
        self.check_level(code, level, number)
        if not _cell(row, "name"):
            message = Text("区域「{code}」没有名称。", "Region {code!r} has no name.", code=code)
            self.fault(message, Text("请填写名称。", "Fill the name."), number, "name")
        region = self.region(code, level, row, number)
        if len(self.problems) == before:
            self.regions[code] = region
        else:
            self.faulty.add(code)

    def check_level(self, code: str, level: str, number: int) -> None:
        if level not in self.depth:
            known = ", ".join(known.id for known in self.levels)
            message = Text("层级「{level}」不存在。", "Unknown level {level!r}.", level=level)
            self.fault(message, Text("可选 {known}。", "One of {known}.", known=known), number, "level")
            return
        width = self.levels[self.depth[level]].width
        if len(code) != width:
            message = Text(
                "编码「{code}」有 {count} 个字符。", "Code {code!r} has {count} characters.", code=code, count=len(code)
            )
            hint = Text(
                "层级「{level}」的编码应有 {width} 个。",
                "A code of level {level!r} has {width}.",
                level=level,
                width=width,
            )
            self.fault(message, hint, number, "code")

    def region(self, code: str, level: str, row: Mapping[str, str], number: int) -> Region:
        shape = self.shapes.get(code)
        valid_from = self.day(row, "valid_from", number)
        valid_to = self.day(row, "valid_to", number)
        if valid_from and valid_to and valid_to <= valid_from:
            self.fault(
                Text(
                    "区域「{code}」于 {day} 结束，早于开始。",
                    "Region {code!r} ends on {day}, before it begins.",
                    code=code,
                    day=valid_to,
                ),
                Text("valid_to 当天不包括在内。", "valid_to is exclusive."),
                number,
                "valid_to",
            )
        return Region(
            code=code,
            name=text_of(row, "name"),
            level=level,
            parent=_cell(row, "parent"),
            official_code=_cell(row, "official_code"),
            validity=Validity(valid_from, valid_to),
            predecessors=tuple(_cell(row, "predecessors").split()),
            geometry=shape.geometry if shape else None,
            approximate=shape.approximate if shape else False,
            source=_cell(row, "source"),
            confidence=_cell(row, "confidence"),
        )

    def day(self, row: Mapping[str, str], column: str, number: int) -> date | None:
        text = _cell(row, column)
        if not text:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            message = Text("「{text}」不是日期。", "{text!r} is no date.", text=text)
            self.fault(message, Text("请写成 YYYY-MM-DD。", "Write YYYY-MM-DD."), number, column)
            return None

    def check_links(self) -> None:
        for region in self.regions.values():
            self.check_parent(region, self.row_of[region.code])
            self.check_predecessors(region, self.row_of[region.code])
        for code in self.shapes:
            if code not in self.row_of:
                message = Text(
                    "「{code}」有图形但没有区域。", "There is a geometry for {code!r} but no region.", code=code
                )
                hint = Text("请补上它的行，或删去图形。", "Add its row or drop it.")
                self.fault(message, hint, None, "code")

    def check_parent(self, region: Region, number: int) -> None:
        depth = self.depth[region.level]
        if not region.parent:
            if depth > 0:
                message = Text("区域「{code}」没有上级。", "Region {code!r} has no parent.", code=region.code)
                hint = Text("只有最高层级没有上级。", "Only the top level has none.")
                self.fault(message, hint, number, "parent")
            return
        parent = self.regions.get(region.parent)
        if parent is None:
            if region.parent not in self.faulty:
                message = Text("上级「{code}」不存在。", "Unknown parent {code!r}.", code=region.parent)
                hint = Text("请写本文件中某一行的编码。", "Give the code of a row here.")
                self.fault(message, hint, number, "parent")
            return
        if self.depth[parent.level] != depth - 1:
            message = Text(
                "上级「{code}」属于层级「{level}」。",
                "Parent {code!r} is of level {level!r}.",
                code=parent.code,
                level=parent.level,
            )
            hint = (
                Text(
                    "上级应属于层级「{level}」。", "The parent is of level {level!r}.", level=self.levels[depth - 1].id
                )
                if depth
                else Text("最高层级没有上级。", "The top level has no parent.")
            )
            self.fault(message, hint, number, "parent")
        if not region.code.startswith(parent.code):
            message = Text(
                "编码「{code}」不以上级的编码开头。",
                "Code {code!r} does not begin with its parent's.",
                code=region.code,
            )
            hint = Text(
                "应以「{code}」开头：编码逐级加长。", "It starts with {code!r}: the code is the path.", code=parent.code
            )
            self.fault(message, hint, number, "code")
        if not _is_within(region.validity, parent.validity):
            hint = Text(
                "「{code}」的有效期是{span}。", "{code!r} lives {span}.", code=parent.code, span=_span(parent.validity)
            )
            message = Text(
                "区域「{code}」的有效期是{span}，超出了上级的有效期。",
                "Region {code!r} lives {span}, outside its parent's life.",
                code=region.code,
                span=_span(region.validity),
            )
            self.fault(message, hint, number, "valid_from")

    def check_predecessors(self, region: Region, number: int) -> None:
        for code in region.predecessors:
            earlier = self.regions.get(code)
            if code == region.code:
                self.fault(
                    Text("区域「{code}」把自己写成了前身。", "Region {code!r} names itself as predecessor.", code=code),
                    Text("请写另一个区域。", "Name another region."),
                    number,
                    "predecessors",
                )
            elif earlier is None:
                if code not in self.faulty:
                    message = Text("前身「{code}」不存在。", "Unknown predecessor {code!r}.", code=code)
                    hint = Text(
                        "请在文件中保留已结束的区域及其 valid_to。",
                        "Keep ended regions in the file, with their valid_to.",
                    )
                    self.fault(message, hint, number, "predecessors")
            elif _begins_after(earlier.validity, region.validity):
                message = Text(
                    "前身「{earlier}」在「{code}」结束之后才开始。",
                    "Predecessor {earlier!r} began after {code!r} ended.",
                    earlier=code,
                    code=region.code,
                )
                hint = Text("两者中较早的才是前身。", "A predecessor is the earlier of the two.")
                self.fault(message, hint, number, "predecessors")


def _cell(row: Mapping[str, str], column: str) -> str:
    return (row.get(column) or "").strip()


def _is_within(inner: Validity, outer: Validity) -> bool:
    starts = outer.valid_from is None or (inner.valid_from is not None and inner.valid_from >= outer.valid_from)
    ends = outer.valid_to is None or (inner.valid_to is not None and inner.valid_to <= outer.valid_to)
    return starts and ends


def _begins_after(later: Validity, earlier: Validity) -> bool:
    return later.valid_from is not None and earlier.valid_to is not None and later.valid_from >= earlier.valid_to


def _span(validity: Validity) -> Text:
    start = (
        Text("自 {day} 起", "from {day}", day=validity.valid_from)
        if validity.valid_from
        else Text("自始", "from the beginning")
    )
    if validity.valid_to:
        return Text("{start}至 {end}", "{start} to {end}", start=start, end=validity.valid_to)
    return Text("{start}", "{start} on", start=start)
