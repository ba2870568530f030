"""In which language a request is answered, and texts said in it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import get_language

from yiwang.core.kernel.text import Text

# The framework's names of languages, which it writes in small letters, as tags of our texts.
_TAGS = {"zh-hans": "zh", "zh-hant": "zh-Hant"}


def language() -> str:
    """The tag of the language in which texts are said now: ``zh``, ``en`` …"""
    name = get_language() or "zh-hans"
    return _TAGS.get(name, name)


def english() -> bool:
    """Whether the reader reads English."""
    return language().startswith("en")


def say(text: Text | str, in_english: str | None = None, /, **values: Any) -> str:
    """A text in the reader's language; or a sentence in both languages, written where it is said.

    ``{name}`` in the two sentences stands for the value of that name.
    """
    if isinstance(text, Text):
        return text.into(language())
    return Text(text, in_english, **values).into(language())


def say_or(text: Text | None, otherwise: str) -> str:
    """A text in the reader's language, or other words where there is none: an id that the pack has no name for."""
    return say(text) if text else otherwise
