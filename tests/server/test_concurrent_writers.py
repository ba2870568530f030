"""Many hands on one database, in processes of their own: nothing is lost, nothing is done twice, a kill leaves cases whole."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

HANDS = Path(__file__).with_name("concurrent_writers.py")
ROOT = Path(__file__).resolve().parents[2]
SERVER = os.environ.get("YIWANG_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432")


def postgresql() -> str:
    """Why there is no PostgreSQL server to test on; empty when there is."""
    import psycopg

    try:
        psycopg.connect(f"{SERVER}/postgres", connect_timeout=2).close()
    except psycopg.OperationalError as error:
        return f"no PostgreSQL server at {SERVER}: {error}".splitlines()[0]
    return ""


class Site:
    """A database with the toy city, and processes that work on it."""

    def __init__(self, home: Path, url: str, script: Path = HANDS) -> None:
        self.script = script
        self.environment = {
            **os.environ,
            "YIWANG_HOME": str(home),
            "YIWANG_DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "yiwang.server.settings",
            "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
        }
        self.case = self.run("prepare")["case"]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(self.script), *arguments]
        return subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

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


@pytest.fixture(params=KINDS)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    with site_on(request.param, tmp_path) as made:
        yield made


@contextmanager
def site_on(kind: str, home: Path, script: Path = HANDS) -> Iterator[Site]:
    """A site on a database of its own; the test is skipped where there is no PostgreSQL."""
    if kind == "sqlite":
        yield Site(home, "", script)
        return
    if reason := postgresql():
        pytest.skip(reason)
    import psycopg

    name = f"yiwang_hands_{os.getpid()}_{random.randrange(10**6)}"
    with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        try:
            yield Site(home, f"{SERVER}/{name}", script)
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def writers(site: Site) -> int:
    return 32 if "postgresql" in site.environment["YIWANG_DATABASE_URL"] else 6


def test_no_update_is_lost_under_many_writers_of_one_case(site: Site) -> None:
    before = site.run("verify")["seqs"][site.case]
    count = writers(site)
    site.all([("note", site.case, "4")] * count)
    after = site.run("verify")
    assert after["seqs"][site.case] == before + 4 * count
    assert after["faults"] == []
    assert after["untold"] == []


def test_of_those_who_saw_the_same_state_one_wins(site: Site) -> None:
    before = site.run("verify")["seqs"][site.case]
    won = [answer["won"] for answer in site.all([("race", site.case, str(before))] * 8)]
    assert sorted(won) == [False] * 7 + [True]
    assert site.run("verify")["seqs"][site.case] == before + 1


def test_the_same_key_at_once_is_one_report(site: Site) -> None:
    answers = site.all([("same", "once", "同一件事")] * 8)
    assert len({answer["case"] for answer in answers}) == 1
    assert site.run("verify")["cases"] == 2
    assert "refused" in site.run("same", "once", "另一件事")


def test_a_process_killed_at_any_point_leaves_every_case_whole(site: Site) -> None:
    rng = random.Random(20261123)
    for round_ in range(8):
        process = site.start("mill", str(round_))
        assert process.stdout is not None
        process.stdout.readline()  # it works now
        time.sleep(rng.uniform(0.0, 0.25))
        process.kill()
        process.wait()
        process.stdout.close()
    found = site.run("verify")
    assert found["cases"] > 8
    assert found["faults"] == []
    assert found["untold"] == []
    assert found["without_report"] == 0
    assert found["reports"] == found["cases"] == found["counted"]
