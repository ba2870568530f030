"""A third language for tests: what the interface and the toy pack say, in traditional characters by OpenCC, marked as such."""

from __future__ import annotations

import csv
import re
from functools import cache, partial
from pathlib import Path

from babel.messages.pofile import write_po
from opencc import OpenCC

from yiwang.cli.language import texts
from yiwang.server.common.catalogues import FOLDER, NAME

TAG = "zh-Hant"
CALLED = "繁體中文（OpenCC 轉換）"  # nobody has read it
_converter = OpenCC("s2tw")


@cache
def traditional(text: str) -> str:
    return str(_converter.convert(text))


def write_catalogue(home: Path) -> Path:
    """The catalogue of the interface in an installation's data folder."""
    catalog = texts()
    for message in catalog:
        if message.id:
            named = (message.context, message.id) == (NAME.zh, NAME.en)
            message.string = CALLED if named else traditional(str(message.context))
    path = home / FOLDER / f"{TAG}.po"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalog)
    return path


def translate_pack(folder: Path) -> None:
    """Give every text of a pack a column or key more."""
    for path in folder.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        names = [name.removesuffix("_en") for name in rows[0] if name.endswith("_en")] if rows else []
        for row in rows:
            row.update({f"{name}_{TAG}": traditional(row[name]) for name in names})
        if names:
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
    for path in folder.glob("*.toml"):
        content = path.read_text(encoding="utf-8")
        keys = re.findall(r"^(\w+)_en = ", content, re.MULTILINE)
        for name in set(keys):
            content = re.sub(
                rf'^{name} = "([^"]*)"$', partial(_with_name, name), content, flags=re.MULTILINE
            )  # fmt: skip
        path.write_text(content, encoding="utf-8")


def _with_name(name: str, line: re.Match[str]) -> str:
    """A name's line of a table in TOML, with one of the third language below it."""
    return f'{line[0]}\n"{name}_{TAG}" = "{traditional(line[1])}"'
