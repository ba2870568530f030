"""The league table, and the page that explains one of its figures down to the cases."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.views.decorators.http import require_GET

from yiwang.core.indicators.scorecard import PERIODS, dimension_of
from yiwang.core.kernel.errors import BadInput
from yiwang.server.cities.finding import city_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.common.paper import language_of, pdf_answer
from yiwang.server.common.spreadsheets import workbook
from yiwang.server.facts.models import FactStore
from yiwang.server.facts.sources import tables_of
from yiwang.server.scores import presentation, queries
from yiwang.server.scores.explaining import SHOWN, explain
from yiwang.server.scores.periods import bounds

MONTH = re.compile(r"(?:19|20)\d{2}-(?:0[1-9]|1[0-2])")
DEPARTMENT = "department"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreQuery:
    """What the address asks for: who is compared (a level or departments), and when (a month or all)."""

    place: CityRuntime
    store: FactStore | None
    level: str
    month: str
    months: list[str]

    @property
    def period(self) -> tuple[date | None, date | None]:
        return bounds(self.month)


def score_query(request: HttpRequest, city: str, *, level: str = "") -> ScoreQuery:
    """What the address asks for; the level from its query where it is not given.

    Raises:
        Http404: The city measures nothing, or there is no such level or month.
    """
    place = city_or_404(city)
    if not place.pack.indicators.indicators:
        raise Http404(say("这个城市没有指标（indicators.toml）", "This city's pack measures nothing (indicators.toml)"))
    levels = [level.id for level in place.info.levels]
    level = level or request.GET.get("level", "") or levels[min(1, len(levels) - 1)]
    if level not in (*levels, DEPARTMENT):
        raise Http404(say("没有这个层级", "There is no such level"))
    store = queries.complete_store(place)
    months = sorted(store.months, reverse=True) if store else []
    month = request.GET.get("month", months[0] if months else "")
    if month and not MONTH.fullmatch(month):
        raise Http404(say("月份应写成 2011-07", "Write the month as 2011-07"))
    return ScoreQuery(place=place, store=store, level=level, month=month, months=months)


def card_of(asked: ScoreQuery, *, shown: tuple[str, ...] = ()) -> queries.Scorecard:
    """The scorecard that is asked for; of all indicators where none are named."""
    since, until = asked.period
    by = (asked.level, "month") if asked.month else (asked.level,)
    return queries.scorecard(place=asked.place, by=by, indicators=shown, since=since, until=until)


@require_GET
def league(request: HttpRequest, city: str) -> HttpResponse:
    """Regions of a level, or departments, side by side for a month."""
    asked = score_query(request, city)
    context: dict[str, Any] = {
        "city": asked.place.info,
        "page": "score",
        "asked": asked,
        "levels": asked.place.info.levels,
    }
    if asked.store is not None:
        book = asked.place.pack.indicators
        card = card_of(asked, shown=book.shown)
        address = reverse("score-weights", args=[city, asked.level])
        context["weights_url"] = f"{address}?{urlencode({'month': asked.month})}"
        context |= presentation.league(card, place=asked.place, level=asked.level, month=asked.month)
    return render(request, "scores/league.html", context)


@require_GET
def league_csv(request: HttpRequest, city: str) -> HttpResponse:
    """The same as a table for a spreadsheet: every indicator with its numerator and denominator."""
    asked = score_query(request, city)
    if asked.store is None:
        raise Http404(say("还没有统计", "Nothing has been counted yet"))
    header, rows = queries.as_table(card_of(asked), place=asked.place)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(presentation.heads(header, place=asked.place))
    writer.writerows(rows)
    answer = HttpResponse("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    name = "-".join(filter(None, (city, "score", asked.level, asked.month)))
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


@require_GET
def league_xlsx(request: HttpRequest, city: str) -> HttpResponse:
    """The same as a workbook, with numbers as numbers."""
    asked = score_query(request, city)
    if asked.store is None:
        raise Http404(say("还没有统计", "Nothing has been counted yet"))
    header, rows = queries.as_table(card_of(asked), place=asked.place)
    content = workbook(presentation.heads(header, place=asked.place), rows)
    answer = HttpResponse(content, content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
    name = "-".join(filter(None, (city, "score", asked.level, asked.month)))
    answer["Content-Disposition"] = f'attachment; filename="{name}.xlsx"'
    return answer


@require_GET
def league_pdf(request: HttpRequest, city: str) -> HttpResponse:
    """The table of the page on paper: places and intervals beside each score, and the first indicators."""
    from yiwang.server.scores.league_pdf import league_sheet  # so that a start does not wait for fpdf and its fonts

    asked = score_query(request, city)
    if asked.store is None:
        raise Http404(say("还没有统计", "Nothing has been counted yet"))
    card = card_of(asked, shown=asked.place.pack.indicators.shown)
    with translation.override(language_of(request)):
        content = league_sheet(card, asked=asked, now=datetime.now(UTC))
    return pdf_answer(content, name="-".join(filter(None, (city, "score", asked.level, asked.month))))


@require_GET
def explain_figure(request: HttpRequest, city: str, indicator: str) -> HttpResponse:
    """One figure: what it means, from whom, and which cases make it."""
    asked = score_query(request, city)
    key = request.GET.get("key")
    only = {} if key is None else {asked.level: key}
    offset = int(text) if (text := request.GET.get("from", "0")).isdecimal() and len(text) < 10 else 0
    since, until = asked.period
    try:
        if asked.level not in PERIODS:
            dimension_of(asked.level, tables=tables_of(asked.place))
        found = explain(
            place=asked.place,
            indicator=indicator,
            only=only,
            since=since,
            until=until,
            offset=offset,
        )
    except BadInput as error:
        raise Http404(say(error.text)) from error
    query = {"level": asked.level, "month": asked.month} | ({} if key is None else {"key": key})
    return render(
        request,
        "scores/explained.html",
        {
            "city": asked.place.info,
            "page": "score",
            "asked": asked,
            "next_url": f"?{urlencode({**query, 'from': offset + SHOWN})}" if found.more else "",
            "first_url": f"?{urlencode(query)}" if offset else "",
            **presentation.explanation_context(found, place=asked.place, level=asked.level, key=key),
        },
    )
