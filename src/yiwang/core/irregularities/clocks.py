"""Clocks that were moved: times that run backwards, lie ahead of the server's, or belong to before the case."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum

from yiwang.core.irregularities.leads import Kind, Lead
from yiwang.core.irregularities.ratios import share_leads
from yiwang.core.irregularities.rows import ClockReading

AHEAD = timedelta(minutes=10)
BEHIND = timedelta(days=3)


class Fault(StrEnum):
    """What is wrong with a time."""

    AHEAD = "ahead"
    BEFORE = "before"
    BEHIND = "behind"


def fault_of(
    reading: ClockReading, *, ahead: timedelta = AHEAD, behind: timedelta = BEHIND, early: timedelta = AHEAD
) -> Fault | None:
    """What is wrong with a time; None for nothing.

    Args:
        reading: The time.
        ahead: It may be so far ahead of the server: devices' clocks differ.
        behind: It may be so far behind: a phone without a network keeps photos, for a weekend too.
        early: It may be so far before what it should come after.
    """
    if reading.claimed > reading.received + ahead:
        return Fault.AHEAD
    if reading.not_before is not None and reading.claimed < reading.not_before - early:
        return Fault.BEFORE
    if reading.claimed < reading.received - behind:
        return Fault.BEHIND
    return None


def clocks(
    readings: Iterable[ClockReading], *, period: str, ahead: timedelta = AHEAD, behind: timedelta = BEHIND
) -> list[Lead]:
    """For each unit: how many of the times that it claimed cannot be?

    Args:
        readings: Of the period.
        period: Its name.
        ahead, behind: See `fault_of`.

    Returns:
        A lead for each unit that can be judged. ``data["faults"]``: counts by `Fault`.
    """
    faults: defaultdict[str, Counter[str]] = defaultdict(Counter)
    marks = []
    for one in readings:
        fault = fault_of(one, ahead=ahead, behind=behind)
        if fault is not None:
            faults[one.unit][fault.value] += 1
        marks.append((one.unit, one.case, fault is not None))
    return share_leads(Kind.CLOCKS, marks, period=period, explain=lambda unit: {"faults": dict(faults[unit])})
