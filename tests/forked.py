"""Processes that are forked from one that has loaded their script: to start Django takes a second, to fork some milliseconds.

They are processes like others, with connections of their own, and can be killed. A script has ``MODES``: a name for each thing
that a process can do, and a function that does it and gives what is printed as one line of JSON.
"""

from __future__ import annotations

import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Modes = Mapping[str, Callable[..., Any]]


class Forked:
    """A process, with what `subprocess.Popen` has of it.

    Attributes:
        pid: Its number.
        stdout: What it prints; what it says of errors comes with `communicate`.
        returncode: As of `Popen`; None while it runs or has not been asked for.
    """

    def __init__(self, stdout: int, state: int, errors: int) -> None:
        self.stdout = os.fdopen(stdout, encoding="utf-8")
        self.returncode: int | None = None
        self._state = os.fdopen(state, encoding="ascii")
        self._errors = os.fdopen(errors, "rb")
        self.pid = int(self._state.readline())

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def poll(self) -> int | None:
        """How it ended; None while it runs."""
        if self.returncode is None and select.select([self._state], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def wait(self) -> int:
        """How it ended, once it has."""
        if self.returncode is None:
            self.returncode = int(self._state.readline())
        return self.returncode

    def communicate(self, timeout: float = 240) -> tuple[str, str]:
        """What else it prints, and what it said of errors, once it has ended; it is killed after so many seconds."""
        late = threading.Timer(timeout, self.kill)
        late.start()
        try:
            said = self.stdout.read()
            self.wait()
        finally:
            late.cancel()
        self._errors.seek(0)
        errors = self._errors.read().decode(errors="replace")
        for one in (self.stdout, self._state, self._errors):
            one.close()
        return said, errors


class Nursery:
    """The process from which others are forked."""

    def __init__(self, script: Path, environment: Mapping[str, str]) -> None:
        self._channel, theirs = socket.socketpair()
        command = [sys.executable, __file__, str(script), str(theirs.fileno())]
        self._process = subprocess.Popen(command, env=environment, pass_fds=[theirs.fileno()])
        theirs.close()

    def start(self, *arguments: str) -> Forked:
        """Start a process: the name of a mode, and what its function is given."""
        stdout, printed = os.pipe()
        state, told = os.pipe()
        errors, path = tempfile.mkstemp()
        os.unlink(path)
        socket.send_fds(self._channel, [json.dumps(arguments).encode()], [printed, told, errors])
        os.close(printed)
        os.close(told)
        assert self._channel.recv(1), "the script could not be loaded"
        return Forked(stdout, state, errors)

    def close(self) -> None:
        """End it. What has been forked goes on."""
        self._channel.close()
        self._process.wait(timeout=60)


def _serve(script: str, channel: socket.socket) -> None:
    modes: Modes = runpy.run_path(script, run_name="loaded")["MODES"]
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that keep watch
    while True:
        said, files, _, _ = socket.recv_fds(channel, 65536, 3)
        if not said:
            return
        if os.fork() == 0:
            channel.close()
            if _watch(*files):
                print(json.dumps(_done(modes, *json.loads(said))), flush=True)
            return
        for one in files:
            os.close(one)
        channel.send(b".")


def _watch(printed: int, told: int, errors: int) -> bool:
    """True in the process that is to work; the one beside it tells its number and how it ends, and ends with it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        os.dup2(printed, 1)
        os.dup2(errors, 2)
        for one in (printed, told, errors):
            os.close(one)
        return True
    os.close(printed)
    os.close(errors)
    os.write(told, f"{pid}\n".encode())
    _, status = os.waitpid(pid, 0)
    os.write(told, f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _done(modes: Modes, mode: str, *arguments: str) -> Any:
    return modes[mode](*arguments)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[2])) as _channel:
        _serve(sys.argv[1], _channel)
