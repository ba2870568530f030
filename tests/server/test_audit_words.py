"""The record of reads says what was read and for what in the reader's language, whoever wrote it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from yiwang.server.governance.audit_words import WORDS
from yiwang.server.notices.models import Recipient

SOURCE = Path(__file__).resolve().parents[2] / "src" / "yiwang" / "server"


def said() -> Iterator[str]:
    """Every word that is written into the record as a constant."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("record", "log_read"):
                for argument in node.keywords:
                    if argument.arg in ("what", "purpose") and isinstance(argument.value, ast.Constant):
                        yield str(argument.value.value)


def test_every_word_of_the_record_is_known_in_both_languages() -> None:
    found = set(said())
    assert len(found) > 8
    assert found <= set(WORDS)


def test_so_are_the_addresses_for_notices() -> None:
    kept = {field.name for field in Recipient._meta.concrete_fields}
    assert {word.removeprefix("notices: ") for word in WORDS if word.startswith("notices: ")} <= kept
