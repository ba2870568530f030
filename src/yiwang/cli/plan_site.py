"""`yiwang plan site`: where to put sites, with a proof or a gap. Needs no database."""

from __future__ import annotations

import gzip
import json
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from yiwang.cli.output import Failed, emit, emit_table, json_option, say, wants_json
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.core.planning.sites.readers import Places, read_orlib, read_pairs, read_places
from yiwang.core.planning.standing import Standing
from yiwang.packs.files import decode

if TYPE_CHECKING:
    from yiwang.core.planning.sites.distances import Distances

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_MODELS = ("pmedian", "pcenter", "mclp", "capacitated")


@click.command(name="site")
@click.argument("file", type=_FILE)
@click.option(
    "--model", type=click.Choice(_MODELS), required=True,
    help="Shortest ways in sum; shortest longest way; most people within --radius; shortest ways with room for all.",
)  # fmt: skip
@click.option(
    "--p", "p", type=click.IntRange(min=1), help="How many sites, those that exist included; orlib files name it."
)
@click.option("--radius", type=click.FloatRange(min=0), help="Metres; for mclp, and for capacitated covering.")
@click.option(
    "--format", "form", type=click.Choice(("orlib", "csv")), help="Format of FILE; without it, from its name."
)
@click.option(
    "--roads", type=_FILE, help="GeoJSON of roads (may be gzipped): ways go along them. Without, straight lines."
)
@click.option("--forbid", type=_FILE, help="CSV id,candidate of pairs that must not be matched.")
@click.option("--undivided", is_flag=True, help="Each point goes to one site as a whole; for capacitated.")
@click.option("--seconds", type=click.FloatRange(min=0.1), help="The best found by then, with its bound.")
@click.option(
    "--geojson", "map_file", type=click.Path(dir_okay=False, path_type=Path), help="Write sites and points as GeoJSON."
)
@json_option
def site(
    file: Path, model: str, p: int | None, radius: float | None, form: str | None, roads: Path | None, forbid: Path | None,
    undivided: bool, seconds: float | None, map_file: Path | None,
) -> None:  # fmt: skip
    """Open sites for the demand in FILE, with a bound that no plan can beat; checked again before they are shown.

    FILE is a CSV with the columns id,lon,lat,weight and, as needed, candidate (1 where a site may be; without the column, everywhere),
    fixed (1 where one is) and capacity; or a p-median of OR-Library.

    \b
    Example: yiwang plan site people.csv --model pmedian --p 12
    Example: yiwang plan site people.csv --model mclp --p 12 --radius 800 --roads roads.geojson --json
    """
    form = form or ("csv" if file.suffix.lower() == ".csv" else "orlib")
    if (model == "mclp") > (radius is not None):
        raise click.UsageError("mclp needs --radius.")
    if radius is not None and model in ("pmedian", "pcenter"):
        raise click.BadParameter(f"{model} has no radius.", param_hint="--radius")
    places, distances, weights, p = _read(file, form, p, roads, forbid)
    if map_file is not None and places is None:
        raise click.BadParameter("Only csv has longitudes and latitudes.", param_hint="--geojson")
    fixed = places.fixed if places else ()
    if model == "capacitated":
        told, standing, sites, loads = _with_capacity(places, distances, weights, p, fixed, radius, undivided, seconds)
    else:
        told, standing, sites, loads = _without_capacity(model, distances, weights, p, fixed, radius, seconds)
    names = [places.ids[places.candidates[j]] if places else str(j + 1) for j in sites]
    if map_file is not None and places is not None:
        map_file.write_text(json.dumps(_geojson(places, sites, loads), ensure_ascii=False) + "\n", encoding="utf-8")
    if wants_json():
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
        emit(
            {
                "objective": standing.objective, "bound": standing.bound, "gap": standing.gap, "proven": standing.proven,
                "sites": names, **told, "seconds": round(standing.seconds, 3), "peak_mb": round(peak, 1),
            }
        )  # fmt: skip
        return
    emit_table(("site", "demand"), [(name, f"{load:.10g}") for name, load in zip(names, loads, strict=True)])
    say(_sentence(model, radius, standing))


def _without_capacity(
    model: str,
    distances: Distances,
    weights: Any,
    p: int,
    fixed: tuple[int, ...],
    radius: float | None,
    seconds: float | None,
) -> tuple[dict[str, Any], Standing, tuple[int, ...], list[float]]:
    from yiwang.core.planning.sites.models import maximal_covering, p_center, p_median
    from yiwang.core.planning.sites.problem import SiteProblem
    from yiwang.core.planning.sites.verify import verify_sites

    problem = SiteProblem(demand=weights, distances=distances, p=p, fixed=fixed)
    if model == "mclp":
        assert radius is not None
        plan = maximal_covering(problem, radius, seconds=seconds)
    else:
        plan = (p_median if model == "pmedian" else p_center)(problem, seconds=seconds)
    _refuse_wrong(verify_sites(problem, plan, model=model, radius=radius))
    loads = [float(weights[plan.assigned == j].sum()) for j in plan.sites]
    return {"nodes": plan.nodes}, plan.standing, plan.sites, loads


def _with_capacity(
    places: Places | None, distances: Distances, weights: Any, p: int, fixed: tuple[int, ...], radius: float | None, undivided: bool,
    seconds: float | None,
) -> tuple[dict[str, Any], Standing, tuple[int, ...], list[float]]:  # fmt: skip
    from yiwang.core.planning.sites.services import Service, ServiceProblem, plan_services
    from yiwang.core.planning.sites.verify import verify_services

    if places is None:
        raise click.UsageError("capacitated needs a csv with the column capacity.")
    service = Service(id="demand", demand=weights, capacity=places.capacity)
    problem = ServiceProblem(
        distances=distances, services=(service,), p=p, fixed=fixed, radius=radius, undivided=undivided
    )
    plan = plan_services(problem, seconds=seconds)
    _refuse_wrong(verify_services(problem, plan))
    loads = dict.fromkeys(plan.sites, 0.0)
    for i, j, share in plan.shares[0]:
        loads[j] += share * float(weights[i])
    divided = len({i for i, _, share in plan.shares[0] if share < 1 - 1e-6})
    return {"divided_points": divided}, plan.standing, plan.sites, list(loads.values())


def _refuse_wrong(faults: Sequence[Problem]) -> None:
    if faults:
        raise Failed("The plan does not keep what it should; this is a fault of the program.", faults)


def _read(
    file: Path, form: str, p: int | None, roads: Path | None, forbid: Path | None
) -> tuple[Places | None, Distances, Any, int]:
    import numpy as np

    from yiwang.core.planning.sites.distances import GreatCircle, Without

    if form == "orlib":
        for option, given in (("--roads", roads), ("--forbid", forbid)):
            if given is not None:
                raise click.BadParameter("An orlib file is a graph already.", param_hint=option)
        matrix, own = read_orlib(_text(file), file.name)
        return None, matrix, np.ones(matrix.points), p or own
    if p is None:
        raise click.UsageError("A csv needs --p.")
    places = read_places(_text(file), file.name)
    sites = places.points[list(places.candidates)]
    distances: Distances = GreatCircle(places.points, sites)
    if roads is not None:
        from yiwang.core.planning.sites.network import RoadGraph

        distances = RoadGraph(_lines(roads)).distances(places.points, sites)
    if forbid is not None and (pairs := read_pairs(_text(forbid), forbid.name, places)):
        points, candidates = np.array(pairs).T
        distances = Without(distances, points, candidates)
    return places, distances, places.weights, p


def _lines(file: Path) -> list[Any]:
    import numpy as np

    raw = file.read_bytes()
    try:
        document = json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)
        found = []
        for feature in document["features"]:
            geometry = feature["geometry"]
            kind, coordinates = geometry["type"], geometry["coordinates"]
            parts = [coordinates] if kind == "LineString" else coordinates if kind == "MultiLineString" else []
            found += [np.array(part, dtype=float)[:, :2] for part in parts]
    except (ValueError, KeyError, TypeError, IndexError, OSError) as error:
        raise BadInput(
            Problem(
                Text("不是 GeoJSON 道路图层。", "This is no GeoJSON layer of roads."),
                Text("需要 LineString 或 MultiLineString 要素。", "It needs features of LineString or MultiLineString."), file=file.name,
            )
        ) from error  # fmt: skip
    return found


def _text(path: Path) -> str:
    try:
        return decode(path.read_bytes())
    except BadInput as error:
        raise BadInput(
            [Problem(one.message, one.hint, path.name, one.row, one.column) for one in error.problems]
        ) from None


def _sentence(model: str, radius: float | None, standing: Standing) -> str:
    covers = model == "mclp" or (model == "capacitated" and radius is not None)
    what = "Covered" if covers else "Longest way" if model == "pcenter" else "Weighted distance"
    known = "proven best" if standing.proven else f"gap {standing.gap:.3%}"
    other = "more than" if covers else "less than"
    return f"{what} {standing.objective:.10g}; no plan has {other} {standing.bound:.10g} ({known}), in {standing.seconds:.1f} s."


def _geojson(places: Places, sites: tuple[int, ...], loads: list[float]) -> dict[str, Any]:
    rows = [places.candidates[j] for j in sites]
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": places.points[row].tolist()},
                "properties": {"id": places.ids[row], "demand": load, "exists": j in places.fixed},
            }
            for row, j, load in zip(rows, sites, loads, strict=True)
        ],
    }
