"""A unit's own page: where it stands, how that went month by month, what would lift it, and who is like it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from yiwang.core.indicators.definitions import Composite, Evaluation
from yiwang.core.indicators.lifting import Lifts, lifts
from yiwang.core.indicators.scorecard import ScoreRow
from yiwang.core.indicators.standing import Standing, standings
from yiwang.core.kernel.errors import BadInput
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.scores import presentation, queries
from yiwang.server.scores.periods import bounds
from yiwang.server.scores.views import DEPARTMENT, MONTH

ALIKE = 2.0  # as many cases as half to twice one's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """How a unit stood in a month."""

    month: str
    row: ScoreRow
    composite: Composite
    standing: Standing | None
    peers: list[ScoreRow]


@require_GET
def own_page(request: HttpRequest, city: str, level: str) -> HttpResponse:
    """One region or department, over the months, against those like it."""
    place = city_or_404(city)
    key, asked = request.GET.get("key", ""), request.GET.get("month", "")
    if level not in (*(one.id for one in place.info.levels), DEPARTMENT) or not key:
        raise Http404(say("没有这个单位", "There is no such unit"))
    if asked and not MONTH.fullmatch(asked):
        raise Http404(say("月份应写成 2011-07", "Write the month as 2011-07"))
    try:
        card = queries.scorecard(place=place, by=(level, "month"))
    except BadInput as error:
        raise Http404(say(error.text)) from error
    months = _months(card, place=place, level=level, key=key)
    if not months:
        raise Http404(say("这个单位没有案卷", "This unit has had no cases"))
    shown = next((one for one in months if one.month == asked), months[-1])
    evaluation = _evaluation(place, shown)
    return render(
        request,
        "scores/own.html",
        {
            "city": place.info,
            "page": "score",
            "level": level,
            "key": key,
            "name": presentation.thing(place, level, key),
            "shown": shown,
            "months": months,
            "evaluation": evaluation,
            "grade": _grade(place, shown.composite),
            "lifts": _next_grade(place, card, shown, evaluation, level=level, key=key),
            "alike": _peers(place, card, shown, level=level, key=key),
            "chart": json.dumps(_chart(months, level=level, key=key, city=city), ensure_ascii=False),
            "league_url": f"{reverse('score', args=[city])}?{urlencode({'level': level, 'month': shown.month})}",
        },
    )


def _months(card: queries.Scorecard, *, place: CityRuntime, level: str, key: str) -> list[Month]:
    """The unit's months with a score, each with its standing among all of that month."""
    by_month: dict[str, list[ScoreRow]] = {}
    for row in card.rows:
        if row.keys[level]:
            by_month.setdefault(row.keys["month"], []).append(row)
    found = []
    for month, rows in sorted(by_month.items()):
        own = next((at for at, row in enumerate(rows) if row.keys[level] == key), None)
        if own is None or not rows[own].composites:
            continue
        name = next(iter(rows[own].composites))
        stood = standings(rows, indicators=card.indicators, evaluations=_evaluations(place, month), ranked=[name])
        found.append(
            Month(
                month=month, row=rows[own], composite=rows[own].composites[name], standing=stood[own].get(name), peers=rows
            )
        )  # fmt: skip
    return found


def _evaluations(place: CityRuntime, month: str) -> dict[str, Evaluation]:
    first, _ = bounds(month)
    assert first is not None
    return {one.id: one for one in place.pack.indicators.evaluations if one.validity.contains(first)}


def _evaluation(place: CityRuntime, shown: Month) -> Evaluation:
    return _evaluations(place, shown.month)[shown.composite.evaluation]


def _grade(place: CityRuntime, found: Composite) -> dict[str, Any] | None:
    grades = {one.id: one for grading in place.pack.indicators.gradings for one in grading.grades}
    grade = grades.get(found.grade)
    return {"id": grade.id, "name": named(grade), "light": presentation.LIGHTS[grade.colour]} if grade else None


def _next_grade(
    place: CityRuntime, card: queries.Scorecard, shown: Month, evaluation: Evaluation, *, level: str, key: str
) -> dict[str, Any] | None:
    """The way to the next grade, each part with the page that explains its figure."""
    first = date.fromisoformat(f"{shown.month}-01")
    found: Lifts | None = lifts(
        shown.composite, evaluation=evaluation, grading=place.pack.indicators.grading(first), indicators=card.indicators,
        cells=shown.row.cells,
    )  # fmt: skip
    if found is None:
        return None
    query = urlencode({"level": level, "month": shown.month, "key": key})
    return {
        "grade": found.grade,
        "missing": found.missing,
        "parts": [
            {
                "name": named(card.indicators[part.indicator]),
                "share": part.share,
                "score": part.score,
                "lost": part.lost,
                "cases": part.cases,
                "figure": presentation.figure(shown.row.cells[part.indicator], card.indicators[part.indicator]),
                "counts": presentation.counts(shown.row.cells[part.indicator], card.indicators[part.indicator]),
                "url": f"{reverse('score-explained', args=[place.info.id, part.indicator])}?{query}",
            }
            for part in found.parts
        ],
    }


def _peers(place: CityRuntime, card: queries.Scorecard, shown: Month, *, level: str, key: str) -> list[dict[str, Any]]:
    """Those with about as many cases in that month, ranked among each other."""
    size = max(1, _size(shown.row))
    rows = [row for row in shown.peers if size / ALIKE <= _size(row) <= size * ALIKE]
    name = shown.composite.evaluation
    stood = standings(rows, indicators=card.indicators, evaluations=_evaluations(place, shown.month), ranked=[name])
    found: list[dict[str, Any]] = []
    for row, own in zip(rows, stood, strict=True):
        composite, standing = row.composites.get(name), own.get(name)
        if composite is None or composite.score is None:
            continue
        query = urlencode({"key": row.keys[level], "month": shown.month})
        found.append(
            {
                "name": presentation.thing(place, level, row.keys[level]),
                "url": f"{reverse('score-own', args=[place.info.id, level])}?{query}",
                "own": row.keys[level] == key,
                "cases": _size(row),
                "score": composite.score,
                "interval": standing.interval if standing else None,
                "place": standing.place if standing else None,
            }
        )
    found.sort(key=lambda row: (-row["score"], row["name"]))
    return found


def _size(row: ScoreRow) -> int:
    """How many cases a row is about: the largest count among its figures."""
    return max((cell.denominator or cell.numerator for cell in row.cells.values()), default=0)


def _chart(months: list[Month], *, level: str, key: str, city: str) -> dict[str, Any]:
    """The scores of the months with the bounds of their intervals, for ``<city-chart>``."""
    base = reverse("score-own", args=[city, level])

    def bound(standing: Standing | None, end: str) -> float | None:
        return round(getattr(standing.interval, end), 1) if standing and standing.interval else None

    return {
        "title": say("综合评分", "Composite score"),
        "heading": say("月份", "Month"),
        "empty": say("还没有评分", "No scores yet"),
        "table": say("数字表", "As a table"),
        "series": [
            {"name": say("综合评分", "Score"), "kind": "line", "colour": "brand"},
            {"name": say("区间下限", "Lower bound"), "kind": "line", "colour": "ink-2"},
            {"name": say("区间上限", "Upper bound"), "kind": "line", "colour": "ink-2"},
        ],
        "rows": [
            {
                "name": one.month,
                "values": [
                    None if one.composite.score is None else round(one.composite.score, 1),
                    bound(one.standing, "low"),
                    bound(one.standing, "high"),
                ],
                "link": f"{base}?{urlencode({'key': key, 'month': one.month})}",
            }
            for one in months
        ],
    }
