"""`planning.toml`: the figures that plans are made with, each with its source. A pack may have none."""

from __future__ import annotations

from typing import ClassVar

from yiwang.core.kernel.text import Text
from yiwang.core.planning.values import PlanningValue
from yiwang.packs.files import PackFiles
from yiwang.packs.toml_tables import Line, ListOf, Required, TomlTable, Words, labelled, read_table

FILE = "planning.toml"


class ValueTable(TomlTable):
    """`[[value]]`; see `yiwang.core.planning.values.PlanningValue`."""

    label: ClassVar[str] = "value"
    id: Required
    name: Words
    value: float
    low: float
    high: float
    unit: Line = ""
    source: Words
    confidence: Required


class PlanningTable(TomlTable):
    """The file."""

    value: ListOf[ValueTable] = ()


def read_planning(files: PackFiles) -> tuple[PlanningValue, ...]:
    """Read the file; problems go to ``files``."""
    data = files.toml(FILE, required=False)
    if data is None:
        return ()
    tables = read_table(PlanningTable, data, files, FILE).value
    seen: set[str] = set()
    for place, one in labelled(tables):
        if one.id in seen:
            twice = Text("「{id}」写了两次。", "{id!r} stands there twice.", id=one.id)
            files.fault(twice, Text("每个数值只写一次。", "Write each value once."), file=FILE, column=f"{place}id")
        seen.add(one.id)
        if not one.low <= one.value <= one.high:
            outside = Text(
                "数值 {value:g} 不在 {low:g} 到 {high:g} 之间。",
                "{value:g} is not between {low:g} and {high:g}.",
                value=one.value, low=one.low, high=one.high,
            )  # fmt: skip
            hint = Text("应满足 low ≤ value ≤ high。", "It must hold that low ≤ value ≤ high.")
            files.fault(outside, hint, file=FILE, column=f"{place}value")
    return tuple(PlanningValue(**dict(one)) for one in tables)
