"""What `bench.inventory` does inside Django, one mode a process: ``python bench/_inventory_steps.py MODE …``."""

from __future__ import annotations

import csv
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import django

django.setup()

import numpy as np  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from yiwang.core.space.tiles import morton, tile_box  # noqa: E402
from yiwang.server.assets import inventory  # noqa: E402
from yiwang.server.assets.api import (  # noqa: E402
    Component,
    ComponentFilters,
    Options,
    current,
    list_components,
    take_census,
    tile,
)
from yiwang.server.assets.rows import cell_of  # noqa: E402
from yiwang.server.cities.queries import runtime  # noqa: E402

CITY, KIND = "wuxi", "01001"
SAMPLE = 2_000
SEED = 20261129


def files(count: str) -> dict[str, Any]:
    """Two censuses of the city: the second finds nine in ten where they were, and the others moved, changed or anew."""
    from yiwang.server.provision.operations import install_pack

    call_command("migrate", verbosity=0)
    install_pack(CITY)
    place, number = runtime(CITY), int(count)
    rng = np.random.default_rng(SEED)
    regions = [
        one.geometry for one in place.locator.tree.at_level(place.info.levels[-1].id) if one.geometry is not None
    ]
    middles = np.array([one.representative_point().coords[0] for one in regions])
    spots = middles[(rng.random(number) ** 2 * len(middles)).astype(int)] + rng.normal(0, 0.003, (number, 2))
    with (
        _file("first").open("w", newline="", encoding="utf-8") as one,
        _file("again").open("w", newline="", encoding="utf-8") as two,
    ):
        first, again = csv.writer(one), csv.writer(two)
        for out in (first, again):
            out.writerow(["编号", "名称", "经度", "纬度", "状态", "养护单位", "材质"])
        for at, (lon, lat) in enumerate(spots.tolist()):
            row = [at, f"井盖{at}", f"{lon:.7f}", f"{lat:.7f}", "完好", "养护一队", "铸铁"]
            first.writerow(row)
            if at % 50 == 0:
                continue  # missing
            if at % 20 == 1:
                row[3] = f"{lat + 0.0002:.7f}"
            elif at % 33 == 2:
                row[4] = "破损"
            again.writerow(row)
    return {}


def _file(name: str) -> Path:
    return Path(os.environ["YIWANG_HOME"]) / f"{name}.csv"


def bring(name: str) -> dict[str, Any]:
    began = time.perf_counter()
    taken = take_census(city=CITY, kind=KIND, path=_file(name), options=Options())
    seconds = time.perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return {"rows": taken.rows, "seconds": seconds, "counts": dict(taken.counts)}


def naive(_: str = "") -> dict[str, Any]:
    """The same rows one at a time: located, numbered and created by the ORM, each in a transaction of its own."""
    place, made = runtime(CITY), 0
    with _file("first").open(encoding="utf-8", newline="") as stream:
        rows = [row for row, _ in zip(csv.DictReader(stream), range(SAMPLE), strict=False)]
    began = time.perf_counter()
    for at, row in enumerate(rows):
        lon, lat = float(row["经度"]), float(row["纬度"])
        where = place.locate(lon, lat, crs="wgs84")[0]
        if not where.code:
            continue
        Component.objects.create(
            city="naive", code=f"N{at:06d}", kind=KIND, source_id=row["编号"], name=row["名称"], lon=lon, lat=lat,
            cell=int(cell_of(lon, lat)), region=where.code, grid=where.grid, maintainer=row["养护单位"],
            attributes={"材质": row["材质"]},
        )  # fmt: skip
        made += 1
    seconds = time.perf_counter() - began
    Component.objects.filter(city="naive").delete()
    return {"rows": made, "seconds": seconds}


def milliseconds(act: Callable[[], Any], *, times: int = 7) -> float:
    act()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def read(_: str = "") -> dict[str, Any]:
    """Tiles around the densest place at every zoom, the same counted by the database, and pages of the list."""
    store = inventory.inventory(CITY)
    began = time.perf_counter()
    seen = store.look()
    reading = time.perf_counter() - began
    cells, counts = np.unique(seen.code >> np.uint64(28), return_counts=True)
    at = int(np.flatnonzero(seen.code >> np.uint64(28) == cells[counts.argmax()])[0])
    x, y = int(seen.x[at]), int(seen.y[at])
    made = {zoom: partial(_tile, zoom, x, y) for zoom in range(20)}
    middle = len(seen) // 2
    ids = np.sort(seen.id)
    pages = {
        "first": partial(_page, ComponentFilters(staff=True), ""),
        "deep": partial(_page, ComponentFilters(staff=True), str(ids[middle])),
        "kind": partial(_page, ComponentFilters(kinds=(KIND,), region="3202"), str(ids[middle])),
        "box": partial(_page, ComponentFilters(bbox=_around(x, y)), ""),
        "name": partial(_page, ComponentFilters(q="没有这个名称"), ""),
    }
    return {
        "components": len(seen), "read": reading,
        "megabytes": sum(getattr(seen, name).nbytes for name in ("id", "code", "x", "y", "kind", "state")) / 1e6,
        "tiles": {zoom: milliseconds(act) for zoom, act in made.items()},
        "bytes": max(len(act()) for act in made.values()),
        "sql": {zoom: milliseconds(partial(_counted_in_sql, zoom, x, y), times=3) for zoom in (8, 12, 15, 18)},
        "pages": {name: milliseconds(act) for name, act in pages.items()},
        "offset": milliseconds(lambda: list(Component.objects.filter(city=CITY).order_by("id")[middle : middle + 50])),
    }  # fmt: skip


def _tile(zoom: int, x: int, y: int) -> bytes:
    return tile(current(CITY), place=runtime(CITY), zoom=zoom, column=x >> (32 - zoom), row=y >> (32 - zoom))


def _page(filters: ComponentFilters, cursor: str) -> None:
    list_components(place=runtime(CITY), filters=filters, cursor=cursor, limit=50)


def _around(x: int, y: int) -> tuple[float, float, float, float]:
    return tile_box(zoom=15, column=x >> 17, row=y >> 17)


def _counted_in_sql(zoom: int, x: int, y: int) -> list[Any]:
    """The cells of a tile counted by the database over the index of Morton codes."""
    shift = 2 * (32 - zoom)
    first = (int(morton(np.array([x], np.uint64), np.array([y], np.uint64))[0]) >> shift << shift) - (1 << 63)
    last = first + (1 << shift) - 1
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT cell >> {2 * (32 - min(32, zoom + 4))}, count(*), avg(lon), avg(lat) FROM assets_component "
            "WHERE city = %s AND cell BETWEEN %s AND %s GROUP BY 1",
            [CITY, first, last],
        )
        return list(cursor.fetchall())


if __name__ == "__main__":
    mode, *arguments = sys.argv[1:]
    modes: dict[str, Callable[..., dict[str, Any]]] = {"files": files, "bring": bring, "naive": naive, "read": read}
    print(json.dumps(modes[mode](*arguments)))
