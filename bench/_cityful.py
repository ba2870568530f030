"""A real city's regions full of made-up cases, for what is measured at a size: ``fill(city, cases=1_000_000)``.

Rows are written straight into the tables (no events but one each): lists, maps and figures read nothing else.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from django.core.management import call_command
from django.db import connection, transaction

CHUNK = 20_000
DAYS = 720
SEED = 20261124


def fill(*, city: str, cases: int) -> None:
    """Install a city and give it cases: places near the regions' middles, two in a hundred open, of the last two years."""
    from yiwang.server.cases.models import Case, Event, Tally
    from yiwang.server.cities.queries import runtime
    from yiwang.server.common import sql
    from yiwang.server.provision.operations import install_pack

    call_command("migrate", verbosity=0)
    install_pack(city)
    place = runtime(city)
    rng = np.random.default_rng(SEED)
    placed = [
        (region, region.geometry)
        for region in place.locator.tree.at_level(place.info.levels[-1].id)
        if region.geometry is not None
    ]
    regions = [region for region, _ in placed]
    middles = np.array([geometry.representative_point().coords[0] for _, geometry in placed])
    categories, units = list(place.categories)[:120], [unit.code for unit in place.rules.units][:300]
    workflow = place.rules.workflow
    ends = [step for step in workflow.steps.values() if step.end]
    going = [step for step in workflow.steps.values() if not step.end]
    now = datetime.now(UTC).replace(microsecond=0)
    for first in range(0, cases, CHUNK):
        size = min(CHUNK, cases - first)
        # a few places are where most of it happens, as in any city
        where = (rng.random(size) ** 2 * len(regions)).astype(int)
        spots = middles[where] + rng.normal(0, 0.003, (size, 2))
        ages, took = rng.random(size) * DAYS * 86_400, rng.random(size) * 3 * 86_400
        still = rng.random(size) < 0.02
        ages[still] = rng.random(still.sum()) * 5 * 86_400
        kinds = (rng.random(size) ** 3 * len(categories)).astype(int)
        rows, events = [], []
        for at in range(size):
            opened = now - timedelta(seconds=float(ages[at]))
            step = going[at % len(going)] if still[at] else ends[at % len(ends)]
            number = f"T{first + at:09d}"
            rows.append(
                (
                    city, number, 1, step.id, step.stage, categories[kinds[at]], "", regions[where[at]].code, "",
                    float(spots[at, 0]), float(spots[at, 1]), f"case {first + at}", "", "public", "normal",
                    units[at % len(units)], "", opened, opened, None if still[at] else opened + timedelta(seconds=float(took[at])),
                    opened + timedelta(days=2), None, bool(took[at] > 2 * 86_400), 0, "", "", b"\0", "{}",
                )
            )  # fmt: skip
            events.append(
                (first + at + 1, city, 1, opened, "report", "bench", "", "", "", "", step.id, "", "", "", "{}", b"\0")
            )
        with transaction.atomic():
            sql.insert_many(Case, CASE, rows)
            sql.insert_many(Event, EVENT, events)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Tally._meta.db_table} (city, region, step, late, count) "
            "SELECT city, region, step, overdue, count(*) FROM cases_case GROUP BY 1, 2, 3, 4"
        )
        cursor.execute("ANALYZE")


CASE = (
    "city", "number", "seq", "step", "stage", "category", "condition", "region", "grid", "lon", "lat", "text", "address",
    "source", "priority", "holder", "level", "opened_at", "filed_at", "closed_at", "deadline", "next_due", "overdue",
    "rating", "merged_into", "flag", "head", "rest",
)  # fmt: skip
EVENT = (
    "case_id", "city", "seq", "at", "verb", "actor", "actor_name", "actor_unit", "role", "from_step", "to_step",
    "from_holder", "holder", "reason", "payload", "hash",
)  # fmt: skip
