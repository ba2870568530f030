"""What the processes of `test_notice_workers` do: ``python notice_processes.py MODE …`` on the database of the environment.

Each mode prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from tests.outsiders import CITIZEN  # noqa: E402

from yiwang.core.cases.events import Actor, Command  # noqa: E402
from yiwang.server.cases.models import Outbox  # noqa: E402
from yiwang.server.cases.writing import operations, outbox  # noqa: E402
from yiwang.server.cases.writing.drafts import ReportDraft  # noqa: E402
from yiwang.server.cities.queries import runtime  # noqa: E402
from yiwang.server.notices import channels, sending  # noqa: E402
from yiwang.server.notices import operations as notices  # noqa: E402
from yiwang.server.notices.kinds import KINDS  # noqa: E402
from yiwang.server.notices.models import Notice, Subscription  # noqa: E402
from yiwang.server.people.models import User  # noqa: E402
from yiwang.server.people.operations import create_person  # noqa: E402
from yiwang.server.provision.operations import install_pack  # noqa: E402

MINI = Path(__file__).resolve().parents[1] / "packs" / "fixtures" / "mini"
CASES, PEOPLE = 24, 60
settings.YIWANG_NOTICES_GATEWAY = os.environ.get("NOTICES_TEST_GATEWAY", "")
settings.YIWANG_NOTICES_SECRET = os.environ.get("NOTICES_TEST_SECRET", "")


def prepare() -> dict[str, Any]:
    """People who want everything by the gateway, and cases that came to their unit."""
    call_command("migrate", verbosity=0)
    install_pack(MINI)
    for index in range(PEOPLE):
        name = f"sweeper{index}"
        create_person(
            username=name, password=None, name=name, name_en=name, city="mini", roles={"handler": ("SWEEP-9001", "")}
        )
        notices.save_settings(
            user=User.objects.get(username=name), place=runtime("mini"), chosen={"gateway": list(KINDS)},
            contacts={"phone": f"138{index:08d}"}, quiet=("", ""), channels=[channels.CHANNELS[1]], language="en", origin="",
        )  # fmt: skip
    leader, dispatcher = (
        Actor(id=f"user:{role}", name="l", roles=frozenset({role}), unit="CTR-90") for role in ("leader", "dispatcher")
    )
    for index in range(CASES):
        draft = ReportDraft(text=f"{index}", category="02001", lon=120.004, lat=31.003)
        number = operations.report(city="mini", draft=draft, actor=CITIZEN)["case"]
        operations.act(number=number, command=Command(verb="file", actor=leader))
        operations.act(
            number=number, command=Command(verb="dispatch", actor=dispatcher, payload={"unit": "SWEEP-9001"})
        )
    return {"case": ""}


def wait(start: str) -> None:
    runtime("mini")
    time.sleep(max(0.0, float(start) - time.time()))


def note(start: str) -> dict[str, Any]:
    """Relay the outbox in small batches, so that two workers have many chances to meet."""
    wait(start)
    rows = 0
    while done := outbox.relay(limit=3, correspondents=[notices.take_note]):
        rows += done
    return {"rows": rows}


def send(start: str, minutes: str) -> dict[str, Any]:
    """Send what is due so many minutes from now."""
    wait(start)
    print("{}", flush=True)
    return {"sent": sending.send(lambda: False, at=datetime.now(UTC) + timedelta(minutes=float(minutes)))}


def look() -> dict[str, Any]:
    """What there is now."""
    each = Counter(Notice.objects.values_list("number", "seq", "addressee"))
    return {
        "waiting": Outbox.objects.filter(sent_at=None).count(),
        "notices": len(each),
        "most": max(each.values(), default=0),
        "arrived": Notice.objects.filter(kind="arrived", addressee="unit:SWEEP-9001").count(),
        "asleep": Subscription.objects.filter(next_at=None).count(),
        "told": Subscription.objects.filter(told__gt=0).count(),
    }


MODES: dict[str, Callable[..., dict[str, Any]]] = {"prepare": prepare, "note": note, "send": send, "look": look}

if __name__ == "__main__":
    mode, *arguments = sys.argv[1:]
    print(json.dumps(MODES[mode](*arguments)))
