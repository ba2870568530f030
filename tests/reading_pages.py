"""What somebody reads on a page, and where its links lead: words in one language and data that says that it is data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

READ_OUT = ("alt", "title", "aria-label", "aria-description", "aria-roledescription", "placeholder")
UNREAD = {"script", "style", "code", "kbd", "samp", "textarea"}  # a text area holds what somebody typed
ALONE = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


@dataclass(slots=True)
class Page:
    """The words of a page that are not marked as data, piece by piece, and the addresses that it names."""

    texts: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, html: str) -> Page:
        reader = _Reader(convert_charrefs=True)
        reader.feed(html)
        reader.close()
        return reader.page


class _Reader(HTMLParser):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.page = Page()
        self._open: list[tuple[str, bool]] = []  # tag, and whether what stands in it is data
        self._language: str | None = None  # of a part of a page nobody knows it
        self._json = False

    @property
    def _data(self) -> bool:
        return bool(self._open) and self._open[-1][1]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "html":
            self._language = given.get("lang")
        marked = given.get("translate") == "no" or given.get("lang", self._language) != self._language
        data = self._data or marked or tag in UNREAD
        if not self._data and not marked:
            self.page.texts.extend(given[name] for name in READ_OUT if given.get(name))
            if tag == "input" and given.get("type") in ("submit", "button", "reset") and given.get("value"):
                self.page.texts.append(given["value"])
        self._json = tag == "script" and given.get("type") == "application/json"
        for name in ("href", "hx-get", "data-src"):
            if given.get(name):
                self.page.links.append(given[name])
        self.page.links.extend(
            value for name, value in given.items() if name.startswith("data-") and value.startswith("/")
        )
        if tag not in ALONE:
            self._open.append((tag, data))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in ALONE:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        self._json = False
        while any(name == tag for name, _ in self._open):
            if self._open.pop()[0] == tag:
                break

    def handle_data(self, data: str) -> None:
        if self._json:
            self.page.texts.extend(_words_of(json.loads(data)))
        elif not self._data and data.strip():
            self.page.texts.append(" ".join(data.split()))


def _words_of(value: Any) -> Iterator[str]:
    """The sentences among what is handed to a script: what stands under ``words``."""
    if isinstance(value, dict):
        for name, one in value.items():
            if name in ("words", "texts", "say", "labels"):
                yield from _strings(one)
            else:
                yield from _words_of(one)
    elif isinstance(value, list):
        for one in value:
            yield from _words_of(one)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)
