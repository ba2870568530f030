"""The desks at a million cases: what a page with its queue costs, for each role, queue and layout, on both databases.

The rows are ten thousand real lifecycles copied with other numbers and times; every seventh case is open. First all of these
stand at one step, so that most queues are empty. Then they are at every step, one of 200 waits for an answer, their events
are of the last month, and everybody has read 20,000 cases and kept 60 views; and two look whose own unit has none of them.
``YIWANG_BENCH_QUICK=1`` takes 50 thousand rows instead.
"""

from __future__ import annotations

import json
from typing import Any

from bench._site import database, in_process
from bench.server import LIVES, MANY

WANTED_MS = 60.0
SCRIPT = "_desk_steps.py"


def run() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for kind in ("sqlite", "postgresql"):
        with database(kind) as environment:
            in_process(environment, "install")
            in_process(environment, "lives", "0", str(LIVES))
            in_process(environment, "multiply", str(MANY))
            found = json.loads(in_process(environment, "empty", script=SCRIPT))
            in_process(environment, "spread", script=SCRIPT)
            found |= json.loads(in_process(environment, "desks", script=SCRIPT))
            rows += [
                {
                    "name": f"desk of {MANY:,}: {name}, {told['queries']} queries, {kind}",
                    "value": told["ms"],
                    "unit": "ms",
                    "peer": f"wanted: {WANTED_MS:.0f} ms; processor {told['cpu_ms']:.0f} ms",
                    "ratio": WANTED_MS / told["ms"],
                }
                for name, told in found.items()
            ]
    return rows
