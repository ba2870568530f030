"""Whether the outbox keeps up with intake: reports come over HTTP as fast as they are taken, while a worker sends.

Rows: dealt with a second, from the first report to the moment at which nothing waits any more, as a ratio to the reports taken a
second in the same run; both share the machine's cores. Letters: afterwards every report is followed by somebody with an
address, and all of them are written to over SMTP (`tests/mail_server.py`, in a process of its own); the ratio is to the letters that
the run's intake asks for when one report in twenty is followed.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from bench._site import ROOT, database, in_process, served
from bench._wrk import SECONDS
from bench.server import REPORT, _load
from yiwang.cli.processes import worker_command

ONE_IN = 20
PATIENCE_SECONDS = 300.0


def run() -> list[dict[str, Any]]:
    return [row for kind in ("sqlite", "postgresql") for row in _kept_up(kind)]


def _kept_up(kind: str) -> list[dict[str, Any]]:
    with database(kind) as environment:
        in_process(environment, "install")
        with served(environment) as base, _started(worker_command(), environment):
            begun = time.monotonic()
            taken, _ = _load(base, ["/api/v1/cities/mini/reports"], REPORT, "")
            waiting = _told(environment)["left"]
            while (told := _told(environment))["left"] and time.monotonic() < begun + PATIENCE_SECONDS:
                time.sleep(0.2)
        if told["left"]:
            raise AssertionError(f"{told['left']} rows still wait after {PATIENCE_SECONDS:.0f} s")
        with _started([sys.executable, "-m", "tests.mail_server"], environment) as postbox:
            assert postbox.stdout is not None
            smtp = {**environment, "YIWANG_EMAIL_URL": f"smtp://127.0.0.1:{postbox.stdout.readline().strip()}"}
            letters = json.loads(in_process(smtp, "letters"))
    return [
        _row(
            f"outbox rows dealt with while reports come in, one worker, {kind}", told["sent"] / told["seconds"], taken,
            f"reports taken in the same run: {taken:.0f}/s for {SECONDS} s, {waiting:.0f} rows waited at their end",
        ),
        _row(
            f"letters to followers over SMTP, {kind}", letters["per_second"], taken / ONE_IN,
            f"one in {ONE_IN} of these reports: {taken / ONE_IN:.0f}/s",
        ),
    ]  # fmt: skip


def _row(name: str, value: float, peer: float, said: str) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": "/s", "peer": said, "ratio": value / peer}


def _told(environment: dict[str, str]) -> dict[str, float]:
    found: dict[str, float] = json.loads(in_process(environment, "told"))
    return found


@contextlib.contextmanager
def _started(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        command, env=environment, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=30)
