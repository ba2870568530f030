"""Why a problem has no plan, in words, as far as that can be seen before a search."""

from __future__ import annotations

from math import inf

from yiwang.core.kernel.errors import Problem as Fault
from yiwang.core.kernel.text import Text
from yiwang.core.planning.routes.plan import route_of
from yiwang.core.planning.routes.problem import Problem, Stop, Vehicle


def unserved(problem: Problem) -> list[Fault]:
    """Which mandatory stops no vehicle can serve, even alone, and whether the whole fleet is too small.

    What it names is a proof where durations obey the triangle inequality, so that no detour is quicker than the straight way. That it names
    nothing proves nothing: requirements may also conflict with each other.
    """
    faults = []
    for position, stop in enumerate(problem.stops):
        if stop.price is None and (why := reason(problem, position)):
            message = Text("点位「{id}」无法服务：{why}", "Stop {id!r} cannot be served: {why}", id=stop.id, why=why)
            faults.append(Fault(message))
    for dimension in range(len(problem.vehicles[0].capacity)):
        demand = sum(stop.demand[dimension] for stop in problem.stops if stop.price is None)
        fleet = sum(one.number * one.capacity[dimension] if one.number else 0.0 for one in problem.vehicles)
        if demand > fleet:
            message = Text(
                "总需求 {demand:g} 超过全部车辆的总载量 {fleet:g}。",
                "The stops demand {demand:g} in all; all vehicles together carry {fleet:g}.",
                demand=demand, fleet=fleet,
            )  # fmt: skip
            faults.append(Fault(message, Text("请增加车辆或载量。", "Add vehicles or capacity.")))
    return faults


def reason(problem: Problem, position: int) -> Text | None:
    """Why no vehicle can serve a stop alone; None where one can. Of several vehicles that cannot, the first one's reason is given."""
    stop = problem.stops[position]
    usable = [one for one in problem.vehicles if one.number and problem.may_serve(one, stop)]
    if not usable:
        return Text("没有车辆获准服务该点位。", "no vehicle that exists is allowed there.")
    carrying = [one for one in usable if all(d <= c for d, c in zip(stop.demand, one.capacity, strict=True))]
    if not carrying:
        return Text(
            "需求 {demand} 超过各车载量（最大 {most}）。", "its demand of {demand} is above every vehicle's capacity (at most {most}).",
            demand="/".join(f"{one:g}" for one in stop.demand),
            most="/".join(f"{max(one.capacity[at] for one in usable):g}" for at in range(len(stop.demand))),
        )  # fmt: skip
    reasons = [_late(problem, vehicle, position, stop) for vehicle in carrying]
    return None if None in reasons else reasons[0]


def _late(problem: Problem, vehicle: Vehicle, position: int, stop: Stop) -> Text | None:
    """What of time a vehicle breaks when it serves the stop and nothing else."""
    route = route_of(problem, vehicle, [position])
    begins = route.visits[0].begins
    away, duration = route.returns - begins, route.returns - route.leaves
    limits = (
        (begins, stop.closes, "最早 {got} 到达，{limit} 关闭。", "it is reached at {got} at best and closes at {limit}."),
        (route.returns, vehicle.ends, "最早 {got} 返回，{limit} 收班。", "it is back at {got} at best; the shift ends at {limit}."),
        (route.returns, stop.result_by, "样本最早 {got} 送达，限 {limit}。", "its sample is back at {got} at best; it must be by {limit}."),
        (away, stop.time_to_result, "样本送达需 {got}，限 {limit}。", "its sample is under way for {got} and may be for {limit}."),
        (duration, vehicle.max_duration, "往返需 {got}，限 {limit}。", "the tour lasts {got} and may last {limit}."),
    )  # fmt: skip
    for got, limit, zh, en in limits:
        if limit < inf and got > limit + 1e-9:
            return Text(zh, en, got=f"{got:.6g}", limit=f"{limit:.6g}")
    return None


def least_vehicles(problem: Problem) -> int:
    """How many vehicles every plan needs at least: as many of the largest as carry what the mandatory stops demand."""
    least = 1 if any(stop.price is None for stop in problem.stops) else 0
    for dimension in range(len(problem.vehicles[0].capacity)):
        left = sum(stop.demand[dimension] for stop in problem.stops if stop.price is None)
        sizes = sorted((one.capacity[dimension] for one in problem.vehicles for _ in range(one.number)), reverse=True)
        needed = 0
        while left > 1e-9 * max(1.0, left) and needed < len(sizes):
            left -= sizes[needed]
            needed += 1
        least = max(least, needed)
    return least
