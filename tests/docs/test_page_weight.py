"""What a page may weigh in scripts on first view, as they go over the line (gzip): 150 kB without a map, 450 kB with one."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

BUILD = Path(__file__).resolve().parents[2] / "src/yiwang/server/static/build"
MANIFEST = json.loads((BUILD / "manifest.json").read_text(encoding="utf-8"))
WITHOUT_MAP, WITH_MAP = 150_000, 450_000
MAP = "maplibre"
EVERYWHERE = "src/app.ts"
ENTRIES = sorted(key for key, chunk in MANIFEST.items() if chunk.get("isEntry") and chunk["file"].endswith(".js"))


def loaded(key: str) -> set[str]:
    """A chunk and everything that it imports before it runs."""
    found, waiting = set(), [key]
    while waiting:
        if (key := waiting.pop()) not in found:
            found.add(key)
            waiting += MANIFEST[key].get("imports", [])
    return found


def weight(chunks: set[str]) -> int:
    return sum(len(gzip.compress((BUILD / MANIFEST[key]["file"]).read_bytes(), 6)) for key in chunks)


def draws_a_map(chunks: set[str]) -> bool:
    return any(MAP.encode() in (BUILD / MANIFEST[key]["file"]).read_bytes()[:400_000] for key in chunks)


def test_there_are_pages_of_both_kinds() -> None:
    kinds = {draws_a_map(loaded(entry)) for entry in ENTRIES}
    assert kinds == {True, False}


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_page_comes_with_few_scripts(entry: str) -> None:
    chunks = loaded(EVERYWHERE) | loaded(entry)
    most = WITH_MAP if draws_a_map(chunks) else WITHOUT_MAP
    assert weight(chunks) <= most, {MANIFEST[key]["file"]: weight({key}) for key in chunks}
