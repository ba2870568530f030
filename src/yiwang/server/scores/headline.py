"""The figures that stand on several pages: each is one indicator of the pack, so that it has one name and one value everywhere.

The overview shows one region's, the portal publishes the public ones by district and category, the score page and the command line have
them beside all others. Which day puts a case into a month is the indicator's own basis.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from yiwang.core.indicators.definitions import Indicator
from yiwang.core.indicators.scorecard import Cell
from yiwang.core.space import Region
from yiwang.server.cases.api import stands_at
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.scores import queries
from yiwang.server.scores.periods import bounds

ON_TIME = "closing_on_time"
"""As packs call it. A pack that does not measure it has a dash in its place."""


_REMEMBERED = 2000
_counted: dict[Any, Cell] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """One indicator of one region in one month, and where it is explained down to its cases.

    Attributes:
        share: Of one; None where there was nothing to compare.
    """

    indicator: Indicator
    month: str
    cell: Cell
    url: str

    @property
    def share(self) -> float | None:
        return self.cell.numerator / self.cell.denominator if self.cell.denominator else None


def usual_month(months: Iterable[str]) -> str:
    """The month that is shown where none is asked for: the one before the newest, which has hardly ended anything yet."""
    newest_first = sorted(months, reverse=True)
    return newest_first[min(1, len(newest_first) - 1)] if newest_first else ""


def on_time(*, place: CityRuntime, region: Region, month: str = "") -> Headline | None:
    """The share closed on time in a region and a month; None while nothing has been counted, or the pack measures no such thing.

    A process counts it once for everybody who looks, until the facts change.
    """
    city, store = place.info.id, queries.current_store(place)
    if store is None or not store.months:
        return None
    at = stands_at(city=city) or store.refreshed_at
    month = month if month in store.months else usual_month(store.months)
    indicator = place.pack.indicators.in_force(at.astimezone(place.info.zone).date()).get(ON_TIME)
    if indicator is None:
        return None
    key = (city, place.digest, store.version, at, region.code, month)
    if key not in _counted:
        if len(_counted) >= _REMEMBERED:
            _counted.clear()
        since, until = bounds(month)
        card = queries.scorecard(
            place=place, by=(), indicators=(ON_TIME,), since=since, until=until, only={region.level: region.code}, as_of=at
        )  # fmt: skip
        _counted[key] = card.rows[0].cells[ON_TIME] if card.rows else Cell(0, 0, None)
    asked = urlencode({"level": region.level, "month": month, "key": region.code})
    url = f"{reverse('score-explained', args=[city, ON_TIME])}?{asked}"
    return Headline(indicator=indicator, month=month, cell=_counted[key], url=url)
