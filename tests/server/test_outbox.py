"""The outbox: it keeps up, one recipient does not hold up others, nobody is forgotten, whatever dies."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from tests.mail_server import Postbox, open_postbox
from tests.server.own_sites import KINDS, Site, site_on

from yiwang.server.cases.models import Outbox
from yiwang.server.cases.writing import outbox
from yiwang.server.common import environment, posting
from yiwang.server.common.app import Chore
from yiwang.server.portal import mailing
from yiwang.server.provision import worker

SHIFTS = Path(__file__).with_name("worker_processes.py")


@pytest.fixture
def postbox(settings: Any) -> Iterator[Postbox]:
    with open_postbox() as box:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", box.port, 1
        yield box


@pytest.fixture
def ended(report: Any, act: Any, actor: Any) -> Any:
    """A case that has been rejected, of a reporter who left an address."""

    def make(address: str) -> str:
        number = report(contact=address, text=address)["case"]
        act(number, "reject", actor("leader"), reason="r")
        return str(number)

    return make


def waiting() -> int:
    return Outbox.objects.filter(sent_at=None).count()


def test_all_that_waits_goes_out_in_one_turn_however_much_it_is(
    report: Any, postbox: Postbox, django_assert_max_num_queries: Any
) -> None:
    report()
    row = Outbox.objects.get()
    columns = {"city": row.city, "first": 1, "last": 2, "created_at": row.created_at, "next_at": row.next_at}
    Outbox.objects.bulk_create([Outbox(number=f"none-{index}", **columns) for index in range(5 * outbox.BATCH)])
    # a batch: is there any, which, who follows, two updates, the transaction's two ends
    with django_assert_max_num_queries(10 * 6):
        assert outbox.drain(correspondents=[mailing.letters]) == 5 * outbox.BATCH + 1
    assert waiting() == 0


def test_many_letters_go_through_few_connections(ended: Any, postbox: Postbox) -> None:
    addresses = [f"r{index}@example.org" for index in range(40)]
    for address in addresses:
        ended(address)
    outbox.drain()
    assert sorted(postbox.took) == sorted(addresses)
    assert postbox.connections <= posting.LANES
    assert waiting() == 0


def test_a_connection_that_the_server_ends_is_made_anew(ended: Any, postbox: Postbox) -> None:
    postbox.most = 3
    addresses = [f"r{index}@example.org" for index in range(30)]
    for address in addresses:
        ended(address)
    outbox.drain()
    assert sorted(postbox.took) == sorted(addresses)
    assert not Outbox.objects.filter(attempts__gt=0).exists()


def test_recipients_who_are_slow_refused_or_nonsense_do_not_hold_up_the_others(ended: Any, postbox: Postbox) -> None:
    postbox.slow = {"slow@example.org": 3.0}  # longer than EMAIL_TIMEOUT
    postbox.refused = frozenset({"gone@example.org"})
    nonsense = ("ü@-.example", "a@b@c.example", "<@>.")
    bad = ("slow@example.org", "gone@example.org", *nonsense)
    good = [f"r{index}@example.org" for index in range(20)]
    for address in (*bad, *good):
        ended(address)
    begun = time.monotonic()
    outbox.drain()
    assert [address for address in sorted(postbox.took) if address in good] == sorted(good)
    assert time.monotonic() - begun < 3 * 20, "not one after another"
    late = Outbox.objects.filter(sent_at=None)
    assert {row.attempts for row in late} == {1}
    assert 2 <= late.count() <= len(bad), "a server may take nonsense"
    assert all(row.error and row.next_at > timezone.now() + posting.FIRST_WAIT for row in late)


def test_of_two_reporters_of_one_case_the_good_one_is_told_once(
    report: Any, act: Any, actor: Any, postbox: Postbox
) -> None:
    from yiwang.server.cases.models import Report

    number = report(contact="good@example.org")["case"]
    other = Report.objects.get(case__number=number)
    other.pk, other.number, other.contact = None, f"{other.number}-2", "gone@example.org"
    other.save()
    act(number, "reject", actor("leader"), reason="r")
    postbox.refused = frozenset({"gone@example.org"})
    now = datetime.now(UTC) + timedelta(seconds=1)
    for hours in range(4):
        outbox.relay(at=now + timedelta(hours=hours))
    assert postbox.took == ["good@example.org"]
    postbox.refused = frozenset()
    outbox.relay(at=now + timedelta(hours=10))
    assert postbox.took == ["good@example.org", "gone@example.org"]
    assert waiting() == 0


def test_a_server_that_is_away_is_asked_once_a_lane(ended: Any, settings: Any, monkeypatch: Any) -> None:
    from django.core.mail.backends.smtp import EmailBackend

    asked = []

    def unreachable(self: EmailBackend) -> None:
        asked.append(1)
        time.sleep(0.2)
        raise ConnectionRefusedError("nobody there")

    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    monkeypatch.setattr(EmailBackend, "open", unreachable)
    for index in range(30):
        ended(f"r{index}@example.org")
    outbox.drain()
    assert len(asked) <= posting.LANES
    assert waiting() == 30
    assert set(Outbox.objects.filter(sent_at=None).values_list("attempts", "error")) == {(1, "nobody there")}


def test_what_is_not_begun_when_it_is_time_to_stop_is_due_at_once(ended: Any, postbox: Postbox) -> None:
    for index in range(12):
        ended(f"r{index}@example.org")
    outbox.relay(stop=lambda: len(postbox.took) >= 4)
    assert 4 <= len(postbox.took) <= 4 + posting.LANES
    assert waiting() == 12 - len(postbox.took)
    assert not Outbox.objects.filter(attempts__gt=0).exists()
    outbox.drain()
    assert Counter(postbox.took) == {f"r{index}@example.org": 1 for index in range(12)}


def test_a_mail_server_that_says_nothing_is_not_waited_for_for_ever(monkeypatch: Any) -> None:
    monkeypatch.setenv("YIWANG_EMAIL_URL", "smtp://mail.example:587/?tls=True")
    assert environment.email()["EMAIL_TIMEOUT"] == environment.MAIL_STEP_SECONDS
    # every step of two attempts, and the half of a lease before the last letter is begun
    assert outbox.LEASE.total_seconds() / 2 > 12 * environment.MAIL_STEP_SECONDS
    monkeypatch.setenv("YIWANG_EMAIL_URL", "smtp://mail.example:587/?timeout=5")
    assert environment.email()["EMAIL_TIMEOUT"] == 5


def test_letters_that_take_long_hold_up_no_deadline(monkeypatch: Any, db: None) -> None:
    """The worker's other chores go on while the outbox waits for a mail server."""
    ticks, over = [], []

    def long() -> None:
        time.sleep(1.5)
        over.append(1)

    chores = [Chore("outbox", 1, long, apart=True), Chore("tick", 0.1, lambda: ticks.append(len(over)))]
    monkeypatch.setattr(worker, "chores", lambda stop: chores)
    monkeypatch.setattr(worker, "_task_worker", lambda batch: type("None", (), {"run": lambda self: None})())
    until = time.monotonic() + 1.2
    worker.run(lambda: time.monotonic() > until)
    assert ticks.count(0) >= 2
    assert over == [1], "the letter in hand was finished before the worker ended"


# --- in processes of their own ----------------------------------------------------------------------------------------


@pytest.fixture(params=KINDS)
def shifts(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    with site_on(request.param, tmp_path, SHIFTS) as site:
        yield site


@contextmanager
def box_of(site: Site) -> Iterator[Postbox]:
    with open_postbox() as box:
        site.environment["YIWANG_TEST_POSTBOX"] = str(box.port)
        yield box


@pytest.mark.slow
def test_two_workers_at_once_tell_everybody_once(shifts: Site) -> None:
    with box_of(shifts) as box:
        box.slow = {f"r{index}@example.org": 0.2 for index in range(12)}
        shifts.all([("post", str(time.time() + 2), "1")] * 2)
        assert Counter(box.took) == {f"r{index}@example.org": 1 for index in range(12)}
    assert shifts.run("verify")["waiting"] == 0


@pytest.mark.slow
def test_workers_killed_while_letters_are_on_their_way_forget_nobody(shifts: Site) -> None:
    rng, killed = random.Random(20261128), 0
    with box_of(shifts) as box:
        box.slow = {f"r{index}@example.org": 0.3 for index in range(12)}
        for turn in range(5):
            process = shifts.start("post", "0", str(turn + 1))
            assert process.stdout is not None
            process.stdout.readline()  # it begins
            time.sleep(rng.uniform(0.1, 0.7))
            killed += process.poll() is None
            process.kill()
            process.communicate()
        assert killed >= 3
        shifts.run("post", "0", "9")
        told = Counter(box.took)
    assert set(told) == {f"r{index}@example.org" for index in range(12)}
    assert sum(told.values()) - 12 <= posting.LANES * killed, (
        "of each that was killed, the letters in its hands at the most"
    )
    assert shifts.run("verify")["waiting"] == 0
