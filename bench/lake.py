"""The lake: how many older observations are written a second, and what dashboards ask of it, against a scan of all files.

Streams report every quarter hour; a day of all of them is written as the mover writes it (`moving.write_day`), months are made
of days as the worker does it. Peer in the same run: DuckDB over the same observations as plain files, one a day, unsorted by
stream and without roll-ups. ``YIWANG_BENCH_QUICK=1`` takes a tenth of the days; ``YIWANG_BENCH_LAKE=STREAMS,DAYS`` says both.
"""

from __future__ import annotations

import json
import os
from typing import Any

from bench._site import database, in_process

SCRIPT = "_lake_steps.py"
STREAMS, DAYS = 10_000, 36


def run() -> list[dict[str, Any]]:
    said = os.environ.get("YIWANG_BENCH_LAKE", "")
    days = DAYS // 10 if os.environ.get("YIWANG_BENCH_QUICK") else DAYS
    streams, days = (int(one) for one in said.split(",")) if said else (STREAMS, days)
    with database("sqlite") as environment:
        in_process(environment, "install", str(streams), script=SCRIPT)
        filled = json.loads(in_process(environment, "fill", str(days), script=SCRIPT))
        asked = json.loads(in_process(environment, "ask", str(days), script=SCRIPT))
    size = f"{filled['rows'] / 1e6:,.1f} million observations, {streams:,} streams, {days} days"
    rows = [
        _row(f"written into the lake ({size})", filled["rows"] / filled["seconds"], "/s", "", None),
        _row(f"bytes an observation, roll-ups included ({size})", filled["bytes"] / filled["rows"], "bytes", "", None),
    ]
    for name, (ours, peer) in asked.items():
        rows.append(_row(f"{name} ({size})", ours, "ms", f"plain files by day: {peer:,.0f} ms", peer / ours))
    return rows


def _row(name: str, value: float, unit: str, peer: str, ratio: float | None) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "peer": peer, "ratio": ratio}
