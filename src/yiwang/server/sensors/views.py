"""Pages of streams and alarms, for those who hold a post in the city."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from yiwang.core.kernel.instants import from_micros
from yiwang.core.kernel.text import Text
from yiwang.server.cases.api import region_name
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.common.moments import read_moment
from yiwang.server.scrutiny.access import staff_only
from yiwang.server.sensing import api as sensing
from yiwang.server.sensors.charts import chart_of
from yiwang.server.sensors.periods import NAMES, stretch_over, stretch_to
from yiwang.server.sensors.showing import shown_alarm, shown_stream

PAGE_SIZE = 50
MOST_CHARTS, MOST_TURNS = 3, 6  # on a case's page
AFTER = timedelta(hours=1)
LOW_BATTERY = 15.0  # per cent


@require_GET
@staff_only
def streams(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """Streams with what they say now, those in alarm first to be chosen."""
    asked = {name: request.GET.get(name, "").strip()[:100] for name in ("q", "state")}
    after = request.GET.get("after", "")
    found, more = sensing.list_streams(
        place,
        q=asked["q"],
        in_alarm=asked["state"] == "alarm",
        after=int(after) if after.isascii() and after.isdecimal() and len(after) < 19 else 0,
        limit=PAGE_SIZE,
    )
    kept = {name: value for name, value in asked.items() if value}
    context = {
        "city": place.info,
        "page": "sensors",
        "filters": asked,
        "active": len(kept),
        "rows": [shown_stream(place, row) for row in found],
        "counts": sensing.stream_counts(place.info.id),
        "next_url": f"?{urlencode({**kept, 'after': found[-1]['id']})}" if more else "",
        "first_url": f"?{urlencode(kept)}" if after else "",
    }
    return render(request, "sensors/list.html", context)


@require_GET
@staff_only
def stream(request: HttpRequest, place: CityRuntime, key: int) -> HttpResponse:
    """One stream: what it is, its course, its alarms and the rules that judge it."""
    found = sensing.stream_row(place, key)
    if found is None:
        raise Http404(say("没有这路监测流。", "There is no such datastream."))
    newest = from_micros(found["last_time"]) if found["last_time"] is not None else timezone.now()
    try:
        until = read_moment(request.GET["until"], zone=place.info.zone) if request.GET.get("until") else newest
    except ValueError:
        until = newest
    shown = stretch_to(until, name=request.GET.get("period", "day"))
    points = sensing.series_points(key, start=shown.start, end=shown.end, width=shown.width)
    length = timedelta(microseconds=shown.end - shown.start)
    chart = chart_of(place, found, shown, points)
    context = {
        "city": place.info,
        "page": "sensors",
        "stream": shown_stream(place, found),
        "place_name": region_name(place, found["region"]) if found["region"] else "",
        "component_url": reverse("component", args=[place.info.id, found["component"]]) if found["component"] else "",
        "chart": chart.data(),
        "limits": chart.limits,
        "marks": chart.marks,
        "readings": sum(one[1] for one in points),
        "periods": [
            {
                "name": say(name),
                "query": urlencode({"period": kind, "until": until.isoformat()}),
                "here": kind == shown.name,
            }
            for kind, name in NAMES.items()
        ],
        "from": from_micros(shown.start),
        "until": from_micros(shown.end),
        "earlier": urlencode({"period": shown.name, "until": (until - length).isoformat()}),
        "later": urlencode({"period": shown.name, "until": (until + length).isoformat()}) if until < newest else "",
        "alarms": [shown_alarm(place, one) for one in sensing.alarms_of(place.info.id, stream=key, most=PAGE_SIZE)],
        "rules": sensing.rules_of_stream(place, found),
    }
    return render(request, "sensors/stream.html", context)


@require_GET
@staff_only
def alarms(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """The latest alarms of the city and what became of them."""
    context = {
        "city": place.info,
        "page": "sensors",
        "counts": sensing.stream_counts(place.info.id),
        "alarms": [shown_alarm(place, one) for one in sensing.alarms_of(place.info.id, most=200)],
    }
    return render(request, "sensors/alarms.html", context)


@require_GET
@staff_only
def devices(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """Devices with their signs of life, and the messages that could not be read."""
    now, silent, after = timezone.now(), request.GET.get("silent") == "1", request.GET.get("after", "")[:100]
    found = list(
        islice(sensing.list_devices(place.info.id, at=now, silent=silent, after=after.replace("\0", "")), PAGE_SIZE + 1)
    )
    kept = {"silent": "1"} if silent else {}
    rows = [_device(one) for one in found[:PAGE_SIZE]]
    context = {
        "city": place.info,
        "page": "sensors",
        "counts": sensing.stream_counts(place.info.id),
        "silent": silent,
        "rows": rows,
        "rejected": []
        if after or silent
        else [_rejected(one) for one in sensing.list_rejected(place.info.id, most=PAGE_SIZE)],
        "next_url": f"?{urlencode({**kept, 'after': rows[-1]['device']})}" if len(found) > PAGE_SIZE else "",
        "first_url": f"?{urlencode(kept)}" if after else "",
    }
    return render(request, "sensors/devices.html", context)


def _device(row: dict[str, Any]) -> dict[str, Any]:
    """A row of `list_devices` as templates show it."""
    battery = row["battery"]
    return {
        **row,
        "seen": datetime.fromisoformat(row["last_seen"]) if row["last_seen"] else None,
        "since": datetime.fromisoformat(row["silent_since"]) if row["silent_since"] else None,
        "charge": None if battery is None else battery / 100,
        "low": battery is not None and battery < LOW_BATTERY,
    }


def _rejected(one: sensing.Rejected) -> dict[str, Any]:
    return {"topic": one.topic, "why": say(Text.of(one.why)), "count": one.count, "at": from_micros(one.last_time)}


@require_GET
@staff_only
def of_case(request: HttpRequest, place: CityRuntime, number: str) -> HttpResponse:
    """The course of the streams whose alarms a case came of, for its page: around the alarms, up to an hour after the last."""
    by_stream: dict[int, list[sensing.Alarm]] = {}
    for one in sensing.alarms_of_case(place.info.id, number):
        by_stream.setdefault(one.datastream_id, []).append(one)
    parts = [_course(place, key, alarms) for key, alarms in list(by_stream.items())[:MOST_CHARTS]]
    context = {"city": place.info, "parts": parts, "more": max(0, len(by_stream) - MOST_CHARTS)}
    return render(request, "sensors/of_case.html", context)


def _course(place: CityRuntime, key: int, alarms: list[sensing.Alarm]) -> dict[str, Any]:
    """A stream around its alarms; the latest comes first."""
    row = sensing.stream_row(place, key)
    assert row is not None  # alarms go with their datastream
    newest = from_micros(row["last_time"]) if row["last_time"] is not None else timezone.now()
    last = max(from_micros(alarms[0].time), min(newest, from_micros(alarms[0].time) + AFTER))
    shown = stretch_over(from_micros(min(one.since for one in alarms)), last)
    points = sensing.series_points(key, start=shown.start, end=shown.end, width=shown.width)
    return {
        "stream": shown_stream(place, row),
        "chart": chart_of(place, row, shown, points).data(),
        "from": from_micros(shown.start),
        "until": from_micros(shown.end),
        "query": urlencode({"period": shown.name, "until": last.isoformat()}),
        "alarms": [shown_alarm(place, one) for one in alarms[:MOST_TURNS]],
    }
