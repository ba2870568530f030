"""Suspensions in the last days before a month's end: a paused clock may be meant to keep the month's figures."""

from __future__ import annotations

from calendar import monthrange
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import tzinfo

from yiwang.core.irregularities.leads import Kind, Lead
from yiwang.core.irregularities.ratios import share_leads
from yiwang.core.irregularities.rows import Suspension

LAST_DAYS = 3
LEAST = 8


def suspending(
    suspensions: Iterable[Suspension], *, period: str, zone: tzinfo, last_days: int = LAST_DAYS
) -> list[Lead]:
    """For each unit: how many of its suspensions began in the last days of a month?

    The rate is that of the other units, and not below the share of those days of a month.

    Args:
        suspensions: Of the period.
        period: Its name.
        zone: Of the city: its days count.
        last_days: How many.

    Returns:
        A lead for each unit that can be judged. ``data["days"]``: counts by day of the month, from the first.
    """
    marks = []
    days: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for one in suspensions:
        day = one.at.astimezone(zone).date()
        days[one.unit][day.day] += 1
        marks.append((one.unit, one.case, day.day > monthrange(day.year, day.month)[1] - last_days))
    return share_leads(
        Kind.SUSPENDING,
        marks,
        period=period,
        least=LEAST,
        floor=last_days / 30,
        explain=lambda unit: {"last_days": last_days, "days": [days[unit][day] for day in range(1, 32)]},
    )
