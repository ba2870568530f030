"""`yiwang rules`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def no_installed_city(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("YIWANG_HOME", str(tmp_path / "home"))


WHERE = ("--lon", 120.005, "--lat", 31.005)


def test_explain_tells_unit_limit_deadline_and_reasons_in_both_languages(run: Run, pack_folder: Path) -> None:
    result = run("rules", "explain", pack_folder, "--category", "02001", *WHERE, "--at", "2026-03-06T17:00")
    assert result.exit_code == 0
    facts = dict(line.split("\t") for line in result.stdout.splitlines() if "\t" in line)
    assert facts["unit"] == "SWEEP-9001 西街道环卫所 West Street sweepers"
    assert facts["limit"] == "4 work_hours"
    assert facts["deadline"] == "2026-03-09T11:00:00+08:00"
    assert "Row L006 (line 7), for category 02, decides: it names category 02, which L001 leaves open." in result.stdout
    assert "第7行 L006（类别 02）采用" in result.stdout


def test_one_language(run: Run, pack_folder: Path) -> None:
    result = run(
        "rules", "explain", pack_folder, "--category", "02001", *WHERE, "--language", "en", "--at", "2026-03-06T17:00"
    )
    assert "采用" not in result.stdout


def test_json(run: Run, pack_folder: Path) -> None:
    at = "2026-03-06T09:00:00+00:00"
    data = json.loads(run("rules", "explain", pack_folder, "--category", "02001", *WHERE, "--at", at, "--json").stdout)
    assert (data["unit"], data["limits_row"], data["why"]["limits"]["runner_up"]) == ("SWEEP-9001", "L006", "L001")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--category", "2001"), "leading zeros of '02001'"),
        (("--category", "02001", "--region", "77"), "Unknown region '77'"),
    ],
)
def test_unknown_codes_fail_with_a_hint(run: Run, pack_folder: Path, arguments: tuple[str, ...], words: str) -> None:
    result = run("rules", "explain", pack_folder, *arguments)
    assert result.exit_code == 1
    assert words in result.stderr


@pytest.mark.parametrize("arguments", [("--lon", "1"), ("--at", "soon"), ("--crs", "utm")])
def test_a_wrong_call(run: Run, pack_folder: Path, arguments: tuple[str, ...]) -> None:
    assert run("rules", "explain", pack_folder, "--category", "02001", *arguments).exit_code == 2
