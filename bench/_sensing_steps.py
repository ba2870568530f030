"""What `bench.sensing` does inside Django, one mode a process: ``python bench/_sensing_steps.py MODE …``."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django

django.setup()

import numpy as np  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402

from yiwang.core.kernel.instants import SECOND, to_micros  # noqa: E402
from yiwang.server.cities.queries import runtime  # noqa: E402
from yiwang.server.sensing.api import (  # noqa: E402
    Alarm,
    Datastream,
    Observation,
    Reading,
    StreamSaid,
    find_or_make,
    series_points,
    write_observations,
)

MINI = Path(__file__).resolve().parents[1] / "tests" / "packs" / "fixtures" / "mini"
STREAMS, BATCH, SAMPLE = 1000, 1000, 3000
START = datetime(2026, 3, 2, tzinfo=UTC)
SEED = 20261130


def install() -> dict[str, Any]:
    """The toy city with streams of water that its rule judges."""
    from yiwang.server.provision.operations import install_pack

    call_command("migrate", verbosity=0)
    install_pack(MINI)
    place = runtime("mini")
    for name in ("plain", "judged"):
        for n in range(STREAMS):
            find_or_make(
                place,
                StreamSaid(
                    key=f"{name}-{n}", name=f"{name} {n}", observed="water level", unit="cm", lon=120.003, lat=31.003
                ),
            )
    return {}


def batches(name: str, count: int) -> list[list[Reading]]:
    """Readings of every stream, a minute apart: water that mostly rests, and one stream in a hundred that is flooded at a time."""
    ids = list(Datastream.objects.filter(key__startswith=f"{name}-").order_by("id").values_list("id", flat=True))
    rng = np.random.default_rng(SEED)
    found = []
    for minute in range(count // BATCH):
        values = np.abs(rng.normal(0.4, 0.5, len(ids))).round(1)
        values[(minute // 30) % 100 :: 100] += 40.0
        at = to_micros(START) + minute * 60 * SECOND
        found.append([Reading(pk, at, value) for pk, value in zip(ids, values.tolist(), strict=True)])
    return found


def naive() -> dict[str, Any]:
    """The same readings one at a time by the ORM."""
    readings = [one for batch in batches("plain", SAMPLE) for one in batch]
    received = to_micros(START)
    began = time.perf_counter()
    for one in readings:
        with transaction.atomic():
            Observation.objects.create(
                datastream_id=one.datastream, phenomenon_time=one.time, value=one.value, received_time=received
            )
    seconds = time.perf_counter() - began
    Observation.objects.all().delete()
    return {"rows": len(readings), "seconds": seconds}


def write(count: str, how: str) -> dict[str, Any]:
    """Write batches: ``plain``, ``judged`` by rules, or ``again`` those of ``plain``."""
    given = batches("judged" if how == "judged" else "plain", int(count))
    began = time.perf_counter()
    for batch in given:
        write_observations(batch, received=batch[0].time, judge=how == "judged")
    seconds = time.perf_counter() - began
    return {"rows": sum(map(len, given)), "seconds": seconds, "alarms": Alarm.objects.count()}


def chart() -> dict[str, Any]:
    """A day of a stream as its page asks for it, among all that was written."""
    stream = Datastream.objects.filter(key="plain-500").get()
    start, width = to_micros(START), 15 * 60 * SECOND
    taken = []
    for _ in range(9):
        began = time.perf_counter()
        series_points(stream.pk, start=start, end=start + 96 * width, width=width)
        taken.append((time.perf_counter() - began) * 1000)
    return {"ms": statistics.median(taken), "stored": Observation.objects.count()}


if __name__ == "__main__":
    modes: dict[str, Callable[..., dict[str, Any]]] = {
        "install": install,
        "naive": naive,
        "write": write,
        "chart": chart,
    }
    print(json.dumps(modes[sys.argv[1]](*sys.argv[2:])))
