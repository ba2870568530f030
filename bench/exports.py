"""A list of 50,000 cases as a file: time and memory, beside the same rows gathered in memory first, on SQLite.

All columns, for somebody who may read them all. The peer takes the rows by the same walk, keeps them in a list, and writes
them by ``csv`` into one text, or into a sheet that XlsxWriter keeps. ``YIWANG_BENCH_QUICK=1`` takes 5,000.
"""

from __future__ import annotations

import json
import os
from typing import Any

from bench._site import database, in_process

ROWS = 5_000 if os.environ.get("YIWANG_BENCH_QUICK") else 50_000
SCRIPT = "_export_steps.py"


def run() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    with database("sqlite") as environment:
        in_process(environment, "install")
        in_process(environment, "lives", "0", str(min(ROWS, 10_000)))
        in_process(environment, "multiply", str(ROWS))
        for kind in ("csv", "xlsx"):
            ours, naive = (json.loads(in_process(environment, way, kind, script=SCRIPT)) for way in ("file", "naive"))
            if ours["rows"] != naive["rows"]:
                raise AssertionError(f"{ours['rows']} rows are in the file, {naive['rows']} in the other")
            what = f"list of {ours['rows']:,} as {kind} ({ours['bytes'] / 1e6:.1f} MB, {ours['queries']} queries)"
            rows += [
                _row(f"{what}: time", ours["seconds"], naive["seconds"], "s"),
                _row(f"{what}: memory above that of the process", ours["mb"], naive["mb"], "MB"),
            ]
    return rows


def _row(name: str, ours: float, naive: float, unit: str) -> dict[str, Any]:
    peer = f"all rows in memory first: {naive:.3g} {unit}"
    return {"name": name, "value": ours, "unit": unit, "peer": peer, "ratio": naive / ours}
