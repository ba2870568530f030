"""A decision and its reasons: which row, why, and what came second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from yiwang.core.kernel.text import NO_TEXT, Text
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
class Contender:
    """A row that matched, and why it won or lost.

    Attributes:
        row: The row.
        place: 1 for the deciding row, 2 for the runner-up, and so on.
        input: The input that told it from its opponent (the runner-up for the deciding row, else the deciding row);
            empty where there is no opponent or nothing told them apart.
        tie: Nothing told it from its opponent, only the order of the file.
        reason: Why, as a part of a sentence.
    """

    row: Row
    place: int
    input: str
    tie: bool
    reason: Text

    @property
    def is_winner(self) -> bool:
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
    def trace(self) -> tuple[Contender, ...]:
        """Every row that matched, best first, each with the reason why it won or lost."""
        rows = self.rows
        # The deciding row is held against the runner-up, the others against the deciding row.
        opponents = [rows[1] if len(rows) > 1 else None, *rows[:1] * (len(rows) - 1)]
        pairs = zip(rows, opponents, strict=True)
        return tuple(
            _contender(self.spec, row, number, opponent) for number, (row, opponent) in enumerate(pairs, start=1)
        )

    def why(self) -> tuple[Text, ...]:
        """The reasons as sentences, best row first."""
        return tuple(_sentence(self.spec, entry) for entry in self.trace)


def _name_of(input_name: str) -> Text:
    return Text(_FACTS_ZH.get(input_name, input_name), input_name)


def _sentence(spec: TableSpec, entry: Contender) -> Text:
    row = entry.row
    return Text(
        "第{line}行 {row}（{conditions}）{verdict}：{reason}。{origin}",
        "Row {row} (line {line}), {conditions}, {verdict}: {reason}.{origin}",
        line=row.line,
        row=row.id,
        conditions=_conditions(spec, row),
        verdict=Text("采用", "decides") if entry.is_winner else Text("未采用", "loses"),
        reason=entry.reason,
        origin=_origin(row),
    )


def _contender(spec: TableSpec, row: Row, index: int, opponent: Row | None) -> Contender:
    if opponent is None:
        alone = Text("没有其他行匹配", "no other row matches")
        return Contender(row=row, place=index, input="", tie=False, reason=alone)
    for position in spec.ranking:
        ours, theirs = row.cells[position], opponent.cells[position]
        if ours.specificity != theirs.specificity:
            item = spec.inputs[position]
            reason = _comparison(_name_of(item.name), item.match, ours, theirs, opponent.id)
            return Contender(row=row, place=index, input=item.name, tie=False, reason=reason)
    tie = Text(
        "与 {row} 同样具体，只因在文件中排在{side}面",
        "a tie with {row}: equally specific, and it stands {side} in the file",
        row=opponent.id,
        side=Text("前", "first") if index == 1 else Text("后", "later"),
    )
    return Contender(row=row, place=index, input="", tie=True, reason=tie)


def _comparison(name: Text, match: Match, ours: Cell, theirs: Cell, opponent: str) -> Text:
    said = {"name": name, "ours": ours, "theirs": theirs, "row": opponent}
    if isinstance(theirs, Anything):
        return Text("限定了{name} {ours}，而 {row} 未限定", "it names {name} {ours}, which {row} leaves open", **said)
    if isinstance(ours, Anything):
        return Text("未限定{name}，而 {row} 限定为 {theirs}", "it leaves {name} open, {row} names {theirs}", **said)
    more = ours.specificity > theirs.specificity
    how = {
        Match.EXACT: (Text("更准", "more exact"), Text("更泛", "less exact")),
        Match.PREFIX: (Text("更长", "longer"), Text("更短", "shorter")),
        Match.RANGE: (Text("范围更窄", "narrower"), Text("范围更宽", "wider")),
        Match.SET: (Text("集合更小", "smaller"), Text("集合更大", "larger")),
    }[match][0 if more else 1]
    return Text(
        "{name} {ours} 比 {row} 的 {theirs} {how}", "{name} {ours} is {how} than {theirs} of {row}", how=how, **said
    )


def _conditions(spec: TableSpec, row: Row) -> Text:
    named = [
        Text("{name} {cell}", "{name} {cell}", name=_name_of(item.name), cell=cell)
        for item, cell in zip(spec.inputs, row.cells, strict=True)
        if not isinstance(cell, Anything)
    ]
    if not named:
        return Text("无条件", "for anything")
    cells = Text.join({"zh": "，", "en": ", "}, named)
    return Text("{cells}", "for {cells}", cells=cells)


def _origin(row: Row) -> Text:
    if not row.source:
        return NO_TEXT
    if not row.confidence:
        return Text("依据：{source}。", " Source: {source}.", source=row.source)
    return Text(
        "依据：{source}（可信度：{confidence}）。",
        " Source: {source} (confidence: {confidence}).",
        source=row.source,
        confidence=row.confidence,
    )
