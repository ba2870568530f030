"""Regions coloured by any indicator or score, month by month, from the city down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

import numpy as np
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from yiwang.core.facts.table import REGION
from yiwang.core.indicators.definitions import DOWN, NEITHER, UP, Evaluation, Indicator
from yiwang.core.indicators.scorecard import ScoreRow
from yiwang.server.cities.queries import CityRuntime, runtime
from yiwang.server.common.formatting import number_text
from yiwang.server.common.language import say
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.facts.sources import tables_of
from yiwang.server.scores import presentation, queries
from yiwang.server.scores.outlines import Drawing, draw
from yiwang.server.scores.views import ScoreQuery, score_query

CLASSES = 4
SCORE = "score-"  # how an evaluation is called in the address


@dataclass(frozen=True, slots=True, kw_only=True)
class Shade:
    """What a map is coloured by.

    Attributes:
        key: In the address: the id of an indicator, or ``score-`` and that of an evaluation.
        indicator, evaluation: One of the two.
        bad: ``up`` where more is worse, ``down`` where less is, ``none``.
    """

    key: str
    indicator: Indicator | None
    evaluation: Evaluation | None
    bad: str

    @property
    def name(self) -> str:
        return named(self.indicator or self.evaluation)

    def value(self, row: ScoreRow) -> float | None:
        """The figure of a row."""
        if self.evaluation is not None:
            composite = row.composites.get(self.evaluation.id)
            return composite.score if composite else None
        assert self.indicator is not None
        return row.cells[self.indicator.id].value

    def text(self, row: ScoreRow) -> tuple[str, str]:
        """The figure and what it was divided from, for people."""
        if self.indicator is not None:
            cell = row.cells[self.indicator.id]
            return presentation.figure(cell, self.indicator), presentation.counts(cell, self.indicator)
        value = self.value(row)
        return ("" if value is None else number_text(value, 1)), ""


@require_GET
def score_map(request: HttpRequest, city: str) -> HttpResponse:
    """The regions below one, coloured by how they did in a month."""
    asked = score_query(request, city)
    place = asked.place
    within = request.GET.get("within", "") or place.regions.roots[0].code
    if within not in place.regions:
        raise Http404(say("没有这个区域", "There is no such region"))
    below = place.regions.children(within)
    level = below[0].level if below else ""
    known = _shades(place, asked, level=level)
    shade = known.get(request.GET.get("of", "")) or next(iter(known.values()), None)
    context: dict[str, Any] = {
        "city": place.info,
        "page": "score",
        "asked": asked,
        "within": within,
        "name": named(place.regions[within]),
        "above": [{"code": one.code, "name": named(one)} for one in place.regions.chain(within)[:-1]],
        "shades": [{"key": one.key, "name": one.name} for one in known.values()],
        "shade": shade,
    }
    if asked.store is not None and shade is not None and level:
        context |= _shown(asked, shade, within=within, level=level)
    return render(request, "scores/map.html", context)


def _shades(place: CityRuntime, asked: ScoreQuery, *, level: str) -> dict[str, Shade]:
    """Everything that regions of a level can be coloured by: scores first."""
    first, _ = asked.period
    book, tables = place.pack.indicators, tables_of(place)
    found = []
    for evaluation in book.evaluations:
        fits = evaluation.object == REGION and (not evaluation.levels or level in evaluation.levels)
        if fits and (first is None or evaluation.validity.contains(first)):
            found.append(Shade(key=f"{SCORE}{evaluation.id}", indicator=None, evaluation=evaluation, bad=DOWN))
    for indicator in book.indicators:
        if level in tables[indicator.table].dimensions and (first is None or indicator.validity.contains(first)):
            bad = {UP: DOWN, DOWN: UP}.get(indicator.direction, NEITHER)
            found.append(Shade(key=indicator.id, indicator=indicator, evaluation=None, bad=bad))
    return {one.key: one for one in found}


def _shown(asked: ScoreQuery, shade: Shade, *, within: str, level: str) -> dict[str, Any]:
    place = asked.place
    codes = [one.code for one in place.regions.children(within)]
    evaluation, indicator = shade.evaluation, shade.indicator
    wanted = tuple(part.indicator for part in evaluation.parts) if evaluation else (indicator.id,) if indicator else ()
    since, until = asked.period
    by = (level, "month") if asked.month else (level,)
    card = queries.scorecard(place=place, by=by, indicators=wanted, since=since, until=until)
    found = {row.keys[level]: row for row in card.rows}
    values = {code: shade.value(found[code]) if code in found else None for code in codes}
    bounds = _bounds([value for value in values.values() if value is not None])
    drawing = _drawing(place.info.id, place.pack.digest, within)
    rows = [
        _row(asked, shade, code, found.get(code), _class(values[code], bounds, shade.bad), drawing, level=level)
        for code in codes
    ]
    rows.sort(key=lambda row: _worst_first(values[row["code"]], shade.bad))
    months = asked.months
    at = months.index(asked.month) if asked.month in months else -1
    query = {"within": within, "of": shade.key}
    return {
        "rows": rows,
        "drawing": drawing,
        "legend": _legend(bounds, shade),
        "missing": any(value is None for value in values.values()),
        "approximate": any(one.approximate for one in place.regions.children(within)),
        "earlier_url": f"?{urlencode({**query, 'month': months[at + 1]})}" if 0 <= at < len(months) - 1 else "",
        "later_url": f"?{urlencode({**query, 'month': months[at - 1]})}" if at > 0 else "",
    }


def _row(
    asked: ScoreQuery,
    shade: Shade,
    code: str,
    row: ScoreRow | None,
    number: int,
    drawing: Drawing | None,
    *,
    level: str,
) -> dict[str, Any]:
    place = asked.place
    figure, counts = shade.text(row) if row is not None else ("", "")
    deeper = bool(place.regions.children(code))
    own = {"month": asked.month, "key": code, "level": level}
    if shade.indicator is not None:
        why = reverse("score-explained", args=[place.info.id, shade.indicator.id])
    else:
        why = reverse("score-own", args=[place.info.id, level])
    return {
        "code": code,
        "name": presentation.thing(place, level, code),
        "figure": figure or say("无数据", "no data"),
        "counts": counts,
        "shade": number,
        "path": drawing.paths.get(code, "") if drawing else "",
        "url": f"?{urlencode({'within': code, 'of': shade.key, 'month': asked.month})}" if deeper else "",
        "why": f"{why}?{urlencode(own)}" if row is not None else "",
    }


def _bounds(values: Sequence[float]) -> tuple[float, ...]:
    """Where one class ends and the next begins: quarters of the regions, fewer where many are alike."""
    if not values:
        return ()
    cuts = np.quantile(values, [step / CLASSES for step in range(1, CLASSES)], method="higher")
    return tuple(sorted({float(cut) for cut in cuts if cut > min(values)}))


def _class(value: float | None, bounds: tuple[float, ...], bad: str) -> int:
    """1 for the best to 4 for the worst (the most, where neither is), 0 for no data."""
    if value is None:
        return 0
    number = sum(value >= cut for cut in bounds)
    return (len(bounds) - number if bad == DOWN else number) + 1 + (CLASSES - 1 - len(bounds)) // 2


def _legend(bounds: tuple[float, ...], shade: Shade) -> list[dict[str, Any]]:
    """Each class with its span, the best first."""
    spans = [*zip((None, *bounds), (*bounds, None), strict=True)]
    order = reversed(spans) if shade.bad == DOWN else spans
    first = 1 + (CLASSES - 1 - len(bounds)) // 2
    return [{"shade": first + at, "span": _span(low, high)} for at, (low, high) in enumerate(order)]


def _span(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return say("都一样", "all alike")
    if low is None:
        return f"< {number_text(high or 0, 1)}"
    return f"≥ {number_text(low, 1)}" if high is None else f"{number_text(low, 1)} – {number_text(high, 1)}"


def _worst_first(value: float | None, bad: str) -> tuple[bool, float]:
    return (value is None, 0.0 if value is None else value if bad == DOWN else -value)


@lru_cache(maxsize=64)
def _drawing(city: str, digest: str, within: str) -> Drawing | None:
    """``digest`` is the pack's: another pack may have other outlines."""
    return draw(runtime(city).regions.children(within))
