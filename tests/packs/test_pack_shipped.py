"""The packs that ship pass their own check, examples included."""

from __future__ import annotations

from pathlib import Path

import pytest

from yiwang.packs import check_pack

PACKS = sorted(path.parent for path in (Path(__file__).resolve().parents[2] / "packs").glob("*/pack.toml"))


def test_there_are_two_cities_at_least() -> None:
    assert len(PACKS) >= 2


@pytest.mark.parametrize("folder", PACKS, ids=lambda folder: folder.name)
def test_a_shipped_pack_has_no_faults_and_its_examples_hold(folder: Path) -> None:
    report = check_pack(folder)
    assert report.problems == ()
    assert report.pack is not None
    assert report.examples == len(report.pack.examples)
    assert report.pack.id == folder.name
