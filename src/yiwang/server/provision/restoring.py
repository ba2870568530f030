"""Restore: a backup brought back, after every member's hash, the row counts and the ledger were checked.

The files are laid out beside the old ones first. SQLite's database is verified in a process that looks at the laid-out copy only;
PostgreSQL's is verified inside the transaction that fills it. So a backup that fails leaves everything as it was.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from yiwang.server.cities import queries as places
from yiwang.server.common.environment import private, sqlite
from yiwang.server.ledger import api as logs
from yiwang.server.provision.backup import (
    FILES,
    FORMAT,
    MANIFEST,
    PIECE,
    SQLITE_MEMBER,
    TABLES,
    BackupError,
    Progress,
    Summary,
    pieces_of,
    sqlite_counts,
    summary_of,
    tables_of_database,
)
from yiwang.server.verification import ledger

# Tables whose rows are nobody's data when asking whether a database is empty.
_ALWAYS_FILLED = ("django_migrations", "django_content_type", "auth_permission")
_STAGING = ".restore-"
# Run beside us on the laid-out copy: bring it up to date, then verify its history.
_VERIFY = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "yiwang.server.settings"
import django
django.setup()
from django.core.management import call_command
call_command("migrate", interactive=False, verbosity=0)
from yiwang.server.provision.restoring import first_fault
raise SystemExit(first_fault() or 0)
"""


def restore(path: Path, *, replace: bool = False, progress: Progress | None = None) -> Summary:
    """Bring a backup back. The site and the worker must be stopped.

    Args:
        path: What :func:`yiwang.server.provision.backup.backup` wrote.
        replace: Take the place of data that is there. The files, and SQLite's database, are put aside, not deleted.
        progress: Told how many members of how many have been checked.

    Raises:
        BackupError: the file is damaged, of another engine or version, its history does not verify, or there is data and
            ``replace`` is not set. Nothing was changed then.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = _manifest(archive)
            _check_members(archive, manifest, progress)
            _check_fit(manifest)
            if not replace and _has_data():
                raise BackupError("There is data already. Give --replace to put it aside and take the backup instead.")
            aside = _bring_back(archive, manifest, keep=replace)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise BackupError(f"{path} is damaged: {error}.") from error
    places.forget()
    return summary_of(manifest, path, replaced=aside)


# --- checking ---------------------------------------------------------------------------------------------------------


def _manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(archive.read(MANIFEST))
    except (KeyError, ValueError) as error:
        raise BackupError("The file is no backup of Yiwang.") from error
    if manifest.get("format") != FORMAT:
        raise BackupError(f"The backup has format {manifest.get('format')!r}; this version reads format {FORMAT}.")
    return manifest


def _check_members(archive: zipfile.ZipFile, manifest: dict[str, Any], progress: Progress | None) -> None:
    digests: dict[str, str] = manifest["sha256"]
    present = set(archive.namelist()) - {MANIFEST}
    for name in sorted(set(digests) ^ present):
        state = "is missing" if name in digests else "does not belong to it"
        raise BackupError(f"The backup is damaged: {name} {state}.")
    for done, (name, wanted) in enumerate(digests.items(), start=1):
        digest = hashlib.sha256()
        with archive.open(name) as member:
            _pour(member, digest.update)
        if digest.hexdigest() != wanted:
            raise BackupError(f"The backup is damaged: {name} is not what was written.")
        if progress:
            progress(done, len(digests))


def _check_fit(manifest: dict[str, Any]) -> None:
    if manifest["engine"] != connection.vendor:
        wanted = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(manifest["engine"], manifest["engine"])
        raise BackupError(f"The backup is of a {wanted} database, and YIWANG_DATABASE_URL names another kind.")
    known = {f"{app}.{name}" for app, name in MigrationExecutor(connection).loader.disk_migrations}
    newer = sorted(set(manifest["migrations"]) - known)
    if newer:
        raise BackupError(
            f"The backup was made by a newer version ({manifest['yiwang']}; it knows {newer[0]}). Upgrade first."
        )
    if connection.vendor != "sqlite" and known - set(manifest["migrations"]):
        raise BackupError(
            f"The backup was made by version {manifest['yiwang']}; restore it with that version, then upgrade."
        )


def _has_data() -> bool:
    if any((settings.YIWANG_HOME / name).exists() for name in ("packs", "photos")):
        return True
    with connection.cursor() as cursor:
        for name in tables_of_database():
            if name not in _ALWAYS_FILLED and not name.startswith("cases_words"):  # the index has rows of its own
                cursor.execute(f'SELECT 1 FROM "{name}" LIMIT 1')  # noqa: S608 - names of tables
                if cursor.fetchone():
                    return True
    return False


def _compare(wanted: dict[str, int], got: dict[str, int]) -> None:
    for name in sorted(wanted):
        if wanted[name] != got.get(name):
            raise BackupError(f"The backup is damaged: {name} has {got.get(name)} rows instead of {wanted[name]}.")


# --- putting in place -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Files:
    """Puts what a backup brings into the data folder, and can take it back."""

    laid_out: Path
    keep: bool
    aside: Path = field(default_factory=lambda: settings.YIWANG_HOME / f"replaced-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
    moved: list[tuple[Path, Path]] = field(default_factory=list)

    def put(self) -> None:
        for entry in sorted(self.laid_out.iterdir()):
            target = settings.YIWANG_HOME / entry.name
            if target.exists():
                self._move(target, self.put_aside(entry.name))
            self._move(entry, target)

    def put_aside(self, name: str) -> Path:
        """Where something that is replaced goes. What is not to be kept (a fresh secret key) vanishes with the staging."""
        base = self.aside if self.keep else self.laid_out.parent / "dropped"
        base.mkdir(exist_ok=True)
        private(base)
        return base / name

    def take_back(self) -> None:
        for source, target in reversed(self.moved):
            shutil.move(target, source)
        if self.aside.is_dir() and not any(self.aside.iterdir()):
            self.aside.rmdir()

    @property
    def aside_path(self) -> str:
        return str(self.aside) if self.aside.is_dir() else ""

    def _move(self, source: Path, target: Path) -> None:
        shutil.move(source, target)
        self.moved.append((source, target))


def _bring_back(archive: zipfile.ZipFile, manifest: dict[str, Any], *, keep: bool) -> str:
    with _alone(), tempfile.TemporaryDirectory(dir=settings.YIWANG_HOME, prefix=_STAGING) as folder:
        laid_out = Path(folder, "home")
        laid_out.mkdir()
        for name in manifest["sha256"]:
            if name.startswith(f"{FILES}/"):
                _extract(archive, name, _inside(laid_out, name.removeprefix(f"{FILES}/")))
        files = _Files(laid_out=laid_out, keep=keep)
        bring = _bring_sqlite if manifest["engine"] == "sqlite" else _bring_postgresql
        try:
            bring(archive, manifest, files)
        except BaseException:
            files.take_back()
            places.forget()
            raise
        return files.aside_path


@contextmanager
def _alone() -> Iterator[None]:
    """One restore at a time. What an interrupted one laid out is of no use: the next one begins anew, so it is removed."""
    home: Path = settings.YIWANG_HOME
    descriptor = os.open(home, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError("Another restore into this data folder is under way; wait until it has ended.") from None
        for left in home.glob(f"{_STAGING}*"):
            shutil.rmtree(left)
        yield
    finally:
        os.close(descriptor)


def _inside(base: Path, name: str) -> Path:
    target = (base / name).resolve()
    if not target.is_relative_to(base.resolve()):
        raise BackupError(f"The backup is damaged: {name} lies outside the data folder.")
    return target


def _extract(archive: zipfile.ZipFile, name: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # all of it is as private as the backup
    with archive.open(name) as source, os.fdopen(descriptor, "wb") as out:
        shutil.copyfileobj(source, out, PIECE)


def _bring_sqlite(archive: zipfile.ZipFile, manifest: dict[str, Any], files: _Files) -> None:
    database = files.laid_out.parent / SQLITE_MEMBER
    _extract(archive, SQLITE_MEMBER, database)
    with closing(sqlite3.connect(database)) as opened:
        state = opened.execute("PRAGMA integrity_check").fetchone()[0]
        if state != "ok":
            raise BackupError(f"The backup's database is damaged: {state}.")
        _compare(manifest["tables"], sqlite_counts(opened))
    _verify_apart(database, files.laid_out)
    target = Path(str(connection.settings_dict["NAME"]))
    connection.close()
    if files.keep and target.is_file():
        _copy_database(target, files.put_aside(target.name))
    files.put()
    _copy_database(database, target)


def _copy_database(source: Path, target: Path) -> None:
    """By SQLite's own backup: whole, and other processes that have the target open see all of it or nothing."""
    sqlite(target)  # made, or made private, before anything is in it
    with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(target)) as written:
        read.backup(written)


def _verify_apart(database: Path, home: Path) -> None:
    environment = {**os.environ, "YIWANG_HOME": str(home), "YIWANG_DATABASE_URL": f"sqlite:///{database}"}
    command = [sys.executable, "-c", _VERIFY]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise BackupError(f"The backup's history does not verify: {said[-1] if said else f'code {done.returncode}'}")
    with closing(sqlite3.connect(database)) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _bring_postgresql(archive: zipfile.ZipFile, manifest: dict[str, Any], files: _Files) -> None:
    names = sorted(manifest["tables"])
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE " + ", ".join(f'"{name}"' for name in names))
        for name in names:
            columns = ", ".join(f'"{column}"' for column in json.loads(archive.read(f"{TABLES}/{name}.columns")))
            with (
                archive.open(f"{TABLES}/{name}") as member,
                cursor.copy(f'COPY "{name}" ({columns}) FROM STDIN') as copy,
            ):
                _pour(member, copy.write)
        _compare(manifest["tables"], {name: _count(cursor, name) for name in names})
        _reset_sequences(cursor)
        files.put()
        places.forget()
        fault = first_fault()
        if fault:
            raise BackupError(f"The backup's history does not verify: {fault}")


def first_fault() -> str:
    """The first thing in any city's ledger that does not fit, as a sentence; empty when all does."""
    for info in places.cities():
        fault = ledger.verify(city=info.id, most_faults=1).first
        if fault:
            return fault.sentence
        for found in logs.check_others(city=info.id, known={"cases"}).values():
            if found.faults:
                return found.faults[0].sentence
    return ""


def _pour(member: IO[bytes], write: Callable[[bytes], Any]) -> None:
    for piece in pieces_of(member):
        write(piece)


def _count(cursor: Any, table: str) -> int:
    cursor.execute(f'SELECT count(*) FROM "{table}"')  # noqa: S608 - names of tables
    return int(cursor.fetchone()[0])


def _reset_sequences(cursor: Any) -> None:
    """Every sequence goes on after the largest number in use."""
    for table in tables_of_database():
        for sequence in connection.introspection.get_sequences(cursor, table):
            column = sequence["column"]
            cursor.execute(
                f'SELECT setval(pg_get_serial_sequence(%s, %s), coalesce(max("{column}"), 1), max("{column}") IS NOT NULL) '  # noqa: S608
                f'FROM "{table}"',
                [f'"{table}"', column],
            )
