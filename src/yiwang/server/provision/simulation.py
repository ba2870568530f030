"""Simulated cities: a past month written at once, and life that goes on while the site runs.

Both are the same people (`yiwang.core.planning.simulation`) on the same rules. What they do goes through the same
deciding and writing as anybody's, under origin ``simulation``; cases that real people open are left to real people.
"""

from __future__ import annotations

import bisect
import heapq
import itertools
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import shapely
from django.db import IntegrityError
from django.db.models import F, Max
from numpy.random import Generator

from yiwang.core.cases.events import Actor
from yiwang.core.cases.fields import REPORTED
from yiwang.core.cases.state import CaseState
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.refusals import Conflict, Refusal
from yiwang.core.kernel.text import Text
from yiwang.core.planning.city_run import CityRun, reporter_of
from yiwang.core.planning.simulation import Arrival, Crews, Move, Parameters, Simulation, read_parameters
from yiwang.server.cases.api import (
    CASE_NUMBERS,
    LOADED_COLUMNS,
    REPORT_NUMBERS,
    Case,
    Event,
    Report,
    ReportDraft,
    act_on_case,
    load_rows,
    report_case,
    state_of_row,
)
from yiwang.server.cities.queries import CityRuntime, cities, runtime
from yiwang.server.common import queries as common
from yiwang.server.common.app import Progress
from yiwang.server.common.models import Job
from yiwang.server.imports.lifecycles import BulkWriter, Life

ORIGIN = "simulation"
PAST_DAYS = 30
TRIES = 60  # draws within a region's box before its inner point is taken
LONGEST_GAP = timedelta(hours=6)  # of a site that was off; what lies before is not made up for
MOST_MOVES = 40  # a pass of the live city, so that the worker's other chores are not held up
log = logging.getLogger("yiwang.simulation")


# --- places -------------------------------------------------------------------------------------------------------


class Places:
    """Draws places: a region of the level above the lowest by weight, then a point within it."""

    def __init__(self, place: CityRuntime, parameters: Parameters) -> None:
        tree = place.locator.tree
        level = place.info.levels[-2].id if len(place.info.levels) > 1 else place.info.levels[-1].id
        self.regions = [region for region in tree.at_level(level) if region.geometry is not None]
        below = {code: sum(region.code.startswith(code) for region in self.regions) for code in parameters.places}
        weights = [self._weight(region.code, parameters.places, below) for region in self.regions]
        self.bounds = np.cumsum(weights) / sum(weights)

    @staticmethod
    def _weight(code: str, places: Mapping[str, float], below: Mapping[str, int]) -> float:
        """A region's own weight, or its even share of the weight of the region above; 1 where the pack names none."""
        fitting = [prefix for prefix in places if code.startswith(prefix)]
        if not fitting:
            return 1.0
        longest = max(fitting, key=len)
        return places[longest] / below[longest]

    def __call__(self, rng: Generator) -> tuple[float, float]:
        region = self.regions[bisect.bisect_left(self.bounds.tolist(), float(rng.random()))]
        assert region.geometry is not None  # only such regions were kept
        west, south, east, north = region.geometry.bounds
        for _ in range(TRIES):
            lon, lat = float(rng.uniform(west, east)), float(rng.uniform(south, north))
            if shapely.contains_xy(region.geometry, lon, lat):
                return lon, lat
        inner = shapely.point_on_surface(region.geometry)
        return float(inner.x), float(inner.y)


def simulation_of(place: CityRuntime, *, per_day: float | None = None) -> Simulation:
    """The people of a city; ``per_day`` takes the place of the pack's.

    Raises:
        BadInput: When its pack has no simulation.
    """
    if place.pack.simulation is None:
        raise BadInput(
            Text(
                "{info} 的城市包没有 simulation.toml，无法模拟。",
                "The pack of {info} has no simulation.toml, so nothing can be simulated there.",
                info=place.info.id,
            )
        )
    parameters = read_parameters(place.pack.simulation)
    if per_day is not None:
        parameters = replace(parameters, per_day=per_day)
    return Simulation(
        city=place.info.id,
        parameters=parameters,
        calendar=place.calendar,
        workflow=place.rules.workflow,
        timezone=place.info.timezone,
        places=Places(place, parameters),
    )


def crew_sizes(place: CityRuntime) -> dict[str, int]:
    return {unit.code: unit.crews for unit in place.rules.units}


# --- the past -----------------------------------------------------------------------------------------------------


def run_past(
    *,
    city: str,
    days: int = PAST_DAYS,
    per_day: float | None = None,
    progress: Callable[[int, int], None] | None = None,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Simulate the last days up to now. Run again, it adds only what is not there yet.

    Args:
        city: City.
        days: How many.
        per_day: Reports a day, by mean; as the pack says by default.
        progress: Told how many are done, of about how many.
        now: The moment up to which.

    Returns:
        ``cases``, ``events``, ``closed``, ``known`` and the ``refused`` commands with their reasons.
    """
    place = runtime(city)
    simulation = simulation_of(place, per_day=per_day)
    writer = BulkWriter(place=place, origin=ORIGIN)
    end = now or datetime.now(UTC)
    start = end - timedelta(days=days)
    run = CityRun(
        simulation=simulation,
        rules=place.rules,
        calendar=place.calendar,
        locate=lambda payload: _region_fields(place, payload),
        number=lambda at: writer.number(CASE_NUMBERS, at),
        crews=crew_sizes(place),
    )
    expected, known = round(simulation.parameters.per_day * days), _existing_keys(city, start)
    for done, life in enumerate(run.run(start=start, end=end), start=1):
        if life.arrival.key in known:
            writer.totals.known += 1
        else:
            report = writer.number(REPORT_NUMBERS, life.arrival.at)
            writer.add([Life(state=life.state, events=life.events, external=life.arrival.key, report=report)])
        if progress and done % 100 == 0:
            progress(done, max(expected, done))
    writer.flush()
    totals = writer.totals
    return {
        "cases": totals.cases,
        "events": totals.events,
        "closed": totals.closed,
        "known": totals.known,
        "refused": run.refused,
    }


def _existing_keys(city: str, start: datetime) -> set[str]:
    reports = Report.objects.filter(city=city, origin=ORIGIN, at__gte=start - timedelta(days=1))
    return set(reports.values_list("external", flat=True))


def _region_fields(place: CityRuntime, payload: Mapping[str, object]) -> dict[str, object]:
    found = place.locator.locate(float(str(payload["lon"])), float(str(payload["lat"])))
    return {"region": found.code, "grid": found.grid}


# --- the present --------------------------------------------------------------------------------------------------


@dataclass(order=True, slots=True)
class _PlannedMove:
    at: datetime
    ticket: int
    number: str = field(compare=False)
    seq: int = field(compare=False)
    move: Move = field(compare=False)


class LiveCity:
    """A simulated city as it goes on: who will do what next, held in memory and made anew when the worker starts."""

    def __init__(self, place: CityRuntime, *, now: datetime) -> None:
        self.place = place
        self.people = simulation_of(place)
        self.crews = Crews(sizes=crew_sizes(place))
        self.plan: list[_PlannedMove] = []
        self.tickets = itertools.count()
        last = Report.objects.filter(city=place.info.id, origin=ORIGIN).aggregate(last=Max("at"))["last"]
        # the last second again: a worker may have been killed between two reports of it
        self.until = max(last, now - LONGEST_GAP) if last else now
        self._remember_open()

    def _remember_open(self) -> None:
        opened = Case.objects.filter(city=self.place.info.id, closed_at=None, reports__origin=ORIGIN)
        since = dict(Event.objects.filter(case__in=opened, seq=F("case__seq")).values_list("case_id", "at"))
        for row in opened.values(*LOADED_COLUMNS).iterator(chunk_size=1000):
            self._expect(state_of_row(row), since=since[row["id"]])

    def _expect(self, state: CaseState, *, since: datetime, without: frozenset[str] = frozenset()) -> None:
        move = self.people.next_move(state, since=since, without=without)
        if move:
            heapq.heappush(self.plan, _PlannedMove(move.at, next(self.tickets), state.number, state.seq, move))

    def go_on(self, now: datetime) -> int:
        """Make the reports and moves that are due; how many."""
        done = 0
        arrivals = list(self.people.arrivals(start=self.until, end=now))
        known = self._existing_reports([arrival.key for arrival in arrivals])
        for arrival in arrivals:
            if arrival.key not in known:
                self._report(arrival)
                done += 1
        self.until = now
        while self.plan and self.plan[0].at <= now and done < MOST_MOVES:
            self._move(heapq.heappop(self.plan), now)
            done += 1
        return done

    def _existing_reports(self, keys: list[str]) -> set[str]:
        """Which reports have been made already: by a worker before this one, or by one beside it."""
        reports = Report.objects.filter(city=self.place.info.id, origin=ORIGIN, external__in=keys)
        return set(reports.values_list("external", flat=True)) if keys else set()

    def _report(self, arrival: Arrival) -> None:
        role = reporter_of(self.place.rules.workflow, str(arrival.payload["source"]))
        actor = Actor(id=f"sim:{role}", name="模拟上报", roles=frozenset({role}))
        said = dict(arrival.payload)
        draft = ReportDraft(
            **{name: said[name] for name in REPORTED if name in said},
            channel=said["source"], crs="wgs84", origin=ORIGIN, external=arrival.key,
        )  # fmt: skip
        try:
            said = report_case(city=self.place.info.id, draft=draft, actor=actor, at=arrival.at)
        except IntegrityError:
            return  # a worker beside this one was quicker
        except (Refusal, BadInput) as error:
            log.info("the simulated report %s was not taken: %s", arrival.key, error)
            return
        self._look_again(said["case"], arrival.at)

    def _move(self, planned: _PlannedMove, now: datetime) -> None:
        state = self._state(planned.number)
        if state is None:
            return
        if state.seq != planned.seq:  # a person or the clock came first
            self._expect(state, since=now)
            return
        move, unit = planned.move, state.holder
        if move.behaviour.crew and (free := self.crews.free_at(unit, now)) > now:
            later = Move(at=free, command=move.command, behaviour=move.behaviour)
            heapq.heappush(self.plan, _PlannedMove(free, next(self.tickets), state.number, state.seq, later))
            return
        command = replace(move.command, expected_seq=planned.seq)
        try:
            act_on_case(number=state.number, city=self.place.info.id, command=command, at=now)
        except Conflict:
            self._look_again(state.number, now)  # a person, the clock or another worker was quicker
            return
        except (Refusal, BadInput) as error:
            log.info("%s: the simulated %s was not taken: %s", state.number, move.command.verb, error)
            self._expect(state, since=now, without=frozenset({move.command.verb}))
            return
        following = self._look_again(state.number, now)
        if move.behaviour.crew and following:
            self.crews.bind(unit, following)

    def _state(self, number: str) -> CaseState | None:
        row = load_rows([number], lock=False).get(number)
        return state_of_row(row) if row else None

    def _look_again(self, number: str, since: datetime) -> datetime | None:
        state = self._state(number)
        if state is None:
            return None
        self._expect(state, since=since)
        move = self.people.next_move(state, since=since)
        return move.at if move else None


_living: dict[str, LiveCity] = {}


def live(now: datetime | None = None) -> int:
    """Let every simulated city go on for a moment. One whose past is still being written waits."""
    now = now or datetime.now(UTC)
    busy = {job["city"] for job in common.jobs(most=100) if job["state"] in {"queued", "running"}}
    done = 0
    for info in cities():
        if not info.simulated or info.id in busy:
            continue
        place = runtime(info.id)
        if place.pack.simulation is None:
            continue
        known = _living.get(info.id)
        if known is None or known.place.version != place.version:
            known = _living[info.id] = LiveCity(place, now=now)
        done += known.go_on(now)
    return done


def simulate_job(job: Job, progress: Progress) -> dict[str, Any]:
    """The past of a simulated city, as a job."""
    return run_past(city=job.city, progress=progress, **job.parameters)
