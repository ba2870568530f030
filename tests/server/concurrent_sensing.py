"""What the processes of `test_sensing_alarms_concurrent` do: ``python concurrent_sensing.py MODE …``. Each prints one line of JSON."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from tests.server.sensing_city import at, underpass  # noqa: E402

from yiwang.core.kernel.instants import SECOND, to_micros  # noqa: E402
from yiwang.core.observations.detecting import detector  # noqa: E402
from yiwang.core.observations.quality import Quality  # noqa: E402
from yiwang.server.cases.api import Case, Event, Report  # noqa: E402
from yiwang.server.cities.queries import runtime  # noqa: E402
from yiwang.server.sensing.api import (  # noqa: E402
    Alarm,
    Datastream,
    Device,
    Message,
    Observation,
    Reading,
    Rejected,
    Sensor,
    Thing,
    raise_cases,
    stream_ids,
    take_messages,
    write_observations,
)

MINI = Path(__file__).resolve().parents[1] / "packs" / "fixtures" / "mini"
CAUSES = 4
DEVICES, MINUTES = 12, 20


def series() -> list[tuple[int, float]]:
    """Times in microseconds and depths of half an hour: up and down, many alarms."""
    dice = random.Random(7)
    return [(to_micros(at(minute)), float(dice.choice([0, 4, 8, 16, 22, 30]))) for minute in range(30)]


def prepare() -> dict[str, Any]:
    from yiwang.server.provision.operations import install_pack

    call_command("migrate", verbosity=0)
    install_pack(MINI)
    for number in range(CAUSES):
        underpass(str(number))
    return {"case": ""}


def write(key: str, batch: str) -> dict[str, Any]:
    """Write the series, as many readings at once as are said."""
    pk, size, readings = stream_ids("mini")[key], int(batch), series()
    for start in range(0, len(readings), size):
        part = readings[start : start + size]
        write_observations([Reading(pk, time, value) for time, value in part], received=part[-1][0])
    return {"done": len(readings)}


def expected() -> dict[str, Any]:
    """What one detector makes of the series."""
    turns = []
    for rule in runtime("mini").pack.sensing.alarms.values():
        judge = detector(rule.condition)
        for time, value in series():
            turns += [
                [one.condition, one.turn.value, round(one.time * SECOND)] for one in judge.feed(time / SECOND, value)
            ]
    return {"turns": sorted(turns)}


def found(key: str) -> dict[str, Any]:
    rows = Alarm.objects.filter(datastream__key=key).values_list("condition", "turn", "time")
    return {"turns": sorted(list(row) for row in rows)}


def deal() -> dict[str, Any]:
    """Make cases of alarms until none waits."""
    while Alarm.objects.filter(outcome="").exists():
        raise_cases(at=at(100))
    return {"waiting": 0}


def verify() -> dict[str, Any]:
    outcomes = list(Alarm.objects.values_list("outcome", flat=True))
    return {
        "cases": Case.objects.count(),
        "reports": Report.objects.count(),
        "notes": Event.objects.filter(verb="sensed").count(),
        "outcomes": {one: outcomes.count(one) for one in sorted(set(outcomes))},
    }


def register() -> dict[str, Any]:
    for number in range(DEVICES):
        thing = Thing.objects.create(city="mini", key=f"thing-{number}", name="thing")
        Device.objects.create(city="mini", key=f"d{number}", thing=thing, adapter="well")
    return {"devices": DEVICES}


def take(seed: str) -> dict[str, Any]:
    """Give all messages in an order of one's own, 25 at once; among them one of each device that cannot be read."""
    dice = random.Random(seed)
    messages = [
        Message(
            f"yiwang/mini/well/d{number}", json.dumps({"level": minute, "temp": 1, "ts": 1772424000 + minute}).encode()
        )
        for number in range(DEVICES)
        for minute in range(MINUTES)
    ] + [Message(f"yiwang/mini/well/d{number}", b"nonsense") for number in range(DEVICES)]
    dice.shuffle(messages)
    rejected = 0
    for start in range(0, len(messages), 25):
        now = to_micros(at(60)) + start
        rejected += take_messages(messages[start : start + 25], received=now).rejected
    return {"rejected": rejected}


def taken() -> dict[str, Any]:
    rows = Observation.objects.values_list("datastream__key", "value", "quality")
    return {
        "observations": len(rows),
        "corrected": sum(bool(quality & Quality.CORRECTED) for _, _, quality in rows),
        "streams": Datastream.objects.filter(key__startswith="d").count(),
        "sensors": Sensor.objects.filter(name="temp").count(),
        "rejected": list(Rejected.objects.order_by("topic").values_list("count", flat=True)),
        "heard": Device.objects.filter(last_seen__isnull=False).count(),
    }


MODES: dict[str, Callable[..., Any]] = {
    one.__name__: one for one in (prepare, write, expected, found, deal, verify, register, take, taken)
}

if __name__ == "__main__":
    mode, *arguments = sys.argv[1:]
    print(json.dumps(MODES[mode](*arguments)))
