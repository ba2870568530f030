"""Rows of a surveyor's file as components: what each says, what is wrong with it, and the code that it gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from yiwang.core.kernel.errors import Problem
from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.core.space.tiles import morton, to_map
from yiwang.core.things.codes import CODE_SCHEMES, CodeScheme
from yiwang.server.assets.models import Component, State
from yiwang.server.assets.survey import Block
from yiwang.server.cities.queries import CityRuntime

# How surveys write a state, by the state.
_STATES: Mapping[str, str] = {
    **{state.value: state.value for state in State},
    **dict.fromkeys(("", "完好", "正常", "good", "ok"), State.INTACT.value),
    **dict.fromkeys(("破损", "损坏", "damage", "broken"), State.DAMAGED.value),
    **dict.fromkeys(("丢失", "缺失", "missing"), State.LOST.value),
    **dict.fromkeys(("废弃", "停用", "disused"), State.ABANDONED.value),
    **dict.fromkeys(("移除", "拆除", "废除"), State.REMOVED.value),
}
_TEXTS = ("name", "authority", "owner", "maintainer", "note", "source")
_LONGEST = {
    field.name: int(field.max_length or 0)
    for field in Component._meta.concrete_fields
    if field.name in (*_TEXTS, "code", "source_id")
}
# What a census says of a component besides who it is and where: compared with the inventory where the file has it.
DESCRIBED = (*_TEXTS, "state", "first_on")


@dataclass(slots=True)
class Counted:
    """One component as the file describes it; only what the file has columns for is named in ``said``."""

    row: int
    code: str
    source_id: str
    lon: float
    lat: float
    region: str
    grid: str
    said: dict[str, Any]
    attributes: dict[str, str]


@dataclass(slots=True)
class Rows:
    """Reads the blocks of one file; it remembers codes and ids, which may stand in the file once only.

    Attributes:
        headings: Field → heading in the file, by which a fault is named.
    """

    place: CityRuntime
    kind: str
    file: str
    headings: Mapping[str, str] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)

    @property
    def scheme(self) -> CodeScheme | None:
        """How components are numbered here; None where the pack names no standard."""
        return CODE_SCHEMES.get(self.place.info.component_codes)

    def read(self, block: Block) -> tuple[list[Counted], list[Problem]]:
        """The components of a block, and why its other rows are refused."""
        places = block.places
        known = np.isfinite(places[:, 0]) & np.isfinite(places[:, 1])
        filled = np.where(known[:, None], places, 0.0)
        located = self.place.locator.locate_many(filled[:, 0], filled[:, 1])
        regions, grids = located.region_codes().tolist(), located.grid_codes().tolist()
        lons, lats = places[:, 0].tolist(), places[:, 1].tolist()
        codes = block.fields.get("code") or [""] * len(block)
        sources = block.fields.get("source_id") or [""] * len(block)
        described = [name for name in DESCRIBED if name in block.fields]
        columns = [block.fields[name] for name in described]
        found: list[Counted] = []
        problems: list[Problem] = []
        for at, row in enumerate(block.rows):
            fault = block.faults.get(at)
            if fault is None and not known[at]:
                fault = self._fault(row, Text("坐标不在坐标系的范围内。", "The coordinates lie outside their system."))
            if fault is None and not regions[at]:
                fault = self._fault(
                    row,
                    Text(
                        "位置 {lon:.6f}, {lat:.6f} 不在本市。",
                        "The place {lon:.6f}, {lat:.6f} is not in the city.",
                        lon=lons[at],
                        lat=lats[at],
                    ),
                    Text(
                        "请检查坐标系和经纬度的顺序。", "Check the coordinate system and the order of the coordinates."
                    ),
                )
            if fault is not None:
                problems.append(fault)
                continue
            try:
                said = {
                    name: self._value(name, column[at], row) for name, column in zip(described, columns, strict=True)
                }
                self._check_names(codes[at], sources[at], regions[at], row)
            except _Refused as refused:
                problems.append(refused.problem)
                continue
            found.append(
                Counted(
                    row, codes[at], sources[at], lons[at], lats[at], regions[at], grids[at], said, block.attributes[at]
                )
            )
        return found, problems

    def _check_names(self, code: str, source_id: str, region: str, row: int) -> None:
        for name, given, seen in (("code", code, self.codes), ("source_id", source_id, self.sources)):
            if not given:
                continue
            self._check_length(name, given, row)
            before = seen.setdefault(given, row)
            if before != row:
                raise _Refused(
                    self._fault(
                        row,
                        Text(
                            "「{given}」在第 {before} 行已经出现过。",
                            "{given!r} stands in row {before} already.",
                            given=given,
                            before=before,
                        ),
                        Text("每个部件只能有一行。", "Each component has one row."),
                        name,
                    )
                )
        if code and self.scheme is not None:
            fault = self.scheme.fault(code, region=region, kind=self.kind)
            if fault is not None:
                del self.codes[code]
                raise _Refused(self._fault(row, fault.message, fault.hint, "code"))

    def _value(self, name: str, cell: str, row: int) -> Any:
        if name == "state":
            state = _STATES.get(cell.lower())
            if state is None:
                raise _Refused(
                    self._fault(
                        row,
                        Text("未知的状态：「{cell}」。", "Unknown state {cell!r}.", cell=cell[:40]),
                        Text(
                            "可填：完好、破损、丢失、废弃、移除。", "One of intact, damaged, lost, abandoned, removed."
                        ),
                        name,
                    )
                )
            return state
        if name == "first_on":
            return self._day(cell, row)
        self._check_length(name, cell, row)
        return cell

    def _day(self, cell: str, row: int) -> str | None:
        """A day as ISO 8601, from that or from the eight digits of the standard."""
        if not cell:
            return None
        try:
            return date.fromisoformat(cell[:10].replace("/", "-")).isoformat()
        except ValueError:
            message = Text("「{cell}」不是日期。", "{cell!r} is no date.", cell=cell[:40])
            hint = Text("例如 20260301 或 2026-03-01。", "E.g. 20260301 or 2026-03-01.")
            raise _Refused(self._fault(row, message, hint, "first_on")) from None

    def _check_length(self, name: str, cell: str, row: int) -> None:
        if len(cell) > _LONGEST[name]:
            message = Text(
                "「{start}…」有 {given} 个字。", "{start!r}… has {given} characters.", start=cell[:20], given=len(cell)
            )
            hint = Text("最多 {most} 个字。", "At most {most}.", most=_LONGEST[name])
            raise _Refused(self._fault(row, message, hint, name))

    def _fault(self, row: int, message: Text, hint: Text = NO_TEXT, column: str = "") -> Problem:
        return Problem(message, hint, self.file, row, self.headings.get(column, column))


class _Refused(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def cell_of(lon: Any, lat: Any) -> Any:
    """The Morton code of a place as the database holds it, of a number or an array."""
    x, y = to_map(lon, lat)
    return (morton(x, y) ^ np.uint64(1 << 63)).astype(np.int64)
