"""What `bench.mqtt` does inside Django, one mode a process: ``python bench/_mqtt_steps.py MODE …``."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402
from django.db.models import Max  # noqa: E402

from yiwang.server.cities.queries import CityRuntime, runtime  # noqa: E402
from yiwang.server.sensing.api import Alarm, Observation, StreamSaid, find_or_make  # noqa: E402

MINI = Path(__file__).resolve().parents[1] / "tests" / "packs" / "fixtures" / "mini"
PATIENCE = 120.0  # seconds


def install(streams: str) -> dict[str, Any]:
    """The toy city with underpasses whose streams two rules judge: of water, and of silence. Without its rule of storms, so
    that each flooded underpass is a case of its own."""
    from yiwang.server.provision.operations import install_pack

    call_command("migrate", verbosity=0)
    with tempfile.TemporaryDirectory() as folder:
        pack = Path(shutil.copytree(MINI, f"{folder}/mini"))
        rules = pack / "sensing.toml"
        before, _, rest = rules.read_text("utf-8").partition("[storm]")
        rules.write_text(f"{before}[[alarm]]{rest.partition('[[alarm]]')[2]}", "utf-8")
        install_pack(pack)
    place = runtime("mini")
    with transaction.atomic():
        _streams(place, int(streams))
    return {}


def _streams(place: CityRuntime, many: int) -> None:
    for n in range(many):
        lon, lat = 120.0005 + n % 100 * 9e-5, 31.0005 + n // 100 % 100 * 9e-5
        said = StreamSaid(
            key=f"underpass-{n}", name=f"Underpass {n}", observed="water level", unit="cm", lon=lon, lat=lat
        )
        find_or_make(place, said)


def stored() -> dict[str, Any]:
    return {"most": Observation.objects.aggregate(most=Max("id"))["most"] or 0}


def watch(before: str, many: str) -> dict[str, Any]:
    """Wait until so many more are stored than before, looking twenty times a second: from the first seen to the last."""
    seen: list[tuple[float, int]] = []
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        there = stored()["most"] - int(before)
        if there and (not seen or seen[-1][1] != there):
            seen.append((time.monotonic(), there))
        if there >= int(many):
            break
        time.sleep(0.05)
    (began, first), (ended, last) = seen[0], seen[-1]
    return {"rows": last - first, "seconds": ended - began, "stored": last}


def cases(many: str) -> dict[str, Any]:
    """Wait for the cases of so many underpasses, looking fifty times a second: from the reading's time, which is when it was
    published, until its case was seen."""
    found: dict[int, float] = {}
    until = time.monotonic() + PATIENCE
    while len(found) < int(many) and time.monotonic() < until:
        opened = Alarm.objects.filter(outcome="opened").values_list("id", "time")
        now = time.time()
        for pk, published in opened:
            found.setdefault(pk, now - published / 1e6)
        time.sleep(0.02)
    waited = sorted(found.values())
    return {"cases": len(waited), "seconds": waited}


MODES: dict[str, Callable[..., dict[str, Any]]] = {
    "install": install,
    "stored": stored,
    "watch": watch,
    "cases": cases,
}

if __name__ == "__main__":
    print(json.dumps(MODES[sys.argv[1]](*sys.argv[2:])))
