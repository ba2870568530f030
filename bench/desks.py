"""The desks at a million cases: what a page with its queue costs, for each role and queue, on both databases.

The rows are ten thousand real lifecycles copied with other numbers and times; every seventh case is open, and one open case
of two hundred waits for an answer. ``YIWANG_BENCH_QUICK=1`` takes 50 thousand rows instead.
"""

from __future__ import annotations

import json
from typing import Any

from bench._site import database, in_process
from bench.server import LIVES, MANY


def run() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for kind in ("sqlite", "postgresql"):
        with database(kind) as environment:
            in_process(environment, "install")
            in_process(environment, "lives", "0", str(LIVES))
            in_process(environment, "multiply", str(MANY))
            found = json.loads(in_process(environment, "desks"))
            peer = f"{found.pop('open'):,} open, {found.pop('waiting'):,} wait for an answer"
            rows += [
                {
                    "name": f"desk page of {MANY:,}: {name}, {told['queries']} queries, {kind}",
                    "value": told["ms"],
                    "unit": "ms",
                    "peer": peer,
                    "ratio": None,
                }
                for name, told in found.items()
            ]
    return rows
