"""Databases with nothing but tables, made once in a process, from which those of sites are copied.

A site begins with a database of its own, and to migrate takes longer than most tests of it.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from tests.postgresql import SERVER


@cache
def sqlite_file() -> Path:
    """The file of an SQLite database."""
    folder = tempfile.mkdtemp(prefix="yiwang-migrated-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _migrate(folder, "")
    return Path(folder, "yiwang.sqlite3")


@cache
def postgresql_database() -> str:
    """The name of a database on the PostgreSQL server of the tests, a template for others."""
    name = f"yiwang_migrated_{os.getpid()}"
    with postgresql() as server:
        server.execute(f'CREATE DATABASE "{name}"')
    atexit.register(_drop, name)
    with tempfile.TemporaryDirectory() as folder:
        _migrate(folder, f"{SERVER}/{name}")
    return name


def _migrate(home: str, url: str) -> None:
    settings = {"YIWANG_HOME": home, "YIWANG_DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "yiwang.server.settings"}
    subprocess.run([sys.executable, "-m", "django", "migrate", "-v", "0"], env={**os.environ, **settings}, check=True)


def _drop(name: str) -> None:
    with postgresql() as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def postgresql() -> Any:
    """A connection to the server of the tests, in which each statement is a transaction."""
    import psycopg

    return psycopg.connect(f"{SERVER}/postgres", autocommit=True)
