"""Fills the toy city for the snapshots: run as a script by `test_snapshots`, on a site whose clock stands still."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import django
import frozen

django.setup()

from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402
from tests.outsiders import CITIZEN  # noqa: E402

from yiwang.core.cases.events import Actor, Command  # noqa: E402
from yiwang.server.cases.writing import operations  # noqa: E402
from yiwang.server.cases.writing.drafts import ReportDraft  # noqa: E402
from yiwang.server.facts import tasks  # noqa: E402
from yiwang.server.people.operations import create_person  # noqa: E402
from yiwang.server.provision.operations import install_pack  # noqa: E402

HOME = Path(os.environ["YIWANG_HOME"])
NAMES = {"leader": "吴建平", "dispatcher": "钱国良", "handler": "丁浩然", "inspector": "姚秀兰", "intake": "周小燕"}
OPEN = ["路口的垃圾堆了三天", "桥洞下有垃圾", "绿化带里都是塑料袋", "垃圾桶满了", "建筑垃圾没人清"]


def people() -> dict[str, Any]:
    accounts = {}
    units = {"handler": "SWEEP-9001", "administrator": "", "approver": ""}
    for role in (*NAMES, "administrator", "approver"):
        user, _ = create_person(
            username=f"mini-{role}",
            password=frozen.PASSWORD,
            name=NAMES.get(role, role),
            name_en=role.capitalize(),
            city="mini",
            roles={role: (units.get(role, "CTR-9001"), "")},
        )
        user.tours = ["mini"]
        user.save()
        accounts[role] = user
    return accounts


def main() -> None:
    call_command("migrate", verbosity=0)
    install_pack(frozen.PACK)
    accounts, start = people(), timezone.now()

    def report(hours: float, text: str, *, east: int = 0, photos: tuple[bytes, ...] = ()) -> str:
        draft = ReportDraft(
            text=text, category="02001", lon=120.004 + east * 0.0009, lat=31.004, address="健康路", photos=photos
        )
        at = start - timedelta(hours=hours)
        return str(operations.report(city="mini", draft=draft, actor=CITIZEN, at=at)["case"])

    def act(number: str, hours: float, verb: str, role: str, *, photos: tuple[bytes, ...] = (), **payload: str) -> None:
        unit = "SWEEP-9001" if role == "handler" else "CTR-9001"
        name = NAMES[role]
        actor = Actor(id=f"user:{accounts[role].pk}", name=name, roles=frozenset({role}), unit=unit)
        command = Command(verb=verb, actor=actor, payload=payload)
        operations.act(number=number, command=command, at=start - timedelta(hours=hours), photos=photos)

    dark, lit = (HOME / "dark.jpg").read_bytes(), (HOME / "lit.jpg").read_bytes()
    done = report(47, "路灯不亮，晚上看不清路。附近有学校，孩子放学要走这条路。", photos=(dark,))
    act(done, 46.8, "file", "leader")
    act(done, 46.5, "dispatch", "dispatcher")
    act(done, 45, "take", "handler")
    act(done, 44, "hand_up", "handler", reason="要登高车，环卫所没有")
    act(done, 43.5, "dispatch", "dispatcher")
    act(done, 43.2, "hand_down", "handler", unit="COM-900101")
    number = done
    community = Actor(id="user:99", name="朱雅琴", roles=frozenset({"handler"}), unit="COM-900101")
    for hours, verb, payload, photos in (
        (43, "take", {}, ()),
        (25, "finish", {"note": "换了灯头，已亮"}, (lit,)),
    ):
        command = Command(verb=verb, actor=community, payload=payload)
        operations.act(number=number, command=command, at=start - timedelta(hours=hours), photos=photos)
    act(done, 24.5, "ask_check", "intake")
    act(done, 23, "check", "inspector", note="灯亮了")
    act(done, 22.5, "close", "leader")
    for index, text in enumerate(OPEN):
        number = report(5 - index * 0.4, text, east=index)
        if index < 4:
            act(number, 4.8 - index * 0.4, "file", "leader")
        if index < 2:
            act(number, 4.6 - index * 0.4, "dispatch", "dispatcher")
    tasks.refresh_all()


main()
