"""The story of a clock: by hand on one case, and the stretches' sum against the clock itself on many."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.case_driver import MONDAY, Drive, mini

from yiwang.core.cases.state import CaseState
from yiwang.core.worktime import Clock
from yiwang.server.casepage import clock_story


def told(drive: Drive, at: datetime, name: str = "disposal") -> clock_story.ClockStory:
    _, _, calendar = mini()
    stories = clock_story.clock_stories(drive.events, calendar=calendar, at=at)
    return next(story for story in stories if story.name == name)


def own(state: CaseState, name: str) -> Clock:
    clock = dict(state.clocks)[name]
    return clock if isinstance(clock, Clock) else Clock.from_dict(clock)


def test_a_night_and_a_weekend_do_not_count_and_a_pause_is_told() -> None:
    """Litter: four working hours (8 to 12, 14 to 18). Dispatched on a Friday at 17:00, so due on Monday at 11:00."""
    friday = MONDAY.replace(day=6, hour=16, minute=55)
    drive = Drive(at=friday).report("inspector", source="inspector", category="02001")
    drive.do("dispatch", "dispatcher", after=timedelta(minutes=5))
    monday = MONDAY.replace(day=9, hour=10, minute=0)
    story = told(drive, monday)
    assert [turn.what for turn in story.turns] == ["started"]
    counted = [(stretch.why, stretch.counted_seconds) for stretch in story.stretches]
    assert sum(seconds for _, seconds in counted) == 3 * 3600  # one on Friday, two on Monday
    assert [why for why, _ in counted] == ["working", "night", "weekend", "night", "working"]
    _, _, calendar = mini()
    days = clock_story.days(story, calendar=calendar, at=monday)
    assert [(day["day"].day, day["kind"], day["counted"]) for day in days] == [
        (6, "workday", 3600.0), (7, "weekend", 0.0), (8, "weekend", 0.0), (9, "workday", 7200.0),
    ]  # fmt: skip
    assert [day["day"].day for day in days if day["due"]] == [9]
    assert [day["day"].day for day in days if day["today"]] == [9]


def test_a_suspension_is_a_pause_and_an_extension_goes_on() -> None:
    drive = Drive(at=MONDAY).to_handling()
    drive.do("ask_extension", "handler", reason="等配件").do("grant_extension", "dispatcher", desk="CTR-90")
    until = (drive.at + timedelta(days=20)).date().isoformat()
    drive.do("ask_suspension", "handler", reason="等天气", until=until).do("suspend", "dispatcher", desk="CTR-90")
    drive.do("resume", "dispatcher", desk="CTR-90", after=timedelta(days=2))
    story = told(drive, drive.at + timedelta(hours=1))
    assert [turn.what for turn in story.turns] == ["started", "extended", "paused", "resumed"]
    (pause,) = [stretch for stretch in story.stretches if stretch.why == "paused"]
    assert pause.end - pause.start == timedelta(days=2)
    assert pause.counted_seconds == 0.0
    assert all(a.end == b.start for a, b in zip(story.stretches, story.stretches[1:], strict=False)), "no gap"


STEPS = [("extension", 5), ("pause", 400), ("hour", 60), ("day", 24 * 60), ("weekend", 3 * 24 * 60)]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(STEPS), max_size=5), st.integers(0, 3000))
def test_the_stretches_add_up_to_what_the_clock_says(steps: list[tuple[str, int]], more: int) -> None:
    drive = Drive(at=MONDAY).to_handling(category="01002", condition="")
    done: set[str] = set()
    for what, minutes in steps:
        drive.at += timedelta(minutes=minutes)
        if what in done:
            continue
        done.add(what)
        if what == "extension" and drive.at < MONDAY + timedelta(days=1):
            drive.do("ask_extension", "handler", reason="r").do("grant_extension", "dispatcher", desk="CTR-90")
        if what == "pause":
            until = (drive.at + timedelta(days=40)).date().isoformat()
            drive.do("ask_suspension", "handler", reason="r", until=until).do("suspend", "dispatcher", desk="CTR-90")
            drive.do("resume", "dispatcher", desk="CTR-90", after=timedelta(minutes=minutes))
    at = drive.at + timedelta(minutes=more)
    _, _, calendar = mini()
    story = told(drive, at)
    assert sum(stretch.counted_seconds for stretch in story.stretches) == pytest.approx(
        story.clock.elapsed_seconds(calendar=calendar, at=at)
    )


def test_what_lies_in_an_unknown_year_is_estimated() -> None:
    drive: Any = Drive(at=MONDAY).to_handling()
    assert told(drive, MONDAY + timedelta(days=4000)).estimated
