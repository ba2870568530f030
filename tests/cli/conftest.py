from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from yiwang.cli import main

MINI = Path(__file__).resolve().parents[1] / "packs" / "fixtures" / "mini"


@pytest.fixture
def run() -> Callable[..., Result]:
    """Calls the command line: ``run("pack", "check", path, input="…")``."""

    def call(*arguments: object, input: str | bytes | None = None) -> Result:
        return CliRunner().invoke(main, [str(argument) for argument in arguments], input=input, prog_name="yiwang")

    return call


@pytest.fixture
def pack_folder() -> Path:
    """The toy pack, not to be written to."""
    return MINI


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A copy of the toy pack with a fault in units.csv, row 5."""
    folder = Path(shutil.copytree(MINI, tmp_path / "mini"))
    path = folder / "units.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",CTR-90,works", ",CTR-99,works", 1), encoding="utf-8")
    return folder
