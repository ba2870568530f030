"""How many cases a list has, counted no further than a bound, so that a million cost what ten thousand cost."""

from __future__ import annotations

from datetime import UTC, datetime

from yiwang.server.cases.reading import queries
from yiwang.server.cases.reading.access import Readers
from yiwang.server.cases.storage import words
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.masking import mask

COUNTED = 10_000


def total(
    *,
    readers: Readers,
    place: CityRuntime,
    filters: queries.CaseFilters,
    at: datetime | None = None,
    most: int = COUNTED,
) -> int | None:
    """How many cases a reader's list has: one query.

    Args:
        readers: Who looks.
        place: The city.
        filters: What the list shows.
        at: The moment for which the list is asked; now by default.
        most: How far it is counted.

    Returns:
        The number; ``most + 1`` when there are more. None where a number would tell of words that this reader may not
        read: a search counts for those only who read the words of every case in the city, and never one for personal data.

    Raises:
        BadInput: When a filter is no such thing.
    """
    if filters.q and (mask(filters.q) != filters.q or not readers.reads_whole_city):
        return None
    return count_up_to(most, place=place, filters=filters, at=at)


def count_up_to(most: int, *, place: CityRuntime, filters: queries.CaseFilters, at: datetime | None = None) -> int:
    """How many cases pass the filters, whoever may read the words that they are found by; ``most + 1`` for more."""
    at = at or datetime.now(UTC)
    everything = queries.in_order(city=place.info.id, order=filters.order, at=at)
    found = queries.narrow(everything, filters, place=place, at=at)
    if filters.q:
        found = words.candidates(found, filters.q)
    return found.order_by()[: most + 1].count()
