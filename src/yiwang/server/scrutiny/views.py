"""The bottleneck page: where time goes, as a picture, as tables that say the same, and as CSV."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_GET

from yiwang.server.cases.api import category_name, region_name, step_name, unit_name
from yiwang.server.cities.choices import region_choices
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import english, say
from yiwang.server.scrutiny import flow_tables, flowing
from yiwang.server.scrutiny.access import staff_only
from yiwang.server.scrutiny.flowing import FlowQuery
from yiwang.server.scrutiny.workflow_svg import workflow_svg

KINDS = ("step", "unit", "level", "move", "path")


def _day(text: str, fallback: date) -> date:
    if not text:
        return fallback
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Http404(say("日期写成 2026-11-01", "Write dates as 2026-11-01")) from error


def _flow_query(request: HttpRequest, place: CityRuntime) -> FlowQuery | None:
    """Period and region of the address; the last thirty days with cases by default. None where there are no cases."""
    region = request.GET.get("region", "")
    if region and region not in place.regions:
        raise Http404(say("没有这个区域", "There is no such region"))
    span = flowing.last_month(place)
    if span is None:
        return None
    last = _day(request.GET.get("to", ""), span[1])
    first = _day(request.GET.get("from", ""), min(span[0], last) if request.GET.get("to") else span[0])
    if first > last:
        first, last = last, first
    return FlowQuery(first=first, last=min(last, date.max - timedelta(days=2)), region=region)


def _query(asked: FlowQuery, **more: str) -> str:
    return urlencode({"from": asked.first.isoformat(), "to": asked.last.isoformat(), "region": asked.region, **more})


@require_GET
@staff_only
def flow_page(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """Time by step, unit and level, moves and ways, drawn and listed."""
    asked = _flow_query(request, place)
    context: dict[str, Any] = {
        "city": place.info,
        "page": "flow",
        "regions": region_choices(place, depth=3),
        "asked": asked,
    }
    if asked is not None:
        cases = reverse("flow-cases", args=[place.info.id])
        found = flowing.flow(place, asked)
        tables = flow_tables.Tables(place, found, link=lambda kind, key: f"{cases}?{_query(asked, of=kind, key=key)}")
        language = "en" if english() else "zh"
        picture = workflow_svg(
            place.rules.workflow, language=language, standalone=False, traffic=tables.traffic() if found.cases else None
        )
        context |= {
            "flow": found,
            # drawn by our own code; every text in it is escaped there
            "picture": mark_safe(picture),  # noqa: S308
            "steps": tables.steps(),
            "units": tables.units()[: flowing.MOST_UNITS],
            "more_units": max(0, len(found.units) - flowing.MOST_UNITS),
            "levels": tables.levels(),
            "moves": tables.moves(),
            "paths": tables.paths(),
            "query": _query(asked),
        }
    return render(request, "scrutiny/flow.html", context)


@require_GET
@staff_only
def flow_csv(request: HttpRequest, place: CityRuntime, table: str) -> HttpResponse:
    """One of the tables, for spreadsheets."""
    asked = _flow_query(request, place)
    if table not in flow_tables.TABLES or asked is None:
        raise Http404
    rows = flow_tables.Tables(place, flowing.flow(place, asked)).plain(table)
    text = io.StringIO()
    writer = csv.DictWriter(text, flow_tables.TABLES[table], lineterminator="\r\n")
    writer.writerow({name: say(flow_tables.HEADS[name]) for name in flow_tables.TABLES[table]})
    writer.writerows(rows)
    answer = HttpResponse(b"\xef\xbb\xbf" + text.getvalue().encode(), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = (
        f'attachment; filename="{place.info.id}-flow-{table}-{asked.first}-{asked.last}.csv"'
    )
    return answer


@require_GET
@staff_only
def flow_cases(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """The cases behind a figure."""
    asked, kind, key = _flow_query(request, place), request.GET.get("of", ""), request.GET.get("key", "")
    if asked is None or kind not in KINDS:
        raise Http404
    rows = flowing.behind(place, asked, kind=kind, key=key)
    for row in rows:
        row["category_name"] = category_name(place, row["category"])
        row["region_name"] = region_name(place, row["region"])
        row["holder_name"] = unit_name(place, row["holder"])
        row["step_name"] = step_name(place, row["step"])
    context = {
        "city": place.info,
        "page": "flow",
        "asked": asked,
        "rows": rows,
        "most": flowing.MOST_BEHIND,
        "title": flow_tables.title(place, kind, key),
        "query": _query(asked),
    }
    return render(request, "scrutiny/flow_cases.html", context)
