"""The options of a combobox, as HTML in the reader's language."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.text import Text
from yiwang.server.cities.choosing import Choice, choices
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.formatting import limit_text, moment_text
from yiwang.server.common.name_index import fold

MOST = 30


@require_GET
def options(request: HttpRequest, city: str, kind: str) -> HttpResponse:
    """Units, regions or categories that the words ``q`` may mean, best first; of a ``category`` its filing conditions."""
    place, words = city_or_404(city), request.GET.get("q", "")[:100]
    category = request.GET.get("category", "")
    if kind == "conditions":
        shown = conditions(place, category, region=request.GET.get("region", ""), words=words)
    elif known := choices(place, kind):
        shown = known.find(words, limit=MOST)
    else:
        raise Http404
    answer = render(
        request,
        "parts/options.html",
        {"choices": shown, "more": len(shown) == MOST, "kind": kind, "category": category},
    )
    answer["Cache-Control"] = "private, max-age=60"
    return answer


def conditions(place: CityRuntime, category: str, *, region: str, words: str) -> list[Choice]:
    """The filing conditions 立案条件 of a category that hold the words, each with its limit and when the case would be due."""
    wanted = [fold(word) for word in words.split()]
    return [
        Choice(code, condition.text, _due(place, category=category, condition=code, region=region))
        for (of, code), condition in place.pack.conditions.items()
        if of == category
        and all(word == fold(code) or word in fold("".join(condition.text.values())) for word in wanted)
    ]


def _due(place: CityRuntime, *, category: str, condition: str, region: str) -> Text:
    now = timezone.now().astimezone(place.info.zone)
    facts = {"category": category, "condition": condition, "region": region, "channel": "", "priority": ""}
    triaged = place.rules.triage_for(facts, now.date())
    facts["priority"] = triaged.priority if triaged else ""
    limit, _ = place.rules.limit_for(facts, now.date())
    if limit is None:
        return Text("不设时限", "No limit")
    try:
        due = place.calendar.add(start=now, limit=limit).astimezone(place.info.zone)
    except BadInput as error:  # the calendar ends before
        return error.text
    return Text(
        "{limit}；现在派遣，{due} 到期",
        "{limit}; dispatched now, due {due}",
        limit=limit_text(limit.amount, limit.unit),
        due=moment_text(due),
    )
