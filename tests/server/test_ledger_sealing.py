"""Seals of the log of cases: every event comes in once, in order, whoever is late, killed or quicker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import QuerySet
from tests.forging import allow_forging

from yiwang.core.kernel.errors import BadInput
from yiwang.server.cases.models import Case, Event, Outbox, Report, Serial, Tally
from yiwang.server.cases.reading.stream import EVENTS
from yiwang.server.ledger import api as log
from yiwang.server.ledger import log as log_module
from yiwang.server.ledger import sealing, spool, streams
from yiwang.server.ledger.models import Leaf, Seal
from yiwang.server.verification import ledger

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 20, 4, 0, tzinfo=UTC)  # in the toy city


def outside() -> QuerySet[Event]:
    """Events that are in no seal yet."""
    return Event.objects.filter(~log.in_log(stream="cases", city="mini"))


def moved(days: int) -> None:
    """Events that are in no seal yet, so many days into the past. Their hashes are not looked at here."""
    for event in outside():
        with allow_forging():
            Event.objects.filter(pk=event.pk).update(at=event.at - timedelta(days=days))


def test_a_day_without_events_gets_no_seal_and_late_ones_come_with_the_next(mini: str, report: Any) -> None:
    for days in (5, 5, 3):
        report(at=NOON - timedelta(days=days))
    seals = log.seal_days(stream="cases", city=mini, at=NOON)
    assert [seal.size for seal in seals] == [4, 6]
    report(at=NOON - timedelta(days=9))  # a phone without network
    report(at=NOON - timedelta(days=1))
    assert log.seal_days(stream="cases", city=mini, at=NOON) != []
    assert Leaf.objects.count() == 10
    assert ledger.verify(city=mini).faults == []


def test_seals_begin_where_the_last_ones_ended_and_leave_nothing_out(mini: str, report: Any) -> None:
    """Day after day, with events of the new day there already, some dated ahead, and one that appears late."""
    start = NOON - timedelta(days=20)
    for day in range(12):
        now = start + timedelta(days=day)
        report(at=now)
        report(at=now + timedelta(hours=30))  # a clock that runs ahead
        log.seal_days(stream="cases", city=mini, at=now)
    settled = log.settled_key(stream="cases", city=mini)
    assert settled > 0
    assert not outside().filter(id__lte=settled).exists()
    newest = Event.objects.order_by("-id").values_list("id", flat=True)[0]
    assert settled > newest - 16, "what has been sealed long ago is not looked at again"
    log.seal_days(stream="cases", city=mini, at=start + timedelta(days=30))
    assert not outside().exists()
    assert ledger.verify(city=mini).faults == []


def test_what_another_transaction_held_back_comes_with_a_later_seal(mini: str, report: Any, monkeypatch: Any) -> None:
    """An event with a small id that no seal could see: its transaction was under way."""
    start = NOON - timedelta(days=10)
    numbers = [report(at=start + timedelta(hours=hour))["case"] for hour in range(3)]
    hidden = list(Event.objects.filter(case__number=numbers[1]).values_list("id", flat=True))

    def without(**asked: Any) -> Iterator[Any]:
        return (row for row in EVENTS.entries(**asked) if row[1] not in hidden)

    with monkeypatch.context() as patched:
        patched.setitem(streams._registered, "cases", replace(EVENTS, entries=without))
        assert log.seal_days(stream="cases", city=mini, at=start + timedelta(days=1)) != []
    assert outside().count() == 2
    report(at=start + timedelta(days=1))
    log.seal_days(stream="cases", city=mini, at=start + timedelta(days=3))
    assert not outside().exists()


def test_an_event_that_the_seals_have_passed_by_is_named(mini: str, report: Any) -> None:
    """Put in behind them, or its place in the log taken away: it would be in no seal for ever."""
    start = NOON - timedelta(days=9)
    numbers = []
    for day in range(5):
        numbers.append(report(at=start + timedelta(days=day))["case"])
        log.seal_days(stream="cases", city=mini, at=start + timedelta(days=day + 1))
    assert ledger.verify(city=mini).faults == []
    Leaf.objects.filter(key=Event.objects.get(case__number=numbers[1], seq=2).pk).delete()
    faults = ledger.verify(city=mini).faults
    assert ("unsealed", numbers[1], 2) in {(fault.kind, fault.number, fault.seq) for fault in faults}


def test_a_sealer_that_is_overtaken_leaves_the_rest_to_the_other(mini: str, report: Any, monkeypatch: Any) -> None:
    for days in (4, 3, 2):
        report(at=NOON - timedelta(days=days))
    turns: list[int] = []

    def overtaken(*, city: str, after: int, end: datetime) -> Iterator[Any]:
        found = list(EVENTS.entries(city=city, after=after, end=end))
        if not turns:
            turns.append(1)
            assert len(log.seal_days(stream="cases", city=city, at=NOON)) == 3
        return iter(found)

    monkeypatch.setitem(streams._registered, "cases", replace(EVENTS, entries=overtaken))
    assert log.seal_days(stream="cases", city=mini, at=NOON) == []
    assert Seal.objects.count() == 3
    assert ledger.verify(city=mini).faults == []


def test_positions_run_on_across_the_blocks_in_which_they_are_written(mini: str, report: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(sealing, "_WRITTEN", 3)
    monkeypatch.setattr(spool, "_READ", 2)
    monkeypatch.setattr(spool, "_HELD_BYTES", 64)
    monkeypatch.setattr(log_module, "BLOCK", 4)
    monkeypatch.setattr(log_module, "KEYS", 3)
    for index in range(7):
        report(at=NOON - timedelta(days=2 + index % 3))
    log.seal_days(stream="cases", city=mini, at=NOON)
    placed = Leaf.objects.order_by("position").values_list("position", "key")
    assert [position for position, _ in placed] == list(range(14))
    events = {pk: row for pk, *row in Event.objects.values_list("id", "at", "case__number", "seq")}
    assert [events[key] for _, key in placed] == sorted(events.values())
    assert ledger.verify(city=mini).faults == []


@pytest.mark.parametrize("value", [2**53, 1e300])
def test_a_number_that_cannot_be_hashed_is_refused_before_anything_is_written(
    mini: str, report: Any, act: Any, actor: Any, value: float
) -> None:
    observation = {"datastream": "bin-9", "value": value, "unit": "1", "at": "2026-03-02T01:00:00Z"}
    kept = report()["case"]

    def written() -> list[Any]:
        return [list(model.objects.order_by("pk").values()) for model in (Case, Event, Report, Outbox, Tally, Serial)]

    before = written()
    with pytest.raises(BadInput, match="cannot stand in a record"):
        act(kept, "file", actor("leader"), evidence={"observation": observation})
    assert written() == before
    with pytest.raises(BadInput, match="cannot stand in a record"):
        report(actor=actor("inspector"), evidence={"observation": observation})
    assert [*written()[:5]] == before[:5], "a number of a case may be left out, nothing else is left behind"
