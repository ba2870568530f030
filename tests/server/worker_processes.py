"""What the processes of `test_worker` do: ``python worker_processes.py MODE …`` on the database that the environment names.

Each mode prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db.models import Sum  # noqa: E402
from tests.outsiders import CITIZEN  # noqa: E402
from tests.simulated_city import TOML  # noqa: E402

from yiwang.core.cases.events import Actor, Command  # noqa: E402
from yiwang.server.cases.models import Case, Event, Outbox, Report, Tally  # noqa: E402
from yiwang.server.cases.storage import tallies  # noqa: E402
from yiwang.server.cases.writing import operations, outbox, tick  # noqa: E402
from yiwang.server.cases.writing.drafts import ReportDraft  # noqa: E402
from yiwang.server.common import operations as common  # noqa: E402
from yiwang.server.common.models import Heartbeat, Job  # noqa: E402
from yiwang.server.ledger import api as log  # noqa: E402
from yiwang.server.ledger.models import Leaf, Seal  # noqa: E402
from yiwang.server.provision import simulation, worker  # noqa: E402
from yiwang.server.verification import ledger  # noqa: E402

MINI = Path(__file__).resolve().parents[1] / "packs" / "fixtures" / "mini"
MAIL = Path(settings.YIWANG_HOME, "mail")
settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
settings.EMAIL_FILE_PATH = str(MAIL)
LEADER = Actor(id="user:leader", name="l", roles=frozenset({"leader"}), unit="CTR-90")
DISPATCHER = Actor(id="user:dispatcher", name="d", roles=frozenset({"dispatcher"}), unit="CTR-90")
INSPECTOR = Actor(id="user:inspector", name="i", roles=frozenset({"inspector"}), unit="CTR-90")
CASES = 12
DAYS_LATER = 30  # when every clock has run out


def prepare() -> dict[str, Any]:
    """Cases of three days ago whose time has run out, and others that were rejected and whose reporters left an address."""
    from yiwang.server.provision.operations import install_pack

    call_command("migrate", verbosity=0)
    pack = Path(copytree(MINI, Path(settings.YIWANG_HOME, "given", "mini")))
    (pack / "simulation.toml").write_text(TOML, encoding="utf-8")
    install_pack(pack)
    at = datetime.now(UTC) - timedelta(days=3)
    for index in range(CASES):
        draft = ReportDraft(text=f"{index}", category="02001", lon=120.003, lat=31.003, channel="inspector")
        late = operations.report(city="mini", draft=draft, actor=INSPECTOR, at=at)["case"]
        operations.act(number=late, command=Command(verb="dispatch", actor=DISPATCHER), at=at)
        told = operations.report(
            city="mini",
            draft=replace(draft, channel="public", contact=f"r{index}@example.org"),
            actor=CITIZEN,
            at=at,
        )["case"]
        operations.act(number=told, command=Command(verb="reject", actor=LEADER, payload={"reason": "r"}), at=at)
    return {"case": ""}


def later() -> datetime:
    return datetime.now(UTC) + timedelta(days=DAYS_LATER)


CHORES: dict[str, Callable[[], int]] = {
    "tick": lambda: tick.tick(at=later()),
    "outbox": outbox.drain,
    "seal": lambda: len(log.seal_days(stream="cases", city="mini")),
    "sum": lambda: tallies.sum_up(city="mini"),
}


def shift(start: str, apart: str) -> dict[str, Any]:
    """Every chore, each at a moment at which all who do this begin it."""
    from yiwang.server.cities.queries import runtime

    runtime("mini")
    done = {}
    for index, (name, chore) in enumerate(CHORES.items()):
        late = time.time() - (float(start) + index * float(apart))
        time.sleep(max(0.0, -late))
        done[name] = chore()
    return done


def last(leases: str = "1") -> dict[str, Any]:
    """All chores once, when what a killed worker had in hand is due again."""
    outbox.relay(at=datetime.now(UTC) + int(leases) * outbox.LEASE, limit=1000)
    return grind("1")


def grind(turns: str) -> dict[str, Any]:
    """All chores again and again, so many times, or until killed."""
    for turn in range(int(turns)):
        for chore in CHORES.values():
            chore()
        print(turn, flush=True)
    return {"turns": int(turns)}


def post(start: str, lease: str) -> dict[str, Any]:
    """Send what is due, so many leases from now: what a killed one had in hand is due again. To a real mail server."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", int(os.environ["YIWANG_TEST_POSTBOX"])
    time.sleep(max(0.0, float(start) - time.time()))
    print("{}", flush=True)
    at, rows = datetime.now(UTC) + int(lease) * outbox.LEASE, 0
    while done := outbox.relay(at=at, limit=6):
        rows += done
    return {"rows": rows}


def work() -> dict[str, Any]:
    """The worker itself, for ever."""
    worker.run(lambda: False)
    return {}


def once() -> dict[str, Any]:
    worker.run(lambda: False, once=True)
    return {}


def ask(kind: str, days: str) -> dict[str, Any]:
    job, _ = common.ask_job(kind=kind, city="mini", parameters={"days": int(days)})
    return {"job": job.pk}


def past(start: str) -> dict[str, Any]:
    """The same past, written by several at once."""
    from yiwang.server.cities.queries import runtime

    runtime("mini")
    time.sleep(max(0.0, float(start) - time.time()))
    told = simulation.run_past(city="mini", days=1, now=datetime.fromtimestamp(float(start) // 86400 * 86400, UTC))
    return {"cases": told["cases"], "known": told["known"]}


def count() -> dict[str, Any]:
    """Whether the simulation has begun to write."""
    return {"simulated": Report.objects.exclude(external="").count()}


def requeue() -> dict[str, Any]:
    """What the chore "lost jobs" does two minutes after the worker has gone."""
    return {"requeued": common.requeue_lost_jobs(older_than_seconds=0)}


def look() -> dict[str, Any]:
    """What there is now."""
    escalated = Counter(Event.objects.filter(verb="escalate").values_list("case__number", flat=True))
    late = Case.objects.filter(step="dispatched").exclude(reports__origin="simulation")
    externals = list(Report.objects.exclude(external="").values_list("external", flat=True))
    mails = [path.read_text(encoding="utf-8") for path in MAIL.glob("*")] if MAIL.is_dir() else []
    told = Counter(line.removeprefix("To: ") for text in mails for line in text.splitlines() if line.startswith("To: "))
    positions = sorted(Leaf.objects.values_list("position", flat=True))
    return {
        "faults": [fault.sentence for fault in ledger.verify(city="mini").faults],
        "cases": Case.objects.count(),
        "escalations": sorted({escalated[number] for number in late.values_list("number", flat=True)}),
        "waiting": Outbox.objects.filter(sent_at=None).count(),
        "told": told,
        "seals": [
            [str(day), first, size]
            for day, first, size in Seal.objects.order_by("size").values_list("day", "first", "size")
        ],
        "leaves": len(positions),
        "gapless": positions == list(range(len(positions))),
        "tallied": Tally.objects.aggregate(n=Sum("count"))["n"],
        "tallies": Tally.objects.count(),
        "simulated": len(externals),
        "doubled": len(externals) - len(set(externals)),
        "jobs": list(Job.objects.values_list("state", flat=True)),
        "result": list(Job.objects.values_list("result", flat=True)),
        "beats": Heartbeat.objects.filter(name=worker.HEARTBEAT).count(),
    }


MODES: dict[str, Callable[..., dict[str, Any] | None]] = {
    "prepare": prepare, "shift": shift, "grind": grind, "last": last, "post": post, "work": work, "once": once, "ask": ask,
    "requeue": requeue, "past": past, "count": count, "verify": look,
}  # fmt: skip

if __name__ == "__main__":
    mode, *arguments = sys.argv[1:]
    print(json.dumps(MODES[mode](*arguments)))
