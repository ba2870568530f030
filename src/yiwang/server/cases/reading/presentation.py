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
from yiwang.core.observations.conditions import Severity
from yiwang.core.worktime import Clock, TimeUnit, WorkCalendar
from yiwang.core.worktime.calendar import UnknownYear
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.formatting import lasting_text, limit_text, moment_text, working_text
from yiwang.server.common.language import say, say_or
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.people.queries import names_of

YELLOW_FROM = 0.8  # of the limit used; the design's traffic light

# one name for each figure, on every page, in the API and in the public files; where two are counted otherwise they are called
# otherwise: closed on time (of what was closed and had a deadline) is no indicator of a scorecard
FIGURE_NAMES = {
    "cases": Text("全部案卷", "All cases"),
    "opened": Text("上报", "Reported"),
    "filed": Text("立案", "Filed"),
    "open": Text("在办", "Open"),
    "overdue": Text("超时在办", "Open and overdue"),
    "soon": Text("将到期", "Due soon"),
    "closed": Text("已办结", "Closed"),
    "closed_on_time": Text("按期办结", "Closed on time"),
    "closed_late": Text("超期办结", "Closed late"),
    "opened_today": Text("今日上报", "Reported today"),
    "closed_today": Text("今日办结", "Closed today"),
}
FLAG_NAMES = {
    "undrawn": Text("地图上没有画的", "Not drawn on maps"),
    "default_point": Text("默认点位（位置不明）", "Stand-in point (place unknown)"),
    "outside": Text("在本市范围外", "Outside the city"),
    "border": Text("在界线附近", "Near a border"),
    "disagrees": Text("地址与定位不符", "Address and pin disagree"),
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
# Of records of other systems, which nobody chooses in a form here.
RECORDED_SOURCE_NAMES = {
    "phone": Text("电话", "Phone"),
    "web": Text("网页", "Web"),
    "app": Text("手机应用", "App"),
    "employee": Text("工作人员", "Employee"),
    "work-order": Text("工单系统", "Work orders"),
    "twitter": Text("推特", "Twitter"),
    "other": Text("其他", "Other"),
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


def source_name(source: str) -> str:
    """Where a report came from, in words; a channel that nobody has named stands as it is."""
    return say_or(SOURCE_NAMES.get(source) or RECORDED_SOURCE_NAMES.get(source), source)


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
    of 8-hour days are ``7 工作日``), everything else as `lasting_text` says it. The sign is left to the words around it."""
    if seconds is None or unit not in WORKING or not calendar.seconds_per_day:
        return lasting_text(None if seconds is None else abs(seconds))
    return working_text(seconds, seconds_per_day=calendar.seconds_per_day)


def time_left(
    values: Mapping[str, Any], *, runtime: CityRuntime, at: datetime, state: CaseState | None = None
) -> dict[str, Any]:
    """What is left of the deadline that a row shows, in the time that its clock counts, as every page says it.

    Args:
        state: Of the case, where the caller has it: its clocks need not be read from the row again.

    Returns:
        ``left`` (counted seconds, None without a running deadline), ``left_text`` in words, ``is_late``, ``working``
        (whether it is working time).
    """
    due = values["deadline"]
    if due is None or (values["closed_at"] is not None and values["closed_at"] <= at):
        return {"left": None, "left_text": "", "is_late": False, "working": False}
    if state is not None:
        clock = state.clocks.get(state.deadline_clock)
    else:
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


def row(
    values: Mapping[str, Any],
    *,
    runtime: CityRuntime,
    at: datetime,
    estimated: bool = False,
    state: CaseState | None = None,
) -> dict[str, Any]:
    """One line of a list, from the columns of a case. ``estimated``: the deadline rests on holidays not announced yet;
    ``state``: as for `time_left`."""
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
        **time_left(values, runtime=runtime, at=at, state=state),
    }


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
    events = list(events)
    names = names_of(str(event.payload.get("person", "")) for event in events) if persons else {}
    return [_event_line(event, runtime, persons, names) for event in events]


def _event_line(event: Event, runtime: CityRuntime, persons: bool, names: Mapping[str, str]) -> dict[str, Any]:
    workflow = runtime.rules.workflow
    verb, role = workflow.verbs.get(event.verb), workflow.roles.get(event.role)
    system = event.actor == SYSTEM
    tone = "system" if system else workflow.plans[verb.id].tone if verb else ""
    return {
        "verb_name": named(verb) if verb else say_or(SYSTEM_VERBS.get(event.verb), event.verb),
        "at": event.at,
        "actor_name": say("系统", "System") if system else person_name(event) if persons else "",
        "role_name": named(role) if role and not system else "",
        "actor_unit_name": unit_name(runtime, event.actor_unit),
        "moved": event.holder != event.from_holder,
        "from_holder_name": unit_name(runtime, event.from_holder),
        "holder_name": unit_name(runtime, event.holder),
        "reason": event.reason,
        "lines": [str(event.payload[key]) for key in ("note", "opinion", "result") if event.payload.get(key)],
        "moves": [
            *_moves(event, runtime),
            *_assignee_line(event, names),
            *(_evidence_lines(event, runtime) if persons else []),
        ],
        "tone": tone,
    }


def _assignee_line(event: Event, names: Mapping[str, str]) -> list[str]:
    name = names.get(str(event.payload.get("person", "")))
    return [say("经办人：{name}", "Assigned to {name}", name=name)] if name else []


SIMULATED = "sim:"
_SIMULATED_NAMES = {"模拟上报": Text("模拟上报", "Simulated report")}
_SIMULATED_MARK = "（模拟）"


def person_name(event: Event) -> str:
    """Who did it, as the event has the name; that a person is simulated is said in the reader's language."""
    name = event.actor_name
    if not event.actor.startswith(SIMULATED):
        return name
    if name in _SIMULATED_NAMES:
        return say(_SIMULATED_NAMES[name])
    own = name.removesuffix(_SIMULATED_MARK)
    return own if own == name else say("{name}（模拟）", "{name} (simulated)", name=own)


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
            **{**parts, "at": moment_text(datetime.fromisoformat(parts["at"]), runtime.info.zone)},
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
        told.append(say("截止：{0}", "Due: {0}").format(" → ".join(moment_text(moment) for moment in moments)))
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
            "tools": say("地图工具", "Map tools"),
            "tool_line": say("测距", "Distance"),
            "tool_area": say("测面积", "Area"),
            "tool_near": say("附近案卷", "Cases near by"),
            "tool_place": say("找地点", "Find a place"),
            "tool_layers": say("图层", "Layers"),
            "layer_regions": say("区域", "Regions"),
            "layer_cases": say("案卷", "Cases"),
            "layer_components": say("部件", "Components"),
            "layer_sensors": say("监测", "Sensors"),
            "sensor_fine": say("正常", "in order"),
            "sensor_maintenance": say("维护中", "maintenance"),
            "sensor_silent": say("无读数", "silent"),
            **{
                f"sensor_{one.name.lower()}": say(Text("{severity}报警", "{severity} alarm", severity=one.text))
                for one in Severity
            },
            "sensors_none": say("没有可画的监测对象", "no sensors with a place"),
            "sensors_lost": say(
                "连接中断，监测状态可能已旧；正在重试。",
                "No connection: states of sensors may be old. Trying again.",
            ),
            "layer_base": say("底图", "Base map"),
            "layers_hint": say("勾选要显示的图层。", "Tick what the map shows."),
            "place_hint": say("输入地名、路名或坐标。", "Type a place, a street or coordinates."),
            "place_found": say("请选择一处。", "Choose one."),
            "place_none": say("没有找到这个地点。", "No such place was found."),
            "place_shown": say("已定位：{name}", "The map shows {name}."),
            "go_regions": say("查看该区域", "Go to this region"),
            "go_cases": say("打开案卷", "Open the case"),
            "go_components": say("打开部件", "Open the component"),
            "state_intact": say("完好", "Intact"),
            "state_damaged": say("破损", "Damaged"),
            "state_lost": say("丢失", "Lost"),
            "state_abandoned": say("废弃", "Abandoned"),
            "state_removed": say("移除", "Removed"),
            "go_unplaced": say("查看案卷列表", "See the list of cases"),
            "Popup.Close": say("关闭", "Close"),
            "NavigationControl.ZoomIn": say("放大", "Zoom in"),
            "NavigationControl.ZoomOut": say("缩小", "Zoom out"),
            "tool_middle": say("取地图中心", "Map centre"),
            "tool_undo": say("撤销一点", "Undo"),
            "tool_end": say("结束", "Done"),
            "line_hint": say("在地图上依次点选，量取折线长度。", "Click points on the map to measure along them."),
            "area_hint": say("在地图上点选至少三点，量取面积。", "Click at least three points to measure the area."),
            "near_hint": say(
                "在地图上点选一处，列出 200 米内的在办案卷。", "Click a place to list open cases within 200 m."
            ),
            "line_is": say("长度 {figure} {unit}", "Length {figure} {unit}"),
            "area_is": say("面积 {figure} {unit}", "Area {figure} {unit}"),
            "near_asking": say("正在查找…", "Looking …"),
            "near_none": say("{radius} 米内没有在办案卷。", "There are no open cases within {radius} m."),
            "near_all": say("{radius} 米内在办案卷：{total} 件", "Open cases within {radius} m: {total}"),
            "near_first": say(
                "{radius} 米内在办案卷：{total} 件，列出最近 {shown} 件",
                "Open cases within {radius} m: {total}; the nearest {shown} are listed",
            ),
            "unit_m": say("米", "m"),
            "unit_km": say("公里", "km"),
            "unit_m2": say("平方米", "m²"),
            "unit_km2": say("平方公里", "km²"),
            "failed": say("地图数据没有取到，请刷新。", "The map data did not arrive; please reload."),
        }
    ).decode()
