"""The portal at a million cases on PostgreSQL: what its pages cost beside counting on request."""

from __future__ import annotations

import json
import os
from typing import Any

from bench._site import database, in_process

MANY = 50_000 if os.environ.get("YIWANG_BENCH_QUICK") else 1_000_000


def run() -> list[dict[str, Any]]:
    with database("postgresql") as environment:
        in_process(environment, "cityful", str(MANY), script="_tile_steps.py")
        said = json.loads(in_process(environment, "portal", script="_tile_steps.py"))
    size = f"{MANY:,} cases, postgresql"

    def row(name: str, key: str, peer: str = "", ratio: float | None = None) -> dict[str, Any]:
        return {"name": f"{name} ({size})", "value": said[key], "unit": "ms", "peer": peer, "ratio": ratio}

    return [
        row("public score page", "score", f"counting all months anew: {said['all']:.0f} ms", said["all"] / said["score"]),
        row("one month of public figures, for its first reader", "month", f"all months: {said['all']:.0f} ms", said["all"] / said["month"]),
        row("open cases near a point", "near"),
        row("portal, first page", "first"),
        row("open data page", "data"),
        {
            "name": f"open data of a month ({said['download_rows']:,} rows; {size})", "value": said["download"], "unit": "s",
            "peer": "", "ratio": None,
        },
    ]  # fmt: skip
