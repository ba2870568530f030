"""One row of a CSV file, or one table of a TOML file, read cell by cell; every fault is kept and none stops the reading."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import inf, isfinite
from typing import Any

from yiwang.core.kernel.errors import Problem
from yiwang.core.kernel.text import NO_TEXT, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """The cells of one row.

    Attributes:
        cells: By column or key.
        problems: Where faults are put.
        file, row: Where the cells stand; of TOML the number of the table of its kind.
        table: Of TOML, the kind of table; it stands before the key in faults.
    """

    cells: Mapping[str, Any]
    problems: list[Problem]
    file: str
    row: int | None
    table: str = ""

    def fault(self, column: str, message: Text, hint: Text = NO_TEXT) -> None:
        """Keep a fault of one cell."""
        place = f"{self.table}.{column}" if self.table else column
        self.problems.append(Problem(message, hint, self.file, self.row, place))

    def unknown(self, known: Collection[str]) -> None:
        """Keep a fault for every key that nothing reads: more often a slip than a remark."""
        for key in sorted(set(self.cells) - set(known)):
            self.fault(
                key,
                Text("没有名为 {key!r} 的项。", "There is no key {key!r}.", key=key),
                Text("可用：{known}。", "There are: {known}.", known=", ".join(sorted(known))),
            )

    def text(self, column: str, *, needed: bool = True) -> str:
        """Words; empty where there are none, which is a fault where they are ``needed``."""
        value = str(self.cells.get(column) or "").strip()
        if needed and not value:
            self.fault(column, Text("没有填写。", "Nothing is written here."), Text("请填写。", "Fill it in."))
        return value

    def choice(self, column: str, among: Sequence[str], *, default: str = "") -> str:
        """One of some words; the first where it is none of them."""
        value = str(self.cells.get(column) or default).strip()
        if value in among:
            return value
        self.fault(
            column,
            Text("{value!r} 不在可选范围内。", "{value!r} is none of the choices.", value=value),
            Text("可选：{among}。", "Choose one of {among}.", among=", ".join(among)),
        )
        return among[0]

    def number(
        self, column: str, *, default: float | None = None, least: float = 0.0, most: float = inf, whole: bool = False
    ) -> float:
        """A number between ``least`` and ``most``; ``default`` where nothing is written, which is a fault without one."""
        raw = self.cells.get(column)
        if default is not None and (raw is None or str(raw).strip() == ""):
            return default
        try:
            value = float("nan") if isinstance(raw, bool) else float(str(raw).strip())
        except ValueError:
            value = float("nan")
        if isfinite(value) and least <= value <= most and not (whole and value != int(value)):
            return value
        kind = Text("整数", "a whole number") if whole else Text("数", "a number")
        limits = (
            Text("不小于 {least:g}", "of {least:g} or more", least=least)
            if most == inf
            else Text("{least:g} 至 {most:g}", "from {least:g} to {most:g}", least=least, most=most)
        )
        shown = "" if raw is None else str(raw)
        self.fault(
            column,
            Text("{shown!r} 不是要求的数。", "{shown!r} is not such a number.", shown=shown)
            if shown
            else Text("没有填写。", "Nothing is written here."),
            Text("请填写{limits}的{kind}。", "Write {kind} {limits}.", kind=kind, limits=limits),
        )
        return default if default is not None else max(least, 0.0)

    def dates(self, column: str) -> frozenset[date]:
        """A list of days of the calendar."""
        found = set()
        given = self.cells.get(column, [])
        for value in given if isinstance(given, list) else [given]:
            try:
                found.add(value if type(value) is date else date.fromisoformat(str(value)))
            except ValueError:
                self.fault(
                    column,
                    Text("{value!r} 不是日期。", "{value!r} is not a day.", value=str(value)),
                    Text("请写成 2026-06-01 的样子。", "Write it like 2026-06-01."),
                )
        return frozenset(found)
