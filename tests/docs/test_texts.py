"""Every text that a person reads exists in both languages, and no sentence is put together where no catalogue can find it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "yiwang"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# what says something to a person: the places of its texts among the arguments
SPEAKS = {"Problem": (0, 1), "BadInput": (0,), "fault": (0, 1), "warn": (0, 1)}


def calls(names: set[str]) -> Iterator[tuple[Path, ast.Call, str]]:
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if name in names:
                    yield path, node, name


def test_problems_are_said_in_both_languages() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{argument.lineno}"
        for path, call, name in calls(set(SPEAKS))
        for argument in call.args[SPEAKS[name][0] : SPEAKS[name][-1] + 1]
        if any(isinstance(part, ast.Constant) and " " in str(part.value) for part in ast.walk(argument))
        and isinstance(argument, ast.Constant | ast.JoinedStr | ast.BinOp)
        and path.name != "log_check.py"  # what a verification finds is the command line's, which is English
    ]
    assert not bare


def test_texts_are_written_in_both_languages_and_ask_for_the_same_values() -> None:
    wrong = []
    for path, call, name in calls({"Text", "say"}):
        if path.is_relative_to(SOURCE / "cli") and name == "say":
            continue  # the command line's own, which is English
        words = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
        where = f"{path.relative_to(ROOT)}:{call.lineno}"
        if any(isinstance(argument, ast.JoinedStr | ast.BinOp) for argument in call.args):
            wrong.append(f"{where}: what is put together cannot be looked up")
        if len(call.args) != 2 or len(words) != 2:
            continue
        zh, en = words
        if not (isinstance(zh, str) and isinstance(en, str)):
            wrong.append(f"{where}: {words!r} are not two texts")
            continue
        if CHINESE.search(en):
            wrong.append(f"{where}: {en!r} is no English")
        given = {keyword.arg for keyword in call.keywords}
        asked = {found for text in (zh, en) for found in re.findall(r"{(\w+)", text.replace("{{", ""))}
        if given and None not in given and given != asked:
            wrong.append(f"{where}: {name} is given {sorted(map(str, given))} and asks for {sorted(asked)}")
    assert not wrong
