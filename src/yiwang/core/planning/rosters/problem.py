"""What a roster has to obey: people, shifts and rules of rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

WEEK = 7
ALL_DAYS = frozenset(range(WEEK))


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who can be on the roster.

    Attributes:
        hours: The most hours a week (Monday to Sunday) that the contract allows; also the person's share of the load.
        unavailable: Days on which no shift may start: leave, training.
        wishes: Days that the person would like to have off.
    """

    id: str
    skills: frozenset[str]
    hours: float
    unavailable: frozenset[date] = frozenset()
    wishes: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A shift that recurs.

    Attributes:
        start: Minutes from midnight.
        hours: Its length, up to 24.
        need: How many people by skill; each counts for one skill only.
        weekdays: On which days it starts; 0 is Monday.
        night: Whether it counts as a night.
    """

    id: str
    start: int
    hours: float
    need: Mapping[str, int]
    weekdays: frozenset[int] = ALL_DAYS
    night: bool = False

    def begins(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day) + timedelta(minutes=self.start)  # noqa: DTZ001 - local wall clock

    def ends(self, day: date) -> datetime:
        return self.begins(day) + timedelta(hours=self.hours)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Rules of rest; nobody works two shifts that start on the same day.

    Attributes:
        rest: Least hours between two shifts.
        run: Longest run of days worked.
        off: Days off in each week from Monday to Sunday that lies wholly in the roster.
        nights: Most nights in a row.
        apart: Pairs who do not work the same shift.
    """

    rest: float = 11.0
    run: int = 6
    off: int = 1
    nights: int = 3
    apart: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterProblem:
    """A roster to be made, from its first day on. Nothing is known of the days before."""

    first: date
    days: int
    people: tuple[Person, ...]
    shifts: tuple[Shift, ...]
    rules: Rules = field(default_factory=Rules)

    def dates(self) -> list[date]:
        return [self.first + timedelta(days=number) for number in range(self.days)]

    def weeks(self) -> list[list[date]]:
        """The days by calendar week; the first and last week may be shorter."""
        found: dict[date, list[date]] = {}
        for day in self.dates():
            found.setdefault(day - timedelta(days=day.weekday()), []).append(day)
        return list(found.values())

    def slots(self) -> Iterator[tuple[date, Shift]]:
        """Every shift on every day on which it starts."""
        for day in self.dates():
            for shift in self.shifts:
                if day.weekday() in shift.weekdays:
                    yield day, shift

    @property
    def needed(self) -> int:
        """How many people all shifts need together."""
        return sum(sum(shift.need.values()) for _, shift in self.slots())


class Duty(NamedTuple):
    """One person on one shift, for one skill."""

    day: date
    shift: str
    skill: str
    person: str


class Gap(NamedTuple):
    """How many people of a skill a shift lacks."""

    day: date
    shift: str
    skill: str
    missing: int
