"""`inspections.toml`: the checklists by which places are inspected, in versions. A pack may have none."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from yiwang.core.inspections.checklists import Checklist, Counted, Item, Measure, Measured, Photo, YesNo
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.core.observations.units import ucum
from yiwang.packs.files import PackFiles
from yiwang.packs.hints import did_you_mean, one_of
from yiwang.packs.toml_tables import (
    Day,
    Expected,
    Line,
    ListOf,
    Positive,
    Required,
    TomlTable,
    Words,
    labelled,
    read_table,
)
from yiwang.packs.versions import check_versions, validity

FILE = "inspections.toml"
Id = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$"),
    Expected(
        Text("例如 ground。", "For example ground."),
        Text("标识只能用小写字母、数字和下划线。", "An id has small letters, digits and underscores only."),
    ),
]
_PHOTOS = Expected(Text('可填 "never"、"failed" 或 "always"。', '"never", "failed" or "always".'))
_KINDS = Expected(Text('可填 "yes_no"、"counted" 或 "measured"。', '"yes_no", "counted" or "measured".'))
_NEEDS: Mapping[str, frozenset[str]] = {
    "yes_no": frozenset(),
    "counted": frozenset({"off"}),
    "measured": frozenset({"unit", "limit", "none"}),
}
_MAY = {
    "yes_no": frozenset(),
    "counted": _NEEDS["counted"] | {"allowed"},
    "measured": _NEEDS["measured"] | {"least", "most"},
}
_OF_KINDS = sorted(frozenset().union(*_MAY.values()))
_HINTS = {
    "off": Text("每处问题扣多少分，例如 5。", "How many points each fault takes off, e.g. 5."),
    "unit": Text('UCUM 单位，例如 "g/m2"。', 'A unit by UCUM, e.g. "g/m2".'),
    "limit": Text("到这个值为止算达标，例如 5。", "Up to this value the item is met, e.g. 5."),
    "none": Text("从这个值起不得分，例如 15。", "From this value on there are no points, e.g. 15."),
}
_WRITE_ITEMS = Text("请写 [[checklist.item]]。", "Write [[checklist.item]].")


class ItemTable(TomlTable):
    """An item; see `yiwang.core.inspections.checklists.Item`.

    Attributes:
        kind: How it is found: ``yes_no``, ``counted`` or ``measured``.
        off, allowed: Of a counted one.
        unit, limit, none, least, most: Of a measured one.
    """

    label: ClassVar[str] = "item"

    id: Id
    name: Words
    points: Positive
    kind: Annotated[Literal["yes_no", "counted", "measured"], _KINDS] = "yes_no"
    off: Positive | None = None
    allowed: Annotated[int, Field(ge=0)] | None = None
    unit: Line | None = None
    limit: float | None = None
    none: float | None = None
    least: float | None = None
    most: float | None = None
    group: Line = ""
    category: Line = ""
    photo: Annotated[Literal["never", "failed", "always"], _PHOTOS] = "never"
    clause: Line = ""

    def measure(self) -> Measure:
        if self.kind == "counted":
            return Counted(self.off or 1.0, self.points, self.allowed or 0)
        if self.kind == "measured":
            least = 0.0 if self.least is None else self.least
            most = float("inf") if self.most is None else self.most
            return Measured(self.unit or "1", self.limit or 0.0, self.none or 0.0, least, most)
        return YesNo()


class GroupTable(TomlTable):
    """A part of a checklist."""

    label: ClassVar[str] = "group"

    id: Id
    name: Words


class ChecklistTable(TomlTable):
    """A version of a checklist; see `yiwang.core.inspections.checklists.Checklist`."""

    label: ClassVar[str] = "checklist"

    id: Id
    version: Required
    name: Words
    valid_from: Day | None = None
    valid_to: Day | None = None
    level: Line = ""
    component: Line = ""
    source: Words = NO_TEXT
    confidence: Line = ""
    group: ListOf[GroupTable] = ()
    item: ListOf[ItemTable] = ()


class InspectionsTable(TomlTable):
    """The file."""

    checklist: ListOf[ChecklistTable] = ()


def read_inspections(
    files: PackFiles, *, levels: Collection[str], categories: Collection[str], components: Collection[str]
) -> tuple[Checklist, ...]:
    """Read the file; problems go to ``files``.

    Args:
        levels: Of the city's regions.
        categories: Codes of the categories that cases have.
        components: Codes of the classes of components.
    """
    data = files.toml(FILE, required=False)
    if data is None:
        return ()
    tables = read_table(InspectionsTable, data, files, FILE).checklist
    for place, table in labelled(tables):
        _Checks(files, place, levels=levels, categories=categories, components=components).check(table)
    check_versions(tables, files, file=FILE, label="checklist")
    return tuple(map(_checklist, tables))


class _Checks:
    """What pydantic cannot see of a checklist: names that belong elsewhere, and keys that belong together."""

    def __init__(
        self,
        files: PackFiles,
        place: str,
        *,
        levels: Collection[str],
        categories: Collection[str],
        components: Collection[str],
    ) -> None:
        self.files, self.place = files, place
        self.levels, self.categories, self.components = levels, categories, components

    def fault(self, message: Text, hint: Text, column: str) -> None:
        self.files.fault(message, hint, file=FILE, column=f"{self.place}{column}")

    def check(self, table: ChecklistTable) -> None:
        self._check_places(table)
        if not table.item:
            self.fault(Text("清单没有检查项。", "The checklist has no items."), _WRITE_ITEMS, "item")
        for ids, column in (([one.id for one in table.group], "group"), ([one.id for one in table.item], "item")):
            for twice in sorted({one for one in ids if ids.count(one) > 1}):
                self.fault(Text("「{id}」出现多次。", "{id!r} stands there more than once.", id=twice), NO_TEXT, column)
        groups = [group.id for group in table.group]
        for inside, item in labelled(table.item):
            self._check_keys(item, inside)
            if item.group and item.group not in groups:
                unknown = Text("清单没有分组「{group}」。", "The checklist has no group {group!r}.", group=item.group)
                self.fault(unknown, did_you_mean(item.group, groups) or one_of(groups), f"{inside}group")
            if item.category and item.category not in self.categories:
                unknown = Text("没有类别「{code}」。", "There is no category {code!r}.", code=item.category)
                self.fault(unknown, did_you_mean(item.category, self.categories), f"{inside}category")

    def _check_places(self, table: ChecklistTable) -> None:
        if bool(table.level) == bool(table.component):
            hint = Text(
                "检查区域填 level，检查部件填 component。",
                "level where regions are inspected, component where components are.",
            )
            self.fault(Text("level 和 component 应填其一。", "Give one of level and component."), hint, "level")
        if table.level and table.level not in self.levels:
            unknown = Text("没有层级「{level}」。", "There is no level {level!r}.", level=table.level)
            self.fault(unknown, did_you_mean(table.level, self.levels) or one_of(self.levels), "level")
        if table.component and not any(code.startswith(table.component) for code in self.components):
            unknown = Text(
                "没有部件类别「{code}」。", "There is no class of components {code!r}.", code=table.component
            )
            self.fault(unknown, did_you_mean(table.component, self.components), "component")

    def _check_keys(self, item: ItemTable, inside: str) -> None:
        given = {name for name in _OF_KINDS if getattr(item, name) is not None}
        for name in sorted(given - _MAY[item.kind]):
            wrong = Text("{kind} 的项不能写 {key}。", "An item of kind {kind} has no {key}.", kind=item.kind, key=name)
            self.fault(wrong, NO_TEXT, f"{inside}{name}")
        for name in sorted(_NEEDS[item.kind] - given):
            self.fault(Text("缺少此键。", "The key is missing."), _HINTS[name], f"{inside}{name}")
        if item.kind == "measured" and given >= _NEEDS[item.kind]:
            if item.limit == item.none:
                self.fault(
                    Text("limit 和 none 不能相同。", "limit and none are the same."), _HINTS["none"], f"{inside}none"
                )
            try:
                ucum(item.unit or "")
            except BadInput as error:
                for problem in error.problems:
                    self.fault(problem.message, problem.hint, f"{inside}unit")


def _checklist(table: ChecklistTable) -> Checklist:
    return Checklist(
        id=table.id,
        version=table.version,
        name=table.name,
        validity=validity(table),
        level=table.level,
        component=table.component,
        groups={group.id: group.name for group in table.group},
        source=table.source,
        confidence=table.confidence,
        items=tuple(
            Item(
                id=one.id,
                name=one.name,
                points=one.points,
                measure=one.measure(),
                group=one.group,
                category=one.category,
                photo=Photo(one.photo),
                clause=one.clause,
            )
            for one in table.item
        ),
    )
