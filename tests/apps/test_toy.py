"""A new app is a folder and a line: the toy app brings a page, calls, a chore, a job, facts, a stream and words by itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from yiwang.server.common.app import YiwangApp, _merge

ROOT = Path(__file__).resolve().parents[2]
SITE = Path(__file__).with_name("site.py")


def environment(home: Path, **more: str) -> dict[str, str]:
    paths = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    return {**os.environ, "PYTHONPATH": paths, "YIWANG_HOME": str(home), "YIWANG_DATABASE_URL": "", **more}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("toy")


@pytest.fixture(scope="module")
def toy_site(home: Path) -> Mapping[str, Any]:
    """What the site with the toy app answered. The one line: its name in ``YIWANG_APPS``."""
    done = subprocess.run(
        [sys.executable, str(SITE)],
        env=environment(home, YIWANG_APPS="tests.apps.toy"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answers: Mapping[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answers


def test_nothing_outside_its_folder_names_the_app() -> None:
    for path in (ROOT / "src").rglob("*"):
        if path.suffix in {".py", ".html", ".toml"}:
            assert "apps.toy" not in path.read_text(encoding="utf-8"), path


def test_calls_of_the_api_are_checked_and_described(toy_site: Mapping[str, Any]) -> None:
    assert toy_site["api"] == [201, 201, 422, 1]


def test_a_reading_opens_a_case_with_its_component_and_its_evidence(toy_site: Mapping[str, Any]) -> None:
    case = toy_site["case"]
    assert (case["component"], case["source"]) == ("B-1", "sensor")
    assert case["evidence"]["observation"]["value"] == 0.95


def test_the_page_shows_both_readings_and_one_case(toy_site: Mapping[str, Any]) -> None:
    page = toy_site["page"]
    assert "B-1" in page
    assert "B-2" in page
    assert page.count("/mini/cases/MN") == 1
    assert '<a href="/mini/bins" aria-current="page">Bins</a>' in page


def test_other_pages_lead_to_it(toy_site: Mapping[str, Any]) -> None:
    assert '<a href="/mini/bins" >Bins</a>' in toy_site["elsewhere"]
    assert "Which bins are full." in toy_site["help"]
    assert "says how full it is" in toy_site["glossary"]


def test_its_job_facts_and_stream_are_the_platforms(toy_site: Mapping[str, Any]) -> None:
    assert toy_site["job"] == {"state": "done", "result": {"cases": 1}}
    assert toy_site["facts"] == 2
    assert toy_site["sealed"] == [2]


def test_its_secrets_stay_out_of_logs_and_its_folder_out_of_backups(toy_site: Mapping[str, Any]) -> None:
    assert toy_site["log"] == "GET /mini/bins/key/***?x=1"
    assert "files/kept/file" in toy_site["backup"]
    assert "files/bins/file" not in toy_site["backup"]


def test_its_command_is_one_of_yiwang(toy_site: Mapping[str, Any], home: Path) -> None:
    def yiwang(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", "from yiwang.cli import main; main()", *arguments],
            env=environment(home, **more), cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip

    told = yiwang("bins", "mini", YIWANG_APPS="tests.apps.toy").stdout.splitlines()
    assert [line.split()[:2] for line in told] == [["B-2", "0.30"], ["B-1", "0.95"]]
    assert "The last readings" in yiwang("--help", YIWANG_APPS="tests.apps.toy").stdout
    without = yiwang("bins", "mini")
    assert (without.returncode, "no command 'bins'" in without.stderr) == (2, True)
    wrong = yiwang("bins", "mini", YIWANG_APPS="tests.apps.tyo")
    assert wrong.returncode == 1
    assert "YIWANG_APPS='tests.apps.tyo' cannot be used" in wrong.stderr


def test_two_apps_cannot_bring_one_kind_of_job() -> None:
    with pytest.raises(ValueError, match="kind of job 'a'"):
        _merge([{"a": 1}, {"a": 2}], "kind of job")


def test_an_app_need_bring_nothing() -> None:
    class Quiet(YiwangApp):
        name = "tests.apps.toy"
        path = "."

    quiet = Quiet("tests.apps.toy", sys.modules[__name__])
    assert [
        *quiet.chores(lambda: False),
        *quiet.jobs(),
        *quiet.navigation(),
        *quiet.api_routers(),
        *quiet.topics(),
    ] == []
