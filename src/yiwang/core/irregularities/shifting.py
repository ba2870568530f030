"""Categories that were changed after filing to ones with longer limits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from yiwang.core.irregularities.leads import Kind, Lead
from yiwang.core.irregularities.ratios import MOST_CASES, share_leads
from yiwang.core.irregularities.rows import Reclassification

LONGER = 1.25


def shifting(changes: Iterable[Reclassification], *, period: str, longer: float = LONGER) -> list[Lead]:
    """For each unit: how many of its cases got a longer limit by a change of category?

    Args:
        changes: Of the period: every case that has a limit, changed or not.
        period: Its name.
        longer: The new limit is at least so many times the old one.

    Returns:
        A lead for each unit that can be judged. ``data["limits"]``: for each case its number and both limits in seconds.
    """
    marks = []
    limits: defaultdict[str, list[list[object]]] = defaultdict(list)
    for one in changes:
        longer_now = one.after_s > one.before_s * longer
        if longer_now and len(limits[one.unit]) < MOST_CASES:
            limits[one.unit].append([one.case, one.before_s, one.after_s])
        marks.append((one.unit, one.case, longer_now))
    return share_leads(Kind.SHIFTING, marks, period=period, explain=lambda unit: {"limits": limits[unit]})
