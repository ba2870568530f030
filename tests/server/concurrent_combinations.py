"""What the processes of `test_sensing_combined_concurrent` do: ``python concurrent_combinations.py MODE …``. Each prints one line
of JSON."""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from tests.server.sensing_city import at, stream  # noqa: E402

from yiwang.core.kernel.instants import to_micros  # noqa: E402
from yiwang.server.sensing.api import (  # noqa: E402
    Alarm,
    AlarmState,
    CombinationState,
    Reading,
    stream_ids,
    tick_silences,
    write_observations,
)

MINI = Path(__file__).resolve().parents[1] / "packs" / "fixtures" / "mini"
ROADS, WRITERS, MINUTES = 4, 4, 60
SINGLE = """
[[alarm]]
id = "high"
kind = "threshold"
name = "高"
name_en = "high"
levels = [{ severity = "minor", at = 5 }]
streams = { observed = ["height"] }
"""
COMBINED = """
[[alarm]]
id = "road"
kind = "combination"
name = "路段"
name_en = "road"
of = [{ stream = "{road}-0*", condition = "high" }, { stream = "{road}-1*", condition = "high" }]

[[alarm]]
id = "anywhere"
kind = "combination"
name = "全市"
name_en = "anywhere"
mode = "any"
of = [{ stream = "r0-*", condition = "high" }, { stream = "r1-*", condition = "high" }]
"""


def prepare() -> dict[str, Any]:
    from yiwang.server.provision.operations import install_pack

    call_command("migrate", verbosity=0)
    with tempfile.TemporaryDirectory() as folder:
        pack = Path(shutil.copytree(MINI, Path(folder) / "mini"))
        with (pack / "sensing.toml").open("a", encoding="utf-8") as file:
            file.write(SINGLE + COMBINED)
        install_pack(pack)
    for road in range(ROADS):
        for number in range(WRITERS):
            stream(f"r{road}-{number % 2}{'x' * (number // 2)}", "height")
    return {"case": ""}


def write(number: str) -> dict[str, Any]:
    """Write the streams of one number on all roads, three minutes at once, the roads in an order of one's own."""
    dice, ids = random.Random(number), stream_ids("mini")
    mine = [pk for key, pk in ids.items() if key.endswith(f"-{int(number) % 2}{'x' * (int(number) // 2)}")]
    assert len(mine) == ROADS
    for minute in range(0, MINUTES, 3):
        dice.shuffle(mine)
        rows = [
            Reading(pk, to_micros(at(minute + more)), float(dice.choice([0, 9]))) for more in range(3) for pk in mine
        ]
        write_observations(rows, received=to_micros(at(minute + 3)))
    return {"written": MINUTES * len(mine)}


def tick() -> dict[str, Any]:
    """Tell the clock many times while others write."""
    return {"alarms": sum(tick_silences(at=at(minute)) for minute in range(MINUTES))}


def verify() -> dict[str, Any]:
    tick_silences(at=at(MINUTES + 10))
    faults: list[str] = []
    rows = Alarm.objects.filter(condition__in=("road", "anywhere")).order_by("condition", "group", "id")
    said = Counter[str]()
    last: dict[tuple[str, str], str] = {}
    for key, several in groupby(rows, key=lambda one: (one.condition, one.group)):
        turns = [one.turn for one in several]
        said.update(turns)
        last[key] = turns[-1]
        if turns != [("raised", "cleared")[place % 2] for place in range(len(turns))]:
            faults.append(f"{key}: {turns}")
    stand = set(AlarmState.objects.filter(condition="high", level__gt=0).values_list("datastream__key", flat=True))
    wanted = {
        ("road", f"road=r{road}"): all(any(key.startswith(f"r{road}-{half}") for key in stand) for half in range(2))
        for road in range(ROADS)
    }
    wanted["anywhere", "city"] = any(key.startswith(("r0-", "r1-")) for key in stand)
    faults += [
        f"{key}: stands {last.get(key)}" for key, stands in wanted.items() if (last.get(key) == "raised") != stands
    ]
    return {"faults": faults, "rows": CombinationState.objects.count(), "turns": dict(said)}


MODES: dict[str, Callable[..., Any]] = {one.__name__: one for one in (prepare, write, tick, verify)}

if __name__ == "__main__":
    mode, *arguments = sys.argv[1:]
    print(json.dumps(MODES[mode](*arguments)))
