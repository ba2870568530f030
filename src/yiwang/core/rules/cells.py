"""Cells of a decision table: how one is read, what it matches, which of two is more specific, what two have in common.

A cell is a small value object. An empty cell, :data:`ANY`, matches every fact and is the least specific.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from yiwang.core.kernel.text import Text

# Full match, ASCII only: float() would also take "1_0", "nan", "inf" and digits of other scripts.
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)
# Characters of wildcards and regular expressions. Cells are no patterns, and taken literally these would match nothing.
_PATTERN_CHARACTERS = frozenset("*|^$\\")

# Order within one input, more specific = larger: (0, 0) for an empty cell, else 1 and a figure of the kind of match.
Specificity = tuple[int, Fraction]
_LEAST: Specificity = (0, Fraction(0))


class Match(StrEnum):
    """How a cell is compared with a fact."""

    EXACT = "exact"
    PREFIX = "prefix"
    RANGE = "range"
    SET = "set"


class CellError(ValueError):
    """A cell that cannot be read: what is wrong with it, and what would be right."""

    def __init__(self, message: Text, hint: Text) -> None:
        self.message, self.hint = message, hint
        super().__init__(str(message))


@dataclass(frozen=True, slots=True)
class Anything:
    """An empty cell: matches every fact, also a missing one."""

    def matches(self, fact: str) -> bool:
        return True

    @property
    def specificity(self) -> Specificity:
        return _LEAST

    def __str__(self) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Exact:
    """Matches the fact that equals it."""

    value: str

    def matches(self, fact: str) -> bool:
        return fact == self.value

    @property
    def specificity(self) -> Specificity:
        return (1, Fraction(0))

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Prefix:
    """Matches facts that start with it: with codes that nest, everything at or below. Longer is more specific."""

    value: str

    def matches(self, fact: str) -> bool:
        return fact.startswith(self.value)

    @property
    def specificity(self) -> Specificity:
        return (1, Fraction(len(self.value)))

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Range:
    """Matches numbers from ``low`` (included) to ``high`` (excluded); None is open. Narrower is more specific.

    Every range with an open end is equally wide, so two of them that share a number and differ in nothing else overlap.
    Bounds are decimals, and widths exact: 0.1..0.3 is as wide as 0.2..0.4.
    """

    low: Decimal | None
    high: Decimal | None

    def matches(self, fact: str) -> bool:
        number = read_number(fact)
        return number is not None and self.holds(number)

    def holds(self, number: Decimal) -> bool:
        return (self.low is None or self.low <= number) and (self.high is None or number < self.high)

    @property
    def specificity(self) -> Specificity:
        if self.low is None or self.high is None:
            return (1, Fraction(-1))
        # 1 / (1 + width) falls as the width grows and stays above the -1 of open ranges.
        return (1, 1 / (1 + Fraction(self.high) - Fraction(self.low)))

    def __str__(self) -> str:
        return f"{'' if self.low is None else self.low}..{'' if self.high is None else self.high}"


@dataclass(frozen=True, slots=True)
class Members:
    """Matches facts that are one of its members. Smaller is more specific."""

    values: frozenset[str]

    def matches(self, fact: str) -> bool:
        return fact in self.values

    @property
    def specificity(self) -> Specificity:
        return (1, Fraction(-len(self.values)))

    def __str__(self) -> str:
        return "|".join(sorted(self.values))


Cell = Anything | Exact | Prefix | Range | Members
ANY = Anything()


def below(bound: Decimal) -> Decimal:
    """Some number below a bound. Taking away 1 alone would be lost in rounding beyond 28 digits."""
    return bound - abs(bound) - 1


def read_number(text: str) -> Decimal | None:
    """A decimal number in plain or exponent notation (at most two digits of exponent), or None."""
    text = text.strip()
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def read_cell(text: str, match: Match) -> Cell:
    """Read the text of a cell; surrounding blanks do not count.

    Raises:
        CellError: It is no range, or an empty one; a set has an empty or doubled member; the text looks like a pattern.
    """
    text = text.strip()
    if not text:
        return ANY
    if match is Match.RANGE:
        return _read_range(text)
    if match is Match.SET:
        return _read_members(text)
    _refuse_patterns(text)
    return Exact(text) if match is Match.EXACT else Prefix(text)


def intersect(one: Cell, other: Cell) -> bool:
    """Whether some fact is matched by both cells; both must come from the same input."""
    if isinstance(one, Anything) or isinstance(other, Anything):
        return True
    if isinstance(one, Range) and isinstance(other, Range):
        return _before(one.low, other.high) and _before(other.low, one.high)
    if isinstance(one, Members) and isinstance(other, Members):
        return not one.values.isdisjoint(other.values)
    if isinstance(one, Prefix) and isinstance(other, Prefix):
        return one.value.startswith(other.value) or other.value.startswith(one.value)
    return one == other


def _before(low: Decimal | None, high: Decimal | None) -> bool:
    return low is None or high is None or low < high


def _refuse_patterns(text: str) -> None:
    found = sorted(_PATTERN_CHARACTERS.intersection(text))
    if found:
        raise CellError(
            Text(
                "「{text}」含有 {found}，但单元格不是匹配模式。",
                "{text!r} holds {found}, but cells are no patterns.",
                text=text,
                found=" ".join(found),
            ),
            Text(
                '任意值请留空；多个值请写多行，或在声明中写 match = "set"。',
                'Leave it empty for any value; for several values write several rows, or match = "set" in the declaration.',
            ),
        )


def _read_range(text: str) -> Range:
    low_text, dots, high_text = text.partition("..")
    bounds: list[Decimal | None] = []
    for bound in (low_text.strip(), high_text.strip()):
        number = read_number(bound)
        if not dots or (bound and number is None):
            raise CellError(
                Text("「{text}」不是范围。", "{text!r} is no range.", text=text),
                Text(
                    "请写两个数和两个点，如 0..50，不含上限。",
                    "Write two numbers and two dots, 0..50, the upper excluded.",
                ),
            )
        bounds.append(number)
    low, high = bounds
    if low is None and high is None:
        raise CellError(
            Text("「{text}」没有上下限。", "{text!r} has no bound.", text=text),
            Text("任意值（包括缺失）请将单元格留空。", "Leave the cell empty for any value, missing ones included."),
        )
    if low is not None and high is not None and not low < high:
        raise CellError(
            Text("范围「{text}」是空的。", "The range {text!r} is empty.", text=text),
            Text(
                "下限在前；上限不含在内，应大于下限。", "The lower bound comes first; the upper, excluded, is larger."
            ),
        )
    return Range(low, high)


def _read_members(text: str) -> Members:
    members = [member.strip() for member in text.split("|")]
    if "" in members:
        raise CellError(
            Text("「{text}」有空的成员。", "{text!r} has an empty member.", text=text),
            Text("请写 a|b|c，两端不要竖线。", "Write a|b|c without a bar at either end."),
        )
    doubled = sorted({member for member in members if members.count(member) > 1})
    if doubled:
        raise CellError(
            Text(
                "「{text}」重复写了 {doubled}。",
                "{text!r} names {doubled} twice.",
                text=text,
                doubled=", ".join(doubled),
            ),
            Text("每个成员只写一次。", "Name each member once."),
        )
    for member in members:
        _refuse_patterns(member)
    return Members(frozenset(members))
