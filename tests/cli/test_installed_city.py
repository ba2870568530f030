"""A city that is installed is answered from its installed copy, still without a database."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from click.testing import Result

from yiwang.cli.city import installed_pack
from yiwang.packs import read_pack

Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, pack_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with two installed versions of the toy city, the newer one with its unit grids and another name."""
    for version in ("0002-aa-bb", "0010-cc-dd"):
        shutil.copytree(pack_folder, tmp_path / "packs" / "mini" / version / "pack")
    newest = tmp_path / "packs" / "mini" / "0010-cc-dd"
    regions = newest / "pack" / "regions.csv"
    regions.write_text(regions.read_text(encoding="utf-8").replace("South-West", "Sunset Quarter"), encoding="utf-8")
    grids = read_pack(newest / "pack").grids(on=date(2026, 3, 6))
    assert grids is not None
    (newest / "grids.bin").write_bytes(grids.to_bytes())
    (tmp_path / "packs" / "mini" / ".new-1" / "pack").mkdir(parents=True)
    monkeypatch.setenv("YIWANG_HOME", str(tmp_path))
    return tmp_path


def test_the_newest_version_speaks_for_the_city(run: Run, home: Path) -> None:
    assert installed_pack("mini") == home / "packs" / "mini" / "0010-cc-dd" / "pack"
    result = run("locate", "mini", input="120.005,31.005\n")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert "900101,900101055" in result.stdout
    assert "Sunset Quarter" in result.stdout


def test_stored_grids_of_another_tree_are_not_used(run: Run, home: Path) -> None:
    (home / "packs" / "mini" / "0010-cc-dd" / "grids.bin").write_bytes(b"damaged")
    result = run("locate", "mini", input="120.005,31.005\n")
    assert result.exit_code == 0
    assert "not used" in result.stderr
    assert "900101,900101055" in result.stdout


def test_no_name_leads_out_of_the_data_folder(home: Path) -> None:
    assert installed_pack("../mini") is None
    assert installed_pack("nowhere") is None
