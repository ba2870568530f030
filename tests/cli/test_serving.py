"""`yiwang serve` and `yiwang demo` as processes: they start, answer, and stop together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

Start = Callable[..., subprocess.Popen[str]]
_PATIENCE_SECONDS = 180


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the command line in a data folder of its own; whatever is left of it ends with the test."""
    started: list[subprocess.Popen[str]] = []

    def call(*arguments: str) -> subprocess.Popen[str]:
        environment = {**os.environ, "YIWANG_HOME": str(tmp_path / "home")}
        for name in ("YIWANG_DATABASE_URL", "PYTHONDONTWRITEBYTECODE"):  # compiled modules save each process seconds
            environment.pop(name, None)
        process = subprocess.Popen(
            [sys.executable, "-m", "yiwang.cli", *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield call
    for process in started:
        if process.poll() is None:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
            process.kill()
        process.communicate()


def wait_for_answer(url: str, process: subprocess.Popen[str]) -> int:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return int(answer.status)
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise AssertionError(
        f"no answer from {url}: {process.communicate(timeout=10) if process.poll() is not None else ''}"
    )


@pytest.mark.slow
def test_the_site_starts_on_a_fresh_folder_answers_and_stops(start: Start) -> None:
    port = free_port()
    process = start("serve", "--port", str(port), "--workers", "1")
    assert wait_for_answer(f"http://127.0.0.1:{port}/healthz", process) == 200
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    process.send_signal(signal.SIGTERM)
    _, talk = process.communicate(timeout=30)
    assert process.returncode == 0
    assert f"http://127.0.0.1:{port}" in talk
    assert psutil.wait_procs(children, timeout=10)[1] == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
def test_children_end_even_when_their_parent_is_killed(start: Start) -> None:
    port = free_port()
    process = start("serve", "--port", str(port), "--workers", "1")
    wait_for_answer(f"http://127.0.0.1:{port}/healthz", process)
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    assert psutil.wait_procs(children, timeout=20)[1] == []


def test_a_port_in_use_is_a_sentence(start: Start) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start("serve", "--port", str(port))
        data, talk = process.communicate(timeout=_PATIENCE_SECONDS)
    assert process.returncode == 1
    assert data == ""
    assert f"Port {port}" in talk
    assert "Traceback" not in talk


def test_a_wrong_setting_is_a_sentence(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YIWANG_DEBUG", "perhaps")
    process = start("ledger", "verify")
    _, talk = process.communicate(timeout=_PATIENCE_SECONDS)
    assert process.returncode == 1
    assert "YIWANG_DEBUG='perhaps' cannot be used." in talk
    assert "Traceback" not in talk


def test_a_database_without_tables_is_a_sentence(start: Start) -> None:
    process = start("ledger", "verify", "mini")
    _, talk = process.communicate(timeout=_PATIENCE_SECONDS)
    assert process.returncode == 1
    assert "no tables" in talk
