"""Whatever happens to a case: its row of facts is what a slow and obvious count of its story says."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.generative.test_cases import CALENDAR, PACK, PAYLOAD, RULES, STATIONS, Move, chosen, moves, reports

from yiwang.core.cases.decide import decide
from yiwang.core.cases.events import Command, Event
from yiwang.core.cases.evolve import evolve, fold
from yiwang.core.facts.case_rows import COUNTS, fact_row
from yiwang.core.facts.table import DAY, FLAG, FLOAT, INTEGER, MOMENT, NULLABLE, TEXT
from yiwang.core.kernel.refusals import Refusal
from yiwang.core.worktime import TimeUnit

CONTEXT = PACK.fact_context()
KINDS: dict[str, tuple[type, ...]] = {
    TEXT: (str,), INTEGER: (int,), FLAG: (bool,), FLOAT: (float,), MOMENT: (datetime,), DAY: (type(datetime.min.date()),),
}  # fmt: skip


def story(report: dict[str, str], station: str, path: list[Move]) -> list[Event]:
    drive = STATIONS[station](report)
    at, events, state = drive.at, list(drive.events), drive.now
    for pick, kind, who, desk, unit, minutes in path:
        at += timedelta(minutes=minutes)
        verb, person = chosen(state, pick, kind, who, desk, at)
        payload = PAYLOAD | ({"unit": unit} if unit else {})
        try:
            new = decide(
                state, Command(verb=verb.id, actor=person, payload=payload), rules=RULES, calendar=CALENDAR, at=at
            )
        except Refusal:
            continue
        for event in new:
            state = evolve(state, event)
            events.append(event)
    return events


def row_of(events: list[Event]) -> dict[str, Any]:
    return fact_row(events, context=CONTEXT, calendar=CALENDAR)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(report=reports, station=st.sampled_from(list(STATIONS)), path=moves)
def test_a_row_is_what_a_slow_count_of_the_story_says(report: dict[str, str], station: str, path: list[Move]) -> None:
    events = story(report, station, path)
    row, state = row_of(events), fold(events)
    assert list(row) == list(CONTEXT.columns)
    for name, kind in CONTEXT.columns.items():
        assert type(row[name]) in KINDS[kind] or (row[name] is None and kind in NULLABLE), (name, row[name])
    # counts, from the verbs of the workflow and not from what the engine counted
    effects = Counter(RULES.workflow.verbs[event.verb].effect for event in events)
    for column, effect in COUNTS.items():
        assert row[column] == effects[effect], column
    # time, second by second of the story: from each event to the next, unless the case had ended
    wall, work, stages = 0.0, 0.0, Counter[str]()
    for count, (one, two) in enumerate(pairwise(events), start=1):
        before = fold(events[:count])
        if before.closed_at is None:
            wall += (two.at - one.at).total_seconds()
            work += CALENDAR.elapsed_seconds(start=one.at, end=two.at, unit=TimeUnit.WORK_HOURS)
            stages[before.stage] += round((two.at - one.at).total_seconds())
    assert (row["wall_s"], row["work_s"]) == (wall, work)
    assert {stage: row[f"stage_{stage}_wall_s"] for stage in CONTEXT.stages} == {
        stage: stages[stage] for stage in CONTEXT.stages
    }
    links = orjson.loads(row["custody"])
    assert [link[0] for link in links] == [link.unit for link in state.custody]
    assert sum(row[f"level_{level}_wall_s"] for level, _ in CONTEXT.levels) == sum(
        link[4] or 0 for link in links if link[1]
    )
    assert (row["stage_since"] is None) == (state.closed_at is not None) == (row["held_since"] is None)
    # the end, from the workflow's own words
    ended = RULES.workflow.steps[state.step].end
    assert bool(row["end_kind"]) == ended
    if ended:
        assert (
            row["end_kind"]
            == {"closed": "closed", "rejected": "rejected", "void": "void", "merged": "merged"}[state.step]
        )
    for post in CONTEXT.posts:
        acted = [event.actor for event in events if event.role == post]
        assert row[f"post_{post}"] == (acted[-1] if acted else "")
    if state.closed_at is not None and not row["reopens"]:
        assert row["wall_s"] == (state.closed_at - events[0].at).total_seconds()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(report=reports, station=st.sampled_from(list(STATIONS)), path=moves)
def test_stored_events_give_the_same_row(report: dict[str, str], station: str, path: list[Move]) -> None:
    events = story(report, station, path)
    stored = [replace(event, payload=orjson.loads(orjson.dumps(event.payload))) for event in events]
    assert row_of(stored) == row_of(events)
