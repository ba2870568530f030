"""A case of the toy city in every situation that the tests of permissions look at, driven there by the core."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from tests.case_driver import Drive, rules_with
from yiwang.core.cases.state import CaseState
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.imports.lifecycles import BulkWriter, Life

WAITING = rules_with(triage=[{"priority": "normal", "auto": "reported", "centre": "CTR-9001"}])


def _late(drive: Drive) -> Drive:
    """Handled after its time, so that there is something to appeal against."""
    return (
        drive.to_handling()
        .do("finish", "handler", after=timedelta(days=30))
        .do("ask_check", "intake")
        .do("check", "inspector")
        .do("close", "leader")
    )


def _suspend(drive: Drive) -> Drive:
    until = (drive.at + timedelta(days=90)).date().isoformat()
    drive.to_handling().do("ask_suspension", "handler", reason="r", until=until)
    return drive.do("suspend", "dispatcher", desk="CTR-90")


def _just_sent(drive: Drive) -> Drive:
    """Sent ten minutes ago; the drive begins two hours ago."""
    drive.at += timedelta(minutes=110)
    return drive.to_dispatch()


SITUATIONS: Mapping[str, Callable[[Drive], Drive]] = {
    "reported": lambda drive: _use_waiting_rules(drive).report(),
    "verifying": lambda drive: _use_waiting_rules(drive).report().do("ask_verify", "intake"),
    "accepted": lambda drive: drive.report(),
    "accepted, known reporter": lambda drive: drive.report(reporter="user:4711"),
    "filed": lambda drive: drive.report("inspector", source="inspector"),
    "filed, returned": lambda drive: drive.to_dispatch().do("return", "handler", reason="r"),
    "dispatched": lambda drive: drive.to_dispatch(),
    "dispatched, just sent": _just_sent,
    "handling": lambda drive: drive.to_handling(),
    "handling, extension asked": lambda drive: drive.to_handling().do("ask_extension", "handler", reason="r"),
    "handling, suspension asked": lambda drive: drive.to_handling().do(
        "ask_suspension", "handler", reason="r", until=(drive.at + timedelta(days=30)).date().isoformat()
    ),
    "handling, assistance asked": lambda drive: drive.to_handling().do(
        "ask_assistance", "dispatcher", desk="CTR-90", units=["SWEEP-9002"]
    ),
    "suspended": _suspend,
    "feedback": lambda drive: drive.to_feedback(),
    "checking": lambda drive: drive.to_feedback().do("ask_check", "intake"),
    "checked": lambda drive: drive.to_feedback().do("ask_check", "intake").do("check", "inspector"),
    "closed": lambda drive: drive.to_close(),
    "closed, known reporter": lambda drive: drive.to_close(reporter="user:4711"),
    "closed late": _late,
    "closed late, appeal asked": lambda drive: _late(drive).do("appeal", "handler", reason="r", desk="SWEEP-9001"),
    "reopened": lambda drive: drive.to_close().do("reopen_office", "leader", reason="r"),
    "rejected": lambda drive: drive.report().do("reject", "leader", reason="r"),
    "void": lambda drive: drive.to_dispatch().do("cancel", "leader", reason="r"),
    "merged": lambda drive: drive.report().do("merge", "leader", into="MN2"),
}


def _use_waiting_rules(drive: Drive) -> Drive:
    drive.rules = WAITING
    return drive


def write_case(drive: Drive, place: CityRuntime) -> CaseState:
    """The driven case, in the database."""
    writer = BulkWriter(place=place, origin="test", quiet=True)
    writer.add([Life(state=drive.now, events=drive.events)])
    writer.flush()
    return drive.now
