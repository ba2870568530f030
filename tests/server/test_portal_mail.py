"""News by e-mail to those who follow: what is told, to whom, once, and until when."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from tests.server.citizens import WEST, Citizen, picture

from yiwang.server.cases.writing import outbox
from yiwang.server.portal import mailing
from yiwang.server.portal.models import Follow


@pytest.fixture
def post(settings: Any) -> Callable[[], list[Any]]:
    """Send what is due, and give the messages."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

    def send() -> list[Any]:
        mail.outbox = []
        outbox.relay(at=datetime.now(UTC) + timedelta(seconds=1), correspondents=[mailing.letters])
        return mail.outbox

    return send


def test_a_follower_is_told_of_filing_handing_on_and_closing(citizen: Citizen, close: Any, post: Any) -> None:
    number, _ = citizen.link(email="zhang@example.org", text="垃圾，我是张三13812345678", category="02001", key="m")
    first = post()
    assert [message.to for message in first] == [["zhang@example.org"]]
    assert "已收到您的上报" in first[0].body
    assert "Your report has been received" in first[0].body
    assert post() == []
    close(number)
    bodies = "\n".join(message.body for message in post())
    for words in ("已立案", "A case has been filed", "现由", "It is now with", "结果：已结案", "It has ended"):
        assert words in bodies
    for secret in ("张三", "13812345678", "follow:", "test"):
        assert secret not in bodies.replace("testserver", "")
    assert post() == []
    opened = re.search(r"http://testserver(/mini/portal/mail/\S+)", bodies)
    assert opened
    fresh = Client()
    assert fresh.get(fresh.get(opened[1])["Location"]).status_code == 200
    assert Client().get(opened[1][:-2] + "xx")["Location"] == "/mini/portal/follow"


def test_unsubscribing_needs_a_click_and_holds(citizen: Citizen, close: Any, post: Any) -> None:
    number, _ = citizen.link(email="li@example.org", key="u")
    message = post()[0]
    stop = re.search(r"<http://testserver([^>]+)>", message.extra_headers["List-Unsubscribe"])
    assert stop
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    strict = Client(enforce_csrf_checks=True)
    assert strict.get(stop[1]).status_code == 200
    assert Follow.objects.get().email
    assert strict.post(stop[1], {"all": "1"}).status_code == 200
    assert Follow.objects.get().email == ""
    close(number)
    assert post() == []
    citizen.link(email="LI@example.org", key="again")
    assert post() == []
    assert "li@" not in str(list(Follow.objects.values()))


def test_mail_that_fails_is_tried_again_without_telling_others_twice(
    citizen: Citizen, post: Any, monkeypatch: Any
) -> None:
    from django.core.mail import EmailMessage

    number, _ = citizen.link(email="a@example.org", key="a")
    Citizen().link(email="b@example.org", key="b", join=number)
    Follow.objects.update(told=0)
    sent, real = [], EmailMessage.send

    def send(self: EmailMessage, *args: Any, **kwargs: Any) -> int:
        sent.append(self.to[0])
        if self.to == ["b@example.org"] and sent.count("b@example.org") == 1:
            raise OSError("no server")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(EmailMessage, "send", send)
    now = datetime.now(UTC)
    outbox.relay(at=now + timedelta(seconds=1), correspondents=[mailing.letters])
    outbox.relay(at=now + timedelta(hours=1), correspondents=[mailing.letters])
    assert sent == ["a@example.org", "b@example.org", "b@example.org"]


def test_addresses_are_forgotten_when_the_case_ended_long_ago(citizen: Citizen, close: Any) -> None:
    from yiwang.server.portal import operations

    number, _ = citizen.link(email="a@example.org", key="f")
    soon = datetime.now(UTC) + timedelta(days=80)
    later = datetime.now(UTC) + timedelta(days=100)
    assert operations.forget_addresses(at=later) == 0  # it is still open
    close(number)
    assert operations.forget_addresses(at=soon) == 0
    assert operations.forget_addresses(at=later) == 1
    assert Follow.objects.get().email == ""


def test_photos_of_forms_that_were_never_sent_are_thrown_away(citizen: Citizen, settings: Any) -> None:
    from yiwang.server.portal import forms

    citizen.client.post("/mini/portal/report", {"text": "垃圾", **WEST, "photos": picture()})
    drafts = list((settings.YIWANG_HOME / "drafts").glob("*.jpg"))
    assert drafts
    assert forms.forget_drafts() == 0
    assert forms.forget_drafts(older_than=timedelta(seconds=-1)) == len(drafts)


def test_without_a_mail_server_no_link_gets_into_the_log(citizen: Citizen, settings: Any, capsys: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    citizen.link(email="a@example.org", key="c")
    outbox.relay(at=datetime.now(UTC) + timedelta(seconds=1), correspondents=[mailing.letters])
    written = capsys.readouterr().out
    assert "a@example.org" in written
    assert "/portal/" not in written


def test_nobody_who_follows_costs_one_query(report: Any, django_assert_max_num_queries: Any) -> None:
    from yiwang.server.cases.models import Outbox

    for index in range(3):
        report(text=f"{index}")
    rows = list(Outbox.objects.all())
    with django_assert_max_num_queries(1):
        assert mailing.letters(rows) == {}


@pytest.mark.parametrize("late", [False, True])
def test_after_a_chain_of_mergers_every_reporter_hears_of_the_main_case(
    citizen: Citizen, act: Any, actor: Any, post: Any, close: Any, late: bool
) -> None:
    """A into B, B into C: however long the mail waits, nobody misses what happened to the main case since."""
    first, _ = citizen.link(email="a@example.org", category="02001", key="a")
    second, _ = citizen.link(email="b@example.org", category="02001", key="b")
    main, _ = citizen.link(email="c@example.org", category="02001", key="c")
    post()
    send: Callable[[], list[Any]] = list if late else post
    heard = list(send())
    act(first, "merge", actor("leader"), into=second)
    heard += send()
    act(second, "merge", actor("leader"), into=main)
    heard += send()
    close(main)
    heard += post()
    heard += post()
    for address in ("a@example.org", "b@example.org", "c@example.org"):
        told = "\n".join(message.body for message in heard if message.to == [address])
        assert told.count("已立案。") == 1, (address, told)
        assert told.count("结果：已结案") == 1, (address, told)
    assert f"已并入案卷 {main}" in "\n".join(message.body for message in heard if message.to == ["a@example.org"])
    assert set(Follow.objects.values_list("current", flat=True)) == {main}
    assert post() == []
