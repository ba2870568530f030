"""What `bench.tiles` and `bench.portal` do inside Django, one mode a process: ``python bench/_tile_steps.py MODE …``."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import django

django.setup()

import numpy as np  # noqa: E402
from django.db import connection  # noqa: E402

from bench._cityful import EVENT, fill  # noqa: E402
from yiwang.core.space.tiles import morton, run_of  # noqa: E402
from yiwang.server.cases.models import Case, Event  # noqa: E402
from yiwang.server.centre import board, centre_figures, map_tiles  # noqa: E402
from yiwang.server.cities.queries import runtime  # noqa: E402
from yiwang.server.common import sql, vector_tiles  # noqa: E402

CITY = "wuxi"
COMPONENTS = 100_000


def cityful(count: str) -> dict[str, Any]:
    fill(city=CITY, cases=int(count))
    return {"cases": Case.objects.count()}


def milliseconds(act: Callable[[], Any], *, times: int = 5) -> float:
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        act()
        taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)


def tiles(_: str = "") -> dict[str, Any]:
    """The slowest and the largest tile of all zooms around the city's densest place, and what stands beside the map."""
    now = centre_figures.minute(datetime.now(UTC))
    seen = board.board(CITY)
    begun = time.perf_counter()
    seen.look()
    read = time.perf_counter() - begun
    columns = seen.columns
    size = sum(getattr(columns, name).nbytes for name in columns.names())
    cells, counts = np.unique(columns.code >> np.uint64(28), return_counts=True)
    at = int(np.flatnonzero(columns.code >> np.uint64(28) == cells[counts.argmax()])[0])
    x, y = int(columns.x[at]), int(columns.y[at])
    found: dict[str, Any] = {"read": read, "megabytes": size / 1e6}
    for name, state, form in (("open", "open", "cases"), ("all", "all", "cases"), ("heat", "all", "heat")):
        shown = map_tiles.CaseFilter(at=now, state=state)
        found[name] = _worst(partial(_tile, x=x, y=y, shown=shown, form=form))
    found["components"] = _components(x, y)
    shown = map_tiles.CaseFilter(at=now, state="all")
    found["tile"] = milliseconds(lambda: _tile(10, x, y, shown, "cases"))
    found["sql"] = milliseconds(lambda: _counted_in_sql(x >> 22, y >> 22), times=3)
    place = runtime(CITY)
    found["figures"] = milliseconds(lambda: centre_figures.side_figures(place=place, region="", at=now, past=False))
    found["counts"] = milliseconds(lambda: _plain_counts(now), times=3)
    found["follow"] = _follow(seen)
    return found


def _tile(zoom: int, x: int, y: int, shown: map_tiles.CaseFilter, form: str) -> bytes:
    return map_tiles.tile(city=CITY, zoom=zoom, column=x >> (32 - zoom), row=y >> (32 - zoom), shown=shown, form=form)


def _worst(made: Callable[[int], bytes]) -> dict[str, float]:
    times = {zoom: milliseconds(partial(made, zoom)) for zoom in range(20)}
    return {"ms": max(times.values()), "bytes": max(len(made(zoom)) for zoom in range(20))}


def _components(x: int, y: int) -> dict[str, float]:
    """Components with a class, from made-up places, by the code that draws cases."""
    rng = np.random.default_rng(5)
    east = (x + rng.normal(0, 1 << 20, COMPONENTS)).astype(np.uint64)
    south = (y + rng.normal(0, 1 << 20, COMPONENTS)).astype(np.uint64)
    codes = morton(east, south)
    order = np.argsort(codes)
    east, south, codes = east[order], south[order], codes[order]

    def made(zoom: int) -> bytes:
        tile = {"zoom": zoom, "column": x >> (32 - zoom), "row": y >> (32 - zoom)}
        run = run_of(codes, **tile)
        if run.stop - run.start > vector_tiles.MOST_POINTS:
            cells = vector_tiles.counts(
                east[run], south[run], codes[run], **tile, depth=vector_tiles.CLUSTER_DEPTH, parts={}
            )
            return vector_tiles.encode({"clusters": cells})
        said = [{"id": at, "class": "0101"} for at in range(run.start, run.stop)]
        return vector_tiles.encode({"components": vector_tiles.points(east[run], south[run], **tile, properties=said)})

    return _worst(made)


def _counted_in_sql(column: int, row: int) -> list[Any]:
    """The same cells counted by the database, as a site without columns in memory would."""
    from yiwang.core.space.tiles import tile_box

    west, south, east, north = tile_box(zoom=10, column=column, row=row)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT floor((lon - %s) / %s * 16), floor((lat - %s) / %s * 16), count(*), "
            "sum(CASE WHEN deadline < %s AND closed_at IS NULL THEN 1 ELSE 0 END) FROM cases_case "
            "WHERE city = %s AND lon >= %s AND lon < %s AND lat >= %s AND lat < %s GROUP BY 1, 2",
            [west, east - west, south, north - south, datetime.now(UTC), CITY, west, east, south, north],
        )
        return list(cursor.fetchall())


def _plain_counts(now: datetime) -> list[int]:
    cases = Case.objects.filter(city=CITY)
    return [
        cases.filter(closed_at=None).count(),
        cases.filter(closed_at=None, deadline__lt=now).count(),
        cases.filter(opened_at__gte=now - timedelta(days=1)).count(),
        cases.filter(closed_at__gte=now - timedelta(days=30), overdue=False).count(),
    ]


def _follow(seen: board.Board) -> float:
    newest = list(Case.objects.order_by("-id").values_list("id", flat=True)[:1000])
    now = datetime.now(UTC)
    rows = [(case, CITY, 2, now, "note", "b", "", "", "", "", "", "", "", "", "{}", b"\0") for case in newest]
    sql.insert_many(Event, EVENT, rows)
    Case.objects.filter(id__in=newest).update(seq=2)
    begun = time.perf_counter()
    seen.look()
    return (time.perf_counter() - begun) * 1000


def portal(_: str = "") -> dict[str, Any]:
    """What the portal's pages cost, and what counting on request would."""
    from django.test import Client

    from yiwang.server.cases.reading.nearby import open_near
    from yiwang.server.portal import months as portal_months
    from yiwang.server.portal import open_data, public_score
    from yiwang.server.scores.exporting import catch_up

    place, client, now = runtime(CITY), Client(HTTP_HOST="localhost"), datetime.now(UTC)
    region = place.locator.tree.at_level(place.info.levels[-1].id)[300]
    assert region.geometry is not None
    point = region.geometry.representative_point()
    months = portal_months.months(place=place, at=now)
    catch_up(city=CITY)

    def published(*asked: str) -> None:
        for month in asked:
            public_score.forget()
            public_score.score(place=place, month=month, region="", category="")

    found = {
        "month": milliseconds(lambda: published(months[3]), times=3),
        "all": milliseconds(lambda: published(*months), times=1),
    }
    found["near"] = milliseconds(lambda: open_near(place=place, lon=point.x, lat=point.y))
    for name, path in (("score", "portal/score"), ("first", "portal"), ("data", "portal/data")):
        found[name] = milliseconds(partial(client.get, f"/{CITY}/{path}"))
    begun = time.perf_counter()
    rows = sum(len(chunk) for chunk in open_data.rows(place=place, month=months[3]))
    return {**found, "download_rows": rows, "download": time.perf_counter() - begun}


if __name__ == "__main__":
    mode, *arguments = sys.argv[1:]
    modes: dict[str, Callable[..., dict[str, Any]]] = {"cityful": cityful, "tiles": tiles, "portal": portal}
    print(json.dumps(modes[mode](*arguments)))
