"""One case as its page and its printed file show it: gathered once, named in the reader's language, masked for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from yiwang.core.cases.events import Event
from yiwang.core.cases.state import CaseState
from yiwang.core.kernel.text import Text
from yiwang.core.worktime import TimeUnit
from yiwang.core.worktime.calendar import UnknownYear
from yiwang.packs.portal import BEFORE
from yiwang.server.casepage import clock_story
from yiwang.server.casepage.custody_lanes import Bar, lanes_svg
from yiwang.server.casepage.rule_words import answer_words, cell_words, fact_name
from yiwang.server.cases.api import (
    TABLE_NAMES,
    CaseDetail,
    Reader,
    Words,
    clocks_of,
    duration_words,
    event_key,
    event_texts,
    event_words,
    is_after,
    source_name,
    step_name,
    story_of,
    unit_name,
    whys_of,
)
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.formatting import lasting_text, limit_text
from yiwang.server.common.language import say, say_or
from yiwang.server.common.masking import MARK, mask
from yiwang.server.common.publishing import CASE, EVENT, PLACE, of_kinds
from yiwang.server.common.templatetags.yiwang import named

WHYS = {
    "working": Text("工作时段", "working period"),
    "adjusted": Text("调休上班", "adjusted workday"),
    "break": Text("午间休息", "break"),
    "night": Text("下班后", "after hours"),
    "weekend": Text("周末", "weekend"),
    "holiday": Text("节假日", "holiday"),
    "late": Text("下班后到达，顺延", "came after hours, counts from the next opening"),
    "continuous": Text("昼夜连续计时", "counts day and night"),
    "earlier": Text("暂停之前", "before the last pause"),
    "summary": Text("更早的时段合计", "earlier spans together"),
    "paused": Text("暂停", "paused"),
    "stopped": Text("已停", "stopped"),
    "workday": Text("工作日", "working day"),
}
TURNS = {
    "started": Text("起算", "started"),
    "paused": Text("暂停", "paused"),
    "resumed": Text("恢复", "resumed"),
    "extended": Text("延期", "extended"),
    "stopped": Text("停止", "stopped"),
}


def words_of(detail: CaseDetail, *, reader: Reader, place: CityRuntime) -> Words:
    """The words of a case: as written for those who need them, masked for other staff, as published for everybody else.

    Who reported the case reads what was reported as it was written, and of the rest what everybody reads.
    """
    state = detail.state
    if reader.staff:
        return _staff_words(detail, personal=reader.personal)
    shown = _public_words(detail, place=place)
    return replace(shown, text=state.text, address=state.address) if reader.own else shown


def _staff_words(detail: CaseDetail, *, personal: bool) -> Words:
    state, events = detail.state, detail.events
    written = [state.text, state.address, *(text for event in events for text in (event.reason, *_notes(event)))]
    hidden = {text: mask(text) for text in dict.fromkeys(written)}

    def shown(text: str) -> str:
        return text if personal else hidden[text]

    return Words(
        text=shown(state.text),
        address=shown(state.address),
        reasons={event.seq: shown(event.reason) for event in events},
        notes={event.seq: tuple(map(shown, _notes(event))) for event in events},
        in_full=personal and any(text != masked for text, masked in hidden.items()),
    )


def _public_words(detail: CaseDetail, *, place: CityRuntime) -> Words:
    workflow, number = place.rules.workflow, detail.state.number
    originals = {(CASE, number): detail.state.text, (PLACE, number): detail.state.address}
    originals |= {(EVENT, event_key(event)): event_words(event, workflow=workflow) for event in detail.events}
    released = place.pack.portal.moderation == BEFORE
    withheld = say("（内容未公开）", "(not published)")
    found = {
        key: withheld if text is None else text for key, text in of_kinds(originals, released_only=released).items()
    }
    return Words(
        text=found[CASE, number],
        address=found[PLACE, number],
        reasons={},
        notes={event.seq: (words,) for event in detail.events if (words := found[EVENT, event_key(event)])},
    )


def _notes(event: Event) -> tuple[str, ...]:
    return tuple(text for name, text in event_texts(event).items() if name != "reason")


# --- story and custody --------------------------------------------------------------------------------------------


def story(detail: CaseDetail, *, words: Words, reader: Reader, place: CityRuntime) -> list[dict[str, Any]]:
    """The events as a reader sees them, with the level, the changes of clocks, and the photos that came with each."""
    told = story_of(detail.events, runtime=place, persons=reader.staff)
    turned = _turns_by_event(detail.events, place)
    for event, line in zip(detail.events, told, strict=True):
        line |= {
            "seq": event.seq,
            "reason": words.reasons.get(event.seq, ""),
            "lines": [*line["moves"], *words.notes.get(event.seq, ())],
            "step_name": step_name(place, event.to_step),
            "level_name": level_name(place, place.rules.level_of(event.holder)),
            "turns": turned.get(event.seq, []),
            "photos": [photo["id"] for photo in detail.photos if photo["seq"] == event.seq],
        }
    return told


def _turns_by_event(events: Iterable[Event], place: CityRuntime) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    at = max((event.at for event in events), default=None)
    if at is None:
        return found
    for clock in clock_story.clock_stories(list(events), calendar=place.calendar, at=at):
        for turn in clock.turns:
            line = f"{clock_name(place, clock.name)} {say(TURNS[turn.what])}"
            found.setdefault(turn.event.seq, []).append(line)
    return found


def level_name(place: CityRuntime, level: str) -> str:
    return next((named(known) for known in place.regions.levels if known.id == level), level)


def clock_name(place: CityRuntime, name: str) -> str:
    found = place.rules.workflow.clocks.get(name)
    return named(found) if found else name


def custody(state: CaseState, *, place: CityRuntime, at: datetime) -> dict[str, Any]:
    """Every holder in turn with level and duration, the time per holder and per level, and the drawing."""
    depths = {level.id: index for index, level in enumerate(place.regions.levels)}
    links: list[dict[str, Any]] = []
    for link in state.custody:
        if not link.unit:
            continue
        until = link.until or state.closed_at or at
        links.append(
            {
                "unit": link.unit,
                "unit_name": unit_name(place, link.unit),
                "level": link.level,
                "level_name": level_name(place, link.level),
                "since": link.since,
                "until": link.until or state.closed_at,
                "seconds": max(0.0, (until - link.since).total_seconds()),
                "worked": (worked := _working_hours(place, link.since, until)),
                "worked_text": duration_words(worked, unit=TimeUnit.WORK_HOURS, calendar=place.calendar),
                "way": "",
            }
        )
    for before, after in pairwise(links):
        step = depths.get(after["level"], 0) - depths.get(before["level"], 0)
        after["way"] = "↓" if step > 0 else "↑" if step < 0 else "→"
    bars = [
        Bar(
            lane=depths.get(link["level"], 0),
            seconds=link["seconds"],
            label=link["unit_name"],
            title=f"{link['unit_name']} · {link['level_name']} · {lasting_text(link['seconds'])}",
        )
        for link in links
    ]
    names = [named(level) for level in place.regions.levels]
    return {
        "links": links,
        "by_holder": _sums(links, "unit_name"),
        "by_level": _sums(sorted(links, key=lambda link: depths.get(link["level"], 0)), "level_name"),
        "drawing": lanes_svg(levels=names, bars=bars, label=say("承办链：各级停留时间", "Custody: time at each level")),
    }


def _working_hours(place: CityRuntime, since: datetime, until: datetime) -> float | None:
    try:
        return place.calendar.elapsed_seconds(start=since, end=until, unit=TimeUnit.WORK_HOURS)
    except UnknownYear:
        return None


def _sums(links: Iterable[Mapping[str, Any]], key: str) -> list[dict[str, Any]]:
    sums: dict[str, float] = {}
    for link in links:
        sums[link[key]] = sums.get(link[key], 0.0) + link["seconds"]
    total = sum(sums.values()) or 1.0
    return [{"name": name, "seconds": seconds, "share": seconds / total} for name, seconds in sums.items()]


# --- clocks -------------------------------------------------------------------------------------------------------


def clocks(detail: CaseDetail, *, place: CityRuntime, at: datetime) -> list[dict[str, Any]]:
    """Every clock explained: limit and its row, changes, spans that counted or not, days in between; the main one first."""
    shown = dict(zip(detail.state.clocks, clocks_of(detail.state, runtime=place, at=at), strict=True))
    main = place.rules.workflow.main_clock
    until = min(at, detail.state.closed_at) if detail.state.closed_at else at
    found = []
    for told in clock_story.clock_stories(detail.events, calendar=place.calendar, at=until):
        if told.name not in shown:
            continue
        unit = told.clock.unit
        found.append(
            {
                **shown[told.name],
                "id": told.name,
                "main": told.name == main,
                "due": _due(told, place),
                "extensions": told.clock.extensions,
                **_limit_source(told, place),
                "turns": [
                    {
                        "what": say(TURNS[turn.what]),
                        "at": turn.event.at,
                        "verb": _verb_name(turn.event.verb, place),
                        "holder": unit_name(place, turn.event.holder),
                    }
                    for turn in told.turns
                ],
                "spans": [
                    {
                        "start": span.start,
                        "end": span.end,
                        "counted": span.counted_seconds,
                        "counted_text": duration_words(span.counted_seconds, unit=unit, calendar=place.calendar),
                        "kind": span.why,
                        "why": say_or(WHYS.get(span.why), span.why),
                    }
                    for span in told.stretches
                ],
                "counted": (whole := sum(span.counted_seconds for span in told.stretches)),
                "counted_text": duration_words(whole, unit=unit, calendar=place.calendar),
                "days": [
                    {
                        **day,
                        "kind_name": say(WHYS[day["kind"]]),
                        "counted_text": duration_words(day["counted"], unit=unit, calendar=place.calendar),
                    }
                    for day in clock_story.days(told, calendar=place.calendar, at=until)
                ],
                "estimated": told.estimated,
            }
        )
    return sorted(found, key=lambda clock: not clock["main"])


def _limit_source(told: clock_story.ClockStory, place: CityRuntime) -> dict[str, Any]:
    """What gave a clock its limit: the row of the limits table that was asked last for it, or the workflow's own words."""
    if place.rules.workflow.literals.get(told.name) is not None:
        return {"row": None, "literal": True}
    asked = whys_of(turn.event for turn in told.turns)
    ruled = next((why for why in reversed(asked) if why["table"] == "limits"), None)
    return {"row": decision_rows(ruled, place=place) if ruled else None, "literal": False}


def _due(told: clock_story.ClockStory, place: CityRuntime) -> datetime | None:
    try:
        return told.clock.deadline(calendar=place.calendar)
    except UnknownYear:
        return None


def _verb_name(verb: str, place: CityRuntime) -> str:
    found = place.rules.workflow.verbs.get(verb)
    return named(found) if found else verb


def deadlines(events: Iterable[Event], *, place: CityRuntime) -> list[dict[str, Any]]:
    """Every deadline that was set, with the step and the holder it was set for."""
    found = []
    for event in events:
        changes = event.payload.get("set") or {}
        if changes.get("deadline"):
            found.append(
                {
                    "at": event.at,
                    "step": step_name(place, event.to_step),
                    "holder": unit_name(place, event.holder),
                    "clock": clock_name(place, str(changes.get("deadline_clock") or "")),
                    "deadline": datetime.fromisoformat(changes["deadline"]),
                }
            )
    return found


# --- why ----------------------------------------------------------------------------------------------------------


def decision_rows(why: Mapping[str, str], *, place: CityRuntime) -> dict[str, Any]:
    """A decision of a table: its row and the runner-up, with their conditions, source and confidence."""
    return {
        "table": say(TABLE_NAMES[why["table"]]),
        "verb": _verb_name(why["verb"], place),
        "value": _value(why["table"], why["value"], place),
        "row": _row(why["table"], why["row"], place),
        "second": _row(why["table"], why["runner_up"], place) if why["runner_up"] else None,
    }


def _value(table: str, value: str, place: CityRuntime) -> str:
    if table == "routing":
        return unit_name(place, value)
    if table == "triage":  # "urgent → unit": in words, for people
        priority, arrow, unit = value.partition(" → ")
        known = place.rules.workflow.priorities.get(priority)
        name = say_or(known.name if known else None, priority)
        return f"{name}{arrow}{unit_name(place, unit)}"
    if table == "limits":
        amount, _, unit = value.partition(" ")
        try:
            return limit_text(float(amount), TimeUnit(unit))
        except ValueError:
            return say("不设时限", "no limit")
    return value


def _row(table: str, row: str, place: CityRuntime) -> dict[str, Any]:
    """A row of the table as it is installed now; only its id where it has gone since."""
    rules = place.pack.tables.get(table)
    found = next((known for known in rules.rows if known.id == row), None) if rules else None
    if rules is None or found is None:
        return {"id": row, "cells": [], "outputs": "", "source": "", "confidence": "", "note": ""}
    asked = zip(rules.spec.input_names, map(str, found.cells), strict=True)
    return {
        "id": row,
        "cells": [
            (fact_name(name), cell_words(name, cell, place=place)) for name, cell in asked if cell not in {"*", ""}
        ],
        "outputs": answer_words(found.outputs, place=place),
        "source": found.source,
        "confidence": found.confidence,
        "note": found.note,
    }


# --- photos, reports, links ---------------------------------------------------------------------------------------


def photos(detail: CaseDetail, *, place: CityRuntime) -> dict[str, list[dict[str, Any]]]:
    """Photos before the handling and since, each with its event. Handling begins with the first event that handled."""
    handled = next((event.seq for event in detail.events if event.payload.get("handler")), None)
    events = {event.seq: event for event in detail.events}
    found: dict[str, list[dict[str, Any]]] = {"before": [], "after": []}
    for photo in detail.photos:
        event = events.get(photo["seq"])
        side = "after" if is_after(photo["seq"], handled=handled) else "before"
        found[side].append(
            {
                **photo,
                "verb": _verb_name(event.verb, place) if event else "",
                "step": step_name(place, event.to_step) if event else "",
                "taken": photo["taken_at"] or (event.at if event else photo["at"]),
            }
        )
    return found


def reports(detail: CaseDetail, *, reader: Reader, contacts: bool) -> list[dict[str, Any]]:
    """All reports of the case. The contact is shown only where it was asked for and may be seen."""
    return [
        {
            "number": report["number"],
            "at": report["at"],
            "source": source_name(report["source"]),
            "text": report["text"] if reader.personal and contacts else mask(report["text"]),
            "has_contact": bool(report["contact"]),
            "contact": report["contact"] if reader.personal and contacts else MARK if report["contact"] else "",
        }
        for report in detail.reports
    ]


def links(state: CaseState) -> list[dict[str, Any]]:
    """Other cases: where it was merged, its duplicates, the case it is a part of, its parts."""
    found: list[tuple[str, Iterable[str]]] = [
        (say("并入", "Merged into"), [state.merged_into] if state.merged_into else []),
        (say("重复案卷", "Duplicates"), state.duplicates),
        (say("拆分自", "Part of"), [state.part_of] if state.part_of else []),
        (say("拆出的部分", "Parts"), state.parts),
    ]
    return [{"name": name, "numbers": list(numbers)} for name, numbers in found if numbers]


def sensed(events: Sequence[Event]) -> bool:
    """Whether readings of sensors are among the evidence of a case."""
    given = (event.payload.get("evidence") or event.payload.get("set", {}).get("evidence") or {} for event in events)
    return any("observation" in one for one in given)
