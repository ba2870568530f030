"""Target letters: a unit's indicators for a year, each with baseline, target and what is wanted on the way.

Figures are in the unit of the indicator (`yiwang.core.indicators.definitions.UNITS`). A letter says nothing of how they are counted:
that is the indicator's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

from yiwang.core.indicators.definitions import DOWN, UP, Indicator
from yiwang.core.kernel.errors import Problem
from yiwang.core.kernel.text import Text

MONTHS = 12
QUARTER_ENDS = (3, 6, 9)  # the fourth is the year's, which the target itself says


class Kind(StrEnum):
    """How the figures of parts make that of the whole: a count sums, a rate is their mean by caseload."""

    COUNT = "count"
    RATE = "rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What a letter says of one indicator.

    Attributes:
        indicator: Its id.
        kind: Whether it sums over the units below.
        direction: ``up`` when more is better, ``down`` when less is.
        baseline: The figure from which the unit starts 基数; None when there was none.
        target: The figure of the whole year 目标值.
        milestones: Month of the year, 1 to 11 → the figure wanted from 1 January to the end of that month.
    """

    indicator: str
    kind: Kind
    direction: str
    baseline: float | None = None
    target: float
    milestones: Mapping[int, float] = field(default_factory=dict)

    def reached_by(self, value: float, wanted: float | None = None) -> bool:
        """Whether a figure reaches the target, or another one that is wanted."""
        goal = self.target if wanted is None else wanted
        return value >= goal if self.direction == UP else value <= goal


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a unit is to reach in a year.

    Attributes:
        unit: Code of the region.
        year: Calendar year of the city.
        items: One for each indicator.
    """

    unit: str
    year: int
    items: tuple[Item, ...]

    def item(self, indicator: str) -> Item | None:
        """What it says of an indicator."""
        return next((one for one in self.items if one.indicator == indicator), None)


def kind_of(indicator: Indicator) -> Kind:
    """A figure that is divided by nothing sums over parts; every other is a mean."""
    return Kind.COUNT if indicator.denominator is None else Kind.RATE


def can_be_wanted(indicator: Indicator) -> bool:
    """Whether an indicator can have a target: one that is neither better high nor low cannot."""
    return indicator.direction in (UP, DOWN)


def check_items(items: Sequence[Item], *, names: Mapping[str, Text], percents: frozenset[str]) -> Iterator[Problem]:
    """What is wrong with the items of a letter, by itself.

    Args:
        items: As they were typed.
        names: Indicator → its name.
        percents: Indicators that are percentages, which lie between 0 and 100.
    """
    if not items:
        yield Problem(Text("至少要有一个指标。", "Name at least one indicator."), column="target")
    seen: set[str] = set()
    for item in items:
        name = names.get(item.indicator, Text(item.indicator, item.indicator))
        if item.indicator in seen:
            yield Problem(
                Text("「{name}」写了两次。", "“{name}” stands there twice.", name=name), column=item.indicator
            )
        seen.add(item.indicator)
        wanted = [item.target, *item.milestones.values(), *([] if item.baseline is None else [item.baseline])]
        highest = 100.0 if item.indicator in percents else float("inf")
        if not all(0 <= value <= highest and value < float("inf") for value in wanted):
            yield Problem(
                Text("「{name}」的数值超出范围。", "A figure of “{name}” is out of range.", name=name),
                Text(
                    "百分比在 0 到 100 之间，其他不小于 0。",
                    "A percentage lies between 0 and 100, others are 0 or more.",
                ),
                column=item.indicator,
            )
        if not all(1 <= month < MONTHS for month in item.milestones):
            yield Problem(
                Text("「{name}」的节点月份不对。", "“{name}” has a milestone at no month.", name=name),
                column=item.indicator,
            )
        if item.kind == Kind.COUNT:
            steps = [value for _, value in sorted(item.milestones.items())] + [item.target]
            if any(later < earlier for earlier, later in pairwise(steps)):
                yield Problem(
                    Text("「{name}」的节点目标后面比前面小。", "A later milestone of “{name}” is below an earlier one.", name=name),
                    Text("数量从 1 月 1 日起累计。", "Counts run on from 1 January."),
                    column=item.indicator,
                )  # fmt: skip
