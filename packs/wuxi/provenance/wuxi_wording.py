"""Restates the reference table's filing and closing conditions in the project's own words, Chinese and English.

The words are in `wuxi_wording.toml`; this module only puts them together and proves that the result is no copy.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

WORDING = Path(__file__).with_name("wuxi_wording.toml")
# A run of characters longer than this that also stands in the original sentence counts as copied.
LONGEST_SHARED_RUN = 12

Pair = tuple[str, str]


class NoWording(Exception):
    """A sentence for which wuxi_wording.toml has no words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The dictionary of own words."""

    terms: dict[str, list[str]]
    parts: dict[str, list[str]]
    patterns: list[dict[str, str]]
    conditions: dict[str, list[str]]
    closing: dict[str, list[str]]

    @classmethod
    def read(cls, path: Path = WORDING) -> Wording:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        return cls(
            terms=data["terms"],
            parts=data["parts"],
            patterns=data["pattern"],
            conditions=data["conditions"],
            closing=data["closing"],
        )

    def condition(self, *, key: str, original: str) -> Pair:
        """A filing condition in own words: a sentence of its own, else a known pattern, else a list of defects.

        Raises:
            NoWording: When none of the three fits.
        """
        if key in self.conditions:
            chinese, english = self.conditions[key]
            return chinese, english
        text = re.sub(r"\s", "", original)
        for pattern in self.patterns:
            if found := re.fullmatch(pattern["match"], text):
                groups = ("", *found.groups())
                return pattern["zh"].format(*groups), _english(pattern["en"].format(*groups))
        return self._list(key, text)

    def _list(self, key: str, text: str) -> Pair:
        items = [self._item(key, item) for item in re.split("[、，,]", text.rstrip("的等")) if item]
        # ordered by our own words, not as in the original; a word that names the part stays before what follows from it
        items.sort(key=lambda item: (0 if item[2] else 1, item[0]))
        items = list(dict.fromkeys(items))
        chinese = [item[0] for item in items]
        english = [item[1] for item in items]
        return _choice(chinese, "、", "或"), _sentence(_choice(english, ", ", " or "))

    def _item(self, key: str, item: str) -> tuple[str, str, bool]:
        if item in self.terms:
            chinese, english = self.terms[item]
            return chinese, english, False
        for part in sorted(self.parts, key=len, reverse=True):
            rest = item.removeprefix(part)
            if rest != item and rest in self.terms:
                (part_zh, part_en), (term_zh, term_en) = self.parts[part], self.terms[rest]
                return part_zh + term_zh, f"{part_en} {term_en}", True
        raise NoWording(f"{key}: no words for {item!r}")

    def close(self, *, key: str, original: str) -> Pair:
        """A closing condition in own words: all of it where the table lists, one of it where the table offers a choice.

        Raises:
            NoWording: When an item is not in the dictionary.
        """
        text = re.sub(r"\s", "", original)
        if text in ("围护、消除安全隐患", "消除安全隐患、围护"):
            text = "消除安全隐患、围护"
        either = "或" in text or "非正常季节" in text
        items = []
        for item in (piece for piece in re.split("[、，,/]|或", text) if piece):
            pieces = [item] if item in self.closing else item.split("并")
            for piece in pieces:
                if piece not in self.closing:
                    raise NoWording(f"{key}: no closing words for {piece!r}")
                if tuple(self.closing[piece]) not in items:
                    items.append(tuple(self.closing[piece]))
        if either and len(items) > 1:
            return "已" + _choice([zh for zh, _ in items], "、", "或"), _sentence(
                _choice([en for _, en in items], ", ", " or ")
            )
        return "已" + _choice([zh for zh, _ in items], "、", "并"), _sentence(
            _choice([en for _, en in items], ", ", " and ")
        )


def _choice(items: list[str], comma: str, last: str) -> str:
    return items[0] if len(items) == 1 else comma.join(items[:-1]) + last + items[-1]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _english(text: str) -> str:
    for chinese, english in (("供水", "water"), ("燃气", "gas"), ("热力", "heating")):
        text = text.replace(chinese, english)
    return text


def shared_run(own: str, original: str) -> str:
    """The longest run of characters that stands in both texts (blanks aside)."""
    own, original = re.sub(r"\s", "", own), re.sub(r"\s", "", original)
    best = ""
    for start in range(len(own)):
        end = start + len(best) + 1
        while end <= len(own) and own[start:end] in original:
            best = own[start:end]
            end += 1
    return best
