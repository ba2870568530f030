"""What the processes of `test_concurrent_writers` do: ``python concurrent_writers.py MODE …`` on the database that the environment names.

Each mode prints one line of JSON.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db.models import Sum  # noqa: E402
from tests.outsiders import CITIZEN  # noqa: E402
from tests.spots import Spot  # noqa: E402

from yiwang.core.cases.events import Actor, Command  # noqa: E402
from yiwang.core.kernel.refusals import Conflict, Refusal  # noqa: E402
from yiwang.server.cases.models import Case, Event, Outbox, Report, Tally  # noqa: E402
from yiwang.server.cases.writing import operations  # noqa: E402
from yiwang.server.cases.writing.drafts import ReportDraft  # noqa: E402
from yiwang.server.verification import ledger  # noqa: E402

MINI = Path(__file__).resolve().parents[1] / "packs" / "fixtures" / "mini"
LEADER = Actor(id="user:leader", name="l", roles=frozenset({"leader"}), unit="CTR-90")
WEST: Spot = {"lon": 120.003, "lat": 31.003}


def prepare() -> dict[str, Any]:
    from yiwang.server.provision.operations import install_pack

    call_command("migrate", verbosity=0)
    install_pack(MINI)
    return {"case": reported("start")["case"]}


def reported(key: str, text: str = "垃圾") -> dict[str, Any]:
    """A report from somebody without an account, whose keys are random: the same name is the same key."""
    random = hashlib.sha256(key.encode()).hexdigest()
    return operations.report(
        city="mini", draft=ReportDraft(text=text, category="02001", **WEST), actor=CITIZEN, key=random
    )


def note(number: str, count: str) -> dict[str, Any]:
    """So many notes on one case, without looking at what others do."""
    for index in range(int(count)):
        operations.act(number=number, command=Command(verb="note", actor=LEADER, payload={"note": f"{index}"}))
    return {"done": int(count)}


def race(number: str, seq: str) -> dict[str, Any]:
    """One note, only if nobody has acted since."""
    try:
        operations.act(
            number=number, command=Command(verb="note", actor=LEADER, payload={"note": "n"}, expected_seq=int(seq))
        )
    except Conflict:
        return {"won": False}
    return {"won": True}


def same(key: str, text: str) -> dict[str, Any]:
    """A report under a key that others use too."""
    try:
        return {"case": reported(key, text)["case"]}
    except Refusal as refusal:
        return {"refused": refusal.code}


def mill(seed: str) -> dict[str, Any]:
    """Report and act until killed."""
    rng, index = random.Random(seed), 0
    while True:
        number = reported(f"{seed}-{index}")["case"]
        operations.act(number=number, command=Command(verb="file", actor=LEADER), key=f"{seed}-{index}-f")
        if rng.random() < 0.5:
            operations.act(number=number, command=Command(verb="note", actor=LEADER, payload={"note": "n"}))
        index += 1
        print(index, flush=True)


def verify() -> dict[str, Any]:
    """Whether everything that was written belongs together."""
    found = ledger.verify(city="mini")
    numbers = dict(Case.objects.values_list("number", "seq"))
    told: dict[str, list[int]] = {}
    for number, first, last in Outbox.objects.order_by("id").values_list("number", "first", "last"):
        told.setdefault(number, []).extend(range(first, last + 1))
    counted = Tally.objects.aggregate(sum=Sum("count"))["sum"]
    return {
        "cases": len(numbers),
        "events": Event.objects.count(),
        "seqs": numbers,
        "faults": [fault.sentence for fault in found.faults],
        "without_report": Case.objects.filter(reports=None).count(),
        "reports": Report.objects.count(),
        "untold": [
            number for number, seq in numbers.items() if sorted(told.get(number, [])) != list(range(1, seq + 1))
        ],
        "counted": counted,
    }


MODES: dict[str, Callable[..., dict[str, Any] | None]] = {
    "prepare": prepare, "note": note, "race": race, "same": same, "mill": mill, "verify": verify,
}  # fmt: skip

if __name__ == "__main__":
    mode, *arguments = sys.argv[1:]
    print(json.dumps(MODES[mode](*arguments)))
