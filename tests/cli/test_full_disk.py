"""A disk without room, for real: a limit on the size of files, `/dev/full`, and PostgreSQL's own code for it.

A file that may not grow fails the way a full disk does (EFBIG instead of ENOSPC), needs no rights, and ends with the process.
"""

from __future__ import annotations

import errno
import io
import os
import resource
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest
from django import db
from PIL import Image
from tests.cli.test_backup import MINI, Place
from tests.cli.test_serving import free_port, wait_for_answer
from tests.postgresql import SERVER, missing_postgresql

from yiwang.server.common.faults import is_full

NO_ROOM = "There is no room left on the disk"
linux = pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="only Linux has /dev/full and limits of running processes"
)


# --- which faults are meant ---------------------------------------------------------------------------------------


def raised_by(cause: Exception) -> Exception:
    """As the framework hands a driver's fault on."""
    made = db.OperationalError(str(cause))
    made.__cause__ = cause
    return made


def of_sqlite(name: str, words: str) -> sqlite3.OperationalError:
    made = sqlite3.OperationalError(words)
    made.sqlite_errorname = name
    return made


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(errno.ENOSPC, "no"), True),
        (OSError(errno.EDQUOT, "no"), True),
        (OSError(errno.EFBIG, "no"), True),
        (OSError(errno.EACCES, "no"), False),
        (of_sqlite("SQLITE_FULL", "database or disk is full"), True),
        (raised_by(of_sqlite("SQLITE_FULL", "database or disk is full")), True),
        (raised_by(of_sqlite("SQLITE_IOERR_WRITE", "disk I/O error")), True),
        (raised_by(of_sqlite("SQLITE_IOERR_READ", "disk I/O error")), False),
        (raised_by(of_sqlite("SQLITE_BUSY", "database is locked")), False),
        (psycopg.errors.DiskFull("设备上没有空间"), True),
        (raised_by(psycopg.errors.DiskFull("设备上没有空间")), True),
        (raised_by(psycopg.errors.AdminShutdown("terminating connection")), False),
        (ValueError("the glass is full"), False),
        (None, False),
    ],
)
def test_only_a_full_disk_is_one(error: Exception | None, full: bool) -> None:
    assert is_full(error) is full


def test_sqlites_own_fault_is_known() -> None:
    with sqlite3.connect(":memory:") as database:
        database.execute("PRAGMA max_page_count = 2")
        database.execute("CREATE TABLE t (x)")
        with pytest.raises(sqlite3.OperationalError) as caught:
            database.execute("INSERT INTO t VALUES (zeroblob(100000))")
    assert is_full(caught.value)


@pytest.mark.postgresql
def test_postgresqls_own_fault_is_known_in_any_language() -> None:
    if missing := missing_postgresql():
        pytest.skip(missing)
    raising = "DO $$ BEGIN RAISE EXCEPTION '设备上没有空间' USING ERRCODE = 'disk_full'; END $$"
    with psycopg.connect(f"{SERVER}/postgres") as database, pytest.raises(psycopg.Error) as caught:
        database.execute(raising)
    assert is_full(caught.value)
    assert is_full(raised_by(caught.value))


# --- commands -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A site with three cases."""
    place = Place(tmp_path_factory.mktemp("full") / "home")
    place.fill()
    return place


def limited(most_bytes: int) -> Callable[[], None]:
    """What a new process calls so that no file of its may become larger."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))


def command(place: Place, *arguments: object, **how: Any) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "YIWANG_HOME": str(place.home)}
    environment.pop("YIWANG_DATABASE_URL", None)
    if place.database:
        environment["YIWANG_DATABASE_URL"] = place.database
    how = {"stdout": subprocess.PIPE, **how}
    return subprocess.run(
        [sys.executable, "-m", "yiwang.cli", *map(str, arguments)],
        env=environment, stderr=subprocess.PIPE, text=True, check=False, **how,
    )  # fmt: skip


def one_sentence(done: subprocess.CompletedProcess[str]) -> None:
    assert "Traceback" not in done.stderr, done.stderr[-3000:]
    assert "Exception ignored" not in done.stderr, done.stderr[-3000:]
    assert done.returncode == 1, done.stderr
    told = [line for line in done.stderr.splitlines() if line.startswith("yiwang: ")]
    assert len(told) == 1, done.stderr
    assert NO_ROOM in told[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("most_bytes", "arguments"),
    [
        (4096, ("backup", "{new}/backup.zip")),  # SQLite's snapshot does not fit
        (2_000_000, ("backup", "{new}/backup.zip")),  # the snapshot does, what is packed does not
        (0, ("pack", "install", MINI)),
        (0, ("cases", "rebuild", "mini")),
        (0, ("export", "mini", "parquet", "{new}/facts")),
        (0, ("export", "mini", "xes", "{new}/log.xes")),
        (0, ("export", "mini", "xes", "{new}/log.xes.gz")),
        (0, ("export", "mini", "ocel", "{new}/log.sqlite")),
        (0, ("export", "mini", "ocel", "{new}/log.json")),
        (0, ("export", "mini", "pnml", "{new}/net.pnml")),
        (0, ("token", "create", "--user", "keeper")),
        (0, ("manage", "createcachetable", "full")),
        (0, ("worker",)),
    ],
    ids=lambda value: (
        "-".join(str(part).rpartition("/")[2] for part in value) if isinstance(value, tuple) else str(value)
    ),
)
def test_a_command_without_room_says_one_sentence(
    city: Place, tmp_path: Path, most_bytes: int, arguments: tuple[object, ...]
) -> None:
    if most_bytes == 2_000_000:
        noise = city.home / "photos" / "noise.bin"
        noise.write_bytes(os.urandom(3_000_000))
    called = [str(part).format(new=tmp_path) for part in arguments]
    done = command(city, *called, preexec_fn=limited(most_bytes), timeout=60)
    one_sentence(done)
    assert not list(tmp_path.glob("*.zip")), "nothing that looks like a backup is left"
    assert not list(city.home.glob(".backup-*")), "nor a snapshot"
    assert city.cases() == 3


@linux
@pytest.mark.parametrize("arguments", [("ledger", "verify", "--json"), ("pack", "check", str(MINI), "--json")])
@pytest.mark.slow
def test_an_output_without_room_is_said_once(city: Place, arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        one_sentence(command(city, *arguments, stdout=full))


# --- the site -----------------------------------------------------------------------------------------------------

_SIGN_IN = """
import os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yiwang.server.settings")
import django; django.setup()
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from yiwang.server.people.models import RoleAssignment, User
user = User.objects.create_user("walker", password="a long enough one")
RoleAssignment.objects.create(user=user, city="mini", role="inspector", unit="CTR-9001")
session = SessionStore()
session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session.create()
print(session.session_key)
"""
SAID = {"text": "垃圾", "category": "02001", "lon": 120.003, "lat": 31.003}


def noise(side: int) -> tuple[str, bytes, str]:
    """A picture that is new, as a form sends it."""
    picture = io.BytesIO()
    Image.effect_noise((side, side), 90).save(picture, "JPEG", quality=95)
    return ("p.jpg", picture.getvalue(), "image/jpeg")


class Served:
    """A site that runs, somebody who is signed in, and the disk under it."""

    def __init__(self, city: Place, url: str, process: subprocess.Popen[str]) -> None:
        self.processes = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        session = city.must(code=_SIGN_IN).stdout.strip()
        self.client = httpx.Client(base_url=url, cookies={"sessionid": session}, timeout=60)
        self.csrf = self.client.get("/mini/field/session.json").json()["csrf"]

    def may_grow_to(self, most_bytes: int) -> None:
        """No file of the site may become larger; -1 for any size."""
        for process in self.processes:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY))

    def asked(self) -> dict[str, httpx.Response]:
        """One of everything that writes."""
        small, large = (noise(side) for side in (60, 900))  # of a large body a part waits in a file before it is read
        fields = {name: str(value) for name, value in SAID.items()}
        form = {**fields, "key": uuid.uuid4().hex, "seen": "1", "csrfmiddlewaretoken": self.csrf}
        headers = {"X-CSRFToken": self.csrf, "Idempotency-Key": uuid.uuid4().hex}
        another = {**headers, "Idempotency-Key": uuid.uuid4().hex}
        return {
            "API": self.client.post("/api/v1/cities/mini/reports", json=SAID, headers={"X-CSRFToken": self.csrf}),
            "page": self.client.post("/mini/portal/report", data=form, headers={"Referer": str(self.client.base_url)}),
            "page with photo": self.client.post("/mini/portal/report", data={**form, "key": uuid.uuid4().hex}, files={"photos": large}),
            "field": self.client.post("/mini/field/reports", data=fields, headers=headers),
            "photo in a form": self.client.post("/mini/field/reports", data=fields, files={"photo": small}, headers=another),
            "photo ahead": self.client.post("/mini/field/photos", files={"photo": small}, headers=headers),
        }  # fmt: skip


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    place, port = Place(tmp_path / "home"), free_port()
    place.fill()
    environment = {**os.environ, "YIWANG_HOME": str(place.home), "YIWANG_REPORTS_PER_MINUTE": "0"}
    for name in ("YIWANG_DATABASE_URL", "PYTHONDONTWRITEBYTECODE"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "yiwang.cli", "serve", "--port", str(port), "--workers", "1"]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
    )
    url = f"http://127.0.0.1:{port}"
    try:
        assert wait_for_answer(f"{url}/healthz", process) == 200
        yield Served(place, url, process)
    finally:
        for each in (*psutil.Process(process.pid).children(recursive=True), process):
            each.kill()
        process.wait()


@linux
@pytest.mark.slow
def test_a_site_whose_disk_is_full_says_so_on_every_face_and_goes_on_when_there_is_room(served: Served) -> None:
    assert {name: answer.status_code for name, answer in served.asked().items()} == {
        "API": 201, "page": 201, "page with photo": 201, "field": 201, "photo in a form": 201, "photo ahead": 201,
    }  # fmt: skip
    served.may_grow_to(1)
    answers = served.asked()
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(answers, 503)
    for name, answer in answers.items():
        assert "空间已满" in answer.text, name
        assert int(answer.headers["Retry-After"]) > 0, name
    assert answers["API"].headers["Content-Type"] == "application/problem+json"
    ready = served.client.get("/readyz")
    assert ready.status_code == 503
    assert "cannot be written" in ready.json()["checks"]["disk"]
    assert served.client.get("/mini/portal").status_code == 200, "what only reads goes on"
    served.may_grow_to(-1)
    again = served.asked()
    assert {answer.status_code for answer in again.values()} == {201}, again
    assert served.client.get("/readyz").json()["checks"]["disk"] == "ok"
