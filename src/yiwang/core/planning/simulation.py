"""A seeded city: people who report, clerks who sometimes send things back, crews who are sometimes late.

It is a discrete-event simulation on the real rulebook: it only ever issues commands, and `decide` answers them as it
answers anybody's. What people do at a step is data (``[[behaviour]]`` rows: verb, share, delay), so a pack can be as
orderly or as sloppy as its city.

Randomness is counter-based: the arrivals of an hour depend on the seed and that hour alone, a move depends on the
seed, the case's number and its sequence number. So a month simulated at set-up and the minutes simulated while the
site runs belong to one and the same city, and a run that was killed goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.random import Generator

from yiwang.core.cases.events import Actor, Command
from yiwang.core.cases.state import CaseState
from yiwang.core.cases.workflow import Workflow
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.worktime import Limit, TimeUnit, WorkCalendar


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What may happen at a step.

    Attributes:
        step: The step at which it happens.
        verb: The verb that is tried; empty when nothing more happens.
        role: In which role.
        share: Weight among the behaviours of the same step.
        minutes: Shortest, usual and longest delay in minutes (triangular distribution).
        working: Whether the delay counts only inside working periods.
        crew: Whether it waits for a free crew of the holder and binds it until the case leaves the step it enters.
        payload: Further fields of the command; a list value is drawn from.
        sources: Only for cases from these sources; empty means all.
        pending: Only while a request of this kind waits for an answer; rows without it only while none does.
    """

    step: str
    verb: str
    role: str
    share: float
    minutes: tuple[float, float, float]
    working: bool = True
    crew: bool = False
    payload: Mapping[str, Any] = field(default_factory=dict)
    sources: frozenset[str] = frozenset()
    pending: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A kind of thing that people report: its category, how often, in which months, and in what words."""

    category: str
    condition: str
    weight: float
    months: tuple[float, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """A simulated city, as its pack's ``simulation.toml`` states it.

    Attributes:
        places: Region prefix → weight of the reports there.
        pace: Region prefix → by what the working time of whatever is done there is multiplied; the longest prefix counts.
    """

    seed: int
    per_day: float
    hours: tuple[float, ...]
    weekdays: tuple[float, ...]
    sources: Mapping[str, float]
    troubles: tuple[Trouble, ...]
    behaviours: tuple[Behaviour, ...]
    names: tuple[str, ...]
    places: Mapping[str, float] = field(default_factory=dict)
    pace: Mapping[str, float] = field(default_factory=dict)

    def pace_in(self, region: str) -> float:
        """By what working time in a region is multiplied; 1 where nothing is said."""
        fitting = [prefix for prefix in self.pace if region.startswith(prefix)]
        return self.pace[max(fitting, key=len)] if fitting else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A report about to be made: when, and the payload of its report command (place still to be located)."""

    at: datetime
    key: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What somebody will do with a case: when, and the command."""

    at: datetime
    command: Command
    behaviour: Behaviour


def read_parameters(data: Mapping[str, Any], *, file: str = "simulation.toml") -> Parameters:
    """Read the parsed ``simulation.toml``.

    Raises:
        BadInput: With every fault found (weights of the wrong length, a negative share, delays out of order).
    """
    problems: list[Problem] = []

    def weights(key: str, length: int) -> tuple[float, ...]:
        values = tuple(float(value) for value in data.get("arrivals", {}).get(key, [1.0] * length))
        if len(values) != length or min(values, default=-1) < 0 or not sum(values):
            problems.append(
                Problem(
                    Text("写了 {count} 个权重。", "{count} weights", count=len(values)),
                    Text("请给出 {length} 个不小于 0 的权重。", "Give {length} weights ≥ 0.", length=length),
                    file,
                    None,
                    f"arrivals.{key}",
                )
            )
        return values

    behaviours = []
    for index, row in enumerate(data.get("behaviour", []), start=1):
        minutes = tuple(float(value) for value in row.get("minutes", ()))
        if len(minutes) != 3 or list(minutes) != sorted(minutes) or minutes[0] < 0:
            problems.append(
                Problem(
                    Text("用时不是 [最短, 通常, 最长]。", "the delay is not [shortest, usual, longest]"),
                    Text("请从小到大给出三个数。", "Give three rising numbers."),
                    file,
                    index,
                    "minutes",
                )
            )
            continue
        behaviours.append(
            Behaviour(
                step=row["step"],
                verb=row["verb"],
                role=row["role"],
                share=float(row.get("share", 1.0)),
                minutes=(minutes[0], minutes[1], minutes[2]),
                working=bool(row.get("working", True)),
                crew=bool(row.get("crew", False)),
                payload=row.get("payload", {}),
                sources=frozenset(row.get("sources", ())),
                pending=row.get("pending", ""),
            )
        )
    troubles = tuple(
        Trouble(
            category=row["category"],
            condition=str(row.get("condition", "")),
            weight=float(row["weight"]),
            months=tuple(float(value) for value in row.get("months", [1.0] * 12)),
            texts=tuple(row["texts"]),
        )
        for row in data.get("trouble", [])
    )
    if not troubles:
        nothing = Text("没有可以上报的问题。", "nothing to report")
        hint = Text("请至少写一个 [[trouble]]。", "Give at least one [[trouble]].")
        problems.append(Problem(nothing, hint, file, None, "trouble"))
    hours, weekdays = weights("hours", 24), weights("weekdays", 7)
    if problems:
        raise BadInput(problems)
    return Parameters(
        seed=int(data.get("seed", 1)),
        per_day=float(data["arrivals"]["per_day"]),
        hours=hours,
        weekdays=weekdays,
        sources=data["arrivals"]["sources"],
        troubles=troubles,
        behaviours=tuple(behaviours),
        names=tuple(data.get("names", ("模拟人员",))),
        places={str(code): float(weight) for code, weight in data.get("places", {}).items()},
        pace={str(code): float(factor) for code, factor in data.get("pace", {}).items()},
    )


def _seed(key: tuple[object, ...]) -> int:
    digest = hashlib.blake2b("\x1f".join(map(str, key)).encode(), digest_size=16).digest()
    return int.from_bytes(digest, "big")


def generator(*key: object) -> Generator:
    """A random generator for columns that depends on nothing but its key."""
    return np.random.Generator(np.random.Philox(key=_seed(key)))


class Simulation:
    """The people of one city.

    Args:
        city: Its id.
        parameters: How they behave.
        calendar: Working time.
        timezone: The city's own.
        workflow: Whose escalations are the clock's doing, not people's.
        places: Draws a place for the n-th report of an hour: ``places(rng) -> (lon, lat)``.
    """

    def __init__(
        self,
        *,
        city: str,
        parameters: Parameters,
        calendar: WorkCalendar,
        workflow: Workflow,
        timezone: str,
        places: Callable[[Generator], tuple[float, float]],
    ) -> None:
        self.city = city
        self.parameters = parameters
        self.calendar = calendar
        self.workflow = workflow
        self.zone = ZoneInfo(timezone)
        self.places = places
        self._timed = sorted({escalation.verb for escalation in workflow.escalations})
        self._by_step: dict[str, list[Behaviour]] = {}
        for behaviour in parameters.behaviours:
            self._by_step.setdefault(behaviour.step, []).append(behaviour)

    def arrivals(self, *, start: datetime, end: datetime) -> Iterator[Arrival]:
        """Reports made in ``[start, end)``, in order of time; the same ones however the window is cut."""
        hour = start.astimezone(self.zone).replace(minute=0, second=0, microsecond=0)
        while hour.astimezone(UTC) < end:
            for arrival in self._hour(hour):
                if start <= arrival.at.astimezone(UTC) < end:
                    yield arrival
            hour = (hour.astimezone(UTC) + timedelta(hours=1)).astimezone(self.zone)

    def _hour(self, hour: datetime) -> list[Arrival]:
        wanted = self.parameters
        rng = generator(wanted.seed, self.city, hour.isoformat())
        share = wanted.hours[hour.hour] / sum(wanted.hours)
        day = wanted.weekdays[hour.weekday()] / (sum(wanted.weekdays) / 7)
        count = int(rng.poisson(wanted.per_day * share * day))
        seconds = np.sort(rng.integers(0, 3600, size=count))
        weights = np.array([trouble.weight * trouble.months[hour.month - 1] for trouble in wanted.troubles])
        kinds = rng.choice(len(wanted.troubles), size=count, p=weights / weights.sum())
        names = list(wanted.sources)
        shares = np.array([wanted.sources[name] for name in names])
        sources = rng.choice(len(names), size=count, p=shares / shares.sum())
        return [
            self._arrival(hour, index, int(seconds[index]), wanted.troubles[kinds[index]], names[sources[index]], rng)
            for index in range(count)
        ]

    def _arrival(
        self, hour: datetime, index: int, second: int, trouble: Trouble, source: str, rng: Generator
    ) -> Arrival:
        lon, lat = self.places(rng)
        payload: dict[str, Any] = {
            "text": trouble.texts[int(rng.integers(len(trouble.texts)))],
            "category": trouble.category,
            "condition": trouble.condition,
            "lon": round(lon, 6),
            "lat": round(lat, 6),
            "source": source,
            "reporter": f"sim:{source}",
        }
        # where clocks are put back an hour comes twice: the second one has its own times and keys
        at = (hour.astimezone(UTC) + timedelta(seconds=second)).astimezone(self.zone)
        return Arrival(at=at, key=f"{hour:%Y%m%dT%H}{'b' if hour.fold else ''}-{index:04d}", payload=payload)

    def next_move(self, state: CaseState, *, since: datetime, without: frozenset[str] = frozenset()) -> Move | None:
        """What will be done with a case that has stood as it stands since ``since``; None where nobody does anything.

        A warning or a recorded escalation does not change anybody's mind: the answer depends on how often people (not
        the clock) have acted, and on the holder. ``without`` names verbs that were refused.
        """
        waiting = str((state.pending or {}).get("kind", ""))
        candidates = [
            row
            for row in self._by_step.get(state.step, ())
            if row.pending == waiting and row.verb not in without and (not row.sources or state.source in row.sources)
        ]
        if not candidates:
            return None
        turn = state.seq - sum(state.count(verb) for verb in self._timed)
        # one decision needs few numbers: the standard library's generator is made thirty times faster than NumPy's
        rng = Random(_seed((self.parameters.seed, state.number, turn, state.holder, *sorted(without))))  # noqa: S311
        behaviour = rng.choices(candidates, weights=[row.share for row in candidates])[0]
        if not behaviour.verb:
            return None
        pace = self.parameters.pace_in(state.region) if behaviour.working else 1.0
        at = self.after(since, minutes=self._delay(behaviour, rng) * pace, working=behaviour.working)
        payload = {key: self._draw_value(value, rng, at) for key, value in behaviour.payload.items()}
        command = Command(verb=behaviour.verb, actor=self._actor(state, behaviour, rng), payload=payload)
        return Move(at=at, command=command, behaviour=behaviour)

    def after(self, start: datetime, *, minutes: float, working: bool) -> datetime:
        """The moment that lies so many minutes (of working time, if so wished) after ``start``."""
        if not working:
            return start + timedelta(minutes=minutes)
        return self.calendar.add(start=start, limit=Limit(amount=minutes / 60, unit=TimeUnit.WORK_HOURS))

    @staticmethod
    def _delay(behaviour: Behaviour, rng: Random) -> float:
        low, usual, high = behaviour.minutes
        return rng.triangular(low, high, usual) if high > low else low

    def _draw_value(self, value: Any, rng: Random, at: datetime) -> Any:
        """A field of a command: one of a list, so many days from then (``+30d``), or as it stands."""
        if isinstance(value, Sequence) and not isinstance(value, str):
            value = rng.choice(value)
        if isinstance(value, str) and value.startswith("+") and value.endswith("d"):
            return (at.astimezone(self.zone).date() + timedelta(days=int(value[1:-1]))).isoformat()
        return value

    def _actor(self, state: CaseState, behaviour: Behaviour, rng: Random) -> Actor:
        # one person has one role: whoever handles is then never the one who closes
        name = rng.choice(self.parameters.names)
        return Actor(
            id=(behaviour.role in self.workflow.outside_roles() and state.reporter) or f"sim:{behaviour.role}:{name}",
            name=f"{name}（模拟）",
            roles=frozenset({behaviour.role}),
            unit=self._desk(state, behaviour),
            region="",
        )

    def _desk(self, state: CaseState, behaviour: Behaviour) -> str:
        """The unit for which somebody acts: an assisting one where one is waited for, else the holder."""
        verb = self.workflow.verbs[behaviour.verb]
        if verb.effect == "assist_done":
            return next((unit for unit, done in state.assisting.items() if done == "asked"), state.holder)
        return "" if behaviour.role in self.workflow.outside_roles() else state.holder


@dataclass(slots=True)
class Crews:
    """Which crews of which unit are free when: a heap of times per unit, as long as the unit has crews."""

    sizes: Mapping[str, int]
    busy: dict[str, list[datetime]] = field(default_factory=dict)

    def free_at(self, unit: str, at: datetime) -> datetime:
        """When the next crew of a unit can start, not before ``at``."""
        waiting = self.busy.setdefault(unit, [])
        while waiting and waiting[0] <= at:
            heapq.heappop(waiting)
        return at if len(waiting) < max(1, self.sizes.get(unit, 1)) else waiting[0]

    def bind(self, unit: str, until: datetime) -> None:
        """Take a crew until a time."""
        heapq.heappush(self.busy.setdefault(unit, []), until)
