"""In which language a request is answered, and texts said in it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import get_language

from yiwang.core.kernel.text import Text
from yiwang.server.common import catalogues


def language() -> str:
    """The tag of the language in which texts are said now: ``zh``, ``en`` …"""
    name = get_language() or settings.LANGUAGE_CODE
    return settings.YIWANG_LANGUAGES.get(name, (name, ""))[0]


def english() -> bool:
    """Whether the reader reads English."""
    return language().startswith("en")


def say(text: Text | str, in_english: str | None = None, /, **values: Any) -> str:
    """A text in the reader's language; or a sentence in both languages, written where it is said.

    ``{name}`` in the two sentences stands for the value of that name.
    """
    if isinstance(text, Text):
        return (text.with_values(**values) if values else text).into(language(), catalogues.lookup)
    return Text(text, in_english, **values).into(language(), catalogues.lookup)


def say_or(text: Text | None, otherwise: str) -> str:
    """A text in the reader's language, or other words where there is none: an id that the pack has no name for."""
    return say(text) if text else otherwise
