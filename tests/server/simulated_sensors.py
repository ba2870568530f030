"""What the processes of `test_simulated_sensors` do: ``python simulated_sensors.py MODE …``. Each prints lines of JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from tests.server.simulated_pack import CITY, NOW, SINCE, simulated_pack  # noqa: E402

from yiwang.server.cities.queries import runtime  # noqa: E402
from yiwang.server.sensing.api import Observation  # noqa: E402
from yiwang.server.simulated.api import StorePublisher, run_simulation  # noqa: E402


def prepare() -> dict[str, Any]:
    from yiwang.server.provision.operations import install_pack

    call_command("migrate", verbosity=0)
    install_pack(simulated_pack(Path(settings.YIWANG_HOME, "given", CITY)))
    return {"case": ""}


def simulate(slow: str, since: str) -> dict[str, Any]:
    """Simulate up to `NOW`, with a line and so many seconds of rest after each block; from `SINCE` or where it is."""
    written = run_simulation(
        runtime(CITY),
        publisher=lambda: StorePublisher(CITY, now=lambda: NOW),
        now=lambda: NOW,
        wait=lambda _: time.sleep(float(slow)),
        since=SINCE if since else None,
        once=True,
        progress=lambda done, _: print(json.dumps({"done": done}), flush=True),
    )
    return {"written": written}


def readings() -> dict[str, Any]:
    """How many there are, and a digest of all of them."""
    rows = Observation.objects.order_by("datastream__key", "phenomenon_time").values_list(
        "datastream__key", "phenomenon_time", "value"
    )
    return {"count": len(rows), "digest": sha256(repr(list(rows)).encode()).hexdigest()}


MODES: dict[str, Callable[..., Any]] = {one.__name__: one for one in (prepare, simulate, readings)}

if __name__ == "__main__":
    mode, *arguments = sys.argv[1:]
    print(json.dumps(MODES[mode](*arguments)))
