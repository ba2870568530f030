"""A million components: taking up a census, comparing a later one, tiles and pages of the list, on SQLite and PostgreSQL.

Peers, in the same run: rows located and created one at a time by the ORM (a sample); a tile's cells counted by the database
over the index of Morton codes; a page by OFFSET. ``YIWANG_BENCH_QUICK=1`` takes 50,000.
"""

from __future__ import annotations

import json
import os
from typing import Any

from bench._site import database, in_process

MANY = 50_000 if os.environ.get("YIWANG_BENCH_QUICK") else 1_000_000
SCRIPT = "_inventory_steps.py"
MILLISECONDS = 100


def run() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for kind in ("sqlite", "postgresql"):
        with database(kind) as environment:
            in_process(environment, "files", str(MANY), script=SCRIPT)
            naive, first = (
                json.loads(in_process(environment, *step, script=SCRIPT)) for step in (("naive",), ("bring", "first"))
            )
            said = json.loads(in_process(environment, "read", script=SCRIPT))
            again = json.loads(in_process(environment, "bring", "again", script=SCRIPT))
        rows += _rows(f"{said['components']:,} components, {kind}", naive, first, again, said)
    return rows


def _rows(size: str, naive: Any, first: Any, again: Any, said: Any) -> list[dict[str, Any]]:
    rate, slow = first["rows"] / first["seconds"], naive["rows"] / naive["seconds"]
    found = [
        _row(f"first census from CSV ({size})", rate, "rows/s", f"one at a time by the ORM: {slow:,.0f} rows/s", rate / slow),
        _row(
            f"later census compared ({size}; {sum(again['counts'].values()) - again['counts'].get('same', 0):,} findings)",
            again["rows"] / again["seconds"], "rows/s", "", None,
        ),
        _row(
            f"slowest tile of components of any zoom ({size}; {said['bytes'] / 1000:.0f} kB at most)",
            max(said["tiles"].values()), "ms", f"bound {MILLISECONDS} ms", MILLISECONDS / max(said["tiles"].values()),
        ),
        _row(
            f"reading the inventory into memory after a start ({size}; {said['megabytes']:.0f} MB)",
            said["read"], "s", "", None,
        ),
    ]  # fmt: skip
    for zoom, sql in said["sql"].items():
        ours = said["tiles"][zoom]
        peer = f"its cells counted in SQL, unencoded: {sql:.3g} ms"
        found.append(_row(f"tile of components at zoom {zoom} ({size})", ours, "ms", peer, sql / ours))
    deep = said["pages"]["deep"]
    peer = f"by OFFSET: {said['offset']:.3g} ms"
    found.append(_row(f"page of 50 in the middle of the list ({size})", deep, "ms", peer, said["offset"] / deep))
    for name, label in (
        ("first", "first page"),
        ("kind", "page of a class and a district, in the middle"),
        ("box", "first page of a box"),
        ("name", "search for a name that nothing has"),
    ):
        found.append(_row(f"{label} ({size})", said["pages"][name], "ms", "", None))
    return found


def _row(name: str, value: float, unit: str, peer: str, ratio: float | None) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "peer": peer, "ratio": ratio}
