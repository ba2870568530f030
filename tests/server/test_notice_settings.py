"""How somebody wants to be told, and that an address is confirmed before anything goes there."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from tests.narrowing import present
from tests.server.notice_people import Gate, crew, gate, never, send_one, soon, wants
from tests.server.test_notices import signed_in

from yiwang.core.kernel.errors import BadInput
from yiwang.server.common.throttling import TooOften
from yiwang.server.notices import confirming, sending
from yiwang.server.notices.channels import EmailChannel
from yiwang.server.notices.models import Recipient, Subscription
from yiwang.server.people.models import PersonalDataRead, User

__all__ = ["crew", "gate", "send_one"]  # fixtures


def form(**more: Any) -> dict[str, Any]:
    return {"email": "wang@example.org", "phone": "138 1234 5678", "kinds-email": ["due", "overdue"], **more}


def test_settings_are_kept_masked_and_shown_on_record(crew: tuple[User, User], gate: Gate) -> None:
    client, url = signed_in(crew[0]), "/mini/notices/settings"
    data = form(**{"kinds-gateway": ["assigned", "nonsense"], "quiet_from": "22:00", "quiet_to": "7:30"})
    page = client.post(url, data, follow=True).content.decode()
    assert "The settings are saved." in page
    kept = Recipient.objects.get()
    assert (kept.email, kept.phone, kept.quiet_from, kept.quiet_to) == ("wang@example.org", "13812345678", 1320, 450)
    wanted = {row.channel: row.kinds.split() for row in Subscription.objects.all()}
    assert wanted == {"email": ["overdue", "due"], "gateway": ["assigned"]}
    assert "138****5678" in page
    assert "w***@example.org" in page
    assert "13812345678" not in page
    assert 'value="22:00"' in page
    assert PersonalDataRead.objects.count() == 0
    shown = client.post(f"{url}/contact", {"contact": "phone"}, follow=True).content.decode()
    assert "13812345678" in shown
    assert present(PersonalDataRead.objects.first()).what == "notices: phone"
    client.post(f"{url}/contact", {"contact": "origin"})
    assert PersonalDataRead.objects.count() == 1
    client.post(url, {"kinds-email": ["due"], "delete-phone": "1"})
    assert Recipient.objects.values_list("email", "phone").get() == ("wang@example.org", "")
    assert Subscription.objects.get().channel == "email", "what is not ticked is not sent"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"email": "nobody"}, "Write name@example.org"),
        ({"email": "a@b.example,c@d.example"}, "Write name@example.org"),
        ({"phone": "1\r\n2"}, "Write a phone number"),
        ({"email": "", "kinds-email": ["due"]}, "say where it goes"),
        ({"quiet_from": "25:00", "quiet_to": "07:00"}, "quiet hours"),
        ({"quiet_from": "22:00"}, "quiet hours"),
    ],
)
def test_wrong_settings_are_said_at_their_field_and_nothing_is_kept(
    crew: tuple[User, User], gate: Gate, wrong: dict[str, Any], said: str
) -> None:
    answer = signed_in(crew[0]).post("/mini/notices/settings", form(**wrong))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert said in page
    assert 'aria-invalid="true"' in page
    assert re.search(r'value="overdue" checked|value="due" checked', page), "what was chosen is still there"
    assert not Recipient.objects.exists()
    assert not Subscription.objects.exists()


def test_settings_say_so_where_there_is_no_channel(crew: tuple[User, User], settings: Any) -> None:
    settings.EMAIL_BACKEND = "yiwang.server.common.console.EmailBackend"
    page = signed_in(crew[0]).get("/mini/notices/settings").content.decode()
    assert "No other channel is set up here" in page
    assert not EmailChannel().available()


def test_a_channel_needs_to_know_where(crew: tuple[User, User]) -> None:
    with pytest.raises(BadInput):
        wants(crew[0], "email", email="")


# --- an address is confirmed first ------------------------------------------------------------------------------------


def link() -> str:
    """The path of the link in the one letter that was sent."""
    (letter,) = mail.outbox
    (found,) = re.findall(r"https?://[^/\s]+(/mini/notices/confirm/\S+)", str(letter.body))
    return str(found)


@pytest.mark.parametrize(
    ("language", "subject", "line"),
    [
        ("zh-hans", "小城：请确认接收通知的邮箱", "请在 3 天内打开下面的链接确认"),
        ("en", "Mini: confirm your address for notices", "open the link below within 3 days"),
    ],
)
def test_nothing_else_goes_to_an_address_until_its_owner_has_confirmed_it(
    crew: tuple[User, User], send_one: Any, client: Client, language: str, subject: str, line: str
) -> None:
    wants(crew[0], "email", language=language, confirmed=False)
    send_one()
    assert sending.send(never, at=soon()) == 0
    assert confirming.send(never) == 1
    assert confirming.send(never) == 0, "once"
    assert mail.outbox[0].to == ["wang@example.org"]
    assert mail.outbox[0].subject == subject
    assert line in str(mail.outbox[0].body)
    url = link()
    shown = client.get(url)  # on another device, or by a scanner of mail
    # the address is a secret for others; without any referrer browsers send no origin, and the form would be refused
    assert (shown.status_code, shown["Referrer-Policy"]) == (200, "same-origin")
    assert Recipient.objects.get().email_confirmed_at is None, "looking confirms nothing"
    assert "w***@example.org" in client.post(url).content.decode()
    assert present(Recipient.objects.get().email_confirmed_at)
    assert client.post(url).status_code == 200, "safe to repeat"
    mail.outbox.clear()
    assert sending.send(never, at=soon()) == 0, "what came before stays in the product"
    number = send_one()
    assert sending.send(never, at=soon()) == 1
    (letter,) = mail.outbox
    assert number in letter.subject


def test_a_link_is_of_one_address_and_ends(crew: tuple[User, User], client: Client, monkeypatch: Any) -> None:
    wants(crew[0], "email", confirmed=False)
    confirming.send(never)
    url = link()
    assert client.post(f"{url}x").status_code == 410
    assert client.post(url.replace("/mini/", "/elsewhere/")).status_code == 404
    with monkeypatch.context() as later:
        later.setattr(confirming, "VALID_FOR", timedelta(seconds=-1))
        assert client.post(url).status_code == 410
    wants(crew[0], "email", email="other@example.org", confirmed=False)
    assert client.post(url).status_code == 410, "another address was given since"
    assert Recipient.objects.get().email_confirmed_at is None
    confirming.send(never)
    assert [letter.to for letter in mail.outbox] == [["wang@example.org"], ["other@example.org"]]


def test_the_page_says_how_far_it_is_and_sends_the_letter_again_but_not_for_ever(
    crew: tuple[User, User], client: Client
) -> None:
    mine, url = signed_in(crew[0]), "/mini/notices/settings"
    mine.post(url, form(phone=""))
    page = mine.get(url).content.decode()
    assert "Waiting for confirmation" in page
    assert "等待确认" in mine.get(url, headers={"accept-language": "zh"}).content.decode()
    again = [mine.post(f"{url}/confirm", follow=True).content.decode() for _ in range(3)]
    assert ["being sent once more" in page for page in again] == [True, True, False]
    assert "too often" in again[2]
    confirming.send(never)
    client.post(link())
    page = mine.get(url).content.decode()
    assert "Waiting for confirmation" not in page
    assert "Confirmed" in page
    mine.post(url, form(phone="", email="wang@example.org"))
    assert present(Recipient.objects.get().email_confirmed_at), "the same address is confirmed still"
    answer = mine.post(url, form(phone="", email="new@example.org"))
    assert answer.status_code == 302
    assert Recipient.objects.get().email_confirmed_at is None
    mine.post(url, {"delete-email": "1"})
    assert Recipient.objects.values_list("email", "email_confirmed_at", "confirm_at").get() == ("", None, None)


def test_nobody_is_flooded_through_another_account(crew: tuple[User, User]) -> None:
    for _ in range(3):
        wants(crew[0], "email", email="victim@example.org", confirmed=False)
        signed_in(crew[0]).post("/mini/notices/settings", {"delete-email": "1"})
    with pytest.raises(TooOften):
        wants(crew[1], "email", email="Victim@example.org", confirmed=False)
    assert not Recipient.objects.filter(user=crew[1]).exists()


def test_a_letter_that_the_mail_server_does_not_take_is_tried_again(crew: tuple[User, User], settings: Any) -> None:
    wants(crew[0], "email", confirmed=False)
    backend = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 9, 1
    at = soon()
    assert confirming.send(never, at=at) == 0
    kept = Recipient.objects.get()
    assert (kept.confirm_attempts, present(kept.confirm_at) > at) == (1, True)
    settings.EMAIL_BACKEND = backend
    assert confirming.send(never, at=at) == 0, "not yet"
    assert confirming.send(never, at=present(kept.confirm_at)) == 1
