"""People who want notices outside the product, and the gateway that takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from tests.server.notice_gate import SECRET, listening
from tests.server.test_notices import person, relay

from yiwang.server.cities.queries import runtime
from yiwang.server.notices import channels, operations
from yiwang.server.notices.gateway import serve
from yiwang.server.notices.kinds import KINDS
from yiwang.server.notices.models import Recipient
from yiwang.server.people.models import User

Act = Callable[..., Any]


class Gate:
    """A gateway that keeps what came; ``say`` is its answer to each message."""

    def __init__(self) -> None:
        self.took: list[dict[str, Any]] = []
        self.say: Callable[[Any], str] = lambda message: "accepted"

    def take(self, message: Any) -> str:
        said = self.say(message)
        if said == "accepted":
            self.took.append(dict(message))
        return said


@pytest.fixture
def gate(settings: Any) -> Iterator[Gate]:
    found = Gate()
    with listening(serve(secret=SECRET, took=found.take)) as url:
        settings.YIWANG_NOTICES_GATEWAY, settings.YIWANG_NOTICES_SECRET = url, SECRET
        yield found


@pytest.fixture
def crew(mini: str) -> tuple[User, User]:
    return person("wang", "SWEEP-9001"), person("li", "SWEEP-9001")


@pytest.fixture
def send_one(report: Act, act: Act, actor: Act) -> Callable[[], str]:
    """Another case comes to the crew's unit, and the outbox is relayed."""

    def do() -> str:
        number: str = report(text="味道很大 13812345678")["case"]
        act(number, "file", actor("leader"))
        act(number, "dispatch", actor("dispatcher"), unit="SWEEP-9001")
        relay()
        return number

    return do


def wants(
    user: User,
    channel: str,
    *kinds: str,
    quiet: tuple[str, str] = ("", ""),
    language: str = "en",
    confirmed: bool = True,
    **more: str,
) -> None:
    """Somebody wants notices by a channel, of all kinds where none is named; their address is confirmed."""
    contacts = {"email": f"{user.username}@example.org", "phone": "13812345678", **more}
    operations.save_settings(
        user=user, place=runtime("mini"), chosen={channel: kinds or KINDS}, contacts=contacts, quiet=quiet,
        channels=[one for one in channels.CHANNELS if one.id == channel], language=language, origin="https://city.example",
    )  # fmt: skip
    if confirmed:
        Recipient.objects.filter(user=user).update(email_confirmed_at=timezone.now(), confirm_at=None)


def soon(minutes: float = 2) -> datetime:
    return datetime.now(UTC) + timedelta(minutes=minutes)


def never() -> bool:
    return False
