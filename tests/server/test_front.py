"""The event loop in front of Django: who is slow waits alone, and what comes through is what was sent."""

from __future__ import annotations

import asyncio
import io
import json
import socket
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from bench import slow
from bench._site import database, in_process, served

REPORTS = "/api/v1/cities/mini/reports"


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def running(request: pytest.FixtureRequest) -> Iterator[str]:
    """Address of a site as `yiwang serve` runs it, with the toy city."""
    if request.param == "postgresql":
        psycopg = pytest.importorskip("psycopg")
        from bench._site import SERVER

        try:
            psycopg.connect(f"{SERVER}/postgres", connect_timeout=3).close()
        except psycopg.OperationalError:
            pytest.skip("no PostgreSQL server")
    with database(request.param) as environment:
        in_process(environment, "install")
        with served(environment) as base:
            yield base


@pytest.mark.slow
def test_slow_writers_and_readers_hold_up_nobody_else(running: str) -> None:
    seconds = 10.0
    seen = slow.attack(running, seconds=seconds, large=slow.largest_asset())
    assert seen.failed == 0
    assert len(seen.probe_seconds) >= 20, "hardly anything was answered"
    # who is held up waits until the slow ones have gone; a busy machine alone does not make it half of that
    assert max(seen.probe_seconds) < seconds / 2
    assert sorted(seen.report_seconds)[len(seen.report_seconds) // 2] < seconds / 2


@pytest.mark.slow
def test_a_body_arrives_whole_in_pieces_and_announced(running: str) -> None:
    body = slow.REPORT
    pieces = b"".join(b"%x\r\n%s\r\n" % (1, body[at : at + 1]) for at in range(len(body))) + b"0\r\n\r\n"
    head = f"POST {REPORTS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
    for rest in (b"Transfer-Encoding: chunked\r\n\r\n" + pieces, b"Content-Length: %d\r\n\r\n%s" % (len(body), body)):
        answer = talk(running, head.encode() + rest)
        assert answer.startswith(b"HTTP/1.1 201"), answer[:300]
        assert json.loads(answer.split(b"\r\n\r\n", 1)[1])["number"].startswith("MN")


@pytest.mark.slow
def test_a_large_file_comes_whole_and_is_cheap_to_ask_about(running: str) -> None:
    path = slow.largest_asset()
    with urllib.request.urlopen(running + path) as answer:
        content = answer.read()
        assert int(answer.headers["Content-Length"]) == len(content) > 500_000
    head = talk(running, f"HEAD {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert f"content-length: {len(content)}".encode() in head.lower()
    assert head.endswith(b"\r\n\r\n")


@pytest.mark.slow
def test_a_header_with_an_underscore_does_not_pass_for_another(running: str) -> None:
    request = b"GET /mini/portal HTTP/1.1\r\nHost: localhost\r\nAccept_Language: en\r\nAccept-Language: zh-hans\r\n"
    answer = talk(running, request + b"Connection: close\r\n\r\n")
    assert b"content-language: zh-hans" in answer.lower()


@pytest.mark.parametrize(
    "key", [b"", b"   ", "\u043a\u043b\u044e\u0447-0123456789abcdef".encode(), b"\xff\xfe", b"short"]
)
def test_a_key_that_cannot_be_used_is_refused_and_not_dropped(running: str, key: bytes) -> None:
    """Also where the server in front would leave the header out: the call would be done twice."""
    body = b'{"text": "x", "category": "02001", "lon": 120.003, "lat": 31.003}'
    head = b"POST /api/v1/cities/mini/reports HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    head += b"Connection: close\r\nIdempotency-Key: " + key + b"\r\nContent-Length: %d\r\n\r\n" % len(body)
    answer = talk(running, head + body)
    assert answer.split()[1] == b"422", answer
    assert b"Idempotency-Key" in answer


def talk(base: str, request: bytes) -> bytes:
    host, _, port = base.removeprefix("http://").rpartition(":")
    answer = b""
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(request)
        while piece := connection.recv(65536):
            answer += piece
    return answer


Receive = Callable[..., bytes]


@pytest.fixture
def receive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Receive:
    """Reads a body that comes in pieces, with pauses of so many seconds between them."""
    from yiwang.server import rsgi

    monkeypatch.setattr(rsgi, "GRACE_SECONDS", 0.3)

    def call(pieces: list[bytes], *, pause: float = 0, most: int = 1000, announced: int | None = None) -> bytes:
        async def protocol() -> AsyncIterator[bytes]:
            for piece in pieces:
                await asyncio.sleep(pause)
                yield piece

        headers = {"transfer-encoding": "chunked"} if announced is None else {"content-length": str(announced)}
        scope: Any = SimpleNamespace(headers=headers, http_version="1.1", method="POST")
        body = io.BytesIO()
        size = asyncio.run(rsgi.receive(scope, protocol(), body, most_bytes=most))
        assert size == len(body.getvalue())
        return body.read()

    return call


def test_a_body_that_comes_too_slowly_is_ended_and_one_at_a_phones_rate_is_not(receive: Receive) -> None:
    from yiwang.server.rsgi import BodyRefusal

    with pytest.raises(BodyRefusal) as slow_one:
        receive([b"x"] * 20, pause=0.1, announced=20)
    assert slow_one.value.status == 408
    # 30 kB/s for longer than the grace
    assert receive([b"x" * 3000] * 10, pause=0.1, most=100_000, announced=30_000) == b"x" * 30_000


def test_a_body_larger_than_it_may_be_is_refused_announced_or_not(receive: Receive) -> None:
    from yiwang.server.rsgi import BodyRefusal

    for announced in (1001, None):
        with pytest.raises(BodyRefusal) as large:
            receive([b"x" * 501] * 2, announced=announced)
        assert large.value.status == 413
        assert "1000" in large.value.text
        assert "太大" in large.value.text


def test_half_a_body_reaches_nobody(receive: Receive) -> None:
    from yiwang.server.rsgi import ClientGone

    with pytest.raises(ClientGone):
        receive([b"half"], announced=8)


def test_a_full_disk_is_said_in_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from yiwang.server import rsgi

    def full(environ: dict[str, Any], start_response: Any) -> Any:
        raise OSError(28, "No space left on device")

    site = rsgi.Site(full, threads=1, home=tmp_path, most_bytes=1000)
    answer = site._answer({"PATH_INFO": "/"})
    assert answer.status == 503
    assert "空间已满" in answer.body.decode()
