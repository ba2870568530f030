"""Whatever is commanded, in whatever order: a case stays whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.case_driver import MONDAY, Drive, actor, mini

from yiwang.core.cases.deadlines import due, next_due
from yiwang.core.cases.decide import decide, permitted
from yiwang.core.cases.events import SYSTEM_ACTOR, Actor, Command, Event
from yiwang.core.cases.evolve import evolve, fold
from yiwang.core.cases.ledger import event_hash, event_record, genesis
from yiwang.core.cases.state import CaseState
from yiwang.core.cases.workflow import Verb
from yiwang.core.kernel.refusals import Refusal

PACK, RULES, CALENDAR = mini()
EVERYBODY = Actor(id="user:all", roles=frozenset(RULES.workflow.roles), unit="CTR-90")
ROLES = sorted(RULES.workflow.roles)
UNITS = [unit.code for unit in RULES.units]
PAYLOAD = {
    "reason": "r", "note": "n", "opinion": "o", "photos": ["p"], "until": "2026-03-20", "into": "MN9", "number": "MN8",
    "units": ["DEPT-WATER"], "parts": [{"text": "p"}], "numbers": ["MN7"], "stars": 3, "category": "01001",
}  # fmt: skip

# which verb, likely or unlikely, by whom, from which unit, to which, how much later
Move = tuple[int, str, str, str, str, int]
moves = st.lists(
    st.tuples(
        st.integers(0, 10_000),
        st.sampled_from(["likely", "likely", "likely", "ending", "anything"]),
        st.sampled_from(["", "2"]),
        st.sampled_from(["", *UNITS]),
        st.sampled_from(["", "", *UNITS]),
        st.sampled_from([-30, 1, 5, 20, 60, 300, 3000]),
    ),
    min_size=12,
    max_size=40,
)
reports = st.fixed_dictionaries(
    {
        "category": st.sampled_from(["", "01001", "02001", "02002", "03001"]),
        "region": st.sampled_from(["", "900101", "900202", "9001"]),
        "source": st.sampled_from(["public", "inspector"]),
    }
)


STATIONS: dict[str, Callable[[dict[str, str]], Drive]] = {
    "reported": lambda facts: Drive().report(**facts),
    "dispatched": lambda _: Drive().to_dispatch(),
    "handling": lambda _: Drive().to_handling(),
    "asked": lambda _: Drive().to_handling().do("ask_extension", "handler", reason="r"),
    "suspended": lambda _: (
        Drive().to_handling().do("ask_suspension", "handler", reason="r", until="2026-03-20").do("suspend", "dispatcher")
    ),
    "returned": lambda _: Drive().to_handling().do("return", "handler", reason="r"),
    "joint": lambda _: Drive().to_handling().do("ask_assistance", "dispatcher", units=["DEPT-WATER"]),
    "feedback": lambda _: Drive().to_feedback(),
    "closed": lambda _: Drive().to_close(),
    "late": lambda _: Drive().to_handling().do("finish", "handler", after=timedelta(days=9)).do("ask_check", "intake"),
    "appealed": lambda _: closed_late().do("appeal", "handler", reason="r"),
}  # fmt: skip


def closed_late() -> Drive:
    drive = Drive().to_handling().do("finish", "handler", after=timedelta(days=9)).do("ask_check", "intake")
    return drive.do("check", "inspector").do("close", "leader")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(report=reports, station=st.sampled_from(list(STATIONS)), moves=moves)
def test_no_sequence_of_commands_breaks_a_case(report: dict[str, str], station: str, moves: list[Move]) -> None:
    drive = STATIONS[station](report)
    at, events, state = drive.at, drive.events, drive.now
    whole(state, events)
    for pick, kind, who, desk, unit, minutes in moves:
        at += timedelta(minutes=minutes)
        verb, person = chosen(state, pick, kind, who, desk, at)
        payload = PAYLOAD | ({"unit": unit} if unit else {})
        choices = permitted(state, person, rules=RULES, at=at)
        said = {choice.verb: choice.allowed for choice in choices}
        try:
            command = Command(verb=verb.id, actor=person, payload=payload)
            new = decide(state, command, rules=RULES, calendar=CALENDAR, at=at)
        except Refusal as refusal:
            assert_bilingual(refusal)
            continue
        assert said.get(verb.id), "decide took what permitted said could not be done"
        if verb.not_handler and person is not SYSTEM_ACTOR:
            assert person.id not in state.handlers
        for event in new:
            state = evolve(state, event)
            events.append(event)
        whole(state, events)


def chosen(state: CaseState, pick: int, kind: str, who: str, desk: str, at: datetime) -> tuple[Verb, Actor]:
    """Most moves are ones that somebody may do and that do not end the case, so that stories get far; the others anything."""
    verbs = list(RULES.workflow.verbs.values())
    if kind != "anything":
        anybody = replace(EVERYBODY, unit=state.holder)
        open_ = [choice.verb for choice in permitted(state, anybody, rules=RULES, at=at) if choice.allowed]
        ends = {
            verb.id
            for verb in verbs
            if verb.effect in {"merge", "reject", "void", "note", "absorb", "split", "escalate", "supervise"}
        }
        likely = [verb for verb in open_ if (verb in ends) == (kind == "ending")]
        verbs = [RULES.workflow.verbs[verb] for verb in likely or open_] or verbs
        desk = state.holder
    verb = verbs[pick * 7919 % len(verbs)]
    role = verb.roles[pick // 7 % len(verb.roles)]
    if verb.effect == "assist_done":
        desk = next(iter(state.assisting), desk)
    return verb, actor(role, unit=desk, who=who if kind == "anything" else str(pick % 5))


def assert_bilingual(refusal: Refusal) -> None:
    assert refusal.text.zh
    assert refusal.text.en


def whole(state: CaseState, events: list[Event]) -> None:
    """What is true of every case at every time."""
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert state == fold(events)
    assert CaseState.from_dict(state.to_dict()) == state
    assert state == fold(event_of(orjson.loads(orjson.dumps(asdict(event)))) for event in events), "stored as JSON"
    chain = state.custody
    assert chain[-1].unit == state.holder
    assert (chain[-1].until is None) == (state.closed_at is None)
    reopened = {event.at for event in events if event.payload["add"].get("reopen")}
    assert all(
        one.until == two.since and one.unit != two.unit for one, two in pairwise(chain) if two.since not in reopened
    )
    assert state.step in RULES.workflow.steps
    end = RULES.workflow.steps[state.step].end
    assert end == (state.closed_at is not None)
    if end:
        assert all(clock.resumed_at is None for clock in state.clocks.values())
    assert state.count("grant_extension") <= 2 * (1 + state.count("reopen"))
    assert state.count("suspend_approve") <= 1
    assert state.resume_at is None or state.step == "suspended"
    assert state.deadline_clock != "disposal" or end or state.deadline == state.main_deadline
    assert not state.returned_from or RULES.workflow.order[state.step] < RULES.workflow.order[state.returned_from]
    assert state.updated_at == events[-1].at == max(event.at for event in events)
    if end:
        verbs = [RULES.workflow.verbs[choice.verb] for choice in permitted(state, EVERYBODY, rules=RULES, at=MONDAY)]
        assert all(verb.to == "=" or verb.effect == "reopen" for verb in verbs)
    moment = next_due(state, rules=RULES, calendar=CALENDAR)
    assert moment is None or due(state, rules=RULES, calendar=CALENDAR, at=moment), "what is due is found at its moment"


def event_of(data: dict[str, Any]) -> Event:
    return Event(**{**data, "at": datetime.fromisoformat(data["at"])})


# --- payloads ---------------------------------------------------------------------------------------------------------

anything: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.text(st.characters(categories=["Cs", "Cc"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [
    "number", "city", "text", "category", "condition", "region", "grid", "lon", "lat", "place", "source", "priority", "reporter",
    "photos", "flags", "external", "part_of", "unit", "deadline", "fired", "reason", "note", "opinion", "until", "into", "units",
    "parts", "numbers", "stars", "result", "set", "add", "clocks", "why",
]  # fmt: skip
moments = st.datetimes(timezones=st.sampled_from([None, UTC, timezone(timedelta(hours=-12))])).map(datetime.isoformat)
sensible = st.sampled_from(
    [*PAYLOAD.items(), ("region", "900101"), ("deadline", None), ("unit", "DEPT-WATER"), ("lon", "120.001")]
)
fields = (
    st.tuples(st.sampled_from(FIELDS), anything) | st.tuples(st.sampled_from(["deadline", "until"]), moments) | sensible
)
payloads = st.lists(fields, max_size=8).map(dict)


@settings(max_examples=300, deadline=None)
@given(report=payloads, verb=st.sampled_from(sorted(RULES.workflow.verbs)), payload=payloads, system=st.booleans())
def test_whatever_a_command_carries_it_is_taken_whole_or_refused(
    report: dict[str, Any], verb: str, payload: dict[str, Any], system: bool
) -> None:
    """Nothing but a refusal is ever raised, and what is taken can be stored and hashed."""
    person = SYSTEM_ACTOR if system else EVERYBODY
    try:
        events = decide(
            None, Command(verb="report", actor=person, payload=report), rules=RULES, calendar=CALENDAR, at=MONDAY
        )
    except Refusal:
        opening = Command(verb="report", actor=SYSTEM_ACTOR, payload={"number": "MN1"})
        events = decide(None, opening, rules=RULES, calendar=CALENDAR, at=MONDAY)
    state = fold(events)
    # put the case where the verb can be done, so that the payload is what decides
    origin = next(iter(RULES.workflow.verbs[verb].origins), state.step)
    state = state.with_changes({"step": origin, "closed_at": MONDAY if RULES.workflow.steps[origin].end else None})
    try:
        command = Command(verb=verb, actor=person, payload=payload)
        events += decide(state, command, rules=RULES, calendar=CALENDAR, at=MONDAY)
    except Refusal as refusal:
        assert_bilingual(refusal)
    previous = genesis(events[0].number)
    for event in events:
        previous = event_hash(event=event_record(event), previous=previous)
        assert event_of(orjson.loads(orjson.dumps(asdict(event)))) == event


@given(verb=st.text(max_size=5), payload=st.dictionaries(st.text(), st.none() | st.integers() | st.text(), max_size=3))
def test_an_event_of_a_verb_that_nobody_knows_still_folds(verb: str, payload: dict[str, Any]) -> None:
    """History outlives workflows: what a later version wrote is kept, what it means is not guessed."""
    opening = Command(verb="report", actor=SYSTEM_ACTOR, payload={"number": "MN1"})
    state = fold(decide(None, opening, rules=RULES, calendar=CALENDAR, at=MONDAY))
    event = Event(
        number="MN1", seq=state.seq + 1, at=MONDAY, verb=verb, actor="user:1", actor_name="", actor_unit="", role="r",
        from_step=state.step, to_step="somewhere", from_holder=state.holder, holder="X", reason="", payload={**payload, "level": "l"},
    )  # fmt: skip
    later = evolve(state, event)
    assert (later.step, later.holder, later.level, later.seq) == ("somewhere", "X", "l", state.seq + 1)
    assert CaseState.from_dict(later.to_dict()) == later
