"""`planning.toml`: the figures that plans are made with and how many people live where, each with its source. A pack may have none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from yiwang.core.kernel.text import Text
from yiwang.core.planning.values import PeopleCount, PlanningValue
from yiwang.core.space import RegionTree
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


class PeopleTable(TomlTable):
    """`[[people]]`; see `yiwang.core.planning.values.PeopleCount`."""

    label: ClassVar[str] = "people"
    region: Required
    people: float
    year: int
    source: Words
    confidence: Required


class PlanningTable(TomlTable):
    """The file."""

    value: ListOf[ValueTable] = ()
    people: ListOf[PeopleTable] = ()


def read_planning(
    files: PackFiles, *, regions: RegionTree
) -> tuple[tuple[PlanningValue, ...], tuple[PeopleCount, ...]]:
    """Read the file: its values, and its counts of people; problems go to ``files``."""
    data = files.toml(FILE, required=False)
    if data is None:
        return (), ()
    table = read_table(PlanningTable, data, files, FILE)
    _check_people(table.people, files, regions)
    seen: set[str] = set()
    for place, one in labelled(table.value):
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
    return tuple(PlanningValue(**dict(one)) for one in table.value), tuple(
        PeopleCount(**dict(one)) for one in table.people
    )


def _check_people(tables: Sequence[PeopleTable], files: PackFiles, regions: RegionTree) -> None:
    counted: set[str] = set()
    for number, one in enumerate(tables, start=1):
        if one.region in counted or one.region not in regions:
            wrong = Text(
                "区域「{region}」不存在，或写了两次。",
                "The region {region!r} does not exist, or stands there twice.",
                region=one.region,
            )
            files.fault(
                wrong,
                Text("请填 regions.csv 中的编码。", "Write a code of regions.csv."),
                file=FILE,
                column=f"people {number}: region",
            )
        counted.add(one.region)
        if one.people < 0:
            files.fault(
                Text("人口数不能小于 0。", "There cannot be fewer than 0 people."),
                file=FILE,
                column=f"people {number}: people",
            )
