"""How a case reads to people: names for codes, clocks as traffic lights, events as sentences, in their language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import orjson

from yiwang.core.cases.events import SYSTEM, Event
from yiwang.core.cases.lateness import has_passed
from yiwang.core.cases.recounting import RECOUNT
from yiwang.core.cases.state import CaseState
from yiwang.core.kernel.text import Text
from yiwang.core.worktime import Clock, TimeUnit, WorkCalendar
from yiwang.core.worktime.calendar import UnknownYear
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say, say_or
from yiwang.server.common.templatetags.yiwang import lasting, named

YELLOW_FROM = 0.8  # of the limit used; the design's traffic light

UNIT_NAMES = {
    TimeUnit.URGENT_HOURS: Text("紧急工作时", "urgent hours (day and night)"),
    TimeUnit.WORK_HOURS: Text("工作时", "working hours"),
    TimeUnit.WORK_DAYS: Text("工作日", "working days"),
    TimeUnit.CALENDAR_DAYS: Text("自然日", "calendar days"),
}
FLAG_NAMES = {
    "undrawn": Text("地图上没有画的", "Not drawn on maps"),
    "default_point": Text("默认点位（位置不明）", "Stand-in point (place unknown)"),
    "outside": Text("在本市范围外", "Outside the city"),
    "border": Text("在界线附近", "Near a border"),
}
SOURCE_NAMES = {
    "public": Text("市民", "Citizen"),
    "hotline": Text("热线", "Hotline"),
    "inspector": Text("监督员", "Inspector"),
    "sensor": Text("监测", "Sensor"),
    "leader": Text("领导交办", "Leader"),
    "video": Text("视频", "Video"),
    "transfer": Text("转来", "Transferred"),
}
CLOCK_STATES = {
    "running": Text("计时中", "running"),
    "paused": Text("已暂停", "paused"),
    "stopped": Text("已停", "stopped"),
}


def light(*, opened_at: datetime, deadline: datetime | None, closed_at: datetime | None, at: datetime) -> str:
    """Traffic light of a deadline at a moment: red when it has passed, yellow in the last fifth of the time, green before;
    none for what had ended by then."""
    if deadline is None or (closed_at is not None and closed_at <= at):
        return ""
    if has_passed(deadline, at=at):
        return "red"
    whole = (deadline - opened_at).total_seconds()
    return "yellow" if whole <= 0 or (at - opened_at).total_seconds() / whole >= YELLOW_FROM else "green"


def region_name(runtime: CityRuntime, code: str, *, levels: int = 2) -> str:
    """The last names of a region's chain, e.g. ``崇安寺街道 · 盛巷社区``; the code where the pack does not know it."""
    if not code:
        return say("位置待定", "Not located")
    chain = runtime.regions.chain(code) if code in runtime.regions else ()
    names = [named(region) for region in chain[1:]] or [named(region) for region in chain]
    return " · ".join(names[-levels:]) or code


def unit_name(runtime: CityRuntime, code: str) -> str:
    unit = runtime.rules.units.get(code) if code else None
    return named(unit) if unit else code


def step_name(runtime: CityRuntime, step: str) -> str:
    found = runtime.rules.workflow.steps.get(step)
    return named(found) if found else step


def category_name(runtime: CityRuntime, code: str) -> str:
    found = runtime.categories.get(code)
    return named(found) if found else (code or say("未分类", "Not classified"))


WORKING = frozenset({TimeUnit.WORK_HOURS, TimeUnit.WORK_DAYS})


def duration_words(seconds: float | None, *, unit: TimeUnit, calendar: WorkCalendar) -> str:
    """A length of counted time in words: working time in working days of the city's own length and working hours (56 hours
    of 8-hour days are ``7 工作日``), everything else as `lasting` says it. The sign is left to the words around it."""
    if seconds is None or unit not in WORKING or not calendar.seconds_per_day:
        return lasting(None if seconds is None else abs(seconds))
    minutes = int(abs(seconds)) // 60
    days, rest = divmod(minutes, calendar.seconds_per_day // 60)
    hours, minutes = divmod(rest, 60)
    if not (days or hours):
        return lasting(abs(seconds))
    names = (
        Text("{n} 工作日", "{n} working day" if days == 1 else "{n} working days", n=days),
        Text("{n} 工作时", "{n} working h", n=hours),
        Text("{n} 分钟", "{n} min", n=minutes),
    )
    parts = [say(name) for count, name in zip((days, hours, minutes), names, strict=True) if count]
    return " ".join(parts[:2])


def time_left(values: Mapping[str, Any], *, runtime: CityRuntime, at: datetime) -> dict[str, Any]:
    """What is left of the deadline that a row shows, in the time that its clock counts, as every page says it.

    Returns:
        ``left`` (counted seconds, None without a running deadline), ``left_text`` in words, ``is_late``, ``working``
        (whether it is working time).
    """
    due = values["deadline"]
    if due is None or (values["closed_at"] is not None and values["closed_at"] <= at):
        return {"left": None, "left_text": "", "is_late": False, "working": False}
    kept = orjson.loads(values["rest"]) if values.get("rest") else {}
    stored = (kept.get("clocks") or {}).get(kept.get("deadline_clock", ""))
    clock = Clock.from_dict(stored) if stored else None
    unit = clock.unit if clock else TimeUnit.URGENT_HOURS
    try:
        left = clock.remaining_seconds(calendar=runtime.calendar, at=at) if clock else (due - at).total_seconds()
    except UnknownYear:
        left, unit = (due - at).total_seconds(), TimeUnit.URGENT_HOURS
    return {
        "left": left,
        "left_text": duration_words(left, unit=unit, calendar=runtime.calendar),
        "is_late": has_passed(due, at=at),
        "working": unit in WORKING,
    }


def row(values: Mapping[str, Any], *, runtime: CityRuntime, at: datetime, estimated: bool = False) -> dict[str, Any]:
    """One line of a list, from the columns of a case. ``estimated``: the deadline rests on holidays not announced yet."""
    return {
        **values,
        "category_name": category_name(runtime, values["category"]),
        "step_name": step_name(runtime, values["step"]),
        "region_name": region_name(runtime, values["region"]),
        "holder_name": unit_name(runtime, values["holder"]),
        "light": light(
            opened_at=values["opened_at"], deadline=values["deadline"], closed_at=values["closed_at"], at=at
        ),
        "estimated": estimated,
        **time_left(values, runtime=runtime, at=at),
    }


def limit_text(amount: float, unit: TimeUnit) -> str:
    return f"{amount:g} {say(UNIT_NAMES[unit])}"


def clocks(state: CaseState, *, runtime: CityRuntime, at: datetime) -> list[dict[str, Any]]:
    """The clocks of a case with what is used and what is left, in counted time."""
    return [_clock(name, clock, runtime=runtime, at=at) for name, clock in state.clocks.items()]


def _clock(name: str, clock: Clock, *, runtime: CityRuntime, at: datetime) -> dict[str, Any]:
    definition = runtime.rules.workflow.clocks.get(name)
    used = clock.elapsed_seconds(calendar=runtime.calendar, at=at)
    left = clock.remaining_seconds(calendar=runtime.calendar, at=at)
    due = clock.deadline(calendar=runtime.calendar)
    late = has_passed(due, at=at) if due else left < 0
    state = "red" if late else "green" if left > (1 - YELLOW_FROM) * clock.limit_seconds else "yellow"
    names: dict[str, Text | str] = {"name": definition.name} if definition else {"name": name}
    return {
        **names,
        "status_name": say_or(CLOCK_STATES.get(str(clock.status)), str(clock.status)),
        "limit_text": _seconds_text(clock, runtime),
        "used": used,
        "left": left,
        "is_late": late,
        "used_text": duration_words(used, unit=clock.unit, calendar=runtime.calendar),
        "left_text": duration_words(left, unit=clock.unit, calendar=runtime.calendar),
        "light": state if str(clock.status) == "running" else "",
    }


def _seconds_text(clock: Clock, runtime: CityRuntime) -> str:
    hours = clock.limit_seconds / 3600
    if clock.unit == TimeUnit.WORK_DAYS:
        return limit_text(clock.limit_seconds / runtime.calendar.seconds_per_day, clock.unit)
    said = limit_text(hours / 24 if clock.unit == TimeUnit.CALENDAR_DAYS else hours, clock.unit)
    if clock.unit == TimeUnit.WORK_HOURS and clock.limit_seconds >= runtime.calendar.seconds_per_day:
        days = duration_words(clock.limit_seconds, unit=clock.unit, calendar=runtime.calendar)
        return say("{said}（{days}）", "{said} ({days})", said=said, days=days)
    return said


def story(events: Iterable[Event], *, runtime: CityRuntime, persons: bool) -> list[dict[str, Any]]:
    """The events of a case as a reader sees them, oldest first; ``persons`` says whether names are shown."""
    return [_event_line(event, runtime, persons) for event in events]


def _event_line(event: Event, runtime: CityRuntime, persons: bool) -> dict[str, Any]:
    workflow = runtime.rules.workflow
    verb, role = workflow.verbs.get(event.verb), workflow.roles.get(event.role)
    system = event.actor == SYSTEM
    tone = "system" if system else workflow.plans[verb.id].tone if verb else ""
    return {
        "verb_name": named(verb) if verb else say_or(SYSTEM_VERBS.get(event.verb), event.verb),
        "at": event.at,
        "actor_name": say("系统", "System") if system else event.actor_name if persons else "",
        "role_name": named(role) if role and not system else "",
        "actor_unit_name": unit_name(runtime, event.actor_unit),
        "moved": event.holder != event.from_holder,
        "from_holder_name": unit_name(runtime, event.from_holder),
        "holder_name": unit_name(runtime, event.holder),
        "reason": event.reason,
        "lines": [str(event.payload[key]) for key in ("note", "opinion", "result") if event.payload.get(key)],
        "moves": _moves(event, runtime) + (_evidence_lines(event, runtime) if persons else []),
        "tone": tone,
    }


EVIDENCE_WORDS = {
    "on_site": Text(
        "现场：{at}，{lon:.5f}, {lat:.5f} ±{accuracy_m:.0f} 米",
        "On site: {at}, {lon:.5f}, {lat:.5f} ±{accuracy_m:.0f} m",
    ),
    "by_phone": Text("手机记录：{at}", "By the phone: {at}"),
    "observation": Text(
        "监测：{at}，{datastream} 为 {value:g} {unit}", "Observed: {at}, {datastream} was {value:g} {unit}"
    ),
}


def _evidence_lines(event: Event, runtime: CityRuntime) -> list[str]:
    """The evidence that came with an event, a line for each kind."""
    given = event.payload.get("evidence") or event.payload.get("set", {}).get("evidence") or {}
    return [
        say(
            EVIDENCE_WORDS[kind],
            **{**parts, "at": f"{datetime.fromisoformat(parts['at']).astimezone(runtime.info.zone):%Y-%m-%d %H:%M}"},
        )
        for kind, parts in given.items()
        if kind in EVIDENCE_WORDS
    ]


SYSTEM_VERBS = {RECOUNT: Text("截止时间重算", "Deadline counted anew")}


def _moves(event: Event, runtime: CityRuntime) -> list[str]:
    """What a corrected place did: from which region to which, a pin that was taken away, a unit that stays at work."""
    payload, told = event.payload, []
    values, was = payload.get("set", {}), payload.get("was", {})
    if event.seq > 1 and "region" in values:
        names = [region_name(runtime, code) or "—" for code in (was.get("region", ""), values["region"])]
        told.append(say("区域：{0} → {1}", "Region: {0} → {1}").format(*names))
    if event.verb == RECOUNT:
        zone = runtime.info.zone
        moments = [
            datetime.fromisoformat(text).astimezone(zone)
            for text in (was.get("deadline"), values.get("deadline"))
            if text
        ]
        told.append(say("截止：{0}", "Due: {0}").format(" → ".join(f"{moment:%Y-%m-%d %H:%M}" for moment in moments)))
    if "lon" in was:
        taken = values.get("lon", was["lon"]) is None
        told.append(
            say("原坐标不在新区域内，已清除", "The old point lies outside the new region and was taken away")
            if taken
            else say("坐标已更正", "The point was corrected")
        )
    if kept := payload.get("kept"):
        names = [unit_name(runtime, kept[name]) for name in ("unit", "ruled")]
        told.append(
            say(
                "已派遣，仍由{0}承办（按新位置应为{1}）", "Dispatched: {0} keeps it (by the new place it would be {1})"
            ).format(*names)
        )
    return told


def custody(state: CaseState, *, runtime: CityRuntime, at: datetime) -> list[dict[str, Any]]:
    """The chain of holders with the time, day and night, that each has had the case."""
    return [
        {
            "unit_name": unit_name(runtime, link.unit),
            "seconds": ((link.until or state.closed_at or at) - link.since).total_seconds(),
        }
        for link in state.custody
        if link.unit
    ]


def map_labels() -> str:
    """The few words that the map element shows itself."""
    return orjson.dumps(
        {
            "open": say("在办", "open"),
            "overdue": say("超时", "overdue"),
            "late": say("超时", "overdue"),
            "soon": say("将到期", "due soon"),
            "fine": say("期内", "in time"),
            "default_point": say(FLAG_NAMES["default_point"]),
            "outside": say(FLAG_NAMES["outside"]),
            "failed": say("地图数据没有取到，请刷新。", "The map data did not arrive; please reload."),
        }
    ).decode()
