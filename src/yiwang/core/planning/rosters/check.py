"""Check a roster from its duties alone: times, counts and rules, nothing of the program that made it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import pairwise

from yiwang.core.kernel.text import Text
from yiwang.core.planning.rosters.problem import Duty, Gap, Person, RosterProblem, Shift

RULES: dict[str, Text] = {
    "skill": Text("技能", "skill"),
    "unavailable": Text("不可排班日", "days not available"),
    "one a day": Text("每天一班", "one shift a day"),
    "hours": Text("每周工时上限", "hours a week"),
    "rest": Text("班次间休息", "rest between shifts"),
    "run": Text("连续上班天数", "longest run of days"),
    "off": Text("每周休息日", "days off a week"),
    "nights": Text("连续夜班", "nights in a row"),
    "apart": Text("不得同班", "pairs apart"),
}


def gaps(problem: RosterProblem, duties: Iterable[Duty]) -> list[Gap]:
    """What is not covered, in order of time."""
    there = Counter((duty.day, duty.shift, duty.skill) for duty in duties)
    return [
        Gap(day, shift.id, skill, need - there[day, shift.id, skill])
        for day, shift in problem.slots()
        for skill, need in shift.need.items()
        if there[day, shift.id, skill] < need
    ]


def highest_load(problem: RosterProblem, duties: Iterable[Duty]) -> float:
    """The largest share of the contract's hours over the whole roster that anybody works."""
    lengths = {shift.id: shift.hours for shift in problem.shifts}
    worked: dict[str, float] = defaultdict(float)
    for duty in duties:
        worked[duty.person] += lengths[duty.shift]
    weeks = problem.days / 7
    return max((worked[one.id] / (one.hours * weeks) for one in problem.people if one.hours), default=0.0)


def refused_wishes(problem: RosterProblem, duties: Iterable[Duty]) -> int:
    """How many days on which somebody works had been wished off."""
    wishes = {one.id: one.wishes for one in problem.people}
    return len({(duty.person, duty.day) for duty in duties if duty.day in wishes[duty.person]})


def roster_faults(problem: RosterProblem, duties: Sequence[Duty]) -> list[Text]:
    """Every rule that a roster breaks, in words; empty where it breaks none."""
    faults = [
        Text("{shift} {day} 的{skill}人数过多。", "{shift} on {day} has too many for {skill}.", shift=s, day=d, skill=k)
        for (d, s, k), count in Counter((duty.day, duty.shift, duty.skill) for duty in duties).items()
        if count > _need(problem, d, s, k)
    ]
    faults += [
        Text("没有人员 {person}。", "There is no person {person}.", person=person)
        for person in sorted({duty.person for duty in duties} - {one.id for one in problem.people})
    ]
    for person in problem.people:
        for rule, day in broken_by(problem, person, [duty for duty in duties if duty.person == person.id]):
            faults.append(
                Text(
                    "{person}在 {day} 违反：{rule}。",
                    "{person} on {day} breaks: {rule}.",
                    person=person.id,
                    day=day,
                    rule=RULES[rule],
                )
            )
    together = defaultdict(set)
    for duty in duties:
        together[duty.day, duty.shift].add(duty.person)
    for (day, shift), there in sorted(together.items()):
        for one, other in sorted(problem.rules.apart):
            if {one, other} <= there:
                faults.append(
                    Text(
                        "{one}与{other}不得同班，却同在 {day} {shift}。",
                        "{one} and {other} are to be apart, and are both on {shift} on {day}.",
                        one=one,
                        other=other,
                        day=day,
                        shift=shift,
                    )
                )
    return faults


def broken_by(problem: RosterProblem, person: Person, duties: Sequence[Duty]) -> list[tuple[str, date]]:
    """The rules (keys of `RULES`, all but ``apart``) that one person's duties break, with a day of each."""
    shifts = {shift.id: shift for shift in problem.shifts}
    rules, found = problem.rules, []
    for duty in duties:
        if duty.skill not in person.skills:
            found.append(("skill", duty.day))
        if duty.day in person.unavailable:
            found.append(("unavailable", duty.day))
    by_day = Counter(duty.day for duty in duties)
    found += [("one a day", day) for day, count in by_day.items() if count > 1]
    in_order = sorted(duties, key=lambda duty: shifts[duty.shift].begins(duty.day))
    for before, after in pairwise(in_order):
        free = shifts[after.shift].begins(after.day) - shifts[before.shift].ends(before.day)
        if free < timedelta(hours=rules.rest):
            found.append(("rest", after.day))
    hours: Counter[date] = Counter()
    worked: Counter[date] = Counter()
    for day in by_day:
        worked[day - timedelta(days=day.weekday())] += 1
    for duty in duties:
        hours[duty.day - timedelta(days=duty.day.weekday())] += shifts[duty.shift].hours  # type: ignore[assignment]
    found += [("hours", monday) for monday, total in hours.items() if total > person.hours + 1e-9]
    whole_weeks = {week[0] for week in problem.weeks() if len(week) == 7}
    found += [("off", day) for day, count in worked.items() if day in whole_weeks and count > 7 - rules.off]
    nights = {duty.day for duty in duties if shifts[duty.shift].night}
    found += [("run", day) for day in _too_long(set(by_day), rules.run)]
    found += [("nights", day) for day in _too_long(nights, rules.nights)]
    return found


def _too_long(days: set[date], most: int) -> list[date]:
    """The days on which a run of days becomes longer than it may be."""
    found, run = [], 0
    previous: date | None = None
    for day in sorted(days):
        run = run + 1 if previous is not None and day - previous == timedelta(days=1) else 1
        previous = day
        if run > most:
            found.append(day)
    return found


def _need(problem: RosterProblem, day: date, shift: str, skill: str) -> int:
    found: Shift | None = next((one for on, one in problem.slots() if (on, one.id) == (day, shift)), None)
    return found.need.get(skill, 0) if found else 0
