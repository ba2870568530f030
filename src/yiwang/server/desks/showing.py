"""How a desk shows its cases: lights by counted time, units that the rules suggest, forms of verbs, conflicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from yiwang.core.cases.custody import facts_of
from yiwang.core.cases.events import Event
from yiwang.core.cases.lateness import has_passed
from yiwang.core.cases.state import CaseState
from yiwang.core.worktime import ClockStatus
from yiwang.server.casepage import forms
from yiwang.server.casepage.capacities import capacities, suggested_unit
from yiwang.server.casepage.offering import manner_of
from yiwang.server.casepage.read_marks import Unread
from yiwang.server.cases.api import YELLOW_FROM, Words, shown_row, step_name, story_of, unit_name
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.language import say
from yiwang.server.common.masking import mask
from yiwang.server.common.templatetags.yiwang import named
from yiwang.server.desks import duties
from yiwang.server.desks.queue import Desk, Entry
from yiwang.server.people.queries import names_of

LAST_EVENTS = 6


def light(state: CaseState, *, place: CityRuntime, at: datetime) -> str:
    """Green to 80 % of the limit used, yellow to 100 %, red after, in the time that the clock counts."""
    clock = state.clocks.get(state.deadline_clock)
    if clock is None or clock.status != ClockStatus.RUNNING:
        return ""
    if has_passed(state.deadline, at=at):
        return "red"
    used = clock.elapsed_seconds(calendar=place.calendar, at=at) / clock.limit_seconds if clock.limit_seconds else 1.0
    return "red" if used > 1 else "green" if used < YELLOW_FROM else "yellow"


def lines(
    entries: Sequence[Entry], *, place: CityRuntime, sends: bool, at: datetime, marks: Mapping[int, Unread]
) -> list[dict[str, Any]]:
    """Entries as the queue's rows; ``marks`` are those of cases that have not been read as they are, by id."""
    found = []
    names = names_of(entry.state.assignee for entry in entries)
    for entry in entries:
        row = shown_row(entry.values, runtime=place, at=at, state=entry.state)
        row["text"], row["address"] = mask(row["text"]), mask(row["address"])
        row["light"] = light(entry.state, place=place, at=at)
        row["assignee_name"] = names.get(entry.state.assignee, "")
        row["pending"] = bool(entry.state.pending)
        row["unread"] = marks[row["id"]].value if row["id"] in marks else ""
        if sends and (route := suggested_unit(entry.state, place=place, at=at)):
            row["unit"], row["unit_name"] = route["unit"], route["unit_name"]
        found.append(row)
    return found


def tray(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The units that the rules suggest for the rows, with how many each, as targets to drop rows on."""
    counts = Counter((row["unit"], row["unit_name"]) for row in rows if row.get("unit"))
    return [{"code": code, "name": name, "count": count} for (code, name), count in counts.most_common(12)]


def reasons(state: CaseState, *, place: CityRuntime, at: datetime) -> list[str]:
    """Why the routing table says so, as its trace tells it."""
    decision = place.pack.tables["routing"].decide(facts_of(state), at.astimezone(place.info.zone).date())
    return [say(why) for why in decision.why()] if decision else []


def choices(
    state: CaseState,
    *,
    place: CityRuntime,
    desk: Desk,
    at: datetime,
    typed: Mapping[str, Any] | None = None,
    verb: str = "",
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """The verbs that the desk may do now, its own work first, with their forms; and the others, with why not.

    Args:
        state: The case.
        place, desk: City and desk.
        at: Now.
        typed: What was typed into the form of ``verb``, to be shown again.
        verb: Whose form was sent.
    """
    workflow = place.rules.workflow
    own = {found.id for found in duties.due(workflow, state.step, desk.role)}
    own |= {found.id for found in duties.answering_verbs(workflow, state.step, desk.role)}
    may: list[dict[str, Any]] = []
    others: list[dict[str, str]] = []
    for name, (_, choice) in capacities(state, place=place, actors=desk.actors, at=at).items():
        found = workflow.verbs[name]
        if not choice.allowed:
            others.append({"name": named(found), "why": say(choice.why)})
            continue
        fields = forms.fields(found, state=state, place=place)
        if name == verb and typed:
            fields = [{**field, "value": typed.get(field["name"], field["value"])} for field in fields]
        manner = manner_of(workflow, found, step=state.step)
        offered = {"id": name, "name": named(found), "fields": fields, "own": name in own, "open": name == verb}
        may.append({**offered, "manner": manner, "apart": manner.apart and name not in own})
    may.sort(key=lambda offered: (not offered["own"], offered["manner"].rank))
    if may and may[0]["own"] and not verb:
        may[0]["open"] = True  # what the desk is for stands ready: one click
    for key, offered in enumerate(may[:9], start=1):
        offered["key"] = key
    return may, others


def story(events: Sequence[Event], *, words: Words, place: CityRuntime) -> list[dict[str, Any]]:
    """The last events, newest first, with the words as the desk may read them."""
    return readable_events(events[-LAST_EVENTS:], words=words, place=place)[::-1]


def changes_since(events: Sequence[Event], seq: int, *, words: Words, place: CityRuntime) -> dict[str, Any] | None:
    """What others did after the event that somebody saw: then, now, and by whom; None when nothing."""
    newer = [event for event in events if event.seq > seq]
    if not newer:
        return None
    before = next((event for event in events if event.seq == seq), None)
    last = newer[-1]
    return {
        "events": readable_events(newer, words=words, place=place),
        "by": say("系统", "the system") if last.actor == "system" else last.actor_name,
        "at": last.at,
        "then_step": step_name(place, before.to_step) if before else "—",
        "then_holder": unit_name(place, before.holder) if before else "—",
        "now_step": step_name(place, last.to_step),
        "now_holder": unit_name(place, last.holder),
        "then_seq": seq,
        "now_seq": last.seq,
    }


def readable_events(events: Sequence[Event], *, words: Words, place: CityRuntime) -> list[dict[str, Any]]:
    """Events with the words as their reader may read them."""
    told = story_of(events, runtime=place, persons=True)
    for event, line in zip(events, told, strict=True):
        line |= {"reason": words.reasons.get(event.seq, ""), "lines": list(words.notes.get(event.seq, ()))}
    return told


def orphan_texts(typed: Mapping[str, Any], fields: Sequence[Mapping[str, Any]]) -> list[str]:
    """What was typed and has no field any more: shown, so that it can be copied."""
    names = {field["name"] for field in fields}
    return [str(value) for name, value in typed.items() if name not in names and name not in {"unit", "units"}]
