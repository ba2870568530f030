"""What a person reads, in every language in which it exists."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from typing import Any

# How a catalogue of the interface is asked: the text as it stands in the code, and the language; None when it does not know.
Catalogue = Callable[["Text", str], "str | None"]


class Text(Mapping[str, str]):
    """Words by language tag (BCP 47), for everything that a person reads: names, sentences, refusals, problems.

    >>> Text("案卷 {number} 已结案。", "Case {number} is closed.", number="W-1").into("en")
    'Case W-1 is closed.'

    ``{name}`` in the words stands for the value of that name, with the format that `str.format` knows. A value may be a
    `Text` itself and is then said in the same language. Words are put together only when somebody reads them, so that a
    catalogue can still translate the sentence as it stands in the code.

    Args:
        zh, en: Chinese and English words. Empty words are words too: the text says nothing in that language.
        values: For the names in the words.
    """

    __slots__ = ("_values", "_words")

    def __init__(self, zh: str | None = None, en: str | None = None, /, **values: Any) -> None:
        self._words = {tag: words for tag, words in (("zh", zh), ("en", en)) if words is not None}
        self._values = values

    @classmethod
    def of(cls, words: Mapping[str, str]) -> Text:
        """A text from its words by language tag; languages without words are left out."""
        made = cls()
        made._words = {tag: said for tag, said in words.items() if said}
        return made

    @classmethod
    def join(cls, parts: Mapping[str, str], texts: list[Text]) -> Text:
        """Several texts as one, with the separator of each language, e.g. ``{"zh": "、", "en": ", "}``."""
        made = cls.of(
            {tag: between.join(f"{{_{index}}}" for index in range(len(texts))) for tag, between in parts.items()}
        )
        made._values = {f"_{index}": one for index, one in enumerate(texts)}
        return made

    def with_values(self, **values: Any) -> Text:
        """The same words with values in them."""
        made = Text()
        made._words, made._values = self._words, {**self._values, **values}
        return made

    def into(self, language: str, catalogue: Catalogue | None = None) -> str:
        """The words in a language, or in the nearest one in which there are any.

        The nearest of ``zh-Hant`` are ``zh``, then ``en``; of ``fr`` they are ``en``, then ``zh``; a name that exists in one
        language only stands in all.

        Args:
            language: BCP 47 tag.
            catalogue: Knows further languages of the texts that stand in the code.
        """
        words = self._words.get(language)
        if words is None and catalogue is not None:
            words = catalogue(self, language)
        if words is None:
            words = next((self._words[tag] for tag in _nearest(language) if tag in self._words), None)
        if words is None:
            words = next(iter(self._words.values()), "")
        if not self._values:
            return words
        said = {
            name: one.into(language, catalogue) if isinstance(one, Text) else one for name, one in self._values.items()
        }
        return words.format(**said)

    @property
    def zh(self) -> str:
        """The Chinese words; empty when there are none."""
        return self.into("zh") if "zh" in self._words else ""

    @property
    def en(self) -> str:
        """The English words; empty when there are none."""
        return self.into("en") if "en" in self._words else ""

    def __getitem__(self, tag: str) -> str:
        return self._words[tag]

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def __len__(self) -> int:
        return len(self._words)

    def __bool__(self) -> bool:
        """Whether it says anything."""
        return any(self._words.values())

    def __str__(self) -> str:
        return self.into("en")

    def __repr__(self) -> str:
        return f"Text({', '.join(f'{tag}={words!r}' for tag, words in self._words.items())})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Text) and self._words == other._words and self._values == other._values

    def __hash__(self) -> int:
        return hash(tuple(self._words.items()))


# Chinese stands under the name itself and every other language under the name with its tag: ``name``, ``name_en``.
_TAGGED = re.compile(r"(?P<name>.+)_(?P<tag>[a-z]{2,3}(-[A-Za-z0-9]{2,8})*)")


def is_language_of(key: str, names: Container[str]) -> bool:
    """Whether a key is one of the names in a language: ``name_zh-Hant`` of ``name``."""
    found = _TAGGED.fullmatch(key)
    return found is not None and found["name"] in names


def language_keys(keys: Iterable[str], name: str) -> dict[str, str]:
    """The keys under which a text stands in a file, by language tag: ``{"zh": "name", "en": "name_en"}``."""
    found = {}
    for key in keys:
        if key == name:
            found["zh"] = key
        elif is_language_of(key, (name,)):
            found[key.removeprefix(f"{name}_")] = key
    return found


def text_of(cells: Mapping[str, str], name: str) -> Text:
    """The text that stands in a row under a name, in every language in which the row has it."""
    return Text.of({tag: cells[key].strip() for tag, key in language_keys(cells, name).items()})


NO_TEXT = Text()


def _nearest(language: str) -> Iterator[str]:
    """Tags to try for a language, nearest first."""
    while "-" in language:
        language = language.rpartition("-")[0]
        yield language
    yield "en"
    yield "zh"
