"""The bulletin's page and its file, for people who hold a post in the city."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.http import require_GET

from yiwang.core.kernel.errors import BadInput
from yiwang.core.space import Region
from yiwang.server.bulletins.bulletin import Bulletin, bulletin, is_going_on
from yiwang.server.bulletins.periods import Period, default_day, read_period
from yiwang.server.cases.api import FIGURE_NAMES, stands_at
from yiwang.server.centre.board import BoardNotReady
from yiwang.server.cities.choosing import chosen
from yiwang.server.cities.finding import region_or_404
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.common.paper import language_of, pdf_answer
from yiwang.server.common.refusing import sentences
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.people.queries import name_of
from yiwang.server.scrutiny.access import staff_only


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an address asks for. ``now`` is the city's: in a replayed one the end of its last day."""

    region: Region
    period: Period
    latest: Period
    now: datetime

    def query(self, period: Period) -> str:
        """The query part of the address of another period of the same region."""
        name = "week" if period.weekly else "day"
        return f"?{urlencode({name: period.value, 'region': self.region.code})}"


def _asked(request: HttpRequest, place: CityRuntime) -> Asked:
    zone, stands = place.info.zone, stands_at(city=place.info.id)
    now = stands or datetime.now(UTC)
    default = default_day(stands=stands, zone=zone)
    try:
        code = chosen(place, request.GET, "region")
        period = read_period(
            day=request.GET.get("day", ""), week=request.GET.get("week", ""), zone=zone, default=default
        )
    except BadInput as error:
        raise Http404(" ".join(sentences(error))) from error
    if period.start > now:
        raise Http404(say("{period}还没有到。", "{period} is still to come.", period=period.name))
    first = now.astimezone(zone).date()
    latest = read_period(day=first.isoformat(), week="", zone=zone, default=first)
    return Asked(region=region_or_404(place, code), period=period, latest=latest, now=now)


@require_GET
@staff_only
def page(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """The bulletin of a day (yesterday) or a week."""
    asked = _asked(request, place)
    context: dict[str, Any] = {
        "city": place.info,
        "page": "bulletin",
        "asked": asked,
        "period": asked.period,
        # the whole city is an empty field, in which one types at once
        "region_code": "" if asked.region == place.regions.roots[0] else asked.region.code,
        "whole_city": named(place.regions.roots[0]),
        "latest": asked.latest.value,
    }
    try:
        found = bulletin(place=place, region=asked.region, period=asked.period, now=asked.now)
    except BoardNotReady as error:
        return render(request, "bulletins/bulletin.html", context | {"wait": say(error.text)}, status=503)
    earlier, later = asked.period.back(), asked.period.back(-1)
    context |= {
        "bulletin": found,
        "going_on": found is not None and is_going_on(asked.period, found.at),
        "earlier": asked.query(earlier),
        "later": asked.query(later) if later.start <= asked.now else "",
        "file_query": asked.query(asked.period),
        "day_query": asked.query(Period(first=asked.period.last, weekly=False, zone=place.info.zone))
        if asked.period.end <= asked.now
        else "?" + urlencode({"region": asked.region.code}),
        "week_query": asked.query(
            read_period(day="", week=_week_of(asked.period), zone=place.info.zone, default=asked.period.first)
        ),
        "chart": json.dumps(_chart(found), ensure_ascii=False) if found else "",
    }
    return render(request, "bulletins/bulletin.html", context)


def _week_of(period: Period) -> str:
    year, week, _ = period.first.isocalendar()
    return f"{year}-W{week:02}"


@require_GET
@staff_only
def file_pdf(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """The same as a PDF, in the language of the page or of ``?lang=``."""
    asked = _asked(request, place)
    with translation.override(language_of(request)):
        try:
            found = bulletin(place=place, region=asked.region, period=asked.period, now=asked.now)
        except BoardNotReady as error:
            return HttpResponse(say(error.text), status=503, content_type="text/plain; charset=utf-8")
        if found is None:
            raise Http404(say("到这时还没有案卷。", "There were no cases yet by then."))
        # Here, so that a start does not wait for fpdf and its fonts.
        from yiwang.server.bulletins.bulletin_pdf import bulletin_pdf

        content = bulletin_pdf(found, place=place, by=_who(request), now=datetime.now(UTC))
    return pdf_answer(content, name="-".join((place.info.id, "bulletin", asked.region.code, asked.period.value)))


def _who(request: HttpRequest) -> str:
    user: Any = request.user
    return name_of(user)


def _chart(found: Bulletin) -> dict[str, Any]:
    """The numbers for ``<city-chart>``."""
    weekly = found.period.weekly
    return {
        "title": say("近 8 周", "The last 8 weeks") if weekly else say("近 14 天", "The last 14 days"),
        "heading": say("周", "Week") if weekly else say("日", "Day"),
        "empty": say("这段时间没有案卷。", "No cases in this time."),
        "table": say("数字表", "As a table"),
        "series": [
            {"name": say(FIGURE_NAMES["opened"]), "kind": "bar", "colour": "brand"},
            {"name": say(FIGURE_NAMES["closed"]), "kind": "bar", "colour": "edge"},
            {"name": say(FIGURE_NAMES["overdue"]), "kind": "line", "colour": "red"},
        ],
        "rows": [
            {"name": one["name"], "link": one["link"], "values": [one["opened"], one["closed"], one["overdue"]]}
            for one in found.points
        ],
    }
