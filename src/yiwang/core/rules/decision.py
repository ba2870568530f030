"""A decision and its reasons: which row, why, and what came second, in words of both languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from yiwang.core.rules.bits import bits, lowest
from yiwang.core.rules.cells import Anything, Cell, Match

if TYPE_CHECKING:
    from yiwang.core.rules.spec import TableSpec
    from yiwang.core.rules.table import Row, Table

# Chinese names of the facts that tables usually ask for; another fact is shown by its own name.
_FACTS_ZH = {
    "category": "类别",
    "condition": "立案条件",
    "region": "区域",
    "channel": "来源",
    "priority": "优先级",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Considered:
    """A row that matched, and why it won or lost.

    Attributes:
        row: The row.
        place: 1 for the deciding row, 2 for the runner-up, and so on.
        input: The input that told it from its opponent (the runner-up for the deciding row, else the deciding row);
            empty where there is no opponent or nothing told them apart.
        tie: Nothing told it from its opponent, only the order of the file.
        reason: In English.
        reason_zh: In Chinese.
    """

    row: Row
    place: int
    input: str
    tie: bool
    reason: str
    reason_zh: str

    @property
    def won(self) -> bool:
        return self.place == 1


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer of a table; what it tells beyond the matching rows is worked out when asked for.

    Attributes:
        table: The table that was asked.
        matched: The rows that matched, as bits: bit ``i`` is ``table.best_first[i]``. Never 0.
    """

    table: Table
    matched: int

    @property
    def spec(self) -> TableSpec:
        return self.table.spec

    @property
    def rows(self) -> tuple[Row, ...]:
        """Every row that matched, best first; the first one decides."""
        best_first = self.table.best_first
        return tuple(best_first[place] for place in bits(self.matched))

    @property
    def row(self) -> Row:
        """The deciding row."""
        return self.table.best_first[lowest(self.matched)]

    @property
    def row_id(self) -> str:
        return self.row.id

    @property
    def outputs(self) -> Mapping[str, str]:
        """The deciding row's answers by output column."""
        return self.row.outputs

    @property
    def runner_up(self) -> str | None:
        """Id of the row that would decide without the deciding one, or None."""
        others = self.matched & (self.matched - 1)
        return self.table.best_first[lowest(others)].id if others else None

    @property
    def tie(self) -> bool:
        """Whether only the order of the file told the deciding row from the runner-up."""
        return self.trace[0].tie

    @property
    def trace(self) -> tuple[Considered, ...]:
        """Every row that matched, best first, each with the reason why it won or lost."""
        rows = self.rows
        # The deciding row is held against the runner-up, the others against the deciding row.
        opponents = [rows[1] if len(rows) > 1 else None, *rows[:1] * (len(rows) - 1)]
        pairs = zip(rows, opponents, strict=True)
        return tuple(
            _considered(self.spec, row, place, opponent) for place, (row, opponent) in enumerate(pairs, start=1)
        )

    def why(self, language: str = "zh") -> tuple[str, ...]:
        """The reasons as sentences, best row first, in Chinese (``zh``, ``zh-hans`` …) or else in English."""
        chinese = language.lower().startswith("zh")
        sentences = []
        for entry in self.trace:
            row = entry.row
            label = f"第{row.line}行 {row.id}" if chinese else f"Row {row.id} (line {row.line})"
            cells = _conditions(self.spec, row, chinese)
            if chinese:
                verdict = "采用" if entry.won else "未采用"
                sentences.append(f"{label}（{cells}）{verdict}：{entry.reason_zh}。{_origin(row, True)}")
            else:
                verdict = "decides" if entry.won else "loses"
                sentences.append(f"{label}, {cells}, {verdict}: {entry.reason}.{_origin(row, False)}")
        return tuple(sentences)


def name_of(input_name: str, chinese: bool) -> str:
    """Name of an input in a sentence."""
    return _FACTS_ZH.get(input_name, input_name) if chinese else input_name


def _considered(spec: TableSpec, row: Row, place: int, opponent: Row | None) -> Considered:
    if opponent is None:
        alone, alone_zh = "no other row matches", "没有其他行匹配"
        return Considered(row=row, place=place, input="", tie=False, reason=alone, reason_zh=alone_zh)
    for position in spec.ranking:
        ours, theirs = row.cells[position], opponent.cells[position]
        if ours.specificity != theirs.specificity:
            item = spec.inputs[position]
            reason = _comparison(item.name, item.match, ours, theirs, opponent.id)
            reason_zh = _comparison_zh(name_of(item.name, True), item.match, ours, theirs, opponent.id)
            return Considered(row=row, place=place, input=item.name, tie=False, reason=reason, reason_zh=reason_zh)
    first, first_zh = ("first", "前") if place == 1 else ("later", "后")
    return Considered(
        row=row,
        place=place,
        input="",
        tie=True,
        reason=f"a tie with {opponent.id}: equally specific, and it stands {first} in the file",
        reason_zh=f"与 {opponent.id} 同样具体，只因在文件中排在{first_zh}面",
    )


def _comparison(name: str, match: Match, ours: Cell, theirs: Cell, opponent: str) -> str:
    if isinstance(theirs, Anything):
        return f"it names {name} {ours}, which {opponent} leaves open"
    if isinstance(ours, Anything):
        return f"it leaves {name} open, {opponent} names {theirs}"
    more = ours.specificity > theirs.specificity
    word = {
        Match.EXACT: ("more exact", "less exact"),
        Match.PREFIX: ("longer", "shorter"),
        Match.RANGE: ("narrower", "wider"),
        Match.SET: ("smaller", "larger"),
    }[match][0 if more else 1]
    return f"{name} {ours} is {word} than {theirs} of {opponent}"


def _comparison_zh(name: str, match: Match, ours: Cell, theirs: Cell, opponent: str) -> str:
    if isinstance(theirs, Anything):
        return f"限定了{name} {ours}，而 {opponent} 未限定"
    if isinstance(ours, Anything):
        return f"未限定{name}，而 {opponent} 限定为 {theirs}"
    more = ours.specificity > theirs.specificity
    word = {
        Match.EXACT: ("更准", "更泛"),
        Match.PREFIX: ("更长", "更短"),
        Match.RANGE: ("范围更窄", "范围更宽"),
        Match.SET: ("集合更小", "集合更大"),
    }[match][0 if more else 1]
    return f"{name} {ours} 比 {opponent} 的 {theirs} {word}"


def _conditions(spec: TableSpec, row: Row, chinese: bool) -> str:
    named = [
        f"{name_of(item.name, chinese)} {cell}"
        for item, cell in zip(spec.inputs, row.cells, strict=True)
        if not isinstance(cell, Anything)
    ]
    if not named:
        return "无条件" if chinese else "for anything"
    return "，".join(named) if chinese else "for " + ", ".join(named)


def _origin(row: Row, chinese: bool) -> str:
    if not row.source:
        return ""
    if chinese:
        return f"依据：{row.source}" + (f"（可信度：{row.confidence}）。" if row.confidence else "。")
    return f" Source: {row.source}" + (f" (confidence: {row.confidence})." if row.confidence else ".")
