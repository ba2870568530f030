"""Indicators, choices, grades and evaluations as a pack states them: what is measured, against what, and who says so.

Nothing here knows a city or an indicator. `yiwang.packs.indicators` reads them from `indicators.toml`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from types import MappingProxyType
from typing import TypeVar

from yiwang.core.facts.cases import CASES
from yiwang.core.facts.table import DEPARTMENT, POST, REGION
from yiwang.core.indicators.expressions import Measure
from yiwang.core.indicators.lists import ListRule
from yiwang.core.kernel.periods import Validity
from yiwang.core.kernel.text import Text

# unit → what one unit of numerator ÷ denominator is worth in it
UNITS: Mapping[str, Fraction] = MappingProxyType(
    {
        "cases": Fraction(1),
        "count": Fraction(1),
        "percent": Fraction(100),
        "score": Fraction(100),  # points earned of those that could be: out of a hundred, but no share of equal rows
        "hours": Fraction(1, 3600),
        "days": Fraction(1, 86400),
        "stars": Fraction(1),
        "times": Fraction(1),
        "points": Fraction(1),
    }
)
SCORED = ("percent", "score")  # of a hundred already
COUNTED = ("cases", "count")  # without a denominator: cases, and rows or sums of any other table
UP, DOWN, NEITHER = "up", "down", "none"
OBJECTS = (REGION, DEPARTMENT, POST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """One measure of how the city is run.

    Attributes:
        id: Key.
        table: Name of the table of facts over which it is counted; its expressions use only columns of it.
        name, meaning: For people.
        numerator: What is counted or summed.
        denominator: What it is divided by; None for a plain count.
        formula: Numerator and denominator as written, with the filter, for people.
        unit: Key of `UNITS`.
        direction: ``up`` when more is better, ``down``, or ``none``.
        basis: By which day a row falls into a period: one of the bases of its table.
        source, confidence: Who says so, and how far it was read in the text itself. ``source_en`` is the source in English,
            where it is said otherwise there.
        validity: Days on which it holds.
        public: The portal publishes it.
    """

    id: str
    table: str = CASES
    name: Text
    meaning: Text
    numerator: Measure
    denominator: Measure | None
    formula: tuple[str, str, str] = ("", "", "")
    unit: str
    direction: str
    basis: str
    source: str
    source_en: str = ""
    confidence: str
    validity: Validity = field(default_factory=Validity)
    public: bool = False

    def value(self, numerator: int, denominator: int | None) -> float | None:
        """The figure in the indicator's unit; None for no data, which is what a denominator of nothing gives."""
        if self.denominator is None:
            return float(numerator * UNITS[self.unit])
        return float(numerator * UNITS[self.unit] / denominator) if denominator else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A question that sources answer differently: the options, and the one that this city picks."""

    id: str
    name: Text
    pick: str
    options: Mapping[str, str]
    source: str
    source_en: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """A band of scores: from ``least`` up to the next grade's."""

    id: str
    least: float
    name: Text
    colour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grading:
    """Grades that hold for a time, the best first."""

    grades: tuple[Grade, ...]
    source: str
    source_en: str = ""
    confidence: str
    validity: Validity = field(default_factory=Validity)

    def of(self, score: float) -> Grade:
        """The grade of a score: the first whose least it reaches, the last for what reaches none."""
        return next((grade for grade in self.grades if score >= grade.least), self.grades[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """An indicator's part in a composite score.

    Attributes:
        indicator: Its id.
        weight: Its share of the whole, or of its aspect.
        aspect: Id of the aspect that it belongs to; empty where the evaluation has none.
        up_to: For counts where fewer is better: (largest count, score), ascending; beyond the last, 0.
        at_least: For counts where more is better: (smallest count, score), descending; below the last, 0.
    """

    indicator: str
    weight: float
    aspect: str = ""
    up_to: tuple[tuple[float, float], ...] = ()
    at_least: tuple[tuple[float, float], ...] = ()

    def score(self, indicator: Indicator, value: float) -> float:
        """0 to 100: a rate as it is, or what is missing to 100 where less is better; a count by its steps."""
        if self.up_to:
            return next((points for most, points in self.up_to if value <= most), 0.0)
        if self.at_least:
            return next((points for least, points in self.at_least if value >= least), 0.0)
        return max(0.0, min(100.0, value if indicator.direction == UP else 100.0 - value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Aspect:
    """One side of what an index measures, e.g. cleanliness: a weighted mean of its own parts.

    Attributes:
        id, name: Key, and the name for people.
        weight: Its share of the whole.
    """

    id: str
    name: Text
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """A composite score of regions, departments or the people of a post.

    Attributes:
        id, name: Key, and the name for people.
        object: ``region``, ``department`` or ``post``.
        post: Role, for a post.
        levels: For regions of these levels only; empty for all.
        aspects: Sides that are scored on their own first, with weights that sum to 1; empty for a plain mean of the parts.
        parts: Indicators with weights that sum to 1, within each aspect where there are any.
        least_share: With less than this share of the weights known there is no score, of an aspect either. What is known
            is scaled up.
        source, confidence: Who says so.
        validity: Days on which it holds: weights change by dated versions, never by overwriting.
    """

    id: str
    name: Text
    object: str
    post: str = ""
    levels: tuple[str, ...] = ()
    aspects: tuple[Aspect, ...] = ()
    parts: tuple[Part, ...]
    least_share: float = 1.0
    source: str
    source_en: str = ""
    confidence: str
    validity: Validity = field(default_factory=Validity)

    @property
    def weighed(self) -> tuple[tuple[str, float], ...]:
        """What the score is a mean of, with its weight: aspects by id, or indicators where there are none."""
        if self.aspects:
            return tuple((one.id, one.weight) for one in self.aspects)
        return tuple((part.indicator, part.weight) for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Composite:
    """The outcome of an evaluation.

    Attributes:
        evaluation: Its id.
        score: 0 to 100, or None for no data.
        grade: Id of the grade; empty without a score.
        known_share: Share of the weights for which there are data.
        parts: Indicator → its score of 0 to 100, None for no data.
        weights: Indicator → its share of the score as it is, with what is missing left out; only of those that count.
        aspects: Aspect → its score of 0 to 100, None for too little data; empty without aspects.
    """

    evaluation: str
    score: float | None
    grade: str
    known_share: float
    parts: Mapping[str, float | None]
    weights: Mapping[str, float] = field(default_factory=dict)
    aspects: Mapping[str, float | None] = field(default_factory=dict)

    def of(self, name: str) -> float | None:
        """The score of an aspect or, without aspects, of a part: of what `Evaluation.weighed` names."""
        return self.aspects.get(name) if self.aspects else self.parts.get(name)


@dataclass(frozen=True, kw_only=True)
class IndicatorBook:
    """Everything that a pack says about scoring.

    Attributes:
        indicators: In the order of the file; an id may stand several times with different days of validity.
        choices, gradings, evaluations, lists: Likewise.
        moments: Verbs that mark moments of the facts: ``verified``, ``checked``, ``responded``.
        terms: Named conditions, as written.
        shown: Ids of the indicators that a table shows first.
    """

    indicators: tuple[Indicator, ...] = ()
    choices: tuple[Choice, ...] = ()
    gradings: tuple[Grading, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    lists: tuple[ListRule, ...] = ()
    moments: Mapping[str, frozenset[str]] = field(default_factory=dict)
    terms: Mapping[str, str] = field(default_factory=dict)
    shown: tuple[str, ...] = ()

    def in_force(self, day: date) -> dict[str, Indicator]:
        """The indicators of a day by id."""
        return {indicator.id: indicator for indicator in self.indicators if indicator.validity.contains(day)}

    def words_of(self, text: str) -> list[tuple[str, str]]:
        """The terms and picked choices that a formula uses, directly or through others, each with what it stands for."""
        known = dict(self.terms) | {choice.id: choice.options[choice.pick] for choice in self.choices}
        found: dict[str, str] = {}
        waiting = re.findall(r"\w+", text)
        while waiting:
            name = waiting.pop(0)
            if name in known and name not in found:
                found[name] = known[name]
                waiting += re.findall(r"\w+", known[name])
        return list(found.items())

    def grading(self, day: date) -> Grading | None:
        """The grades of a day."""
        return _first(self.gradings, day)

    def evaluations_of(self, *, object: str, post: str = "", level: str = "", day: date) -> list[Evaluation]:
        """The evaluations of a kind of object in force on a day."""
        return [
            evaluation
            for evaluation in self.evaluations
            if evaluation.object == object
            and evaluation.post == post
            and evaluation.validity.contains(day)
            and (not evaluation.levels or level in evaluation.levels)
        ]


_Dated = TypeVar("_Dated", Grading, Evaluation)


def _first(found: Sequence[_Dated], day: date) -> _Dated | None:
    return next((one for one in found if one.validity.contains(day)), None)


def composite(
    evaluation: Evaluation,
    *,
    indicators: Mapping[str, Indicator],
    values: Mapping[str, float | None],
    grading: Grading | None,
) -> Composite:
    """The weighted mean of the parts' scores, and its grade; with aspects the weighted mean of theirs.

    A part without data is left out and the rest scaled up, as long as ``least_share`` of the weight is known; a case
    that nobody could have handled neither helps nor harms (reference default; sources are silent on missing data). An
    aspect is left out likewise.
    """
    scores: dict[str, float | None] = {}
    for part in evaluation.parts:
        indicator, value = indicators.get(part.indicator), values.get(part.indicator)
        scores[part.indicator] = None if indicator is None or value is None else part.score(indicator, value)
    aspects: dict[str, float | None] = {}
    weights: dict[str, float] = {}
    total = counted = known = 0.0
    for side, weight in [(one.id, one.weight) for one in evaluation.aspects] or [("", 1.0)]:
        members = [(part, scores[part.indicator]) for part in evaluation.parts if part.aspect == side]
        own = sum(part.weight for part, score in members if score is not None)
        share = own / sum(part.weight for part, _ in members)
        known += weight * share
        enough = own and share >= evaluation.least_share - 1e-9
        mean = sum(part.weight * score for part, score in members if score is not None) / own if enough else None
        if evaluation.aspects:
            aspects[side] = mean
        if mean is None:
            continue
        counted += weight
        total += weight * mean
        for part, score in members:
            if score is not None:
                weights[part.indicator] = weight * part.weight / own
    if not counted or counted < evaluation.least_share - 1e-9:
        return Composite(
            evaluation=evaluation.id, score=None, grade="", known_share=known, parts=scores, aspects=aspects
        )
    result = round(total / counted, 6)
    return Composite(
        evaluation=evaluation.id,
        score=result,
        grade=grading.of(result).id if grading else "",
        known_share=known,
        parts=scores,
        weights={name: weight / counted for name, weight in weights.items()},
        aspects=aspects,
    )
