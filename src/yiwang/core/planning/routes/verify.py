"""Whether a plan keeps every limit and costs what it says, found from the problem alone.

It shares nothing with the search: it drives each route along the times that the plan states, in plain Python.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from yiwang.core.kernel.errors import Problem as Fault
from yiwang.core.kernel.text import Text
from yiwang.core.planning.routes.plan import Plan, Route
from yiwang.core.planning.routes.problem import Problem, Vehicle

TOLERANCE = 1e-6  # of times, loads and costs: sums of double-precision figures


def verify(problem: Problem, plan: Plan) -> list[Fault]:
    """Every limit that a plan breaks; empty where it is right.

    Checked are: each mandatory stop is served once and each optional one at most once; vehicles exist, are not more than there are, and are
    allowed where they go; loads; shifts and the longest duration; that nobody arrives before they can, or begins before the window or after
    it; release times; both limits for samples; the stated distances and cost; and that the bound is not above the cost.
    """
    faults = list(_coverage(problem, plan))
    vehicles = {vehicle.id: vehicle for vehicle in problem.vehicles}
    for name, count in Counter(route.vehicle for route in plan.routes).items():
        if name not in vehicles:
            faults.append(Fault(Text("没有车型「{name}」。", "There is no vehicle type {name!r}.", name=name)))
        elif count > vehicles[name].number:
            message = Text(
                "车型「{name}」用了 {count} 辆，只有 {number} 辆。",
                "{count} vehicles of type {name!r} are used; there are {number}.",
                name=name, count=count, number=vehicles[name].number,
            )  # fmt: skip
            faults.append(Fault(message))
    cost = 0.0
    for number, route in enumerate(plan.routes, start=1):
        known = {stop.id for stop in problem.stops}
        if route.vehicle in vehicles and all(visit.stop in known for visit in route.visits):
            found, price = _drive(problem, vehicles[route.vehicle], route)
            cost += price
            faults += [
                Fault(Text("第 {number} 条路线：{what}", "Route {number}: {what}", number=number, what=what))
                for what in found
            ]
    served = {visit.stop for route in plan.routes for visit in route.visits}
    cost += sum(stop.price or 0.0 for stop in problem.stops if stop.id not in served)
    stated = plan.standing.objective
    if not _same(cost, stated):
        message = Text(
            "费用应为 {cost}，不是 {stated}。", "The cost is {cost}, not {stated}.", cost=cost, stated=stated
        )
        faults.append(Fault(message))
    if plan.standing.bound > stated + TOLERANCE * max(1.0, abs(stated)):
        faults.append(Fault(Text("下界高于费用。", "The bound is above the cost.")))
    return faults


def _coverage(problem: Problem, plan: Plan) -> Iterator[Fault]:
    count = Counter(visit.stop for route in plan.routes for visit in route.visits)
    skipped = Counter(plan.skipped)
    for stop in problem.stops:
        times = count.pop(stop.id, 0)
        if times > 1:
            message = Text(
                "点位「{id}」被安排 {times} 次。", "Stop {id!r} is served {times} times.", id=stop.id, times=times
            )
            yield Fault(message)
        if not times and stop.price is None:
            yield Fault(Text("点位「{id}」没有安排。", "Stop {id!r} is not served.", id=stop.id))
        if skipped.pop(stop.id, 0) != (times == 0):
            yield Fault(Text("点位「{id}」的取舍记录有误。", "Stop {id!r} is wrongly listed as left out or not.", id=stop.id))  # fmt: skip
    for unknown in sorted([*count, *skipped]):
        yield Fault(Text("没有点位「{id}」。", "There is no stop {id!r}.", id=unknown))


def _drive(problem: Problem, vehicle: Vehicle, route: Route) -> tuple[list[Text], float]:
    """What is wrong on one route, and what it costs."""
    at = {stop.id: position for position, stop in enumerate(problem.stops)}
    home = [depot.id for depot in problem.depots].index(vehicle.depot)
    faults: list[Text] = []
    load = [0.0] * len(vehicle.capacity)
    place, clock, distance = home, route.leaves, 0.0
    if route.leaves < vehicle.starts - TOLERANCE:
        faults.append(Text("出车早于班次开始。", "It leaves before the shift starts."))
    if not route.visits:
        faults.append(Text("路线为空。", "It serves no stop."))
    for visit in route.visits:
        stop, row = problem.stops[at[visit.stop]], len(problem.depots) + at[visit.stop]
        distance += float(problem.distance[place][row])
        clock += float(problem.duration[place][row])
        wrong = {
            Text("不许该车型服务", "may not be served by this type"): stop.vehicles and vehicle.id not in stop.vehicles,
            Text("早于可到达时间", "is reached before that is possible"): visit.arrives < clock - TOLERANCE,
            Text("未到先服务", "begins before the arrival"): visit.begins < visit.arrives - TOLERANCE,
            Text("早于开放时间", "begins before it opens"): visit.begins < stop.opens - TOLERANCE,
            Text("晚于关闭时间", "begins after it closes"): visit.begins > stop.closes + TOLERANCE,
            Text("出车早于备妥时间", "is released after its vehicle left"): route.leaves < stop.release - TOLERANCE,
            Text("样本送达超过截止时间", "has its sample back after the latest time"): (
                route.returns > stop.result_by + TOLERANCE
            ),
            Text("样本送达用时过长", "has its sample under way for too long"): (
                route.returns - visit.begins > stop.time_to_result + TOLERANCE
            ),
        }
        faults += [
            Text("点位「{id}」{what}。", "Stop {id!r} {what}.", id=stop.id, what=what)
            for what, broken in wrong.items()
            if broken
        ]
        load = [carried + more for carried, more in zip(load, stop.demand, strict=True)]
        place, clock = row, visit.begins + stop.service
    distance += float(problem.distance[place][home])
    clock += float(problem.duration[place][home])
    duration = route.returns - route.leaves
    cost = vehicle.fixed_cost + vehicle.cost_per_distance * distance + vehicle.cost_per_time * duration
    of_route = {
        Text("超载", "It carries more than the capacity"): any(
            carried > most + TOLERANCE for carried, most in zip(load, vehicle.capacity, strict=True)
        ),
        Text("返回早于可能", "It returns before that is possible"): route.returns < clock - TOLERANCE,
        Text("返回晚于班次结束", "It returns after the shift ends"): route.returns > vehicle.ends + TOLERANCE,
        Text("超过最长时长", "It lasts longer than allowed"): duration > vehicle.max_duration + TOLERANCE,
        Text("里程不符", "Its distance is not as stated"): not _same(distance, route.distance),
        Text("费用不符", "Its cost is not as stated"): not _same(cost, route.cost),
    }
    faults += [Text("{what}。", "{what}.", what=what) for what, broken in of_route.items() if broken]
    return faults, cost


def _same(one: float, other: float) -> bool:
    return abs(one - other) <= TOLERANCE * max(1.0, abs(one), abs(other))
