"""Choosing one of a city's many units, regions or categories by words: what the combobox asks, and what a form sends.

A form sends a code (`region`) where something was chosen from the list, or only words (`region_words`) where no script ran.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from yiwang.core.kernel.errors import BadInput, Problem
from yiwang.core.kernel.text import NO_TEXT, Text
from yiwang.server.cities.derived import Derived
from yiwang.server.cities.queries import CityRuntime
from yiwang.server.common.name_index import Named, NameIndex, fold

WORDS = "_words"  # ends the name of the field that carries what was typed


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of the list.

    Attributes:
        code: What the form sends.
        name: What the person reads and what stands in the field afterwards.
        within: Where it belongs: the unit above, the regions around it, the major class.
    """

    code: str
    name: Text
    within: Text = NO_TEXT


class Choices:
    """All of one kind in a city, found by name, by pinyin or by code."""

    def __init__(self, choices: Mapping[str, tuple[Choice, float]]) -> None:
        self._by_code = {code: choice for code, (choice, _) in choices.items()}
        self._index = NameIndex(
            Named(code, tuple(dict.fromkeys(choice.name.values())), (code,), weight)
            for code, (choice, weight) in choices.items()
        )

    def get(self, code: str) -> Choice | None:
        return self._by_code.get(code)

    def find(self, words: str, *, limit: int = 30) -> list[Choice]:
        """What the words may mean, best first; for no words the weightiest."""
        return [self._by_code[code] for code in self._index.find(words, limit=limit)]

    def resolve(self, words: str, *, column: str) -> str:
        """The code that words mean: a code, or a name that only one thing has.

        Raises:
            BadInput: When nothing or more than one thing is called so; the message names what comes near.
        """
        words = words.strip()
        if not words or words in self._by_code:
            return words
        found = self.find(words, limit=5)
        called = [choice for choice in found if fold(words) in map(fold, choice.name.values())]
        if len(called) == 1:
            return called[0].code
        near = Text.join(
            {"zh": "、", "en": ", "},
            [Text("{name}（{code}）", "{name} ({code})", name=choice.name, code=choice.code) for choice in found],
        )
        if called:
            message = Text("不止一个叫「{words}」。", "More than one is called {words!r}.", words=words[:60])
        else:
            message = Text("没有叫「{words}」的。", "Nothing is called {words!r}.", words=words[:60])
        hint = Text("请选一个：{near}。", "Choose one: {near}.", near=near) if found else NO_TEXT
        raise BadInput(Problem(message, hint, column=column))


def choices(place: CityRuntime, kind: str) -> Choices | None:
    """Choices of a kind (``units``, ``regions``, ``categories``, ``components``) in the version of the city in force, None for no kind."""
    return _CHOICES.of(place, kind) if kind in _KINDS else None


def _units(place: CityRuntime) -> Iterator[tuple[Choice, float]]:
    units = place.rules.units
    for unit in units:
        above = units.get(unit.parent)
        yield Choice(unit.code, unit.name, above.name if above else NO_TEXT), -float(len(unit.region))


def _regions(place: CityRuntime) -> Iterator[tuple[Choice, float]]:
    for region in place.regions:
        above = [one.name for one in place.regions.chain(region.code)][1:-1]  # without itself and the city
        within = Text.join({"zh": " · ", "en": " · "}, above) if above else NO_TEXT
        yield Choice(region.code, region.name, within), -float(len(region.code))


def _categories(place: CityRuntime) -> Iterator[tuple[Choice, float]]:
    for category in place.categories.values():
        yield Choice(category.code, category.name, category.major_name), 0.0


def _components(place: CityRuntime) -> Iterator[tuple[Choice, float]]:
    for code, one in place.pack.components.items():
        category = place.categories.get(code)
        yield Choice(code, one.name, category.major_name if category else NO_TEXT), 0.0


_KINDS: dict[str, Callable[[CityRuntime], Iterator[tuple[Choice, float]]]] = {
    "units": _units,
    "regions": _regions,
    "categories": _categories,
    "components": _components,
}
_CHOICES = Derived(
    lambda place, kind: Choices({choice.code: (choice, weight) for choice, weight in _KINDS[str(kind)](place)}), most=32
)
# which kind a field of a form holds
KIND_OF_FIELD = {
    "unit": "units",
    "holder": "units",
    "region": "regions",
    "category": "categories",
    "kind": "components",
}


def chosen(place: CityRuntime, values: Mapping[str, str], name: str) -> str:
    """The code that a form sends for a field, or the one that its words mean; empty when neither is there.

    Raises:
        BadInput: When the words mean nothing, or more than one thing.
    """
    if code := values.get(name, "").strip():
        return code
    words = values.get(f"{name}{WORDS}", "")
    found = choices(place, KIND_OF_FIELD[name])
    assert found is not None
    return found.resolve(words, column=name)
