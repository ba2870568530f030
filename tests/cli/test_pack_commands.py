"""`yiwang pack`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]


def test_a_sound_pack(run: Run, pack_folder: Path) -> None:
    result = run("pack", "check", pack_folder, "--on", "2026-03-06")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "mini: no faults" in result.stderr
    assert "4 examples hold" in result.stderr


def test_faults_are_data_one_a_line_with_file_row_column_and_hint(run: Run, broken: Path) -> None:
    result = run("pack", "check", broken)
    assert result.exit_code == 1
    assert result.stdout == "units.csv:5 [parent]: Unknown parent 'CTR-99'. Did you mean 'CTR-90'?\n"
    assert "1 faults" in result.stderr


def test_the_report_for_machines(run: Run, broken: Path) -> None:
    result = run("pack", "check", broken, "--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert report["ok"] is False
    assert report["problems"] == [
        {
            "message": "Unknown parent 'CTR-99'.",
            "hint": "Did you mean 'CTR-90'?",
            "file": "units.csv",
            "row": 5,
            "column": "parent",
        }
    ]


def test_strict_counts_warnings(run: Run, broken: Path) -> None:
    path = broken / "units.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("CTR-99", "CTR-90"), encoding="utf-8")
    for file in (broken / "examples").iterdir():
        file.unlink()
    assert run("pack", "check", broken, "--on", "2026-03-06").exit_code == 0
    strict = run("pack", "check", broken, "--on", "2026-03-06", "--strict")
    assert strict.exit_code == 1
    assert "no examples" in strict.stdout


def test_a_folder_without_pack_toml_is_told_what_is_missing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "regions.csv").write_text("code\n")
    result = run("pack", "check", tmp_path)
    assert result.exit_code == 1
    assert result.stdout.startswith("pack.toml: The file is missing.")


def test_packs_at_hand_are_listed(run: Run, tmp_path: Path, pack_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YIWANG_HOME", str(tmp_path / "home"))
    result = run("pack", "list")
    assert result.exit_code == 0
    header, *rows = result.stdout.splitlines()
    assert header.split("\t")[:2] == ["id", "name"]
    assert any(row.startswith("wuxi\t") for row in rows)
    listed = json.loads(run("pack", "list", "--json").stdout)
    assert {row["id"] for row in listed} >= {"wuxi", "boston"}
    assert not (tmp_path / "home").exists()


def test_a_faulty_pack_is_not_installed(run: Run, broken: Path) -> None:
    result = run("pack", "install", broken, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["errors"][0]["file"] == "units.csv"
    assert "Nothing was installed" in result.stderr


@pytest.mark.django_db
def test_install_twice(run: Run, pack_folder: Path) -> None:
    first = json.loads(run("pack", "install", pack_folder, "--json").stdout)
    assert (first["city"], first["version"], first["changed"]) == ("mini", 1, True)
    again = run("pack", "install", pack_folder)
    assert again.exit_code == 0
    assert "nothing changed" in again.stderr
