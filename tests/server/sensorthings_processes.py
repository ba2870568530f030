"""The city of `test_mqtt_sensorthings`: ``prepare`` makes it, ``http`` answers requests of the API, one a line of JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402

MINI = Path(__file__).resolve().parents[1] / "packs" / "fixtures" / "mini"

settings.ALLOWED_HOSTS = ["testserver"]


def prepare() -> dict[str, Any]:
    from tests.server.sensorthings_calls import PASSWORD, Program, thing

    from yiwang.server.cities.queries import runtime
    from yiwang.server.people.operations import create_person, create_token
    from yiwang.server.provision.operations import install_pack
    from yiwang.server.sensing.api import Datastream, DeviceSaid, add_device

    call_command("migrate", verbosity=0)
    install_pack(MINI)
    create_person(
        username="leader", password=None, name="leader", name_en="leader", city="mini", roles={"leader": ("CTR-90", "")}
    )
    token, reading = create_token(user="leader"), create_token(user="leader", name="reads", scopes=["read"])
    program = Program(token)
    for key in ("one", "two"):
        program.post("/Things", thing(properties={"city": "mini", "key": key}))
    add_device(runtime("mini"), DeviceSaid(key="gauge", thing="one", password=PASSWORD))
    one, two = Datastream.objects.order_by("id").values_list("id", flat=True)
    return {"case": {"token": token, "reading": reading, "one": one, "two": two}}


def verify() -> dict[str, Any]:
    from yiwang.server.sensing.api import Observation, Rejected

    rejected = Rejected.objects.order_by("id").values_list("user", "topic", "why__en")
    return {"observations": Observation.objects.count(), "rejected": list(rejected)}


def http() -> None:
    from tests.server.sensorthings_calls import Program

    for line in sys.stdin:
        token, method, path, body, status = json.loads(line)
        print(json.dumps(Program(token).send(method, path, body, status)), flush=True)


MODES: dict[str, Callable[[], dict[str, Any]]] = {"prepare": prepare, "verify": verify}

if __name__ == "__main__":
    if sys.argv[1] == "http":
        http()
    else:
        print(json.dumps(MODES[sys.argv[1]]()))
