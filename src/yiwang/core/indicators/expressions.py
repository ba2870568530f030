"""Conditions over the columns of the facts, as a pack writes them: ``filed_at is not None and not overdue``.

The grammar is a small part of Python's, read with the standard library's parser and never run: comparisons, ``in``,
``is None``, ``and``, ``or``, ``not``, sums of numbers, the pack's own named terms, and ``as_of``, the moment for which the
score is counted. There are no calls and no loops, so no condition can hang an engine.

A comparison with a value that is missing is false, and its ``not`` is true: there is no third truth value, so every
engine means the same.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeAlias

from yiwang.core.facts.table import DAY, FLAG, FLOAT, INTEGER, MOMENT, TEXT
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import NO_TEXT, Text

LONGEST = 2000  # characters of one condition
MOST_LISTED = 30  # columns named in an error
AS_OF = "as_of"
NUMBERS = frozenset({INTEGER, FLOAT})
_KINDS: Mapping[str, Text] = {
    TEXT: Text("文字", TEXT),
    INTEGER: Text("整数", INTEGER),
    FLAG: Text("条件", FLAG),
    FLOAT: Text("小数", FLOAT),
    MOMENT: Text("时刻", MOMENT),
    DAY: Text("日期", DAY),
}
_COMPARISONS: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """The value of a column of the facts."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, a number or a truth value."""

    value: str | int | float | bool
    kind: str


@dataclass(frozen=True, slots=True)
class AsOf:
    """The moment for which is counted."""

    kind: str = MOMENT


@dataclass(frozen=True, slots=True)
class Total:
    """A sum or difference of two whole numbers."""

    left: Node
    minus: bool
    right: Node
    kind: str = INTEGER


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two values compared; false when either is missing."""

    left: Node
    operator: str
    right: Node
    kind: str = FLAG


@dataclass(frozen=True, slots=True)
class Among:
    """Whether a value is one of several."""

    left: Node
    values: tuple[Literal, ...]
    kind: str = FLAG


@dataclass(frozen=True, slots=True)
class Missing:
    """Whether a value is missing; an empty text counts as missing."""

    left: Node
    kind: str = FLAG


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    part: Node
    kind: str = FLAG


@dataclass(frozen=True, slots=True)
class Junction:
    """All of the parts, or any of them."""

    all: bool
    parts: tuple[Node, ...]
    kind: str = FLAG


Node: TypeAlias = Column | Literal | AsOf | Total | Comparison | Among | Missing | Not | Junction
ALWAYS = Literal(True, FLAG)


@dataclass(frozen=True, slots=True)
class Measure:
    """What is summed over the rows of a group: 1, or a whole number, for each row that fulfils the condition."""

    condition: Node = ALWAYS
    amount: Node | None = None


def both(first: Node, second: Node) -> Node:
    """The conjunction, without what is always true or said twice."""
    if first == ALWAYS:
        return second
    return first if second in (ALWAYS, first) else Junction(True, (first, second))


def read_condition(text: str, *, columns: Mapping[str, str], terms: Mapping[str, Node]) -> Node:
    """Read a condition.

    Args:
        text: As written.
        columns: Column → kind.
        terms: The pack's named conditions.

    Raises:
        BadInput: With what is wrong and what would be right.
    """
    node = _Reader(columns, terms).read(_parse(text))
    if node.kind != FLAG:
        raise _fault(
            Text(
                "「{text}」不是条件，而是{kind}。",
                "{text!r} is no condition but a {kind}.",
                text=text,
                kind=_KINDS[node.kind],
            ),
            Text("请把它与某个值比较。", "Compare it with something."),
        )
    return node


def read_measure(text: str, *, columns: Mapping[str, str], terms: Mapping[str, Node]) -> Measure:
    """Read what is counted: a condition (rows that fulfil it), ``sum(number)`` or ``sum(number, condition)``.

    Raises:
        BadInput: With what is wrong and what would be right.
    """
    tree = _parse(text)
    if not (isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == "sum"):
        return Measure(read_condition(text, columns=columns, terms=terms))
    reader = _Reader(columns, terms)
    if tree.keywords or not 1 <= len(tree.args) <= 2:
        raise _fault(
            Text(
                "「{text}」：sum 需要一个数，还可以带一个条件。",
                "{text!r}: sum takes a number and, if wanted, a condition.",
                text=text,
            ),
            Text("例如 sum(reworks, closed)。", "E.g. sum(reworks, closed)."),
        )
    amount = reader.read(tree.args[0])
    condition = reader.read(tree.args[1]) if len(tree.args) == 2 else ALWAYS
    if amount.kind != INTEGER:
        raise _fault(
            Text("「{text}」对{kind}求和。", "{text!r} sums a {kind}.", text=text, kind=_KINDS[amount.kind]),
            Text(
                "只对整数求和，使每种计算引擎结果一致。",
                "Only whole numbers are summed, so that every engine gives the same.",
            ),
        )
    if condition.kind != FLAG:
        raise _fault(
            Text(
                "「{text}」：第二部分不是条件，而是{kind}。",
                "{text!r}: the second part is no condition but a {kind}.",
                text=text,
                kind=_KINDS[condition.kind],
            )
        )
    return Measure(condition, amount)


def _fault(message: Text, hint: Text = NO_TEXT) -> BadInput:
    return BadInput(Problem(message, hint))


def _parse(text: str) -> ast.expr:
    if len(text) > LONGEST:
        raise _fault(
            Text("条件最长 {longest} 个字符。", "A condition has at most {longest} characters.", longest=LONGEST),
            Text("请在 [terms] 中给其中一部分起个名称。", "Give a part of it a name under [terms]."),
        )
    try:
        return ast.parse(" ".join(text.split()), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _fault(
            Text("「{text}」无法读取。", "{text!r} cannot be read.", text=text),
            Text(
                '例如 filed_at is not None and end_kind != "void"。',
                'E.g. filed_at is not None and end_kind != "void".',
            ),
        ) from None


class _Reader:
    def __init__(self, columns: Mapping[str, str], terms: Mapping[str, Node]) -> None:
        self.columns, self.terms = columns, terms

    def read(self, tree: ast.expr) -> Node:
        match tree:
            case ast.Name(id=name):
                return self.resolve(name)
            case ast.Constant(value=value):
                return self.literal(value)
            case ast.BoolOp(op=joint, values=values):
                return Junction(isinstance(joint, ast.And), tuple(self.flag(value) for value in values))
            case ast.UnaryOp(op=ast.Not(), operand=part):
                return Not(self.flag(part))
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(value))):
                return Literal(-value, INTEGER)
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as sign, right=right):
                return Total(self.number(left), isinstance(sign, ast.Sub), self.number(right))
            case ast.Compare(left=left, ops=[one], comparators=[right]):
                return self.comparison(left, one, right)
        raise _fault(
            Text("这里不能写「{part}」。", "{part!r} is not understood here.", part=ast.unparse(tree)),
            Text(
                "请用比较、in、is None、and、or、not、+ 和 -。", "Use comparisons, in, is None, and, or, not, + and -."
            ),
        )

    def resolve(self, name: str) -> Node:
        if name in self.terms:
            return self.terms[name]
        if name in self.columns:
            return Column(name, self.columns[name])
        if name == AS_OF:
            return AsOf()
        near = get_close_matches(name, [*self.terms, *self.columns], n=1)
        raise _fault(
            Text("没有名为「{name}」的列或术语。", "There is no column or term {name!r}.", name=name),
            Text("是否想写 {near}？", "Did you mean {near}?", near=near[0]) if near else self.columns_hint(),
        )

    def columns_hint(self) -> Text:
        if len(self.columns) <= MOST_LISTED:
            return Text("可用的列：{columns}。", "The columns are {columns}.", columns=", ".join(self.columns))
        return Text("各列见 docs/reference/facts.md。", "docs/reference/facts.md lists the columns.")

    def literal(self, value: object) -> Literal:
        if isinstance(value, bool):
            return Literal(value, FLAG)
        if isinstance(value, str):
            return Literal(value, TEXT)
        if isinstance(value, int):
            return Literal(value, INTEGER)
        if isinstance(value, float):
            return Literal(value, FLOAT)
        raise _fault(
            Text("不能与 {value!r} 比较。", "{value!r} cannot be compared with.", value=value),
            Text("请写带引号的文字、数、True 或 False。", "Write a text in quotes, a number, True or False."),
        )

    def flag(self, tree: ast.expr) -> Node:
        node = self.read(tree)
        if node.kind != FLAG:
            raise _fault(
                Text(
                    "「{part}」是{kind}，不是条件。",
                    "{part!r} is a {kind}, no condition.",
                    part=ast.unparse(tree),
                    kind=_KINDS[node.kind],
                ),
                Text(
                    "请把它与某个值比较，例如 reworks > 0 或 filed_at is not None。",
                    "Compare it with something, e.g. reworks > 0 or filed_at is not None.",
                ),
            )
        return node

    def number(self, tree: ast.expr) -> Node:
        node = self.read(tree)
        if node.kind != INTEGER:
            raise _fault(
                Text(
                    "「{part}」是{kind}；只有整数可以相加。",
                    "{part!r} is a {kind}; only whole numbers can be added.",
                    part=ast.unparse(tree),
                    kind=_KINDS[node.kind],
                )
            )
        return node

    def comparison(self, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> Node:
        value = self.read(left)
        match operator, right:
            case ((ast.Is() | ast.IsNot()), ast.Constant(value=None)):
                missing = Missing(value)
                return missing if isinstance(operator, ast.Is) else Not(missing)
            case ((ast.In() | ast.NotIn()), ast.Tuple(elts=items) | ast.List(elts=items)):
                found = Among(value, tuple(self.member(value, item) for item in items))
                return found if isinstance(operator, ast.In) else Not(found)
        sign = _COMPARISONS.get(type(operator))
        if sign is None:
            raise _fault(
                Text(
                    "与「{part}」的比较无法识别。",
                    "The comparison with {part!r} is not understood.",
                    part=ast.unparse(right),
                ),
                Text(
                    '请用 ==、!=、<、<=、>、>=、is None 或 in ("a", "b")。',
                    'Use ==, !=, <, <=, >, >=, is None, or in ("a", "b").',
                ),
            )
        other = self.read(right)
        self.check_fit(value, other, sign)
        return Comparison(value, sign, other)

    def member(self, value: Node, item: ast.expr) -> Literal:
        node = self.read(item)
        if not isinstance(node, Literal):
            raise _fault(
                Text("「{part}」不是文字或数。", "{part!r} is no text or number.", part=ast.unparse(item)),
                Text('请写成 in ("a", "b")。', 'Write in ("a", "b").'),
            )
        self.check_fit(value, node, "==")
        return node

    @staticmethod
    def check_fit(value: Node, other: Node, sign: str) -> None:
        if value.kind != other.kind and not {value.kind, other.kind} <= NUMBERS:
            raise _fault(
                Text(
                    "{kind}不能与{other}比较。",
                    "A {kind} cannot be compared with a {other}.",
                    kind=_KINDS[value.kind],
                    other=_KINDS[other.kind],
                )
            )
        if value.kind in (FLAG, TEXT) and sign not in ("==", "!="):
            raise _fault(
                Text(
                    "{kind}没有大小之分，{sign} 没有意义。",
                    "A {kind} has no order, so {sign} means nothing.",
                    kind=_KINDS[value.kind],
                    sign=sign,
                ),
                Text("请用 == 或 !=。", "Use == or !=."),
            )
        if DAY in (value.kind, other.kind) and sign not in ("==", "!=", "<", "<=", ">", ">="):
            raise _fault(Text("日期只能与日期比较。", "Days are compared with days."))
