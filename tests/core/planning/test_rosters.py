"""Rosters against every roster there is, on instances small enough to list them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from yiwang.core.kernel.errors import BadInput
from yiwang.core.planning.rosters.check import broken_by, gaps, highest_load, refused_wishes, roster_faults
from yiwang.core.planning.rosters.explain import describe, held_off, relaxations
from yiwang.core.planning.rosters.plan import plan_roster
from yiwang.core.planning.rosters.problem import Duty, Person, RosterProblem, Rules, Shift
from yiwang.core.planning.rosters.reading import read_roster

CLINIC = Path(__file__).parent / "clinic.toml"
MONDAY = date(2026, 6, 1)


def random_problem(seed: int) -> RosterProblem:
    """Two or three people, three or four days, two shifts."""
    draw = np.random.default_rng(seed)
    people, days = (2, 4) if seed % 2 else (3, 3)
    dates = [MONDAY + timedelta(days=number) for number in range(days)]

    def some(chance: float) -> frozenset[date]:
        return frozenset(day for day in dates if draw.random() < chance)

    return RosterProblem(
        first=MONDAY,
        days=days,
        people=tuple(
            Person(
                id=f"p{number}",
                skills=frozenset({"a", "b"} if draw.random() < 0.4 else {"a"}),
                hours=float(draw.choice([16, 24, 40])),
                unavailable=some(0.15),
                wishes=some(0.3),
            )
            for number in range(people)
        ),
        shifts=(
            Shift(id="day", start=480, hours=8, need={"a": 1}),
            Shift(
                id="late", start=14 * 60, hours=8.5, need={"b" if seed % 3 else "a": 1}, night=bool(draw.random() < 0.5)
            ),
        ),
        rules=Rules(
            rest=float(draw.choice([9, 11, 24])),
            run=int(draw.integers(1, 4)),
            nights=int(draw.integers(1, 3)),
            apart=frozenset({("p0", "p1")}) if draw.random() < 0.4 else frozenset(),
        ),
    )


def all_rosters(problem: RosterProblem) -> Iterator[list[Duty]]:
    """Every roster that breaks no rule: the choices of each person that are allowed, put together in every way."""
    choices = []
    for person in problem.people:
        options = [
            [None, *(Duty(day, shift.id, skill, person.id) for shift in problem.shifts for skill in shift.need)]
            for day in problem.dates()
        ]
        own = [[duty for duty in chosen if duty] for chosen in product(*options)]
        choices.append([duties for duties in own if not broken_by(problem, person, duties)])
    for chosen in product(*choices):
        duties = [duty for own in chosen for duty in own]
        if not roster_faults(problem, duties):
            yield duties


@pytest.mark.parametrize("seed", range(10))
def test_no_roster_is_better(seed: int) -> None:
    problem = random_problem(seed)
    made = plan_roster(problem)
    assert roster_faults(problem, made.duties) == []
    assert made.uncovered.proven
    assert made.wishes.proven

    def score(duties: list[Duty]) -> tuple[int, float, int]:
        lacking = sum(gap.missing for gap in gaps(problem, duties))
        return lacking, round(highest_load(problem, duties), 6), refused_wishes(problem, duties)

    assert score(list(made.duties)) == min(map(score, all_rosters(problem)))


def test_every_rule_is_seen_when_it_is_broken() -> None:
    dates = [MONDAY + timedelta(days=number) for number in range(7)]
    person = Person(id="p", skills=frozenset({"a"}), hours=16, unavailable=frozenset({dates[2]}))
    shifts = (
        Shift(id="day", start=480, hours=8, need={"a": 1}),
        Shift(id="late", start=840, hours=8, need={"b": 1}, night=True),
    )
    rules = Rules(rest=17, run=1, nights=1, apart=frozenset({("p", "q")}))
    other = replace(person, id="q")
    problem = RosterProblem(first=MONDAY, days=7, people=(person, other), shifts=shifts, rules=rules)
    duties = [Duty(day, "late", "b", "p") for day in dates] + [Duty(MONDAY, "day", "a", "p")]
    broken = {rule for rule, _ in broken_by(problem, person, duties)}
    assert broken == {"skill", "unavailable", "one a day", "rest", "hours", "off", "run", "nights"}
    both = [Duty(MONDAY, "day", "a", "p"), Duty(MONDAY, "day", "a", "q")]
    assert any("are to be apart" in str(fault) for fault in roster_faults(problem, both))


def test_the_clinic_of_the_guide_is_covered() -> None:
    problem = read_roster(CLINIC.read_text(encoding="utf-8"))
    made = plan_roster(problem)
    assert roster_faults(problem, made.duties) == []
    assert made.uncovered.proven
    assert made.duties == plan_roster(problem).duties
    tampered = [*made.duties, Duty(MONDAY, "day", "nurse", "Qian")]
    said = " ".join(str(fault) for fault in roster_faults(problem, tampered))
    assert "too many for nurse" in said
    assert "Qian on 2026-06-01 breaks: skill" in said


def test_a_gap_says_who_could_come_and_what_holds_them_off() -> None:
    problem = RosterProblem(
        first=MONDAY,
        days=2,
        people=(Person(id="Lin", skills=frozenset({"nurse"}), hours=40, unavailable=frozenset({MONDAY})),),
        shifts=(
            Shift(id="day", start=480, hours=8, need={"nurse": 1}),
            Shift(id="ward", start=480, hours=8, need={"doctor": 1}, weekdays=frozenset({1})),
        ),
    )
    made = plan_roster(problem)
    assert [(gap.day, gap.shift, gap.missing) for gap in made.gaps] == [
        (MONDAY, "day", 1),
        (MONDAY + timedelta(days=1), "ward", 1),
    ]
    assert held_off(problem, made, made.gaps[0]) == {"unavailable": 1}
    first, second = (describe(problem, made, gap) for gap in made.gaps)
    assert "1 have the skill, held off by: days not available 1" in str(first)
    assert "无人具备该技能" in second.into("zh")
    lifted = relaxations(problem, made, seconds=20)
    assert {rule: standing.objective for rule, standing in lifted.items()} == {"unavailable": 1}


def test_without_time_there_is_a_roster_and_a_bound() -> None:
    problem = read_roster(CLINIC.read_text(encoding="utf-8"))
    made = plan_roster(problem, seconds=0.0)
    assert roster_faults(problem, made.duties) == []
    assert 0 <= made.uncovered.bound <= made.uncovered.objective <= problem.needed


def test_every_fault_of_a_file_is_told() -> None:
    text = CLINIC.read_text(encoding="utf-8")
    wrong = text.replace('"20:00"', '"25:00"').replace("hours = 24", 'hours = "many"').replace('"sat"]', '"day"]')
    wrong = wrong.replace('id = "Sun"', 'id = "Lin"').replace('"Qian"]]', '"Li"]]').replace("nights = 2", "night = 2")
    with pytest.raises(BadInput) as caught:
        read_roster(wrong, file="clinic.toml")
    found = [(problem.row, problem.column) for problem in caught.value.problems]
    assert found == [
        (4, "person.hours"),
        (2, "shift.start"),
        (2, "shift.weekdays"),
        (None, "rules.night"),
        (4, "person.id"),
        (None, "rules.apart"),
    ]
    assert all(problem.hint for problem in caught.value.problems)
    with pytest.raises(BadInput, match="Not TOML"):
        read_roster("first = ")
    with pytest.raises(BadInput, match=r"no \[\[person\]\]"):
        read_roster("first = 2026-06-01\ndays = 3")
