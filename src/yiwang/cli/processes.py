"""The site and the worker as child processes that start and stop together."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from yiwang.cli.output import Failed, say

_STOP_SECONDS = 20.0
_POLL_SECONDS = 0.2
_READY_SECONDS = 60.0
_RESTART_SECONDS = 3.0
# prctl(PR_SET_PDEATHSIG): Linux tells a child when its parent has died, however it died.
_PR_SET_PDEATHSIG = 1


def site_command(*, host: str, port: int, workers: int) -> list[str]:
    """The command that serves the site with granian (RSGI; `yiwang.server.rsgi` says why)."""
    return [
        sys.executable,
        "-m",
        "granian",
        "yiwang.server.rsgi:site",
        "--interface",
        "rsgi",
        "--host",
        host,
        "--port",
        str(port),
        "--workers",
        str(workers),
        "--backlog",
        "4096",
        "--backpressure",
        "4096",
        "--respawn-failed-workers",
        "--workers-kill-timeout",
        "10",
        "--no-ws",
        "--log-level",
        "warning",
    ]


def worker_command() -> list[str]:
    return [sys.executable, "-m", "yiwang.cli", "worker"]


def sensors_command(city: str) -> list[str]:
    """The command that lets the simulated sensors of a city read."""
    return [sys.executable, "-m", "yiwang.cli", "sensing", "simulate", city]


def broker_command(bind: str) -> list[str]:
    """The command that is the broker for sensors."""
    return [sys.executable, "-m", "yiwang.cli", "mqtt", "broker", "--bind", bind]


def listen_command() -> list[str]:
    """The command that takes up what comes to the broker of YIWANG_MQTT_URL."""
    return [sys.executable, "-m", "yiwang.cli", "mqtt", "listen"]


def free_port(wanted: int) -> int:
    """A port of this machine that nobody uses: the wanted one, or another."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def require_free_port(host: str, port: int) -> None:
    """A port in use becomes a sentence instead of a traceback of the server.

    Raises:
        Failed: somebody listens there already, or the address is not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Failed(
                f"Port {port} of {host} cannot be used ({error.strerror}). Choose another one with --port."
            ) from error


@dataclass(slots=True)
class _Child:
    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes]
    restart_at: float | None = None


@dataclass(slots=True)
class Family:
    """Children that live together: a signal to us stops all, and the end of an essential one too."""

    children: list[_Child] = field(default_factory=list)
    essential: set[str] = field(default_factory=set)
    stopping: bool = False
    earlier: dict[int, Any] = field(default_factory=dict)

    def start(self, name: str, command: Sequence[str], *, essential: bool) -> None:
        """Start a child; one that is not essential is started again when it ends by itself."""
        if not self.children:  # from the first child on a signal stops all, also before anybody waits for it
            self.earlier = {
                number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)
            }
        self.children.append(_Child(name=name, command=command, process=_spawn(command)))
        if essential:
            self.essential.add(name)

    def run(self) -> int:
        """Wait until a signal comes or an essential child ends; then stop all. The exit code for us."""
        try:
            while not self.stopping:
                for child in self.children:
                    if not self._look_after(child):
                        return 1
                time.sleep(_POLL_SECONDS)
            return 0
        finally:
            self.stop()
            for number, handler in self.earlier.items():
                signal.signal(number, handler)

    def is_alive(self, name: str) -> bool:
        return any(child.name == name and child.process.poll() is None for child in self.children)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def _look_after(self, child: _Child) -> bool:
        """Whether we can go on."""
        code = child.process.poll()
        if code is None:
            return True
        if child.name in self.essential:
            say(f"The {child.name} ended with code {code}; stopping.", style="red")
            return False
        if child.restart_at is None:
            say(f"The {child.name} ended with code {code}; starting it again.", style="yellow")
            child.restart_at = time.monotonic() + _RESTART_SECONDS
        elif time.monotonic() >= child.restart_at:
            child.process, child.restart_at = _spawn(child.command), None
        return True

    def stop(self) -> None:
        """Ask every child to end, and end those that do not."""
        for child in self.children:
            if child.process.poll() is None:
                child.process.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for child in self.children:
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()


def wait_until_ready(url: str, family: Family, name: str) -> None:
    """Wait until the site answers; gives up silently when the child ends or it takes too long (the log says why)."""
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and family.is_alive(name) and not family.stopping:
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=2) as answer:  # noqa: S310 - our own address
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(_POLL_SECONDS)


def _spawn(command: Sequence[str]) -> subprocess.Popen[bytes]:
    # A group of its own: Ctrl-C reaches only us, and we stop the children in order.
    return subprocess.Popen(  # noqa: S603 - our own commands
        list(command),
        start_new_session=True,
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,
    )


def _die_with_parent() -> None:
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    except (OSError, AttributeError):
        return
    if os.getppid() == 1:
        os._exit(1)
