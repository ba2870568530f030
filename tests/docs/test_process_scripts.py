"""Scripts of processes set up Django for themselves; in the process of the tests they would do it for every test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests").rglob("*.py"))}
SCRIPTS = [path for path, text in SOURCES.items() if re.search(r"^(django\.setup\(|settings\.\w+ = )", text, re.M)]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_nothing_is_imported_from_a_script(script: Path) -> None:
    name = re.escape(".".join(script.relative_to(ROOT).with_suffix("").parts))
    package, _, module = name.rpartition(r"\.")
    imported = re.compile(rf"^\s*(from|import) {name}\b|^\s*from {package} import .*\b{module}\b", re.M)
    assert [path.name for path, text in SOURCES.items() if imported.search(text)] == []


def test_there_are_scripts() -> None:
    assert len(SCRIPTS) > 5
