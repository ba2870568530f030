"""The page that says how far an order depends on the weights that were chosen."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from yiwang.core.indicators.ranking import Place
from yiwang.server.common.formatting import number_text, percent_text
from yiwang.server.common.language import say
from yiwang.server.scores.presentation import thing
from yiwang.server.scores.views import ScoreQuery, card_of, score_query
from yiwang.server.scores.weights import WeightStudy, study_weights

SHARES = (5, 10, 20, 30, 50)


@require_GET
def weights(request: HttpRequest, city: str, level: str) -> HttpResponse:
    """Which places would change if each weight were larger or smaller by a share of itself."""
    asked = score_query(request, city, level=level)
    text = request.GET.get("share", "")
    share = int(text) if text in map(str, SHARES) else 20
    of = request.GET.get("of", "")
    context: dict[str, Any] = {
        "city": asked.place.info,
        "page": "score",
        "asked": asked,
        "shares": SHARES,
        "share": share,
        "of": of,
        "league_url": f"{reverse('score', args=[city])}?{urlencode({'level': asked.level, 'month': asked.month})}",
    }
    if asked.store is not None:
        found = study_weights(card_of(asked), place=asked.place, by=asked.level, share=share / 100, of=of)
        if found is not None and found.found.order:
            context |= _shown(found, asked)
    return render(request, "scores/weights.html", context)


def _shown(study: WeightStudy, asked: ScoreQuery) -> dict[str, Any]:
    place, found = asked.place, study.found
    name = {key: thing(place, asked.level, key) for key in (*found.order, *study.left_out)}
    names = {one.id: one.name for one in place.pack.indicators.indicators}
    names |= {one.id: one.name for one in study.evaluation.aspects}
    behind = {pair.ahead: pair for pair in found.neighbours}
    rows = [
        {
            "name": name[key],
            "score": number_text(score, 1),
            "place": number + 1,
            "best": found.places[key].best,
            "worst": found.places[key].worst,
            "line": _line(number + 1, found.places[key], len(found.order)),
            "stands": behind[key].stands if key in behind else None,
            "margin": number_text(behind[key].margin, 1) if key in behind else "",
            "least": number_text(behind[key].least, 1) if key in behind else "",
        }
        for number, (key, score) in enumerate(zip(found.order, found.scores, strict=True))
    ]
    parts = [
        {
            "name": say(names[part]) if part in names else part,
            "weight": percent_text(study.bounds.weights[at], 0),
            "low": percent_text(study.bounds.lows[at], 0),
            "high": percent_text(study.bounds.highs[at], 0),
            "crossings": [
                {"at": percent_text(one.at), "one": name[one.one], "other": name[one.other]}
                for one in found.crossings[at][:12]
            ],
            "more": max(0, len(found.crossings[at]) - 12),
        }
        for at, (part, _) in enumerate(study.evaluation.weighed)
    ]
    return {
        "evaluation": study.evaluation,
        "rows": rows,
        "parts": parts,
        "standing": sum(pair.stands for pair in found.neighbours),
        "pairs": len(found.neighbours),
        "left_out": [name[key] for key in study.left_out],
    }


def _line(now: int, place: Place, count: int) -> dict[str, str]:
    """Where a bar from the best to the worst place begins and ends, and its dot, of a hundred."""
    step = 100 / max(1, count)
    return {
        "from": f"{(place.best - 0.5) * step:.2f}",
        "to": f"{(place.worst - 0.5) * step:.2f}",
        "now": f"{(now - 0.5) * step:.2f}",
    }
