"""The portal at a million cases: what a page, a neighbourhood, a month of figures and a month of open data cost.

``python -m bench.portal`` on the database that ``YIWANG_DATABASE_URL`` names, which must be PostgreSQL and is filled once.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yiwang.server.settings")
import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402

CASES = 1_000_000
MONTHS = 24
FILL = """
INSERT INTO cases_case (city, number, seq, step, stage, category, condition, region, grid, lon, lat, text, place, source,
  priority, holder, level, opened_at, filed_at, closed_at, deadline, next_due, overdue, rating, merged_into, flag, head, rest)
SELECT 'wuxi', 'B' || n, 9, CASE WHEN open THEN 'handling' ELSE 'closed' END, 'handle', cat, '', code, '', lon, lat,
  '路口垃圾成堆 ' || n, '', 'public', 'normal', 'ZX-3202', 'city', at, at, CASE WHEN open THEN NULL ELSE at + took END,
  at + interval '2 days', NULL, took > interval '2 days', 0, '', '', '\\x00'::bytea, '{}'
FROM (
  SELECT n, (%(codes)s::text[])[1 + n %% %(regions)s] AS code, (%(categories)s::text[])[1 + (n / 7) %% %(kinds)s] AS cat,
    (%(lons)s::float[])[1 + n %% %(regions)s] + (random() - .5) * .004 AS lon,
    (%(lats)s::float[])[1 + n %% %(regions)s] + (random() - .5) * .004 AS lat,
    now() - random() * interval '720 days' AS at, random() * interval '3 days' AS took, n %% 50 = 0 AS open
  FROM generate_series(1, %(cases)s) AS n
) AS drawn
"""


TALLY = """
INSERT INTO cases_tally (city, region, step, late, count)
SELECT city, region, step, overdue, count(*) FROM cases_case GROUP BY 1, 2, 3, 4
"""


def fill() -> None:
    from yiwang.server.cases.models import Case
    from yiwang.server.places.queries import runtime
    from yiwang.server.provision.operations import install_pack

    call_command("migrate", verbosity=0)
    install_pack("wuxi")
    if Case.objects.exists():
        return
    place = runtime("wuxi")
    regions = [
        (region.code, region.geometry.representative_point())
        for region in place.locator.tree.at_level(place.info.levels[-1].id)
        if region.geometry is not None
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            FILL,
            {
                "codes": [code for code, _ in regions], "lons": [point.x for _, point in regions],
                "lats": [point.y for _, point in regions], "regions": len(regions),
                "categories": list(place.categories)[:120], "kinds": 120, "cases": CASES,
            },
        )  # fmt: skip
        cursor.execute(TALLY)
        cursor.execute("VACUUM ANALYZE cases_case")


def timed(name: str, act: Callable[[], Any], *, times: int = 5) -> float:
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        act()
        taken.append(time.perf_counter() - begun)
    seconds = statistics.median(taken)
    print(f"{name:<44}{seconds * 1000:9.0f} ms   (first {taken[0] * 1000:.0f} ms)")
    return seconds


def main() -> None:
    from yiwang.server.cases.nearby import open_near
    from yiwang.server.places.queries import runtime
    from yiwang.server.portal import open_data, scoring

    fill()
    place, client, now = runtime("wuxi"), Client(HTTP_HOST="localhost"), datetime.now(UTC)
    region = place.locator.tree.at_level(place.info.levels[-1].id)[300]
    point = region.geometry.representative_point()
    months = scoring.months(place=place, at=now)
    one = timed("one month of figures (worker)", lambda: scoring.compute(place=place, month=months[3], at=now), times=3)
    scoring.refresh(budget_seconds=600)
    whole = timed("all cases counted on request (instead)", lambda: _all(place), times=1)
    timed("months there are", lambda: scoring.months(place=place, at=now))
    timed("open cases near a point", lambda: open_near(place=place, lon=point.x, lat=point.y))
    score = timed("score page", lambda: client.get("/wuxi/portal/score"))
    timed("first page", lambda: client.get("/wuxi/portal"))
    timed("open data page", lambda: client.get("/wuxi/portal/data"))
    begun, rows, first = time.perf_counter(), 0, 0.0
    for chunk in open_data.rows(place=place, month=months[3]):
        first = first or time.perf_counter() - begun
        rows += len(chunk)
    taken = time.perf_counter() - begun
    print(f"open data of a month: {rows:,} rows in {taken:.1f} s, the first after {first * 1000:.0f} ms")
    print(
        f"counting on request costs {whole / score:.0f} times the stored score page; a month {whole / one:.0f} times less than all"
    )


def _all(place: Any) -> None:
    from yiwang.server.portal import scoring

    for month in scoring.months(place=place, at=datetime.now(UTC)):
        scoring.compute(place=place, month=month, at=datetime.now(UTC))


if __name__ == "__main__":
    main()
