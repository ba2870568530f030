"""Months as pages name them."""

from __future__ import annotations

from datetime import date


def bounds(month: str) -> tuple[date | None, date | None]:
    """First day of a month (``2011-07``) and of the next; open for all months (empty)."""
    if not month:
        return None, None
    year, number = int(month[:4]), int(month[5:])
    return date(year, number, 1), date(year + number // 12, number % 12 + 1, 1)
