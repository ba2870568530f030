"""Space: placing points, against a bare search tree over the same polygons in the same run, and making unit grids."""

from __future__ import annotations

import csv
import gzip
import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from yiwang.core.space import (
    GridRules,
    Level,
    Location,
    Locator,
    RegionTree,
    UnitGrids,
    generate_unit_grids,
    read_shapes,
)

PACK = Path(__file__).resolve().parent.parent / "packs" / "wuxi"
LEVELS = [
    Level(id=level, width=width) for level, width in (("city", 4), ("district", 6), ("street", 9), ("community", 12))
]
POINTS = 1_000_000
SEARCHED = 200_000
SINGLE = 5_000


def seconds(work: Callable[[], object], repeat: int = 3) -> float:
    """Median seconds of some runs."""
    taken = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def read_tree() -> RegionTree:
    shapes, _ = read_shapes(collection=json.loads(gzip.decompress((PACK / "regions.geojson.gz").read_bytes())))
    with (PACK / "regions.csv").open(encoding="utf-8", newline="") as file:
        return RegionTree.from_rows(rows=list(csv.DictReader(file)), levels=LEVELS, shapes=shapes)


def run() -> list[dict[str, Any]]:
    """Measure on the whole of Wuxi: 1,254 communities, about 480,000 unit grids."""
    tree = read_tree()
    start = time.perf_counter()
    grids = generate_unit_grids(tree=tree, rules=GridRules(size_m=100, code_width=15))
    making = time.perf_counter() - start
    communities = tree.at_level("community")
    generator = np.random.default_rng(1)
    west, south, east, north = tree["3202"].bounds or (0.0, 0.0, 0.0, 0.0)
    lon, lat = generator.uniform(west, east, 3 * POINTS), generator.uniform(south, north, 3 * POINTS)
    inside = np.flatnonzero(shapely.contains_xy(tree["3202"].geometry, lon, lat))[:POINTS]
    lon, lat = lon[inside], lat[inside]
    return [*placing(tree, grids, lon, lat), *start_up(tree, grids, making, communities[0].geometry)]


def one_by_one(locator: Locator, points: list[tuple[float, float]]) -> list[Location]:
    return [locator.locate(*point) for point in points]


def placing(tree: RegionTree, grids: UnitGrids, lon: Any, lat: Any) -> list[dict[str, Any]]:
    """Points a second and microseconds a point, with and without grids, beside Shapely's STRtree over the communities."""
    search = shapely.STRtree([region.geometry for region in tree.at_level("community")])
    searched = seconds(lambda: search.query(shapely.points(lon[:SEARCHED], lat[:SEARCHED]), predicate="intersects"))
    few = list(zip(lon[:SINGLE].tolist(), lat[:SINGLE].tolist(), strict=True))
    searched_one = seconds(lambda: [search.query(shapely.Point(*point), predicate="intersects") for point in few])
    rows = []
    for name, locator in (
        ("point to community and unit grid", Locator(tree=tree, grids=grids)),
        ("point to community", Locator(tree=tree)),
    ):
        placed = seconds(partial(locator.locate_many, lon, lat))
        placed_one = seconds(partial(one_by_one, locator, few))
        per_second = SEARCHED / searched
        rows.append(
            {
                "name": f"{name}, bulk",
                "value": len(lon) / placed / 1e6,
                "unit": "M points/s",
                "peer": f"bare STRtree, community only: {per_second / 1e6:.2f}",
                "ratio": len(lon) / placed / per_second,
            }
        )
        rows.append(
            {
                "name": f"{name}, single",
                "value": placed_one / SINGLE * 1e6,
                "unit": "µs",
                "peer": f"bare STRtree, community only: {searched_one / SINGLE * 1e6:.1f}",
                "ratio": searched_one / placed_one,
            }
        )
    return rows


def start_up(tree: RegionTree, grids: UnitGrids, making: float, sample: Any) -> list[dict[str, Any]]:
    """What a server waits for: making or loading the grids and the locator; peer: clipping every cell with GEOS."""
    data = grids.to_bytes()
    # The plain way to make grids is one geometric intersection for each cell of each community's bounding box.
    west, south, east, north = sample.bounds
    i, j = (part.ravel() for part in np.meshgrid(np.linspace(west, east, 40), np.linspace(south, north, 40)))
    boxes = shapely.box(i, j, i + (east - west) / 39, j + (north - south) / 39)
    clipping = seconds(lambda: shapely.intersection(sample, boxes)) / len(boxes) * len(grids)
    return [
        {
            "name": f"make {len(grids):,} unit grids",
            "value": making,
            "unit": "s",
            "peer": f"clipping each cell: {clipping:.1f} s",
            "ratio": clipping / making,
        },
        {
            "name": "load stored unit grids and make the locator",
            "value": seconds(lambda: Locator(tree=tree, grids=UnitGrids.from_bytes(data, tree=tree))),
            "unit": "s",
            "peer": "allowed at start: 3 s",
            "ratio": 3 / seconds(lambda: Locator(tree=tree, grids=UnitGrids.from_bytes(data, tree=tree))),
        },
    ]
