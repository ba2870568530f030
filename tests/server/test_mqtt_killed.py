"""What was acknowledged is there, whatever is killed: the broker, who listens, the database, the disk."""

from __future__ import annotations

import json
import resource
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from tests.postgresql import SERVER
from tests.server.own_sites import Site, site_on

SCRIPT = Path(__file__).with_name("mqtt_processes.py")
START = datetime(2026, 3, 1, tzinfo=UTC)
STREAMS = 4


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: Callable[[], bool], seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.05)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Sender:
    """Sends readings, each until it is acknowledged, whatever happens to the broker in between."""

    def __init__(self, port: int, user: str = "", password: str = "") -> None:
        self.sent, self.acknowledged = 0, 0
        self.client = Client(CallbackAPIVersion.VERSION2, client_id="sender", clean_session=False)
        if user:
            self.client.username_pw_set(user, password)
        self.client.reconnect_delay_set(min_delay=1, max_delay=1)
        self.client.max_inflight_messages_set(100)
        self.client.on_publish = self._published
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def _published(self, *_: object) -> None:
        self.acknowledged += 1

    def send(self, count: int) -> None:
        for number in range(self.sent, self.sent + count):
            at = START + timedelta(seconds=number)
            payload = json.dumps({"time": at.isoformat(), "value": number % 50})
            self.client.publish(f"yiwang/mini/streams/gauge-{number % STREAMS}", payload, qos=1)
        self.sent += count

    def wait(self) -> None:
        wait_for(lambda: self.acknowledged == self.sent, 90)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def wait_to_hear(process: subprocess.Popen[str], words: str) -> None:
    """Read what it prints until the words come."""
    assert process.stdout is not None
    lines = []
    while words not in (line := process.stdout.readline()):
        lines.append(line)
        assert line, "".join(lines)


@contextmanager
def process(site: Site, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A command of `yiwang`, killed at the end."""
    command = [sys.executable, "-m", "yiwang.cli", *arguments]
    started = subprocess.Popen(
        command, env=site.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        wait_to_hear(started, "istens")
        yield started
    finally:
        started.kill()
        started.communicate()


@pytest.mark.slow
def test_the_broker_that_comes_along_acknowledges_what_is_stored(tmp_path: Path) -> None:
    port = free_port()
    broker = ("mqtt", "broker", "--bind", f"127.0.0.1:{port}")
    with site_on("sqlite", tmp_path, SCRIPT) as site:
        with process(site, *broker) as first:
            sender = Sender(port, "yiwang", site.case)
            sender.send(300)
            wait_for(lambda: sender.acknowledged > 0)
            first.kill()
        with process(site, *broker) as second:
            sender.wait()
            # the disk is full: nothing is acknowledged until there is room
            resource.prlimit(second.pid, resource.RLIMIT_FSIZE, (16_384, resource.RLIM_INFINITY))
            sender.send(300)
            wait_to_hear(second, "cannot be reached")
            assert sender.acknowledged == 300
            resource.prlimit(second.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            sender.wait()
        sender.close()
        assert site.run("verify") == {"observations": 600, "rejected": 0}


@contextmanager
def mosquitto(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A broker of one's own as docs/operations/mqtt.md sets it up, killed at the end."""
    command = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    if not Path(command).exists():
        pytest.skip("no Mosquitto")
    settings = folder / "mosquitto.conf"
    settings.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\npersistence true\n"
        f"persistence_location {folder}/\nautosave_on_changes true\nautosave_interval 1\nmax_queued_messages 0\n"
    )
    started = subprocess.Popen([command, "-c", str(settings)], stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: answers(port))
        yield started
    finally:
        started.kill()
        started.wait()


@contextmanager
def away(url: str) -> Iterator[None]:
    """The database takes nobody in, and those who were in are thrown out."""
    name = url.rpartition("/")[2]
    with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as server:
        server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        try:
            yield
        finally:
            server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


@pytest.mark.slow
@pytest.mark.postgresql
def test_those_who_share_a_subscription_lose_nothing(tmp_path: Path) -> None:
    port = free_port()
    url = f"mqtt://127.0.0.1:{port}"
    with ExitStack() as stack:
        site = stack.enter_context(site_on("postgresql", tmp_path, SCRIPT))
        broker = stack.enter_context(mosquitto(tmp_path, port))
        stays = stack.enter_context(process(site, "mqtt", "listen", "--name", "1", "--url", url))
        killed = stack.enter_context(process(site, "mqtt", "listen", "--name", "2", "--url", url))
        sender = Sender(port)
        sender.send(400)
        wait_for(lambda: sender.acknowledged > 100)
        killed.kill()
        sender.send(400)
        with away(site.environment["YIWANG_DATABASE_URL"]):
            sender.send(400)
            sender.wait()
            wait_to_hear(stays, "cannot be reached")
        back = stack.enter_context(process(site, "mqtt", "listen", "--name", "2", "--url", url))
        wait_for(lambda: site.run("verify")["observations"] == 1200)
        broker.kill()  # at rest: what Mosquitto loses while it delivers is its own, see docs/operations/mqtt.md
        for one in (stays, back):
            wait_to_hear(one, "is away")
        stack.enter_context(mosquitto(tmp_path, port))
        for one in (stays, back):
            wait_to_hear(one, "is there again")
        sender.send(400)
        sender.wait()
        sender.close()
        wait_for(lambda: site.run("verify")["observations"] == 1600)
        assert site.run("verify")["rejected"] == 0
