"""Ways by which messages leave the product: e-mail, and a signed webhook that a gateway for SMS or WeChat takes.

Another one is a class here with the same few names, and a line in `CHANNELS`.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage

from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.server.common.posting import DeliverySkip, Letter, post
from yiwang.server.notices import signing


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What somebody is told by a channel, in their language. It holds no words of a report, no place and no person.

    Attributes:
        id: The same however often it is tried.
        to: Address or number.
        title: In one line.
        text: The whole.
        link: To the notices; empty where the site's address is not known.
        city: City.
        language: Tag of the language.
        count: How many notices it tells.
    """

    id: str
    to: str
    title: str
    text: str
    link: str
    city: str
    language: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a message.

    Attributes:
        failed: Why it has not gone out and is tried again later; no text when it went out, or was refused.
        refused: Why it will never go out: the number is wrong, say.
        detail: For the log; never an address.
    """

    failed: Text = NO_TEXT
    refused: Text = NO_TEXT
    detail: str = ""


SENT = Outcome()


class Channel(Protocol):
    """A way by which messages go out.

    Attributes:
        id: As it is kept.
        name: For people.
        contact: Field of `models.Recipient` that says where to.
    """

    id: str
    name: Text
    contact: str

    def available(self) -> bool:
        """Whether this installation has it."""

    def send(self, messages: Sequence[Message]) -> list[Outcome]:
        """What became of each, in the same order. Never raises for what the other side does."""


class EmailChannel:
    """By the mail server of `YIWANG_EMAIL_URL`, over the lanes that all letters take."""

    id, name, contact = "email", Text("电子邮件", "E-mail"), "email"

    def available(self) -> bool:
        return not settings.EMAIL_BACKEND.endswith("console.EmailBackend")

    def send(self, messages: Sequence[Message]) -> list[Outcome]:
        found = [SENT] * len(messages)
        letters = [(index, Letter(message=_mail(message), sent=_nothing)) for index, message in enumerate(messages)]
        for index, _, error in post(letters, stop=lambda: False):
            if error is not None and not isinstance(error, DeliverySkip):
                found[index] = Outcome(failed=_MAIL_FAILED, detail=type(error).__name__)
        return found


_MAIL_FAILED = Text("邮件服务器没有收下，稍后再试。", "The mail server did not take it; it will be tried again.")


def _nothing() -> None:
    """The books are kept by `sending`."""


def _mail(message: Message) -> EmailMessage:
    headers = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All", "X-Yiwang-Id": message.id}
    return EmailMessage(message.title, message.text, None, [message.to], headers=headers)


class WebhookChannel:
    """To the gateway of `YIWANG_NOTICES_GATEWAY`, many messages a call; `docs/guide/notices.md` is its contract."""

    id, name, contact = "gateway", Text("短信或微信", "SMS or WeChat"), "phone"
    MOST = 100  # messages a call
    STEP_SECONDS, WHOLE_SECONDS = 10.0, 30.0  # for a step of a call, and for all of it
    MOST_BYTES = 200_000  # of an answer

    def available(self) -> bool:
        return bool(settings.YIWANG_NOTICES_GATEWAY and settings.YIWANG_NOTICES_SECRET)

    def send(self, messages: Sequence[Message]) -> list[Outcome]:
        found: list[Outcome] = []
        away: Outcome | None = None  # who does not answer is not asked again for the rest
        for start in range(0, len(messages), self.MOST):
            part = messages[start : start + self.MOST]
            if away is None:
                try:
                    found += _outcomes(part, self._call(part))
                    continue
                except (OSError, http.client.HTTPException, ValueError) as error:
                    away = Outcome(failed=_AWAY, detail=f"{type(error).__name__} {error}"[:200])
            found += [away] * len(part)
        return found

    def _call(self, messages: Sequence[Message]) -> bytes:
        """The gateway's answer to some messages. A redirection is an error: a signed call goes where it was meant for."""
        address = urlsplit(settings.YIWANG_NOTICES_GATEWAY)
        body = json.dumps({"messages": [asdict(message) for message in messages]}, ensure_ascii=False).encode()
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            signing.TIMESTAMP: timestamp,
            signing.SIGNATURE: signing.signature(settings.YIWANG_NOTICES_SECRET, timestamp, body),
        }
        connection = _connection(address.scheme, address.hostname or "", address.port, self.STEP_SECONDS)
        connection.connect()
        guard = threading.Timer(
            self.WHOLE_SECONDS, _cut, [connection.sock]
        )  # who dribbles byte by byte is never silent
        guard.daemon = True
        guard.start()
        try:
            path = (address.path or "/") + (f"?{address.query}" if address.query else "")
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            content = answer.read(self.MOST_BYTES + 1)
        finally:
            guard.cancel()
            connection.close()
        if not 200 <= answer.status < 300:
            raise ValueError(f"HTTP {answer.status}")
        if len(content) > self.MOST_BYTES:
            raise ValueError("the answer is too long")
        return content


_AWAY = Text("网关没有收下，稍后再试。", "The gateway did not take it; it will be tried again.")
_REFUSED = Text(
    "网关说这个号码不能用：请更正。", "The gateway says that this number cannot be used: please correct it."
)


def _connection(scheme: str, host: str, port: int | None, seconds: float) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(host, port, timeout=seconds, context=ssl.create_default_context())
    return http.client.HTTPConnection(host, port, timeout=seconds)


def _cut(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)


def _outcomes(messages: Sequence[Message], content: bytes) -> list[Outcome]:
    """What an answer says of each message; one that it does not name was taken."""
    try:
        said: Any = json.loads(content) if content.strip() else {}
    except ValueError:
        said = {}  # a gateway that answers "OK"
    outcomes = said.get("outcomes") if isinstance(said, Mapping) else None
    by_id = outcomes if isinstance(outcomes, Mapping) else {}
    words = {"refused": Outcome(refused=_REFUSED), "later": Outcome(failed=_AWAY, detail="later")}
    return [words.get(str(by_id.get(message.id)), SENT) for message in messages]


CHANNELS: tuple[Channel, ...] = (EmailChannel(), WebhookChannel())


def available() -> list[Channel]:
    """The channels that this installation has."""
    return [channel for channel in CHANNELS if channel.available()]
