"""A stretch of a simulated city's time, from its first report to its last command: events only, nothing stored."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from yiwang.core.cases.deadlines import due, next_due
from yiwang.core.cases.decide import decide
from yiwang.core.cases.definitions import Workflow
from yiwang.core.cases.events import SYSTEM, Actor, Command, Event
from yiwang.core.cases.evolve import evolve
from yiwang.core.cases.rulebook import Rulebook
from yiwang.core.cases.state import CaseState
from yiwang.core.kernel.refusals import Refusal
from yiwang.core.planning.simulation import Arrival, Crews, Move, Simulation
from yiwang.core.worktime import WorkCalendar

HOTLINE = "hotline"
Located = Mapping[str, object]


def reporter_of(workflow: Workflow, source: str) -> str:
    """The role that reports by a channel; what has no role of its own is entered at the hotline's desk, or by staff."""
    openers = [workflow.roles[role] for role in workflow.opening().roles if role != SYSTEM]
    by_channel = {role.channel: role.id for role in reversed(openers) if role.channel}
    staff = next((role.id for role in openers if not role.outside), openers[0].id)
    return by_channel.get(source) or by_channel.get(HOTLINE) or staff


@dataclass(slots=True)
class Life:
    """One case as it has run so far: since when it stands as it stands, what the clock and people will do next, and the
    unit of which it binds a crew."""

    arrival: Arrival
    state: CaseState
    events: list[Event]
    since: datetime
    timed: datetime | None = None
    move: Move | None = None
    refused: frozenset[str] = frozenset()
    crew_of: str = ""


@dataclass(slots=True)
class CityRun:
    """A discrete-event run of a city.

    Attributes:
        simulation: Its people.
        rules, calendar: What decides.
        locate: Where a report lies: the payload of an arrival → fields ``region``, ``grid``, ``flags``.
        number: The number of the next case, at a time.
        crews: How many crews each unit has.
    """

    simulation: Simulation
    rules: Rulebook
    calendar: WorkCalendar
    locate: Callable[[Mapping[str, object]], Located]
    number: Callable[[datetime], str]
    crews: Mapping[str, int]
    refused: dict[str, int] = field(default_factory=dict)

    def run(self, *, start: datetime, end: datetime) -> Iterator[Life]:
        """Every case reported in ``[start, end)``, with what happened to it before ``end``; a case comes when it has ended
        or the time is over. In order of ending, not of reporting."""
        crews = Crews(sizes=self.crews)
        arrivals = self.simulation.arrivals(start=start, end=end)
        agenda: list[tuple[datetime, int, Life]] = []
        upcoming, ticket = next(arrivals, None), 0
        while upcoming or agenda:
            if upcoming and (not agenda or upcoming.at <= agenda[0][0]):
                life = self._open_case(upcoming)
                upcoming = next(arrivals, None)
            else:
                at, _, life = heapq.heappop(agenda)
                self._advance(life, at, crews)
            when = self._next(life)
            if when is None or when >= end:
                yield life
                continue
            ticket += 1
            heapq.heappush(agenda, (when, ticket, life))

    def _open_case(self, arrival: Arrival) -> Life:
        source = str(arrival.payload["source"])
        role = reporter_of(self.rules.workflow, source)
        actor = Actor(id=f"sim:{role}", name="模拟上报", roles=frozenset({role}))
        payload = {
            **arrival.payload,
            **self.locate(arrival.payload),
            "number": self.number(arrival.at),
            "city": self.simulation.city,
        }
        command = Command(verb=self.rules.workflow.opening().id, actor=actor, payload=payload)
        events = decide(None, command, rules=self.rules, calendar=self.calendar, at=arrival.at)
        state: CaseState | None = None
        for event in events:
            state = evolve(state, event)
        assert state is not None
        timed = next_due(state, rules=self.rules, calendar=self.calendar)
        life = Life(arrival=arrival, state=state, events=events, since=arrival.at, timed=timed)
        life.move = self.simulation.next_move(state, since=arrival.at)
        return life

    @staticmethod
    def _next(life: Life) -> datetime | None:
        """When something will happen to a case: somebody acts, or its clock does."""
        times = [moment for moment in (life.timed, life.move.at if life.move else None) if moment is not None]
        return max(min(times), life.events[-1].at) if times else None

    def _advance(self, life: Life, at: datetime, crews: Crews) -> None:
        if life.timed is not None and life.timed <= at:
            for command in due(life.state, rules=self.rules, calendar=self.calendar, at=at):
                self._take(life, command, at)
        move = life.move
        if move is None or move.at > at:
            return
        unit = life.state.holder
        if move.behaviour.crew and (free := crews.free_at(unit, at)) > at:
            life.move = Move(at=free, command=move.command, behaviour=move.behaviour)
            return
        if not self._take(life, move.command, at):
            life.refused |= {move.command.verb}
            life.move = self.simulation.next_move(life.state, since=at, without=life.refused)
        else:
            life.crew_of = unit if move.behaviour.crew else ""
        if life.crew_of and life.move:
            crews.bind(life.crew_of, life.move.at)  # after a refusal, for as long as it takes now

    def _take(self, life: Life, command: Command, at: datetime) -> bool:
        try:
            events = decide(life.state, command, rules=self.rules, calendar=self.calendar, at=at)
        except Refusal as refusal:
            key = f"{command.verb}: {refusal.text.en}"
            self.refused[key] = self.refused.get(key, 0) + 1
            return False
        before = (life.state.step, life.state.holder, life.state.pending)
        for event in events:
            life.state = evolve(life.state, event)
            life.events.append(event)
        life.timed = next_due(life.state, rules=self.rules, calendar=self.calendar)
        if command.actor.id != "system" or before != (life.state.step, life.state.holder, life.state.pending):
            life.since, life.refused = at, frozenset()
            life.move = self.simulation.next_move(life.state, since=at)
        return True
