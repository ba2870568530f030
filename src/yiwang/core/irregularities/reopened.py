"""Closed, then reported again near by: the trouble may not have been dealt with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta

from yiwang.core.irregularities.leads import Kind, Lead
from yiwang.core.irregularities.ratios import MOST_CASES, share_leads
from yiwang.core.irregularities.rows import Closing, Opening

NEAR_M = 50.0
WITHIN = timedelta(days=30)


def reopened(
    closings: Iterable[Closing],
    openings: Iterable[Opening],
    *,
    period: str,
    near_m: float = NEAR_M,
    within: timedelta = WITHIN,
) -> list[Lead]:
    """For each unit: how many of its closed cases were followed by another of the same category near by?

    Args:
        closings: Of the period; those that are open or have no place are passed over.
        openings: All cases opened from the period's beginning until ``within`` after its end, as far as that has come.
        period: Its name.
        near_m: Metres.
        within: Time after the closing.

    Returns:
        A lead for each unit that can be judged. ``data["again"]``: pairs of numbers, the closed case and the first that
        came after it.
    """
    cells: defaultdict[tuple[str, int, int], list[Opening]] = defaultdict(list)
    for opened in openings:
        cells[opened.category, int(opened.x_m // near_m), int(opened.y_m // near_m)].append(opened)
    marks: list[tuple[str, str, bool]] = []
    again: defaultdict[str, list[list[str]]] = defaultdict(list)
    for one in closings:
        if one.closed_at is None or one.x_m is None or one.y_m is None:
            continue
        east, north = int(one.x_m // near_m), int(one.y_m // near_m)
        later = [
            (opened.at, opened.case)
            for column in (east - 1, east, east + 1)
            for row in (north - 1, north, north + 1)
            for opened in cells.get((one.category, column, row), ())
            if opened.case != one.case
            and one.closed_at < opened.at <= one.closed_at + within
            and (opened.x_m - one.x_m) ** 2 + (opened.y_m - one.y_m) ** 2 <= near_m**2
        ]
        if later and len(again[one.unit]) < MOST_CASES:
            again[one.unit].append([one.case, min(later)[1]])
        marks.append((one.unit, one.case, bool(later)))
    return share_leads(Kind.REOPENED, marks, period=period, explain=lambda unit: {"again": again[unit]})
