"""Make a roster: as few gaps as possible, then an even load, then wishes; each with a bound.

A mixed-integer program (A. T. Ernst, H. Jiang, M. Krishnamoorthy and D. Sier, Staff scheduling and rostering, *European Journal of
Operational Research* 153, 2004, survey such models). x is 1 where a person works a shift on a day for a skill. Each stage keeps what the
one before it reached (lexicographic):

1. the number of people that shifts lack;
2. the highest load, the share of the contract's hours that anybody works;
3. the number of wished days off that are worked.

The bound of a stage holds for all rosters that do as well as this one in the stages before. A roster without a single duty breaks no rule,
so there is always an answer, whatever the time limit.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import ceil

from yiwang.core.planning.program import Answer, Program
from yiwang.core.planning.rosters.check import gaps, highest_load, refused_wishes
from yiwang.core.planning.rosters.problem import Duty, Gap, RosterProblem, Shift
from yiwang.core.planning.standing import Standing

SHARES = (0.5, 0.6, 1.0)  # of the time that is left, for each stage
RELAXABLE = ("unavailable", "hours", "rest", "run", "off", "nights", "apart")


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """A roster.

    Attributes:
        duties: Who works what, in order of time.
        gaps: What is not covered.
        uncovered: The standing of the number of people lacking.
        load: The standing of the highest load; its bound among rosters with no more gaps.
        wishes: The standing of the wishes refused; its bound among rosters that are no worse in both.
    """

    duties: tuple[Duty, ...]
    gaps: tuple[Gap, ...]
    uncovered: Standing
    load: Standing
    wishes: Standing


@dataclass(slots=True)
class _Model:
    program: Program = field(default_factory=Program)
    duties: dict[Duty, int] = field(default_factory=dict)
    missing: list[int] = field(default_factory=list)
    load: int = -1
    wishes: list[int] = field(default_factory=list)


def plan_roster(problem: RosterProblem, *, seconds: float = 60.0, seed: int = 1) -> Roster:
    """The best roster found in time.

    Args:
        seconds: For all three stages together. A roster that is proven best in all of them is the same whatever the limit; one that was cut
            off may differ with the machine's speed.
        seed: Of the solver.
    """
    began = time.perf_counter()
    model = _model(problem)
    start: Sequence[float] = _nobody(problem, model)
    stages: list[Standing] = []
    objectives = (model.missing, [model.load], model.wishes)
    for columns, share in zip(objectives, SHARES, strict=True):
        program = model.program
        program.costs = [0.0] * len(program.costs)
        for column in columns:
            program.costs[column] = 1.0
        since = time.perf_counter()
        answer = program.solve(seconds=share * max(0.0, seconds - (since - began)), seed=seed, start=start)
        if not answer.feasible:  # cut off before the given start was even looked at
            answer = Answer(feasible=True, values=tuple(start), objective=sum(start[one] for one in columns), bound=0.0)
        start = answer.values
        best = answer.objective if columns == [model.load] else round(answer.objective)
        bound = max(0.0, answer.bound)
        bound = bound if columns == [model.load] else ceil(bound - 1e-6)
        stages.append(Standing(objective=best, bound=min(bound, best), seconds=time.perf_counter() - since))
        slack = 1e-7 if columns == [model.load] else 0.0
        program.row([(column, 1.0) for column in columns], high=best + slack)
    duties = tuple(sorted(duty for duty, column in model.duties.items() if start[column] > 0.5))
    lacking = tuple(gaps(problem, duties))
    figures = (sum(gap.missing for gap in lacking), highest_load(problem, duties), refused_wishes(problem, duties))
    uncovered, load, wishes = (
        Standing(objective=figure, bound=min(stage.bound, figure), seconds=stage.seconds)
        for figure, stage in zip(figures, stages, strict=True)
    )
    return Roster(duties=duties, gaps=lacking, uncovered=uncovered, load=load, wishes=wishes)


def gaps_without(problem: RosterProblem, *, rule: str, seconds: float, seed: int = 1) -> Standing:
    """How many people would still be lacking if one rule of `RELAXABLE` did not hold."""
    model = _model(problem, without=(rule,))
    for column in model.missing:
        model.program.costs[column] = 1.0
    began = time.perf_counter()
    start = _nobody(problem, model)
    answer = model.program.solve(seconds=seconds, seed=seed, start=start)
    best = round(answer.objective) if answer.feasible else problem.needed
    bound = ceil(max(0.0, answer.bound) - 1e-6) if answer.feasible else 0
    return Standing(objective=best, bound=min(bound, best), seconds=time.perf_counter() - began)


def _model(problem: RosterProblem, *, without: Collection[str] = ()) -> _Model:
    """The program, without some of the rules."""
    model, rules = _Model(), problem.rules
    program = model.program
    model.load = program.column()
    working: dict[tuple[str, date, str], list[int]] = defaultdict(list)  # columns of a person, day and shift
    filling: dict[tuple[date, str, str], list[int]] = defaultdict(list)
    for day, shift in problem.slots():
        for skill, need in shift.need.items():
            for person in problem.people:
                if skill in person.skills and (day not in person.unavailable or "unavailable" in without):
                    duty = Duty(day, shift.id, skill, person.id)
                    column = model.duties[duty] = program.column(high=1.0, whole=True)
                    working[person.id, day, shift.id].append(column)
                    filling[day, shift.id, skill].append(column)
            missing = program.column(high=float(need))
            model.missing.append(missing)
            terms = [(column, 1.0) for column in filling[day, shift.id, skill]]
            program.row([*terms, (missing, 1.0)], low=float(need), high=float(need))
    dates = problem.dates()
    for person in problem.people:
        of_day = {
            day: [column for shift in problem.shifts for column in working.get((person.id, day, shift.id), ())]
            for day in dates
        }
        nights = {
            day: [c for shift in problem.shifts if shift.night for c in working.get((person.id, day, shift.id), ())]
            for day in dates
        }
        for columns in of_day.values():
            _at_most(program, columns, 1)
        if "rest" not in without:
            _add_rest(problem, model, working, person.id)
        if "run" not in without:
            for window in _windows(dates, rules.run + 1):
                _at_most(program, [column for day in window for column in of_day[day]], rules.run)
        if "nights" not in without:
            for window in _windows(dates, rules.nights + 1):
                _at_most(program, [column for day in window for column in nights[day]], rules.nights)
        everything = []
        for week in problem.weeks():
            hours = [
                (column, shift.hours)
                for day in week
                for shift in problem.shifts
                for column in working.get((person.id, day, shift.id), ())
            ]
            everything += hours
            if "hours" not in without and hours:
                program.row(hours, high=person.hours)
            if "off" not in without and len(week) == 7:
                _at_most(program, [column for day in week for column in of_day[day]], 7 - rules.off)
        if everything and person.hours:
            program.row([*everything, (model.load, -person.hours * problem.days / 7)], high=0.0)
        model.wishes += [column for day in dates if day in person.wishes for column in of_day[day]]
    if "apart" not in without:
        for one, other in sorted(rules.apart):
            for day, shift in problem.slots():
                _at_most(program, [c for who in (one, other) for c in working.get((who, day, shift.id), ())], 1)
    return model


def _add_rest(
    problem: RosterProblem, model: _Model, working: dict[tuple[str, date, str], list[int]], person: str
) -> None:
    """After a shift none that begins before the rest is over. A person has one shift a day, so those of one later day share a row."""
    for day, shift in problem.slots():
        own = working.get((person, day, shift.id), [])
        for later in range(1, 4):  # a shift of 24 hours and a rest of two days reach no further
            after = day + timedelta(days=later)
            others = [
                column
                for other in problem.shifts
                if not _rested(problem, shift, day, other, after)
                for column in working.get((person, after, other.id), ())
            ]
            if own and others:
                _at_most(model.program, [*own, *others], 1)


def _rested(problem: RosterProblem, before: Shift, day: date, after: Shift, on: date) -> bool:
    return after.begins(on) - before.ends(day) >= timedelta(hours=problem.rules.rest)


def _at_most(program: Program, columns: Sequence[int], most: int) -> None:
    if len(columns) > most:
        program.row([(column, 1.0) for column in columns], high=float(most))


def _windows(dates: Sequence[date], length: int) -> list[Sequence[date]]:
    return [dates[at : at + length] for at in range(len(dates) - length + 1)]


def _nobody(problem: RosterProblem, model: _Model) -> list[float]:
    """The roster without a duty."""
    start = [0.0] * len(model.program.costs)
    for column in model.missing:
        start[column] = model.program.highs[column]
    return start
