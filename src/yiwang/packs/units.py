"""`units.csv`: who can hold a case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from yiwang.core.cases.units import Unit, UnitDirectory
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text, text_of
from yiwang.core.space import Level, RegionTree
from yiwang.packs.catalogue import read_validity
from yiwang.packs.files import PackFiles
from yiwang.packs.hints import code_hint, did_you_mean, one_of

FILE = "units.csv"
KINDS = {
    "centre": Text("运行管理中心", "Operations centre"),
    "department": Text("职能部门", "Department"),
    "community": Text("社区", "Community"),
    "crew": Text("作业队伍", "Crew"),
}
_COLUMNS = ("code", "name", "name_en", "kind", "level", "region", "parent")
_OPTIONAL = ("function", "crews", "valid_from", "valid_to", "source", "confidence")


def read_units(files: PackFiles, *, levels: Sequence[Level], regions: RegionTree | None) -> UnitDirectory:
    """Read the directory; problems go to ``files``, and units with a fault that others rest on are left out."""
    rows = files.rows(FILE, columns=_COLUMNS, optional=_OPTIONAL)
    level_ids = [level.id for level in levels]
    units: dict[str, Unit] = {}
    row_of: dict[str, int] = {}
    for number, cells in enumerate(rows, start=2):
        code = cells["code"]
        if not code:
            files.fault(
                Text("单位没有代码。", "The unit has no code."),
                Text("请写上代码。", "Give it one."),
                file=FILE,
                row=number,
                column="code",
            )
            continue
        if code in units:
            message = Text(
                "单位「{code}」重复出现（另见第 {row} 行）。",
                "The unit {code!r} stands twice (also in row {row}).",
                code=code,
                row=row_of[code],
            )
            files.fault(message, Text("代码不得重复。", "Codes are unique."), file=FILE, row=number, column="code")
            continue
        _check_words(files, number, cells, level_ids)
        _check_region(files, number, cells, regions)
        row_of[code] = number
        units[code] = Unit(
            code=code,
            name=text_of(cells, "name"),
            kind=cells["kind"],
            level=cells["level"],
            region=cells["region"],
            parent=cells["parent"],
            function=cells["function"],
            crews=_crews(files, number, cells["crews"]),
            validity=read_validity(files, file=FILE, row=number, cells=cells),
        )
    sound = {code: unit for code, unit in units.items() if _has_sound_parent(files, row_of[code], unit, units)}
    return _directory(files, sound)


def _check_words(files: PackFiles, row: int, cells: Mapping[str, str], levels: Sequence[str]) -> None:
    for column in ("name", "name_en"):
        if not cells[column]:
            files.fault(
                Text("单元格为空。", "The cell is empty."),
                Text("每个单位都要有中文名和英文名。", "Every unit needs both names."),
                file=FILE,
                row=row,
                column=column,
            )
    for column, known in (("kind", KINDS), ("level", levels)):
        word = cells[column]
        if not word:
            message = Text(
                "单位「{code}」没有 {column}。", "The unit {code!r} has no {column}.", code=cells["code"], column=column
            )
            files.fault(message, one_of(known), file=FILE, row=row, column=column)
        elif word not in known:
            message = Text("未知的 {column}：「{word}」。", "Unknown {column} {word!r}.", column=column, word=word)
            files.fault(message, did_you_mean(word, known) or one_of(known), file=FILE, row=row, column=column)


def _check_region(files: PackFiles, row: int, cells: Mapping[str, str], regions: RegionTree | None) -> None:
    code = cells["region"]
    if not code:
        message = Text("单位「{unit}」没有区域。", "The unit {unit!r} has no region.", unit=cells["code"])
        hint = Text("请写明它负责的区域。", "Name the region that it works for.")
        files.fault(message, hint, file=FILE, row=row, column="region")
    elif regions is not None and code not in regions:
        hint = code_hint(code, regions.codes, where="regions.csv")
        message = Text("未知的区域：「{code}」。", "Unknown region {code!r}.", code=code)
        files.fault(message, hint, file=FILE, row=row, column="region")


def _crews(files: PackFiles, row: int, text: str) -> int:
    if not text:
        return 1
    if not text.isdigit():
        files.fault(
            Text("「{text}」不是班组数。", "{text!r} is no number of crews.", text=text),
            Text("请写大于或等于 0 的整数。", "A whole number, 0 or more."),
            file=FILE,
            row=row,
            column="crews",
        )
        return 1
    return int(text)


def _has_sound_parent(files: PackFiles, row: int, unit: Unit, units: Mapping[str, Unit]) -> bool:
    """Whether the parents are known and do not go round in a circle."""
    seen = [unit.code]
    parent = unit.parent
    while parent:
        if parent not in units:
            if len(seen) == 1:
                hint = code_hint(parent, units, where=FILE)
                message = Text("未知的上级单位：「{parent}」。", "Unknown parent {parent!r}.", parent=parent)
                files.fault(message, hint, file=FILE, row=row, column="parent")
            return False
        if parent in seen:
            message = Text(
                "单位成了自己的上级：{circle}。",
                "The unit is above itself: {circle}.",
                circle=" < ".join([*seen, parent]),
            )
            hint = Text("请消除上级关系中的循环。", "Break the circle of parents.")
            files.fault(message, hint, file=FILE, row=row, column="parent")
            return False
        seen.append(parent)
        parent = units[parent].parent
    return True


def _directory(files: PackFiles, units: Mapping[str, Unit]) -> UnitDirectory:
    try:
        return UnitDirectory(units.values())
    except BadInput as error:
        files.problems.extend(Problem(p.message, p.hint, p.file or FILE, p.row, p.column) for p in error.problems)
        return UnitDirectory(())
