"""What the processes of `test_mqtt_killed` do: ``python mqtt_processes.py MODE``. Each prints one line of JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from yiwang.server.cities.queries import runtime  # noqa: E402
from yiwang.server.sensing.api import Observation, Rejected, StreamSaid, find_or_make  # noqa: E402

MINI = Path(__file__).resolve().parents[1] / "packs" / "fixtures" / "mini"
STREAMS = 4


def prepare() -> dict[str, Any]:
    from yiwang.server.mqtt.access import own_password
    from yiwang.server.provision.operations import install_pack

    call_command("migrate", verbosity=0)
    install_pack(MINI)
    for number in range(STREAMS):
        find_or_make(
            runtime("mini"), StreamSaid(key=f"gauge-{number}", name=f"水尺 {number}", observed="水尺读数", unit="cm")
        )
    return {"case": own_password()}


def verify() -> dict[str, Any]:
    return {"observations": Observation.objects.count(), "rejected": Rejected.objects.count()}


MODES: dict[str, Callable[[], dict[str, Any]]] = {"prepare": prepare, "verify": verify}

if __name__ == "__main__":
    print(json.dumps(MODES[sys.argv[1]]()))
