"""A site to measure: a database of its own, the toy city installed, granian with two workers as `yiwang serve` runs it."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from yiwang.cli.processes import site_command

ROOT = Path(__file__).resolve().parent.parent
SERVER = os.environ.get("YIWANG_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432")
WORKERS = 2


@contextlib.contextmanager
def database(kind: str) -> Iterator[dict[str, str]]:
    """The environment of a new, empty database: ``sqlite`` or ``postgresql``."""
    home = tempfile.mkdtemp(prefix="yiwang-bench-")
    environment = {
        **os.environ,
        "YIWANG_HOME": home,
        "YIWANG_DATABASE_URL": "",
        "YIWANG_REPORTS_PER_MINUTE": "0",
        "DJANGO_SETTINGS_MODULE": "yiwang.server.settings",
        "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
    }
    try:
        if kind == "sqlite":
            yield environment
            return
        import psycopg

        name = f"yiwang_bench_{os.getpid()}"
        with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as server:
            server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            server.execute(f'CREATE DATABASE "{name}"')
            try:
                yield {**environment, "YIWANG_DATABASE_URL": f"{SERVER}/{name}"}
            finally:
                server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        shutil.rmtree(home, ignore_errors=True)


def in_process(environment: dict[str, str], *arguments: str, script: str = "_steps.py") -> str:
    """Run one of the modes of ``bench/_steps.py``, or another script beside it, in a process of its own; its last line."""
    command = [sys.executable, str(ROOT / "bench" / script), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed:\n{done.stderr[-3000:]}")
    return done.stdout.splitlines()[-1] if done.stdout.strip() else ""


@contextlib.contextmanager
def served(environment: dict[str, str]) -> Iterator[str]:
    """The address of the site while it runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = site_command(host="127.0.0.1", port=port, workers=WORKERS)
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{base}/healthz", timeout=1)
                break
            time.sleep(0.1)
        yield base
    finally:
        process.terminate()
        process.wait(timeout=20)
