"""A checkpoint (卡口): lanes by hour, so that vehicles wait no longer than they may and do not back up beyond the buffer.

Vehicles of some classes share lanes, others have their own; all wait first in the guidance area (引流区), then in the buffer area (缓冲区),
and beyond both they stand on the road: the queue spills back. Three models answer beside each other, and the plan says all three: the
formula of the steady state at the hour's load, the fluid that carries overload from hour to hour, and the simulation, which has both and
decides. The first lanes come of the formula; `staffing` finds the fewest and the bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from yiwang.core.kernel.text import Text
from yiwang.core.planning.queues.erlang import HOUR, SteadyQueue
from yiwang.core.planning.queues.fluid import fluid_queue
from yiwang.core.planning.queues.load import modified_loads, servers_by_hour
from yiwang.core.planning.queues.simulation import HourFigures, Kind
from yiwang.core.planning.queues.staffing import Requirements, Schedule, find_schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleClass:
    """Vehicles that arrive and are inspected alike.

    Attributes:
        id: Its name.
        mean: Mean inspection in minutes.
        scv: Squared coefficient of variation of an inspection.
        arrivals: Expected in each hour.
    """

    id: str
    mean: float
    scv: float
    arrivals: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneGroup:
    """Lanes that serve the same classes from one queue.

    Attributes:
        id: Its name.
        classes: Who may use them.
        lanes: How many are open in each hour; None where that is to be found.
    """

    id: str
    classes: tuple[VehicleClass, ...]
    lanes: tuple[int, ...] | None = None

    @property
    def arrivals(self) -> list[float]:
        """Of all classes, in each hour."""
        return [sum(hour) for hour in zip(*(one.arrivals for one in self.classes), strict=True)]

    def service(self) -> tuple[float, float]:
        """Mean minutes and squared coefficient of variation of an inspection of whichever class comes next, over the whole time."""
        weights = [sum(one.arrivals) for one in self.classes]
        if not sum(weights):
            weights = [1.0] * len(self.classes)
        mean = float(np.average([one.mean for one in self.classes], weights=weights))
        square = float(np.average([(1 + one.scv) * one.mean**2 for one in self.classes], weights=weights))
        return mean, max(0.0, square / mean**2 - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A checkpoint over some hours.

    Attributes:
        groups: Its lanes.
        guidance, buffer: How many vehicles can wait in the guidance area and in the buffer area; the buffer is None where there is room
            for any number.
    """

    groups: tuple[LaneGroup, ...]
    guidance: int = 0
    buffer: int | None = None

    @property
    def places(self) -> int | None:
        """How many can wait before the queue stands on the road."""
        return None if self.buffer is None else self.guidance + self.buffer


class Kept(StrEnum):
    """Whether a requirement holds, by 95 % intervals of the simulation."""

    YES = "yes"
    BORDERLINE = "borderline"  # the figure misses it, but by no more than chance explains
    NO = "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneHour:
    """One hour of a lane group.

    Attributes:
        group, hour: Which; hours from 0.
        lanes, least: Lanes open, and the bound below which no schedule is good enough.
        by_formula: The lanes that the formula alone asks for.
        load, utilisation: Mean number of busy lanes that the arrivals ask for, and per lane, at most 1.
        formula_wait, formula_quantile: Minutes by the formula of the steady state; infinite in overload.
        fluid_wait, fluid_queue: Mean minutes, and the queue at the hour's end, by the fluid.
        simulated: By the simulation, on days that did not choose the lanes.
        kept: Whether both requirements hold in it.
        one_less: Why one lane less fails; see `staffing.Schedule`.
    """

    group: str
    hour: int
    lanes: int
    least: int
    by_formula: int
    load: float
    utilisation: float
    formula_wait: float
    formula_quantile: float
    fluid_wait: float
    fluid_queue: float
    simulated: HourFigures
    kept: Kept
    one_less: Text | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointPlan:
    """The plan.

    Attributes:
        hours: Of each group, each hour.
        schedule: Lanes with their bound, and the outcome over all hours.
        requirements: What was asked for.
    """

    hours: tuple[LaneHour, ...]
    schedule: Schedule
    requirements: Requirements


def plan_checkpoint(
    checkpoint: Checkpoint,
    *,
    wait: float,
    probability: float = 0.9,
    spill: float = 0.05,
    most: int = 40,
    seed: int = 1,
    replications: int = 200,
) -> CheckpointPlan:
    """Lanes by hour, or what given lanes come to.

    Args:
        checkpoint: The checkpoint.
        wait, probability: In each hour this share of the arrivals of a group must wait at most so many minutes.
        spill: In each hour the queue may spill back with this probability at most; of no effect without a buffer.
        most: A group can have at most so many lanes.
        seed: The same seed gives the same plan.
        replications: Days simulated.

    Raises:
        BadInput: With every fault, or why no number of lanes is enough.
    """
    requirements = Requirements(wait=wait, probability=probability, places=checkpoint.places, spill=spill)
    kinds = [
        Kind(id=one.id, queue=queue, mean=one.mean, scv=one.scv, arrivals=one.arrivals)
        for queue, group in enumerate(checkpoint.groups)
        for one in group.classes
    ]
    formula = [_by_formula(group, wait, probability) for group in checkpoint.groups]
    first = [group.lanes or lanes for group, lanes in zip(checkpoint.groups, formula, strict=True)]
    schedule = find_schedule(
        kinds, first=np.array(first, np.int64), requirements=requirements, most=most, seed=seed,
        given=[queue for queue, group in enumerate(checkpoint.groups) if group.lanes is not None],
        replications=replications,
    )  # fmt: skip
    hours = [
        one
        for queue, group in enumerate(checkpoint.groups)
        for one in _hours(queue, group, formula[queue], schedule, requirements)
    ]
    return CheckpointPlan(hours=tuple(hours), schedule=schedule, requirements=requirements)


def kept(figures: HourFigures, requirements: Requirements) -> Kept:
    """Whether an hour keeps both requirements."""
    within, spilt = figures.within, figures.spill
    if within.value >= requirements.probability and spilt.value <= requirements.spill:
        return Kept.YES
    if within.high >= requirements.probability and spilt.low <= requirements.spill:
        return Kept.BORDERLINE
    return Kept.NO


def _by_formula(group: LaneGroup, wait: float, probability: float) -> Sequence[int]:
    mean, scv = group.service()
    return servers_by_hour(group.arrivals, mean, within=wait, probability=probability, scv=scv)


def _hours(
    queue: int, group: LaneGroup, formula: Sequence[int], schedule: Schedule, requirements: Requirements
) -> list[LaneHour]:
    mean, scv = group.service()
    lanes = schedule.servers[queue]
    fluid = fluid_queue(group.arrivals, [one * HOUR / mean for one in lanes])
    found = []
    for hour, load in enumerate(modified_loads(group.arrivals, mean)):
        steady = SteadyQueue(rate=load * HOUR / mean, service=mean, servers=lanes[hour], scv=scv)
        figures = schedule.outcome.by_hour[queue][hour]
        nobody = not group.arrivals[hour] and not lanes[hour]
        found.append(
            LaneHour(
                group=group.id,
                hour=hour,
                lanes=lanes[hour],
                least=schedule.least[queue][hour],
                by_formula=formula[hour],
                load=load,
                utilisation=0.0 if nobody else steady.utilisation,
                formula_wait=0.0 if nobody else steady.mean_wait,
                formula_quantile=0.0 if nobody else steady.wait_quantile(requirements.probability),
                fluid_wait=fluid[hour].mean_wait,
                fluid_queue=fluid[hour].queue_at_end,
                simulated=figures,
                kept=kept(figures, requirements),
                one_less=schedule.one_less[queue][hour],
            )
        )
    return found
