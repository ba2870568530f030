"""A real site on the toy city, people at its desks, and what the browser tests share; the fixtures are in `tests/fixtures/browser.py`."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import BrowserContext, Geolocation, Page, ViewportSize
from tests.migrated import sqlite_file
from tests.toy_city import MINI

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PEOPLE = {
    "intake": "CTR-9001",
    "leader": "CTR-9001",
    "dispatcher": "CTR-9001",
    "inspector": "CTR-9001",
    "handler": "SWEEP-9001",
}
PASSWORD = "a-password-for-tests"
PREPARE = f"""
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from yiwang.server.provision.operations import install_pack
from yiwang.server.people.operations import create_person
install_pack({str(MINI)!r})
for role, unit in {PEOPLE!r}.items():
    create_person(
        username=f"mini-{{role}}", password={PASSWORD!r}, name=role, name_en=role, city="mini", roles={{role: (unit, "")}}, demo=False
    )
"""


Opener = Callable[..., Page]
Phone = Callable[..., tuple[BrowserContext, Page]]
PHONE: ViewportSize = {"width": 390, "height": 844}
HERE: Geolocation = {"longitude": 120.004, "latitude": 31.004, "accuracy": 12}

SITE: dict[str, str] = {}  # the running site's environment, for commands beside it


@contextmanager
def running_site(home: Path, *, prepare: str, application: str = "yiwang.server.rsgi:site") -> Iterator[str]:
    """Address of a site of its own in a folder, which the Python text ``prepare`` has filled; modules in the folder are found."""
    environment = environment_of(home)
    home.mkdir(exist_ok=True)
    shutil.copy(sqlite_file(), home)
    run_in(home, prepare)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "rsgi",
        "--port",
        str(port),
        application,
    ]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"
    try:
        _wait_for(base)
        yield base
    finally:
        process.terminate()
        process.wait(timeout=20)


def environment_of(home: Path) -> dict[str, str]:
    """What a process of the site in a folder is started with."""
    environment = {
        **os.environ,
        "YIWANG_HOME": str(home),
        "DJANGO_SETTINGS_MODULE": "yiwang.server.settings",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(home)]),
    }
    environment.pop("YIWANG_DATABASE_URL", None)
    return environment


def run_in(home: Path, code: str) -> None:
    """Run a Python text in the site of a folder, as a worker would."""
    subprocess.run([sys.executable, "-c", code], env=environment_of(home), check=True)


def _wait_for(base: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            if urllib.request.urlopen(f"{base}/healthz", timeout=2).status == 200:
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise RuntimeError(f"the site at {base} did not come up")


def serious(page: Page) -> list[str]:
    """What axe-core finds on a page that is serious or worse, each with the first place."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [
        f"{fault['id']}: {fault['nodes'][0]['html'][:160]}"
        for fault in found
        if fault["impact"] in {"serious", "critical"}
    ]


class Desk:
    """Somebody at a desk, without a browser."""

    def __init__(self, site: str, role: str) -> None:
        self.http = httpx.Client(base_url=site, follow_redirects=True, timeout=30)
        self.http.get("/sign-in")
        said = {"username": f"mini-{role}", "password": PASSWORD, "csrfmiddlewaretoken": self.http.cookies["csrftoken"]}
        assert self.http.post("/sign-in", data=said).is_success

    def do(self, path: str, **fields: str) -> dict[str, Any]:
        token = self.http.get("/mini/field/session.json").json()["csrf"]
        headers = {"X-CSRFToken": token, "Idempotency-Key": str(uuid.uuid4())}
        answer = self.http.post(f"/mini/field/{path}", data={**fields, "x": ""}, headers=headers)
        assert answer.is_success, answer.text
        return dict(answer.json())

    def act(self, number: str, verb: str, **fields: str) -> None:
        seq = self.http.get(f"/api/v1/cases/{number}").json()["seq"]
        self.do(f"cases/{number}/{verb}", seq=str(seq), **fields)

    def events(self, number: str) -> list[dict[str, Any]]:
        return list(self.http.get(f"/api/v1/cases/{number}/events").json()["items"])

    def cases(self) -> list[dict[str, Any]]:
        return list(self.http.get("/api/v1/cities/mini/cases?limit=200").json()["items"])
