"""The interface in further languages: each is a file of the installation, no code.

``languages/<tag>.po`` in the data folder (`YIWANG_HOME`) translates what the code says in Chinese and English; ``<tag>`` is a
BCP 47 tag, e.g. ``zh-Hant``. ``yiwang language extract`` writes such a file without translations, ``yiwang language check`` reads it
as the server does. What a pack says, the pack says in that language itself (``name_<tag>``); what nobody has translated is
said in the nearest language (see `Text.into`).
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import Text

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog, Message

FOLDER = "languages"
# what a language calls itself, on the button that chooses it: each translates this text as its own name
NAME = Text("中文", "English")
BUILT_IN = {"zh-hans": ("zh", NAME.zh), "en": ("en", NAME.en)}  # the code itself speaks these
Words = Mapping[tuple[str, str], str]

_folder: Path | None = None


def languages(home: Path) -> dict[str, tuple[str, str]]:
    """The languages of an installation: the framework's name of each (in small letters), its tag, and what it calls itself.

    From now on, texts are looked up in the catalogues that were found.
    """
    global _folder
    _folder = home / FOLDER
    words_of.cache_clear()
    known = dict(BUILT_IN)
    for path in sorted(_folder.glob("*.po")):
        known.setdefault(path.stem.lower(), (path.stem, NAME.into(path.stem, lookup)))
    return known


def lookup(text: Text, language: str) -> str | None:
    """The words of a text that stands in the code, in a language that is a file; None when it is not translated."""
    known = words_of(language)
    return known.get((text.get("zh", ""), text.get("en", ""))) if known else None


@cache
def words_of(language: str) -> Words:
    """The translations of a language by their Chinese and English; none when there is no such file."""
    path = _folder / f"{language}.po" if _folder else None
    if path is None or not path.is_file():
        return {}
    return read(path)


def read(path: Path) -> Words:
    """The translations in a file that can be used; see :func:`problems` for the others.

    Raises:
        BadInput: When the file cannot be read at all.
    """
    return {
        (str(message.context or ""), str(message.id)): str(message.string)
        for message in _catalog(path)
        if message.id and message.string and not message.fuzzy and not _fault(message)
    }


def problems(path: Path) -> tuple[list[Problem], int, int]:
    """What is wrong with a file's translations, how many there are, and how many texts it has.

    Raises:
        BadInput: When the file cannot be read at all.
    """
    wrong, done, texts = [], 0, 0
    for message in _catalog(path):
        if not message.id:
            continue
        texts += 1
        if not message.string or message.fuzzy:
            continue
        if fault := _fault(message):
            wrong.append(Problem(fault, Text("请改正译文。", "Correct the translation."), path.name, message.lineno))
        else:
            done += 1
    return wrong, done, texts


def _catalog(path: Path) -> Catalog:
    from babel.messages.pofile import PoFileError, read_po

    try:
        with path.open("rb") as file:
            return read_po(file, locale=None, abort_invalid=True)
    except (PoFileError, UnicodeDecodeError, ValueError) as error:
        message = Text("翻译文件无法读取：{error}", "The catalogue cannot be read: {error}", error=error)
        hint = Text("请用 UTF-8 编码的 gettext PO 格式。", "A gettext PO file in UTF-8 is expected.")
        raise BadInput(Problem(message, hint, path.name)) from error


def _fault(message: Message) -> Text | None:
    """Why a translation cannot be used: its values are not those of the text."""
    given = values_in(str(message.string))
    if given is None:
        return Text("译文「{text}」的花括号不成对。", "The braces of {text!r} do not match.", text=message.string)
    sources = values_in(str(message.id)), values_in(str(message.context or ""))
    if None not in sources and (extra := given.difference(*(source or () for source in sources))):
        return Text(
            "译文「{text}」用了原文没有的值 {extra}。",
            "{text!r} asks for {extra}, which the text does not have.",
            text=message.string,
            extra=", ".join(sorted(extra)),
        )
    return None


def values_in(words: str) -> set[str] | None:
    """The names of the values that a text asks for; None when its braces do not match."""
    try:
        return {
            name.split(".")[0].split("[")[0] for _, name, _, _ in string.Formatter().parse(words) if name is not None
        }
    except ValueError:
        return None
