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

from yiwang.core.indicators.columns import DAY, FLAG, FLOAT, INTEGER, MOMENT, TEXT
from yiwang.core.kernel.errors import BadInput, Problem

LONGEST = 2000  # characters of one condition
AS_OF = "as_of"
NUMBERS = frozenset({INTEGER, FLOAT})
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
class Joined:
    """All of the parts, or any of them."""

    all: bool
    parts: tuple[Node, ...]
    kind: str = FLAG


Node: TypeAlias = Column | Literal | AsOf | Total | Comparison | Among | Missing | Not | Joined
ALWAYS = Literal(True, FLAG)


@dataclass(frozen=True, slots=True)
class Measure:
    """What is summed over the cases of a group: 1, or a whole number, for each case that fulfils the condition."""

    condition: Node = ALWAYS
    amount: Node | None = None


def both(first: Node, second: Node) -> Node:
    """The conjunction, without what is always true or said twice."""
    if first == ALWAYS:
        return second
    return first if second in (ALWAYS, first) else Joined(True, (first, second))


def read_condition(text: str, *, columns: Mapping[str, str], terms: Mapping[str, Node]) -> Node:
    """Read a condition.

    Args:
        text: As written.
        columns: Column → kind.
        terms: The pack's named conditions.

    Raises:
        BadInput: With what is wrong and what would be right.
    """
    node = _Reader(columns, terms).read(_parsed(text))
    if node.kind != FLAG:
        raise _fault(f"{text!r} is no condition but a {node.kind}.", "Compare it with something.")
    return node


def read_measure(text: str, *, columns: Mapping[str, str], terms: Mapping[str, Node]) -> Measure:
    """Read what is counted: a condition (cases that fulfil it), ``sum(number)`` or ``sum(number, condition)``.

    Raises:
        BadInput: With what is wrong and what would be right.
    """
    tree = _parsed(text)
    if not (isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == "sum"):
        return Measure(read_condition(text, columns=columns, terms=terms))
    reader = _Reader(columns, terms)
    if tree.keywords or not 1 <= len(tree.args) <= 2:
        raise _fault(f"{text!r}: sum takes a number and, if wanted, a condition.", "E.g. sum(reworks, closed).")
    amount = reader.read(tree.args[0])
    condition = reader.read(tree.args[1]) if len(tree.args) == 2 else ALWAYS
    if amount.kind != INTEGER:
        raise _fault(
            f"{text!r} sums a {amount.kind}.", "Only whole numbers are summed, so that every engine gives the same."
        )
    if condition.kind != FLAG:
        raise _fault(f"{text!r}: the second part is no condition but a {condition.kind}.")
    return Measure(condition, amount)


def _fault(message: str, hint: str = "") -> BadInput:
    return BadInput(Problem(message, hint))


def _parsed(text: str) -> ast.expr:
    if len(text) > LONGEST:
        raise _fault(f"A condition has at most {LONGEST} characters.", "Give a part of it a name under [terms].")
    try:
        return ast.parse(" ".join(text.split()), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _fault(f"{text!r} cannot be read.", 'E.g. filed_at is not None and end_kind != "void".') from None


class _Reader:
    def __init__(self, columns: Mapping[str, str], terms: Mapping[str, Node]) -> None:
        self.columns, self.terms = columns, terms

    def read(self, tree: ast.expr) -> Node:
        match tree:
            case ast.Name(id=name):
                return self.named(name)
            case ast.Constant(value=value):
                return self.literal(value)
            case ast.BoolOp(op=joint, values=values):
                return Joined(isinstance(joint, ast.And), tuple(self.flag(value) for value in values))
            case ast.UnaryOp(op=ast.Not(), operand=part):
                return Not(self.flag(part))
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(value))):
                return Literal(-value, INTEGER)
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as sign, right=right):
                return Total(self.number(left), isinstance(sign, ast.Sub), self.number(right))
            case ast.Compare(left=left, ops=[one], comparators=[right]):
                return self.compared(left, one, right)
        raise _fault(
            f"{ast.unparse(tree)!r} is not understood here.", "Use comparisons, in, is None, and, or, not, + and -."
        )

    def named(self, name: str) -> Node:
        if name in self.terms:
            return self.terms[name]
        if name in self.columns:
            return Column(name, self.columns[name])
        if name == AS_OF:
            return AsOf()
        near = get_close_matches(name, [*self.terms, *self.columns], n=1)
        raise _fault(
            f"There is no column or term {name!r}.",
            f"Did you mean {near[0]}?" if near else "docs/reference/facts.md lists the columns.",
        )

    def literal(self, value: object) -> Literal:
        if isinstance(value, bool):
            return Literal(value, FLAG)
        if isinstance(value, str):
            return Literal(value, TEXT)
        if isinstance(value, int):
            return Literal(value, INTEGER)
        if isinstance(value, float):
            return Literal(value, FLOAT)
        raise _fault(f"{value!r} cannot be compared with.", "Write a text in quotes, a number, True or False.")

    def flag(self, tree: ast.expr) -> Node:
        node = self.read(tree)
        if node.kind != FLAG:
            raise _fault(
                f"{ast.unparse(tree)!r} is a {node.kind}, no condition.",
                "Compare it with something, e.g. reworks > 0 or filed_at is not None.",
            )
        return node

    def number(self, tree: ast.expr) -> Node:
        node = self.read(tree)
        if node.kind != INTEGER:
            raise _fault(f"{ast.unparse(tree)!r} is a {node.kind}; only whole numbers can be added.")
        return node

    def compared(self, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> Node:
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
                f"The comparison with {ast.unparse(right)!r} is not understood.",
                'Use ==, !=, <, <=, >, >=, is None, or in ("a", "b").',
            )
        other = self.read(right)
        self.fitting(value, other, sign)
        return Comparison(value, sign, other)

    def member(self, value: Node, item: ast.expr) -> Literal:
        node = self.read(item)
        if not isinstance(node, Literal):
            raise _fault(f"{ast.unparse(item)!r} is no text or number.", 'Write in ("a", "b").')
        self.fitting(value, node, "==")
        return node

    @staticmethod
    def fitting(value: Node, other: Node, sign: str) -> None:
        if value.kind != other.kind and not {value.kind, other.kind} <= NUMBERS:
            raise _fault(f"A {value.kind} cannot be compared with a {other.kind}.")
        if value.kind in (FLAG, TEXT) and sign not in ("==", "!="):
            raise _fault(f"A {value.kind} has no order, so {sign} means nothing.", "Use == or !=.")
        if DAY in (value.kind, other.kind) and sign not in ("==", "!=", "<", "<=", ">", ">="):
            raise _fault("Days are compared with days.")
