"""The platform knows effects, never the names that a city's pack gives to roles, verbs and priorities."""

from __future__ import annotations

import ast
import csv
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from yiwang.core.cases.effects import EFFECTS
from yiwang.core.cases.events import SYSTEM

ROOT = Path(__file__).resolve().parents[2]
PACKS = (*sorted(path.parent for path in (ROOT / "packs").glob("*/pack.toml")), ROOT / "src/yiwang/packs/template")
# words of the platform's own that a pack's author happened to choose too, each with what it means here
OWN_WORDS = {
    "admin": "a page",
    "check": "an action on a draft of rules",
    "close": "a method of responses; the end of a tour",
    "confirm": "a field of a form",
    "crew": "a kind of unit",
    "department": "a kind of unit; a dimension of figures",
    "file": "a kind of form field; a key of problems",
    "handler": "how an actor stands to a case; a key of events",
    "inspector": "a channel",
    "leader": "a channel",
    "redo": "a label of the phone's queue",
    "refuse": "an action on a draft of rules",
    "report": "what somebody says, a page, a scope of tokens",
    "start": "the beginning of a span; a key of the workflow file",
    "suspend": "a kind of request",
    "take": "an action on a post",
    "verified": "a moment of the facts; an answer of proofs",
    "verify": "an output of the triage table",
}


def ids_of(pack: Path) -> set[str]:
    """Ids of a pack's roles and verbs, and its priorities."""
    flow = tomllib.loads((pack / "workflow.toml").read_text(encoding="utf-8"))
    found = {piece["id"] for kind in ("role", "verb") for piece in flow[kind]}
    for name in ("triage.csv", "limits.csv"):
        with (pack / name).open(encoding="utf-8", newline="") as file:
            found |= {row["priority"] for row in csv.DictReader(file) if row.get("priority", "").isalpha()}
    return found - {"", *EFFECTS, SYSTEM}


def literals(path: Path) -> Iterator[tuple[int, str]]:
    """Strings of a module that stand by themselves: no docstrings, no parts of sentences."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def named_in(source: str, folder: Path, ids: set[str]) -> list[str]:
    path = folder / "module.py"
    path.write_text(source, encoding="utf-8")
    return [word for _, word in literals(path) if word in ids]


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.name)
def test_no_id_of_a_pack_stands_in_the_source(pack: Path) -> None:
    ids = ids_of(pack)
    assert len(ids) > 10
    found = [
        f"{path.relative_to(ROOT)}:{line} {word}"
        for path in sorted((ROOT / "src").rglob("*.py"))
        if "migrations" not in path.parts
        for line, word in literals(path)
        if word in ids - OWN_WORDS.keys()
    ]
    assert found == []


def test_each_own_word_is_a_word_of_some_pack_and_of_the_platform() -> None:
    """A word that is no longer either is taken off the list."""
    used = {word for path in (ROOT / "src").rglob("*.py") for _, word in literals(path)}
    assert OWN_WORDS.keys() <= set().union(*map(ids_of, PACKS))
    assert OWN_WORDS.keys() <= used


def test_a_verb_that_is_named_is_found(tmp_path: Path) -> None:
    ids = ids_of(ROOT / "packs" / "wuxi")
    assert named_in('bad = verb in {"check_fail", "return"}', tmp_path, ids) == ["check_fail"]
    assert named_in('"""It may check_fail."""\nrole = roles["dispatcher"]', tmp_path, ids) == ["dispatcher"]
