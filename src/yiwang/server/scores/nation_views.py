"""Several cities in one table: what each publishes, with how it counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from yiwang.core.indicators.definitions import Indicator
from yiwang.core.indicators.scorecard import ScoreRow
from yiwang.core.indicators.standing import Standing
from yiwang.server.cities.queries import CityRuntime, cities, runtime
from yiwang.server.common.language import say
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.scores import presentation, queries
from yiwang.server.scores.periods import bounds
from yiwang.server.scores.views import MONTH


@dataclass(frozen=True, slots=True, kw_only=True)
class CityMonth:
    """What a city publishes of a month.

    Attributes:
        measures: Its published indicators by id, in the order of its pack.
        row, own: Figures of the whole city and their intervals; None where nothing was counted.
    """

    place: CityRuntime
    month: str
    measures: dict[str, Indicator]
    row: ScoreRow | None
    own: dict[str, Standing]


@require_GET
def nation(request: HttpRequest) -> HttpResponse:
    """The published indicators of every city, each for the month that is asked for, or for its latest."""
    month = request.GET.get("month", "")
    if month and not MONTH.fullmatch(month):
        raise Http404(say("月份应写成 2011-07", "Write the month as 2011-07"))
    places = [runtime(info.id) for info in cities()]
    found = [_published(place, month) for place in places if place.pack.indicators.indicators]
    columns: dict[str, list[Indicator]] = {}
    for city in found:
        for name, indicator in city.measures.items():
            columns.setdefault(name, []).append(indicator)
    heads = [
        {
            "id": name,
            "name": named(members[0]),
            "meaning": say(members[0].meaning),
            # one name, two ways of counting: not to be compared
            "differs": len({(one.formula, one.unit, one.basis) for one in members}) > 1,
        }
        for name, members in columns.items()
    ]
    context = {
        "month": month,
        "months": sorted({at for city in found for at in _months(city.place)}, reverse=True),
        "heads": heads,
        "rows": [_row(city, list(columns)) for city in found],
    }
    return render(request, "scores/nation.html", context)


def _months(place: CityRuntime) -> list[str]:
    store = queries.complete_store(place)
    return list(store.months) if store else []


def _published(place: CityRuntime, month: str) -> CityMonth:
    months = _months(place)
    at = month or max(months, default="")
    first, after = bounds(at)
    measures = {
        one.id: one
        for one in place.pack.indicators.indicators
        if one.public and (first is None or one.validity.contains(first))
    }
    if at not in months or not measures:
        return CityMonth(place=place, month=at, measures=measures, row=None, own={})
    level = place.info.levels[0].id
    card = queries.scorecard(place=place, by=(level, "month"), indicators=tuple(measures), since=first, until=after)
    stood = queries.standings_of(card, place=place)
    root = place.regions.roots[0].code
    for row, own in zip(card.rows, stood, strict=True):
        if row.keys[level] == root:
            return CityMonth(place=place, month=at, measures=measures, row=row, own=own)
    return CityMonth(place=place, month=at, measures=measures, row=None, own={})


def _row(city: CityMonth, columns: list[str]) -> dict[str, Any]:
    info = city.place.info
    cells = []
    for name in columns:
        indicator = city.measures.get(name)
        if indicator is None:
            cells.append({"figure": "", "why": say("不公布", "not published")})
            continue
        if city.row is None:
            cells.append({"figure": "", "why": say("无数据", "no data")})
            continue
        cell = city.row.cells[name]
        cells.append(
            {
                "figure": presentation.figure(cell, indicator),
                "counts": presentation.counts(cell, indicator),
                "interval": presentation.interval(city.own.get(name), indicator),
                "why": say("无数据", "no data"),
                "url": f"{reverse('score-explained', args=[info.id, name])}?{urlencode({'level': info.levels[0].id, 'month': city.month})}",
            }
        )
    return {"city": info, "month": city.month, "url": reverse("score", args=[info.id]), "cells": cells}
