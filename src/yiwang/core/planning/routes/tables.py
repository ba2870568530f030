"""Stops and a fleet as tables with clock times, longitudes and latitudes; and a plan as GeoJSON.

Times are minutes after midnight of the day, distances kilometres on the great circle, and durations those at one speed: a city's streets
are longer, so the speed to give is the one at which straight lines are covered.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from yiwang.core.kernel.text import Text
from yiwang.core.planning.routes.benchmarks import Faults
from yiwang.core.planning.routes.matrices import great_circle
from yiwang.core.planning.routes.plan import Plan
from yiwang.core.planning.routes.problem import Depot, Problem, Stop, Vehicle

STOP_COLUMNS = ("id", "lon", "lat", "demand", "service_minutes", "open", "close")
STOP_OPTIONAL = ("depot", "release", "result_by", "result_minutes", "vehicles", "price")
FLEET_COLUMNS = ("id", "number", "capacity", "start", "end")
FLEET_OPTIONAL = ("depot", "fixed_cost", "cost_per_km", "cost_per_hour", "max_minutes")
_YES = frozenset({"1", "yes", "true", "是"})
_CLOCK = re.compile(r"(\d{1,2}):([0-5]\d)")
_CLOCK_HINT = Text("应为 HH:MM，如 08:30。", "It must be HH:MM, such as 08:30.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Alike vehicles at the first depot, for a table of stops without a table of vehicles."""

    number: int
    capacity: float
    starts: float
    ends: float


def read_tables(
    stops: str, file: str, *, fleet: Fleet | None = None, vehicles: str = "", vehicles_file: str = "", speed: float
) -> Problem:
    """A problem from a table of stops and either a fleet or a table of vehicles.

    Args:
        stops: CSV with `STOP_COLUMNS` and any of `STOP_OPTIONAL`. Rows whose ``depot`` says yes are depots, of which only id, lon and lat
            count.
        vehicles: CSV with `FLEET_COLUMNS` and any of `FLEET_OPTIONAL`.
        speed: Kilometres an hour, along great circles.

    Raises:
        BadInput: With file, row and column of every fault.
    """
    faults = Faults(file)
    homes: list[Depot] = []
    places: list[Stop] = []
    for row, cells in _rows(stops, STOP_COLUMNS, STOP_OPTIONAL, faults):
        point = _point(cells, row, faults)
        if cells.get("depot", "").lower() in _YES:
            homes.append(Depot(id=cells["id"], point=point))
        else:
            places.append(_stop(cells, row, point, faults))
    _unique([*(depot.id for depot in homes), *(stop.id for stop in places)], faults)
    if not homes:
        hint = Text("请加 depot 列，车场一行写 1。", "Add a column depot with 1 in the depot's row.")
        faults.add(Text("没有车场。", "There is no depot."), hint, column="depot")
    if not places:
        faults.add(Text("没有点位。", "There are no stops."))
    depot = homes[0].id if homes else ""
    types: tuple[Vehicle, ...] = ()
    of_fleet = Faults(vehicles_file)
    if fleet is not None:
        shift = {"starts": fleet.starts, "ends": fleet.ends}
        types = (Vehicle(id="vehicle", number=fleet.number, capacity=(fleet.capacity,), depot=depot, **shift),)
    else:
        rows = _rows(vehicles, FLEET_COLUMNS, FLEET_OPTIONAL, of_fleet)
        types = tuple(_vehicle(cells, row, depot, of_fleet) for row, cells in rows)
        _unique([one.id for one in types], of_fleet)
    faults.found += of_fleet.found
    faults.stop()
    points = [point for point in (*(depot.point for depot in homes), *(stop.point for stop in places)) if point]
    distance = great_circle(points)
    return Problem(
        depots=tuple(homes), stops=tuple(places), vehicles=types, distance=distance, duration=distance / speed * 60
    )


def minutes(text: str) -> float | None:
    """Minutes after midnight of a clock time, up to 47:59 for a shift that goes on after midnight; None where it is none."""
    found = _CLOCK.fullmatch(text.strip())
    return 60.0 * int(found[1]) + int(found[2]) if found and int(found[1]) < 48 else None


def clock(value: float) -> str:
    """A clock time to the second."""
    seconds = round(value * 60)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def geojson(problem: Problem, plan: Plan) -> dict[str, Any]:
    """A line for each route, along straight lines, and a point for each visit."""
    at = {stop.id: stop for stop in problem.stops}
    homes = {depot.id: depot.point for depot in problem.depots}
    depot_of = {vehicle.id: homes[vehicle.depot] for vehicle in problem.vehicles}
    features = []
    for number, route in enumerate(plan.routes, start=1):
        line = [depot_of[route.vehicle], *(at[visit.stop].point for visit in route.visits), depot_of[route.vehicle]]
        told: dict[str, Any] = {"route": number, "vehicle": route.vehicle}
        whole = told | {"leaves": clock(route.leaves), "returns": clock(route.returns), "km": round(route.distance, 3)}
        features.append(_feature("LineString", line, whole))
        features += [
            _feature("Point", at[visit.stop].point, told | {"stop": visit.stop, "position": position, "begins": clock(visit.begins)})
            for position, visit in enumerate(route.visits, start=1)
        ]  # fmt: skip
    return {"type": "FeatureCollection", "features": features}


def _feature(kind: str, coordinates: Any, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": {"type": kind, "coordinates": coordinates}, "properties": properties}


def _rows(
    text: str, needed: tuple[str, ...], optional: tuple[str, ...], faults: Faults
) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    header = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = header
    known = ", ".join((*needed, *(f"[{name}]" for name in optional)))
    hint = Text("列为：{known}。", "The columns are: {known}.", known=known)
    for name in needed:
        if name not in header:
            faults.add(Text("缺少列 {name}。", "There is no column {name}.", name=name), hint, row=1, column=name)
    for name in header:
        if name not in (*needed, *optional):
            faults.add(Text("不认识列「{name}」。", "The column {name!r} is not known.", name=name), hint, row=1, column=name)  # fmt: skip
    if any(name not in header for name in needed):
        return
    for cells in reader:
        row = reader.line_num
        if None in cells or None in cells.values():
            message = Text("列数与表头不同。", "The row has not as many cells as the header.")
            faults.add(message, Text("每列一格。", "One cell for each column."), row=row)
            continue
        given = {name: value.strip() for name, value in cells.items()}
        if not given["id"]:
            hint = Text("每行须有编号。", "Each row needs one.")
            faults.add(Text("没有编号。", "There is no id."), hint, row=row, column="id")
        yield row, given


def _unique(ids: list[str], faults: Faults) -> None:
    for twice in [one for one, count in Counter(ids).items() if count > 1 and one]:
        message = Text("编号「{id}」出现多次。", "The id {id!r} occurs more than once.", id=twice)
        faults.add(message, Text("编号不得重复。", "Ids must be unique."), column="id")


def _point(cells: Mapping[str, str], row: int, faults: Faults) -> tuple[float, float]:
    lon = faults.number(cells["lon"], row=row, column="lon", negative=True)
    lat = faults.number(cells["lat"], row=row, column="lat", negative=True)
    for name, value, most in (("lon", lon, 180), ("lat", lat, 90)):
        if abs(value) > most:
            message = Text("{value:g} 超出范围。", "{value:g} is out of range.", value=value)
            hint = Text("应在 −{most} 至 {most} 之间。", "It must be between −{most} and {most}.", most=most)
            faults.add(message, hint, row=row, column=name)
    return lon, lat


def _stop(cells: Mapping[str, str], row: int, point: tuple[float, float], faults: Faults) -> Stop:
    opens = _time(cells, "open", row, faults, otherwise=0.0)
    closes = _time(cells, "close", row, faults, otherwise=inf)
    if opens > closes:
        message = Text("关闭时间早于开放时间。", "It closes before it opens.")
        faults.add(message, Text("请检查 open 与 close。", "Check open and close."), row=row, column="close")
    return Stop(
        id=cells["id"],
        demand=(_number(cells, "demand", row, faults),),
        service=_number(cells, "service_minutes", row, faults),
        opens=opens,
        closes=closes,
        release=_time(cells, "release", row, faults, otherwise=0.0),
        result_by=_time(cells, "result_by", row, faults, otherwise=inf),
        time_to_result=_number(cells, "result_minutes", row, faults, otherwise=inf),
        vehicles=frozenset(cells.get("vehicles", "").split()),
        price=_number(cells, "price", row, faults) if cells.get("price") else None,
        point=point,
    )


def _vehicle(cells: Mapping[str, str], row: int, depot: str, faults: Faults) -> Vehicle:
    number = _number(cells, "number", row, faults)
    if not number.is_integer():
        faults.add(Text("车辆数不是整数。", "The number is not whole."), row=row, column="number")
    starts, ends = (_time(cells, name, row, faults, otherwise=None) for name in ("start", "end"))
    if ends < starts:
        message = Text("班次结束早于开始。", "The shift ends before it starts.")
        faults.add(
            message, Text("跨夜班次写如 30:00。", "For one past midnight write e.g. 30:00."), row=row, column="end"
        )
    return Vehicle(
        id=cells["id"],
        number=int(number),
        capacity=(_number(cells, "capacity", row, faults),),
        depot=cells.get("depot") or depot,
        starts=starts,
        ends=ends,
        fixed_cost=_number(cells, "fixed_cost", row, faults),
        cost_per_distance=_number(cells, "cost_per_km", row, faults, otherwise=1.0),
        cost_per_time=_number(cells, "cost_per_hour", row, faults) / 60,
        max_duration=_number(cells, "max_minutes", row, faults, otherwise=inf),
    )


def _number(cells: Mapping[str, str], name: str, row: int, faults: Faults, *, otherwise: float = 0.0) -> float:
    text = cells.get(name, "")
    return faults.number(text, row=row, column=name) if text else otherwise


def _time(cells: Mapping[str, str], name: str, row: int, faults: Faults, *, otherwise: float | None) -> float:
    text = cells.get(name, "")
    if not text and otherwise is not None:
        return otherwise
    found = minutes(text)
    if found is None:
        faults.add(
            Text("「{text}」不是时刻。", "{text!r} is no time of day.", text=text), _CLOCK_HINT, row=row, column=name
        )
    return found or 0.0
