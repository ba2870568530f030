"""The city's index: an evaluation with aspects. One's own past first, then what it is made of, then the others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from yiwang.core.indicators.definitions import Composite, Evaluation
from yiwang.core.indicators.scorecard import ScoreRow, label
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.formatting import number_text, percent_text
from yiwang.server.common.language import say
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.scores import presentation, queries
from yiwang.server.scores.periods import bounds
from yiwang.server.scores.views import ScoreQuery, score_query

MONTHS = 13  # a year back, and the month itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Stood:
    """How a region stood in a month; no composite where nothing was counted."""

    month: str
    row: ScoreRow | None
    composite: Composite | None


def index_of(place: CityRuntime, *, month: str, level: str = "") -> Evaluation | None:
    """The first evaluation of regions with aspects that holds in a month, for a level where one is given."""
    first, _ = bounds(month)
    found = (
        one
        for one in place.pack.indicators.evaluations
        if one.aspects and one.object == "region" and (not level or not one.levels or level in one.levels)
    )
    return next((one for one in found if first is not None and one.validity.contains(first)), None)


def has_index(place: CityRuntime) -> bool:
    """Whether the city's pack states an index."""
    return any(one.aspects and one.object == "region" for one in place.pack.indicators.evaluations)


@require_GET
def index(request: HttpRequest, city: str) -> HttpResponse:
    """The index of the city or of one of its regions."""
    asked = score_query(request, city)
    place = asked.place
    if not has_index(place):
        raise Http404(say("这个城市没有指数", "This city's pack states no index"))
    key = request.GET.get("key", "") or place.regions.roots[0].code
    if key not in place.regions:
        raise Http404(say("没有这个区域", "There is no such region"))
    level = place.regions[key].level
    context: dict[str, Any] = {
        "city": place.info,
        "page": "index",
        "asked": asked,
        "key": key,
        "name": named(place.regions[key]),
        "above": _above(place, key),
    }
    evaluation = index_of(place, month=asked.month, level=level) if asked.store is not None and asked.month else None
    if evaluation is not None:
        context |= _shown(asked, evaluation, level=level, key=key)
    return render(request, "scores/index.html", context)


def _shown(asked: ScoreQuery, evaluation: Evaluation, *, level: str, key: str) -> dict[str, Any]:
    place = asked.place
    past = _past(asked, evaluation, level=level, key=key)
    now = past[-1].composite
    grades = {one.id: one for grading in place.pack.indicators.gradings for one in grading.grades}
    grade = grades.get(now.grade) if now else None
    return {
        "evaluation": evaluation,
        "score": _text(now.score) if now else "",
        "known": percent_text(now.known_share if now else 0.0, 0),
        "whole": now is not None and now.known_share > 1 - 1e-9,
        "grade": grade and {"id": grade.id, "name": named(grade), "light": presentation.LIGHTS[grade.colour]},
        "changes": _changes(past),
        "months": [one.month for one in past],
        "lines": _lines(past, evaluation),
        "aspects": _tree(asked, past[-1], evaluation, level=level, key=key),
        **_others(asked, level=level, key=key),
    }


def _past(asked: ScoreQuery, evaluation: Evaluation, *, level: str, key: str) -> list[Stood]:
    """The month and the year before it, the oldest first."""
    months = [asked.month]
    while len(months) < MONTHS:
        months.append(_before(months[-1]))
    months.reverse()
    since, until = bounds(months[0])[0], bounds(asked.month)[1]
    wanted = tuple(part.indicator for part in evaluation.parts)
    card = queries.scorecard(place=asked.place, by=(level, "month"), indicators=wanted, since=since, until=until)
    rows = {row.keys["month"]: row for row in card.rows if row.keys[level] == key}
    first = next((month for month in months if month in rows), asked.month)
    return [
        Stood(month=month, row=(row := rows.get(month)), composite=row.composites.get(evaluation.id) if row else None)
        for month in months
        if month >= first
    ]


def _before(month: str) -> str:
    first = date.fromisoformat(f"{month}-01")
    return label(first - timedelta(days=1), "month")


def _text(score: float | None) -> str:
    return "" if score is None else number_text(score, 1)


def _changes(past: list[Stood]) -> list[dict[str, Any]]:
    """Against the month before and the same month of the year before, where both have a score."""
    now = past[-1].composite
    found = []
    for back, words in ((1, say("比上月", "on the month before")), (12, say("比去年同月", "on the year before"))):
        then = past[-1 - back].composite if len(past) > back else None
        if now and then and now.score is not None and then.score is not None:
            change = now.score - then.score
            found.append({"words": words, "by": f"{change:+.1f}", "way": "better" if change > 0 else "worse"})
    return found


def _lines(past: list[Stood], evaluation: Evaluation) -> list[dict[str, Any]]:
    """The index and each aspect over the months."""
    whole = [_text(one.composite.score) if one.composite else "" for one in past]
    return [
        {"name": named(evaluation), "weight": "", "values": whole, "whole": True},
        *(
            {
                "name": named(aspect),
                "weight": percent_text(aspect.weight, 0),
                "values": [_text(one.composite.aspects.get(aspect.id)) if one.composite else "" for one in past],
            }
            for aspect in evaluation.aspects
        ),
    ]


def _tree(asked: ScoreQuery, now: Stood, evaluation: Evaluation, *, level: str, key: str) -> list[dict[str, Any]]:
    """Each aspect with its parts, and each part with the page that opens it down to its rows."""
    known = {one.id: one for one in asked.place.pack.indicators.indicators}
    query = urlencode({"level": level, "month": asked.month, "key": key})
    found = []
    for aspect in evaluation.aspects:
        parts = []
        for part in evaluation.parts:
            if part.aspect != aspect.id:
                continue
            indicator, cell = known[part.indicator], now.row.cells[part.indicator] if now.row else None
            points = now.composite.parts.get(part.indicator) if now.composite else None
            parts.append(
                {
                    "name": named(indicator),
                    "meaning": say(indicator.meaning),
                    "weight": percent_text(part.weight, 0),
                    "figure": presentation.figure(cell, indicator) if cell else "",
                    "counts": presentation.counts(cell, indicator) if cell else "",
                    "points": _text(points),
                    "url": f"{reverse('score-explained', args=[asked.place.info.id, part.indicator])}?{query}",
                }
            )
        score = now.composite.aspects.get(aspect.id) if now.composite else None
        found.append(
            {"name": named(aspect), "weight": percent_text(aspect.weight, 0), "score": _text(score), "parts": parts}
        )
    return found


def _others(asked: ScoreQuery, *, level: str, key: str) -> dict[str, Any]:
    """The regions beside this one; below the whole city those of the next level."""
    place = asked.place
    levels = [one.id for one in place.info.levels]
    beside = level if place.regions[key].parent else next(iter(levels[levels.index(level) + 1 :]), "")
    evaluation = index_of(place, month=asked.month, level=beside) if beside else None
    if evaluation is None:
        return {"others": []}
    since, until = asked.period
    wanted = tuple(part.indicator for part in evaluation.parts)
    card = queries.scorecard(place=place, by=(beside, "month"), indicators=wanted, since=since, until=until)
    stood = queries.standings_of(card, place=place, ranked=[evaluation.id])
    rows: list[dict[str, Any]] = []
    for row, own in zip(card.rows, stood, strict=True):
        code, composite = row.keys[beside], row.composites.get(evaluation.id)
        if not code or composite is None:
            continue
        standing = own.get(evaluation.id)
        rows.append(
            {
                "name": presentation.thing(place, beside, code),
                "url": f"?{urlencode({'key': code, 'month': asked.month})}",
                "own": code == key,
                "order": composite.score,
                "score": _text(composite.score),
                "place": standing.place if standing else None,
                "known": percent_text(composite.known_share, 0),
                "aspects": [
                    {"name": named(aspect), "score": _text(composite.aspects.get(aspect.id))}
                    for aspect in evaluation.aspects
                ],
            }
        )
    rows.sort(key=lambda row: (row["order"] is None, -(row["order"] or 0.0), row["name"]))
    address = reverse("score-weights", args=[place.info.id, beside])
    return {
        "others": rows,
        "columns": [named(aspect) for aspect in evaluation.aspects],
        "sampled": any(_is_sampled(place, part.indicator) for part in evaluation.parts),
        "weights_url": f"{address}?{urlencode({'month': asked.month, 'of': evaluation.id})}",
    }


def _is_sampled(place: CityRuntime, indicator: str) -> bool:
    return any(one.id == indicator and one.unit == "score" for one in place.pack.indicators.indicators)


def _above(place: CityRuntime, key: str) -> list[dict[str, str]]:
    """The regions above one, the city first."""
    return [{"name": named(region), "code": region.code} for region in place.regions.chain(key)[:-1]]
