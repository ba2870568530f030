"""The public score: a scorecard of the indicators that the pack marks ``public``, from the same facts as the score page.

A process counts a month once for everybody who looks, until the facts change. While records are imported nothing is
published: half a month is no month.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from yiwang.core.indicators.definitions import COUNTED, UP, Indicator
from yiwang.core.indicators.scorecard import Cell
from yiwang.server.cases.api import category_name, region_name, stands_at
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common import queries as jobs
from yiwang.server.facts.models import FactStore
from yiwang.server.facts.sources import tables_of
from yiwang.server.scores import queries as scores
from yiwang.server.scores.headline import usual_month
from yiwang.server.scores.periods import bounds
from yiwang.server.scores.presentation import figure

MOST_MONTHS, MONTHS_SHOWN, MOST_CATEGORIES, FEW = 36, 12, 40, 10
CATEGORY = "category"
NOTHING = Cell(0, None, None)
Figures = Mapping[str, Cell]
_Counted = TypeVar("_Counted")
_REMEMBERED = 500
_counted: dict[Any, Any] = {}


def public_indicators(place: CityRuntime, *, at: datetime) -> dict[str, Indicator]:
    """The public indicators in force at a moment, by id, in the pack's order."""
    known = place.pack.indicators.in_force(at.astimezone(place.info.zone).date())
    return {name: one for name, one in known.items() if one.public}


def total(*, place: CityRuntime) -> dict[str, Any]:
    """What the first page shows: the public figures of the whole city in the usual month."""
    importing, store = jobs.is_importing(city=place.info.id), _publishable(place)
    at = None if store is None or importing else stands_at(city=place.info.id) or store.refreshed_at
    measures = {} if at is None else public_indicators(place, at=at)
    if store is None or at is None or not store.months or not measures:
        return {"importing": importing, "month": "", "total": []}
    month = usual_month(store.months)

    def count() -> Figures:
        since, until = bounds(month)
        card = scores.scorecard(place=place, by=(), indicators=tuple(measures), since=since, until=until, as_of=at)
        return card.rows[0].cells if card.rows else {}

    found = _once((place.info.id, place.digest, store.version, at, month, "total"), count)
    return {"importing": False, "month": month, "total": figure_cells(found, measures)}


def score(*, place: CityRuntime, month: str, region: str, category: str) -> dict[str, Any]:
    """What the page shows of a month, and of the months before it.

    Args:
        place: City.
        month: Like 2011-07; the usual one where there is no such month.
        region: Code of a district; empty for the city.
        category: Code of a category; empty for all.
    """
    city, store = place.info.id, _publishable(place)
    importing = jobs.is_importing(city=city)
    nothing: dict[str, Any] = {
        "months": [], "month": "", "counted_at": None, "measures": {}, "total": [], "importing": importing, "districts": [],
        "categories": [], "series": [],
    }  # fmt: skip
    if store is None or importing:
        return nothing
    at = stands_at(city=city) or store.refreshed_at
    measures, months = public_indicators(place, at=at), sorted(store.months, reverse=True)[:MOST_MONTHS]
    if not measures or not months:
        return nothing
    month = month if month in months else usual_month(months)
    key = (city, place.digest, store.version, at)
    cells = _once((*key, month), lambda: _month(place, measures, month, at))
    series = _once(
        (*key, region, category), lambda: _series(place, measures, months[:MONTHS_SHOWN], region, category, at)
    )
    districts = [(one, found) for (one, other), found in cells.items() if one and other == category]
    categories = [(other, found) for (one, other), found in cells.items() if other and one == region]
    return {
        "months": months,
        "month": month,
        "counted_at": store.refreshed_at,
        "measures": measures,
        "total": figure_cells(cells.get((region, category), {}), measures),
        "importing": False,
        "districts": [
            {"code": code, "name": region_name(place, code, levels=1), "cells": figure_cells(found, measures)}
            for code, found in sorted(districts, key=lambda one: (*_rate(one[1], measures), one[0]))
        ],
        "categories": [
            {"code": code, "name": category_name(place, code), "cells": figure_cells(found, measures)}
            for code, found in sorted(categories, key=lambda one: (-_count(one[1], measures), one[0]))[:MOST_CATEGORIES]
        ],
        "series": [{"month": one, "cells": figure_cells(found, measures)} for one, found in sorted(series.items())],
    }  # fmt: skip


def figure_cells(found: Figures, measures: Mapping[str, Indicator]) -> list[dict[str, Any]]:
    """A row's figures in the order of the indicators. What there are no data of is empty, never 0."""
    row = []
    for name, one in measures.items():
        cell = found.get(name, NOTHING)
        share = cell.numerator / cell.denominator if one.unit == "percent" and cell.denominator else None
        row.append(
            {
                "indicator": one, "figure": figure(cell, one), "rate": one.unit == "percent", "share": share,
                "width": 0 if share is None else round(100 * min(1.0, share)), "few": (cell.denominator or 0) < FEW,
            }
        )  # fmt: skip
    return row


def _publishable(place: CityRuntime) -> FactStore | None:
    """The facts, where they were counted after the last import had ended."""
    store = scores.complete_store(place)
    imported = jobs.last_import_at(city=place.info.id)
    return None if store is None or (imported is not None and store.refreshed_at < imported) else store


def forget() -> None:
    """Count anew at the next question."""
    _counted.clear()


def _once(key: Any, count: Callable[[], _Counted]) -> _Counted:
    if key not in _counted:
        if len(_counted) >= _REMEMBERED:
            _counted.clear()
        _counted[key] = count()
    found: _Counted = _counted[key]
    return found


def _month(
    place: CityRuntime, measures: Mapping[str, Indicator], month: str, at: datetime
) -> dict[tuple[str, str], Figures]:
    """The figures of a month by district and category: for the city, its districts, the categories and both."""
    level = place.info.levels[min(1, len(place.info.levels) - 1)].id
    since, until = bounds(month)
    alike = _countable(place, measures, (level, CATEGORY))
    regional = tuple(name for name in _countable(place, measures, (level,)) if name not in alike)
    found: dict[tuple[str, str], Figures] = {}
    for ids, sets in ((alike, ((), (level,), (CATEGORY,), (level, CATEGORY))), (regional, ((), (level,)))):
        if not ids:
            continue
        card = scores.scorecard(place=place, by=(), indicators=ids, since=since, until=until, groupings=sets, as_of=at)
        for row in card.rows:
            if all(row.keys.values()):  # what lies in no district, or is nothing yet, counts for the city only
                key = row.keys.get(level, ""), row.keys.get(CATEGORY, "")
                found[key] = {**found.get(key, {}), **row.cells}
    return found


def _series(
    place: CityRuntime, measures: Mapping[str, Indicator], months: list[str], region: str, category: str, at: datetime
) -> dict[str, Figures]:
    """The figures of some months, the newest first, of a district and category."""
    only = {CATEGORY: category} if category else {}
    if region and (known := place.regions.get(region)) is not None:
        only[known.level] = region
    ids = _countable(place, measures, only)
    if not ids:
        return {}
    since, until = bounds(months[-1])[0], bounds(months[0])[1]
    card = scores.scorecard(place=place, by=("month",), indicators=ids, since=since, until=until, only=only, as_of=at)
    return {row.keys["month"]: row.cells for row in card.rows if row.keys["month"] in months}


def _countable(place: CityRuntime, measures: Mapping[str, Indicator], dimensions: Any) -> tuple[str, ...]:
    """The indicators whose table has the dimensions."""
    tables = tables_of(place)
    return tuple(name for name, one in measures.items() if set(dimensions) <= tables[one.table].dimensions.keys())


def _rate(found: Figures, measures: Mapping[str, Indicator]) -> tuple[bool, float]:
    """To order by the first rate, the best first, what has none last."""
    one = next((one for one in measures.values() if one.unit == "percent"), None)
    value = found.get(one.id, NOTHING).value if one is not None else None
    if one is None or value is None:
        return True, 0.0
    return False, -value if one.direction == UP else value


def _count(found: Figures, measures: Mapping[str, Indicator]) -> int:
    """To order by the first count."""
    one = next((one for one in measures.values() if one.unit in COUNTED), None)
    return found.get(one.id, NOTHING).numerator if one is not None else 0
