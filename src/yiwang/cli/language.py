"""`yiwang language`: the interface in a further language, as a catalogue that translators fill in."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

import yiwang
from yiwang.cli.output import Failed, emit, json_option, problem_dict, say, say_problem, wants_json

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

SOURCE = Path(yiwang.__file__).resolve().parent
_TAG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_IN_TEMPLATES = re.compile(r"""{%\s*say\s+(?:"([^"]*)"|'([^']*)')\s+(?:"([^"]*)"|'([^']*)')""")


@click.group()
def language() -> None:
    """Further languages of the interface."""


@language.command()
@click.argument("tag")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The file; <TAG>.po here by default.")
@json_option
def extract(tag: str, out: Path | None) -> None:
    """Write every text of the interface into a catalogue for the language TAG (BCP 47), keeping what is translated there.

    \b
    Example: yiwang language extract zh-Hant --out zh-Hant.po
    """
    from babel.messages.pofile import read_po, write_po

    if not _TAG.fullmatch(tag):
        raise click.BadParameter(f"{tag!r} is no language tag. Write one such as fr or zh-Hant.", param_hint="TAG")
    path = out or Path(f"{tag}.po")
    catalog = texts()
    if path.exists():
        with path.open("rb") as file:
            before = read_po(file)
        for message in catalog:
            kept = before.get(message.id, message.context) if message.id else None
            if kept is not None:
                message.string, message.flags = kept.string, kept.flags
    with path.open("wb") as file:
        write_po(file, catalog, width=0, sort_output=False, omit_header=False, no_location=False)
    left = sum(not message.string for message in catalog if message.id)
    if wants_json():
        emit({"file": str(path), "texts": len(catalog), "not_translated": left})
    else:
        say(f"{path}: {len(catalog):,} texts, {left:,} not translated.")


@language.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def check(file: Path) -> None:
    """Read a catalogue as the server does and say what is missing or wrong. It goes into the folder languages of YIWANG_HOME.

    \b
    Example: yiwang language check zh-Hant.po
    """
    from yiwang.server.common import catalogues

    wrong, done, whole = catalogues.problems(file)
    if wants_json():
        emit(
            {"file": str(file), "texts": whole, "translated": done, "problems": [problem_dict(each) for each in wrong]}
        )
    for problem in wrong:
        say_problem(problem)
    say(f"{file}: {done:,} of {whole:,} texts are translated, {len(wrong):,} cannot be used.")
    if wrong:
        raise Failed("Nothing of these is shown; the others are.")


def texts() -> Catalog:
    """Every text of the interface, not translated."""
    from babel.messages.catalog import Catalog

    catalog = Catalog(
        project="Yiwang", header_comment="# Texts of Yiwang. Context is the Chinese, the message the English."
    )
    for path, line, zh, en in texts_in(SOURCE):
        catalog.add(en, context=zh, locations=[(path, line)])
    return catalog


def texts_in(folder: Path) -> Iterator[tuple[str, int, str, str]]:
    """Where each text stands (file, line), its Chinese and its English."""
    for path in sorted([*folder.rglob("*.py"), *folder.rglob("*.html")]):
        content, shown = path.read_text(encoding="utf-8"), path.relative_to(folder.parent).as_posix()
        found = _in_template(content) if path.suffix == ".html" else _in_code(content)
        yield from ((shown, line, zh, en) for line, zh, en in found if zh and en)


def _in_code(content: str) -> Iterator[tuple[int, str, str]]:
    """``Text("中文", "English")`` and ``say("中文", "English")``."""
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"Text", "say"}:
            words = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
            if len(words) == 2 == len(node.args) and all(isinstance(word, str) for word in words):
                yield node.lineno, str(words[0]), str(words[1])


def _in_template(content: str) -> Iterator[tuple[int, str, str]]:
    """``{% say "中文" "English" %}``."""
    for match in _IN_TEMPLATES.finditer(content):
        line = content.count("\n", 0, match.start()) + 1
        yield line, match[1] or match[2] or "", match[3] or match[4] or ""
