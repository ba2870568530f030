"""From the rows of a `regions.csv` to regions, with every fault in them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date

from yiwang.core.kernel.errors import Problem
from yiwang.core.kernel.periods import Validity
from yiwang.core.kernel.text import text_of
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

    def fault(self, message: str, hint: str, row: int | None, column: str) -> None:
        self.problems.append(Problem(message, hint=hint, file=self.file, row=row, column=column))

    def check_levels(self) -> None:
        for above, below in zip(self.levels, self.levels[1:], strict=False):
            if below.width <= above.width:
                self.problems.append(
                    Problem(
                        f"Level {below.id!r} has width {below.width}, its upper level {above.id!r} has {above.width}.",
                        hint="Widths grow from the city down.",
                        file="pack.toml",
                        column="level.width",
                    )
                )

    def read(self, row: Mapping[str, str], number: int) -> None:
        code = _cell(row, "code")
        if not code:
            self.fault("A region has no code.", "Give each row a code.", number, "code")
            return
        before = len(self.problems)
        if code in self.row_of:
            self.fault(
                f"Code {code!r} is already used in row {self.row_of[code]}.", "Codes are unique.", number, "code"
            )
            return
        self.row_of[code] = number
        if not _CODE.fullmatch(code):
            self.fault(f"Code {code!r} holds characters that no path may.", "Letters, digits, - and _.", number, "code")
        level = _cell(row, "level")
        self.check_level(code, level, number)
        if not _cell(row, "name"):
            self.fault(f"Region {code!r} has no name.", "Fill the name.", number, "name")
        region = self.region(code, level, row, number)
        if len(self.problems) == before:
            self.regions[code] = region
        else:
            self.faulty.add(code)

    def check_level(self, code: str, level: str, number: int) -> None:
        if level not in self.depth:
            known = ", ".join(known.id for known in self.levels)
            self.fault(f"Unknown level {level!r}.", f"One of {known}.", number, "level")
            return
        width = self.levels[self.depth[level]].width
        if len(code) != width:
            hint = f"A code of level {level!r} has {width}."
            self.fault(f"Code {code!r} has {len(code)} characters.", hint, number, "code")

    def region(self, code: str, level: str, row: Mapping[str, str], number: int) -> Region:
        shape = self.shapes.get(code)
        valid_from = self.day(row, "valid_from", number)
        valid_to = self.day(row, "valid_to", number)
        if valid_from and valid_to and valid_to <= valid_from:
            self.fault(
                f"Region {code!r} ends on {valid_to}, before it begins.", "valid_to is exclusive.", number, "valid_to"
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
            self.fault(f"{text!r} is no date.", "Write YYYY-MM-DD.", number, column)
            return None

    def check_links(self) -> None:
        for region in self.regions.values():
            self.check_parent(region, self.row_of[region.code])
            self.check_predecessors(region, self.row_of[region.code])
        for code in self.shapes:
            if code not in self.row_of:
                self.fault(f"There is a geometry for {code!r} but no region.", "Add its row or drop it.", None, "code")

    def check_parent(self, region: Region, number: int) -> None:
        depth = self.depth[region.level]
        if not region.parent:
            if depth > 0:
                self.fault(f"Region {region.code!r} has no parent.", "Only the top level has none.", number, "parent")
            return
        parent = self.regions.get(region.parent)
        if parent is None:
            if region.parent not in self.faulty:
                self.fault(f"Unknown parent {region.parent!r}.", "Give the code of a row here.", number, "parent")
            return
        if self.depth[parent.level] != depth - 1:
            hint = f"The parent is of level {self.levels[depth - 1].id!r}." if depth else "The top level has no parent."
            self.fault(f"Parent {parent.code!r} is of level {parent.level!r}.", hint, number, "parent")
        if not region.code.startswith(parent.code):
            hint = f"It starts with {parent.code!r}: the code is the path."
            self.fault(f"Code {region.code!r} does not begin with its parent's.", hint, number, "code")
        if not _within(region.validity, parent.validity):
            hint = f"{parent.code!r} lives {_span(parent.validity)}."
            message = f"Region {region.code!r} lives {_span(region.validity)}, outside its parent's life."
            self.fault(message, hint, number, "valid_from")

    def check_predecessors(self, region: Region, number: int) -> None:
        for code in region.predecessors:
            earlier = self.regions.get(code)
            if code == region.code:
                self.fault(
                    f"Region {code!r} names itself as predecessor.", "Name another region.", number, "predecessors"
                )
            elif earlier is None:
                if code not in self.faulty:
                    hint = "Keep ended regions in the file, with their valid_to."
                    self.fault(f"Unknown predecessor {code!r}.", hint, number, "predecessors")
            elif _begins_after(earlier.validity, region.validity):
                hint = "A predecessor is the earlier of the two."
                self.fault(f"Predecessor {code!r} began after {region.code!r} ended.", hint, number, "predecessors")


def _cell(row: Mapping[str, str], column: str) -> str:
    return (row.get(column) or "").strip()


def _within(inner: Validity, outer: Validity) -> bool:
    starts = outer.valid_from is None or (inner.valid_from is not None and inner.valid_from >= outer.valid_from)
    ends = outer.valid_to is None or (inner.valid_to is not None and inner.valid_to <= outer.valid_to)
    return starts and ends


def _begins_after(later: Validity, earlier: Validity) -> bool:
    return later.valid_from is not None and earlier.valid_to is not None and later.valid_from >= earlier.valid_to


def _span(validity: Validity) -> str:
    start = f"from {validity.valid_from}" if validity.valid_from else "from the beginning"
    return f"{start} to {validity.valid_to}" if validity.valid_to else f"{start} on"
