"""Laboratories: when tubes arrive, and when the last result comes.

At the end of each hour a courier takes the tubes of that hour; each laboratory gets its share of them in proportion to its capacity,
so that all are busy alike. It works around the clock at an even rate, tube after tube in the order of arrival, and each result comes
a turnaround after the tube was taken in hand. Nothing is random here. Pools that are positive and tested again are not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.planning.queues.erlang import HOUR

_DAY_HOURS = 24.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Laboratory:
    """A laboratory.

    Attributes:
        id: Its name.
        capacity: Tubes a day.
        turnaround: Hours from when a tube is taken in hand to its result.
        transport: Minutes from the sites to its door.
        tube_cost: What one tube costs, in any one currency.
    """

    id: str
    capacity: float
    turnaround: float
    transport: float = 60.0
    tube_cost: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LaboratoryLoad:
    """What comes to a laboratory; times in hours from midnight of the first day.

    Attributes:
        id: Which.
        tubes: Its share; a part of a tube where they do not divide evenly.
        first_in, last_in: When the first and the last tubes arrive.
        last_result: When the last result comes.
        longest_wait: Hours that the tubes that lie longest lie before they are taken in hand.
        cost: Of its tubes.
    """

    id: str
    tubes: float
    first_in: float
    last_in: float
    last_result: float
    longest_wait: float
    cost: float


def load_laboratories(tubes: Sequence[float], laboratories: Sequence[Laboratory]) -> list[LaboratoryLoad]:
    """Share out the tubes.

    Args:
        tubes: Taken in each hour from midnight of the first day.
        laboratories: At least one.

    Returns:
        One for each laboratory; none where there are no tubes.

    Raises:
        BadInput: With every laboratory that has no capacity or a negative figure.
    """
    _check(laboratories)
    total = sum(one.capacity for one in laboratories)
    batches = [(hour + 1, count) for hour, count in enumerate(tubes) if count]
    if not batches:
        return []
    found = []
    for one in laboratories:
        share, rate, done, longest = one.capacity / total, one.capacity / _DAY_HOURS, 0.0, 0.0
        arrived = 0.0
        for taken, count in batches:
            arrived = taken + one.transport / HOUR
            begun = max(done, arrived)
            done = begun + count * share / rate
            longest = max(longest, done - arrived)  # the last tube of the batch lies longest
        brought = sum(tubes) * share
        found.append(
            LaboratoryLoad(
                id=one.id,
                tubes=brought,
                first_in=batches[0][0] + one.transport / HOUR,
                last_in=arrived,
                last_result=done + one.turnaround,
                longest_wait=longest,
                cost=brought * one.tube_cost,
            )
        )
    return found


def _check(laboratories: Sequence[Laboratory]) -> None:
    problems = []
    for one in laboratories:
        figures = (one.capacity, one.turnaround, one.transport, one.tube_cost)
        if not all(isfinite(figure) and figure >= 0 for figure in figures) or not one.capacity:
            message = Text("实验室「{id}」的数值无效。", "The figures of laboratory {id!r} cannot be.", id=one.id)
            hint = Text("日检测能力应大于 0，其余不小于 0。", "Its capacity must be above 0, the others 0 or more.")
            problems.append(Problem(message, hint))
    if not laboratories:
        problems.append(Problem(Text("没有实验室。", "There is no laboratory.")))
    if problems:
        raise BadInput(problems)
