"""Sensors on maps: the page with the map, what maps draw and ask of them, and the alarms that stand for the command centre."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import orjson
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_cache_control
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET

from yiwang.core.kernel.text import Text
from yiwang.server.cases.api import map_labels, prefixes_of
from yiwang.server.cities.finding import region_of_request
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.formatting import lasting_text, moment_text
from yiwang.server.common.language import say
from yiwang.server.scrutiny.access import staff_only
from yiwang.server.sensing import api as sensing
from yiwang.server.sensors.showing import LIGHTS, shown_stream

MOST_ALERTS = 12
MOST_STREAMS = 12  # of a thing in its popup
# an alarm says itself
STATES = {
    sensing.ThingState.NORMAL: Text("正常", "In order"),
    sensing.ThingState.MAINTENANCE: Text("维护中，报警不立案", "Under maintenance: alarms open no case"),
    sensing.ThingState.SILENT: Text("长时间没有读数", "Nothing heard for a long time"),
}


@require_GET
@staff_only
def sensor_map(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """The map of the sensors."""
    city = place.info.id
    regions = f"{reverse('map-regions', args=[city])}?region={place.regions.roots[0].code}"
    context = {
        "city": place.info,
        "page": "sensors",
        "counts": sensing.stream_counts(city),
        "map_labels": map_labels(),
        "map_regions_url": regions,
    }
    return render(request, "sensors/map.html", context)


@require_GET
@gzip_page
@staff_only
def map_data(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """GeoJSON of the things with their states (``id, name, state``). Its tag changes when one of them does, and not with readings."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [round(one.lon, 6), round(one.lat, 6)]},
            "properties": {"id": one.id, "name": one.name, "state": one.state.value},
        }
        for one in sensing.placed_things(place, at=timezone.now())
    ]
    return _tagged(request, orjson.dumps({"type": "FeatureCollection", "features": features}), "application/json")


@require_GET
@staff_only
def thing(request: HttpRequest, place: CityRuntime, key: int) -> HttpResponse:
    """What a map shows of a thing that was clicked: its state, the latest readings of its streams, its alarms and their cases."""
    found = sensing.placed_things(place, at=timezone.now(), thing=key)
    if not found:
        raise Http404(say("没有这个监测对象。", "There is no such thing."))
    city, (one,) = place.info.id, found
    lines: list[dict[str, str]] = []
    alarms = sensing.standing_alarms(place, thing=key)
    if one.state in STATES:
        lines.append({"text": say(STATES[one.state])})
    lines += [{"text": _alarm_line(alarm)} for alarm in alarms]
    for number in dict.fromkeys(alarm.case for alarm in alarms if alarm.case):  # alarms of one cause have one case
        text = say("打开案卷 {number}", "Open the case {number}", number=number)
        lines.append({"text": text, "href": reverse("case", args=[city, number])})
    streams = sensing.streams_of_thing(place, key)
    lines += [
        {"text": _reading_line(place, row), "href": reverse("sensor-stream", args=[city, row["id"]])}
        for row in streams[:MOST_STREAMS]
    ]
    if len(streams) > MOST_STREAMS:
        lines.append({"text": say("另有 {n} 路监测流。", "{n} more streams.", n=len(streams) - MOST_STREAMS)})
    answer = HttpResponse(orjson.dumps({"name": one.name, "lines": lines}), content_type="application/json")
    patch_cache_control(answer, private=True, no_cache=True)
    return answer


@require_GET
@staff_only
def standing(request: HttpRequest, place: CityRuntime) -> HttpResponse:
    """The alarms that stand in a region, the most severe first, as a part of the command centre."""
    region = region_of_request(request, place)
    alarms = sensing.standing_alarms(place, regions=prefixes_of(region.code, place=place))
    context = {
        "city": place.info,
        "alarms": [_alert(place, one) for one in alarms[:MOST_ALERTS]],
        "more": max(0, len(alarms) - MOST_ALERTS),
    }
    made = render(request, "sensors/_standing.html", context)
    return _tagged(request, made.content, "text/html; charset=utf-8")


def _stood(alarm: sensing.StandingAlarm) -> str:
    """How long an alarm has stood; a reading of a clock that is ahead has not stood for less than nothing."""
    if alarm.since is None:
        return ""
    return lasting_text(max(timedelta(0), timezone.now() - alarm.since).total_seconds())


def _alarm_line(alarm: sensing.StandingAlarm) -> str:
    return say(
        "{severity}报警：{name}，已持续 {lasting}",
        "{severity} alarm: {name}, for {lasting}",
        severity=alarm.severity.text,
        name=alarm.condition,
        lasting=_stood(alarm),
    )


def _reading_line(place: CityRuntime, row: dict[str, Any]) -> str:
    shown = shown_stream(place, row)
    if shown["at"] is None:
        return say("{name}：还没有读数", "{name}: no reading yet", name=row["observed"])
    return say(
        "{name}：{value}（{at}）",
        "{name}: {value} ({at})",
        name=row["observed"],
        value=f"{shown['said']} {row['unit']}".strip(),
        at=moment_text(shown["at"], place.info.zone),
    )


def _alert(place: CityRuntime, alarm: sensing.StandingAlarm) -> dict[str, Any]:
    return {
        "alarm": alarm,
        "severity": say(alarm.severity.text),
        "light": LIGHTS[alarm.severity],
        "lasting": _stood(alarm),
        "case_url": reverse("case", args=[place.info.id, alarm.case]) if alarm.case else "",
    }


def _tagged(request: HttpRequest, content: bytes, kind: str) -> HttpResponse:
    """An answer that browsers keep for its reader alone and ask for again each time: 304 while it is the same."""
    # weak from the start: compressing makes it so, and scripts that compare tags would take the 304's for another
    tag = f'W/"{hashlib.sha256(content).hexdigest()[:16]}"'
    answer = HttpResponse(content, content_type=kind, headers={"ETag": tag})
    patch_cache_control(answer, private=True, no_cache=True)
    made = get_conditional_response(request, etag=tag, response=answer)
    assert isinstance(made, HttpResponse)  # it has an answer to give
    return made
