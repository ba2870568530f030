"""What is to be driven: stops, depots, vehicles, and how far and how long it is between any two places.

It is the vehicle routing problem with time windows, several depots and unlike vehicles (P. Toth and D. Vigo, editors, *Vehicle Routing*,
second edition, 2014), with two further limits for samples that must reach a laboratory in time. A route leaves a depot, serves its stops
once each and comes back to the same depot, which is also where samples are handed in.

Times, distances and demands may be in any unit as long as each is used throughout; files with clock times use minutes after midnight and
kilometres.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields
from math import inf, isfinite, isnan

import numpy as np
from numpy.typing import NDArray

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.errors import Problem as Fault
from yiwang.core.kernel.text import NO_TEXT, Text

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A place to serve once.

    Attributes:
        id: Unique among the stops.
        demand: What it takes of a vehicle's capacity, one figure for each dimension of load.
        service: How long the service takes.
        opens, closes: The service begins in between; who is early waits.
        release: Its vehicle does not leave the depot before.
        result_by: Its vehicle is back at the depot by then: the latest time at which the laboratory takes the sample.
        time_to_result: The longest time from the beginning of its service, when the sample is taken, until its vehicle is back.
        vehicles: Names of the vehicle types that may serve it; empty means all.
        price: What it costs to leave it out; None where it must be served.
        point: x and y, or longitude and latitude; None where only matrices are known.
    """

    id: str
    demand: tuple[float, ...] = (0.0,)
    service: float = 0.0
    opens: float = 0.0
    closes: float = inf
    release: float = 0.0
    result_by: float = inf
    time_to_result: float = inf
    vehicles: frozenset[str] = frozenset()
    price: float | None = None
    point: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Depot:
    """Where vehicles start and end."""

    id: str
    point: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle:
    """A type of vehicle or team.

    Attributes:
        id: Unique among the types.
        number: How many there are.
        capacity: For each dimension of load.
        depot: Where each begins and ends.
        starts, ends: The shift: none leaves before, all are back by then.
        fixed_cost: Of each that is used.
        cost_per_distance, cost_per_time: Time counts from leaving the depot until the return, waiting included.
        max_duration: The longest time from leaving the depot until the return.
    """

    id: str
    number: int
    capacity: tuple[float, ...] = (inf,)
    depot: str
    starts: float = 0.0
    ends: float = inf
    fixed_cost: float = 0.0
    cost_per_distance: float = 1.0
    cost_per_time: float = 0.0
    max_duration: float = inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Everything that a plan is made from, and checked when made.

    Attributes:
        depots, stops, vehicles: In the order of the input.
        distance, duration: Square; row and column of a depot are its position among the depots, those of a stop its position among the
            stops plus the number of depots.

    Raises:
        BadInput: With every fault found.
    """

    depots: tuple[Depot, ...]
    stops: tuple[Stop, ...]
    vehicles: tuple[Vehicle, ...]
    distance: Matrix = field(repr=False)
    duration: Matrix = field(repr=False)

    def __post_init__(self) -> None:
        faults = [*_faults_of_names(self), *_faults_of_numbers(self), *_faults_of_matrices(self)]
        if faults:
            raise BadInput(faults)

    def depot_at(self, vehicle: Vehicle) -> int:
        """Row of a vehicle's depot in the matrices."""
        return next(at for at, depot in enumerate(self.depots) if depot.id == vehicle.depot)

    def row_of(self, stop: int) -> int:
        """Row in the matrices of the stop at a position."""
        return len(self.depots) + stop

    def may_serve(self, vehicle: Vehicle, stop: Stop) -> bool:
        """Whether a vehicle's type is allowed at a stop."""
        return not stop.vehicles or vehicle.id in stop.vehicles

    @property
    def whole(self) -> bool:
        """Whether every plan costs a whole number, so that a bound may be rounded up."""
        figures = [stop.price or 0.0 for stop in self.stops]
        for vehicle in self.vehicles:
            figures += [vehicle.fixed_cost, vehicle.cost_per_distance]
        timed = any(vehicle.cost_per_time for vehicle in self.vehicles)
        return not timed and all(map(float.is_integer, map(float, figures))) and bool((self.distance % 1 == 0).all())


def _faults_of_names(problem: Problem) -> list[Fault]:
    faults = []
    groups = (("stops", problem.stops), ("depots", problem.depots), ("vehicles", problem.vehicles))
    for name, members in groups:
        if not members:
            faults.append(Fault(Text("{name} 为空。", "There are no {name}.", name=name), column=name))
        for twice in [one for one, count in Counter(member.id for member in members).items() if count > 1]:
            message = Text("编号「{id}」出现多次。", "The id {id!r} occurs more than once.", id=twice)
            faults.append(Fault(message, Text("编号不得重复。", "Ids must be unique."), column=name))
    depots, types = {depot.id for depot in problem.depots}, {vehicle.id for vehicle in problem.vehicles}
    for vehicle in problem.vehicles:
        if vehicle.depot not in depots:
            message = Text(
                "车型「{id}」的车场「{depot}」不存在。",
                "Vehicle type {id!r} starts at {depot!r}, which is no depot.",
                id=vehicle.id, depot=vehicle.depot,
            )  # fmt: skip
            faults.append(Fault(message, _one_of(depots), column="depot"))
    for stop in problem.stops:
        for unknown in sorted(stop.vehicles - types):
            message = Text(
                "点位「{id}」指定的车型「{type}」不存在。",
                "Stop {id!r} allows {type!r}, which is no vehicle type.",
                id=stop.id, type=unknown,
            )  # fmt: skip
            faults.append(Fault(message, _one_of(types), column="vehicles"))
    return faults


def _one_of(names: set[str]) -> Text:
    known = ", ".join(sorted(names))
    return Text("可用：{known}。", "One of: {known}.", known=known) if known else NO_TEXT


def _faults_of_numbers(problem: Problem) -> list[Fault]:
    faults = []
    for kind, owner in [("stop", stop) for stop in problem.stops] + [("vehicle", one) for one in problem.vehicles]:
        assert isinstance(owner, Stop | Vehicle)
        for one in fields(owner):
            value = getattr(owner, one.name)
            figures = value if isinstance(value, tuple) and one.name != "point" else (value,)
            for figure in figures:
                if isinstance(figure, int | float) and (isnan(figure) or figure < 0):
                    message = Text(
                        "「{id}」的 {name} 为 {figure}。", "{kind} {id!r} has {name} {figure}.",
                        kind=kind.capitalize(), id=owner.id, name=one.name, figure=figure,
                    )  # fmt: skip
                    hint = Text("应为不小于 0 的数。", "It must be a number of at least 0.")
                    faults.append(Fault(message, hint, column=one.name))
    for stop in problem.stops:
        if stop.opens > stop.closes:
            message = Text("点位「{id}」的结束时间早于开始时间。", "Stop {id!r} closes before it opens.", id=stop.id)
            hint = Text("请检查 open 与 close。", "Check open and close.")
            faults.append(Fault(message, hint, column="close"))
    dimensions = {len(stop.demand) for stop in problem.stops} | {len(one.capacity) for one in problem.vehicles}
    if len(dimensions) > 1:
        message = Text("需求与载量的维数不一致。", "Demands and capacities differ in how many figures they have.")
        faults.append(Fault(message, column="demand"))
    return faults


def _faults_of_matrices(problem: Problem) -> list[Fault]:
    size = len(problem.depots) + len(problem.stops)
    faults = []
    for name, matrix in (("distance", problem.distance), ("duration", problem.duration)):
        if matrix.shape != (size, size):
            message = Text(
                "{name} 矩阵为 {shape}，应为 {size}×{size}。",
                "The {name} matrix has the shape {shape}; it must be {size} × {size}.",
                name=name, shape="×".join(map(str, matrix.shape)), size=size,
            )  # fmt: skip
            faults.append(Fault(message, column=name))
        elif not (np.isfinite(matrix).all() and (matrix >= 0).all() and not matrix.diagonal().any()):
            message = Text(
                "{name} 矩阵含有负数、非有限数或对角线不为 0。",
                "The {name} matrix holds negative or infinite figures, or a diagonal that is not 0.",
                name=name,
            )
            faults.append(Fault(message, column=name))
    return faults


def finite(value: float, otherwise: float) -> float:
    """A figure, or another where it is infinite."""
    return value if isfinite(value) else otherwise
