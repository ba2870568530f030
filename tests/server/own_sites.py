"""A site on a database of its own, and processes that work on it at once: for tests of what they do to each other."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.forked import Forked, Nursery
from tests.migrated import postgresql, postgresql_database, sqlite_file
from tests.postgresql import SERVER, missing_postgresql

ROOT = Path(__file__).resolve().parents[2]


class Site:
    """A database with the toy city, and processes that work on it."""

    def __init__(self, home: Path, url: str, script: Path) -> None:
        self.script = script
        self.environment = {
            **os.environ,
            "YIWANG_HOME": str(home),
            "YIWANG_DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "yiwang.server.settings",
            "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
        }
        self._nursery = Nursery(script, self.environment)
        self._begun_with = dict(self.environment)
        self.case = self.run("prepare")["case"]

    def start(self, *arguments: str) -> Forked:
        if self.environment != self._begun_with:
            self._nursery.close()
            self._nursery, self._begun_with = Nursery(self.script, self.environment), dict(self.environment)
        return self._nursery.start(*arguments)

    def close(self) -> None:
        self._nursery.close()

    def run(self, *arguments: str) -> Any:
        return self.all([arguments])[0]

    def all(self, calls: list[tuple[str, ...]]) -> list[Any]:
        """Run processes at once and give what each printed."""
        processes = [self.start(*call) for call in calls]
        answers = []
        for process in processes:
            out, err = process.communicate(timeout=240)
            assert process.returncode == 0, err[-2000:]
            answers.append(json.loads(out.splitlines()[-1]))
        return answers


KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]


@contextmanager
def site_on(kind: str, home: Path, script: Path) -> Iterator[Site]:
    """A site on a database of its own; the test is skipped where there is no PostgreSQL."""
    if kind == "sqlite":
        home.mkdir(exist_ok=True)
        shutil.copy(sqlite_file(), home)
        with closing(Site(home, "", script)) as site:
            yield site
        return
    if reason := missing_postgresql():
        pytest.skip(reason)
    name = f"yiwang_hands_{os.getpid()}_{random.randrange(10**6)}"
    with postgresql() as server:
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{postgresql_database()}"')
        try:
            with closing(Site(home, f"{SERVER}/{name}", script)) as site:
                yield site
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
