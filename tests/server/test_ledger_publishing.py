"""Each day's root goes where the setting says, once, and again later where it could not be delivered."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ImproperlyConfigured

from yiwang.server.common import environment
from yiwang.server.ledger import api as log
from yiwang.server.ledger.models import Publication, Seal
from yiwang.server.verification import ledger

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path, settings: Any) -> Path:
    settings.YIWANG_HOME = tmp_path
    return tmp_path


@pytest.fixture
def catcher() -> Iterator[tuple[str, list[Any]]]:
    """A web address, and what was posted to it; it answers 503 to the first."""
    got: list[Any] = []

    class Catch(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(503 if len(got) == 1 else 200)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Catch)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/roots", got
    server.shutdown()
    server.server_close()


def test_the_newest_root_goes_to_every_target_once(home: Path, mini: str, report: Any, settings: Any) -> None:
    settings.YIWANG_PUBLISH_ROOTS = ["file", "mailto:archive@example.org"]
    for day in range(3):
        report(at=START + timedelta(days=day))
    log.seal_days(stream="cases", city=mini, at=START + timedelta(days=3))
    assert log.publish() == 2
    assert log.publish() == 0
    seal = Seal.objects.order_by("-size")[0]
    expected = f"mini cases 2026-03-04 6 {bytes(seal.root).hex()}"
    file = home / "roots.txt"
    assert file.read_text() == f"{expected}\n", "days that are sealed together give one line: the newest binds them all"
    assert file.stat().st_mode & 0o077 == 0
    assert [message.to for message in mail.outbox] == [["archive@example.org"]]
    assert mail.outbox[0].body.startswith(expected)
    report(at=START + timedelta(days=3))
    log.seal_days(stream="cases", city=mini, at=START + timedelta(days=4))
    log.publish()
    assert len(file.read_text().splitlines()) == 2


def test_what_is_published_can_be_verified_with(home: Path, mini: str, report: Any, settings: Any) -> None:
    from yiwang.cli.ledger import read_roots

    settings.YIWANG_PUBLISH_ROOTS = ["file"]
    report(at=START)
    log.seal_days(stream="cases", city=mini, at=START + timedelta(days=1))
    log.publish()
    roots = read_roots("", (), home / "roots.txt")["mini"]["cases"]
    found = ledger.verify(city=mini, roots=roots)
    assert (found.faults, list(found.published.values())) == ([], [True])


def test_an_address_that_does_not_answer_is_tried_again(
    mini: str, report: Any, settings: Any, catcher: tuple[str, list[Any]]
) -> None:
    url, got = catcher
    settings.YIWANG_PUBLISH_ROOTS = [url]
    report(at=START)
    log.seal_days(stream="cases", city=mini, at=START + timedelta(days=1))
    now = datetime.now(UTC)
    assert log.publish(at=now) == 0
    row = Publication.objects.get()
    assert (row.attempts, row.sent_at) == (1, None)
    assert "503" in row.error
    assert log.publish(at=now) == 0
    assert log.publish(at=row.next_at) == 1
    root = bytes(Seal.objects.get().root).hex()
    assert got == [{"city": "mini", "stream": "cases", "day": "2026-03-02", "size": 2, "root": root}] * 2


def test_without_targets_nothing_is_published(mini: str, report: Any, settings: Any) -> None:
    settings.YIWANG_PUBLISH_ROOTS = []
    report(at=START)
    log.seal_days(stream="cases", city=mini, at=START + timedelta(days=1))
    assert not Publication.objects.exists()


@pytest.mark.parametrize("value", ["ftp://example.org/x", "mailto:nobody", "somewhere", "https://", "file,/etc/x"])
def test_a_wrong_target_is_refused_at_start(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YIWANG_PUBLISH_ROOTS", value)
    with pytest.raises(ImproperlyConfigured, match=r"mailto:someone@example\.org"):
        environment.publish_roots()


def test_the_file_is_the_target_unless_said_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("YIWANG_PUBLISH_ROOTS", raising=False)
    assert environment.publish_roots() == ["file"]
    monkeypatch.setenv("YIWANG_PUBLISH_ROOTS", "")
    assert environment.publish_roots() == []
    monkeypatch.setenv("YIWANG_PUBLISH_ROOTS", "file, mailto:a@b.org https://c.org/d")
    assert environment.publish_roots() == ["file", "mailto:a@b.org", "https://c.org/d"]
