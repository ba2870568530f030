"""The seeded city: the same people at every run, as many reports as the file says, no more crews than there are.

Every count is of a fixed seed, so a test either always passes or never does. A count with the expectation λ may lie
4 standard deviations off (√λ for a Poisson count, √(n·p·(1−p)) for a share): 24 hours, 7 weekdays and a few shares are
some fifty comparisons, of which one would be outside by chance in about three hundred seeds.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import Generator
from tests.case_driver import Drive, mini
from tests.simulated_city import PASSED, PER_DAY, RETURNED, REWORKED, TAKEN, parameters

from yiwang.core.cases.evolve import fold
from yiwang.core.kernel.errors import BadInput
from yiwang.core.planning.city_run import CityRun, Life
from yiwang.core.planning.simulation import Crews, Parameters, Simulation, read_parameters
from yiwang.core.worktime import Limit, TimeUnit

SIGMAS = 4.0
START = datetime.fromisoformat("2026-03-02T00:00:00+08:00")  # a Monday
WEEKS = 8


def within(count: float, expected: float, spread: float) -> bool:
    return abs(count - expected) <= SIGMAS * spread


def places(rng: Generator) -> tuple[float, float]:
    """Three quarters of the reports in the west, a quarter in the east."""
    east = 0.01 if rng.random() < 0.25 else 0.0
    return 120.0 + east + float(rng.uniform(0.001, 0.009)), 31.0 + float(rng.uniform(0.001, 0.009))


def located(payload: Mapping[str, object]) -> Mapping[str, object]:
    return {"region": "900101" if float(str(payload["lon"])) < 120.01 else "900201", "grid": ""}


def people(wanted: Parameters | None = None) -> Simulation:
    _, rules, calendar = mini()
    return Simulation(
        city="mini",
        parameters=wanted or parameters(),
        calendar=calendar,
        workflow=rules.workflow,
        timezone="Asia/Shanghai",
        places=places,
    )


def a_run(wanted: Parameters | None = None, *, days: float = 4, crews: int = 2) -> tuple[list[Life], CityRun]:
    pack, rules, calendar = mini()
    numbers = itertools.count(1)
    run = CityRun(
        simulation=people(wanted),
        rules=rules,
        calendar=calendar,
        locate=located,
        number=lambda at: f"MN{next(numbers):06d}",
        crews={unit.code: crews for unit in pack.units},
    )
    return list(run.run(start=START, end=START + timedelta(days=days))), run


@lru_cache(maxsize=1)
def some_days() -> tuple[list[Life], CityRun]:
    return a_run()


@lru_cache(maxsize=1)
def two_months() -> list[Any]:
    return list(people().arrivals(start=START, end=START + timedelta(weeks=WEEKS)))


# --- the same at every run --------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_city() -> None:
    lives, _ = some_days()
    again, _ = a_run()
    assert [(life.arrival, life.events) for life in lives] == [(life.arrival, life.events) for life in again]


def test_another_seed_gives_another_city() -> None:
    other, _ = a_run(parameters(seed=8), days=1)
    assert [life.arrival for life in other] != [life.arrival for life in a_run(days=1)[0]]


def test_a_run_that_ends_later_begins_with_the_shorter_one() -> None:
    """What will happen does not change what has happened."""
    short, _ = a_run(days=2)
    longer = {life.state.number: life.events for life in a_run(days=3)[0]}
    for life in short:
        assert longer[life.state.number][: len(life.events)] == life.events


@given(cuts=st.lists(st.integers(0, 3 * 86_400), max_size=6), offset=st.integers(-86_400, 86_400))
@settings(max_examples=40, deadline=None)
def test_arrivals_do_not_depend_on_how_the_window_is_cut(cuts: list[int], offset: int) -> None:
    start = START + timedelta(seconds=offset)
    edges = [0, *sorted(cuts), 3 * 86_400]
    moments = [(start + timedelta(seconds=edge)).astimezone(UTC) for edge in edges]
    whole = list(people().arrivals(start=moments[0], end=moments[-1]))
    parts = [one for a, b in itertools.pairwise(moments) for one in people().arrivals(start=a, end=b)]
    assert parts == whole
    assert [one.at for one in whole] == sorted(one.at for one in whole)
    assert len({one.key for one in whole}) == len(whole)


def test_an_hour_that_comes_twice_has_its_reports_once_each() -> None:
    """Where clocks are put back, the local hour's name occurs twice; the reports of both are different ones."""
    city = replace_zone(people(parameters(arrivals__per_day=2400.0)), "America/New_York")
    night = datetime(2026, 11, 1, 4, tzinfo=UTC)  # 00:00 local; 01:00 comes twice
    found = list(city.arrivals(start=night, end=night + timedelta(hours=4)))
    assert [one.at.astimezone(UTC) for one in found] == sorted(one.at.astimezone(UTC) for one in found)
    by_hour = Counter(one.at.astimezone(UTC).hour for one in found)
    assert set(by_hour) == {4, 5, 6, 7}
    assert len({one.key for one in found}) == len(found)


def replace_zone(city: Simulation, zone: str) -> Simulation:
    return Simulation(
        city=city.city,
        parameters=city.parameters,
        calendar=city.calendar,
        workflow=city.workflow,
        timezone=zone,
        places=places,
    )


# --- as many as the file says -----------------------------------------------------------------------------------------


def test_reports_come_by_the_hour_as_given() -> None:
    found, wanted = two_months(), parameters()
    days = WEEKS * 7
    assert within(len(found), PER_DAY * days, math.sqrt(PER_DAY * days))
    by_hour = Counter(one.at.hour for one in found)
    for hour, weight in enumerate(wanted.hours):
        expected = PER_DAY * days * weight / sum(wanted.hours)
        assert within(by_hour[hour], expected, math.sqrt(expected)), hour


def test_reports_come_by_weekday_as_given() -> None:
    by_day, wanted = Counter(one.at.weekday() for one in two_months()), parameters()
    for day, weight in enumerate(wanted.weekdays):
        expected = PER_DAY * WEEKS * weight / (sum(wanted.weekdays) / 7)
        assert within(by_day[day], expected, math.sqrt(expected)), day


def shares(values: Iterable[str], wanted: Mapping[str, float]) -> None:
    counts = Counter(values)
    total = counts.total()
    assert set(counts) <= set(wanted)
    for name, weight in wanted.items():
        share = weight / sum(wanted.values())
        assert within(counts[name], total * share, math.sqrt(total * share * (1 - share))), name


def test_channels_and_places_have_their_shares() -> None:
    found = two_months()
    shares((one.payload["source"] for one in found), parameters().sources)
    shares((str(located(one.payload)["region"]) for one in found), {"900101": 3, "900201": 1})


@pytest.mark.parametrize(("month", "litter"), [(3, 3.0), (7, 12.0), (8, 12.0), (12, 3.0)])
def test_what_is_reported_follows_the_season(month: int, litter: float) -> None:
    start = datetime.fromisoformat(f"2026-{month:02d}-01T00:00:00+08:00")
    found = list(people().arrivals(start=start, end=start + timedelta(days=28)))
    shares((one.payload["category"] for one in found), {"02001": litter, "01002": 1.0})


# --- what people do ---------------------------------------------------------------------------------------------------


def test_every_case_is_what_its_events_say() -> None:
    lives, run = some_days()
    assert len(lives) > 800
    assert {refused.split(":")[0] for refused in run.refused} <= {"ask_extension"}, "who asks too late is told so"
    for life in lives:
        assert life.state == fold(life.events)
        assert [event.at for event in life.events] == sorted(event.at for event in life.events)
        assert START <= life.arrival.at <= life.events[-1].at < START + timedelta(days=4)


def test_everybody_who_acts_is_marked_as_simulated() -> None:
    for life in some_days()[0]:
        for event in life.events:
            assert event.actor == "system" or event.actor.startswith("sim:")
            assert event.actor == "system" or "模拟" in event.actor_name


def test_the_sloppy_share_is_as_given() -> None:
    """How often a task is sent back and how often work must be done again, of all that were decided at the step."""
    lives, _ = a_run(crews=1000)  # with few crews, tasks that are taken wait, and those sent back do not
    verbs = Counter(event.verb for life in lives for event in life.events if event.actor != "system")
    for wrong, right, share in (
        ("return", "take", RETURNED / (RETURNED + TAKEN)),
        ("rework", "check", REWORKED / (REWORKED + PASSED)),
    ):
        total = verbs[wrong] + verbs[right]
        assert total > 800
        assert within(verbs[wrong], total * share, math.sqrt(total * share * (1 - share))), wrong


def bound(lives: Iterable[Life]) -> dict[str, list[tuple[datetime, datetime]]]:
    """When crews of each unit were bound: from taking a case until somebody does the next thing with it."""
    found: dict[str, list[tuple[datetime, datetime]]] = {}
    for life in lives:
        acted = [event for event in life.events if event.actor != "system"]
        for event, following in zip(acted, [*acted[1:], None], strict=True):
            if event.verb == "take":
                end = following.at if following else START + timedelta(days=365)
                found.setdefault(event.holder, []).append((event.at, end))
    return found


@pytest.mark.parametrize("crews", [1, 3])
def test_no_unit_works_with_more_crews_than_it_has(crews: int) -> None:
    lives, _ = a_run(days=4, crews=crews)
    reached = 0
    for spans in bound(lives).values():
        changes = sorted([(end, -1) for _, end in spans] + [(start, 1) for start, _ in spans])
        busy = list(itertools.accumulate(step for _, step in changes))
        assert max(busy) <= crews
        reached = max(reached, max(busy))
    assert reached == crews, "the test must bring a unit to its limit"


def test_fewer_crews_leave_more_cases_late() -> None:
    late = [sum(map(is_late, a_run(days=4, crews=crews)[0])) for crews in (1, 20)]
    assert late[0] > 2 * late[1]


def is_late(life: Life) -> bool:
    deadline = life.state.deadline
    open_and_late = life.state.closed_at is None and deadline is not None and deadline < START + timedelta(days=4)
    return life.state.overdue or open_and_late


@given(
    size=st.integers(0, 4),
    wishes=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 90)), max_size=25),
)
def test_crews_equal_a_plain_count(size: int, wishes: list[tuple[int, int]]) -> None:
    """Each wish comes some minutes after the one before and lasts some minutes; a slow reference looks at all spans."""
    crews, now = Crews(sizes={"U": size}), START
    spans: list[datetime] = []
    for gap, length in wishes:
        now += timedelta(minutes=gap)
        free = crews.free_at("U", now)
        busy = [end for end in spans if end > now]
        ready = now if len(busy) < max(1, size) else min(busy)
        assert free == ready
        if free == now:
            crews.bind("U", now + timedelta(minutes=length))
            spans.append(now + timedelta(minutes=length))


def test_a_move_depends_on_the_case_alone_and_refused_verbs_are_left_out() -> None:
    state = Drive().to_dispatch().now
    since = state.updated_at
    assert since is not None
    move = people().next_move(state, since=since)
    assert move is not None
    assert people().next_move(state, since=since) == move
    other = "return" if move.command.verb == "take" else "take"
    instead = people().next_move(state, since=since, without=frozenset({move.command.verb}))
    assert instead is not None
    assert instead.command.verb == other
    assert people().next_move(state, since=since, without=frozenset({"take", "return"})) is None
    assert people().next_move(Drive().to_close().now, since=since) is None


def test_a_warning_changes_nobodys_mind() -> None:
    drive = Drive().to_handling()
    since = drive.at
    before = people().next_move(drive.now, since=since)
    warned = replace(drive.now, seq=drive.now.seq + 1, counts={**drive.now.counts, "escalate": 1})
    after = people().next_move(warned, since=since)
    assert before is not None
    assert after is not None
    assert (after.at, after.command.verb) == (before.at, before.command.verb)


@pytest.mark.parametrize("working", [False, True])
def test_delays_lie_within_the_given_minutes(working: bool) -> None:
    _, _, calendar = mini()
    rows = [{"step": "accepted", "verb": "file", "role": "leader", "minutes": [3, 9, 40], "working": working}]
    city = people(parameters(behaviour=rows))
    state = Drive().report().now
    since = datetime.fromisoformat("2026-03-06T16:50:00+08:00")  # a Friday, shortly before the end of work
    measure: Callable[[float], datetime] = lambda minutes: (  # noqa: E731
        calendar.add(start=since, limit=Limit(amount=minutes / 60, unit=TimeUnit.WORK_HOURS))
        if working
        else since + timedelta(minutes=minutes)
    )
    moves = [city.next_move(replace(state, number=f"MN{n}"), since=since) for n in range(300)]
    times = [move.at for move in moves if move]
    assert len(times) == 300
    assert measure(3) <= min(times)
    assert max(times) <= measure(40)
    assert len(set(times)) > 250


# --- the file ---------------------------------------------------------------------------------------------------------


def test_every_fault_of_the_file_is_named() -> None:
    row = {"step": "accepted", "verb": "file", "role": "leader"}
    with pytest.raises(BadInput) as failed:
        read_parameters(
            {
                "arrivals": {"per_day": 1, "sources": {"public": 1}, "hours": [1] * 23, "weekdays": [0] * 7},
                "behaviour": [{**row, "minutes": [5, 3, 9]}, {**row, "minutes": [1, 2]}],
            }
        )
    assert {problem.column for problem in failed.value.problems} == {
        "arrivals.hours", "arrivals.weekdays", "minutes", "trouble",
    }  # fmt: skip
    assert [problem.row for problem in failed.value.problems if problem.column == "minutes"] == [1, 2]
