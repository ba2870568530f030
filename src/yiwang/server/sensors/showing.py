"""A stream and an alarm as the pages of sensors show them."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from yiwang.core.kernel.instants import from_micros
from yiwang.core.kernel.text import Text
from yiwang.core.observations.conditions import Severity
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.sensing import api as sensing

LIGHTS = {Severity.MINOR: "", Severity.MODERATE: "yellow", Severity.SEVERE: "red", Severity.EXTREME: "red"}
TURNS = {
    "raised": Text("触发", "raised"),
    "worsened": Text("升级", "worsened"),
    "eased": Text("降级", "eased"),
    "cleared": Text("解除", "cleared"),
}
OUTCOMES = {
    "": Text("待处理", "waits"),
    "opened": Text("已开案卷", "opened a case"),
    "joined": Text("并入群众上报", "joined a report"),
    "noted": Text("记入案卷", "noted on the case"),
    "maintenance": Text("维护中，不立案", "maintenance: no case"),
    "nothing": Text("只保留", "kept only"),
    "failed": Text("未能立案", "no case possible"),
}


def shown_stream(place: CityRuntime, row: dict[str, Any]) -> dict[str, Any]:
    """A row of `list_streams` as templates show it."""
    value = row["result"] if row["value"] is None else f"{row['value']:g}"
    severity = Severity(row["severity"]) if row["severity"] else None
    last = row["last_time"]
    return {
        **row,
        "said": "" if last is None else str(value),
        "at": from_micros(last) if last is not None else None,
        "severity_name": say(severity.text) if severity else "",
        "light": LIGHTS[severity] if severity else "green",
    }


def shown_alarm(place: CityRuntime, alarm: sensing.Alarm) -> dict[str, Any]:
    """A turn of an alarm as templates show it."""
    return {
        "alarm": alarm,
        "at": from_micros(alarm.time),
        "turn": say(TURNS[alarm.turn]),
        "severity": say(Severity(alarm.severity).text),
        "light": "green" if alarm.turn == "cleared" else LIGHTS[Severity(alarm.severity)],
        "why": say(Text.of(alarm.why)),
        "outcome": say(OUTCOMES[alarm.outcome]),
        "problem": say(Text.of(alarm.problem)) if alarm.problem else "",
        "case_url": reverse("case", args=[place.info.id, alarm.case]) if alarm.case else "",
    }
