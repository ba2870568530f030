"""What programs read over HTTP: one case, and the open cases as GeoJSON for a map.

Both are asked with a token, as programs ask; the answers are checked to be whole before the load begins. Load comes from `wrk`.
"""

from __future__ import annotations

import json
import shutil
import urllib.request
from typing import Any

from bench._site import WORKERS, database, in_process, served
from bench._wrk import get

LIVES = 14_000  # every seventh stays open: 2,000, the most that a map asks for unless told otherwise
PEER_GEOJSON = 17.0
ONE_BEFORE, GEOJSON_BEFORE = 568.0, 42.0


def run() -> list[dict[str, Any]]:
    wrk = shutil.which("wrk")
    if not wrk:
        return []
    rows: list[dict[str, Any]] = []
    for kind in ("sqlite", "postgresql"):
        with database(kind) as environment:
            token = json.loads(in_process(environment, "install"))["token"]
            in_process(environment, "lives", "0", str(LIVES))
            numbers = json.loads(in_process(environment, "numbers", "2000"))["numbers"]
            with served(environment) as base:
                rows += _read(kind, wrk, base, numbers, token)
    return rows


def _read(kind: str, wrk: str, base: str, numbers: list[str], token: str) -> list[dict[str, Any]]:
    one = [f"/api/v1/cases/{number}" for number in numbers]
    cities = ["/api/v1/cities/mini/map/cases"]
    assert _asked(base + one[0], token)["number"] == numbers[0]
    shown = len(_asked(base + cities[0], token)["features"])
    assert shown == min(2000, LIVES // 7), shown
    case = get(wrk, base, one, token)
    nobody = get(wrk, base, one, "")
    points = get(wrk, base, cities, token)
    before = "before, on another day"
    return [
        _row(
            f"one case by the API with a token, {WORKERS} workers, {kind}", case, f"{before}: 568/s", case / ONE_BEFORE
        ),
        _row(
            f"one case by the API, nobody signed in, {WORKERS} workers, {kind}",
            nobody,
            f"{before}: 568/s",
            nobody / ONE_BEFORE,
        ),
        _row(
            f"{shown:,} open cases as GeoJSON, {WORKERS} workers, {kind}", points, "peer: 17/s", points / PEER_GEOJSON
        ),
    ]


def _row(name: str, value: float, peer: str, ratio: float) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": "/s", "peer": peer, "ratio": ratio}


def _asked(address: str, token: str) -> Any:
    with urllib.request.urlopen(
        urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"})
    ) as answer:
        return json.load(answer)
