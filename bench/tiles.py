"""Map tiles and the command centre's figures over a million cases, on SQLite and on PostgreSQL.

Compared in the same run with asking the database for what the tile shows. The aim is 100 ms and 500 kB for a tile at
every zoom; a hundred thousand components are drawn by the same code from made-up places.
"""

from __future__ import annotations

import json
import os
from typing import Any

from bench._site import database, in_process

MANY = 50_000 if os.environ.get("YIWANG_BENCH_QUICK") else 1_000_000
MILLISECONDS, BYTES = 100, 500_000


def run() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for kind in ("sqlite", "postgresql"):
        with database(kind) as environment:
            in_process(environment, "cityful", str(MANY), script="_tile_steps.py")
            said = json.loads(in_process(environment, "tiles", script="_tile_steps.py"))
        size = f"{MANY:,} cases, {kind}"
        for name, label in (
            ("open", "open cases"),
            ("all", "all cases"),
            ("heat", "warmth of all"),
            ("components", "100,000 components"),
        ):
            slowest = said[name]
            rows.append(
                {
                    "name": f"slowest tile of any zoom: {label} ({size}; {slowest['bytes'] / 1000:.0f} kB at most)",
                    "value": slowest["ms"], "unit": "ms", "peer": f"bound {MILLISECONDS} ms, {BYTES // 1000} kB",
                    "ratio": min(MILLISECONDS / slowest["ms"], BYTES / max(1, slowest["bytes"])),
                }
            )  # fmt: skip
        rows += [
            {
                "name": f"tile of the city's middle at zoom 10, all cases ({size})", "value": said["tile"], "unit": "ms",
                "peer": f"counting its cells in SQL: {said['sql']:.0f} ms", "ratio": said["sql"] / said["tile"],
            },
            {
                "name": f"the command centre's figures ({size})", "value": said["figures"], "unit": "ms",
                "peer": f"open, overdue and today's counts alone in SQL: {said['counts']:.0f} ms",
                "ratio": said["counts"] / said["figures"],
            },
            {
                "name": f"reading the cases into memory once after a start ({size}; {said['megabytes']:.0f} MB)",
                "value": said["read"], "unit": "s", "peer": "", "ratio": None,
            },
            {
                "name": f"following 1,000 new events ({size})", "value": said["follow"], "unit": "ms",
                "peer": f"reading anew: {said['read'] * 1000:.0f} ms", "ratio": said["read"] * 1000 / said["follow"],
            },
        ]  # fmt: skip
    return rows
