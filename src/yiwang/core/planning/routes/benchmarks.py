"""Problems in the formats of published benchmarks: VRPLIB (CVRP), and Solomon's VRPTW as text or JSON.

The distances are those of each benchmark's convention: rounded to the nearest whole number for ``EUC_2D`` in VRPLIB (E. Uchoa and others,
New benchmark instances for the capacitated vehicle routing problem, *European Journal of Operational Research* 257, 2017), and double
precision, time equal to distance, for M. M. Solomon's (Algorithms for the vehicle routing and scheduling problems with time window
constraints, *Operations Research* 35, 1987), where the number of vehicles counts first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from math import isfinite

import numpy as np

from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.errors import Problem as Fault
from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.core.planning.routes.matrices import euclidean, rounded_euclidean
from yiwang.core.planning.routes.problem import Depot, Problem, Stop, Vehicle

_NUMBER = Text("应为不小于 0 的数。", "It must be a number of at least 0.")


@dataclass(slots=True)
class Faults:
    """The faults of one file as they are found."""

    file: str
    found: list[Fault] = field(default_factory=list)

    def add(self, message: Text, hint: Text = NO_TEXT, *, row: int | None = None, column: str = "") -> None:
        self.found.append(Fault(message, hint, self.file, row, column))

    def number(self, text: str, *, row: int | None, column: str, negative: bool = False) -> float:
        """A finite number; a fault, and 0, where it is none."""
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if isfinite(value) and (negative or value >= 0):
            return value
        hint = Text("应为数字。", "It must be a number.") if negative else _NUMBER
        self.add(Text("「{text}」无效。", "{text!r} is not valid.", text=text), hint, row=row, column=column)
        return 0.0

    def stop(self) -> None:
        """Raise what was found, if anything was."""
        if self.found:
            raise BadInput(self.found)


def read_vrplib(text: str, file: str) -> Problem:
    """A CVRP in VRPLIB's format, with ``EUC_2D`` or a full ``EXPLICIT`` matrix. As many vehicles as stops are taken to be at hand.

    Raises:
        BadInput: With file, row and column of every fault.
    """
    faults = Faults(file)
    fields: dict[str, tuple[int, str]] = {}
    sections: dict[str, list[tuple[int, list[str]]]] = {}
    section: str | None = None
    for row, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped:
            continue
        if stripped == "EOF":
            break
        key, colon, value = stripped.partition(":")
        if colon:
            fields[key.strip().upper()] = (row, value.strip())
            section = None
        elif re.fullmatch(r"[A-Z_0-9]*_SECTION", stripped):
            section = stripped
            sections[section] = []
        elif section:
            sections[section].append((row, stripped.split()))
        else:
            message = Text("「{line}」不是字段或节。", "{line!r} is no field or section of VRPLIB.", line=stripped[:40])
            faults.add(message, row=row)
    for name in ("DIMENSION", "CAPACITY", "EDGE_WEIGHT_TYPE"):
        if name not in fields:
            faults.add(Text("缺少 {name}。", "{name} is missing.", name=name), column=name)
    kind_row, kind = fields.get("TYPE", (None, "CVRP"))
    if kind != "CVRP":
        message = Text("问题类型为 {kind}。", "The problem is of type {kind}.", kind=kind)
        faults.add(message, Text("只读 CVRP。", "Only CVRP is read."), row=kind_row, column="TYPE")
    faults.stop()

    size = int(faults.number(fields["DIMENSION"][1], row=fields["DIMENSION"][0], column="DIMENSION"))
    capacity = faults.number(fields["CAPACITY"][1], row=fields["CAPACITY"][0], column="CAPACITY")
    demands = _section(sections, "DEMAND_SECTION", 2, size, faults)
    row, weights = fields["EDGE_WEIGHT_TYPE"]
    points: list[tuple[float, float]] | None = None
    matrix = np.zeros((0, 0))
    if weights == "EUC_2D":
        coordinates = _section(sections, "NODE_COORD_SECTION", 3, size, faults, negative=True)
        points = [(one[1], one[2]) for one in coordinates]
    elif weights == "EXPLICIT" and fields.get("EDGE_WEIGHT_FORMAT", (0, ""))[1] == "FULL_MATRIX":
        entries = [(at, entry) for at, words in sections.get("EDGE_WEIGHT_SECTION", []) for entry in words]
        figures = [faults.number(entry, row=at, column="EDGE_WEIGHT_SECTION") for at, entry in entries]
        if len(figures) != size * size:
            message = Text("矩阵有 {got} 个数。", "The matrix has {got} figures.", got=len(figures))
            hint = Text("应有 {want} 个。", "There must be {want}.", want=size * size)
            faults.add(message, hint, column="EDGE_WEIGHT_SECTION")
        else:
            matrix = np.array(figures).reshape(size, size)
    else:
        message = Text("不支持距离类型 {weights}。", "Distances of type {weights} are not read.", weights=weights)
        hint = Text("可用 EUC_2D 或 EXPLICIT FULL_MATRIX。", "Use EUC_2D, or EXPLICIT as FULL_MATRIX.")
        faults.add(message, hint, row=row, column="EDGE_WEIGHT_TYPE")
    depots = [words[0] for _, words in sections.get("DEPOT_SECTION", []) if words[0] != "-1"]
    if len(depots) > 1 or depots[:1] not in ([], ["1"]):
        message = Text("车场为 {depots}。", "The depots are {depots}.", depots=", ".join(depots))
        hint = Text("CVRP 只有一个车场，编号 1。", "A CVRP has one, node 1.")
        faults.add(message, hint, column="DEPOT_SECTION")
    faults.stop()
    distance = rounded_euclidean(points) if points is not None else matrix
    stops = tuple(
        Stop(id=str(at), demand=(demands[at][1],), point=points[at] if points else None) for at in range(1, size)
    )
    depot = Depot(id="depot", point=points[0] if points else None)
    vehicle = Vehicle(id="vehicle", number=len(stops), capacity=(capacity,), depot="depot")
    return Problem(depots=(depot,), stops=stops, vehicles=(vehicle,), distance=distance, duration=distance)


def _section(
    sections: dict[str, list[tuple[int, list[str]]]], name: str, width: int, size: int, faults: Faults, *, negative: bool = False
) -> list[list[float]]:  # fmt: skip
    """The lines of a section in the order of their nodes, 1 to ``size``."""
    found: dict[int, list[float]] = {}
    for row, words in sections.get(name, []):
        if len(words) != width:
            message = Text("此行有 {got} 个数。", "The line has {got} figures.", got=len(words))
            faults.add(message, Text("应有 {want} 个。", "It must have {want}.", want=width), row=row, column=name)
            continue
        figures = [faults.number(word, row=row, column=name, negative=negative) for word in words]
        if int(figures[0]) in found:
            faults.add(Text("节点 {node} 重复。", "Node {node} occurs twice.", node=words[0]), row=row, column=name)
        found[int(figures[0])] = figures
    missing = [node for node in range(1, size + 1) if node not in found]
    if missing or len(found) > size:
        faults.add(
            Text("节点应为 1 至 {size}；缺 {missing}。", "The nodes must be 1 to {size}; missing: {missing}.", size=size,
                 missing=", ".join(map(str, missing[:10])) or "–"), column=name,
        )  # fmt: skip
    return [found.get(node, [float(node)] + [0.0] * (width - 1)) for node in range(1, size + 1)]


def read_cost(solution: str) -> float | None:
    """The cost that a VRPLIB solution (``.sol``) states; None where it states none."""
    found = re.search(r"^Cost\s+([\d.]+)", solution, re.MULTILINE)
    return float(found[1]) if found else None


_SOLOMON = ("id", "x", "y", "demand", "earliest", "latest", "cost")


def read_solomon(text: str, file: str) -> Problem:
    """A VRPTW as Solomon's text, or as JSON with ``vehicle-nr``, ``capacity`` and ``customers``, each with ``id, x, y, demand, earliest,
    latest, cost`` (the service time). The first customer is the depot.

    Raises:
        BadInput: With file, row and column of every fault.
    """
    faults = Faults(file)
    rows = _solomon_json(text, faults) if text.lstrip().startswith("{") else _solomon_text(text, faults)
    faults.stop()
    number, capacity, nodes = rows
    if len(nodes) < 2:
        hint = Text("第一个点为车场，其后为客户。", "The first node is the depot, customers follow.")
        faults.add(Text("没有客户。", "There are no customers."), hint)
        faults.stop()
    points = [(node[1], node[2]) for node in nodes]
    distance = euclidean(points)
    depot, *customers = nodes
    stops = tuple(
        Stop(
            id=f"{node[0]:g}", demand=(node[3],), opens=node[4], closes=node[5], service=node[6], point=(node[1], node[2])
        )
        for node in customers
    )  # fmt: skip
    vehicle = Vehicle(
        id="vehicle", number=int(number), capacity=(capacity,), depot="depot", starts=depot[4], ends=depot[5]
    )
    home = Depot(id="depot", point=points[0])
    return Problem(depots=(home,), stops=stops, vehicles=(vehicle,), distance=distance, duration=distance)


Nodes = list[list[float]]


def _solomon_text(text: str, faults: Faults) -> tuple[float, float, Nodes]:
    """Name; VEHICLE with number and capacity; CUSTOMER with a line of seven figures each."""
    fleet: list[float] = []
    nodes: Nodes = []
    for row, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words or row == 1 or not re.match(r"[-+.\d]", words[0]):
            continue  # the name, and headings
        wanted = _SOLOMON if fleet else ("number", "capacity")
        if len(words) != len(wanted):
            message = Text("此行有 {got} 个数。", "The line has {got} figures.", got=len(words))
            faults.add(message, Text("应为：{names}。", "It must have: {names}.", names=", ".join(wanted)), row=row)
            continue
        figures = [
            faults.number(word, row=row, column=name, negative=name in "xy")
            for word, name in zip(words, wanted, strict=True)
        ]
        if fleet:
            nodes.append(figures)
        else:
            fleet = figures
    if not fleet:
        message = Text("没有车辆数与载量。", "There is no line with the number of vehicles and their capacity.")
        faults.add(message, column="VEHICLE")
    number, capacity = fleet or (0.0, 0.0)
    return number, capacity, nodes


def _solomon_json(text: str, faults: Faults) -> tuple[float, float, Nodes]:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        faults.add(Text("不是有效的 JSON：{why}。", "Not valid JSON: {why}.", why=error.msg), row=error.lineno)
        return 0.0, 0.0, []
    customers = data.get("customers")
    if not isinstance(customers, list) or not all(isinstance(one, dict) for one in customers):
        faults.add(Text("缺少 customers 列表。", "There is no list of customers."), column="customers")
        return 0.0, 0.0, []
    number = faults.number(str(data.get("vehicle-nr", "")), row=None, column="vehicle-nr")
    capacity = faults.number(str(data.get("capacity", "")), row=None, column="capacity")
    nodes = [
        [
            faults.number(str(one.get(name, "")), row=None, column=f"customers[{at}].{name}", negative=name in "xy")
            for name in _SOLOMON
        ]
        for at, one in enumerate(customers)
    ]
    return number, capacity, nodes


READERS: dict[str, Callable[[str, str], Problem]] = {"vrplib": read_vrplib, "solomon": read_solomon}
