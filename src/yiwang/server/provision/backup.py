"""Backup: the whole database and the data folder in one ZIP file.

The database is a snapshot: SQLite's online backup, or PostgreSQL's COPY in one repeatable-read transaction, so the site may go
on. Files are named by their content or version and written before the rows that refer to them, so copying them after the
snapshot misses none. :mod:`yiwang.server.provision.restoring` brings it back, checked.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder

from yiwang.core.kernel.errors import YiwangError
from yiwang.server.common.app import installed_apps

FORMAT = 1
MANIFEST = "manifest.json"
SQLITE_MEMBER = "database.sqlite3"
TABLES = "tables"
FILES = "files"
# Not data: what can be made again, and what is being written.
_LEFT_OUT_STARTS = (".", "replaced-")
PIECE = 1 << 20

Progress = Callable[[int, int], None]


class BackupError(YiwangError):
    """A backup that cannot be made, or a file that cannot be restored; nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a backup holds, or what was restored.

    Attributes:
        engine: ``sqlite`` or ``postgresql``.
        made_at: When the snapshot was taken.
        tables: Rows by table.
        files: Number of files of the data folder.
        bytes: Size of the ZIP file.
        cases, events: Counted from the tables.
        replaced: Where the former data was put aside, if there was any.
    """

    engine: str
    made_at: str
    tables: dict[str, int]
    files: int
    bytes: int
    replaced: str = ""

    @property
    def cases(self) -> int:
        return self.tables.get("cases_case", 0)

    @property
    def events(self) -> int:
        return self.tables.get("cases_event", 0)

    def to_dict(self) -> dict[str, Any]:
        return {
            "engine": self.engine,
            "made_at": self.made_at,
            "cases": self.cases,
            "events": self.events,
            "tables": self.tables,
            "files": self.files,
            "bytes": self.bytes,
            "replaced": self.replaced,
        }


# --- making -----------------------------------------------------------------------------------------------------------


def backup(path: Path, *, progress: Progress | None = None) -> Summary:
    """Write everything into one ZIP file, readable by its owner only (it holds the secret key).

    Args:
        path: The file; it must not exist.
        progress: Told how many files of how many are in it.

    Raises:
        BackupError: the file exists already, or its folder is missing.
    """
    if path.exists():
        raise BackupError(f"{path} exists already; name a new file.")
    if not path.parent.is_dir():
        raise BackupError(f"There is no folder {path.parent}.")
    descriptor, partial = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with (
            os.fdopen(descriptor, "wb") as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive,
        ):
            manifest = _write(_Writer(archive), progress)
        Path(partial).rename(path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise
    return summary_of(manifest, path)


def _write(writer: _Writer, progress: Progress | None) -> dict[str, Any]:
    made_at = datetime.now(UTC).isoformat()
    engine = connection.vendor
    if engine == "sqlite":
        tables = _write_sqlite(writer)
    elif engine == "postgresql":
        tables = _write_postgresql(writer)
    else:
        raise BackupError(f"The database {engine!r} cannot be backed up.")
    names = list(_data_files())
    for done, name in enumerate(names, start=1):
        with (settings.YIWANG_HOME / name).open("rb") as source:
            writer.add(f"{FILES}/{name}", pieces_of(source))
        if progress:
            progress(done, len(names))
    manifest = {
        "format": FORMAT,
        "yiwang": version("yiwang"),
        "engine": engine,
        "made_at": made_at,
        "migrations": sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations()),
        "tables": tables,
        "files": len(names),
        "sha256": writer.digests,
    }
    writer.archive.writestr(MANIFEST, json.dumps(manifest, indent=1, sort_keys=True))
    return manifest


class _Writer:
    """Adds members to an archive and remembers their hashes."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.digests: dict[str, str] = {}

    def add(self, name: str, pieces: Iterator[bytes | memoryview]) -> None:
        digest = hashlib.sha256()
        with self.archive.open(name, "w", force_zip64=True) as member:
            for piece in pieces:
                digest.update(piece)
                member.write(piece)
        self.digests[name] = digest.hexdigest()


def pieces_of(source: IO[bytes]) -> Iterator[bytes]:
    """A file's content, a piece at a time."""
    while piece := source.read(PIECE):
        yield piece


def _write_sqlite(writer: _Writer) -> dict[str, int]:
    connection.ensure_connection()
    with tempfile.TemporaryDirectory(dir=settings.YIWANG_HOME, prefix=".backup-") as folder:
        snapshot = Path(folder, SQLITE_MEMBER)
        with closing(sqlite3.connect(snapshot)) as target:
            connection.connection.backup(target)
            tables = sqlite_counts(target)
        with snapshot.open("rb") as source:
            writer.add(SQLITE_MEMBER, pieces_of(source))
    return tables


def sqlite_counts(database: sqlite3.Connection) -> dict[str, int]:
    """Rows by table."""
    names = [
        row[0]
        for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    ]
    return {name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in sorted(names)}  # noqa: S608 - names of tables


def _write_postgresql(writer: _Writer) -> dict[str, int]:
    tables: dict[str, int] = {}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for name in tables_of_database():
            columns = _columns(cursor, name)
            listed = ", ".join(f'"{column}"' for column in columns)
            with cursor.copy(f'COPY "{name}" ({listed}) TO STDOUT') as copy:
                writer.add(f"{TABLES}/{name}", iter(copy))
            cursor.execute(f'SELECT count(*) FROM "{name}"')  # noqa: S608 - names of tables
            tables[name] = cursor.fetchone()[0]
            writer.archive.writestr(f"{TABLES}/{name}.columns", json.dumps(columns))
            writer.digests[f"{TABLES}/{name}.columns"] = hashlib.sha256(json.dumps(columns).encode()).hexdigest()
    return tables


def tables_of_database() -> list[str]:
    """Every table, sorted."""
    return sorted(connection.introspection.table_names())


def _columns(cursor: Any, table: str) -> list[str]:
    return [column.name for column in connection.introspection.get_table_description(cursor, table)]


def _data_files() -> Iterator[str]:
    """Files of the data folder that are data, relative, sorted. The database's own files are not among them."""
    home: Path = settings.YIWANG_HOME
    database = str(connection.settings_dict["NAME"])
    left_out = {folder for app in installed_apps() for folder in app.backup_excludes}
    for path in sorted(home.rglob("*")):
        name = path.relative_to(home)
        top = name.parts[0]
        if not path.is_file() or path.is_symlink() or str(path).startswith(database):
            continue
        if top in left_out or any(part.startswith(_LEFT_OUT_STARTS) for part in name.parts):
            continue
        yield name.as_posix()


def summary_of(manifest: dict[str, Any], path: Path, *, replaced: str = "") -> Summary:
    """What a manifest says of a backup."""
    return Summary(
        engine=manifest["engine"],
        made_at=manifest["made_at"],
        tables=manifest["tables"],
        files=manifest["files"],
        bytes=path.stat().st_size,
        replaced=replaced,
    )
