"""What the worker does as time passes: escalations, suspensions that end, mail, seals, the simulated city."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.core import mail
from django.core.mail import EmailMessage
from django.db import connection
from tests.forging import allow_forging
from tests.narrowing import present

from yiwang.server.cases.models import Case, Event, Outbox
from yiwang.server.cases.writing import outbox, tick
from yiwang.server.ledger import api as log
from yiwang.server.verification import ledger


def verbs(number: str) -> list[str]:
    return list(Event.objects.filter(case__number=number).order_by("seq").values_list("verb", flat=True))


def dispatched(report: Any, act: Any, actor: Any) -> str:
    number = report(actor=actor("inspector"), channel="inspector")["case"]
    act(number, "dispatch", actor("dispatcher"))
    return str(number)


def test_a_clock_that_runs_out_escalates_once_at_each_mark(report: Any, act: Any, actor: Any) -> None:
    number = dispatched(report, act, actor)
    later = datetime.now(UTC) + timedelta(days=30)
    assert tick.tick(at=later) == 2
    assert verbs(number).count("escalate") == 2
    assert tick.tick(at=later) == 0
    assert Case.objects.get(number=number).next_due is None
    assert ledger.verify(city="mini").faults == []


def test_a_suspension_ends_by_itself(report: Any, act: Any, actor: Any) -> None:
    number = dispatched(report, act, actor)
    holder = Case.objects.get(number=number).holder
    act(number, "take", actor("handler", unit=holder))
    until = (datetime.now(UTC) + timedelta(days=5)).date().isoformat()
    act(number, "ask_suspension", actor("handler", unit=holder), reason="r", until=until)
    act(number, "suspend", actor("dispatcher"))
    assert Case.objects.get(number=number).step == "suspended"
    tick.tick(at=datetime.now(UTC) + timedelta(days=1))
    assert Case.objects.get(number=number).step == "suspended"
    tick.tick(at=datetime.now(UTC) + timedelta(days=6))
    assert Case.objects.get(number=number).step == "handling"


def test_a_reporter_with_an_address_is_told_the_end_once(report: Any, act: Any, actor: Any, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    number = report(contact="someone@example.org")["case"]
    outbox.relay()
    assert mail.outbox == []
    act(number, "reject", actor("leader"), reason="不属实")
    outbox.relay()
    outbox.relay()
    assert [message.to for message in mail.outbox] == [["someone@example.org"]]
    assert number in mail.outbox[0].subject


def test_mail_that_cannot_be_sent_is_tried_again_later(report: Any, act: Any, actor: Any, monkeypatch: Any) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise OSError("no server")

    monkeypatch.setattr(EmailMessage, "send", broken)
    number = report(contact="someone@example.org")["case"]
    act(number, "reject", actor("leader"), reason="r")
    now = datetime.now(UTC) + timedelta(seconds=1)
    outbox.relay(at=now)
    row = Outbox.objects.filter(number=number).order_by("-last").first()
    assert row is not None
    assert (row.sent_at, row.attempts, row.error) == (None, 1, "no server")
    assert row.next_at > now
    first_wait = row.next_at - now
    outbox.relay(at=row.next_at)
    row.refresh_from_db()
    assert row.attempts == 2
    assert row.next_at - (now + first_wait) > first_wait


def test_rewriting_a_case_to_its_end_is_found_by_the_seal(report: Any, mini: str) -> None:
    """Whoever can write the database can make a chain consistent again, not the root that was taken before."""
    from yiwang.core.cases.ledger import event_hash, event_record, genesis
    from yiwang.server.cases.storage import rows

    number = report(text="原来的话")["case"]
    earlier = datetime.now(UTC) - timedelta(days=2)
    with allow_forging():
        Event.objects.filter(case__number=number).update(at=earlier)  # so that its day has ended
    rechain(number, event_hash, event_record, genesis, rows)
    assert [seal.size for seal in log.seal_days(stream="cases", city=mini)] == [2]
    with allow_forging(), connection.cursor() as cursor:
        cursor.execute("UPDATE cases_event SET actor_name = 'somebody else' WHERE seq = 1")
    assert present(ledger.verify(city=mini).first).seq == 1
    rechain(number, event_hash, event_record, genesis, rows)
    kinds = {fault.kind for fault in ledger.verify(city=mini).faults}
    assert "root" in kinds


def rechain(number: str, event_hash: Any, event_record: Any, genesis: Any, rows: Any) -> None:
    """Make every hash of a case fit again, as a forger would."""
    previous = genesis(number)
    for row in Event.objects.filter(case__number=number).order_by("seq").values("id", *rows.EVENT_COLUMNS):
        previous = event_hash(event=event_record(rows.event_of(row, number=number)), previous=previous)
        with allow_forging():
            Event.objects.filter(pk=row["id"]).update(hash=previous)
    Case.objects.filter(number=number).update(head=previous)
