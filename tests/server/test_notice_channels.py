"""Notices outside the product: what goes out, quiet hours, and what is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from tests.narrowing import present
from tests.server.notice_people import Gate, crew, gate, never, send_one, soon, wants
from tests.server.test_notices import many, signed_in

from yiwang.server.cities.queries import runtime
from yiwang.server.notices import sending
from yiwang.server.notices.channels import WebhookChannel
from yiwang.server.notices.models import Notice, Recipient, Subscription
from yiwang.server.people.models import User

__all__ = ["crew", "gate", "send_one"]  # fixtures


# --- what goes out ----------------------------------------------------------------------------------------------------


def test_nothing_leaves_the_product_unless_somebody_chose_it(
    crew: tuple[User, User], send_one: Any, gate: Gate
) -> None:
    send_one()
    assert sending.send(never, at=soon()) == 0
    assert (gate.took, mail.outbox) == ([], [])


def test_what_gathers_goes_out_as_one_signed_message_without_words_or_persons(
    crew: tuple[User, User], send_one: Any, gate: Gate
) -> None:
    wang, li = crew
    wants(wang, "gateway", "arrived", language="zh-hans")
    wants(li, "gateway", "overdue")
    numbers = [send_one(), send_one()]
    assert sending.send(never, at=datetime.now(UTC)) == 0, "gathered for a minute first"
    assert sending.send(never, at=soon()) == 1
    (message,) = gate.took
    assert message["to"] == "13812345678"
    assert message["count"] == 2
    assert message["language"] == "zh"
    assert all(number in message["text"] for number in numbers)
    assert "案卷转到您的单位承办" in message["text"]
    assert message["link"] == "https://city.example/mini/notices"
    assert "味道" not in message["text"]
    assert "13812345678" not in message["text"] + message["title"]
    assert sending.send(never, at=soon(20)) == 0, "once"
    assert not Subscription.objects.filter(next_at__isnull=False).exists()


def test_mail_in_the_persons_language(crew: tuple[User, User], send_one: Any) -> None:
    wants(crew[0], "email", "arrived")
    number = send_one()
    assert sending.send(never, at=soon()) == 1
    (letter,) = mail.outbox
    assert letter.to == ["wang@example.org"]
    assert letter.subject == f"{number} The case came to your unit"
    assert "https://city.example/mini/notices" in str(letter.body)
    assert "味道" not in str(letter.body)


def test_what_was_read_meanwhile_is_not_sent(crew: tuple[User, User], send_one: Any) -> None:
    wants(crew[0], "email")
    send_one()
    signed_in(crew[0]).post("/mini/notices/read", {"until": str(Notice.objects.latest("id").pk)})
    assert sending.send(never, at=soon()) == 0
    assert mail.outbox == []


def test_a_channel_begins_with_what_comes_from_now_on(crew: tuple[User, User], send_one: Any) -> None:
    before = send_one()
    wants(crew[0], "email", "overdue")
    send_one()
    sending.send(never, at=soon())
    wants(crew[0], "email", "arrived")
    after = send_one()
    sending.send(never, at=soon())
    (letter,) = mail.outbox
    assert after in letter.subject
    assert before not in str(letter.body)


def test_many_notices_are_few_lines_and_a_number(crew: tuple[User, User], send_one: Any) -> None:
    wants(crew[0], "email")
    number = send_one()
    many(crew[0], 40, number=number)
    sending.send(never, at=soon())
    (letter,) = mail.outbox
    assert str(letter.body).count(number) == sending.SHOWN
    assert "31 more are in the product." in str(letter.body)


def test_of_a_case_that_somebody_may_not_see_nothing_is_sent(crew: tuple[User, User], send_one: Any) -> None:
    wang = crew[0]
    wants(wang, "email")
    number = send_one()
    Notice.objects.all().delete()
    many(wang, 1, kind="assigned", number=number)
    wang.assignments.update(unit="SWEEP-9002", region="900102")
    assert sending.send(never, at=soon()) == 0
    assert mail.outbox == []


# --- quiet hours ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "at", "until"),
    [
        (("22:00", "07:00"), "2026-03-02T23:30", "2026-03-03T07:00"),
        (("22:00", "07:00"), "2026-03-03T06:59", "2026-03-03T07:00"),
        (("22:00", "07:00"), "2026-03-03T07:00", ""),
        (("22:00", "07:00"), "2026-03-03T21:59", ""),
        (("12:00", "14:00"), "2026-03-03T12:00", "2026-03-03T14:00"),
        (("12:00", "14:00"), "2026-03-03T14:00", ""),
        (("", ""), "2026-03-03T12:00", ""),
    ],
)
def test_quiet_hours_are_the_citys(crew: tuple[User, User], hours: tuple[str, str], at: str, until: str) -> None:
    wants(crew[0], "email", quiet=hours)
    place = runtime("mini")
    zone = place.calendar.zone
    found = sending.end_of_quiet(
        Recipient.objects.get(), place=place, at=datetime.fromisoformat(at).replace(tzinfo=zone)
    )
    assert found == (datetime.fromisoformat(until).replace(tzinfo=zone) if until else None)


def test_what_comes_in_quiet_hours_goes_out_after_them(crew: tuple[User, User], send_one: Any) -> None:
    wants(crew[0], "email")
    send_one()
    zone = runtime("mini").calendar.zone
    night = (datetime.now(zone) + timedelta(days=1)).replace(hour=23, minute=0, second=0, microsecond=0)
    Recipient.objects.update(quiet_from=22 * 60, quiet_to=7 * 60)
    assert sending.send(never, at=night) == 0
    assert sending.send(never, at=night + timedelta(hours=7)) == 0
    assert sending.send(never, at=night + timedelta(hours=8)) == 1


# --- tried again ------------------------------------------------------------------------------------------------------


def test_a_failure_is_tried_again_with_the_same_message_each_time_after_twice_as_long(
    crew: tuple[User, User], send_one: Any, gate: Gate
) -> None:
    wants(crew[0], "gateway", "arrived")
    first = send_one()
    seen: list[str] = []

    def later(said: Any) -> str:
        seen.append(said["id"])
        return "later"

    gate.say = later
    at, waits = soon(), []
    for _ in range(3):
        assert sending.send(never, at=at) == 0
        row = Subscription.objects.get()
        waits.append(present(row.next_at) - at)
        at = present(row.next_at)
        send_one()
    assert waits == [timedelta(seconds=60), timedelta(seconds=120), timedelta(seconds=240)]
    assert len(set(seen)) == 1
    page = signed_in(crew[0]).get("/mini/notices/settings").content.decode()
    assert "The gateway did not take it" in page
    gate.say = lambda said: "accepted"
    assert sending.send(never, at=at) == 1
    assert first in gate.took[0]["text"]
    assert sending.send(never, at=at + timedelta(minutes=5)) == 1, "what has come meanwhile"
    assert gate.took[1]["count"] == 3
    assert Subscription.objects.get().error == ""


def test_a_number_that_is_refused_is_said_to_its_owner_and_not_tried_for_ever(
    crew: tuple[User, User], send_one: Any, gate: Gate
) -> None:
    wants(crew[0], "gateway")
    wants(crew[1], "gateway", phone="13900000000")
    gate.say = lambda said: "refused" if said["to"].startswith("138") else "accepted"
    send_one()
    assert sending.send(never, at=soon()) == 1
    assert [one["to"] for one in gate.took] == ["13900000000"]
    assert sending.send(never, at=soon(60)) == 0
    page = signed_in(crew[0]).get("/mini/notices/settings").content.decode()
    assert "this number cannot be used" in page


def test_a_worker_killed_with_a_message_in_hand_sends_the_same_again_later(
    crew: tuple[User, User], send_one: Any, gate: Gate, monkeypatch: Any
) -> None:
    class Killed(BaseException):
        pass

    wants(crew[0], "gateway")
    send_one()
    seen: list[str] = []

    def dies(self: Any, messages: Any) -> Any:
        seen.extend(one.id for one in messages)
        raise Killed

    with monkeypatch.context() as broken:
        broken.setattr(WebhookChannel, "send", dies)
        with pytest.raises(Killed):
            sending.send(never, at=soon())
    assert sending.send(never, at=soon(5)) == 0, "somebody else's for a while"
    assert sending.send(never, at=soon(13)) == 1
    assert [one["id"] for one in gate.took] == seen


def test_what_comes_while_a_message_is_on_its_way_goes_out_with_the_next(
    crew: tuple[User, User], send_one: Any, gate: Gate
) -> None:
    wants(crew[0], "gateway")
    first = send_one()
    later: list[str] = []
    send, channel = WebhookChannel.send, WebhookChannel()

    def slow(messages: Any) -> Any:
        if not later:
            later.append(send_one())
        return send(channel, messages)

    channel.send = slow  # type: ignore[method-assign] # of this one object
    assert sending.send_batch(channel, at=soon()) == (1, 1)
    assert sending.send(never, at=soon(10)) == 1
    assert (first in gate.took[0]["text"], later[0] in gate.took[1]["text"]) == (True, True)


def test_a_letter_that_is_refused_is_tried_again(crew: tuple[User, User], send_one: Any, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 9, 1
    wants(crew[0], "email")
    send_one()
    assert sending.send(never, at=soon()) == 0
    row = Subscription.objects.get()
    assert (row.attempts, row.told < row.until) == (1, True)
    assert "wang@" not in row.error
