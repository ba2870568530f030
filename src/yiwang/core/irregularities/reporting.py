"""Reports that a unit made itself of what it then handled: easy work that improves its figures."""

from __future__ import annotations

from collections.abc import Iterable

from yiwang.core.irregularities.leads import Kind, Lead
from yiwang.core.irregularities.ratios import share_leads
from yiwang.core.irregularities.rows import Filing


def reporting(filings: Iterable[Filing], *, period: str) -> list[Lead]:
    """For each unit: how many reports of its cases came from its own people?

    To report what one sees is a duty as well (自行处置), so only a share far above that of the others is a lead.

    Args:
        filings: Of the period.
        period: Its name.
    """
    return share_leads(Kind.REPORTING, ((one.unit, one.case, one.own) for one in filings), period=period)
