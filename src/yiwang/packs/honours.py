"""`honours.toml`: when a region is a demonstration area, and who may hold a banner. A pack may have none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field

from yiwang.core.indicators.lists import ListRule
from yiwang.core.inspections.checklists import Checklist
from yiwang.core.inspections.honours import AreaRule, BannerRule
from yiwang.core.kernel.periods import Validity
from yiwang.core.kernel.text import Text
from yiwang.packs.files import PackFiles
from yiwang.packs.hints import did_you_mean, one_of
from yiwang.packs.toml_tables import Day, ListOf, Required, TomlTable, Words, labelled, read_table

FILE = "honours.toml"
Score = Annotated[float, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=1, le=120)]


@dataclass(frozen=True, slots=True, kw_only=True)
class HonourRules:
    """Rules of demonstration areas and of banners, in versions."""

    areas: tuple[AreaRule, ...] = ()
    banners: tuple[BannerRule, ...] = ()


class _RuleTable(TomlTable):
    id: Required
    name: Words
    source: Words
    confidence: Required
    valid_from: Day | None = None
    valid_to: Day | None = None

    def values(self) -> dict[str, Any]:
        rest = {key: value for key, value in self if key not in ("valid_from", "valid_to")}
        return {**rest, "validity": Validity(self.valid_from, self.valid_to)}


class AreaTable(_RuleTable):
    """`[[area]]`; see `yiwang.core.inspections.honours.AreaRule`."""

    label: ClassVar[str] = "area"
    checklist: Required
    listed_at: Score
    inspections: Count
    within_months: Count
    delisted_below: Score
    delisted_after: Count


class BannerTable(_RuleTable):
    """`[[banner]]`; see `yiwang.core.inspections.honours.BannerRule`."""

    label: ClassVar[str] = "banner"
    list: Required
    holders: Count
    months: Count


class HonoursTable(TomlTable):
    """The file."""

    area: ListOf[AreaTable] = ()
    banner: ListOf[BannerTable] = ()


def read_honours(files: PackFiles, *, checklists: Sequence[Checklist], lists: Sequence[ListRule]) -> HonourRules:
    """Read the file; problems go to ``files``.

    Args:
        checklists: Of the pack; an area's must inspect regions.
        lists: Of the pack.
    """
    data = files.toml(FILE, required=False)
    if data is None:
        return HonourRules()
    tables = read_table(HonoursTable, data, files, FILE)
    levels = {one.id: one.level for one in checklists if one.level}
    known = sorted({one.id for one in lists})

    def fault(column: str, message: Text, hint: Text) -> None:
        files.fault(message, hint, file=FILE, column=column)

    for place, area in labelled(tables.area):
        if area.checklist not in levels:
            no = Text("没有检查区域的清单「{id}」。", "No checklist {id!r} inspects regions.", id=area.checklist)
            fault(f"{place}checklist", no, did_you_mean(area.checklist, levels) or one_of(levels))
        if area.delisted_below > area.listed_at:
            above = Text("delisted_below 高于 listed_at。", "delisted_below is above listed_at.")
            fault(
                f"{place}delisted_below",
                above,
                Text("摘牌分数不应高于授牌分数。", "It must not be above what lists it."),
            )
    for place, banner in labelled(tables.banner):
        if banner.list not in known:
            no = Text("没有榜单「{id}」。", "There is no list {id!r}.", id=banner.list)
            fault(f"{place}list", no, did_you_mean(banner.list, known) or one_of(known))
    _check_days([*tables.area, *tables.banner], files)
    return HonourRules(
        areas=tuple(AreaRule(**one.values(), level=levels.get(one.checklist, "")) for one in tables.area),
        banners=tuple(BannerRule(**one.values()) for one in tables.banner),
    )


def _check_days(tables: Sequence[_RuleTable], files: PackFiles) -> None:
    """Two versions of one rule must not be in force on one day."""
    seen: Mapping[str, list[Validity]] = {one.id: [] for one in tables}
    for table in tables:
        held: Validity = table.values()["validity"]
        if any(held.overlaps(other) for other in seen[table.id]):
            twice = Text("「{id}」有两条同时有效的规则。", "{id!r} has two rules in force at a time.", id=table.id)
            hint = Text("请用 valid_from、valid_to 分开。", "Part them by valid_from and valid_to.")
            files.fault(twice, hint, file=FILE, column=f"{table.label} {table.id}: valid_from")
        seen[table.id].append(held)
