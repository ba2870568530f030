"""Observations: how many are written a second, with and without rules that judge them, from files, and what a chart costs.

Peer in the same run: the same readings one at a time by the ORM, each in a transaction of its own, as servers of the
SensorThings API write what is posted to them one by one. Batches are of 1,000 readings of 1,000 streams, the toy city's
rule judges every one of them where rules judge. ``YIWANG_BENCH_QUICK=1`` takes a tenth.
"""

from __future__ import annotations

import json
import os
from typing import Any

from bench._site import database, in_process

MANY = 50_000 if os.environ.get("YIWANG_BENCH_QUICK") else 500_000
SCRIPT = "_sensing_steps.py"


def run() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for kind in ("sqlite", "postgresql"):
        with database(kind) as environment:
            in_process(environment, "install", script=SCRIPT)
            slow = json.loads(in_process(environment, "naive", script=SCRIPT))
            plain, judged, again = (
                json.loads(in_process(environment, "write", str(MANY), how, script=SCRIPT))
                for how in ("plain", "judged", "again")
            )
            chart = json.loads(in_process(environment, "chart", script=SCRIPT))
        rate = slow["rows"] / slow["seconds"]
        size = f"{MANY:,} observations, {kind}"
        for name, found in (("written", plain), ("written and judged", judged), ("that are there already", again)):
            each = found["rows"] / found["seconds"]
            peer = f"one at a time by the ORM: {rate:,.0f} /s"
            rows.append(_row(f"observations {name} ({size})", each, "/s", peer, each / rate))
        said = f"{chart['stored']:,} observations, {kind}"
        rows.append(_row(f"a day of a stream in 96 points ({said})", chart["ms"], "ms", "", None))
    return rows


def _row(name: str, value: float, unit: str, peer: str, ratio: float | None) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "peer": peer, "ratio": ratio}
