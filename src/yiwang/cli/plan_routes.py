"""`yiwang plan routes`: who drives where in which order, for teams, samples and deliveries. Needs no database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import inf, isinf
from pathlib import Path
from typing import Any

import click

from yiwang.cli.output import Failed, emit, emit_table, json_option, say, wants_json
from yiwang.core.kernel.errors import BadInput
from yiwang.core.kernel.errors import Problem as Fault
from yiwang.core.planning.routes.benchmarks import READERS, read_cost
from yiwang.core.planning.routes.plan import Plan, Route
from yiwang.core.planning.routes.problem import Problem
from yiwang.core.planning.routes.tables import Fleet, clock, geojson, minutes, read_tables
from yiwang.packs.files import decode

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FORMATS = ("vrplib", "solomon", "csv")


@click.command(name="routes")
@click.argument("file", type=_FILE)
@click.option("--format", "form", type=click.Choice(_FORMATS), help="Format of FILE; without it, from its name.")
@click.option(
    "--seconds", type=click.FloatRange(min=0.1), help="End by the clock; the plan then depends on the machine."
)
@click.option(
    "--iterations", type=click.IntRange(min=1), default=10_000, show_default=True,
    help="End after so many without improvement; the plan is then the same on every machine.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the search.")
@click.option(
    "--fewest/--cheapest", default=None, help="First the fewest vehicles (default for solomon), or the least cost."
)
@click.option("--vehicles", type=click.IntRange(min=1), help="How many vehicles there are; for csv.")
@click.option("--capacity", type=click.FloatRange(min=0), help="What each carries; for csv.")
@click.option("--shift", help="When they may be under way: HH:MM-HH:MM; for csv.")
@click.option(
    "--fleet",
    type=_FILE,
    help="CSV of unlike vehicles instead: id,number,capacity,start,end[,depot,fixed_cost,cost_per_km,cost_per_hour,max_minutes].",
)
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    default=20.0,
    show_default=True,
    help="Kilometres an hour along straight lines; for csv.",
)
@click.option(
    "--geojson",
    "map_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the routes as GeoJSON; for csv.",
)
@json_option
def routes(
    file: Path,
    form: str | None,
    seconds: float | None,
    iterations: int,
    seed: int,
    fewest: bool | None,
    vehicles: int | None,
    capacity: float | None,
    shift: str | None,
    fleet: Path | None,
    speed: float,
    map_file: Path | None,
) -> None:
    """Routes of least cost for the stops in FILE, with a bound that no plan can beat; checked by a verifier before they are shown.

    FILE is a CVRP in VRPLIB's format, Solomon's VRPTW as text or JSON, or a CSV with the columns
    id,lon,lat,demand,service_minutes,open,close and, as needed, depot (1 in a depot's row), release, result_by, result_minutes (limits for
    samples), vehicles (allowed types) and price (of leaving the stop out).

    \b
    Example: yiwang plan routes stops.csv --vehicles 4 --capacity 60 --shift 08:00-17:30 --geojson routes.geojson
    """  # fmt: skip
    from yiwang.core.planning.routes.solver import Effort, plan_routes
    from yiwang.core.planning.routes.verify import verify

    form = form or _form(file)
    problem = _read(file, form, vehicles, capacity, shift, fleet, speed)
    if map_file is not None and form != "csv":
        raise click.BadParameter("Only csv has longitudes and latitudes.", param_hint="--geojson")
    if seconds is not None:
        say("With --seconds the plan depends on how fast this machine is; --iterations alone gives the same one everywhere.")  # fmt: skip
    effort = Effort(iterations=iterations, seconds=inf if seconds is None else seconds)
    first_fewest = form == "solomon" if fewest is None else fewest
    plan = plan_routes(problem, seed=seed, effort=effort, fewest=first_fewest)
    if broken := verify(problem, plan):
        raise Failed("The plan does not keep what it should; this is a fault of the program.", broken)
    if map_file is not None:
        map_file.write_text(json.dumps(geojson(problem, plan), ensure_ascii=False) + "\n", encoding="utf-8")
    _show(plan, file, form)


def _form(file: Path) -> str:
    found = {".vrp": "vrplib", ".csv": "csv", ".txt": "solomon", ".json": "solomon"}.get(file.suffix.lower())
    if found is None:
        raise click.BadParameter(
            f"The name of {file.name} does not say; one of {', '.join(_FORMATS)}.", param_hint="--format"
        )
    return found


def _read(
    file: Path, form: str, vehicles: int | None, capacity: float | None, shift: str | None, fleet: Path | None, speed: float
) -> Problem:  # fmt: skip
    alike = {"--vehicles": vehicles, "--capacity": capacity, "--shift": shift}
    if form != "csv":
        if used := [name for name, value in {**alike, "--fleet": fleet}.items() if value is not None]:
            raise click.BadParameter(f"The format {form} names its own vehicles.", param_hint=used[0])
        return READERS[form](_text(file), file.name)
    if fleet is not None:
        if used := [name for name, value in alike.items() if value is not None]:
            raise click.BadParameter("The vehicles stand in --fleet already.", param_hint=used[0])
        return read_tables(_text(file), file.name, vehicles=_text(fleet), vehicles_file=fleet.name, speed=speed)
    if vehicles is None or capacity is None or shift is None:
        missing = ", ".join(name for name, value in alike.items() if value is None)
        raise click.UsageError(f"A CSV of stops needs vehicles: give {missing}, or a table by --fleet.")
    start, end = _shift(shift)
    return read_tables(
        _text(file), file.name, fleet=Fleet(number=vehicles, capacity=capacity, starts=start, ends=end), speed=speed
    )


def _shift(text: str) -> tuple[float, float]:
    start, _, end = text.partition("-")
    begins, ends = minutes(start), minutes(end)
    if begins is None or ends is None or ends <= begins:
        raise click.BadParameter(f"{text!r} is no shift; write e.g. 08:00-17:30.", param_hint="--shift")
    return begins, ends


def _text(path: Path) -> str:
    try:
        return decode(path.read_bytes())
    except BadInput as error:
        raise BadInput(
            [Fault(one.message, one.hint, path.name, one.row, one.column) for one in error.problems]
        ) from None


def _show(plan: Plan, file: Path, form: str) -> None:
    standing = plan.standing
    known = _best_known(file) if form == "vrplib" else None
    if not wants_json():
        when = clock if form == "csv" else lambda value: f"{value:.10g}"
        rows = [
            (
                number,
                route.vehicle,
                when(route.leaves),
                when(route.returns),
                f"{route.distance:.10g}",
                " ".join(visit.stop for visit in route.visits),
            )
            for number, route in enumerate(plan.routes, start=1)
        ]
        emit_table(("route", "vehicle", "leaves", "returns", "distance", "stops"), rows)
        gap = "?" if isinf(standing.gap) else f"{standing.gap:.2%}"
        say(
            f"Cost {standing.objective:.10g} with {len(plan.routes)} vehicles; no plan costs less than {standing.bound:.10g} (gap {gap})."
        )
        if known:
            say(f"The best known cost is {known:.10g}; this plan is {standing.objective / known - 1:.2%} above it.")
        if plan.skipped:
            say(f"Left out: {', '.join(plan.skipped)}.")
        return
    told: dict[str, Any] = {
        "cost": standing.objective,
        "bound": standing.bound,
        "gap": None if isinf(standing.gap) else standing.gap,
        "proven": standing.proven,
        "vehicles": len(plan.routes),
        "least_vehicles": plan.least_vehicles,
        "distance": sum(route.distance for route in plan.routes),
        "routes": [_route(route) for route in plan.routes],
        "skipped": list(plan.skipped),
        "iterations": plan.iterations,
        "by_the_clock": plan.by_the_clock,
        "seconds": round(standing.seconds, 3),
    }
    emit(told | ({"best_known": known} if known else {}))


def _route(route: Route) -> Mapping[str, Any]:
    return {
        "vehicle": route.vehicle,
        "leaves": route.leaves,
        "returns": route.returns,
        "distance": route.distance,
        "cost": route.cost,
        "stops": [visit.stop for visit in route.visits],
        "begins": [visit.begins for visit in route.visits],
    }


def _best_known(file: Path) -> float | None:
    """The cost in the solution of the same name beside the file."""
    beside = file.with_suffix(".sol")
    return read_cost(beside.read_text(encoding="utf-8")) if beside.is_file() else None
