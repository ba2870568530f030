"""Tamper evidence of cases: prove that an event is in its city's log. `verifying` looks whether everything fits."""

from __future__ import annotations

from typing import Any

from yiwang.core.cases.ledger import STREAM
from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text
from yiwang.server.cases.api import Case, Event
from yiwang.server.ledger import api
from yiwang.server.verification.faults import Fault
from yiwang.server.verification.verifying import VerificationReport, verify

__all__ = ["Fault", "VerificationReport", "prove", "verify"]


def prove(*, number: str, seq: int | None = None) -> dict[str, Any]:
    """Proof that an event of a case, and with it all before it, is in the log, and that the log has only grown since.

    What it holds, and how a stranger checks it: `yiwang.server.ledger.api.prove`, `docs/reference/ledger.md`.

    Args:
        number: The case.
        seq: The event; by default the newest that is sealed.

    Raises:
        BadInput: When there is no such case, or the event has not been sealed yet.
        LogMismatch: When a part of the log that the proof needs is gone.
    """
    case = Case.objects.filter(number=number).values("id", "city").first()
    if case is None:
        raise BadInput(
            Problem(
                Text("没有编号为「{number}」的案卷。", "There is no case {number!r}.", number=number), column="number"
            )
        )
    events = Event.objects.filter(
        api.in_log(stream=STREAM, city=case["city"]), case_id=case["id"], **({} if seq is None else {"seq": seq})
    )
    event = events.order_by("-seq").values("id", "seq").first()
    found = event and api.prove(stream=STREAM, city=case["city"], key=event["id"])
    if not event or not found:
        what = (
            Text("案卷 {number} 还没有事件封存。", "No event of {number} has been sealed yet.", number=number)
            if seq is None
            else Text(
                "案卷 {number} 的第 {seq} 个事件还没有封存。",
                "Event {seq} of {number} has not been sealed yet.",
                number=number,
                seq=seq,
            )
        )
        raise BadInput(
            Problem(
                what,
                Text("每天结束后才封存当天。", "A day is sealed when it has ended."),
                column="number",
            )
        )
    digest = found.pop("entry_hash")
    return {"number": number, "city": case["city"], "seq": event["seq"], "event_hash": digest} | found
