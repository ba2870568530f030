"""The signed webhook: its contract, and a gateway that is away, slow, refuses, or lies."""

from __future__ import annotations

import json
import re
import socket
import time
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from tests.server.notice_gate import SECRET, answering, listening, message, status
from tests.server.notice_people import Gate, crew, gate, send_one

from yiwang.server.common import environment
from yiwang.server.common.app import commands
from yiwang.server.notices import channels, signing
from yiwang.server.notices.channels import WebhookChannel

__all__ = ["crew", "gate", "send_one"]  # fixtures

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "notices.md"


@pytest.mark.parametrize("code", [301, 302, 307, 400, 401, 404, 429, 500, 503])
def test_any_answer_but_a_yes_is_tried_again_and_no_redirection_is_followed(settings: Any, code: int) -> None:
    server, calls = answering(settings, status(code, Location="http://127.0.0.1:9/elsewhere"))
    with listening(server):
        (outcome,) = WebhookChannel().send([message()])
    assert outcome.failed
    assert outcome.detail == f"ValueError HTTP {code}"
    assert len(calls) == 1


@pytest.mark.parametrize("body", [b"", b"OK", b"[]", b'{"outcomes": 7}', b'{"outcomes": {"other": "refused"}}'])
def test_a_yes_in_other_words_is_a_yes(settings: Any, body: bytes) -> None:
    server, _ = answering(settings, status(200, body))
    with listening(server):
        assert WebhookChannel().send([message()]) == [channels.SENT]


def test_who_is_away_is_asked_once_and_who_never_ends_is_cut_off(settings: Any, monkeypatch: Any) -> None:
    settings.YIWANG_NOTICES_SECRET = SECRET
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings.YIWANG_NOTICES_GATEWAY = f"http://127.0.0.1:{free.getsockname()[1]}/"
    asked: list[int] = []
    call = WebhookChannel._call

    def counted(self: WebhookChannel, part: Any) -> bytes:
        asked.append(len(part))
        return call(self, part)

    monkeypatch.setattr(WebhookChannel, "_call", counted)
    outcomes = WebhookChannel().send([message(id=f"m-{index}") for index in range(250)])
    assert len(outcomes) == 250
    assert all(one.failed for one in outcomes)
    assert asked == [WebhookChannel.MOST]

    def dribble(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            for _ in range(200):
                handler.wfile.write(b" ")
                time.sleep(0.05)
        except OSError:
            pass

    monkeypatch.setattr(WebhookChannel, "WHOLE_SECONDS", 0.5)
    server, _ = answering(settings, dribble)
    begun = time.monotonic()
    with listening(server):
        WebhookChannel().send([message()])
        assert time.monotonic() - begun < 8, "not the ten seconds for which it would go on"
    monkeypatch.setattr(WebhookChannel, "STEP_SECONDS", 0.3)
    server, _ = answering(settings, lambda _: time.sleep(1))
    with listening(server):
        (outcome,) = WebhookChannel().send([message()])
    assert outcome.failed


# --- the contract -----------------------------------------------------------------------------------------------------


def test_the_signature_holds_for_one_body_one_secret_and_five_minutes() -> None:
    now = 1_800_000_000.0
    signed = signing.signature(SECRET, "1800000000", b"{}")
    genuine = {"secret": SECRET, "timestamp": "1800000000", "signed": signed, "body": b"{}", "now": now}
    assert signing.is_genuine(**genuine)  # type: ignore[arg-type] # a table of arguments
    wrongs: list[dict[str, Any]] = [
        {"body": b"{ }"},
        {"secret": "another"},
        {"timestamp": "1800000001"},
        {"timestamp": ""},
        {"timestamp": "²"},
        {"signed": ""},
        {"signed": "é"},
        {"now": now + 301},
        {"now": now - 301},
    ]
    for wrong in wrongs:
        assert not signing.is_genuine(**{**genuine, **wrong}), wrong


def test_the_example_of_the_guide_accepts_ours_and_refuses_others(settings: Any) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(example.strip().splitlines()) <= 12
    room: dict[str, Any] = {}
    exec(example, room)
    server, headers = answering(settings, status(204))
    with listening(server):
        WebhookChannel().send([message()])
    body = json.dumps({"messages": [asdict(message())]}, ensure_ascii=False).encode()
    (got,) = headers
    assert room["is_genuine"](SECRET, got["X-Yiwang-Timestamp"], got["X-Yiwang-Signature"], body)
    assert not room["is_genuine"]("other", got["X-Yiwang-Timestamp"], got["X-Yiwang-Signature"], body)
    assert not room["is_genuine"](SECRET, "1700000000", got["X-Yiwang-Signature"], body)


def test_the_test_gateway_refuses_what_is_not_signed(gate: Gate, settings: Any) -> None:
    assert WebhookChannel().send([message()]) == [channels.SENT]
    settings.YIWANG_NOTICES_SECRET = "another-secret-0123456789-0123456789-0123"
    (outcome,) = WebhookChannel().send([message()])
    assert outcome.detail == "ValueError HTTP 401"
    assert len(gate.took) == 1
    assert "notices" in commands()


@pytest.mark.parametrize(
    ("url", "secret", "said"),
    [
        ("http://gateway.example/x", SECRET, "Only https"),
        ("http://127.0.0.1.evil.example/", SECRET, "Only https"),
        ("https://user:word@gateway.example/", SECRET, "no password"),
        ("ftp://gateway.example/", SECRET, "https://gateway"),
        ("https://gateway.example/", "", "YIWANG_NOTICES_SECRET is missing"),
        ("https://gateway.example/", "short-and-secret", "too short"),
    ],
)
def test_a_gateway_that_could_be_listened_to_or_has_no_secret_is_refused(
    monkeypatch: Any, url: str, secret: str, said: str
) -> None:
    monkeypatch.setenv("YIWANG_NOTICES_GATEWAY", url)
    monkeypatch.setenv("YIWANG_NOTICES_SECRET", secret)
    with pytest.raises(ImproperlyConfigured, match=said) as caught:
        environment.gateway()
    assert "word@" not in str(caught.value)
    assert not secret or secret not in str(caught.value)


def test_the_gateways_that_are_taken(monkeypatch: Any) -> None:
    monkeypatch.setenv("YIWANG_NOTICES_SECRET", SECRET)
    for url in ("https://gateway.example/a?b=c", "http://127.0.0.1:8801/", "http://localhost/", "http://[::1]:80/"):
        monkeypatch.setenv("YIWANG_NOTICES_GATEWAY", url)
        assert environment.gateway() == (url, SECRET)
    monkeypatch.delenv("YIWANG_NOTICES_GATEWAY")
    assert environment.gateway() == ("", "")
